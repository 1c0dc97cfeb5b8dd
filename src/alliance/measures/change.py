"""Reliable and clinically significant change in a cohort: from first to last score of a client.

Every published index is given, not only the one that the cohort's plan names: how far they disagree
is part of the result. Needs a reliability and, for cut-offs b and c, norms of a functional
population; without them the JSON says in words what is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.measures.groups import group_shares
from alliance.measures.reliable_change import (
    CLASSES,
    INDICES,
    TWO_SIDED,
    Better,
    Sample,
    anchored,
    classify,
    crossed,
    crossed_back,
    crossed_in_true_scores,
    cutoffs,
    reliable_points,
)
from alliance.mixed import fit_mixed

CLIENT = ["site", "client"]
FEWEST_CLIENTS = 8
"""Under so many clients nothing is classified: spreads are guesses, counts are persons."""
SLOPE = "hierarchical-linear-model"
SLOPE_LABEL = "Hierarchical linear model, slopes"
SLOPE_SESSIONS = 3  # sessions with a score that somebody must have for slopes to be told from error


def endpoints(panel: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return first and last score of every client with two scored sessions or more.

    Columns site, client, therapist, first, last, n (scored sessions).
    """
    scored = panel.dropna(subset=[measure])
    grouped = scored.groupby(CLIENT, sort=True)[measure]
    table = grouped.agg(first="first", last="last", n="count").reset_index()
    people = panel.drop_duplicates(CLIENT)[[*CLIENT, "therapist"]]
    table = table.merge(people, on=CLIENT, how="left", validate="one_to_one")
    return table[table["n"] >= 2].reset_index(drop=True)


def describe_measure(
    panel: pd.DataFrame, measure: str, entry: Mapping[str, Any], better: Better
) -> dict[str, Any]:
    """Return what change.json says of one measure.

    Parameters
    ----------
    panel
        The analysis table.
    measure, entry
        Name and the config's entry under `change`.
    better
        The better end of the scale.
    """
    table = endpoints(panel, measure)
    scored = panel[panel[measure].notna()]
    everyone = len(panel.drop_duplicates(CLIENT))
    with_score = len(scored.drop_duplicates(CLIENT))
    described: dict[str, Any] = {
        "clients": everyone,
        "clients_used": len(table),
        "left_out": [
            {"reason": reason, "clients": int(count)}
            for reason, count in (
                ("no score", everyone - with_score),
                ("one score only", with_score - len(table)),
            )
            if count
        ],
        "first": None,
        "last": None,
        "sd_of_first_scores": None,
        "reliability": entry.get("reliability"),
        "functional": entry.get("functional"),
        "cutoff": None,
        "reliable_points": None,
        "improved": None,
        "methods": [],
        "anchor": None,
        "by_site": None,
        "by_therapist": None,
        "plane": None,
        "message": "",
    }
    described["message"] = _why_not(table, entry)
    if described["message"]:
        return described
    sample = _sample(table, scored, measure, entry)
    described["first"] = _mean_sd(sample.first)
    described["last"] = _mean_sd(sample.last)
    described["sd_of_first_scores"] = sample.sd_first
    described["reliable_points"] = reliable_points(sample.sd_first, sample.reliability)
    described["cutoff"] = _cutoff(sample, entry, better)
    methods, classes = _methods(sample, entry, better, described["cutoff"])
    methods.append(_by_slopes(scored, table, measure, better, sample, described["cutoff"]))
    described["methods"] = methods
    described["anchor"] = _anchor(sample, entry, better)
    described["improved"] = int(_improved(classes["jacobson-truax"]).sum())
    chosen = classes.get(entry["method"])
    if chosen is not None:
        improved = _improved(chosen)
        described["by_site"], described["by_therapist"] = group_shares(table, improved)
    described["plane"] = plane(sample.first, sample.last)
    return described


def _improved(classes: np.ndarray) -> np.ndarray:
    return np.isin(classes, ["recovered", "improved"])


def first_scores_of(scored: pd.DataFrame, measure: str) -> pd.Series:
    """Return the first score of every client with one, of rows in the order of sessions."""
    return scored.groupby(CLIENT, sort=True)[measure].first()


def classes_by_client(
    panel: pd.DataFrame, measure: str, entry: Mapping[str, Any], better: Better
) -> pd.DataFrame | None:
    """Return site, client, therapist, first, last, class by the chosen method; None if undone.

    Rows of persons: for `private/` only.
    """
    table = endpoints(panel, measure)
    if _why_not(table, entry):
        return None
    sample = _sample(table, panel[panel[measure].notna()], measure, entry)
    _, classes = _methods(sample, entry, better, _cutoff(sample, entry, better))
    return table.assign(**{"class": classes[entry["method"]]}).drop(columns="n")


def _why_not(table: pd.DataFrame, entry: Mapping[str, Any]) -> str:
    """Return why change cannot be classified, or an empty text."""
    if len(table) < FEWEST_CLIENTS:
        return (
            f"Fewer than {FEWEST_CLIENTS} clients have a first and a last score: change of single "
            "clients cannot be judged against the others' spread."
        )
    if entry.get("reliability") is None:
        return (
            "The config gives no reliability for this measure: whether a change is more than error "
            "of measurement cannot be said."
        )
    if np.ptp(table["first"].to_numpy(float)) == 0:
        return "All first scores are the same: without spread there is no error of measurement."
    return ""


def _sample(
    table: pd.DataFrame, scored: pd.DataFrame, measure: str, entry: Mapping[str, Any]
) -> Sample:
    reliability = float(entry["reliability"])
    # ASSUME the population before treatment is all clients at their first score, those too who came
    # once only: thresholds of those who stayed would depend on who left.
    return Sample(
        table["first"].to_numpy(float),
        table["last"].to_numpy(float),
        reliability,
        float(entry.get("reliability_last") or reliability),
        first_scores_of(scored, measure).to_numpy(float),
    )


def _mean_sd(values: np.ndarray) -> dict[str, float]:
    return {"mean": float(values.mean()), "sd": float(np.std(values, ddof=1))}


def _cutoff(sample: Sample, entry: Mapping[str, Any], better: Better) -> dict[str, Any]:
    functional = entry.get("functional")
    norms = None if functional is None else (functional["mean"], functional["sd"])
    found = cutoffs(sample.mean_first, sample.sd_first, better, norms)
    kind = entry["cutoff"]
    note = ""
    if found[kind] is None:
        note = (
            f"Cut-off {kind} needs norms of a functional population, which the config does not "
            "give; cut-off a is used."
        )
        kind = "a"
    return {"kind": kind, "value": found[kind], **found, "note": note}


def _methods(
    sample: Sample, entry: Mapping[str, Any], better: Better, cutoff: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Return what each index finds, and the classes by index."""
    functional = entry.get("functional")
    norms = None if functional is None else (functional["mean"], functional["sd"])
    recovered = crossed(sample.first, sample.last, cutoff["value"], better)
    harmed = crossed_back(sample.first, sample.last, cutoff["value"], better)
    methods, classes = [], {}
    for name, (label, index, critical) in INDICES.items():
        up, down, value, message = recovered, harmed, cutoff["value"], ""
        try:
            values = index(sample)
            if name == "hageman-arrindell":
                value, up, down = crossed_in_true_scores(sample, better, norms, cutoff["kind"])
        except ValueError as error:
            values, message = None, str(error)
        if values is not None:
            classes[name] = classify(values, critical, better, up, down)
        methods.append(
            _method(name, label, critical, value, classes.get(name), message)
            | {"chosen": name == entry["method"]}
        )
    return methods, classes


def _method(
    name: str,
    label: str,
    critical: float,
    cutoff: float | None,
    classes: np.ndarray | None,
    message: str,
) -> dict[str, Any]:
    counts = Counter() if classes is None else Counter(classes.tolist())
    n = 0 if classes is None else len(classes)
    return {
        "method": name,
        "label": label,
        "critical": critical,
        "cutoff": cutoff if classes is not None else None,
        "clients": n,
        "message": message,
        "chosen": False,
        "classes": [
            {
                "class": name,
                "clients": counts.get(name, 0) if n else None,
                "percent": 100 * counts.get(name, 0) / n if n else None,
            }
            for name in CLASSES
        ],
    }


def slope_index(panel: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return each client's slope as deviation from the mean slope over its conditional SD.

    The model is score ~ session + (session | client) by REML; columns site, client, index. Note
    that it compares with the cohort's mean slope: a client who improves like all others is
    unchanged by this index, as by that of Hsu, Linn and Lord.

    Raises
    ------
    FitError
        The model cannot be fitted to these scores.
    """
    rows = panel[[*CLIENT, "session", measure]].dropna()
    rows = rows.assign(person=rows.groupby(CLIENT, sort=True).ngroup())
    if rows.groupby("person").size().max() < SLOPE_SESSIONS:
        msg = (
            f"Nobody has {SLOPE_SESSIONS} scored sessions: slopes cannot be told from error of "
            "measurement."
        )
        raise FitError(msg)
    fit = fit_mixed(
        rows[["person", "session", measure]],
        outcome=measure,
        fixed=["1", "session"],
        random={"person": ["1", "session"]},
        method="REML",
    )
    if not fit.convergence.converged:
        msg = "The model of slopes did not converge."
        raise FitError(msg)
    effects = fit.random_effects("person")
    spread = effects["sd(session)"].to_numpy(float)
    if not (spread > 0).all():
        msg = (
            "No difference between clients' slopes could be told from chance: nothing to classify."
        )
        raise FitError(msg)
    index = pd.DataFrame(
        {"person": effects["person"], "index": effects["session"].to_numpy(float) / spread}
    )
    people = rows.drop_duplicates("person")[[*CLIENT, "person"]]
    return people.merge(index, on="person", validate="one_to_one").drop(columns="person")


def _by_slopes(
    scored: pd.DataFrame,
    table: pd.DataFrame,
    measure: str,
    better: Better,
    sample: Sample,
    cutoff: Mapping[str, Any],
) -> dict[str, Any]:
    classes, message = None, ""
    try:
        found = slope_index(scored, measure)
    except FitError as error:
        message = str(error)
    else:
        values = table[CLIENT].merge(found, on=CLIENT, how="left")["index"].to_numpy(float)
        classes = classify(
            values,
            TWO_SIDED,
            better,
            crossed(sample.first, sample.last, cutoff["value"], better),
            crossed_back(sample.first, sample.last, cutoff["value"], better),
        )
    return _method(SLOPE, SLOPE_LABEL, TWO_SIDED, cutoff["value"], classes, message)


def _anchor(sample: Sample, entry: Mapping[str, Any], better: Better) -> dict[str, Any] | None:
    if entry.get("anchor") is None:
        return None
    counts = Counter(anchored(sample.first, sample.last, entry["anchor"], better).tolist())
    n = len(sample.first)
    return {
        "points": float(entry["anchor"]),
        "clients": n,
        "classes": [
            {
                "class": name,
                "clients": counts.get(name, 0),
                "percent": 100 * counts.get(name, 0) / n,
            }
            for name in ("improved", "unchanged", "deteriorated")
        ],
    }


FEWEST_IN_A_CELL = 8
ROUNDED_TO = 5
FINEST, COARSEST = 16, 3
ENOUGH_SHOWN = 0.6


def plane(first: np.ndarray, last: np.ndarray) -> dict[str, Any]:
    """Return counts of first by last score in squares, as fine as small cells allow.

    The finest grid on which at least 60 % of the clients lie in squares of eight or more; counts
    are rounded to 5, squares with fewer than eight are left out. No score can be read back.
    """
    low = float(min(first.min(), last.min()))
    high = float(max(first.max(), last.max()))
    for bins in range(FINEST, COARSEST - 1, -1):
        width = max(1.0, np.ceil((high - low + 1e-9) / bins))
        edges = low + width * np.arange(bins + 1)
        edges = edges[: int(np.searchsorted(edges, high, side="right")) + 1]
        counts, _, _ = np.histogram2d(first, last, bins=[edges, edges])
        shown = counts >= FEWEST_IN_A_CELL
        if counts[shown].sum() >= ENOUGH_SHOWN * len(first):
            break
    cells = [
        {
            "first_low": float(edges[i]),
            "last_low": float(edges[j]),
            "clients": int(ROUNDED_TO * round(counts[i, j] / ROUNDED_TO)),
        }
        for i, j in np.argwhere(shown)
    ]
    return {"low": low, "high": float(edges[-1]), "width": float(width), "cells": cells,
            "percent_shown": float(5 * round(20 * counts[shown].sum() / len(first)))}  # fmt: skip
