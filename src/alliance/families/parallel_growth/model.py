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
from alliance.families.cohort import Cohort, require_scores
from alliance.families.common.levels import site_terms
from alliance.families.common.multilevel import (
    ENGINE,
    components_of,
    engine_result,
    records,
    singular_warning,
    statistics_of,
)
from alliance.families.common.several_measures import (
    MISSING_AT_RANDOM,
    ONE_AT_A_TIME,
    fixed_effects,
    outcome_of,
    rows_with_any,
)
from alliance.families.diagnostics import Correlations, diagnose
from alliance.families.facts import Assumption, Estimator, Fact, Warned
from alliance.families.fit import Asked, Estimate, Fit, Kept, data_of, estimate, refused
from alliance.mixed import MixedFit, fit_mixed

INTERVALS = {
    "delta": Fact(Estimator.CORRELATION_DELTA, "correlation, delta method on Fisher's z"),
    "profile": Fact(Estimator.CORRELATION_PROFILE, "correlation, profile likelihood"),
    "bootstrap": Fact(Estimator.CORRELATION_BOOTSTRAP, "correlation, parametric bootstrap"),
}
DRAWS = 500


def parallel_growth_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Fit:
    """Return the fit of two measures at once; never raises for what the data cannot give."""
    outcomes, times = list(entry["outcomes"]), list(entry["times"])
    labels = [cohort.label(outcome) for outcome in outcomes]
    asked = Asked(
        name,
        "parallel_growth",
        f"{labels[0]} and {labels[1]}: do they develop together?",
        f"Do clients whose “{labels[0]}” rises faster also change faster in "
        f"“{labels[1]}”, and do the two go together within a session?",
        outcome_of(cohort, outcomes),
    )
    assumptions = _assumptions(labels, times)
    try:
        for outcome in outcomes:
            require_scores(cohort, outcome)
        fit, kept, levels = _fit(cohort.panel, outcomes, times, entry.get("levels"))
        how = entry.get("intervals", "delta")
        table = records(fit.correlations(how, draws=DRAWS, seed=int(entry.get("seed", 1))))
    except FitError as error:
        return refused(asked, ENGINE, cohort, str(error), assumptions=assumptions)
    words = dict(zip(outcomes, labels, strict=True))
    estimates = [
        *(_correlation(row, words, INTERVALS[how]) for row in table),
        *fixed_effects(fit, words),
    ]
    mains = tuple(row.term for row in estimates if row.role == "main")
    return engine_result(
        asked,
        fit,
        data=data_of(cohort, kept, ["site", *(level for level in levels if level != "site")]),
        estimates=estimates,
        variance_components=components_of(fit.variance_components),
        fit_statistics=statistics_of(fit)
        | {f"scores of {label}": fit.rows.by_outcome[y].used for y, label in words.items()},
        diagnostics=diagnose(fit, cohort.panel[kept.used], estimates, Correlations(mains)),
        warnings=[
            *singular_warning(fit.convergence),
            ONE_AT_A_TIME,
            *(_about_boundary(row, words) for row in table if row["note"]),
        ],
        assumptions=assumptions,
    )


def _assumptions(labels: list[str], times: list[str]) -> list[Fact]:
    # ASSUME normal random effects and residuals; residuals of different sessions independent.
    courses = ", ".join(
        f"{label} in {time.replace('_', ' ')}" for label, time in zip(labels, times, strict=True)
    )
    return [
        Fact(Assumption.LINEAR_COURSE, f"Each mean course is linear in its time: {courses}."),
        Fact(
            Assumption.NORMAL_EFFECTS,
            "Random effects and residuals are normal; residuals of different sessions are "
            "independent.",
        ),
        MISSING_AT_RANDOM,
    ]


def _about_boundary(row: Mapping[str, Any], words: Mapping[str, str]) -> Fact:
    told = (
        f"{_effect(row['effect_1'], words)} and {_effect(row['effect_2'], words)} "
        f"({row['level']}): {row['note']}."
    )
    return Fact(Warned.CORRELATION_AT_BOUNDARY, told)


def _fit(
    panel: pd.DataFrame, outcomes: list[str], times: list[str], wanted: list[str] | None
) -> tuple[MixedFit, Kept, list[str]]:
    """Return the fit, the rows it used and its levels."""
    kept, levels, _ = rows_with_any(panel, dict(zip(outcomes, times, strict=True)), wanted)
    rows = panel[kept.used]
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


def _correlation(row: Mapping[str, Any], words: Mapping[str, str], how: Fact) -> Estimate:
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
        estimator=how,
        unit="",
        numbers=numbers,
    )
