"""-log L of structural models in their parameters: value, gradient and second derivatives, exact.

A likelihood knows the moments of its blocks (groups, or levels) only; `Objective` lays the
structures over it by the chain rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from alliance.sem import kernels
from alliance.sem.sample import Sample
from alliance.sem.structure import Implied, Structure

Moments = tuple[np.ndarray, np.ndarray]
"""Means (p,) and covariance (p, p) of a block."""

VALUE, GRADIENT, OBSERVED, EXPECTED = 0, 1, 2, 3
"""How far to expand; the last two are kinds of second derivatives."""


class Curvature(Protocol):
    """Second derivatives by the stacked (mu, vech Sigma) of some blocks."""

    def matrix(self) -> np.ndarray:
        """Return them as a matrix."""

    def quadratic(self, jacobian: np.ndarray) -> np.ndarray:
        """Return J'HJ for directions J."""


@dataclass(frozen=True, slots=True)
class Dense:
    """Second derivatives that are there as a matrix."""

    whole: np.ndarray

    def matrix(self) -> np.ndarray:
        """Return them as a matrix."""
        return self.whole

    def quadratic(self, jacobian: np.ndarray) -> np.ndarray:
        """Return J'HJ for directions J."""
        return np.asarray(jacobian.T @ self.whole @ jacobian)


@dataclass(frozen=True, slots=True)
class MomentExpansion:
    """-log L in the moments of the blocks.

    Attributes
    ----------
    value : float
    gradients : list of (by_mu, by_sigma)
        by_sigma is the symmetric G of d(-log L) = tr(G dSigma).
    second : list of (blocks, Curvature)
        Second derivatives by the stacked (mu, vech Sigma) of the named blocks.
    """

    value: float
    gradients: list[Moments]
    second: list[tuple[tuple[int, ...], Curvature]]


class Likelihood(Protocol):
    """What an objective needs to know of the data."""

    @property
    def n(self) -> int:
        """Independent units."""

    @property
    def constant(self) -> float:
        """Part of -log L that no parameter changes: values / 2 log 2 pi."""

    def expand(self, moments: Sequence[Moments], order: int) -> MomentExpansion:
        """Expand -log L (without the constant) at the moments."""

    def scores(self, moments: Sequence[Moments]) -> list[tuple[tuple[int, ...], np.ndarray]]:
        """Score of every independent unit by the moments of the named blocks."""


class GroupLikelihood:
    """Independent groups, each with its own moments and missing values (full information)."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.samples = tuple(samples)

    @property
    def n(self) -> int:
        """Rows of all groups."""
        return sum(sample.n for sample in self.samples)

    @property
    def constant(self) -> float:
        """Values / 2 log 2 pi."""
        values = sum(int((sample.count * sample.size).sum()) for sample in self.samples)
        return 0.5 * values * float(np.log(2.0 * np.pi))

    def expand(self, moments: Sequence[Moments], order: int) -> MomentExpansion:
        """Expand -log L at the moments, group by group."""
        value = 0.0
        gradients: list[Moments] = []
        second: list[tuple[tuple[int, ...], Curvature]] = []
        for g, (sample, (mu, sigma)) in enumerate(zip(self.samples, moments, strict=True)):
            own, by_mu, by_sigma, information = kernels.expand(
                np.ascontiguousarray(mu), np.ascontiguousarray(sigma), sample.patterns(), order
            )
            value += own
            gradients.append((by_mu, by_sigma))
            second.append(((g,), Dense(information)))
        return MomentExpansion(value, gradients, second)

    def scores(self, moments: Sequence[Moments]) -> list[tuple[tuple[int, ...], np.ndarray]]:
        """Score of every row; of every cluster if the sample has clusters."""
        out: list[tuple[tuple[int, ...], np.ndarray]] = []
        for g, (sample, (mu, sigma)) in enumerate(zip(self.samples, moments, strict=True)):
            if sample.rows is None:
                raise ValueError("robust standard errors need the rows, not moments alone")
            score = kernels.scores(
                np.ascontiguousarray(mu),
                np.ascontiguousarray(sigma),
                sample.patterns(),
                sample.rows,
            )
            if sample.clusters is not None:
                total = np.zeros((int(sample.clusters.max()) + 1, score.shape[1]))
                np.add.at(total, sample.clusters, score)
                # Few clusters vary less about their own mean score than about the true one.
                score = total * np.sqrt(len(total) / max(len(total) - 1, 1))
            out.append(((g,), score))
        return out


@dataclass(frozen=True, slots=True)
class Expansion:
    """-log L at a point: value, gradient, second derivatives.

    Attributes
    ----------
    value : float
    gradient : numpy.ndarray, shape (n_theta,)
    hessian : numpy.ndarray, shape (n_theta, n_theta)
        Observed or expected information, as asked for.
    """

    value: float
    gradient: np.ndarray
    hessian: np.ndarray


class Objective:
    """-log L of structures for data."""

    def __init__(self, structures: Sequence[Structure], likelihood: Likelihood) -> None:
        self.structures, self.likelihood = tuple(structures), likelihood

    @property
    def n_theta(self) -> int:
        """Number of free parameters."""
        return self.structures[0].n_theta

    def implied(self, theta: np.ndarray) -> list[Implied] | None:
        """Return each block's moments; None where the paths form a loop without a solution."""
        try:
            return [structure.implied(theta) for structure in self.structures]
        except np.linalg.LinAlgError:
            return None

    def value(self, theta: np.ndarray) -> float:
        """Return -log L without its constant; infinite where it is not defined."""
        implied = self.implied(theta)
        if implied is None:
            return float(np.inf)
        return self.likelihood.expand([(i.mu, i.sigma) for i in implied], VALUE).value

    def expand(self, theta: np.ndarray, order: int) -> Expansion | None:
        """Return value, gradient and (order 2, 3) observed or expected information."""
        implied = self.implied(theta)
        if implied is None:
            return None
        at = self.likelihood.expand([(i.mu, i.sigma) for i in implied], order)
        if not np.isfinite(at.value):
            return None
        jacobians = [i.jacobian() for i in implied]
        gradient = np.zeros(self.n_theta)
        hessian = np.zeros((self.n_theta, self.n_theta))
        for block, jacobian, (by_mu, by_sigma) in zip(
            implied, jacobians, at.gradients, strict=True
        ):
            gradient += jacobian.T @ stacked(by_mu, by_sigma)
            if order == OBSERVED:
                hessian += block.curvature(by_mu, by_sigma)
        for blocks, curvature in at.second if order >= OBSERVED else []:
            hessian += curvature.quadratic(np.vstack([jacobians[b] for b in blocks]))
        return Expansion(at.value, gradient, 0.5 * (hessian + hessian.T))

    def first_order_information(self, theta: np.ndarray) -> np.ndarray:
        """Return the sum of s s' over independent units, s the score at the parameters."""
        implied = self.implied(theta)
        assert implied is not None
        jacobians = [i.jacobian() for i in implied]
        out = np.zeros((self.n_theta, self.n_theta))
        for blocks, score in self.likelihood.scores([(i.mu, i.sigma) for i in implied]):
            by_theta = score @ np.vstack([jacobians[b] for b in blocks])
            out += by_theta.T @ by_theta
        return out


def stacked(by_mu: np.ndarray, by_sigma: np.ndarray) -> np.ndarray:
    """Return a gradient by (mu, vech Sigma): an off-diagonal element stands twice in Sigma."""
    low_i, low_j = np.tril_indices(len(by_mu))
    return np.concatenate([by_mu, by_sigma[low_i, low_j] * np.where(low_i == low_j, 1.0, 2.0)])
