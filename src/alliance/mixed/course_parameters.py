"""Parameters of residual dynamics: a stationary vector autoregression and errors of measurement.

    w_t+1 = Phi w_t + e_t,   Cov(w_t) = V = L L',   y_t = ... + w_t + m_t,   Cov(m_t) = E diagonal.

In the coordinates z = L^-1 w the stationary covariance is the identity, and the coefficients are
A = L^-1 Phi L. The innovations have covariance I - A A', so the process is stationary exactly if
the largest singular value of A is below 1; then Phi, which has A's eigenvalues, is stable. In
continuous time dz = D z dt + ..., A(d) = expm(D d), and the condition is that D + D' is negative
definite. A and D are the parameters; outside their region the likelihood is not defined.

A distance of d sessions has A^d. With groups the coefficients are those of the group of the later
session. Groups that clients belong to for good have a covariance V of their own too; where a client
passes from one group to another, V is common.

E is free, by its square roots, or fixed by reliability: E_aa = V_aa (1 - r_a) / r_a, so that r_a is
the share of V in the variance within clients.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alliance.mixed.covariance import pair_index, triangle
from alliance.mixed.jets import Jet, exponential, powers, stack
from alliance.mixed.outcome_covariance import FARTHEST, OutcomeCovariance

EDGE = 1e-9
"""Distance from the edge of stationarity below which the likelihood is not computed."""

FASTEST = 50.0
"""Largest drift per unit of time: beyond it nothing is carried over from one session to another."""


@dataclass
class CourseParameters:
    """Places and meaning of the residual parameters rho.

    They stand in the order: V of the first group (relative to its first variance), A or D of each
    group, V of the other groups where they have one, roots of free error variances.

    Attributes
    ----------
    outcomes : tuple of str
    groups : list
        Values of the grouping column; empty for one group.
    by_client : bool
        Whether clients stay in their group, which then has a V of its own.
    continuous : bool
    unit : float
        Length of time that D refers to (continuous time): the median distance of sessions.
    mean_lag : float
        Mean distance of neighbouring sessions.
    error : {"none", "fixed", "free"}
    error_ratio : numpy.ndarray
        E_aa / V_aa where it is fixed, shape (outcomes,).
    """

    outcomes: tuple[str, ...]
    groups: list[Any]
    by_client: bool
    continuous: bool
    unit: float
    mean_lag: float
    error: str
    error_ratio: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        """Make the covariance's own parameters."""
        self.within = OutcomeCovariance(self.outcomes)

    @property
    def p(self) -> int:
        """Number of outcomes."""
        return len(self.outcomes)

    @property
    def n_dynamics(self) -> int:
        """Number of coefficient matrices A or D."""
        return max(len(self.groups), 1)

    @property
    def n_within(self) -> int:
        """Number of covariances V."""
        return self.n_dynamics if self.by_client else 1

    @property
    def n_parameters(self) -> int:
        """Residual parameters beside sigma."""
        return int(self.error_place.stop)

    def within_place(self, group: int) -> slice:
        """Parameters of V of a group."""
        first, size = self.within.n_parameters, self.p * (self.p + 1) // 2
        if group == 0:
            return slice(0, first)
        start = first + self.n_dynamics * self.p**2 + (group - 1) * size
        return slice(start, start + size)

    def dynamics_place(self, group: int) -> slice:
        """Parameters of A or D of a group."""
        start = self.within.n_parameters + group * self.p**2
        return slice(start, start + self.p**2)

    @property
    def error_place(self) -> slice:
        """Roots of the error variances."""
        start = self.within.n_parameters + self.n_dynamics * self.p**2
        start += (self.n_within - 1) * self.p * (self.p + 1) // 2
        return slice(start, start + (self.p if self.error == "free" else 0))

    def start(self) -> np.ndarray:
        """Equal variances, no correlation; A = 0.3 I, or 0.4 I at the mean distance."""
        rho = np.zeros(self.n_parameters)
        own = np.log(0.4) * self.unit / self.mean_lag if self.continuous else 0.3
        for group in range(self.n_dynamics):
            rho[self.dynamics_place(group)] = (own * np.eye(self.p)).ravel()
        rho[self.error_place] = 0.3
        return rho

    def in_range(self, rho: np.ndarray) -> bool:
        """Whether every V is a covariance in range and every process stationary."""
        if not np.isfinite(rho).all() or not self.within.in_range(rho[self.within_place(0)]):
            return False
        for group in range(1, self.n_within):
            if (np.abs(rho[self.within_place(group)]) > FARTHEST).any():
                return False
        return all(self.distance_from_edge(rho, group) > EDGE for group in range(self.n_dynamics))

    def distance_from_edge(self, rho: np.ndarray, group: int) -> float:
        """1 - largest singular value of A; in continuous time of -(D + D') / 2, out of range -1."""
        own = rho[self.dynamics_place(group)].reshape(self.p, self.p)
        if not self.continuous:
            return 1.0 - float(np.linalg.norm(own, 2))
        if np.abs(own).max() > FASTEST:
            return -1.0
        return -float(np.linalg.eigvalsh(0.5 * (own + own.T))[-1])

    def boundary(self, rho: np.ndarray) -> tuple[str, ...]:
        """Name the residual components that are at zero."""
        return tuple(
            f"residual: error variance of '{name}' is 0"
            for name, root in zip(self.outcomes, rho[self.error_place], strict=False)
            if root == 0.0
        )

    # ------------------------------------------------------------------ matrices at rho

    def factor(self, rho: np.ndarray, group: int = 0) -> np.ndarray:
        """L of a group, relative to sigma."""
        if group == 0 or self.n_within == 1:
            return self.within.factor(rho[self.within_place(0)])
        factor = np.zeros((self.p, self.p))
        factor[triangle(self.p)] = rho[self.within_place(group)]
        np.fill_diagonal(factor, np.exp(np.diag(factor)))
        return factor

    def relative(self, rho: np.ndarray, group: int = 0) -> np.ndarray:
        """V of a group, relative to sigma^2."""
        factor = self.factor(rho, group)
        return np.asarray(factor @ factor.T)

    def errors(self, rho: np.ndarray, group: int = 0) -> np.ndarray:
        """Error variances relative to sigma^2, shape (outcomes,)."""
        if self.error == "free":
            return rho[self.error_place] ** 2
        return self.error_ratio * np.diag(self.relative(rho, group))

    def coefficients(self, rho: np.ndarray, group: int, distance: float = 1.0) -> np.ndarray:
        """Phi over a distance (sessions, or units of time), on the engine's scale."""
        lags = np.array([distance])
        own = self.transitions(rho, lags, 0).value[group]
        factor = self.factor(rho, group)
        return np.asarray(factor @ own @ np.linalg.inv(factor))

    def drift(self, rho: np.ndarray, group: int) -> np.ndarray:
        """Drift matrix per unit of time, on the engine's scale (continuous time)."""
        own = rho[self.dynamics_place(group)].reshape(self.p, self.p) / self.unit
        factor = self.factor(rho, group)
        return factor @ own @ np.linalg.inv(factor)

    # ------------------------------------------------------------------ with derivatives
    # n is the number of parameters, or 0 for values alone.

    def factors(self, rho: np.ndarray, n: int) -> Jet:
        """L of every covariance, shape (n_within, p, p)."""
        rows, cols = triangle(self.p)
        jets = []
        for group in range(self.n_within):
            jet = Jet.constant(self.factor(rho, group), n)
            skipped = 1 if group == 0 else 0
            places = range(self.within_place(group).start, self.within_place(group).stop)
            for k, a, b in zip(places, rows[skipped:], cols[skipped:], strict=True) if n else ():
                jet.first[k, a, b] = 1.0
                if a == b:
                    jet.first[k, a, a] = jet.second[pair_index(k, k), a, a] = jet.value[a, a]
            jets.append(jet)
        return stack(jets)

    def transitions(self, rho: np.ndarray, lags: np.ndarray, n: int) -> Jet:
        """A over every distance and group; place is lag * groups + group."""
        p = self.p
        found = []
        for group in range(self.n_dynamics):
            place = self.dynamics_place(group)
            own = Jet.constant(rho[place].reshape(p, p), n)
            if n:
                own.first[place] = np.eye(p * p).reshape(p * p, p, p)
            if self.continuous:
                found.append(exponential(_times(own, lags / self.unit)))
            else:
                found.append(powers(own, [int(lag) for lag in lags]))
        by_group = stack(found)
        count = len(lags) * self.n_dynamics
        return Jet(
            *(
                part.swapaxes(-4, -3).reshape(*part.shape[:-4], count, p, p)
                for part in by_group.parts
            )
        )

    def error_matrices(self, rho: np.ndarray, within: Jet, n: int) -> Jet:
        """E of every covariance; `within` are the jets of V."""
        if self.error != "free":
            return within * np.diag(self.error_ratio)
        roots = rho[self.error_place]
        jet = Jet.constant(np.diag(roots**2), n)
        for a, k in enumerate(range(self.error_place.start, self.error_place.stop) if n else ()):
            jet.first[k, a, a] = 2.0 * roots[a]
            jet.second[pair_index(k, k), a, a] = 2.0
        return stack([jet] * self.n_within)


def _times(matrix: Jet, numbers: np.ndarray) -> Jet:
    """Stack of one matrix times several numbers."""
    by = numbers[:, None, None]
    return Jet(matrix.value * by, matrix.first[:, None] * by, matrix.second[:, None] * by)
