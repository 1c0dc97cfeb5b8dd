"""Growth: how a measure develops over treatment.

    y_tij = b0 + b1 f(t) + sites + (v0j) + (u0i + u1i f(t)) + e_tij

session t of client i of therapist j; f(t) is the panel column that the config names
(`weeks_since_intake`, or `log_weeks` = log(1 + weeks)). Raudenbush & Bryk (2002), three-level
growth model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from alliance.errors import FitError
from alliance.families.cohort import Cohort, require_scores
from alliance.families.common.curves import mean_curves
from alliance.families.common.multilevel import (
    ENGINE,
    Term,
    columns_in,
    fit_multilevel,
    time_not_known,
)
from alliance.families.common.products import group_compared, reference_group
from alliance.families.diagnostics import diagnose
from alliance.families.facts import Assumption, Fact, Reason
from alliance.families.fit import Asked, Estimate, Fit, Outcome, refused

COURSE_DIFFERENCE = "difference in course"  # level of a product with time
TIME_WORDS = {
    "weeks_since_intake": "per week",
    "log_weeks": "per unit of log(1 + weeks)",
    "session": "per session",
}
MISSING_AT_RANDOM = Fact(
    Assumption.MISSING_AT_RANDOM,
    "Missing sessions and forms are missing at random given the scores that there are.",
)


def growth_fit(cohort: Cohort, name: str, entry: Mapping[str, Any], diagnosed: bool = True) -> Fit:
    """Return the fit of one growth model; never raises for what the data cannot give."""
    outcome, time = entry["outcome"], entry["time"]
    label, unit = cohort.label(outcome), cohort.unit(outcome)
    words = TIME_WORDS.get(time, f"per unit of {time}")
    asked = Asked(
        name,
        "growth",
        f"{label}: course over treatment",
        f"How does “{label}” develop from session to session, and how much do clients "
        "and therapists differ in that?",
        Outcome(outcome, label, unit),
    )
    try:
        require_scores(cohort, outcome)
        random_slopes = entry.get("random_slopes", ["client"])
        fitted = fit_multilevel(
            cohort,
            outcome=outcome,
            unit=unit,
            fixed=["1", time, *entry.get("fixed", [])],
            slopes={level: [time] for level in random_slopes},
            wanted_levels=entry.get("levels"),
            needed={
                outcome: Fact(Reason.NO_SCORE, f"no score of {label}"),
                time: time_not_known(time),
            },
            terms={time: Term(f"Change {words}", "time", f"points {words}", role="main")},
        )
    except FitError as error:
        return refused(asked, ENGINE, cohort, str(error))
    estimates = [_whose_course(row, fitted.fit, time, words) for row in fitted.estimates]
    return fitted.result(
        asked,
        estimates=estimates,
        diagnostics=diagnose(fitted.fit, fitted.rows, estimates) if diagnosed else None,
        curves=mean_curves(
            fitted.fit, fitted.rows, outcome=asked.outcome, time=time, covariates=_named(entry)
        ),
        assumptions=_assumptions(time, fitted.random),
    )


def _assumptions(time: str, random: Mapping[str, list[str]]) -> list[Fact]:
    # ASSUME normal random effects and residuals, independent given the random effects.
    return [
        Fact(Assumption.LINEAR_COURSE, f"The mean course is linear in {time.replace('_', ' ')}."),
        Fact(
            Assumption.NORMAL_EFFECTS,
            f"{_random_in_words(random)} and residuals are normal; residuals of one client are "
            "independent given these.",
        ),
        MISSING_AT_RANDOM,
    ]


def _whose_course(row: Estimate, fit: Any, time: str, words: str) -> Estimate:
    """Say of products with time which groups they compare, of time whose course it then is."""
    if row.term == time:
        group = reference_group(fit, time)
        return replace(row, group=group, label=row.label + (f" ({group})" if group else ""))
    if time not in row.term.split(":"):
        return row
    group = group_compared(fit, row.term, beside=time)
    label = f"Difference in change {words}: {group}"
    return replace(
        row, group=group, label=label, level=COURSE_DIFFERENCE, role="main", unit=f"points {words}"
    )


def _random_in_words(random: Mapping[str, list[str]]) -> str:
    """Return e.g. `Intercepts of therapists, intercepts and slopes of clients`."""
    parts = [
        f"{'intercepts and slopes' if len(terms) > 1 else 'intercepts'} of {level}s"
        for level, terms in random.items()
    ]
    return ", ".join(parts).capitalize()


def _named(entry: Mapping[str, Any]) -> list[str]:
    """Return the panel columns that the entry's extra terms name."""
    return [name for term in entry.get("fixed", []) for name in columns_in(term)]
