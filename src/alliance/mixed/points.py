"""The criterion of several data sets near the optimum of the whole, each at its own parameters.

T and log|V| without a group are known at the optimum with two derivatives
(`alliance.mixed.forms`), and with the third ones of the whole. Near the optimum they are taken to
be the functions of the covariances that have these derivatives; the criterion is that of
`alliance.mixed.criterion`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from alliance.mixed.covariance import Layout
from alliance.mixed.criterion import Criterion
from alliance.mixed.forms import Forms
from alliance.mixed.result import MixedFit

DIFFERENCE = 1e-3
OFF_BOUNDARY = 0.05
"""Step of third derivatives, and the least deviation (in residual SDs) that they are taken at."""

KICK = 0.02
"""How far a standard deviation of zero is moved (in residual SDs) where it should not be zero."""

FARTHEST = 1.0
"""A longer step of the covariances' factors (in residual SDs) is no small change."""

KNOWN = 1e-8
"""Share of a fixed column that the others must leave of it, as in `alliance.mixed.checks`."""


@dataclass(frozen=True, slots=True)
class Third:
    """Third derivatives of T and log|V| of all data at the optimum.

    They are differences of the second ones along the factors, taken a little off the boundary of
    variances of zero, where the factors' Jacobian has an inverse.

    Attributes
    ----------
    layout : Layout
    centre : numpy.ndarray
        Covariances at the optimum, shape (m,).
    back : numpy.ndarray
        Inverse of the Jacobian, shape (m, m).
    t, log_det : numpy.ndarray
        Shapes (m, m, m, K, K) and (m, m, m), the direction first.
    """

    layout: Layout
    centre: np.ndarray
    back: np.ndarray
    t: np.ndarray
    log_det: np.ndarray

    @classmethod
    def of(cls, fit: MixedFit) -> Third:
        """Difference the second derivatives of a fit."""
        problem, theta = fit.criterion.problem, fit.optimum.theta
        layout = problem.layout
        factors = layout.factors(theta)
        for factor in factors:
            np.fill_diagonal(factor, np.maximum(np.diag(factor), OFF_BOUNDARY))
        inside = layout.from_factors(factors, theta[: layout.n_residual])
        t, log_det = [], []
        for step in DIFFERENCE * np.eye(len(theta)):
            high, low = (problem.quadratic_form(point, 2, full=True)
                         for point in (inside + step, inside - step))  # fmt: skip
            assert high.t_second is not None and low.t_second is not None
            assert high.log_det_second is not None and low.log_det_second is not None
            t.append((high.t_second - low.t_second) / (2.0 * DIFFERENCE))
            log_det.append((high.log_det_second - low.log_det_second) / (2.0 * DIFFERENCE))
        back = np.linalg.inv(layout.jacobian(inside))
        return cls(layout, layout.covariances(theta), back, np.array(t), np.array(log_det))

    @property
    def nil(self) -> Third:
        """The same without third derivatives."""
        return replace(self, t=0.0 * self.t, log_det=0.0 * self.log_det)

    def change(self, theta: np.ndarray) -> np.ndarray:
        """Change of the covariances at other parameters, shape (n, m)."""
        return np.asarray(self.layout.covariances(theta) - self.centre)

    def along(self, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Change of the second derivatives, shapes (n, m, m, K, K) and (n, m, m)."""
        way = d @ self.back.T
        return np.tensordot(way, self.t, axes=1), np.tensordot(way, self.log_det, axes=1)


@dataclass(frozen=True)
class Points:
    """The criterion of several data sets, each at its own parameters.

    Attributes
    ----------
    criterion : Criterion
        Of the whole fit: which columns are fixed, which criterion, the places of parameters.
    theta : numpy.ndarray
        Parameters, shape (n, m).
    rows : numpy.ndarray
        Shape (n,).
    t, t_first, t_second, log_det_first, log_det_second : numpy.ndarray
        As in `alliance.mixed.forms.Forms`, at these parameters.
    """

    criterion: Criterion
    theta: np.ndarray
    rows: np.ndarray
    t: np.ndarray
    t_first: np.ndarray
    t_second: np.ndarray
    log_det_first: np.ndarray
    log_det_second: np.ndarray

    @classmethod
    def at(cls, criterion: Criterion, forms: Forms, third: Third, theta: np.ndarray) -> Points:
        """Carry forms at one point to `theta` (n, m)."""
        d = third.change(theta)
        t_twist, log_det_twist = third.along(d)
        return cls(
            criterion,
            theta,
            forms.rows,
            forms.t + _dot(d, forms.t_first + 0.5 * _dot(d, forms.t_second + t_twist / 3.0)),
            forms.t_first + _dot(d, forms.t_second + 0.5 * t_twist),
            forms.t_second + t_twist,
            forms.log_det_first + _dot(d, forms.log_det_second + 0.5 * log_det_twist),
            forms.log_det_second + log_det_twist,
        )

    # ------------------------------------------------------------------ fixed effects

    @cached_property
    def known(self) -> np.ndarray:
        """Whether the fixed columns can be told apart, shape (n,)."""
        t_xx = self._t_xx
        size = np.diagonal(t_xx, axis1=1, axis2=2)
        root = np.sqrt(np.maximum(size, 1e-300))
        lowest = np.linalg.eigvalsh(t_xx / (root[:, :, None] * root[:, None, :]))[:, 0]
        return np.asarray((size > 0).all(axis=1) & (lowest > KNOWN))

    @property
    def _t_xx(self) -> np.ndarray:
        x = self.criterion.fixed
        return self.t[:, x[:, None], x]

    @cached_property
    def unscaled(self) -> np.ndarray:
        """(X' V^-1 X)^-1, shape (n, p, p); of what is not known, anything."""
        t_xx = np.where(self.known[:, None, None], self._t_xx, np.eye(len(self.criterion.fixed)))
        return np.asarray(np.linalg.inv(t_xx))

    @cached_property
    def coefficients(self) -> np.ndarray:
        """Internal fixed effects, shape (n, p)."""
        return np.asarray(
            np.einsum("nij,nj->ni", self.unscaled, self.t[:, self.criterion.fixed, -1])
        )

    @cached_property
    def degrees(self) -> np.ndarray:
        """Degrees of freedom of the residual sum of squares, shape (n,)."""
        fixed = len(self.criterion.fixed) if self.criterion.reml else 0
        return np.asarray(np.maximum(self.rows - fixed, 1))

    @cached_property
    def sigma2(self) -> np.ndarray:
        """Residual variance, shape (n,)."""
        t_xy = self.t[:, self.criterion.fixed, -1]
        rss = self.t[:, -1, -1] - np.einsum("ni,ni->n", t_xy, self.coefficients)
        return np.asarray(np.where(rss > 0, rss, 1.0) / self.degrees)

    # ------------------------------------------------------------------ covariance parameters

    @cached_property
    def _jacobian(self) -> np.ndarray:
        return self.criterion.problem.layout.jacobian(self.theta)

    @cached_property
    def _slopes(self) -> np.ndarray:
        """T_i (-b, 1)', shape (n, m, K)."""
        w = np.zeros((len(self.theta), self.t.shape[1]))
        w[:, self.criterion.fixed] = -self.coefficients
        w[:, -1] = 1.0
        return np.asarray(np.einsum("nikl,nl->nik", self.t_first, w))

    @cached_property
    def _rss_first(self) -> np.ndarray:
        """Derivatives of the residual sum of squares, shape (n, m)."""
        x = self.criterion.fixed
        at_fixed = np.einsum("nik,nk->ni", self._slopes[:, :, x], self.coefficients)
        return np.asarray(self._slopes[:, :, -1] - at_fixed)

    @cached_property
    def _phi_t(self) -> np.ndarray:
        """Phi T_i of the fixed columns, shape (n, m, p, p)."""
        x = self.criterion.fixed
        return np.asarray(self.unscaled[:, None] @ self.t_first[:, :, x[:, None], x])

    @cached_property
    def expansion(self) -> tuple[np.ndarray, np.ndarray]:
        """Gradient (n, m) and Hessian (n, m, m) in the factors, the residual variance profiled out.

        The formulas of `alliance.mixed.criterion`.
        """
        x, s2 = self.criterion.fixed, self.sigma2[:, None, None]
        n, m = self.theta.shape
        w = np.zeros((n, self.t.shape[1]))
        w[:, x], w[:, -1] = -self.coefficients, 1.0
        omega = w[:, :, None] * w[:, None, :] / s2
        gradient = self.log_det_first + self._rss_first / self.sigma2[:, None]
        if self.criterion.reml:
            omega[:, x[:, None], x] += self.unscaled
            gradient = gradient + np.trace(self._phi_t, axis1=2, axis2=3)
        pairs = self.t_second.reshape(n, m * m, -1) @ omega.reshape(n, -1, 1)
        across = self._slopes[:, :, x]
        hessian = (
            self.log_det_second
            + pairs.reshape(n, m, m)
            - 2.0 * across @ self.unscaled @ across.swapaxes(1, 2) / s2
            - self._rss_first[:, :, None] * self._rss_first[:, None, :]
            / (s2**2 * self.degrees[:, None, None])
        )  # fmt: skip
        if self.criterion.reml:
            flat = self._phi_t.reshape(n, m, -1)
            turned = self._phi_t.swapaxes(2, 3).reshape(n, m, -1)
            hessian -= flat @ turned.swapaxes(1, 2)
        jacobian = self._jacobian
        return (
            np.einsum("nij,ni->nj", jacobian, gradient),
            jacobian.swapaxes(1, 2) @ hessian @ jacobian
            + self.criterion.problem.layout.curvature(gradient),
        )

    def newton(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Newton steps (n, m), what they would gain (n,), and whether there is one to take (n,).

        Directions without slope and curvature are left alone, as in `alliance.mixed.optimise`.
        Along negative curvature a step goes downhill, or leaves a variance of zero by `KICK`: there
        is no minimum yet, and the gain is infinite.
        """
        gradient, hessian = self.expansion
        good = self.known & np.isfinite(gradient).all(axis=1)
        good &= np.isfinite(hessian).all(axis=(1, 2))
        values, vectors = np.linalg.eigh(np.where(good[:, None, None], hessian, 0.0))
        slope = np.einsum("nij,ni->nj", vectors, np.where(good[:, None], gradient, 0.0))
        scale = np.abs(values).max(axis=1, keepdims=True)
        level = np.abs(values) <= 1e-9 * scale
        flat = level & (np.abs(slope) <= 1e-7 * np.maximum(1.0, scale))
        step = np.where(flat, 0.0, -slope / np.where(level, 1.0, np.abs(values)))
        up = (values < 0.0) & ~flat
        step = np.where(up & (np.abs(step) < KICK), np.where(step < 0.0, -KICK, KICK), step)
        good &= (flat | ~level).all(axis=1) & (np.linalg.norm(step, axis=1) <= FARTHEST)
        gain = np.where(up.any(axis=1), np.inf, -0.5 * np.einsum("ni,ni->n", slope, step))
        return np.einsum("nij,nj->ni", vectors, step), gain, good

    @cached_property
    def parameter_covariance(self) -> np.ndarray:
        """Of (factors and residual parameters, log sigma^2), shape (n, m + 1, m + 1).

        As in `alliance.mixed.degrees_of_freedom`: twice the inverse of the Hessian.
        """
        n, m = self.theta.shape
        slope = -self._rss_first / self.sigma2[:, None]
        slope = np.einsum("nij,ni->nj", self._jacobian, slope)
        full = np.empty((n, m + 1, m + 1))
        across = slope[:, :, None] * slope[:, None, :]
        full[:, :m, :m] = self.expansion[1] + across / self.degrees[:, None, None]
        full[:, :m, m] = full[:, m, :m] = slope
        full[:, m, m] = self.degrees
        values, vectors = np.linalg.eigh(full)
        keep = values > 1e-10 * values.max(axis=1, keepdims=True)
        inverse = np.where(keep, 1.0 / np.where(keep, values, 1.0), 0.0)
        return np.asarray(2.0 * (vectors * inverse[:, None, :]) @ vectors.swapaxes(1, 2))

    def contrasts(
        self, fit: MixedFit, matrix: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Linear combinations of the fixed effects on the user's scale.

        Parameters
        ----------
        fit : MixedFit
            Whose neighbours these are.
        matrix : array (c, p)

        Returns
        -------
        estimate, se, df : numpy.ndarray
            Shapes (n, c); degrees of freedom are Satterthwaite's, or infinite as in the fit.
        """
        x, internal = self.criterion.fixed, matrix @ fit.estimate.to_user
        ours = fit.optimum.expansion.profile.coefficients
        moved = (self.coefficients - ours) @ internal.T
        u = self.unscaled @ internal.T
        variance = np.einsum("cp,npc->nc", internal, u) * self.sigma2[:, None]
        df = np.full(variance.shape, np.inf)
        if fit.prepared.specification.df != "none":
            t_xx = self.t_first[:, :, x[:, None], x]
            slope = -np.einsum("npc,nipq,nqc->nci", u, t_xx, u, optimize=True)
            slope = slope @ self._jacobian * self.sigma2[:, None, None]
            slope = np.concatenate([slope, variance[:, :, None]], axis=2)
            spread = np.einsum("nci,nij,ncj->nc", slope, self.parameter_covariance, slope)
            df = np.where(spread > 0, 2.0 * variance**2 / np.where(spread > 0, spread, 1.0), df)
        return matrix @ fit.estimate.coefficients + moved, np.sqrt(variance), df


def _dot(d: np.ndarray, stacks: np.ndarray) -> np.ndarray:
    """Sum over i of d[n, i] stacks[n, i, ...]."""
    n, m = d.shape
    flat = d[:, None] @ stacks.reshape(n, m, -1)
    return np.asarray(flat.reshape(n, *stacks.shape[2:]))
