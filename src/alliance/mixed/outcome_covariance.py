"""Covariance of several outcomes relative to the variance of the first, with free parameters.

R = L L' enters by its Cholesky factor L with L[0, 0] = 1 and the other diagonal elements as
logarithms, so that every parameter is free and every R positive definite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from alliance.mixed.covariance import triangle

FARTHEST = 12.0
"""Logarithms of relative standard deviations beyond this are out of range."""


@dataclass
class OutcomeCovariance:
    """Parameters of a covariance matrix of several outcomes.

    Attributes
    ----------
    outcomes : tuple of str
    """

    outcomes: tuple[str, ...]

    @property
    def n_groups(self) -> int:
        """Number of variances."""
        return len(self.outcomes)

    @property
    def groups(self) -> list[Any]:
        """What each variance belongs to."""
        return list(self.outcomes)

    @property
    def n_parameters(self) -> int:
        """Parameters beside sigma."""
        return self.n_groups * (self.n_groups + 1) // 2 - 1

    def start(self) -> np.ndarray:
        """Equal variances (on the engine's scale), no correlation."""
        return np.zeros(self.n_parameters)

    def factor(self, rho: np.ndarray) -> np.ndarray:
        """Cholesky factor L of R, shape (..., q, q), from parameters (..., n)."""
        q = self.n_groups
        factor = np.zeros((*rho.shape[:-1], q, q))
        rows, cols = triangle(q)
        factor[..., rows[1:], cols[1:]] = rho
        diagonal = np.arange(1, q)
        factor[..., 0, 0] = 1.0
        factor[..., diagonal, diagonal] = np.exp(rho[..., self._diagonal()])
        return factor

    def relative(self, rho: np.ndarray) -> np.ndarray:
        """R, shape (..., outcomes, outcomes), from parameters (..., n)."""
        factor = self.factor(rho)
        return np.asarray(factor @ factor.swapaxes(-1, -2))

    def working(self, relative: np.ndarray) -> np.ndarray:
        """Parameters rho of a positive definite R with R[0, 0] = 1."""
        factor = np.linalg.cholesky(relative)
        rows, cols = triangle(self.n_groups)
        rho = factor[rows[1:], cols[1:]]
        rho[self._diagonal()] = np.log(np.diag(factor)[1:])
        return np.asarray(rho)

    def _diagonal(self) -> np.ndarray:
        """Places of the logarithms among the parameters."""
        rows, cols = triangle(self.n_groups)
        return np.flatnonzero(rows[1:] == cols[1:])

    def in_range(self, rho: np.ndarray) -> bool:
        """Whether the parameters are where numbers mean something."""
        return bool((np.abs(rho) < np.exp(FARTHEST)).all()) and bool(
            (np.abs(rho[self._diagonal()]) < FARTHEST).all()
        )

    def log_variances(self, rho: np.ndarray) -> np.ndarray:
        """Log of each outcome's variance relative to the first, on the engine's scale."""
        return np.log(np.diag(self.relative(rho)))
