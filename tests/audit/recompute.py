"""Printed numbers computed anew from the rows that `explain` leads to, by other means than ours.

Counts, means and correlations by pandas, reliabilities from pairwise covariances, mixed models by
maximising the dense restricted likelihood, hazards by statsmodels. Of the project nothing is used
but the rows that were processed, the equation that is printed, and the degrees of freedom of a test
(Satterthwaite's).
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

ENDS = ("dropout", "completed", "transferred", "ongoing")
CLIENT = ["site", "client"]
FORM = [*CLIENT, "session"]


@dataclass
class Data:
    """The processed rows of a project, and what was computed from them once."""

    project: Path
    cohort: str
    models: dict = field(default_factory=dict)

    def table(self, name):
        key = f"table {name}"
        if key not in self.models:
            folder = self.project / "data" / "processed" / self.cohort
            self.models[key] = pd.read_parquet(folder / f"{name}.parquet")
        return self.models[key]

    def of_site(self, name, site):
        table = self.table(name)
        return table if site == "all" else table[table["site"] == site]

    def attended(self, site):
        sessions = self.of_site("sessions", site)
        return sessions[sessions["attended"]]

    def scores(self, measure, score, site):
        scores = self.of_site("scores", site)
        own = scores[(scores["measure"] == measure) & (scores["subscale"] == score)]
        return self.attended(site)[FORM].merge(own, on=FORM)

    def answers(self, measure, site, key):
        """Return the keyed answers of attended sessions, one form a row, one item a column."""
        found = self.of_site("responses", site)
        found = found[found["measure"] == measure]
        wide = found.pivot(index=FORM, columns="item", values="value")
        turned = [item for item in key["reversed_items"] if item in wide]
        low, high = key["answers"]
        wide[turned] = low + high - wide[turned]
        here = pd.MultiIndex.from_frame(self.attended(site)[FORM])
        return wide[wide.index.isin(here)]


@dataclass
class Number:
    """A printed number: the object that holds its field, and all that `explain` says of it."""

    key: str
    index: int | None
    holder: Any
    entry: Any
    fit: Any
    document: Any
    rows: pd.DataFrame | None
    data: Data


def flow(n):
    e, clients = n.entry, n.data.of_site("clients", n.entry["site"])
    sessions = n.data.attended(e["site"])
    counts = clients["end_status"].value_counts()
    known = sum(counts.get(end, 0) for end in ENDS[:3])
    if n.key.startswith("dropout_share"):
        low, high = proportion_confint(counts.get("dropout", 0), known, method="wilson")
        share = counts.get("dropout", 0) / known
        return 100 * {"": share, "_low": low, "_high": high}[n.key[len("dropout_share") :]]
    return {
        "sites": clients["site"].nunique(),
        "therapists": clients["therapist"].nunique(),
        "clients": len(clients),
        "sessions": len(sessions),
        "clients_with_one_session": (sessions.groupby(CLIENT).size() == 1).sum(),
        "end_unknown": clients["end_status"].isna().sum(),
        "forms": n.data.of_site("responses", e["site"]).groupby([*FORM, "measure"]).ngroups,
        **{end: counts.get(end, 0) for end in ENDS},
    }[n.key]


def sample(n):
    e = n.entry
    clients = n.data.of_site("clients", e["site"])
    if e["category"] is not None:
        is_one = clients[e["characteristic"].lower()].dropna() == e["category"]
        return {"n": len(is_one), "count": is_one.sum(), "percent": 100 * is_one.mean()}[n.key]
    panel = n.data.of_site("panel", e["site"])
    name, _, first = e["characteristic"].partition(", ")
    if first:
        column = next(m["name"] for m in n.document["measures"] if m["label"] == name)
        values = panel.dropna(subset=[column]).groupby(CLIENT)[column].first()
    elif name == "Sessions attended":
        values = panel.groupby(CLIENT).size()
    else:
        column = {"Age": "age_years", "Sessions planned": "sessions_planned"}[name]
        values = clients[column].dropna().astype(float)
    by = {"n": "count", "sd": "std", "minimum": "min", "maximum": "max"}
    return getattr(values, by.get(n.key, n.key))()


def missing(n):
    e = n.entry
    own = n.data.scores(e["measure"], "total", e["site"])
    sessions = len(n.data.attended(e["site"]))
    if n.key == "items_unanswered_percent":
        return 100 * (1 - own["n_valid"].sum() / own["n_items"].sum())
    partial = own["n_valid"] < own["n_items"]
    return {
        "sessions": sessions,
        "forms": len(own),
        "forms_percent": 100 * len(own) / sessions,
        "complete": (~partial).sum(),
        "prorated": own["prorated"].sum(),
        "refused": own["refused"].sum(),
    }[n.key]


def ledger(n):
    e, table = n.entry, n.data.table("ledger")
    of = n.holder[-2] if "reason" in e else e
    own = table[(table["table"] == of["table"]) & (table["unit"] == of["unit"])]
    for key in ("site", "file"):
        if of.get(key, "all") != "all":
            own = own[own[key] == of[key]]
    counts = own.groupby("reason")["count"].sum()
    if "reason" in e:
        return counts[e["reason"].replace(" ", "-")]
    if n.key == "set_aside":
        return counts.drop(["read", "kept", "blank"], errors="ignore").sum()
    return counts.get(n.key, 0)


def prorating(n):
    e = n.entry
    own = n.data.scores(e["measure"], e["score"], "all")
    sessions = n.data.attended("all")
    if e["session"] != "all":
        own = own[own["session"] == int(e["session"])]
        sessions = sessions[sessions["session"] == int(e["session"])]
    counts = {
        "sessions": len(sessions),
        "forms": len(own),
        "no_form": len(sessions) - len(own),
        "prorated": own["prorated"].sum(),
        "refused": own["refused"].sum(),
    }
    counts["complete"] = len(own) - counts["prorated"] - counts["refused"]
    counts |= {f"{key}_percent": 100 * counts[key] / len(sessions) for key in list(counts)}
    return counts[n.key]


def _key(n, measure):
    entry = next(m for m in n.document["measures"] if m["measure"] == measure)
    path = n.data.project / "config" / "instruments" / f"{entry['instrument']}.yaml"
    key = yaml.safe_load(path.read_text(encoding="utf-8"))
    low, high = key["answers"]["lowest"], key["answers"]["highest"]
    return {"answers": (low, high), "reversed_items": key.get("reversed_items") or []}


def _numbers(words):
    """Return `1 to 12` or `4, 6, 8` as numbers."""
    if " to " in words:
        first, last = map(int, words.split(" to "))
        return list(range(first, last + 1))
    return [int(item) for item in words.split(", ")]


def _items(n):
    e = n.entry
    answers = n.data.answers(e["measure"], e.get("site", "all"), _key(n, e["measure"]))
    listed = next(
        s for s in n.document["scores"] if (s["measure"], s["score"]) == (e["measure"], e["score"])
    )
    own = answers[_numbers(listed["items"])].dropna(how="all")
    session = str(e.get("session", "all"))
    if session == "last":
        return own.groupby(level=CLIENT).tail(1)
    if session != "all":
        own = own[own.index.get_level_values("session") == int(session)]
    return own


def reliability(n):
    items = _items(n)
    covariances = items.cov().to_numpy()
    p = len(covariances)
    return {
        "forms": len(items),
        "clients": items.reset_index()[CLIENT].drop_duplicates().shape[0],
        "items": p,
        "alpha": p / (p - 1) * (1 - np.trace(covariances) / covariances.sum()),
    }[n.key]


def items(n):
    answers = _items(n)
    item = int(n.entry["item"])
    own = answers[item]
    covariances = answers.cov()
    rest = [other for other in answers if other != item]
    spread = covariances.loc[rest, rest].to_numpy().sum() * covariances.loc[item, item]
    return {
        "item": item,
        "answered": own.notna().sum(),
        "unanswered_percent": 100 * own.isna().mean(),
        "mean": own.mean(),
        "item_rest": covariances.loc[item, rest].sum() / np.sqrt(spread),
    }[n.key]


def _column(measure, score):
    if measure == "time":
        return "weeks_since_intake"
    return measure if score == "total" else f"{measure}_{score}"


def score_statistics(n):
    column = _column(n.entry["measure"], n.entry["score"])
    own = n.data.table("panel").dropna(subset=[column])
    groups = own.groupby(CLIENT)[column]
    within = own[column] - groups.transform("mean")
    return {
        "rows": len(own),
        "clients": groups.ngroups,
        "mean": own[column].mean(),
        "sd": own[column].std(),
        "sd_within": np.sqrt((within**2).sum() / (len(own) - groups.ngroups)),
        "sd_between": groups.mean().std(),
    }[n.key]


def correlation(n):
    e = n.entry
    x, y = (_column(e[f"measure_{i}"], e[f"score_{i}"]) for i in (1, 2))
    own = n.data.table("panel").dropna(subset=[x, y])
    groups = own.groupby(CLIENT)[[x, y]]
    within = e["level"] == "within"
    pairs = own[[x, y]] - groups.transform("mean") if within else groups.mean()
    r = pairs.corr().iloc[0, 1]
    df = len(own) - groups.ngroups - 1 if within else groups.ngroups - 2
    return (
        _of_correlation(n.key, r, df)
        if n.key not in ("rows", "clients")
        else (len(own) if n.key == "rows" else groups.ngroups)
    )


def _of_correlation(key, r, df):
    se = 1 / np.sqrt(df - 1)
    z, half = np.arctanh(r), stats.norm.ppf(0.975) * se
    return {
        "r": r,
        "df": df,
        "p": 2 * stats.norm.sf(abs(z) / se),
        "low": np.tanh(z - half),
        "high": np.tanh(z + half),
    }[key]


def dropout_by_session(n):
    panel, session = n.data.table("panel"), n.entry["session"]
    here = panel[panel["session"] == session]
    came, last = panel["session"] == session, panel.groupby(CLIENT)["session"].transform("max")
    known = panel[came & panel["dropout_event"].notna()]  # missing: still in treatment
    away = panel[(panel["session"] < session) & (last > session)].groupby(CLIENT)  # or came later
    at_risk = len({*known.groupby(CLIENT).groups} | {*away.groups})
    left = (here["dropout_event"] == 1).sum()
    low, high = proportion_confint(left, at_risk, method="wilson")
    others = here["last_session"] & here["end_status"].isin(["completed", "transferred"])
    return {
        "session": session,
        "at_risk": at_risk,
        "dropout_rate": left / at_risk,
        "dropout_low": low,
        "dropout_high": high,
        "other_rate": others.sum() / at_risk,
    }[n.key]


def dropout_definition(n):
    panel = n.data.table("panel")
    told = panel.groupby(CLIENT)[f"dropout_by_{n.entry['name']}"].last()
    left, known = (told == 1).sum(), told.notna().sum()
    low, high = proportion_confint(left, known, method="wilson")
    return {
        "dropouts": left,
        "others": known - left,
        "unknown": len(told) - known,
        "share": left / known,
        "share_low": low,
        "share_high": high,
    }[n.key]


def coverage(n):
    site = next(one for one in n.holder if "n_clients" in one)
    sessions = n.data.attended(site["site"])
    measure = next((one["measure"] for one in n.holder if "overall" in one), None)
    if n.index is not None:
        label = n.document["coverage"]["groups"][n.index]["label"]
        low, _, high = re.sub(r"[^0-9]+", " ", label).strip().partition(" ")
        sessions = sessions[sessions["session"].between(int(low), int(high or low))]
    if measure is None:
        return 100 * len(sessions) / site["n_clients"]
    forms = n.data.scores(measure, "total", site["site"])
    return 100 * len(forms.merge(sessions[FORM], on=FORM)) / len(sessions)


def rows_of_table(n):
    return len(n.data.table(n.entry["name"]))


def rows_of_fit(n):
    """Count the rows that are listed for the number, or the groups that they form."""
    used = n.rows[n.rows["role"] == "used"]
    if "level" not in n.entry or n.entry["level"] == "session":
        return len(used)
    if n.entry["level"] != "therapist":
        return used[n.entry["level"]].nunique()
    return used.merge(n.data.table("panel")[[*FORM, "therapist"]], on=FORM)["therapist"].nunique()
