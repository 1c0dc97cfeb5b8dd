"""From sorted rows to a compressed problem, of all clients or of a sample of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alliance.mixed.covariance import Layout
from alliance.mixed.design import internal_values
from alliance.mixed.prepare import Prepared
from alliance.mixed.problem import Problem
from alliance.mixed.residual_course import Residual
from alliance.mixed.rows import Nesting

if TYPE_CHECKING:
    from alliance.mixed.crossproducts import Products

BLOCK_ROWS = 8192
"""Rows that are worked on at a time; a block of them stays in the processor's cache."""

SAMPLE_CLIENTS = 800
SAMPLE_PARENTS = 40


def compress(prepared: Prepared, clients: np.ndarray | None = None) -> Problem:
    """Make the cross-products of the clients in one pass over the rows.

    Parameters
    ----------
    prepared : Prepared
    clients : array, optional
        Places of the clients to use, ascending; all of them by default.
    """
    from alliance.mixed.patterns import find_patterns

    columns = prepared.columns
    tree = _Tree.build(prepared.nesting, clients)
    r = columns.n_random
    residual, products = _products(prepared, tree, r)
    upper = np.triu(products.totals)
    return Problem(
        Layout(tuple(len(index) for index in columns.level_index), residual.n_parameters),
        residual,
        int(tree.starts[-1]),
        r,
        columns.level_index,
        upper + np.triu(upper, 1).transpose(0, 2, 1),
        products.pointer,
        products.entry_class,
        products.cross,
        tree.parents,
        tree.n_outermost,
        find_patterns(products.cross, columns.level_index[-1], tree.parents[-1])
        if residual.plain
        else None,
    )


def whole_products(
    prepared: Prepared, clients: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cross-products of all columns of some clients, client by client.

    Returns
    -------
    pointer, entry_class, cross
        As in `alliance.mixed.problem.Problem`, with all rows: shape of `cross` (entries, K, K).
    """
    tree = _Tree.build(prepared.nesting, clients)
    n_columns = len(prepared.columns.internals) + 1
    _, products = _products(prepared, tree, n_columns)
    return products.pointer, products.entry_class, products.cross


def _products(prepared: Prepared, tree: _Tree, r: int) -> tuple[Residual, Products]:
    """Residual structure, and the cross-products with r rows per entry of a client."""
    from alliance.mixed.crossproducts import Block, Products

    starts, rows, residual = tree.starts, tree.rows, prepared.residual
    if rows is not None:
        residual = residual.restricted(rows)
    n_columns = len(prepared.columns.internals) + 1
    n_clients = len(starts) - 1
    pointer = np.arange(n_clients + 1, dtype=np.int64)
    n_entries = residual.count_entries(starts, pointer)
    products = Products(
        np.zeros((residual.n_classes, n_columns, n_columns)),
        pointer,
        np.zeros(n_entries, dtype=np.int64),
        np.zeros((n_entries, r, n_columns)),
    )
    first = 0
    while first < n_clients:
        last = int(np.searchsorted(starts, starts[first] + BLOCK_ROWS, side="right")) - 1
        last = min(max(last, first + 1), n_clients)
        inside = starts[first : last + 1]
        span = slice(int(inside[0]), int(inside[-1]))
        block = internal_block(prepared, span if rows is None else rows[span])
        residual.accumulate(Block(block, span.start, inside, first), products)
        first = last
    return residual, products


def internal_block(prepared: Prepared, rows: slice | np.ndarray) -> np.ndarray:
    """Fill the internal columns and the outcome of some sorted rows, shape (rows, K)."""
    columns = prepared.columns
    outcome = prepared.outcome[rows]
    block = np.empty((len(outcome), len(columns.internals) + 1))
    for number, internal in enumerate(columns.internals):
        values = internal_values(
            internal, lambda factor: prepared.factor_values(factor)[rows], columns.centres
        )
        block[:, number] = values / columns.scales[number]
    block[:, -1] = prepared.outcomes.to_internal(outcome, rows)
    return block


class _Tree:
    """Row ranges and parents of all clients, or of a sample."""

    def __init__(
        self,
        starts: np.ndarray,
        rows: np.ndarray | None,
        parents: list[np.ndarray],
        n_outermost: int,
    ) -> None:
        self.starts, self.rows = starts, rows
        self.parents, self.n_outermost = parents, n_outermost

    @classmethod
    def build(cls, nesting: Nesting, clients: np.ndarray | None) -> _Tree:
        starts = nesting.starts[-1]
        parents = [np.empty(0, dtype=np.int64)]
        parents += [nesting.parents(depth) for depth in range(1, len(nesting.levels))]
        n_outermost = len(nesting.starts[0]) - 1
        if clients is None:
            return cls(starts, None, parents, n_outermost)
        sizes = np.diff(starts)[clients]
        rows = np.concatenate([np.arange(starts[c], starts[c + 1]) for c in clients])
        kept = clients
        for depth in reversed(range(1, len(parents))):
            kept, inverse = np.unique(parents[depth][kept], return_inverse=True)
            parents[depth] = inverse
        n_outermost = len(kept)
        return cls(np.concatenate(([0], np.cumsum(sizes))), rows, parents, n_outermost)


def sample_clients(nesting: Nesting) -> np.ndarray:
    """Clients of an evenly spread sample of their parents (or of themselves), ascending."""
    n_clients = len(nesting.starts[-1]) - 1
    step = max(1, n_clients // SAMPLE_CLIENTS)
    if len(nesting.levels) == 1:
        return np.arange(0, n_clients, step)
    parents = nesting.parents(len(nesting.levels) - 1)
    n_parents = int(parents[-1]) + 1
    if n_parents < 2 * SAMPLE_PARENTS:
        return np.arange(0, n_clients, step)
    step = min(step, n_parents // SAMPLE_PARENTS)
    return np.flatnonzero(parents % step == 0)
