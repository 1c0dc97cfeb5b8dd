"""Bookkeeping of the covariance parameters: which number stands where.

The parameters are ordered from the rows upwards: those of the residual first, then the lower
triangle of the innermost level's covariance matrix, and so on to the outermost level. Covariance
matrices are relative to the residual variance. The optimiser works with their Cholesky factors,
which keeps them positive semi-definite and lets it walk through the boundary.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np


@cache
def triangle(q: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the lower triangle of a (q, q) matrix, row by row."""
    return np.tril_indices(q)


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of the covariance parameters.

    Attributes
    ----------
    sizes : tuple of int
        Number of random effects per level, outermost first.
    n_residual : int
        Number of residual parameters (AR coefficient, log variance ratios).
    """

    sizes: tuple[int, ...]
    n_residual: int

    @property
    def n_parameters(self) -> int:
        """Number of parameters without the residual variance itself."""
        return self.n_residual + sum(q * (q + 1) // 2 for q in self.sizes)

    def start(self, depth: int) -> int:
        """First parameter of a level (depth 0 is the outermost)."""
        return self.n_residual + sum(q * (q + 1) // 2 for q in self.sizes[depth + 1 :])

    def block(self, depth: int) -> slice:
        """Parameters of a level."""
        first = self.start(depth)
        q = self.sizes[depth]
        return slice(first, first + q * (q + 1) // 2)

    def factors(self, theta: np.ndarray) -> list[np.ndarray]:
        """Lower triangular factors per level, shape (..., q, q), from parameters (..., m)."""
        matrices = []
        for depth, q in enumerate(self.sizes):
            matrix = np.zeros((*theta.shape[:-1], q, q))
            rows, cols = triangle(q)
            matrix[..., rows, cols] = theta[..., self.block(depth)]
            matrices.append(matrix)
        return matrices

    def covariances(self, theta: np.ndarray) -> np.ndarray:
        """Residual parameters and relative covariances, shape (..., m), from parameters (..., m).

        They are what the derivatives of `alliance.mixed.problem` are taken in.
        """
        values = theta.copy()
        for depth, factor in enumerate(self.factors(theta)):
            rows, cols = triangle(self.sizes[depth])
            values[..., self.block(depth)] = (factor @ factor.swapaxes(-1, -2))[..., rows, cols]
        return values

    def from_factors(self, factors: list[np.ndarray], residual: np.ndarray) -> np.ndarray:
        """Gather the optimiser's parameters from factors per level and residual parameters."""
        theta = np.empty(self.n_parameters)
        theta[: self.n_residual] = residual
        for depth, q in enumerate(self.sizes):
            theta[self.block(depth)] = factors[depth][triangle(q)]
        return theta

    def jacobian(self, theta: np.ndarray) -> np.ndarray:
        """d(covariances)/d(factors), shape (..., m, m); identity for the residual parameters.

        With Sigma = L L', d Sigma_ab / d L_cd = (a = c) L_bd + (b = c) L_ad.
        """
        m = self.n_parameters
        jacobian = np.zeros((*theta.shape[:-1], m, m))
        jacobian[..., np.arange(m), np.arange(m)] = 1.0
        for depth, factor in enumerate(self.factors(theta)):
            rows, cols = triangle(self.sizes[depth])
            block = self.block(depth)
            same_a = rows[:, None] == rows[None, :]
            same_b = cols[:, None] == rows[None, :]
            jacobian[..., block, block] = (
                same_a * factor[..., cols[:, None], cols[None, :]]
                + same_b * factor[..., rows[:, None], cols[None, :]]
            )
        return jacobian

    def curvature(self, gradient: np.ndarray) -> np.ndarray:
        """Sum over covariances of gradient times their second derivative in the factors.

        Shape (..., m, m) from (..., m), by
        d2 Sigma_ab / d L_cd d L_ef = (d = f) [(a = c)(b = e) + (b = c)(a = e)].
        """
        m = self.n_parameters
        matrix = np.zeros((*gradient.shape[:-1], m, m))
        for depth, q in enumerate(self.sizes):
            rows, cols = triangle(q)
            block = self.block(depth)
            weight = np.zeros((*gradient.shape[:-1], q, q))
            weight[..., rows, cols] += gradient[..., block]
            weight[..., cols, rows] += gradient[..., block]
            matrix[..., block, block] = weight[..., rows[:, None], rows[None, :]] * (
                cols[:, None] == cols[None, :]
            )
        return matrix


def pair_index(first: int, second: int) -> int:
    """Place of an unordered pair of parameters in the packed second derivatives."""
    high, low = max(first, second), min(first, second)
    return high * (high + 1) // 2 + low


def unpack_pairs(packed: np.ndarray, m: int) -> np.ndarray:
    """Symmetric (m, m, ...) array from packed pairs."""
    full = np.empty((m, m, *packed.shape[1:]))
    rows, cols = triangle(m)
    full[rows, cols] = packed
    full[cols, rows] = packed
    return full
