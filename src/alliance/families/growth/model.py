"""Growth: how a measure develops over treatment.

    y_tij = b0 + b1 f(t) + sites + (v0j) + (u0i + u1i f(t)) + e_tij

session t of client i of therapist j; f(t) is the panel column that the config names
(`weeks_since_intake`, or `log_weeks` = log(1 + weeks)). Raudenbush & Bryk (2002), three-level
growth model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alliance.errors import FitError
from alliance.families.common.curves import mean_curves
from alliance.families.common.multilevel import (
    ENGINE,
    Term,
    columns_in,
    fit_multilevel,
)
from alliance.families.common.products import group_compared, reference_group
from alliance.families.diagnostics import diagnose
from alliance.families.fit import Cohort, Draft, refuse, require_scores

COURSE_DIFFERENCE = "difference in course"  # level of a product with time
TIME_WORDS = {
    "weeks_since_intake": "per week",
    "log_weeks": "per unit of log(1 + weeks)",
    "session": "per session",
}


def growth_fit(
    cohort: Cohort, name: str, entry: Mapping[str, Any], diagnosed: bool = True
) -> dict[str, Any]:
    """Return the fit of one growth model; never raises for what the data cannot give."""
    outcome, time = entry["outcome"], entry["time"]
    label, unit = cohort.label(outcome), cohort.unit(outcome)
    words = TIME_WORDS.get(time, f"per unit of {time}")
    draft = Draft(
        model=name,
        family="growth",
        title=f"{label}: course over treatment",
        question=f"How does “{label}” develop from session to session, and how much do clients "
        "and therapists differ in that?",
        outcome={"column": outcome, "label": label, "unit": unit},
        engine=dict(ENGINE),
    )
    try:
        require_scores(cohort, outcome)
        random_slopes = entry.get("random_slopes", ["client"])
        fitted = fit_multilevel(
            draft,
            cohort,
            outcome=outcome,
            fixed=["1", time, *entry.get("fixed", [])],
            slopes={level: [time] for level in random_slopes},
            wanted_levels=entry.get("levels"),
            needed={outcome: f"no score of {label}", time: f"{time.replace('_', ' ')} not known"},
            terms={time: Term(f"Change {words}", "time", f"points {words}", role="main")},
        )
    except FitError as error:
        return refuse(draft, cohort, str(error))
    # ASSUME normal random effects and residuals, independent given the random effects.
    draft.assumptions = [
        f"The mean course is linear in {time.replace('_', ' ')}.",
        f"{_random_in_words(fitted.random)} and residuals are normal; residuals of one client are "
        "independent given these.",
        "Missing sessions and forms are missing at random given the scores that there are.",
    ]
    _say_whose_course(draft, fitted.fit, time, words)
    if diagnosed:
        draft.diagnostics = diagnose(fitted.fit, fitted.rows, draft.estimates)
    draft.curves = mean_curves(
        fitted.fit, fitted.rows, outcome=draft.outcome, time=time, covariates=_named(entry)
    )
    return draft.finish()


def _say_whose_course(draft: Draft, fit: Any, time: str, words: str) -> None:
    """Say of products with time which groups they compare, of time whose course it then is."""
    for row in draft.estimates:
        factors = row["term"].split(":")
        if row["term"] == time:
            row["group"] = reference_group(fit, time)
            row["label"] += f" ({row['group']})" if row["group"] else ""
        elif time in factors:
            row["group"] = group_compared(fit, row["term"], beside=time)
            row["label"] = f"Difference in change {words}: {row['group']}"
            row["level"], row["role"], row["unit"] = COURSE_DIFFERENCE, "main", f"points {words}"


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
