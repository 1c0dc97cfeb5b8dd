"""Correlations of items with standard errors that know that a client fills in many forms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True, slots=True)
class ItemRest:
    """How each item goes with the rest of its form.

    The rest is the sum of the other standardised items, each in the direction that most items of
    the form have (the signs of the first principal component, the majority positive): so one item
    turned round does not spoil the yardstick of the others.

    Attributes
    ----------
    r
        Shape (k,): correlations; NaN for an item without variance.
    se
        Shape (k,): their standard errors, by clients.
    n_clients
        Number of clients behind them.
    """

    r: np.ndarray
    se: np.ndarray
    n_clients: int

    @classmethod
    def of(cls, keyed: np.ndarray, client: np.ndarray) -> ItemRest:
        """Return the correlations of forms (n, k), NaN where unanswered, sorted by client."""
        z, answered = _standardised(keyed)
        signs = _directions(z)
        oriented = z * signs
        rest = oriented.sum(axis=1, keepdims=True) - oriented
        rest = _scaled(rest)
        product = np.where(answered, z * rest, 0.0)
        square = np.where(answered, (z**2 + rest**2) / 2.0, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            r = product.sum(axis=0) / square.sum(axis=0) * _shrink(z, rest, answered)
            influence = (product - r * square) / answered.sum(axis=0)
        return cls(r, _clustered_se(influence, client), len(np.unique(client)))

    def upper(self, alpha: float) -> np.ndarray:
        """Return one-sided upper limits, shape (k,), of level 1 - alpha (t, clients - 1 df)."""
        return np.asarray(self.r + stats.t.ppf(1 - alpha, self.n_clients - 1) * self.se)


@dataclass(frozen=True, slots=True)
class PairCorrelations:
    """Correlations of all pairs of items and what each client contributes to them.

    Attributes
    ----------
    r
        Shape (k, k).
    by_client
        Shape (n_clients, k, k): influence of each client on each correlation.
    """

    r: np.ndarray
    by_client: np.ndarray

    @classmethod
    def of(cls, keyed: np.ndarray, client: np.ndarray) -> PairCorrelations:
        """Return the correlations of forms (n, k), NaN where unanswered, sorted by client."""
        z, _ = _standardised(keyed)
        n, k = z.shape
        r = z.T @ z / n
        starts = client_starts(client)
        squares = np.add.reduceat(z**2, starts, axis=0)
        by_client = np.empty((len(starts), k, k))
        for i in range(k):
            products = np.add.reduceat(z * z[:, i : i + 1], starts, axis=0)
            by_client[:, i, :] = (products - r[i] * (squares + squares[:, i : i + 1]) / 2.0) / n
        return cls(r, by_client)

    @property
    def n_clients(self) -> int:
        """Number of clients behind the correlations."""
        return len(self.by_client)

    def contrast(self, weights: np.ndarray) -> tuple[float, float]:
        """Return the weighted sum of the correlations, weights (k, k), and its standard error."""
        value = float((self.r * weights).sum())
        parts = np.tensordot(self.by_client, weights, axes=([1, 2], [0, 1]))
        c = len(parts)
        return value, float(np.sqrt((parts**2).sum() * c / max(c - 1, 1)))

    @property
    def se(self) -> np.ndarray:
        """Standard errors of the correlations, shape (k, k)."""
        c = self.n_clients
        return np.asarray(np.sqrt((self.by_client**2).sum(axis=0) * c / max(c - 1, 1)))


def answered_mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Return the mean of what is not NaN along an axis; NaN where nothing is."""
    answered = ~np.isnan(values)
    counts = answered.sum(axis=axis)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(answered, values, 0.0).sum(axis=axis) / counts)


def client_starts(client: np.ndarray) -> np.ndarray:
    """Return the position of each client's first form; the clients stand together."""
    return np.flatnonzero(np.diff(client, prepend=-1) != 0)


def _standardised(keyed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return z scores (n, k), unanswered ones filled by the form's own mean, and what is answered.

    An item without variance becomes a column of zeros.
    """
    answered = ~np.isnan(keyed)
    with np.errstate(invalid="ignore", divide="ignore"):
        counts = answered.sum(axis=0)
        mean = np.where(answered, keyed, 0.0).sum(axis=0) / counts
        deviation = np.where(answered, keyed - mean, 0.0)
        sd = np.sqrt((deviation**2).sum(axis=0) / counts)
        z = np.where(sd > 0, deviation / sd, 0.0)
        form_mean = z.sum(axis=1, keepdims=True) / np.maximum(
            answered.sum(axis=1, keepdims=True), 1
        )
    return np.where(answered, z, np.where(sd > 0, form_mean, 0.0)), answered


def _directions(z: np.ndarray) -> np.ndarray:
    """Return +1 or -1 for each item, shape (k,): its direction along what all have in common."""
    _, vectors = np.linalg.eigh(z.T @ z / len(z))
    leading = np.where(np.abs(vectors[:, -1]) < 1e-12, 0.0, vectors[:, -1])
    signs = np.where(leading < 0, -1.0, 1.0)
    # The majority, weighted by how much an item has in common with the others, is positive.
    return signs if leading.sum() >= 0 else -signs


def _scaled(columns: np.ndarray) -> np.ndarray:
    centred = columns - columns.mean(axis=0)
    sd = centred.std(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(sd > 0, centred / sd, 0.0)


def _shrink(z: np.ndarray, rest: np.ndarray, answered: np.ndarray) -> np.ndarray:
    """Return the ratio of arithmetic to geometric mean square: 1 where nothing is unanswered."""
    zz = np.where(answered, z**2, 0.0).sum(axis=0)
    rr = np.where(answered, rest**2, 0.0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((zz + rr) / 2.0 / np.sqrt(zz * rr))


def _clustered_se(influence: np.ndarray, client: np.ndarray) -> np.ndarray:
    starts = client_starts(client)
    by_client = np.add.reduceat(influence, starts, axis=0)
    c = len(starts)
    return np.asarray(np.sqrt((by_client**2).sum(axis=0) * c / max(c - 1, 1)))
