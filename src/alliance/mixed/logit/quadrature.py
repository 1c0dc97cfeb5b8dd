"""Adaptive Gauss-Hermite quadrature for one level of random intercepts.

Per group, with mode u and N = 1 + sd^2 A there, Q nodes t_q and weights omega_q for the standard
normal density (Liu & Pierce 1994; Pinheiro & Bates 1995):

    -log L_c = -log(tau) - log sum_q omega_q exp(t_q^2 / 2 + l_c(sd u_q) - u_q^2 / 2),
    tau = N^(-1/2),   u_q = u + t_q tau.

One node is the Laplace approximation. The gradient is exact: the nodes move with the parameters
through u and tau. The Hessian for the standard errors is taken from central differences of it; on
the way to the optimum the exact Hessian of the Laplace approximation, which is near, takes its
place and saves most of the work.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from alliance.errors import FitError
from alliance.mixed.logit.laplace import RAN_OFF, Expansion, Laplace, Mode
from alliance.mixed.logit.products import per_row, row_sums
from alliance.mixed.logit.quadrature_kernels import quadrature_sums

DIFFERENCE = 1e-4
"""Step of the central differences in internal units; their error is of its square."""

MOST_POINTS = 101


@dataclass(slots=True)
class Quadrature:
    """The criterion with adaptive quadrature.

    Attributes
    ----------
    laplace : Laplace
        Finds the modes; has one level.
    points : int
        Number of nodes Q.
    differences : bool
        Take the Hessian from differences, not from the Laplace approximation.
    """

    laplace: Laplace
    points: int
    differences: bool = False

    @property
    def evaluations(self) -> int:
        """Evaluations so far."""
        return self.laplace.evaluations

    def at(self, psi: np.ndarray, effects: np.ndarray | None = None) -> Mode | None:
        """Find the modes at a point."""
        return self.laplace.at(psi, effects)

    def value(self, mode: Mode) -> float:
        """Negative log-likelihood."""
        return self._sums(mode).value

    def expand(self, mode: Mode) -> Expansion:
        """Exact gradient; Hessian of the Laplace approximation, or central differences."""
        value, gradient, effects = self._gradient(mode)
        if not self.differences:
            return Expansion(mode, value, gradient, self.laplace.expand(mode).hessian, effects)
        m = len(gradient)
        hessian = np.empty((m, m))
        for k in range(m):
            ends = []
            for sign in (1.0, -1.0):
                move = np.zeros(m)
                move[k] = sign * DIFFERENCE
                near = self.at(mode.psi + move, mode.effects + per_row(effects, move))
                if near is None:
                    raise FitError(RAN_OFF)
                ends.append(self._gradient(near)[1])
            hessian[k] = (ends[0] - ends[1]) / (2.0 * DIFFERENCE)
        return Expansion(mode, value, gradient, 0.5 * (hessian + hessian.T), effects)

    def _sums(self, mode: Mode) -> _NodeSums:
        sd = float(mode.sd[0])
        nodes, weights = hermegauss(self.points)
        tau = 1.0 / np.sqrt(mode.elimination.pivot)
        u = mode.effects[:, None] + tau[:, None] * nodes
        prior = np.log(weights / weights.sum()) + 0.5 * nodes**2 - 0.5 * u**2
        n, p = len(tau), self.laplace.n_fixed
        summed = _NodeSums(
            nodes, tau, u, np.empty(n), np.empty(u.shape), np.empty(u.shape), np.zeros(p)
        )
        quadrature_sums(
            self.laplace.leaves, mode.fixed, sd * u, prior, summed.log_sum, summed.share,
            summed.score, summed.slope,
        )  # fmt: skip
        return summed

    def _gradient(self, mode: Mode) -> tuple[float, np.ndarray, np.ndarray]:
        """Value, gradient, and derivatives of the modes."""
        first = self.laplace.sensitivity(mode)
        summed = self._sums(mode)
        sd, p = float(mode.sd[0]), self.laplace.n_fixed
        pivot_slope = sd**2 * first.weight
        pivot_slope[:, p] += 2.0 * sd * mode.weight
        log_tau = -0.5 * pivot_slope / mode.elimination.pivot[:, None]
        # u_q' = u' + t_q tau', and the path of a node is sd u_q
        force = sd * summed.score - summed.u
        share = summed.share
        gradient = -np.sum(log_tau, axis=0)
        gradient -= row_sums(first.effects, np.sum(share * force, axis=1))
        gradient -= row_sums(
            summed.tau[:, None] * log_tau, np.sum(share * force * summed.nodes, axis=1)
        )
        gradient[p] -= float(np.sum(share * summed.score * summed.u))
        gradient[:p] -= summed.slope
        return summed.value, gradient, first.effects


@dataclass(frozen=True, slots=True)
class _NodeSums:
    """Sums over the rows at the nodes, as `quadrature_sums` fills them."""

    nodes: np.ndarray
    tau: np.ndarray
    u: np.ndarray
    log_sum: np.ndarray
    share: np.ndarray
    score: np.ndarray
    slope: np.ndarray

    @property
    def value(self) -> float:
        """Negative log-likelihood."""
        return -float(np.sum(self.log_sum) + np.sum(np.log(self.tau)))
