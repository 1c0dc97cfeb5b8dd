"""Matrices with their first and second derivatives: arithmetic of Taylor polynomials.

A jet holds a matrix that depends on n parameters (or a stack of such matrices), its first
derivatives and, packed pair by pair (`alliance.mixed.covariance.pair_index`), its second ones. What
is computed from jets has exact derivatives too:

    (A B)_ij = A_ij B + A_i B_j + A_j B_i + A B_ij,
    W = A^-1:  W_i = -W A_i W,  W_ij = W (A_i W A_j + A_j W A_i - A_ij) W,
    log|A|_i = tr(W A_i),  log|A|_ij = tr(W A_ij) - tr(W A_i W A_j).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alliance.mixed.covariance import triangle

TAYLOR_TERMS = 14
"""Terms of the exponential series, enough for double precision at a norm of a half."""


@dataclass(frozen=True, slots=True)
class Jet:
    """A matrix, or a stack of matrices, with derivatives in n parameters.

    Attributes
    ----------
    value : numpy.ndarray
        Shape (..., a, b).
    first : numpy.ndarray
        Shape (n, ..., a, b).
    second : numpy.ndarray
        Packed pairs, shape (n(n+1)/2, ..., a, b).
    """

    value: np.ndarray
    first: np.ndarray
    second: np.ndarray

    @classmethod
    def constant(cls, value: np.ndarray, n: int) -> Jet:
        """Matrices that do not depend on the parameters."""
        return cls(value, np.zeros((n, *value.shape)), np.zeros((n * (n + 1) // 2, *value.shape)))

    @property
    def parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Value, first and second derivatives."""
        return self.value, self.first, self.second

    @property
    def transposed(self) -> Jet:
        """Transpose of each matrix."""
        return Jet(*(part.swapaxes(-1, -2) for part in self.parts))

    def __add__(self, other: Jet) -> Jet:
        """Sum."""
        return Jet(*(a + b for a, b in zip(self.parts, other.parts, strict=True)))

    def __sub__(self, other: Jet) -> Jet:
        """Difference."""
        return Jet(*(a - b for a, b in zip(self.parts, other.parts, strict=True)))

    def __mul__(self, number: float | np.ndarray) -> Jet:
        """Multiply by a number, or by an array of the shape of the value."""
        return Jet(*(part * number for part in self.parts))

    def __matmul__(self, other: Jet) -> Jet:
        """Matrix product."""
        high, low = triangle(len(self.first))
        return Jet(
            self.value @ other.value,
            self.first @ other.value + self.value @ other.first,
            self.second @ other.value
            + self.first[high] @ other.first[low]
            + self.first[low] @ other.first[high]
            + self.value @ other.second,
        )

    def take(self, index: np.ndarray) -> Jet:
        """Some matrices of a stack."""
        return Jet(self.value[index], self.first[:, index], self.second[:, index])

    def select(self, rows: np.ndarray, cols: np.ndarray) -> Jet:
        """Rows and columns of each matrix of a stack, given by matrix: shapes (k, r), (k, c)."""
        each = np.arange(len(rows))[:, None, None]
        return Jet(*(part[..., each, rows[:, :, None], cols[:, None, :]] for part in self.parts))

    def inverse(self) -> Jet:
        """Inverse of each matrix."""
        high, low = triangle(len(self.first))
        w = np.linalg.inv(self.value)
        w_a = w @ self.first
        both = w_a[high] @ w_a[low] + w_a[low] @ w_a[high]
        return Jet(w, -w_a @ w, (both - w @ self.second) @ w)

    def log_det(self, inverse: Jet) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """log|A| of each positive definite matrix with derivatives, without the last two axes."""
        high, low = triangle(len(self.first))
        w_a = inverse.value @ self.first
        trace = np.einsum("...ab,...ba->...", inverse.value, self.second)
        crossed = np.einsum("...ab,...ba->...", w_a[high], w_a[low])
        return (
            np.linalg.slogdet(self.value)[1],
            np.trace(w_a, axis1=-2, axis2=-1),
            trace - crossed,
        )


def powers(matrix: Jet, exponents: Sequence[int]) -> Jet:
    """Stack of the powers of one matrix, in the order of the (ascending) exponents."""
    at, reached = matrix, 1
    found = []
    for exponent in exponents:
        while reached < exponent:
            at, reached = at @ matrix, reached + 1
        found.append(at)
    return stack(found)


def exponential(matrix: Jet) -> Jet:
    """Exponential of each matrix of a stack, by scaling, Taylor series and squaring."""
    largest = float(np.abs(matrix.value).sum(axis=-1).max())
    halvings = max(0, int(np.ceil(np.log2(max(largest, 1e-300)))) + 1)
    scaled = matrix * 0.5**halvings
    unit = np.broadcast_to(np.eye(matrix.value.shape[-1]), matrix.value.shape)
    one = Jet.constant(unit, len(matrix.first))
    total = one
    # Horner: I + X (I + X/2 (I + X/3 (...)))
    for k in range(TAYLOR_TERMS, 0, -1):
        total = one + (scaled @ total) * (1.0 / k)
    for _ in range(halvings):
        total = total @ total
    return total


def stack(jets: Sequence[Jet]) -> Jet:
    """One stack of several matrices of equal shape."""
    return Jet(
        np.stack([jet.value for jet in jets]),
        np.stack([jet.first for jet in jets], axis=1),
        np.stack([jet.second for jet in jets], axis=1),
    )
