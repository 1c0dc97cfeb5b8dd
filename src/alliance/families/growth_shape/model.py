"""The growth ladder: which shape a measure's course has, every step shown, the rule fixed before.

Every step is fitted by maximum likelihood to the same rows (fixed parts differ, so that restricted
likelihoods could not be compared), then the chosen one by REML. Steps: no change; linear in time;
slopes that differ between clients, then between therapists; log(1 + weeks); quadratic; two straight
pieces with the knot where the likelihood is highest; a natural cubic spline; and the chosen shape
with residuals that remember (AR(1) by session, CAR(1) by time). Singer & Willett (2003), ch. 4-6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
from alliance.mixed import MixedFit, compare, fit_mixed
from alliance.mixed.specification import ResidualKind

SELECTION = {
    "aic": "lowest AIC",
    "bic_rows": "lowest BIC, n = number of sessions",
    "bic_clients": "lowest BIC, n = number of clients",
}
# ASSUME steps whose criterion lies within this of the lowest are as good: the one with the fewest
# parameters is taken (Raftery, 1995, calls a difference of BIC below 2 weak evidence).
TIE = 2.0
MOST_KNOTS = 30
SHAPES = ("linear_client_slopes", "logarithmic", "quadratic", "piecewise", "spline")
SPLINE_DF = 3


@dataclass(frozen=True, slots=True)
class Step:
    """One model of the ladder.

    Attributes
    ----------
    name, label
        Short name, and how it is printed.
    fixed
        Fixed terms of time, without intercept and sites.
    slopes
        Level to the terms that differ between its members.
    against
        The smaller step that it is tested against; empty where it is in no step.
    residual
        `iid`, `ar1` or `car1`.
    """

    name: str
    label: str
    fixed: tuple[str, ...]
    slopes: Mapping[str, tuple[str, ...]]
    against: str = ""
    residual: ResidualKind = "iid"


@dataclass(slots=True)
class Fitted:
    """A step with its maximum-likelihood fit, or why there is none."""

    step: Step
    fit: MixedFit | None
    reason: str = ""
    knot: float | None = None

    def criterion(self, name: str) -> float:
        """Return AIC or BIC; a knot that was looked for counts as a parameter."""
        if self.fit is None or not self.fit.convergence.converged:
            return np.inf
        extra = 0 if self.knot is None else 1
        if name == "aic":
            return self.fit.aic + 2 * extra
        by = "rows" if name == "bic_rows" else "client"
        n = self.fit.rows.used if by == "rows" else self.fit.n_groups["client"]
        return self.fit.bic(by=by) + extra * float(np.log(n))

    @property
    def n_parameters(self) -> int:
        """Number of parameters, a knot that was looked for among them."""
        return self.fit.n_parameters + (self.knot is not None) if self.fit else 0


def steps_of(time: str, levels: Sequence[str]) -> list[Step]:
    """Return the ladder for a measure counted in `time` (`weeks_since_intake` or `session`)."""
    client: dict[str, tuple[str, ...]] = {"client": (time,)}
    log = f"log1p({time})" if time != "weeks_since_intake" else "log_weeks"
    steps = [
        Step("no_change", "No change", (), {}),
        Step("linear", "Linear", (time,), {}, "no_change"),
        Step("linear_client_slopes", "Linear, client slopes", (time,), client, "linear"),
    ]
    if "therapist" in levels:
        both = {"therapist": (time,), **client}
        label = "Linear, client and therapist slopes"
        steps.append(Step("linear_therapist_slopes", label, (time,), both, "linear_client_slopes"))
    pieces, spline = (time, KNOT), (f"spline({time}, {SPLINE_DF})",)
    return [
        *steps,
        Step("logarithmic", "Logarithmic, client slopes", (log,), {"client": (log,)}),
        Step("quadratic", "Quadratic, client slopes", (time, f"square({time})"), client,
             "linear_client_slopes"),
        Step("piecewise", "Two straight pieces, client slopes", pieces, client,
             "linear_client_slopes"),
        Step("spline", "Natural spline, client slopes", spline, client),
    ]  # fmt: skip


def climb(
    rows: pd.DataFrame, outcome: str, time: str, levels: Sequence[str], fixed: Sequence[str]
) -> list[Fitted]:
    """Fit every step by maximum likelihood to the same rows.

    Parameters
    ----------
    rows
        Complete rows: outcome, `time`, `log_weeks` where time is in weeks, the levels' columns.
    levels
        Random levels, outermost first; each has a random intercept.
    fixed
        Further fixed terms (sites, covariates) of every step.

    Returns
    -------
    list of Fitted
        One per step, in order; a step that the data cannot carry says why.
    """
    found = []
    for step in steps_of(time, levels):
        if KNOT in step.fixed:
            found.append(_best_knot(step, rows, outcome, time, levels, fixed))
        else:
            found.append(try_step(step, rows, outcome, levels, fixed))
    return found


def try_step(
    step: Step,
    rows: pd.DataFrame,
    outcome: str,
    levels: Sequence[str],
    fixed: Sequence[str],
    residual_time: str | None = None,
) -> Fitted:
    """Return a step fitted by maximum likelihood, or why it is not."""
    random = {level: ["1", *step.slopes.get(level, ())] for level in levels}
    try:
        fit = fit_mixed(
            rows, outcome, ["1", *step.fixed, *fixed], random, method="ML",
            residual=step.residual, residual_time=residual_time,
        )  # fmt: skip
    except FitError as error:
        return Fitted(step, None, str(error))
    return Fitted(step, fit)


def _best_knot(
    step: Step,
    rows: pd.DataFrame,
    outcome: str,
    time: str,
    levels: Sequence[str],
    fixed: Sequence[str],
) -> Fitted:
    """Return the fit at the knot with the highest likelihood among those the data can carry."""
    best = Fitted(step, None, "Time has too few different values for a knot.")
    for knot in knots_of(rows[time]):
        after = (rows[time] - knot).clip(lower=0.0)
        one = try_step(step, rows.assign(**{KNOT: after}), outcome, levels, fixed)
        one.knot = float(knot)
        if one.fit is None or not one.fit.convergence.converged:
            best = best if best.fit is not None else Fitted(step, None, one.reason)
        elif best.fit is None or one.fit.log_likelihood > best.fit.log_likelihood + 1e-9:
            best = one
    return best


def knots_of(times: pd.Series) -> np.ndarray:
    """Return where the course may bend: whole units, a tenth of the rows on each side."""
    low, high = np.quantile(times, [0.10, 0.90])
    # between two times at which nobody was seen the data cannot tell one knot from another
    candidates = np.intersect1d(np.arange(np.ceil(low), np.floor(high) + 1), np.round(times))
    inside = candidates[(candidates > times.min()) & (candidates < times.max())]
    if len(inside) > MOST_KNOTS:
        inside = inside[np.linspace(0, len(inside) - 1, MOST_KNOTS).round().astype(int)]
    return inside


def choose(found: Sequence[Fitted], criterion: str) -> Fitted:
    """Return the step with the fewest parameters among those within `TIE` of the best.

    Raises
    ------
    FitError
        No step converged.
    """
    values = [one.criterion(criterion) for one in found]
    if not np.isfinite(min(values)):
        msg = "No step of the ladder could be fitted."
        raise FitError(msg)
    close = [
        (one.n_parameters, value, position)
        for position, (one, value) in enumerate(zip(found, values, strict=True))
        if value <= min(values) + TIE
    ]
    return found[min(close)[2]]


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
        found.append(_with_memory(best, common.rows, outcome, time, levels, sites))
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


def memory_of(time: str) -> tuple[ResidualKind, str]:
    """Return the residuals' kind and the column of their time."""
    by_time = time in ("weeks_since_intake", "log_weeks")
    return ("car1", "weeks_since_intake") if by_time else ("ar1", "session")


def _with_memory(
    base: Fitted, rows: pd.DataFrame, outcome: str, time: str, levels: Sequence[str],
    fixed: Sequence[str],
) -> Fitted:  # fmt: skip
    """Return the best step so far with residuals that remember."""
    kind, residual_time = memory_of(time)
    step = replace(
        base.step,
        name=f"{base.step.name}_{kind}",
        label=f"{base.step.label}, correlated residuals",
        against=base.step.name,
        residual=kind,
    )
    if base.knot is not None:
        rows = rows.assign(**{KNOT: (rows[time] - base.knot).clip(lower=0.0)})
    one = try_step(step, rows, outcome, levels, fixed, residual_time)
    one.knot = base.knot
    return one


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
