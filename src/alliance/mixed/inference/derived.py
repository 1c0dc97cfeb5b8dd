"""Any number that follows from the covariances and residual dynamics of a fit, with an interval.

A quantity psi is a function of the parameters. Its interval is

delta      psi -/+ z se, with se from the gradient of psi and the observed information 2 H^-1 of
           (Cholesky factors, residual parameters, log sigma^2);
profile    every value c with min {-2 log L : psi = c} - min(-2 log L) <= z^2, the minima found by
           the method of multipliers (Nocedal & Wright 2006, section 17.3);
bootstrap  percentiles over refits to outcomes drawn from the fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtr, ndtri

from alliance.errors import FitError
from alliance.mixed.criterion import Criterion, FullExpansion
from alliance.mixed.degrees_of_freedom import full_hessian
from alliance.mixed.dynamics import Point
from alliance.mixed.inference.bootstrap import refits
from alliance.mixed.optimise import minimise
from alliance.mixed.tables import CONFIDENCE

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit

Interval = Literal["delta", "profile", "bootstrap"]

STEP = 1e-4
"""Step of the differences by which a quantity is differentiated (parameters of size one)."""

CLOSE = 1e-4
"""Accuracy of the ends of a profile interval, in units of zeta and of standard errors."""

FARTHEST = 12.0
"""Standard errors to which a profile is followed."""

WEIGHT = 200.0
"""Weight of the square of r in the method of multipliers; -2 log L has a curvature of about 2."""

MOST_MULTIPLIERS = 8

COLUMNS = ["quantity", "estimate", "se", "z", "p", "ci_low", "ci_high", "note"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that follows from the parameters.

    Attributes
    ----------
    name : str
    at : callable
        Gives its value at a `Point`.
    """

    name: str
    at: Callable[[Point], float]

    def __sub__(self, other: Quantity) -> Quantity:
        """Give the difference of two quantities."""
        return Quantity(f"{self.name} - {other.name}", lambda p: self.at(p) - other.at(p))


def derived(
    fit: MixedFit,
    quantities: Sequence[Quantity],
    interval: Interval = "delta",
    confidence: float = CONFIDENCE,
    draws: int = 1000,
    seed: int = 1,
) -> pd.DataFrame:
    """Quantities that follow from covariances and residual dynamics, with intervals.

    Parameters
    ----------
    fit : MixedFit
    quantities : sequence of Quantity
        From `alliance.mixed.inference.quantities`.
    interval : {"delta", "profile", "bootstrap"}
    confidence : float
    draws, seed : int
        Refits of the bootstrap and the seed of their random numbers.

    Returns
    -------
    pandas.DataFrame
        quantity, estimate, se, z, p, ci_low, ci_high, note. The p-value is Wald's.
    """
    if interval not in ("delta", "profile", "bootstrap"):
        raise FitError("interval must be 'delta', 'profile' or 'bootstrap'.")
    z = float(ndtri(0.5 + confidence / 2))
    values, slopes = _gradients(fit, quantities)
    se = np.sqrt(np.maximum(np.einsum("ia,ab,ib->i", slopes, _covariance(fit), slopes), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = values / se
    low, high = values - z * se, values + z * se
    notes = [""] * len(values)
    if interval == "profile":
        ends = [profile_ends(fit, q, error, z) for q, error in zip(quantities, se, strict=True)]
        low, high = np.array([end[0] for end in ends]), np.array([end[1] for end in ends])
        notes = [end[2] for end in ends]
    if interval == "bootstrap":
        low, high, se, note = _bootstrap(fit, quantities, confidence, draws, seed)
        notes = [note] * len(values)
    names = [quantity.name for quantity in quantities]
    p = 2.0 * ndtr(-np.abs(ratio))
    table = dict(zip(COLUMNS, (names, values, se, ratio, p, low, high, notes), strict=True))
    return pd.DataFrame(table)


@dataclass(frozen=True, slots=True)
class WaldTest:
    """A test that several quantities are zero together.

    Attributes
    ----------
    statistic : float
    df : int
    p : float
    """

    statistic: float
    df: int
    p: float


def wald_test(fit: MixedFit, quantities: Sequence[Quantity]) -> WaldTest:
    """Test that several quantities are zero together: d' Cov(d)^-1 d against chi-squared."""
    values, slopes = _gradients(fit, quantities)
    covariance = slopes @ _covariance(fit) @ slopes.T
    if np.linalg.matrix_rank(covariance) < len(values):
        raise FitError("The quantities are not all different; a joint test needs each once.")
    statistic = float(values @ np.linalg.solve(covariance, values))
    return WaldTest(statistic, len(values), float(chdtrc(len(values), statistic)))


def _vector(fit: MixedFit) -> np.ndarray:
    point = Point.of(fit)
    return np.append(point.theta, point.tau)


def _values(fit: MixedFit, quantities: Sequence[Quantity], vector: np.ndarray) -> np.ndarray:
    point = Point(fit, vector[:-1], float(vector[-1]))
    return np.array([float(quantity.at(point)) for quantity in quantities])


def _value(fit: MixedFit, quantity: Quantity, vector: np.ndarray) -> float:
    return float(_values(fit, [quantity], vector)[0])


def _covariance(fit: MixedFit) -> np.ndarray:
    hessian = full_hessian(fit.criterion, fit.optimum.expansion, fit.optimum.theta)
    return 2.0 * np.linalg.pinv(hessian, rcond=1e-12, hermitian=True)


def _gradients(fit: MixedFit, quantities: Sequence[Quantity]) -> tuple[np.ndarray, np.ndarray]:
    """Values, shape (k,), and gradients, shape (k, m + 1), at the estimates."""
    vector = _vector(fit)
    return _values(fit, quantities, vector), _slopes(fit, quantities, vector)


def _slopes(fit: MixedFit, quantities: Sequence[Quantity], vector: np.ndarray) -> np.ndarray:
    """Central differences of fourth order, shape (k, m + 1)."""
    here, slopes = _values(fit, quantities, vector), np.zeros((len(quantities), len(vector)))
    for k in range(len(vector)):
        step = np.zeros(len(vector))
        step[k] = 10.0 * STEP
        above = _values(fit, quantities, vector + step)
        if (above == here).all():  # none of them depends on it
            continue
        near = above - _values(fit, quantities, vector - step)
        far = _values(fit, quantities, vector + 2 * step)
        far -= _values(fit, quantities, vector - 2 * step)
        slopes[:, k] = (8.0 * near - far) / (120.0 * STEP)
    return slopes


def _bend(fit: MixedFit, quantity: Quantity, vector: np.ndarray) -> np.ndarray:
    """Second derivatives by differences, in the parameters that the quantity depends on."""
    n, steps = len(vector), STEP * np.eye(len(vector))

    def at(shift: np.ndarray) -> float:
        return _value(fit, quantity, vector + shift)

    here = at(np.zeros(n))
    used = [k for k in range(n) if at(steps[k]) != here or at(-steps[k]) != here]
    matrix = np.zeros((n, n))
    for a in used:
        for b in [k for k in used if k <= a]:
            corners = [at(i * steps[a] + j * steps[b]) * i * j for i in (1, -1) for j in (1, -1)]
            matrix[a, b] = matrix[b, a] = sum(corners) / (4.0 * STEP**2)
    return matrix


# ------------------------------------------------------------------ profile likelihood


@dataclass
class _Held:
    """-2 log L + multiplier r + weight r^2 / 2 with r = (psi - c) / se.

    Over (Cholesky factors, residual parameters, log sigma^2). Bounded below wherever -2 log L is.
    """

    fit: MixedFit
    quantity: Quantity
    se: float
    held: float
    multiplier: float = 0.0

    @property
    def criterion(self) -> Criterion:
        return self.fit.criterion

    @property
    def degrees(self) -> int:
        """Rows behind the criterion."""
        return self.criterion.degrees

    def distance(self, vector: np.ndarray) -> float:
        """Give r."""
        return (_value(self.fit, self.quantity, vector) - self.held) / self.se

    def deviance(self, vector: np.ndarray) -> float:
        """-2 log L."""
        profile = self.criterion.profile_at(vector[:-1])
        return np.inf if profile is None else self.criterion.full_value(profile, vector[-1])

    def value(self, theta: np.ndarray) -> float:
        """Value."""
        deviance = self.deviance(theta)
        if not np.isfinite(deviance):
            return np.inf
        r = self.distance(theta)
        return deviance + r * (self.multiplier + 0.5 * WEIGHT * r)

    def expand(self, theta: np.ndarray) -> FullExpansion | None:
        """Value, gradient and Hessian."""
        full = self.criterion.expand_full(theta[:-1], float(theta[-1]))
        if full is None:
            return None
        m, layout = len(theta) - 1, self.criterion.problem.layout
        jacobian = np.eye(m + 1)
        jacobian[:m, :m] = layout.jacobian(theta[:-1])
        hessian = jacobian.T @ full.hessian @ jacobian
        hessian[:m, :m] += layout.curvature(full.gradient[:m])
        r = self.distance(theta)
        slope = _slopes(self.fit, [self.quantity], theta)[0] / self.se
        bend = _bend(self.fit, self.quantity, theta) / self.se
        pull = self.multiplier + WEIGHT * r
        return FullExpansion(
            full.deviance + r * (self.multiplier + 0.5 * WEIGHT * r),
            jacobian.T @ full.gradient + pull * slope,
            hessian + pull * bend + WEIGHT * np.outer(slope, slope),
        )


class _Path:
    """The signed root zeta(c) of the profile's rise, followed from one c to the next."""

    def __init__(self, fit: MixedFit, quantity: Quantity, se: float) -> None:
        self.held = _Held(fit, quantity, se, 0.0)
        self.vector = _vector(fit)
        self.best = fit.optimum.expansion.deviance

    def __call__(self, value: float) -> float:
        """Zeta at c, by the method of multipliers; infinite where it is not found."""
        self.held = replace(self.held, held=value)
        for _ in range(MOST_MULTIPLIERS):
            end = minimise(self.held, self.vector, tolerance=1e-12, max_iterations=60)
            if end is None or not np.isfinite(end.theta).all():
                return np.inf
            self.vector = end.theta
            r = self.held.distance(self.vector)
            self.held = replace(self.held, multiplier=self.held.multiplier + WEIGHT * r)
            if abs(r) < CLOSE:
                break
        # What is left of r is taken into account to first order: the multiplier is the slope.
        rise = self.held.deviance(self.vector) + self.held.multiplier * r - self.best
        return float(np.sqrt(max(rise, 0.0)))


def profile_ends(
    fit: MixedFit, quantity: Quantity, se: float, z: float
) -> tuple[float, float, str]:
    """Ends of the profile interval and a note; infinite where -2 log L does not rise enough."""
    if not (np.isfinite(se) and se > 0):
        return np.nan, np.nan, "no interval: the quantity does not vary at the boundary"
    estimate = _value(fit, quantity, _vector(fit))
    ends = [_end(_Path(fit, quantity, se), estimate, sign * se, z) for sign in (-1.0, 1.0)]
    sides = [side for side, end in zip(("below", "above"), ends, strict=True) if np.isinf(end)]
    return ends[0], ends[1], f"open {' and '.join(sides)}" if sides else ""


def _end(zeta: _Path, estimate: float, step: float, z: float) -> float:
    """Where zeta reaches z, in the direction of `step`; by false position (Illinois)."""
    inside, below, outside = 0.0, -z, z
    above = zeta(estimate + step * outside) - z
    while above < 0:
        inside, below = outside, above
        outside *= 1.6
        if outside > FARTHEST:
            return float(np.copysign(np.inf, step))
        above = zeta(estimate + step * outside) - z
    last = 0
    for _ in range(40):
        if not np.isfinite(above):
            middle = 0.5 * (inside + outside)
        else:
            middle = inside - below * (outside - inside) / (above - below)
        now = zeta(estimate + step * middle) - z
        if abs(now) < CLOSE or outside - inside < CLOSE:
            return estimate + step * middle
        if now < 0:
            inside, below = middle, now
            above *= 0.5 if last < 0 else 1.0
        else:
            outside, above = middle, now
            below *= 0.5 if last > 0 else 1.0
        last = int(np.sign(now))
    return np.nan


# ------------------------------------------------------------------ bootstrap


def _bootstrap(
    fit: MixedFit, quantities: Sequence[Quantity], confidence: float, draws: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Percentiles, standard deviation, and how many refits failed."""
    found = []
    for again in refits(fit, draws, seed):
        if again is not None:
            found.append([quantity.at(Point.of(again)) for quantity in quantities])
    failed = draws - len(found)
    note = f"{failed} of {draws} refits failed" if failed else ""
    if len(found) < 2:
        nothing = np.full(len(quantities), np.nan)
        return nothing, nothing, nothing, note
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(np.array(found), [tail, 1.0 - tail], axis=0)
    return low, high, np.std(found, axis=0, ddof=1), note
