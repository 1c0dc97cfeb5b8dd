"""The growth ladder: which shape a measure's course has, every step shown, the rule fixed before.

The steps (`steps`) are fitted by maximum likelihood to the same rows, then the chosen one by REML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.cohort import Cohort, require_scores
from alliance.families.common.curves import KNOT, mean_curves
from alliance.families.common.levels import levels_of, site_terms
from alliance.families.common.multilevel import (
    ENGINE,
    MISSING_AT_RANDOM,
    Term,
    convergence_of,
    fit_multilevel,
)
from alliance.families.common.usable_rows import time_not_known, usable_rows
from alliance.families.diagnostics import diagnose
from alliance.families.facts import (
    CHI_SQUARED,
    CHI_SQUARED_TOO_LARGE,
    MIXTURE,
    Assumption,
    Fact,
    Reason,
    Warned,
)
from alliance.families.fit import Asked, Curve, Fit, Outcome, refused
from alliance.families.fit import Step as StepRow
from alliance.families.growth_shape.steps import (
    SELECTION,
    Fitted,
    choose,
    climb,
    memory_of,
    with_memory,
)
from alliance.mixed import compare

SHAPES = ("linear_client_slopes", "logarithmic", "quadratic", "piecewise", "spline")


def growth_shape_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Fit:
    """Return the ladder as one fit: all steps, and the chosen one's estimates by REML."""
    outcome, time = entry["outcome"], entry["time"]
    criterion = entry.get("choose_by", "bic_clients")
    label, unit = cohort.label(outcome), cohort.unit(outcome)
    asked = Asked(
        name,
        "growth_shape",
        f"{label}: shape of the course",
        f"Which course does “{label}” take over treatment, and do clients and therapists "
        "differ in it?",
        Outcome(outcome, label, unit),
    )
    needed = {
        outcome: Fact(Reason.NO_SCORE, f"no score of {label}"),
        time: time_not_known(time),
    }
    try:
        require_scores(cohort, outcome)
        # the first step tells which rows every step can use, and refuses what none can fit
        common = fit_multilevel(
            usable_rows(cohort, ["1", time], needed, entry.get("levels")),
            outcome=outcome, unit=unit, slopes={}, terms={},
        )  # fmt: skip
        levels, _ = levels_of(common.rows, entry.get("levels"))
        sites = site_terms(common.rows, levels)
        found = climb(common.rows, outcome, time, levels, sites)
        best = choose(found, criterion)
        found.append(with_memory(best, common.rows, outcome, time, levels, sites))
        chosen = choose(found, criterion)
        table = cohort.panel
        if chosen.knot is not None:
            table = table.assign(**{KNOT: (table[time] - chosen.knot).clip(lower=0.0)})
        fitted = fit_multilevel(
            usable_rows(
                replace(cohort, panel=table),
                ["1", *chosen.step.fixed],
                needed,
                entry.get("levels"),
            ),
            outcome=outcome,
            unit=unit,
            slopes={level: list(terms) for level, terms in chosen.step.slopes.items()},
            terms=_terms(chosen, time),
            residual=chosen.step.residual,
            residual_time=memory_of(time)[1] if chosen.step.residual != "iid" else None,
        )
    except FitError as error:
        return refused(asked, ENGINE, cohort, str(error))
    without = [
        Fact(Warned.STEP_NOT_FITTED, f"{one.step.label}: not fitted. {one.reason}")
        for one in found
        if one.fit is None
    ]
    return fitted.result(
        asked,
        steps=[_row(one, found, one is chosen) for one in found],
        warnings=[*fitted.warnings, *without],
        diagnostics=diagnose(fitted.fit, fitted.rows, fitted.estimates),
        curves=_curves(found, chosen, fitted.fit, fitted.rows, asked.outcome, time),
        assumptions=_assumptions(criterion),
    )


def _assumptions(criterion: str) -> list[Fact]:
    # ASSUME the shape with the best criterion is the shape: estimates and intervals below do not
    # carry the uncertainty of the choice.
    return [
        Fact(
            Assumption.STEP_CHOSEN_BY_RULE,
            f"The step was chosen by the rule of the configuration: {SELECTION[criterion]}, fewest "
            "parameters among ties. Intervals do not carry the uncertainty of that choice.",
        ),
        Fact(Assumption.NORMAL_EFFECTS, "Random effects and residuals are normal."),
        MISSING_AT_RANDOM,
    ]


def _terms(chosen: Fitted, time: str) -> dict[str, Term]:
    words = "per week" if time == "weeks_since_intake" else "per session"
    linear = "Change " + words
    if chosen.knot is not None:
        linear += " up to the knot"
    names = {
        time: (linear, f"points {words}"),
        "log_weeks": ("Change per unit of log(1 + weeks)", "points per unit"),
        f"log1p({time})": ("Change per unit of log(1 + session)", "points per unit"),
        f"square({time})": (f"Bend (time squared), {words}", f"points {words} squared"),
        KNOT: ("Difference of the slope after the knot", f"points {words}"),
    }
    return {
        term: Term(label, "time", unit, role="main" if term != f"square({time})" else "adjustment")
        for term, (label, unit) in names.items()
    }


def _row(one: Fitted, found: Sequence[Fitted], chosen: bool) -> StepRow:
    fit, step = one.fit, one.step
    if fit is None:
        return StepRow(step.name, step.label, "", "refused", chosen)
    explained = fit.r_squared()
    return StepRow(
        step.name,
        step.label,
        fit.equation,
        convergence_of(fit.convergence).status,
        chosen,
        n_parameters=one.n_parameters,
        log_likelihood=fit.log_likelihood,
        aic=_finite(one.criterion("aic")),
        bic_rows=_finite(one.criterion("bic_rows")),
        bic_clients=_finite(one.criterion("bic_clients")),
        r2_marginal=explained.marginal,
        r2_conditional=explained.conditional,
        knot=one.knot,
        phi=fit.residual.phi,
        **_against(one, found),
    )


def _against(one: Fitted, found: Sequence[Fitted]) -> dict[str, Any]:
    """Return the test of a step against the smaller one that is part of it, where there is one."""
    smaller = next((other for other in found if other.step.name == one.step.against), None)
    if smaller is None or smaller.fit is None or one.fit is None or one.knot != smaller.knot:
        return {}
    try:
        test = compare(smaller.fit, one.fit)
    except FitError:
        return {}
    plain = CHI_SQUARED if test.is_exact_mixture else CHI_SQUARED_TOO_LARGE
    return {
        "against": smaller.step.label,
        "statistic": test.statistic,
        "df": test.df,
        "p": test.p,
        "p_kind": MIXTURE if len(test.mixture) > 1 else plain,
    }


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _curves(
    found: Sequence[Fitted],
    chosen: Fitted,
    fit: Any,
    rows: pd.DataFrame,
    outcome: Outcome,
    time: str,
) -> list[Curve]:
    """Return the chosen course with its simultaneous band, and the other shapes without one."""
    lines = mean_curves(
        fit, rows, outcome=outcome, time=time, knot=chosen.knot, simultaneous=True,
        name="chosen_course",
    )  # fmt: skip
    for one in found:
        if one.fit is None or one.step.name not in SHAPES:
            continue
        shape = mean_curves(one.fit, rows, outcome=outcome, time=time, knot=one.knot, name="shape")
        lines.append(replace(shape[-1], group=one.step.label))
    return lines
