"""Parallel process: two measures growing together, and how their courses go with one another.

    y_k,ti = b0_k + b1_k f_k(t) + sites + (v0_k) + u0_k,i + u1_k,i f_k(t) + e_k,ti,   k = 1, 2

with one covariance over all intercepts and slopes of a client, one over the intercepts of a
therapist, and one over the residuals of a session (MacCallum, Kim, Malarkey & Kiecolt-Glaser,
1997).
The question is in the correlations: do those who start higher in the one start lower in the other,
do the courses go together, and do the two move together within a session beyond their courses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from alliance.errors import FitError
from alliance.families.common.levels import levels_of, site_terms
from alliance.families.common.multilevel import (
    ENGINE,
    THERAPIST_NOT_KNOWN,
    fill_convergence,
    plain_name,
    statistics_of,
)
from alliance.families.diagnostics import Correlations, diagnose
from alliance.families.fit import (
    Cohort,
    Draft,
    estimate,
    left_out_by_reason,
    refuse,
    require_scores,
    rows_of,
)
from alliance.mixed import MixedFit, fit_mixed

INTERVALS = {
    "delta": "delta method on Fisher's z",
    "profile": "profile likelihood",
    "bootstrap": "parametric bootstrap",
}
DRAWS = 500


def parallel_growth_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fit of two measures at once; never raises for what the data cannot give."""
    outcomes, times = list(entry["outcomes"]), list(entry["times"])
    labels = [cohort.label(outcome) for outcome in outcomes]
    draft = Draft(
        model=name,
        family="parallel_growth",
        title=f"{labels[0]} and {labels[1]}: do they develop together?",
        question=f"Do clients whose “{labels[0]}” rises faster also change faster in "
        f"“{labels[1]}”, and do the two go together within a session?",
        outcome={
            "column": ", ".join(outcomes),
            "label": " and ".join(labels),
            "unit": "; ".join(cohort.unit(outcome) for outcome in outcomes),
        },
        engine=dict(ENGINE),
    )
    # ASSUME normal random effects and residuals; residuals of different sessions independent.
    draft.assumptions = [
        "Each mean course is linear in its time: "
        + ", ".join(
            f"{label} in {time.replace('_', ' ')}"
            for label, time in zip(labels, times, strict=True)
        )
        + ".",
        "Random effects and residuals are normal; residuals of different sessions are independent.",
        "Missing sessions and forms are missing at random given the scores that there are, of "
        "either measure.",
    ]
    try:
        for outcome in outcomes:
            require_scores(cohort, outcome)
        fit, kept, levels = _fit(cohort.panel, outcomes, times, entry.get("levels"))
        how = entry.get("intervals", "delta")
        table = fit.correlations(how, draws=DRAWS, seed=int(entry.get("seed", 1)))
    except FitError as error:
        return refuse(draft, cohort, str(error))
    draft.equation = fit.equation
    inner = [level for level in levels if level != "site"]
    draft.data = rows_of(cohort, kept["used"], kept["left_out"], ["site", *inner])
    fill_convergence(draft, fit)
    draft.warnings.append("No second engine: statsmodels fits one outcome at a time.")
    words = dict(zip(outcomes, labels, strict=True))
    draft.estimates = [
        *(_correlation(row, words, how) for row in table.to_dict("records")),
        *(_fixed(row, words) for row in fit.coefficients.to_dict("records")),
    ]
    draft.warnings += [
        f"{_effect(row['effect_1'], words)} and {_effect(row['effect_2'], words)} "
        f"({row['level']}): {row['note']}."
        for row in table.to_dict("records")
        if row["note"]
    ]
    draft.variance_components = _components(fit.variance_components)
    draft.fit_statistics = statistics_of(fit) | {
        f"scores of {label}": fit.rows.by_outcome[outcome].used for outcome, label in words.items()
    }
    mains = tuple(row["term"] for row in draft.estimates if row["role"] == "main")
    rows = cohort.panel[kept["used"]]
    draft.diagnostics = diagnose(fit, rows, draft.estimates, Correlations(mains))
    return draft.finish()


def _fit(
    panel: pd.DataFrame, outcomes: list[str], times: list[str], wanted: list[str] | None
) -> tuple[MixedFit, dict[str, Any], list[str]]:
    """Return the fit, the rows it used and its levels."""
    there = pd.concat(
        [panel[y].notna() & panel[t].notna() for y, t in zip(outcomes, times, strict=True)], axis=1
    ).any(axis=1)
    reasons = {"no score of either measure, or its time is not known": ~there}
    levels, _ = levels_of(panel[there], wanted)
    if "client" not in levels:
        msg = "The model has no client level: its `levels` need `client`."
        raise FitError(msg)
    if "therapist" in levels:
        reasons[THERAPIST_NOT_KNOWN] = panel["therapist"].isna()
    kept = left_out_by_reason(panel, reasons)
    rows = panel[kept["used"]]
    both = rows[outcomes].notna().all(axis=1)
    if not both.any():
        msg = "The two measures are never filled in at the same session."
        raise FitError(msg)
    sites = site_terms(rows, levels)
    fixed = {y: ["1", t, *sites] for y, t in zip(outcomes, times, strict=True)}
    random: dict[str, Any] = {level: ["1"] for level in levels}
    random["client"] = {y: ["1", t] for y, t in zip(outcomes, times, strict=True)}
    fit = fit_mixed(rows, outcomes, fixed, random)
    if fit.rows.used != len(rows):
        msg = "the engine left out rows that the model layer had kept"
        raise AssertionError(msg)
    return fit, kept, levels


def _effect(name: str, words: Mapping[str, str]) -> str:
    """Return `Alliance, intercept` for `alliance: 1`, `Alliance, change` for its slope."""
    outcome, _, term = name.partition(": ")
    if not term:
        return words[outcome]
    return f"{words[outcome]}, {'intercept' if term == '1' else 'change'}"


def _correlation(row: Mapping[Any, Any], words: Mapping[str, str], how: str) -> dict[str, Any]:
    across = row["effect_1"].split(":")[0] != row["effect_2"].split(":")[0]
    level = "session" if row["level"] == "residual" else row["level"]
    numbers = {
        "estimate": row["correlation"],
        "se": row["se"],
        "df": None,
        "statistic": None,
        "p": None,
        "ci_low": row["ci_low"],
        "ci_high": row["ci_high"],
    }
    return estimate(
        f"{row['level']}: {row['effect_1']} ~ {row['effect_2']}",
        label=f"{_effect(row['effect_1'], words)} ↔ {_effect(row['effect_2'], words)}",
        role="main" if across else "adjustment",
        level=f"correlation, {level}",
        estimator=f"correlation, {INTERVALS[how]}",
        unit="",
        numbers=numbers,
    )


def _components(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return variances and covariances; those of the residuals have the level `session`."""
    return [
        {
            "level": "session" if row["level"] == "residual" else row["level"],
            "name_1": row["name_1"],
            "name_2": row["name_1"] if pd.isna(row["name_2"]) else row["name_2"],
            "variance_or_covariance": row["variance_or_covariance"],
            "sd_or_correlation": row["sd_or_correlation"],
            "share": None,
        }
        for row in table.to_dict("records")
    ]


def _fixed(row: Mapping[Any, Any], words: Mapping[str, str]) -> dict[str, Any]:
    outcome, _, term = row["term"].partition(": ")
    name = "intercept" if term == "1" else plain_name(term)
    return estimate(
        row["term"],
        label=f"{words[outcome]}: {name}",
        role="adjustment",
        level="intercept" if term == "1" else "covariate",
        estimator="mixed model, REML",
        unit="points",
        numbers=row,
    )
