"""Data as the likelihood needs them: counts, means and covariances per pattern of missing values.

After `sample` no evaluation of the likelihood touches a row; only robust standard errors go back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alliance.sem.kernels import Patterns
from alliance.sem.rows import cluster_codes, read_rows


@dataclass(frozen=True, slots=True)
class Sample:
    """One group's data by pattern of missing values.

    Attributes
    ----------
    names : tuple of str
        The columns.
    n : int
        Rows with at least one value.
    n_empty : int
        Rows without any, which carry no information and are left out.
    where, first, corner, size, count, mean, cov : numpy.ndarray
        Patterns, flat (see `kernels`); `cov` divides by the count.
    rows : numpy.ndarray or None, shape (n, p)
        The rows sorted by pattern and value; None if only moments were given.
    clusters : numpy.ndarray of int or None, shape (n,)
        Cluster of each row, for cluster-robust standard errors.
    """

    names: tuple[str, ...]
    n: int
    n_empty: int
    where: np.ndarray
    first: np.ndarray
    corner: np.ndarray
    size: np.ndarray
    count: np.ndarray
    mean: np.ndarray
    cov: np.ndarray
    rows: np.ndarray | None = None
    clusters: np.ndarray | None = None

    @property
    def p(self) -> int:
        """Number of columns."""
        return len(self.names)

    @property
    def n_patterns(self) -> int:
        """Number of patterns of missing values."""
        return len(self.size)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.n_patterns == 1 and int(self.size[0]) == self.p

    def pairs_observed(self) -> np.ndarray:
        """How many rows have both of two variables, shape (p, p)."""
        seen = np.zeros((self.n_patterns, self.p))
        pattern = np.repeat(np.arange(self.n_patterns), self.size)
        seen[pattern, self.where] = 1.0
        return np.asarray((seen.T * self.count) @ seen)

    def patterns(self) -> Patterns:
        """Return the patterns as the kernels take them."""
        return Patterns(
            self.where, self.first, self.corner, self.size, self.count, self.mean, self.cov
        )

    def available(self) -> tuple[np.ndarray, np.ndarray]:
        """Means and variances of what was observed, shape (p,) each; the start of the search."""
        total, weight, square = np.zeros(self.p), np.zeros(self.p), np.zeros(self.p)
        for k in range(self.n_patterns):
            columns, mean, cov = self.pattern(k)
            total[columns] += self.count[k] * mean
            square[columns] += self.count[k] * np.diag(cov)
            weight[columns] += self.count[k]
        mean_all = total / np.maximum(weight, 1.0)
        for k in range(self.n_patterns):
            columns, mean, _ = self.pattern(k)
            square[columns] += self.count[k] * (mean - mean_all[columns]) ** 2
        return mean_all, square / np.maximum(weight, 1.0)

    def pattern(self, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return columns, means and covariance (divisor: count) of a pattern."""
        n, a, b = int(self.size[k]), int(self.first[k]), int(self.corner[k])
        return self.where[a : a + n], self.mean[a : a + n], self.cov[b : b + n * n].reshape(n, n)


def sample(
    rows: np.ndarray, names: Sequence[str], clusters: Sequence[object] | np.ndarray | None = None
) -> Sample:
    """Compress rows to patterns.

    Parameters
    ----------
    rows
        Shape (n, p), NaN where missing.
    names
        The columns.
    clusters
        Cluster of each row (for cluster-robust standard errors), or none.
    """
    table = read_rows(rows, names)
    seen = ~np.isnan(table)
    kept = seen.any(axis=1)
    codes = None if clusters is None else cluster_codes(clusters)
    table, seen = table[kept], seen[kept]
    filled = np.where(seen, table, 0.0)
    # Sorted by pattern and then by value: the order in which rows come changes no bit.
    order = np.lexsort((*filled.T[::-1], *seen.T[::-1]))
    filled, seen = filled[order], seen[order]
    n = len(filled)
    fresh = np.ones(n, dtype=bool)
    fresh[1:] = (seen[1:] != seen[:-1]).any(axis=1)
    starts = np.flatnonzero(fresh)
    counts = np.diff(np.append(starts, n))
    where, means, covs = [], [], []
    for start, count in zip(starts, counts, strict=True):
        columns = np.flatnonzero(seen[start])
        block = filled[start : start + count][:, columns]
        mean = block.mean(axis=0)
        apart = block - mean
        where.append(columns)
        means.append(mean)
        covs.append((apart.T @ apart / count).ravel())
    sizes = np.array([len(columns) for columns in where], dtype=np.int64)
    return Sample(
        tuple(names),
        n,
        int((~kept).sum()),
        np.concatenate(where).astype(np.int64) if where else np.zeros(0, np.int64),
        np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
        np.concatenate([[0], np.cumsum(sizes**2)[:-1]]).astype(np.int64),
        sizes,
        counts.astype(np.int64),
        np.concatenate(means) if means else np.zeros(0),
        np.concatenate(covs) if covs else np.zeros(0),
        rows=np.where(seen, filled, np.nan),
        clusters=None if codes is None else codes[kept][order],
    )


def sample_of_patterns(
    patterns: Sequence[tuple[Sequence[int], int, Sequence[float], Sequence[float]]],
    names: Sequence[str],
) -> Sample:
    """Return data known by their moments per pattern of missing values alone.

    Parameters
    ----------
    patterns
        Per pattern its columns (from 0), rows, means and covariance (divisor: rows; flat or
        square).
    names
        The columns.
    """
    sizes = np.array([len(columns) for columns, *_ in patterns], dtype=np.int64)
    counts = np.array([count for _, count, *_ in patterns], dtype=np.int64)
    return Sample(
        tuple(names),
        int(counts.sum()),
        0,
        np.concatenate([np.asarray(columns, dtype=np.int64) for columns, *_ in patterns]),
        np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64),
        np.concatenate([[0], np.cumsum(sizes**2)[:-1]]).astype(np.int64),
        sizes,
        counts,
        np.concatenate([np.asarray(mean, dtype=float).ravel() for _, _, mean, _ in patterns]),
        np.concatenate([np.asarray(cov, dtype=float).ravel() for *_, cov in patterns]),
    )


def sample_of_moments(mean: np.ndarray, cov: np.ndarray, n: int, names: Sequence[str]) -> Sample:
    """Return complete data known by their mean and covariance (divisor n) alone."""
    return sample_of_patterns([(range(len(names)), n, mean, cov)], names)  # type: ignore[list-item]
