"""Clients with the same sessions share their elimination.

With independent residuals the client step depends on Z'Z alone, and clients seen at the same
session numbers have the same Z'Z to the last bit (centring constants are rounded so that sums over
whole numbers are exact). So G and its derivatives are computed once per pattern P of Z'Z; the
update of T needs from its clients only the sum over i of B_i[a,:]' B_i[b,:], and what goes up to
a therapist only the sum of B_i over the therapist's clients of that pattern (a *cell*):

    sum over i of B_i - P_Z G B_i[Z,:]   =   (I - P_Z G E_Z) sum over i of B_i .

It begins to pay above clinic size. One evaluation with second derivatives (intercept and slope of
clients in therapists, 4 to 20 sessions, one core), with and without: 100 clients 0.11 and 0.13 ms,
400: 0.15 and 0.27, 2,000: 0.27 and 0.98, 10,000: 0.95 and 4.6, 50,000: 2.2 and 26. A fit takes some
tens of evaluations, so that up to about 1,000 clients it saves milliseconds, beyond that seconds.
Without it every client is a pattern of its own and goes through `elimination` alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from alliance.mixed.compiling import compiled
from alliance.mixed.elimination import (
    Q_FREE,
    Q_G,
    Q_N,
    Q_R,
    Q_S,
    Q_TMP,
    Q_TMP2,
    n_slots,
    posterior,
    shrinkage,
)
from alliance.mixed.lanes import LANES, inner_add, multiply

# Slots beyond those of a single group: G_oo' of a pair, then G_o and E_o N' per parameter.
Q_PAIR, Q_OWN = Q_FREE, Q_FREE + 1

MOST_BYTES = 100_000_000
"""Beyond this size the table of patterns is not worth its memory."""


class Patterns(NamedTuple):
    """Clients grouped by their Z'Z.

    Attributes
    ----------
    counts : numpy.ndarray
        Clients per pattern, shape (P,).
    blocks : numpy.ndarray
        Cross-product of the columns of the random parts, shape (P, r, r).
    products : numpy.ndarray
        Sum over clients of B_i[a,:]' B_i[b,:] for own columns a, b, shape (P, q, q, K, K).
    cell_pattern, cell_parent : numpy.ndarray
        Pattern and parent of each cell, shape (cells,).
    cell_cross : numpy.ndarray
        Sum of B_i over the clients of each cell, shape (cells, r, K).
    """

    counts: np.ndarray
    blocks: np.ndarray
    products: np.ndarray
    cell_pattern: np.ndarray
    cell_parent: np.ndarray
    cell_cross: np.ndarray


def find_patterns(cross: np.ndarray, z: np.ndarray, parents: np.ndarray) -> Patterns | None:
    """Group clients by pattern; None if too few of them share one.

    Parameters
    ----------
    cross : array (clients, r, K)
        Cross-products per client.
    z : array (q,)
        Columns of the clients' random effects.
    parents : array (clients,) or (0,)
        Parent of each client, ascending.
    """
    n_clients, r, n_columns = cross.shape
    most = min(n_clients // 4, MOST_BYTES // (8 * (len(z) * n_columns) ** 2))
    if most < 1:
        return None
    pattern = np.empty(n_clients, dtype=np.int64)
    n_patterns = assign_patterns(cross, most, pattern)
    if n_patterns < 0:
        return None
    parent = parents if len(parents) else np.zeros(n_clients, dtype=np.int64)
    cell = np.empty(n_clients, dtype=np.int64)
    n_cells = assign_cells(pattern, parent, n_patterns, cell)
    patterns = Patterns(
        np.bincount(pattern, minlength=n_patterns).astype(float),
        np.zeros((n_patterns, r, r)),
        np.zeros((n_patterns, len(z), len(z), n_columns, n_columns)),
        np.empty(n_cells, dtype=np.int64),
        np.empty(n_cells, dtype=np.int64),
        np.zeros((n_cells, r, n_columns)),
    )
    patterns.blocks[pattern[::-1]] = cross[::-1, :, :r]
    patterns.cell_pattern[cell] = pattern
    patterns.cell_parent[cell] = parent
    sum_products(cross, z, pattern, patterns.products)
    sum_cells(cross, cell, patterns.cell_cross)
    return patterns


@compiled
def assign_patterns(cross, most, pattern):
    """Give the distinct leading blocks numbers by first appearance; -1 beyond `most` of them."""
    size = 16
    while size < 4 * most:
        size *= 2
    table = np.full(size, -1, np.int64)
    first = np.empty(most + 1, np.int64)
    n_patterns = 0
    for client in range(len(cross)):
        place = np.int64(_hash(cross[client]) & np.uint64(size - 1))
        while table[place] >= 0 and not _same_block(cross[client], cross[first[table[place]]]):
            place = (place + 1) & (size - 1)
        if table[place] < 0:
            if n_patterns == most:
                return -1
            table[place] = n_patterns
            first[n_patterns] = client
            n_patterns += 1
        pattern[client] = table[place]
    return n_patterns


@compiled
def _hash(cross):
    """Number made of the leading block, the same for the same block."""
    key = np.uint64(1469598103934665603)
    for a in range(len(cross)):
        for b in range(a, len(cross)):
            value = cross[a, b] + 0.0
            mantissa = np.int64(value * 1048576.0) if abs(value) < 1e12 else np.int64(a + b)
            key = (key ^ np.uint64(mantissa)) * np.uint64(1099511628211)
            key = key ^ (key >> np.uint64(29))
    return key


@compiled
def _same_block(cross, other):
    """Whether two clients have the same leading block."""
    for a in range(len(cross)):
        for b in range(a, len(cross)):
            if cross[a, b] != other[a, b]:
                return False
    return True


@compiled
def assign_cells(pattern, parent, n_patterns, cell):
    """Give the pairs (parent, pattern) numbers; clients of one parent stand together."""
    last_parent = np.full(n_patterns, -1, np.int64)
    last_cell = np.empty(n_patterns, np.int64)
    n_cells = 0
    for client in range(len(pattern)):
        which = pattern[client]
        if last_parent[which] != parent[client]:
            last_parent[which] = parent[client]
            last_cell[which] = n_cells
            n_cells += 1
        cell[client] = last_cell[which]
    return n_cells


@compiled
def sum_products(cross, z, pattern, products):
    """Sum the clients' products of own rows per pattern."""
    q, n_columns = len(z), cross.shape[2]
    for client in range(len(pattern)):
        mine = products[pattern[client]]
        for a in range(q):
            for b in range(q):
                for k in range(n_columns):
                    left = cross[client, z[a], k]
                    for y in range(n_columns):
                        mine[a, b, k, y] += left * cross[client, z[b], y]


@compiled
def sum_cells(cross, cell, cell_cross):
    """Sum the clients' cross-products per cell."""
    for client in range(len(cell)):
        for a in range(cross.shape[1]):
            for k in range(cross.shape[2]):
                cell_cross[cell[client], a, k] += cross[client, a, k]


class Batch(NamedTuple):
    """Up to `LANES` patterns, and what their elimination takes off the messages.

    Attributes
    ----------
    counts, blocks, products : numpy.ndarray
        As in `Patterns`.
    taken : numpy.ndarray
        P_Z G and its derivatives, shape (slots, patterns, r_above, q).
    """

    counts: np.ndarray
    blocks: np.ndarray
    products: np.ndarray
    taken: np.ndarray


@compiled
def eliminate_patterns(asked, level, patterns, above, sums):
    """Do what `alliance.mixed.levels.eliminate_clients` does, by pattern."""
    q, n_own, n_patterns = len(level.columns), len(level.rows), len(patterns.counts)
    small = np.zeros((Q_OWN + 2 * n_own, q, q, LANES))
    taken = np.zeros((n_slots(n_own, asked.order), n_patterns, above.shape[2], q))
    for first in range(0, n_patterns, LANES):
        some = slice(first, min(first + LANES, n_patterns))
        batch = Batch(
            patterns.counts[some], patterns.blocks[some], patterns.products[some], taken[:, some]
        )
        _eliminate_batch(asked, level, batch, small, sums)
    if above.shape[2] > 0:
        _hand_on(level.columns, patterns, taken, above)


@compiled
def _eliminate_batch(asked, level, batch, small, sums):
    n_own, own_log_det = len(level.rows), np.zeros((len(batch.taken), LANES))
    small[Q_S] = 0.0
    for lane in range(len(batch.blocks)):
        for i in range(len(level.columns)):
            for j in range(len(level.columns)):
                small[Q_S, i, j, lane] = batch.blocks[lane, level.columns[i], level.columns[j]]
    posterior(small, level.factor, own_log_det[0])
    _add_update(batch.products, small[Q_G], sums.t[0], 1.0)
    _take_off(level.columns, batch.blocks, small[Q_G], batch.taken[0])
    if asked.order == 2:
        _own_derivatives(level, small, own_log_det)
        for p in range(n_own):
            _add_update(batch.products, small[Q_OWN + p], sums.t[1 + p], 0.5)
            _take_off(level.columns, batch.blocks, small[Q_OWN + p], batch.taken[1 + p])
        _own_pairs(asked, level, batch, small, own_log_det, sums)
    for slot in range(len(own_log_det)):
        target = slot if slot <= n_own else level.n_parameters + slot - n_own
        for lane in range(len(batch.counts)):
            sums.log_det[target, lane] += batch.counts[lane] * own_log_det[slot, lane]


@compiled
def _own_derivatives(level, small, log_det):
    """Differentiate G and log|M| in the level's own covariances.

    Fills G_o = N E_o N' and E_o N' per parameter.
    """
    n_own, n = len(level.rows), small[Q_N]
    shrinkage(small)
    for p in range(n_own):
        row, col, e_n = level.rows[p], level.cols[p], small[Q_OWN + n_own + p]
        e_n[:] = 0.0
        for j in range(len(n)):
            for lane in range(LANES):
                e_n[row, j, lane] += n[j, col, lane]
            if row != col:
                for lane in range(LANES):
                    e_n[col, j, lane] += n[j, row, lane]
        multiply(n, e_n, small[Q_OWN + p])
        twice = 1.0 if row == col else 2.0
        for lane in range(LANES):
            log_det[1 + p, lane] += twice * small[Q_R, row, col, lane]


@compiled
def _own_pairs(asked, level, batch, small, log_det, sums):
    """Second derivatives in the level's own covariances."""
    n_own = len(level.rows)
    inner = np.zeros(small.shape[1:])
    if not asked.full:
        _contract(batch.products, asked.omega, inner)
    for p in range(n_own):
        for c in range(p + 1):
            pair = p * (p + 1) // 2 + c
            slot = 1 + n_own + pair
            _own_pair(level, p, c, small, log_det[slot])
            _take_off(level.columns, batch.blocks, small[Q_PAIR], batch.taken[slot])
            if asked.full:
                target = sums.t[1 + level.n_parameters + pair]
                _add_update(batch.products, small[Q_PAIR], target, 1.0)
            else:
                inner_add(small[Q_PAIR], inner, sums.contraction[pair], 1.0)


@compiled
def _own_pair(level, p, c, small, log_det):
    """G_oo' = -(G_o' S E_o N' + transpose) into its slot; adds the derivative of log|M|."""
    row, col, s, product, g = level.rows[p], level.cols[p], small[Q_S], small[Q_TMP2], small[Q_PAIR]
    multiply(small[Q_OWN + c], s, small[Q_TMP])
    multiply(small[Q_TMP], small[Q_OWN + len(level.rows) + p], product)
    for x in range(len(g)):
        for y in range(len(g)):
            for lane in range(LANES):
                g[x, y, lane] = -product[x, y, lane] - product[y, x, lane]
    twice = 1.0 if row == col else 2.0
    for k in range(len(s)):
        for lane in range(LANES):
            log_det[lane] -= twice * s[row, k, lane] * small[Q_TMP, k, col, lane]


@compiled
def _add_update(products, g, out, scale):
    """Add to out the patterns' scale B' G B, summed over their clients."""
    for lane in range(len(products)):
        for a in range(len(g)):
            for b in range(len(g)):
                weight = scale * g[a, b, lane]
                for k in range(out.shape[0]):
                    for y in range(out.shape[1]):
                        out[k, y, lane] += weight * products[lane, a, b, k, y]


@compiled
def _contract(products, omega, out):
    """Set out to the inner products of B_a' B_b, summed over a pattern's clients, with omega."""
    for lane in range(len(products)):
        for a in range(out.shape[0]):
            for b in range(out.shape[1]):
                total = 0.0
                for k in range(len(omega)):
                    for y in range(len(omega)):
                        total += products[lane, a, b, k, y] * omega[k, y]
                out[a, b, lane] = total


@compiled
def _take_off(z, blocks, g, taken):
    """Set the matrix that turns a cell's own rows into what is taken off its message."""
    for lane in range(len(blocks)):
        for a in range(taken.shape[1]):
            for b in range(len(z)):
                total = 0.0
                for i in range(len(z)):
                    total += blocks[lane, a, z[i]] * g[i, b, lane]
                taken[lane, a, b] = total


@compiled
def _hand_on(z, patterns, taken, above):
    """Add the cells' messages to their parents."""
    n_columns = above.shape[3]
    for cell in range(len(patterns.cell_pattern)):
        which, cross = patterns.cell_pattern[cell], patterns.cell_cross[cell]
        mine = above[patterns.cell_parent[cell]]
        for a in range(above.shape[2]):
            for k in range(n_columns):
                mine[0, a, k] += cross[a, k]
        for slot in range(len(taken)):
            for a in range(above.shape[2]):
                for b in range(len(z)):
                    weight = taken[slot, which, a, b]
                    for k in range(n_columns):
                        mine[slot, a, k] -= weight * cross[z[b], k]
