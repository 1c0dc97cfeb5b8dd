"""Rows in clusters, as the two-level likelihoods need them, and what makes them impossible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from alliance.errors import FitError
from alliance.sem.rows import cluster_codes, read_rows


@dataclass(frozen=True, slots=True)
class Rough:
    """Moments by addition and subtraction alone: where the search begins, and for checks.

    Attributes
    ----------
    mean : numpy.ndarray, shape (p,)
        Mean of the cluster means.
    within : numpy.ndarray, shape (p, p)
        Pooled covariance within clusters.
    means : numpy.ndarray, shape (p, p)
        Covariance of the cluster means, within part included.
    freedom : int
        Rows beyond the first of each cluster.
    """

    mean: np.ndarray
    within: np.ndarray
    means: np.ndarray
    freedom: int


class InClusters(Protocol):
    """What both kinds of clustered data have."""

    @property
    def names(self) -> tuple[str, ...]:
        """Columns."""

    @property
    def n_rows(self) -> int:
        """Rows used."""

    @property
    def n_clusters(self) -> int:
        """Number of clusters J."""

    @property
    def harmonic_mean_size(self) -> float:
        """J / sum of 1/n."""

    def rough(self) -> Rough:
        """Return rough moments."""


def check_clusters(data: InClusters) -> None:
    """Refuse data from which the two levels cannot be told apart, with all reasons."""
    if data.n_rows == 0:
        raise FitError("The two-level model cannot be fitted: no form can be used.")
    p, rough = len(data.names), data.rough()
    faults = []
    if data.n_clusters <= p:
        least = f"at least {p + 1}"
        faults.append(f"{data.n_clusters} clusters are too few for {p} variables ({least})")
    if rough.freedom <= p:
        faults.append(
            f"the clusters have too few rows beyond their first ({rough.freedom}) for {p} "
            "variables: the spread within clusters cannot be estimated"
        )
    within, total = np.diag(rough.within), np.diag(rough.within) + np.diag(rough.means)
    largest = max(float(np.nanmax(total, initial=0.0)), 1e-300)
    for name, own, whole in zip(data.names, within, total, strict=True):
        if np.isnan(whole):
            faults.append(f"'{name}' has no values")
        elif whole <= 1e-14 * largest:
            faults.append(f"'{name}' never varies")
        elif own <= 1e-12 * whole and rough.freedom > p:
            faults.append(f"'{name}' never varies within a cluster")
    if faults:
        raise FitError("The two-level model cannot be fitted: " + "; ".join(faults) + ".")


@dataclass(frozen=True, slots=True)
class Clusters:
    """Complete rows in clusters.

    Attributes
    ----------
    names : tuple of str
    n_rows : int
    n_left_out : int
        Rows left out because an answer was missing.
    size : numpy.ndarray of int, shape (J,)
    mean : numpy.ndarray, shape (J, p)
    scatter : numpy.ndarray, shape (J, p, p)
        Sums of squares and products about the cluster's mean.
    """

    names: tuple[str, ...]
    n_rows: int
    n_left_out: int
    size: np.ndarray
    mean: np.ndarray
    scatter: np.ndarray

    @property
    def n_clusters(self) -> int:
        """Number of clusters J."""
        return len(self.size)

    @property
    def harmonic_mean_size(self) -> float:
        """J / sum of 1/n."""
        return float(len(self.size) / np.sum(1.0 / self.size))

    def rough(self) -> Rough:
        """Return rough moments."""
        freedom = self.n_rows - self.n_clusters
        mean = self.mean.mean(axis=0)
        apart = self.mean - mean
        within = self.scatter.sum(axis=0) / max(freedom, 1)
        return Rough(mean, within, apart.T @ apart / self.n_clusters, freedom)


def clustered(
    rows: np.ndarray, clusters: Sequence[object] | np.ndarray, names: Sequence[str]
) -> Clusters:
    """Compress complete rows to clusters.

    ASSUME rows with a missing answer may be left out (missing completely at random); how many says
    `n_left_out`. `clustered_incomplete` keeps them.

    Parameters
    ----------
    rows
        Shape (n, p), NaN where missing.
    clusters
        Cluster of each row.
    names
        The columns.
    """
    table = read_rows(rows, names)
    kept = ~np.isnan(table).any(axis=1)
    table = table[kept]
    _, code = np.unique(cluster_codes(clusters)[kept], return_inverse=True)
    # Sorted by cluster and value: the order in which rows come changes no bit.
    order = np.lexsort((*table.T[::-1], code))
    table, code = table[order], code[order]
    size = np.bincount(code)
    starts = np.concatenate([[0], np.cumsum(size)[:-1]]).astype(int)
    p = table.shape[1]
    if len(table) == 0:
        return Clusters(
            tuple(names), 0, int((~kept).sum()), size, np.zeros((0, p)), np.zeros((0, p, p))
        )
    mean = np.add.reduceat(table, starts, axis=0) / size[:, None]
    apart = table - mean[code]
    products = np.einsum("ni,nj->nij", apart, apart)
    scatter = np.add.reduceat(products, starts, axis=0)
    # Clusters sorted too, so that their names change no bit.
    order = np.lexsort((*mean.T[::-1], size))
    return Clusters(
        tuple(names), len(table), int((~kept).sum()), size[order], mean[order], scatter[order]
    )
