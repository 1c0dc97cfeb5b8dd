"""The steps of the growth ladder: what each fits, and the rule that chooses one.

Every step is fitted by maximum likelihood to the same rows (fixed parts differ, so that restricted
likelihoods could not be compared). Steps: no change; linear in time; slopes that differ between
clients, then between therapists; log(1 + weeks); quadratic; two straight pieces with the knot where
the likelihood is highest; a natural cubic spline; and the chosen shape with residuals that remember
(AR(1) by session, CAR(1) by time). Singer & Willett (2003), ch. 4-6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.common.curves import KNOT
from alliance.mixed import MixedFit, fit_mixed
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
    return np.asarray(inside)


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


def memory_of(time: str) -> tuple[ResidualKind, str]:
    """Return the residuals' kind and the column of their time."""
    by_time = time in ("weeks_since_intake", "log_weeks")
    return ("car1", "weeks_since_intake") if by_time else ("ar1", "session")


def with_memory(
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
