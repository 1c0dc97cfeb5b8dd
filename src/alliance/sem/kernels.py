"""The loops over patterns of missing values, compiled with numba.

All functions that a kernel calls stand in this file: numba looks at a kernel's own file only when
it decides whether its cached machine code is still good.

Every kernel works on one group.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile, and keep the machine code where a disk is writable."""
    kernel: Callable[..., Any]
    try:
        kernel = numba.njit(function, cache=True, nogil=True, error_model="numpy")
    except RuntimeError:  # read-only installation: compile once per process
        kernel = numba.njit(function, nogil=True, error_model="numpy")
    return kernel


class Patterns(NamedTuple):
    """A group's data by pattern of missing values, one pattern after the other.

    Attributes
    ----------
    where : numpy.ndarray of int
        Observed columns of all patterns.
    first : numpy.ndarray of int
        Where a pattern begins in `where` and in `mean`.
    corner : numpy.ndarray of int
        Where its covariance begins in `cov`.
    n_columns, n_rows : numpy.ndarray of int
        How many of both each has.
    mean, cov : numpy.ndarray
        Its means and covariances (divided by the count), flat.
    """

    where: np.ndarray
    first: np.ndarray
    corner: np.ndarray
    n_columns: np.ndarray
    n_rows: np.ndarray
    mean: np.ndarray
    cov: np.ndarray


@_compiled
def _invert(matrix, inverse):
    """Write the inverse of a positive definite matrix; return log|matrix|, NaN if it is not."""
    n = matrix.shape[0]
    root = np.zeros((n, n))
    log_determinant = 0.0
    for i in range(n):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= root[i, k] * root[j, k]
            if i == j:
                if not total > 1e-12 * matrix[i, i]:
                    return np.nan
                root[i, i] = np.sqrt(total)
                log_determinant += 2.0 * np.log(root[i, i])
            else:
                root[i, j] = total / root[j, j]
    lower = np.zeros((n, n))
    for j in range(n):
        lower[j, j] = 1.0 / root[j, j]
        for i in range(j + 1, n):
            total = 0.0
            for k in range(j, i):
                total -= root[i, k] * lower[k, j]
            lower[i, j] = total / root[i, i]
    for i in range(n):
        for j in range(i + 1):
            total = 0.0
            for k in range(i, n):
                total += lower[k, i] * lower[k, j]
            inverse[i, j] = total
            inverse[j, i] = total
    return log_determinant


@_compiled
def _sub(matrix, columns):
    out = np.empty((columns.size, columns.size))
    for i in range(columns.size):
        for j in range(columns.size):
            out[i, j] = matrix[columns[i], columns[j]]
    return out


@_compiled
def _add_information(out, columns, p, count, inverse, weight, tilt):
    """Add a pattern's second derivatives: P = inverse, Q = weight, tilt = P d (zero if expected).

    Only the lower triangle of `out` is written.
    """
    n = columns.size
    for i in range(n):
        for j in range(i + 1):
            out[columns[i], columns[j]] += count * inverse[i, j]
    for a in range(n):
        for b in range(a + 1):
            row = p + columns[a] * (columns[a] + 1) // 2 + columns[b]
            half = 0.5 if a == b else 1.0
            for i in range(n):
                out[row, columns[i]] += (
                    count * half * (inverse[i, a] * tilt[b] + inverse[i, b] * tilt[a])
                )
            for c in range(a + 1):
                last = b if c == a else c
                for d in range(last + 1):
                    column = p + columns[c] * (columns[c] + 1) // 2 + columns[d]
                    share = half * (0.5 if c == d else 1.0)
                    out[row, column] += (
                        0.5
                        * count
                        * share
                        * (
                            inverse[b, c] * weight[d, a]
                            + inverse[b, d] * weight[c, a]
                            + inverse[a, c] * weight[d, b]
                            + inverse[a, d] * weight[c, b]
                        )
                    )


@_compiled
def _apart(patterns, k, columns, mu):
    """Deviation of a pattern's means from mu, and its scatter about mu."""
    n, first, corner = columns.size, patterns.first[k], patterns.corner[k]
    apart, scatter = np.empty(n), np.empty((n, n))
    for i in range(n):
        apart[i] = patterns.mean[first + i] - mu[columns[i]]
    for i in range(n):
        for j in range(n):
            scatter[i, j] = patterns.cov[corner + i * n + j] + apart[i] * apart[j]
    return apart, scatter


@_compiled
def _tilt(inverse, apart):
    """P d."""
    tilt = np.zeros(apart.size)
    for i in range(apart.size):
        for j in range(apart.size):
            tilt[i] += inverse[i, j] * apart[j]
    return tilt


@_compiled
def _sandwich(inverse, scatter):
    """P T P, symmetric to the last bit."""
    n = len(inverse)
    half, sandwich = np.zeros((n, n)), np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            for c in range(n):
                half[i, c] += inverse[i, j] * scatter[j, c]
    for i in range(n):
        for j in range(n):
            for c in range(n):
                sandwich[i, c] += half[i, j] * inverse[j, c]
    for i in range(n):
        for j in range(i + 1):
            both = 0.5 * (sandwich[i, j] + sandwich[j, i])
            sandwich[i, j] = both
            sandwich[j, i] = both
    return sandwich


@_compiled
def expand(mu, sigma, patterns, order):
    """Return -log L of a group (without 2 pi), its gradient in mu and Sigma, second derivatives.

    `order` 0: value only; 1: value and gradient; 2: and the observed second derivatives; 3: and
    the expected ones. The gradient by Sigma is the symmetric G of d(-log L) = tr(G dSigma). Second
    derivatives are by (mu, vech Sigma). The value is infinite where Sigma is not positive definite.
    """
    p = mu.size
    value = 0.0
    by_mu = np.zeros(p)
    by_sigma = np.zeros((p, p))
    m = p + p * (p + 1) // 2 if order >= 2 else 0
    second = np.zeros((m, m))
    for k in range(len(patterns.n_columns)):
        n, count = patterns.n_columns[k], patterns.n_rows[k]
        columns = patterns.where[patterns.first[k] : patterns.first[k] + n]
        inverse = np.empty((n, n))
        log_determinant = _invert(_sub(sigma, columns), inverse)
        if np.isnan(log_determinant):
            return np.inf, by_mu, by_sigma, second
        apart, scatter = _apart(patterns, k, columns, mu)
        value += 0.5 * count * (log_determinant + np.sum(scatter * inverse))
        if order == 0:
            continue
        tilt, sandwich = _tilt(inverse, apart), _sandwich(inverse, scatter)
        for i in range(n):
            by_mu[columns[i]] -= count * tilt[i]
            for j in range(n):
                change = 0.5 * count * (inverse[i, j] - sandwich[i, j])
                by_sigma[columns[i], columns[j]] += change
        if order == 2:
            _add_information(second, columns, p, count, inverse, 2.0 * sandwich - inverse, tilt)
        elif order == 3:
            _add_information(second, columns, p, count, inverse, inverse, np.zeros(n))
    for i in range(m):
        for j in range(i):
            second[j, i] = second[i, j]
    return value, by_mu, by_sigma, second


@_compiled
def _slope(sigma, columns, seen, inverse):
    """Regression of every variable on the observed ones (the identity for these themselves)."""
    p, n = sigma.shape[0], columns.size
    slope = np.zeros((p, n))
    for i in range(p):
        if not seen[i]:
            for j in range(n):
                for c in range(n):
                    slope[i, j] += sigma[i, columns[c]] * inverse[c, j]
    for j in range(n):
        slope[columns[j], j] = 1.0
    return slope


@_compiled
def _add_squares(squares, count, slope, scatter, sigma, columns, seen):
    """Add a pattern's expected scatter about mu: B T B', and the conditional covariance."""
    p, n = slope.shape
    half = np.zeros((p, n))
    for i in range(p):
        for j in range(n):
            for c in range(n):
                half[i, c] += slope[i, j] * scatter[j, c]
    for i in range(p):
        for j in range(i + 1):
            total = np.sum(half[i] * slope[j])
            if not seen[i] and not seen[j]:
                total += sigma[i, j]
                for c in range(n):
                    total -= slope[i, c] * sigma[columns[c], j]
            squares[i, j] += count * total
            if i != j:
                squares[j, i] += count * total


@_compiled
def expectation(mu, sigma, patterns):
    """E step: expected sums of y and y y' of a group given what was observed.

    Little & Rubin (2002, ch. 11.2), by pattern: with T the observed scatter about mu, the missing
    part is B (y_o - mu_o) with B = Sigma_mo Sigma_oo^-1, plus its conditional covariance.
    Returns sums of (y - mu) and of (y - mu)(y - mu)'; NaN where Sigma is not positive definite.
    """
    p = mu.size
    sums = np.zeros(p)
    squares = np.zeros((p, p))
    for k in range(len(patterns.n_columns)):
        n, count = patterns.n_columns[k], patterns.n_rows[k]
        columns = patterns.where[patterns.first[k] : patterns.first[k] + n]
        inverse = np.empty((n, n))
        if np.isnan(_invert(_sub(sigma, columns), inverse)):
            return np.full(p, np.nan), squares
        seen = np.zeros(p, dtype=np.bool_)
        seen[columns] = True
        slope = _slope(sigma, columns, seen, inverse)
        apart, scatter = _apart(patterns, k, columns, mu)
        for i in range(p):
            for j in range(n):
                sums[i] += count * slope[i, j] * apart[j]
        _add_squares(squares, count, slope, scatter, sigma, columns, seen)
    return sums, squares


@_compiled
def scores(mu, sigma, patterns, rows):
    """Return d log L / d (mu, vech Sigma) of every row, shape (n_rows, p + p(p+1)/2).

    `rows` are sorted by pattern, missing values anything.
    """
    p = mu.size
    out = np.zeros((rows.shape[0], p + p * (p + 1) // 2))
    row = 0
    for k in range(len(patterns.n_columns)):
        n = patterns.n_columns[k]
        columns = patterns.where[patterns.first[k] : patterns.first[k] + n]
        inverse = np.empty((n, n))
        _invert(_sub(sigma, columns), inverse)
        for _ in range(patterns.n_rows[k]):
            tilt = _tilt(inverse, rows[row][columns] - mu[columns])
            for i in range(n):
                out[row, columns[i]] = tilt[i]
                for j in range(i + 1):
                    share = 0.5 if i == j else 1.0
                    at = p + columns[i] * (columns[i] + 1) // 2 + columns[j]
                    out[row, at] = share * (tilt[i] * tilt[j] - inverse[i, j])
            row += 1
    return out
