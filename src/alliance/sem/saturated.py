"""The model that restricts nothing: means and covariances of each group under missing data.

EM by patterns (Little & Rubin 2002, ch. 11.2) for the way there, Newton steps for the last digits.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from alliance.sem import kernels
from alliance.sem.corrected import Corrector
from alliance.sem.description import saturated_model
from alliance.sem.likelihood import GroupLikelihood, Moments, Objective
from alliance.sem.optimise import FLAT, minimise
from alliance.sem.robust import saturated_trace
from alliance.sem.sample import Sample
from alliance.sem.structure import structures


class Saturated:
    """The saturated model of some groups, worked out once for all models fitted to them."""

    def __init__(self, likelihood: GroupLikelihood) -> None:
        self.likelihood = likelihood

    @cached_property
    def _solutions(self) -> list[tuple[np.ndarray, np.ndarray, bool]]:
        return [saturated_moments(own) for own in self.likelihood.samples]

    @property
    def found(self) -> bool:
        """Whether the data determine all means and covariances."""
        return all(found for _, _, found in self._solutions)

    @property
    def moments(self) -> tuple[Moments, ...]:
        """Means and covariance of each group."""
        return tuple((mean, cov) for mean, cov, _ in self._solutions)

    @cached_property
    def trace(self) -> float:
        """tr(B A^-1), for the scaling factor."""
        return saturated_trace(self.likelihood, self.moments, means=[True] * len(self.moments))

    @cached_property
    def corrector(self) -> Corrector | None:
        """What corrects fit indices for missing values; None if nothing is missing."""
        if all(own.complete for own in self.likelihood.samples):
            return None
        return Corrector(self.likelihood, self.moments)


EM_STEPS = 500
SMALL_STEP = 1e-3
"""EM hands over to Newton when no mean or covariance moves by more than this share of a standard
deviation or variance."""


def saturated_moments(sample: Sample) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return maximum likelihood means and covariance of a group, and whether they were found.

    Parameters
    ----------
    sample
        One group's data.

    Returns
    -------
    mean, cov, converged
        Shapes (p,) and (p, p). Without missing values: the sample's own (divisor n).
    """
    if sample.complete:
        _, mean, cov = sample.pattern(0)
        return mean.copy(), cov.copy(), True
    mu, variance = sample.available()
    sigma = np.diag(variance)
    for _ in range(EM_STEPS):
        sums, squares = kernels.expectation(mu, sigma, sample.patterns())
        if not np.isfinite(sums).all():
            return mu, sigma, False
        shift = sums / sample.n
        updated = squares / sample.n - np.outer(shift, shift)
        size = np.sqrt(np.diag(updated))
        moved = max(
            float(np.abs(shift / size).max()),
            float((np.abs(updated - sigma) / np.outer(size, size)).max()),
        )
        mu, sigma = mu + shift, updated
        if moved < SMALL_STEP:
            break
    _, (structure,) = structures([("", saturated_model(sample.names))])
    index = {
        (k, i, j): at
        for at, (k, i, j) in enumerate(
            zip(structure.kind, structure.row, structure.column, strict=True)
        )
    }
    start = np.empty(len(index))
    for (kind, i, j), at in index.items():
        start[at] = sigma[i, j] if kind == 1 else mu[i]
    optimum = minimise(Objective([structure], GroupLikelihood([sample])), start)
    if optimum is None:
        return mu, sigma, False
    end = structure.implied(optimum.theta)
    flat = optimum.eigenvalues[0] <= FLAT * optimum.eigenvalues[-1]
    return end.mu.copy(), end.sigma.copy(), optimum.converged and not flat
