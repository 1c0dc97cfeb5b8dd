"""Change by Jacobson and Truax, and counts of sudden changes and ruptures, anew from the rows."""

import numpy as np
import pandas as pd
from recompute import CLIENT


def _first_and_last(n, measure):
    scored = n.data.table("panel").dropna(subset=[measure])
    groups = scored.groupby(CLIENT)[measure]
    both = groups.size() > 1
    return groups.first(), groups.first()[both], groups.last()[both]


def reliable_change(n):
    """Jacobson and Truax (1991), cut-off and norms as the file has them from the configuration."""
    of = next(one for one in n.holder if "first" in one)
    every, first, last = _first_and_last(n, of["measure"])
    sign = -1 if of["better"] == "lower" else 1
    points = 1.96 * every.std() * np.sqrt(2 * (1 - of["reliability"]))
    change = sign * (last - first)
    norm = of["functional"]
    if norm is None:
        cutoff = every.mean() + sign * 2 * every.std()
    else:
        both = every.std() + norm["sd"]
        cutoff = (every.std() * norm["mean"] + norm["sd"] * every.mean()) / both
    well_first, well_last = (sign * (one - cutoff) > 0 for one in (first, last))
    improved, worse = change > points, change < -points
    counts = {
        "recovered": (improved & ~well_first & well_last).sum(),
        "improved": (improved & (well_first | ~well_last)).sum(),
        "unchanged": (~improved & ~worse).sum(),
        "deteriorated": (worse & ~(well_first & ~well_last)).sum(),
        "harmed": (worse & well_first & ~well_last).sum(),
    }
    found = counts[n.entry["class"]]
    return found if n.key == "clients" else 100 * found / len(first)


def change_of_all(n):
    of = next(one for one in n.holder if "first" in one)
    every, first, last = _first_and_last(n, of["measure"])
    if "sd" in n.entry and "mean" in n.entry:
        own = first if n.entry is of["first"] else last
        return own.mean() if n.key == "mean" else own.std()
    return {
        "clients_used": len(first),
        "sd_of_first_scores": every.std(),
        "reliable_points": 1.96 * every.std() * np.sqrt(2 * (1 - of["reliability"])),
    }[n.key]


def sudden(n):
    of = next(one for one in n.holder if "first" in one)
    kind = "gain" if n.entry is of["sudden"]["gains"] else "loss"
    events = n.data.table("events")
    own = events[(events["measure"] == of["measure"]) & (events["kind"] == kind)]
    return {
        "changes": len(own),
        "clients": own.groupby(CLIENT).ngroups,
        "points": own["points"].abs().median(),
        "session": own["session"].median(),
        "percent_reversed": 100 * (own["outcome"] == "reversed").mean(),
    }[n.key]


def rupture_rule(n):
    measure = n.holder[1]["measure"]
    events = n.data.table("events")
    own = events[(events["measure"] == measure) & (events["rule"] == n.entry["rule"])]
    own = own[own["kind"] == "rupture"]
    scored = n.data.table("panel").dropna(subset=[measure]).groupby(CLIENT).size()
    judged = scored.index[scored >= n.holder[1]["fewest_scores"]]
    own = own[pd.MultiIndex.from_frame(own[CLIENT]).isin(judged)]
    clients = own.groupby(CLIENT).ngroups
    outcomes = own["outcome"].value_counts()
    ended, repaired = outcomes.get("course ended", 0), outcomes.get("repaired", 0)
    return {
        "ruptures": len(own),
        "clients": clients,
        "percent": 100 * clients / len(judged),
        "clients_judged": len(judged),
        "repaired": repaired,
        "unrepaired": outcomes.get("unrepaired", 0),
        "ended": ended,
        "percent_repaired": 100 * repaired / max(len(own) - ended, 1),
    }[n.key]
