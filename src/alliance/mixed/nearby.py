"""Fits without single groups, a few Newton steps from the optimum of the whole.

T and log|V| without a group are known at the optimum with two derivatives
(`alliance.mixed.forms`); near it they are taken to be the quadratic functions of the covariances
that have these derivatives. The criterion of `alliance.mixed.criterion` is then minimised by
Newton's method, for many groups at a time, without another look at the data. What is neglected is
of third order in the change of the covariances. How much that is shows where the steps lead: each
quantity is read off at the optimum of the whole, after one step and at the end, and its `error` is

    2 (|end - one step| + |end - start| / 10) :

one exact Newton step and the end on the quadratic err by the same order, in different ways.
`docs/diagnostics.md` compares them with full refits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from alliance.mixed.covariance import Layout
from alliance.mixed.criterion import Criterion
from alliance.mixed.forms import Forms, FormsWithout
from alliance.mixed.result import MixedFit
from alliance.mixed.tables import t_quantile

STEPS = 5
"""Newton steps on the quadratic; after that a group is left to a full refit."""

ENDED = 1e-10
"""Another step that would gain less in -2 log L moves nothing that anybody reads."""

DIFFERENCE = 1e-3
FLAT = 1e-3
"""Step of third derivatives, and the slope of the covariances below which there is none."""

FARTHEST = 1.0
"""A longer step of the covariances' factors (in residual SDs) is no small change."""

KNOWN = 1e-8
"""Share of a fixed column that the others must leave of it, as in `alliance.mixed.checks`."""


@dataclass(frozen=True, slots=True)
class Third:
    """Third derivatives of T and log|V| of all data at the optimum.

    They are differences of the second ones along the factors, where a variance of zero is no
    boundary; a change of the covariances is carried there by the inverse of the Jacobian.

    Attributes
    ----------
    layout : Layout
    centre : numpy.ndarray
        Covariances at the optimum, shape (m,).
    back : numpy.ndarray
        Generalised inverse of the Jacobian, shape (m, m).
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
        t, log_det = [], []
        for step in DIFFERENCE * np.eye(len(theta)):
            high, low = (problem.quadratic_form(point, 2, full=True)
                         for point in (theta + step, theta - step))  # fmt: skip
            assert high.t_second is not None and low.t_second is not None
            assert high.log_det_second is not None and low.log_det_second is not None
            t.append((high.t_second - low.t_second) / (2.0 * DIFFERENCE))
            log_det.append((high.log_det_second - low.log_det_second) / (2.0 * DIFFERENCE))
        back = np.linalg.pinv(problem.layout.jacobian(theta), rcond=FLAT)
        centre = problem.layout.covariances(theta)
        return cls(problem.layout, centre, back, np.array(t), np.array(log_det))

    def change(self, theta: np.ndarray) -> np.ndarray:
        """Change of the covariances at other parameters, shape (n, m)."""
        return self.layout.covariances(theta) - self.centre

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
        return np.einsum("nij,nj->ni", self.unscaled, self.t[:, self.criterion.fixed, -1])

    @cached_property
    def degrees(self) -> np.ndarray:
        """Degrees of freedom of the residual sum of squares, shape (n,)."""
        fixed = len(self.criterion.fixed) if self.criterion.reml else 0
        return np.maximum(self.rows - fixed, 1)

    @cached_property
    def sigma2(self) -> np.ndarray:
        """Residual variance, shape (n,)."""
        t_xy = self.t[:, self.criterion.fixed, -1]
        rss = self.t[:, -1, -1] - np.einsum("ni,ni->n", t_xy, self.coefficients)
        return np.where(rss > 0, rss, 1.0) / self.degrees

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
        return np.einsum("nikl,nl->nik", self.t_first, w)

    @cached_property
    def _rss_first(self) -> np.ndarray:
        """Derivatives of the residual sum of squares, shape (n, m)."""
        x = self.criterion.fixed
        at_fixed = np.einsum("nik,nk->ni", self._slopes[:, :, x], self.coefficients)
        return self._slopes[:, :, -1] - at_fixed

    @cached_property
    def _phi_t(self) -> np.ndarray:
        """Phi T_i of the fixed columns, shape (n, m, p, p)."""
        x = self.criterion.fixed
        return self.unscaled[:, None] @ self.t_first[:, :, x[:, None], x]

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
        """
        gradient, hessian = self.expansion
        good = self.known & np.isfinite(gradient).all(axis=1)
        good &= np.isfinite(hessian).all(axis=(1, 2))
        values, vectors = np.linalg.eigh(np.where(good[:, None, None], hessian, 0.0))
        slope = np.einsum("nij,ni->nj", vectors, np.where(good[:, None], gradient, 0.0))
        floor = 1e-9 * np.abs(values).max(axis=1, keepdims=True)
        flat = (np.abs(values) <= floor) & (np.abs(slope) <= 1e-7 * np.maximum(1.0, floor * 1e9))
        step = np.where(flat, 0.0, -slope / np.where(flat | (values <= floor), 1.0, values))
        good &= ((values > floor) | flat).all(axis=1)
        good &= np.linalg.norm(step, axis=1) <= FARTHEST
        gain = -0.5 * np.einsum("ni,ni->n", slope, step)
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
        return 2.0 * (vectors * inverse[:, None, :]) @ vectors.swapaxes(1, 2)

    def degrees_of_freedom(self, contrasts: np.ndarray) -> np.ndarray:
        """Satterthwaite's, of linear combinations of the internal fixed effects, shape (n, c)."""
        x = self.criterion.fixed
        u = self.unscaled @ contrasts.T
        variance = np.einsum("cp,npc->nc", contrasts, u) * self.sigma2[:, None]
        t_xx = self.t_first[:, :, x[:, None], x]
        slope = -np.einsum("npc,nipq,nqc->nci", u, t_xx, u, optimize=True)
        slope = slope @ self._jacobian * self.sigma2[:, None, None]
        slope = np.concatenate([slope, variance[:, :, None]], axis=2)
        spread = np.einsum("nci,nij,ncj->nc", slope, self.parameter_covariance, slope)
        return 2.0 * variance**2 / np.where(spread > 0, spread, np.nan)


@dataclass(frozen=True, slots=True)
class Ends:
    """Where the criterion without each group has its minimum, to two orders.

    Attributes
    ----------
    rough, fine : Points
        With T and log|V| taken as quadratic and as cubic in the covariances.
    arrived : numpy.ndarray
        Whether there is a minimum near by, shape (n,).
    """

    rough: Points
    fine: Points
    arrived: np.ndarray

    def read(self, quantity: Callable[[Points], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Give a quantity, and what it may be in error: what the third order made of it."""
        fine = quantity(self.fine)
        return fine, np.abs(fine - quantity(self.rough))


def nearby(fit: MixedFit, groups: Sequence[np.ndarray]) -> Iterator[Ends]:
    """Fit without each group of clients, some groups at a time.

    Parameters
    ----------
    fit : MixedFit
    groups : sequence of array of int
        Places of the clients of each in `fit.prepared.nesting`.
    """
    third = Third.of(fit)
    for forms in FormsWithout(fit)(groups):
        centre = np.tile(fit.optimum.theta, (len(forms.rows), 1))
        rough, _ = _minimise(fit.criterion, forms, replace(third, t=0.0*third.t, log_det=0.0*third.log_det), centre)
        fine, arrived = _minimise(fit.criterion, forms, third, centre)
        yield Ends(rough, fine, arrived)


def _minimise(
    criterion: Criterion, forms: Forms, third: Third, theta: np.ndarray
) -> tuple[Points, np.ndarray]:
    """Take Newton steps; a group that has none to take stays."""
    points = Points.at(criterion, forms, third, theta)
    for _ in range(STEPS):
        step, gain, good = points.newton()
        arrived = good & (gain < ENDED)
        if arrived.all():
            break
        points = Points.at(criterion, forms, third, points.theta + np.where(good[:, None], step, 0.0))
    return points, arrived


def _dot(d: np.ndarray, stacks: np.ndarray) -> np.ndarray:
    """Sum over i of d[n, i] stacks[n, i, ...]."""
    n, m = d.shape
    flat = d[:, None] @ stacks.reshape(n, m, -1)
    return flat.reshape(n, *stacks.shape[2:])
