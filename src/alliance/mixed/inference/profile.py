"""Profile likelihood intervals.

For a parameter psi the profile deviance D(psi) is the minimum of -2 log L over all others. The
interval holds every psi with D(psi) - min D <= chi2_1 quantile; its ends are found on the signed
root zeta(psi) = sign(psi - psi_hat) sqrt(D(psi) - min D), which is nearly straight.

A standard deviation or correlation is held fixed by writing the level's covariance matrix on the
user's scale through a Cholesky factor in which the effects concerned come first: the first diagonal
element is the standard deviation, and the second row is sd_b (rho, sqrt(1 - rho^2)). A fixed effect
is held fixed by moving its column to the outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import chdtri

from alliance.errors import FitError
from alliance.mixed.criterion import Criterion, FullExpansion
from alliance.mixed.inference.natural import RESIDUAL, Natural, natural_parameters
from alliance.mixed.inference.wald import interval_table
from alliance.mixed.optimise import minimise
from alliance.mixed.problem import Problem
from alliance.mixed.residual import ResidualStructure
from alliance.mixed.residual_session import SessionCovariance

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit

STEP = 1e-4
"""Step of the numerical derivatives of the (smooth, data-free) parameter map."""

TOLERANCE = 1e-14


def profile_intervals(
    fit: MixedFit, confidence: float, likelihood: str, parameters: str
) -> pd.DataFrame:
    """See `alliance.mixed.result.MixedFit.intervals`."""
    if likelihood not in ("ML", "same"):
        raise FitError("likelihood must be 'ML' or 'same'.")
    target = float(np.sqrt(chdtri(1, 1.0 - confidence)))
    from alliance.mixed.fit import as_ml

    ml = as_ml(fit) if fit.criterion.reml else fit
    rows: list[tuple] = []
    if parameters != "fixed":
        base = ml if likelihood == "ML" else fit
        for natural in natural_parameters(base):
            low, high = _natural_ends(base, natural, target)
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
        patterns = replace(
            patterns,
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


def _natural_ends(fit: MixedFit, natural: Natural, target: float) -> tuple[float, float]:
    if not np.isfinite(natural.estimate):
        return np.nan, np.nan
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


@dataclass
class Held:
    """-2 log L with one natural parameter held, over free parameters eta.

    eta holds: the other residual parameters, per level the elements of the Cholesky factor of its
    covariance matrix on the user's scale relative to the outcome's scale (with the effects of the
    held parameter first, and what is held left out), and tau = log sigma^2.
    """

    fit: MixedFit
    natural: Natural
    held: float
    eta: np.ndarray

    @classmethod
    def start(cls, fit: MixedFit, natural: Natural) -> Held:
        """Begin at the estimates."""
        held = cls(fit, natural, natural.estimate, np.empty(0))
        held.eta = held.free_from_estimates()
        return held

    @property
    def degrees(self) -> int:
        """Rows behind the criterion."""
        return self.fit.criterion.degrees

    def at(self, value: float) -> float:
        """Profile deviance at a value of the held parameter; goes on from the last end."""
        self.held = value
        end = minimise(self, self.eta, tolerance=TOLERANCE)
        if end is None:
            return np.inf
        self.eta = end.theta
        return end.expansion.deviance

    # -------------------------------------------------------------- the map from eta

    @property
    def _depths(self) -> list[int]:
        """Blocks whose covariance matrix is free: the levels, and residuals of several outcomes."""
        levels = list(range(len(self.fit.criterion.problem.layout.sizes)))
        return levels if self._plain_residual else [RESIDUAL, *levels]

    @property
    def _plain_residual(self) -> bool:
        """Whether eta holds residual parameters and tau themselves."""
        return self.fit.estimate.residual_covariance is None

    def _holds(self, depth: int) -> bool:
        """Whether the held parameter belongs to the covariance matrix of a block."""
        return self.natural.kind in ("sd", "correlation") and depth == self.natural.depth

    def _block(self, depth: int) -> tuple[np.ndarray, np.ndarray]:
        """Covariance matrix of a block at the estimates, and the outcome's scale per effect."""
        prepared, estimate = self.fit.prepared, self.fit.estimate
        if depth == RESIDUAL:
            assert estimate.residual_covariance is not None
            return estimate.residual_covariance, prepared.outcomes.scales
        scales = prepared.outcomes.scales_of(prepared.random[depth])
        return estimate.level_covariances[depth], scales

    def _order(self, depth: int, q: int) -> list[int]:
        if not self._holds(depth):
            return list(range(q))
        first = list(dict.fromkeys([self.natural.first, self.natural.second]))
        return first + [effect for effect in range(q) if effect not in first]

    def free_from_estimates(self) -> np.ndarray:
        """Eta at the estimates of the fit."""
        layout = self.fit.criterion.problem.layout
        eta: list[float] = []
        is_residual = self.natural.kind in ("phi", "sd_ratio")
        if self._plain_residual:
            eta += [
                float(self.fit.optimum.theta[place])
                for place in range(layout.n_residual)
                if not (is_residual and place == self.natural.first)
            ]
        for depth in self._depths:
            covariance, scales = self._block(depth)
            order = self._order(depth, len(scales))
            sigma = (covariance / np.outer(scales, scales))[np.ix_(order, order)]
            eta += self._strip(depth, psd_factor(sigma))
        if self._plain_residual and self.natural.kind != "sigma":
            eta.append(float(np.log(self.fit.optimum.expansion.profile.sigma2)))
        return np.array(eta)

    def _strip(self, depth: int, factor: np.ndarray) -> list[float]:
        """Free elements of a block's factor: without the held one, the second row as its length."""
        rows, cols = np.tril_indices(len(factor))
        values = {(int(a), int(b)): float(factor[a, b]) for a, b in zip(rows, cols, strict=True)}
        if self._holds(depth) and self.natural.kind == "sd":
            del values[0, 0]
        if self._holds(depth) and self.natural.kind == "correlation":
            values[1, 0] = float(np.hypot(values[1, 0], values[1, 1]))
            del values[1, 1]
        return list(values.values())

    def covariances(self, eta: np.ndarray) -> tuple[np.ndarray, list[np.ndarray], float]:
        """Residual parameters, covariance per level (engine's columns, relative), and tau."""
        prepared, layout = self.fit.prepared, self.fit.criterion.problem.layout
        take = iter(eta)
        rho = np.empty(layout.n_residual)
        for place in range(layout.n_residual if self._plain_residual else 0):
            if self.natural.kind in ("phi", "sd_ratio") and place == self.natural.first:
                rho[place] = self._held_residual()
            else:
                rho[place] = next(take)
        sigmas = {depth: self._filled(depth, take) for depth in self._depths}
        if isinstance(prepared.residual, SessionCovariance):
            within = sigmas.pop(RESIDUAL)
            tau = float(np.log(within[0, 0]))
            rho = prepared.residual.working(within / within[0, 0])
        elif self.natural.kind == "sigma":
            tau = float(2.0 * np.log(self.held / prepared.outcomes.scales[0]))
        else:
            tau = float(next(take))
        internal = []
        for depth, sigma in sigmas.items():
            transform = prepared.columns.level_transform[depth]
            internal.append(transform @ sigma @ transform.T / np.exp(tau))
        return rho, internal, tau

    def _filled(self, depth: int, take: Iterator[float]) -> np.ndarray:
        """Covariance matrix of a block relative to the outcomes' scales, from the next of eta."""
        scales = self._block(depth)[1]
        q = len(scales)
        factor = np.zeros((q, q))
        mine, kind = self._holds(depth), self.natural.kind
        for a in range(q):
            for b in range(a + 1):
                if mine and kind == "sd" and (a, b) == (0, 0):
                    factor[0, 0] = self.held / scales[self.natural.first]
                elif mine and kind == "correlation" and (a, b) == (1, 0):
                    length = next(take)
                    factor[1, 0] = self.held * length
                    factor[1, 1] = np.sqrt(max(1.0 - self.held**2, 0.0)) * length
                elif mine and kind == "correlation" and (a, b) == (1, 1):
                    continue
                else:
                    factor[a, b] = next(take)
        order = np.argsort(self._order(depth, q))
        return (factor @ factor.T)[np.ix_(order, order)]

    def _held_residual(self) -> float:
        if self.natural.kind == "sd_ratio":
            return 2.0 * float(np.log(self.held))
        assert isinstance(self.fit.prepared.residual, ResidualStructure)
        return self.fit.prepared.residual.working(self.held)

    def stacked(self, eta: np.ndarray) -> np.ndarray:
        """Parameters of the full criterion: relative covariances, then tau."""
        layout = self.fit.criterion.problem.layout
        rho, internal, tau = self.covariances(eta)
        values = np.empty(layout.n_parameters + 1)
        values[: layout.n_residual] = rho
        for depth, sigma in enumerate(internal):
            values[layout.block(depth)] = sigma[np.tril_indices(len(sigma))]
        values[-1] = tau
        return values

    def theta(self, eta: np.ndarray) -> tuple[np.ndarray, float]:
        """Give the engine's parameters and tau."""
        rho, internal, tau = self.covariances(eta)
        factors = [psd_factor(sigma) for sigma in internal]
        return self.fit.criterion.problem.layout.from_factors(factors, rho), tau

    # -------------------------------------------------------------- the objective

    def value(self, theta: np.ndarray) -> float:
        """-2 log L at eta."""
        point, tau = self.theta(theta)
        profile = self.fit.criterion.profile_at(point)
        return np.inf if profile is None else self.fit.criterion.full_value(profile, tau)

    def expand(self, theta: np.ndarray) -> FullExpansion | None:
        """Value, gradient and Hessian in eta, by the chain rule."""
        point, tau = self.theta(theta)
        full = self.fit.criterion.expand_full(point, tau)
        if full is None:
            return None
        n = len(theta)
        jacobian = np.empty((len(full.gradient), n))
        bend = np.empty((n, n))
        units = np.eye(n) * STEP
        centre = self.stacked(theta)
        plus = [self.stacked(theta + unit) for unit in units]
        minus = [self.stacked(theta - unit) for unit in units]
        for i in range(n):
            jacobian[:, i] = (plus[i] - minus[i]) / (2 * STEP)
            bend[i, i] = full.gradient @ (plus[i] - 2 * centre + minus[i]) / STEP**2
            for j in range(i):
                both = self.stacked(theta + units[i] + units[j]) - plus[i] - plus[j] + centre
                other = self.stacked(theta - units[i] - units[j]) - minus[i] - minus[j] + centre
                bend[i, j] = bend[j, i] = full.gradient @ (both + other) / (2 * STEP**2)
        return FullExpansion(
            full.deviance,
            jacobian.T @ full.gradient,
            jacobian.T @ full.hessian @ jacobian + bend,
        )


def psd_factor(sigma: np.ndarray) -> np.ndarray:
    """Lower triangular factor of a positive semi-definite matrix."""
    values, vectors = np.linalg.eigh(sigma)
    upper = np.linalg.qr((vectors * np.sqrt(np.maximum(values, 0.0))).T, mode="r")
    return np.asarray(upper).T * np.where(np.diag(upper) < 0, -1.0, 1.0)
