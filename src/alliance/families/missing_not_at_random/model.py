"""Missing not at random: a growth model under other assumptions about the scores after leaving.

A growth model takes what is missing to be missing at random given the scores that there are. No
data can tell whether it is. So the same effect, the mean change or the difference in change between
groups, stands here under other assumptions (docs/missing.md): a course for each time of leaving
(`patterns`), scores after leaving imputed as if leavers did worse session by session, or went on
like the reference group, or did not change (`scenarios`, `imputation`, `completed`), and scores
weighted for those like them who left (`weights`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.cohort import Cohort
from alliance.families.common.multilevel import ENGINE, MISSING_AT_RANDOM, Fitted
from alliance.families.diagnostics import none_of
from alliance.families.facts import Assumption, Estimator, Fact, Warned
from alliance.families.fit import Asked, Curve, Estimate, Fit, Outcome, refused
from alliance.families.growth.model import growth_model
from alliance.families.missing_not_at_random.completed import Completed, completed
from alliance.families.missing_not_at_random.courses import (
    AFTER,
    SKIPPED,
    Courses,
    completed_courses,
    groups_of,
    main_terms,
)
from alliance.families.missing_not_at_random.curves import curves_of, tipping_points
from alliance.families.missing_not_at_random.imputation import Imputer, drawn_parameters
from alliance.families.missing_not_at_random.patterns import Patterns, pattern_mixture
from alliance.families.missing_not_at_random.scenarios import default_deltas, scenarios
from alliance.families.missing_not_at_random.weights import Weighted, weighted_course

NAMES = {
    Estimator.MULTIPLE_IMPUTATION: "multiple imputation, missing at random",
    Estimator.PATTERN_MIXTURE: "pattern mixture by time of leaving",
    Estimator.JUMP_TO_REFERENCE: "leavers jump to the reference group",
    Estimator.COPY_INCREMENTS: "leavers change as the reference group does",
    Estimator.LAST_MEAN: "leavers change no more on average",
    Estimator.BASELINE_MEAN: "leavers fall back to where they began",
    Estimator.WEIGHTED_FOR_STAYING: "weighted for staying, least squares",
}
ASSUMES = {
    Estimator.MULTIPLE_IMPUTATION: MISSING_AT_RANDOM,
    Estimator.PATTERN_MIXTURE: Fact(
        Assumption.PATTERNS_GO_ON,
        "After leaving, the mean line of all who left at about that time goes on as it was.",
    ),
    Estimator.JUMP_TO_REFERENCE: Fact(
        Assumption.MEAN_AFTER_LEAVING,
        "From leaving on, the mean is that of the reference group at that time.",
    ),
    Estimator.COPY_INCREMENTS: Fact(
        Assumption.MEAN_AFTER_LEAVING,
        "From leaving on, the mean changes as that of the reference group does.",
    ),
    Estimator.LAST_MEAN: Fact(
        Assumption.MEAN_AFTER_LEAVING, "From leaving on, the mean stays where it was at leaving."
    ),
    Estimator.BASELINE_MEAN: Fact(
        Assumption.MEAN_AFTER_LEAVING,
        "From leaving on, the mean is that of the first session.",
    ),
    Estimator.WEIGHTED_FOR_STAYING: Fact(
        Assumption.LEAVING_BY_LAST_SCORE,
        "Given the last known score, the session and what the course is adjusted for, leaving has "
        "nothing to do with the scores to come.",
    ),
}
# ASSUME agreed ends, transfer and treatment still running leave scores missing at random.
OTHER_ENDS = Fact(
    Assumption.OTHER_ENDS_AT_RANDOM,
    "Agreed completion, transfer and treatment still running tell nothing of the course beyond the "
    "scores; forms left out before the end are missing at random.",
)
NO_DIAGNOSTICS = "The diagnostics of the growth model stand with that model; the others have none."


@dataclass(frozen=True, slots=True)
class Others:
    """What the other assumptions give; None where the data cannot carry it, and `why`."""

    patterns: Patterns | None
    weighted: Weighted | None
    why: list[Fact]


def missing_not_at_random_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Fit:
    """Return a growth model under other assumptions; never raises for what data cannot give."""
    base = entry["entry"]
    outcome, time = base["outcome"], base["time"]
    asked = _asked(cohort, name, entry)
    try:
        fitted, _, _ = growth_model(cohort, base, compared=False)
        column, groups = groups_of(fitted, time)
        courses = completed_courses(cohort.panel, fitted, outcome, time, entry.get("sessions"))
        terms = main_terms(fitted, groups)
        found = _imputed(fitted, courses, outcome, column, groups, terms, entry)
    except FitError as error:
        return refused(asked, ENGINE, cohort, str(error), assumptions=[OTHER_ENDS])
    others = _others(cohort.panel, fitted, outcome, time, column, groups, terms)
    main = [row for row in fitted.estimates if row.term in terms]
    estimates = _estimates(main, found, others)
    curves = curves_of(main, found.found, others.patterns)
    return fitted.result(
        asked,
        estimates=estimates,
        diagnostics=none_of(NO_DIAGNOSTICS),
        fit_statistics=_statistics(courses, found, others, entry)
        | tipping_points(curves)
        | _kept(estimates),
        curves=[*curves, *_seen_and_imputed(courses, found, outcome)],
        warnings=[*fitted.warnings, *others.why],
        assumptions=[MISSING_AT_RANDOM, OTHER_ENDS],
    )


def _asked(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Asked:
    outcome = entry["entry"]["outcome"]
    label = cohort.label(outcome)
    return Asked(
        name,
        "missing_not_at_random",
        f"{label}: if scores after leaving are not missing at random",
        f"How much does the course of “{label}” rest on what is assumed of the scores that nobody "
        "gave after leaving?",
        Outcome(outcome, label, cohort.unit(outcome)),
        about=entry["model"],
    )


def _imputed(
    fitted: Fitted, courses: Courses, outcome: str, column: str, groups: Sequence[str],
    terms: Sequence[str], entry: Mapping[str, Any],
) -> Completed:  # fmt: skip
    imputer = Imputer(fitted.fit, courses.rows, outcome)
    deltas = entry.get("deltas") or default_deltas(float(fitted.fit.residual.sigma))
    draws = drawn_parameters(fitted.fit, entry["imputations"], entry["seed"])
    assumed = scenarios(courses, fitted.fit, imputer.x, column, groups, deltas)
    return completed(
        fitted, courses, outcome, terms, imputer, draws, assumed, entry["seed"]
    )  # fmt: skip


def _others(
    panel: pd.DataFrame, fitted: Fitted, outcome: str, time: str, column: str,
    groups: Sequence[str], terms: Sequence[str],
) -> Others:  # fmt: skip
    """Return pattern mixture and weights; one that the data cannot carry is a warning."""
    patterns, weighted, why = None, None, []
    try:
        patterns = pattern_mixture(panel, fitted, outcome, time, column, groups)
    except FitError as error:
        why.append(_not_computed(Estimator.PATTERN_MIXTURE, error))
    try:
        weighted = weighted_course(panel, fitted, outcome, time, terms)
    except FitError as error:
        why.append(_not_computed(Estimator.WEIGHTED_FOR_STAYING, error))
    return Others(patterns, weighted, why)


def _not_computed(code: Estimator, error: FitError) -> Fact:
    words = f"{NAMES[code].capitalize()}: not computed, {error}"
    return Fact(Warned.ESTIMATOR_NOT_COMPUTED, words)


def _estimates(main: Sequence[Estimate], found: Completed, others: Others) -> list[Estimate]:
    """Return each main effect as the growth model has it, then under every assumption in full."""
    rows = []
    for k, effect in enumerate(main):
        rows.append(effect)
        in_full = {
            code: pools[k].numbers()
            for (code, far), pools in found.found.items()
            if code in NAMES and far in (0.0, 1.0)
        }
        if others.patterns is not None:
            in_full[Estimator.PATTERN_MIXTURE] = others.patterns.found[1.0][k].numbers()
        if others.weighted is not None:
            in_full[Estimator.WEIGHTED_FOR_STAYING] = others.weighted.effects[k]
        rows += [
            replace(
                effect, role="adjustment", estimator=Fact(code, NAMES[code]),
                assumes=ASSUMES[code], standardised=None, **in_full[code],
            )
            for code in NAMES
            if code in in_full
        ]  # fmt: skip
    return rows


def _kept(estimates: Sequence[Estimate]) -> dict[str, float | None]:
    """Return under how many assumptions each main effect keeps its sign, and its interval."""
    found: dict[str, float | None] = {}
    for effect in (row for row in estimates if row.role == "main"):
        same = [row for row in estimates if row.term == effect.term and row is not effect]
        sign = np.sign(effect.estimate or 0.0)
        ends = [(row.ci_low if sign > 0 else row.ci_high) or 0.0 for row in same]
        found |= {
            f"assumptions: {effect.label}": len(same),
            f"keep the sign: {effect.label}": sum(sign * (r.estimate or 0.0) > 0 for r in same),
            f"keep the interval: {effect.label}": sum(sign * end > 0 for end in ends),
        }
    return found


def _statistics(
    courses: Courses, found: Completed, others: Others, entry: Mapping[str, Any]
) -> dict[str, float | None]:
    kind, rows = courses.rows["kind"], courses.rows
    at_random = found.found[Estimator.MULTIPLE_IMPUTATION, 0.0]
    numbers: dict[str, float | None] = {
        "imputations": entry["imputations"],
        "last_session_imputed": courses.sessions,
        "clients_who_left_before": rows.loc[kind == AFTER, "client"].nunique(),
        "scores_skipped": int((kind == SKIPPED).sum()),
        "scores_after_leaving": int((kind == AFTER).sum()),
        "largest_missing_information": max(one.missing_information for one in at_random),
        "largest_monte_carlo_error": max(one.monte_carlo_error for one in at_random),
    }
    if others.weighted is not None:
        raw = others.weighted.weights
        numbers |= {
            "weights_mean": float(raw.mean()),
            "weights_sd": float(raw.std(ddof=1)),
            "weights_smallest": float(raw.min()),
            "weights_largest": float(raw.max()),
        }
    if others.patterns is not None:
        numbers |= {"patterns_of_leaving": len(others.patterns.names)}
    return numbers


def _seen_and_imputed(courses: Courses, found: Completed, outcome: str) -> list[Curve]:
    """Return medians and quartiles of the scores seen and of those imputed, by session."""
    rows, after = courses.rows, courses.after
    values = {
        "seen": rows.loc[~courses.missing, ["session", outcome]].set_axis(["session", "y"], axis=1),
        "imputed at random": pd.DataFrame(
            {
                "session": np.tile(rows["session"].to_numpy()[after], len(found.imputed)),
                "y": found.imputed[:, after].ravel(),
            }
        ),
    }
    curves = []
    for group, table in values.items():
        table = table[table["session"] <= courses.sessions]
        by_session = table.groupby("session")["y"]
        low, median, high = (by_session.quantile(share) for share in (0.25, 0.5, 0.75))
        curves.append(
            Curve("seen_and_imputed", group, "Session", "Median score (half of all scores)",
                  median.index.to_numpy(float), median, low, high)
        )  # fmt: skip
    return curves
