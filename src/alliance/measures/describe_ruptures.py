"""What change.json says of the ruptures in one measure: each rule, chance, agreement, the atlas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from alliance.measures.courses import courses_of
from alliance.measures.reliable_change import Better
from alliance.measures.ruptures.agreement import jaccard, kappa
from alliance.measures.ruptures.atlas import OFFSETS, Profile, profile_of
from alliance.measures.ruptures.detect import (
    ENDED,
    REPAIRED,
    UNREPAIRED,
    Ruptures,
    Scale,
    detect,
    judged_sessions,
    scale_of,
)
from alliance.measures.ruptures.null_model import FalseAlarms, NullModel, false_alarms, null_model
from alliance.measures.ruptures.rules import Rule, rule_from

FEWEST = 8
"""Fewer clients or ruptures than that are given as counts at most, never as a mean."""
FEWEST_SCORES = 4
"""Scored sessions of a client's course: with three, one drop leaves nothing to compare it with."""
REPLICATES = 200
COURSES_DRAWN = 100_000


def describe_ruptures(
    panel: pd.DataFrame,
    measure: str,
    entries: Sequence[str | Mapping[str, Any]],
    better: Better,
    reliability: float | None,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return the entry of one measure under `ruptures` in change.json.

    Parameters
    ----------
    panel
        The analysis table.
    entries
        The config's list of rules.
    better
        The better end of the scale.
    reliability
        Of the measure, or None.
    rng
        For the null.
    """
    rules = [rule_from(entry) for entry in entries]
    courses = courses_of(panel[["site", "client", "session", measure]], measure)
    long_enough = (~np.isnan(courses.scores)).sum(axis=1) >= FEWEST_SCORES
    described: dict[str, Any] = {
        "clients_with_scores": len(courses.clients),
        "clients_used": int(long_enough.sum()),
        "fewest_scores": FEWEST_SCORES,
        "reliability": reliability,
        "rules": [],
        "agreement": [],
        "chance_model": None,
        "atlas": None,
        "message": "",
    }
    if long_enough.sum() < FEWEST:
        described["message"] = (
            f"Fewer than {FEWEST} clients have {FEWEST_SCORES} scored sessions or more: a rupture "
            "cannot be told from an ordinary session."
        )
        return described
    scores = courses.scores if better == "higher" else -courses.scores
    # ASSUME the cohort's spread is that of all its courses, short ones too, as in the events.
    scale = scale_of(scores, reliability)
    if scale.pooled_sd == 0:
        described["message"] = "No client's score ever changes: there is nothing to see."
        return described
    scores = scores[long_enough]
    usable = [r for r in rules if r.unit != "reliable_change" or scale.difference_error]
    found = {rule.name: detect(scores, rule, scale) for rule in usable}
    error = (
        None
        if reliability is None or not scale.difference_error
        else (scale.difference_error / np.sqrt(2))
    )
    model = null_model(scores, error)
    replicates = int(np.clip(COURSES_DRAWN // len(scores), 50, REPLICATES))
    chance = false_alarms(model, usable, scale, replicates, rng)
    described["chance_model"] = _chance_model(model, replicates)
    described["rules"] = [
        _rule(rule, scores, scale, found.get(rule.name), chance) for rule in rules
    ]
    described["agreement"] = [
        _agreement(one, other, found, scores) for one, other in combinations(found, 2)
    ]
    if usable:
        described["atlas"] = _atlas(usable[0], scores, scale, found[usable[0].name], chance)
    return described


def _chance_model(model: NullModel, replicates: int) -> dict[str, Any]:
    return {
        "replicates": replicates,
        "autocorrelation": float(np.mean(model.autocorrelation)),
        "true_sd": float(np.sqrt(np.mean(model.true_sd**2))),
        "error_sd": float(np.sqrt(np.mean(model.error_sd**2))),
    }


def _rule(
    rule: Rule, scores: np.ndarray, scale: Scale, found: Ruptures | None, chance: FalseAlarms
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "rule": rule.name,
        "title": rule.title,
        "repair": rule.repair_words,
        "source": rule.source,
        "known": "after_treatment" if rule.looks_ahead else "at_session",
        "message": "",
    }
    keys = ("clients_judged", "sessions_judged", "ruptures", "clients", "percent", "repaired",
            "unrepaired", "ended", "percent_repaired", "onset", "depth", "depth_units",
            "duration", "speed", "by_client", "chance")  # fmt: skip
    described |= dict.fromkeys(keys)
    if found is None:
        described["message"] = "Counts in reliable changes, but no reliability is given."
        return described
    judged = judged_sessions(scores, rule, scale)
    clients = int(judged.any(axis=1).sum())
    if clients < FEWEST:
        described["message"] = (
            f"Fewer than {FEWEST} clients have enough scores for this rule to judge a session."
        )
        return described
    flagged = np.unique(found.row)
    closed = int((found.outcome != ENDED).sum())
    repaired = int((found.outcome == REPAIRED).sum())
    described |= {
        "clients_judged": clients,
        "sessions_judged": int(judged.sum()),
        "ruptures": len(found.row),
        "clients": len(flagged),
        "percent": 100 * len(flagged) / clients,
        "repaired": repaired,
        "unrepaired": int((found.outcome == UNREPAIRED).sum()),
        "ended": int((found.outcome == ENDED).sum()),
        "percent_repaired": 100 * repaired / closed if closed >= FEWEST else None,
        "onset": _median(found.onset),
        "depth": _median(found.depth),
        "depth_units": _median(found.depth / found.unit),
        "duration": _median(found.duration),
        "speed": _median(found.speed),
        "by_client": _by_client(found, clients),
        "chance": _chance(len(flagged), clients, chance.clients[rule.name]),
    }
    return described


def _median(values: np.ndarray) -> float | None:
    values = values[~np.isnan(values.astype(float))]
    return float(np.median(values)) if len(values) >= FEWEST else None


def _by_client(found: Ruptures, clients: int) -> dict[str, int]:
    """Return clients without rupture, with repaired ones only, and with another one."""
    flagged = np.unique(found.row)
    other = np.unique(found.row[found.outcome != REPAIRED])
    return {
        "none": clients - len(flagged),
        "repaired_only": len(flagged) - len(other),
        "not_repaired": len(other),
    }


def _chance(observed: int, clients: int, drawn: np.ndarray) -> dict[str, float]:
    """Return what the rule finds where there is nothing, in per cent of the clients judged."""
    share = 100 * drawn / clients
    return {
        "percent": float(share.mean()),
        "low": float(np.quantile(share, 0.025)),
        "high": float(np.quantile(share, 0.975)),
        "beyond": 100 * observed / clients - float(share.mean()),
        # one more than drawn, so that no p is zero for want of replicates
        "p": float((1 + (drawn >= observed).sum()) / (1 + len(drawn))),
    }


def _agreement(
    one: str, other: str, found: Mapping[str, Ruptures], scores: np.ndarray
) -> dict[str, Any]:
    flags = [np.zeros(len(scores), dtype=bool), np.zeros(len(scores), dtype=bool)]
    onsets = [np.zeros(scores.shape, dtype=bool), np.zeros(scores.shape, dtype=bool)]
    for k, name in enumerate((one, other)):
        flags[k][found[name].row] = True
        onsets[k][found[name].row, found[name].onset - 1] = True
    return {
        "rule_1": one,
        "rule_2": other,
        "kappa_clients": kappa(*flags),
        "jaccard_clients": jaccard(*flags),
        "jaccard_sessions": jaccard(*onsets),
    }


def _atlas(
    rule: Rule, scores: np.ndarray, scale: Scale, found: Ruptures, chance: FalseAlarms
) -> dict[str, Any]:
    """Return the mean course around onset and the rate of onsets, observed and by chance."""
    judged = judged_sessions(scores, rule, scale).sum(axis=0)
    observed = profile_of(scores, found)
    drawn = chance.profiles[rule.name]
    replicates = len(chance.clients[rule.name])
    by_outcome = {
        "repaired": _of(found, found.outcome == REPAIRED),
        "not repaired": _of(found, found.outcome != REPAIRED),
    }
    lines = [_line("observed", observed), _line("by chance alone", drawn)]
    lines += [_line(name, profile_of(scores, part)) for name, part in by_outcome.items()]
    return {
        "rule": rule.name,
        "title": rule.title,
        "around_onset": lines,
        "onsets": _onsets(observed.onsets, drawn.onsets / replicates, judged),
    }


def _onsets(observed: np.ndarray, drawn: np.ndarray, judged: np.ndarray) -> list[dict[str, Any]]:
    """Return rates of onset in spans of sessions, each with eight ruptures or more."""
    spans, start = [], 0
    for end in range(1, len(judged) + 1):
        if observed[start:end].sum() >= FEWEST:
            spans.append((start, end))
            start = end
    if spans and start < len(judged):  # what is left over belongs to the last span
        spans[-1] = (spans[-1][0], len(judged))
    return [
        {
            "first_session": start + 1,
            "last_session": int(np.flatnonzero(judged[:end])[-1]) + 1,
            "observed": float(100 * observed[start:end].sum() / judged[start:end].sum()),
            "by_chance": float(100 * drawn[start:end].sum() / judged[start:end].sum()),
        }
        for start, end in spans
    ]


def _of(found: Ruptures, rows: np.ndarray) -> Ruptures:
    names = Ruptures.__dataclass_fields__
    return Ruptures(**{name: getattr(found, name)[rows] for name in names})


def _line(name: str, profile: Profile) -> dict[str, Any]:
    mean = profile.total / np.maximum(profile.count, 1)
    shown = profile.count >= FEWEST
    return {
        "name": name,
        "offset": OFFSETS[shown].tolist(),
        "points": mean[shown].tolist(),
    }
