"""Rows in clusters, answers missing, compressed to cells: cluster x pattern of missing answers.

No form is left out; after this no evaluation of the likelihood touches a single row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alliance.sem.clusters import Rough
from alliance.sem.rows import cluster_codes, read_rows


@dataclass(frozen=True, slots=True)
class IncompleteClusters:
    """Rows in clusters, some answers missing.

    Attributes
    ----------
    names : tuple of str
    n_rows, n_left_out, n_values : int
        Rows with an answer, rows without any, answers.
    size : numpy.ndarray of int, shape (J,)
        Rows per cluster.
    seen : numpy.ndarray of bool, shape (K, p)
        The patterns of missing answers.
    count, total : numpy.ndarray
        Rows per pattern (K,), and sums (K, p) of `rows - centre`, zero where unanswered.
    centre : numpy.ndarray, shape (p,)
        Subtracted from every answer before products are taken.
    cell_cluster, cell_pattern, cell_count : numpy.ndarray of int
        Cells, sorted by pattern.
    cell_total, cell_products : numpy.ndarray, shapes (n_cells, p) and (n_cells, p, p)
        Sums and sums of products over the cell, zero where unanswered.
    composition : numpy.ndarray of int, shape (J,)
        Clusters with the same patterns equally often share their covariance.
    """

    names: tuple[str, ...]
    n_rows: int
    n_left_out: int
    n_values: int
    size: np.ndarray
    seen: np.ndarray
    count: np.ndarray
    total: np.ndarray
    centre: np.ndarray
    cell_cluster: np.ndarray
    cell_pattern: np.ndarray
    cell_count: np.ndarray
    cell_total: np.ndarray
    cell_products: np.ndarray
    composition: np.ndarray

    @property
    def n_clusters(self) -> int:
        """Number of clusters J."""
        return len(self.size)

    @property
    def harmonic_mean_size(self) -> float:
        """J / sum of 1/n."""
        return float(len(self.size) / np.sum(1.0 / self.size))

    def rough(self) -> Rough:
        """Return rough moments, each pair of items from the forms that answered both."""
        j, p = self.n_clusters, len(self.names)
        seen = self.seen[self.cell_pattern].astype(float)
        answers, sums = np.zeros((j, p)), np.zeros((j, p))
        np.add.at(answers, self.cell_cluster, self.cell_count[:, None] * seen)
        np.add.at(sums, self.cell_cluster, self.cell_total)
        pairs = np.einsum("c,ci,cj->ij", self.cell_count.astype(float), seen, seen)
        # An item without any answer has no mean: that is said elsewhere.
        with np.errstate(invalid="ignore", divide="ignore"):
            means = sums / answers
            mean = np.nansum(means, axis=0) / (answers > 0).sum(axis=0)
            known = np.nan_to_num(means)
            both = np.einsum("c,ci,cj->cij", self.cell_count.astype(float), seen, seen)
            centred = known[self.cell_cluster]
            lost = np.einsum("cij,ci,cj->ij", both, centred, centred)
            apart = np.where(answers > 0, means - mean, 0.0)
            together = (answers > 0).T.astype(float) @ (answers > 0)
            freedom = np.maximum(pairs - together, 1.0)
            within = (self.cell_products.sum(axis=0) - lost) / freedom
            spread = (apart.T @ apart) / together
        size = np.sqrt(np.maximum(np.diag(within), 0.0))
        within = np.clip(within, -0.95 * np.outer(size, size), 0.95 * np.outer(size, size))
        np.fill_diagonal(within, size**2)
        return Rough(mean + self.centre, within, spread, self.n_rows - j)


def clustered_incomplete(
    rows: np.ndarray, clusters: Sequence[object] | np.ndarray, names: Sequence[str]
) -> IncompleteClusters:
    """Compress rows with missing answers to cells.

    ASSUME answers are missing at random given the client's other answers.

    Parameters
    ----------
    rows
        Shape (n, p), NaN where missing. Rows without any answer are left out.
    clusters
        Cluster of each row.
    names
        The columns.
    """
    table = read_rows(rows, names)
    answered = ~np.isnan(table)
    kept = answered.any(axis=1)
    n_left_out = int((~kept).sum())
    _, code = np.unique(cluster_codes(clusters)[kept], return_inverse=True)
    table, answered = table[kept], answered[kept]
    values = answered.sum(axis=0)
    filled = np.where(answered, table, 0.0)
    # Sorted first, so that the order of rows and the names of clusters change no bit.
    code = _canonical(code, np.where(answered, table, np.inf))
    order = np.lexsort((*filled.T[::-1], code, *answered.T[::-1]))
    filled, answered, code = filled[order], answered[order], code[order]
    centre = filled.sum(axis=0) / np.maximum(values, 1)
    apart = np.where(answered, filled - centre, 0.0)
    fresh = np.ones(len(code), dtype=bool)
    fresh[1:] = (answered[1:] != answered[:-1]).any(axis=1)
    pattern = np.cumsum(fresh) - 1
    starts = np.flatnonzero(fresh)
    cell = fresh | np.append(True, code[1:] != code[:-1])
    cells = np.flatnonzero(cell)
    cell_count = np.diff(np.append(cells, len(code)))
    size = np.bincount(code)
    return IncompleteClusters(
        names=tuple(names),
        n_rows=len(code),
        n_left_out=n_left_out,
        n_values=int(values.sum()),
        size=size,
        seen=answered[starts],
        count=np.diff(np.append(starts, len(code))),
        total=np.add.reduceat(apart, starts, axis=0),
        centre=centre,
        cell_cluster=code[cells],
        cell_pattern=pattern[cells],
        cell_count=cell_count,
        cell_total=np.add.reduceat(apart, cells, axis=0),
        cell_products=np.add.reduceat(np.einsum("ni,nj->nij", apart, apart), cells, axis=0),
        composition=_compositions(code[cells], pattern[cells], cell_count, len(size)),
    )


def _canonical(code: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Renumber clusters by their content: size, then their sorted rows."""
    order = np.lexsort((*table.T[::-1], code))
    parts = np.split(table[order], np.cumsum(np.bincount(code))[:-1])
    keys = [(len(part), part.tolist()) for part in parts]
    rank = sorted(range(len(keys)), key=keys.__getitem__)
    new = np.empty(len(keys), dtype=int)
    new[rank] = np.arange(len(keys))
    return np.asarray(new[code])


def _compositions(
    cluster: np.ndarray, pattern: np.ndarray, count: np.ndarray, n_clusters: int
) -> np.ndarray:
    parts: list[list[tuple[int, int]]] = [[] for _ in range(n_clusters)]
    for j, k, n in zip(cluster.tolist(), pattern.tolist(), count.tolist(), strict=True):
        parts[j].append((k, n))
    numbers: dict[tuple[tuple[int, int], ...], int] = {}
    return np.array([numbers.setdefault(tuple(own), len(numbers)) for own in parts], dtype=int)
