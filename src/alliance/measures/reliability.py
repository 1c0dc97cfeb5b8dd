"""Internal consistency of a score: alpha, omega, item-rest correlations, with intervals by client.

Covariances of items are pairwise: each rests on the forms in which both items are answered (as in
R's psych::alpha), so that an unanswered item does not throw away the form's other answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from alliance.measures.one_factor import fit_one_factor
from alliance.measures.resampling import blocks_of, draw_weights, percentile_interval

FEWEST_CLIENTS = 8
"""Below this a coefficient is chance, and comes near to single persons."""
FEWEST_ITEMS_FOR_OMEGA = 3
DRAWS = 500


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A coefficient with its interval; None where it does not exist."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Consistency:
    """Internal consistency of one score in one group of forms.

    Attributes
    ----------
    clients, forms
        How many it rests on (forms with at least one answered item).
    n_items
        Items of the score that vary; the others enter nothing.
    alpha, omega
        Cronbach's alpha; omega total of a one-factor model by maximum likelihood.
    alpha_standardised
        Alpha of the correlations.
    item_rest
        Correlation of each item with the sum of the others, by the item's place in the score; None
        where the item never varies.
    messages
        What could not be computed and why, in plain words.
    """

    clients: int
    forms: int
    n_items: int
    alpha: Coefficient = Coefficient()
    omega: Coefficient = Coefficient()
    alpha_standardised: float | None = None
    item_rest: list[float | None] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


def consistency(
    items: np.ndarray, client: np.ndarray, rng: np.random.Generator, draws: int = DRAWS
) -> Consistency:
    """Return the internal consistency of a score.

    Parameters
    ----------
    items
        Keyed answers (reversed where the key says so), NaN where unanswered, shape (n_forms, p).
    client
        Number of each form's client, from 0 without gaps; shape (n_forms,).
    rng
        For the bootstrap over clients.
    draws
        Bootstrap samples.
    """
    clients, forms = len(np.unique(client)), len(items)
    p = items.shape[1]
    nothing: list[float | None] = [None] * p
    if p < 2:
        told = "One number a form: internal consistency needs two items or more."
        return Consistency(clients, forms, p, item_rest=nothing, messages=[told])
    if clients < FEWEST_CLIENTS:
        told = "No form." if not forms else "Fewer than eight clients: nothing is computed."
        return Consistency(clients, forms, p, item_rest=nothing, messages=[told])
    varies = _varies(items)
    messages = []
    if not varies.all():
        constant = int((~varies).sum())
        word = "item has" if constant == 1 else "items have"
        messages.append(f"{constant} {word} the same answer in every form and is left out.")
    if varies.sum() < 2:
        messages = ["Fewer than two items vary: there is no consistency to see."]
        return Consistency(clients, forms, int(varies.sum()), item_rest=nothing, messages=messages)
    # ASSUME an unanswered item says nothing about what the answer would have been (missing
    # completely at random within the group): pairwise covariances rest on it.
    products = _Products.of(items[:, varies], *blocks_of(client, rng))
    whole = products.covariances(np.ones((1, products.n_blocks)))
    if not np.isfinite(whole).all():
        messages.append("Two items are never answered on the same form.")
        return Consistency(clients, forms, int(varies.sum()), item_rest=nothing, messages=messages)
    resampled = products.covariances(draw_weights(products.n_blocks, draws, rng))
    alpha = Coefficient(float(alpha_of(whole)[0]), *percentile_interval(alpha_of(resampled)))
    rest = iter(item_rest_of(whole)[0])
    scale = np.sqrt(np.diagonal(whole[0]))
    return Consistency(
        clients=clients,
        forms=forms,
        n_items=int(varies.sum()),
        alpha=alpha,
        omega=_omega(whole, resampled, clients, messages),
        alpha_standardised=float(alpha_of(whole / np.outer(scale, scale))[0]),
        item_rest=[float(next(rest)) if varying else None for varying in varies],
        messages=messages,
    )


def alpha_of(covariances: np.ndarray) -> np.ndarray:
    """Return Cronbach's (1951) alpha, p / (p - 1) (1 - trace / sum), of (n, p, p) matrices."""
    p = covariances.shape[1]
    total = covariances.sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.trace(covariances, axis1=1, axis2=2) / total
    return np.where(total > 0, p / (p - 1) * (1.0 - share), np.nan)


def item_rest_of(covariances: np.ndarray) -> np.ndarray:
    """Return the correlation of each item with the sum of the others, shape (n, p)."""
    variance = np.diagonal(covariances, axis1=1, axis2=2)
    with_sum = covariances.sum(axis=2)
    total = covariances.sum(axis=(1, 2))[:, None]
    rest = total - 2 * with_sum + variance
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((with_sum - variance) / np.sqrt(variance * rest))


def _omega(
    whole: np.ndarray, resampled: np.ndarray, clients: int, messages: list[str]
) -> Coefficient:
    p = whole.shape[1]
    if p < FEWEST_ITEMS_FOR_OMEGA:
        messages.append("Two items do not identify a factor: no omega.")
        return Coefficient()
    if clients <= p:
        messages.append(f"{clients} clients are too few for a factor of {p} items: no omega.")
        return Coefficient()
    eigenvalues = np.linalg.eigvalsh(whole[0])
    # a zero is one up to rounding, on whichever side of it that ends
    if eigenvalues[0] <= p * np.finfo(float).eps * eigenvalues[-1]:
        messages.append("Items determine each other (or too many answers are missing): no omega.")
        return Coefficient()
    fit = fit_one_factor(whole)
    if not fit.converged[0]:
        messages.append("The one-factor model did not converge: no omega.")
        return Coefficient()
    if fit.at_bound[0]:
        messages.append("One item carries the whole factor (Heywood case): read omega with care.")
    start = np.clip(fit.uniquenesses[0] / np.diagonal(whole[0]), 0.01, 0.99)
    usable = _positive_definite(resampled)
    omegas = np.full(len(resampled), np.nan)
    omegas[usable] = fit_one_factor(resampled[usable], start).omega
    return Coefficient(float(fit.omega[0]), *percentile_interval(omegas))


SMALLEST_ROOT = 1e-10  # as part of the largest; below it a matrix counts as singular


def _positive_definite(covariances: np.ndarray) -> np.ndarray:
    finite = np.isfinite(covariances).all(axis=(1, 2))
    usable = finite.copy()
    roots = np.linalg.eigvalsh(covariances[finite])
    # Not just above zero: an item that never varies leaves a root that is zero but for rounding.
    usable[finite] = roots[:, 0] > SMALLEST_ROOT * np.maximum(roots[:, -1], 0.0)
    return np.asarray(usable & (np.diagonal(covariances, axis1=1, axis2=2) > 0).all(axis=1))


def _varies(items: np.ndarray) -> np.ndarray:
    """Return which items have two different answers at least; shape (p,)."""
    low = np.fmin.reduce(items, axis=0)
    high = np.fmax.reduce(items, axis=0)
    return np.asarray(high > low)  # NaN where nobody answered: false


@dataclass(frozen=True, slots=True)
class _Products:
    """Counts, sums and cross-products of items by block, so that a resample is a weighted sum.

    `counts`, `sums`, `products` have shape (n_blocks, p * p); entry (i, j) of `sums` adds up item i
    over the forms in which j is answered too.
    """

    counts: np.ndarray
    sums: np.ndarray
    products: np.ndarray
    n_items: int

    @property
    def n_blocks(self) -> int:
        return len(self.counts)

    @classmethod
    def of(cls, items: np.ndarray, block: np.ndarray, n_blocks: int) -> _Products:
        p = items.shape[1]
        answered = ~np.isnan(items)
        # Centred first: cross-products of large numbers lose digits.
        centred = np.where(answered, items - np.nanmean(items, axis=0), 0.0)
        tables = [np.zeros((n_blocks, p * p)) for _ in range(3)]
        order = np.argsort(block, kind="stable")
        edges = np.searchsorted(block[order], np.arange(n_blocks + 1))
        for b in range(n_blocks):
            rows = order[edges[b] : edges[b + 1]]
            x, a = centred[rows], answered[rows].astype(float)
            for table, (left, right) in zip(tables, ((a, a), (x, a), (x, x)), strict=True):
                table[b] = (left.T @ right).ravel()
        return cls(tables[0], tables[1], tables[2], p)

    def covariances(self, weights: np.ndarray) -> np.ndarray:
        """Return the pairwise covariance matrices, (n, p, p), of resamples `weights` (n, blocks).

        NaN where a pair of items shares fewer than two forms.
        """
        shape = (len(weights), self.n_items, self.n_items)
        n, s, c = ((weights @ t).reshape(shape) for t in (self.counts, self.sums, self.products))
        with np.errstate(divide="ignore", invalid="ignore"):
            covariances = (c - s * s.transpose(0, 2, 1) / n) / (n - 1.0)
        return np.where(n > 1.5, covariances, np.nan)
