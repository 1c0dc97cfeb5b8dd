"""Profile likelihood intervals.

For a parameter psi the profile deviance D(psi) is the minimum of -2 log L over all others. The
interval holds every psi with D(psi) - min D <= chi2_1 quantile; its ends are found on the signed
root zeta(psi) = sign(psi - psi_hat) sqrt(D(psi) - min D), which is nearly straight.

How a standard deviation or correlation is held fixed stands in `alliance.mixed.inference.held`. A
fixed effect is held fixed by moving its column to the outcome.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import chdtri

from alliance.errors import FitError
from alliance.mixed.criterion import Criterion
from alliance.mixed.inference.held import TOLERANCE, Held
from alliance.mixed.inference.natural import (
    RESIDUAL,
    Natural,
    free_scale,
    from_free_scale,
    natural_parameters,
)
from alliance.mixed.inference.wald import interval_table
from alliance.mixed.optimise import minimise
from alliance.mixed.problem import Problem
from alliance.mixed.residual_course import CourseCovariance

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit


def profile_intervals(
    fit: MixedFit, confidence: float, likelihood: str, parameters: str
) -> pd.DataFrame:
    """See `alliance.mixed.result.MixedFit.intervals`."""
    if likelihood not in ("ML", "same"):
        raise FitError("likelihood must be 'ML' or 'same'.")
    target = float(np.sqrt(chdtri(1, 1.0 - confidence)))
    from alliance.mixed.refitting import as_ml

    ml = as_ml(fit) if fit.criterion.reml else fit
    rows: list[tuple[Any, ...]] = []
    if parameters != "fixed":
        base = ml if likelihood == "ML" else fit
        for natural in natural_parameters(base):
            low, high = natural_ends(base, natural, target)
            label = (natural.level, natural.name_1, natural.name_2, natural.kind)
            rows.append((*label, natural.estimate, low, high))
    if parameters != "random":
        for place, name in enumerate(fit.prepared.fixed_names):
            low, high = _fixed_ends(ml, place, target)
            estimate = ml.estimate.coefficients[place]
            rows.append(("fixed", name, None, "coefficient", estimate, low, high))
    return interval_table(rows)


# ------------------------------------------------------------------ fixed effects


def _fixed_ends(fit: MixedFit, place: int, target: float) -> tuple[float, float]:
    estimate = float(fit.estimate.coefficients[place])
    se = float(np.sqrt(fit.estimate.covariance[place, place]))
    best = fit.optimum.expansion.deviance
    state = {"theta": fit.optimum.theta}

    def zeta(value: float) -> float:
        criterion = _without_column(fit, place, value)
        end = minimise(criterion, state["theta"], tolerance=TOLERANCE)
        if end is None:
            raise FitError("The profile likelihood is not defined here.")
        state["theta"] = end.theta
        return float(np.sqrt(max(end.expansion.deviance - best, 0.0)))

    ends = []
    for sign in (-1.0, 1.0):
        state["theta"] = fit.optimum.theta
        ends.append(_crossing(zeta, estimate, sign * se * target, target))
    return ends[0], ends[1]


def _crossing(zeta: Callable[[float], float], estimate: float, step: float, target: float) -> float:
    """Where zeta reaches the target, from the estimate in the direction of `step`."""
    inside, outside = estimate, estimate + step
    for _ in range(60):
        if zeta(outside) >= target:
            break
        inside, outside = outside, outside + 0.5 * (outside - estimate)
    else:
        return np.inf if step > 0 else -np.inf
    return float(brentq(lambda value: zeta(value) - target, inside, outside, xtol=1e-9 * abs(step)))


def _without_column(fit: MixedFit, place: int, value: float) -> Criterion:
    """Build the ML criterion with one fixed effect held at a value (user's scale).

    On the internal scale X b = X_int A b; with b_k = v the outcome becomes y - X_int A[:, k] v and
    the other user columns stay as columns.
    """
    prepared, problem = fit.prepared, fit.criterion.problem
    x, transform = prepared.columns.fixed_index, prepared.fixed_transform
    r, n_columns, p = problem.n_random, problem.n_columns, len(x)
    others = [column for column in range(p) if column != place]
    # A column's size does not matter for ML; scale the user columns to stay well conditioned.
    basis, _ = np.linalg.qr(transform[:, others]) if others else (np.zeros((p, 0)), None)
    mixing = np.zeros((n_columns, r + len(others) + 1))
    mixing[:r, :r] = np.eye(r)
    mixing[x, r : r + len(others)] = basis
    mixing[-1, -1] = 1.0
    outcomes, product = prepared.outcomes, list(prepared.fixed)[place]
    own = outcomes.place_of(product)
    shift = value - (outcomes.centres[own] if product == outcomes.intercept(own) else 0.0)
    mixing[x, -1] -= transform[:, place] * shift
    return Criterion(
        transformed(problem, mixing), np.arange(r, r + len(others)), fit.criterion.reml
    )


def transformed(problem: Problem, mixing: np.ndarray) -> Problem:
    """Replace the columns C by C times `mixing`, whose first r columns are those of C."""
    patterns = problem.patterns
    if patterns is not None:
        patterns = patterns._replace(
            products=mixing.T @ patterns.products @ mixing,
            cell_cross=patterns.cell_cross @ mixing,
        )
    return replace(
        problem,
        totals=mixing.T @ problem.totals @ mixing,
        cross=problem.cross @ mixing,
        patterns=patterns,
    )


# ------------------------------------------------------------------ random and residual parameters


def natural_ends(fit: MixedFit, natural: Natural, target: float) -> tuple[float, float]:
    """Profile interval of a natural parameter, `target` standard errors (on zeta) to each side."""
    if not np.isfinite(natural.estimate):
        return np.nan, np.nan
    if natural.depth == RESIDUAL and isinstance(fit.prepared.residual, CourseCovariance):
        return _within_course_ends(fit, natural, target)
    constrained = Held.start(fit, natural)
    best = fit.optimum.expansion.deviance
    lowest, highest = {
        "sd": (0.0, np.inf),
        "correlation": (-1.0, 1.0),
        "sigma": (0.0, np.inf),
        "phi": (-1.0 if fit.prepared.residual.kind == "ar1" else 0.0, 1.0),
        "sd_ratio": (0.0, np.inf),
    }[natural.kind]
    ends = []
    for sign, bound in ((-1.0, lowest), (1.0, highest)):
        path = replace(constrained)

        def zeta(value: float, path: Held = path) -> float:
            return float(np.sqrt(max(path.at(value) - best, 0.0)))

        ends.append(_bounded_crossing(zeta, natural.estimate, sign, bound, target))
    return ends[0], ends[1]


def _within_course_ends(fit: MixedFit, natural: Natural, target: float) -> tuple[float, float]:
    """Ends for the covariance within a session under residual dynamics, on its free scale."""
    from alliance.mixed.inference.derived import Quantity, profile_ends
    from alliance.mixed.inference.wald import free_scale_errors

    quantity = Quantity(natural.name_1, lambda p: free_scale(fit, natural, p.theta, p.tau))
    ((_, se),) = free_scale_errors(fit, [natural])
    low, high, _ = profile_ends(fit, quantity, se, target)
    return from_free_scale(fit, natural, low), from_free_scale(fit, natural, high)


def _bounded_crossing(
    zeta: Callable[[float], float], estimate: float, sign: float, bound: float, target: float
) -> float:
    """Where zeta reaches the target; the bound itself if it does not on the way there."""
    inside = estimate
    for count in range(80):
        if np.isfinite(bound):
            # Halve the way to the bound, at last stand on it (just inside, for open bounds).
            outside = bound - (bound - estimate) * 0.75 ** (count + 1)
            if abs(bound - outside) < 1e-6 * max(abs(bound - estimate), abs(bound), 1e-3):
                return bound
        else:
            outside = estimate + sign * max(abs(estimate), 1e-3) * (1.25 ** (count + 1) - 1.0)
        if zeta(outside) >= target:
            return float(
                brentq(lambda value: zeta(value) - target, inside, outside, xtol=1e-10, rtol=1e-9)
            )
        inside = outside
    return bound
