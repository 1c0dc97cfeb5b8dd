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

from dataclasses import dataclass, field

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
    posterior,
    shrinkage,
)
from alliance.mixed.lanes import LANES, multiply

# Slots beyond those of a single group: G_oo' of a pair, then G_o and E_o N' per parameter.
Q_PAIR, Q_OWN = Q_FREE, Q_FREE + 1

MOST_BYTES = 100_000_000
"""Beyond this size the table of patterns is not worth its memory."""


@dataclass(frozen=True, slots=True)
class Patterns:
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

    counts: np.ndarray = field(repr=False)
    blocks: np.ndarray = field(repr=False)
    products: np.ndarray = field(repr=False)
    cell_pattern: np.ndarray = field(repr=False)
    cell_parent: np.ndarray = field(repr=False)
    cell_cross: np.ndarray = field(repr=False)


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
    counts = np.bincount(pattern, minlength=n_patterns).astype(float)
    blocks = np.zeros((n_patterns, r, r))
    blocks[pattern[::-1]] = cross[::-1, :, :r]
    products = np.zeros((n_patterns, len(z), len(z), n_columns, n_columns))
    cell_cross = np.zeros((n_cells, r, n_columns))
    cell_pattern = np.empty(n_cells, dtype=np.int64)
    cell_parent = np.empty(n_cells, dtype=np.int64)
    sum_patterns(cross, z, pattern, cell, parent, products, cell_cross, cell_pattern, cell_parent)
    return Patterns(counts, blocks, products, cell_pattern, cell_parent, cell_cross)


@compiled
def assign_patterns(cross, most, pattern):
    """Give the distinct leading blocks numbers by first appearance; -1 beyond `most` of them."""
    n_clients, r = cross.shape[0], cross.shape[1]
    size = 16
    while size < 4 * most:
        size *= 2
    table = np.full(size, -1, np.int64)
    first = np.empty(most + 1, np.int64)
    n_patterns = 0
    for client in range(n_clients):
        key = np.uint64(1469598103934665603)
        for a in range(r):
            for b in range(a, r):
                value = cross[client, a, b] + 0.0
                mantissa = np.int64(value * 1048576.0) if abs(value) < 1e12 else np.int64(a + b)
                key = (key ^ np.uint64(mantissa)) * np.uint64(1099511628211)
                key = key ^ (key >> np.uint64(29))
        place = np.int64(key & np.uint64(size - 1))
        while True:
            known = table[place]
            if known < 0:
                if n_patterns == most:
                    return -1
                table[place] = n_patterns
                first[n_patterns] = client
                pattern[client] = n_patterns
                n_patterns += 1
                break
            same = True
            other = first[known]
            for a in range(r):
                for b in range(a, r):
                    if cross[client, a, b] != cross[other, a, b]:
                        same = False
            if same:
                pattern[client] = known
                break
            place = (place + 1) & (size - 1)
    return n_patterns


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
def sum_patterns(cross, z, pattern, cell, parent, products, cell_cross, cell_pattern, cell_parent):
    """Sum the clients' cross-products per pattern and per cell."""
    q, r, n_columns = len(z), cross.shape[1], cross.shape[2]
    for client in range(len(pattern)):
        which = pattern[client]
        mine = cell[client]
        cell_pattern[mine] = which
        cell_parent[mine] = parent[client]
        for a in range(r):
            for k in range(n_columns):
                cell_cross[mine, a, k] += cross[client, a, k]
        for a in range(q):
            for b in range(q):
                for k in range(n_columns):
                    left = cross[client, z[a], k]
                    for y in range(n_columns):
                        products[which, a, b, k, y] += left * cross[client, z[b], y]


@compiled
def _minus_symmetric(a, i, out, k, q):
    """Set out[k] to minus (a[i] plus its transpose)."""
    for x in range(q):
        for y in range(q):
            for lane in range(LANES):
                out[k, x, y, lane] = -a[i, x, y, lane] - a[i, y, x, lane]


@compiled
def _own_derivatives(qw, q, own_rows, own_cols, ld):
    """Differentiate G and log|M| in the level's own covariances.

    Fills G_o = N E_o N' and E_o N' per parameter.
    """
    n_own = len(own_rows)
    e_n = Q_OWN + n_own
    shrinkage(qw, q)
    for p in range(n_own):
        row = own_rows[p]
        col = own_cols[p]
        for i in range(q):
            for j in range(q):
                for lane in range(LANES):
                    qw[e_n + p, i, j, lane] = 0.0
        for j in range(q):
            for lane in range(LANES):
                qw[e_n + p, row, j, lane] += qw[Q_N, j, col, lane]
            if row != col:
                for lane in range(LANES):
                    qw[e_n + p, col, j, lane] += qw[Q_N, j, row, lane]
        multiply(qw, Q_N, qw, e_n + p, qw, Q_OWN + p, q, q, q, True)
        twice = 1.0 if row == col else 2.0
        for lane in range(LANES):
            ld[1 + p, lane] += twice * qw[Q_R, row, col, lane]


@compiled
def _own_pair(qw, q, p, c, own_rows, own_cols, ld, slot):
    """G_oo' = -(G_o' S E_o N' + transpose) into its slot; adds the derivative of log|M|."""
    e_n = Q_OWN + len(own_rows)
    row = own_rows[p]
    col = own_cols[p]
    multiply(qw, Q_OWN + c, qw, Q_S, qw, Q_TMP, q, q, q, True)
    multiply(qw, Q_TMP, qw, e_n + p, qw, Q_TMP2, q, q, q, True)
    _minus_symmetric(qw, Q_TMP2, qw, Q_PAIR, q)
    twice = 1.0 if row == col else 2.0
    for k in range(q):
        for lane in range(LANES):
            ld[slot, lane] -= twice * qw[Q_S, row, k, lane] * qw[Q_TMP, k, col, lane]


@compiled
def eliminate_patterns(
    order, full, m, z, own_rows, own_cols, factor,
    counts, blocks, products, cell_pattern, cell_parent, cell_cross, held_above,
    t, contraction, omega, ld,
):  # fmt: skip
    """Do what `alliance.mixed.elimination.eliminate_level` does for clients, by pattern."""
    n_patterns, r = blocks.shape[0], held_above.shape[2]
    q = len(z)
    n_columns = cell_cross.shape[2]
    n_own = len(own_rows)
    n_slots = 1 + n_own + n_own * (n_own + 1) // 2 if order == 2 else 1
    has_parent = len(held_above) > 0
    qw = np.zeros((Q_OWN + 2 * n_own, q, q, LANES))
    mine = np.zeros((n_slots, LANES))
    passed = np.zeros((n_patterns, n_slots, r, q))
    inner = np.zeros((LANES, q, q))
    g = np.zeros((q, q))
    for first in range(0, n_patterns, LANES):
        count = min(LANES, n_patterns - first)
        qw[Q_S] = 0.0
        mine[:] = 0.0
        for lane in range(count):
            for i in range(q):
                for j in range(q):
                    qw[Q_S, i, j, lane] = blocks[first + lane, z[i], z[j]]
        if order == 2 and not full:
            for lane in range(count):
                for a in range(q):
                    for b in range(q):
                        total = 0.0
                        for k in range(n_columns):
                            for y in range(n_columns):
                                total += products[first + lane, a, b, k, y] * omega[k, y]
                        inner[lane, a, b] = total
        posterior(qw, factor, q, mine)
        if order == 2:
            _own_derivatives(qw, q, own_rows, own_cols, mine)
        for p in range(-1, n_own if order == 2 else 0):
            for c in range(-1, p + 1):
                # Slot 0 is the value (p = c = -1), then first (c = -1) and second derivatives.
                pair = p * (p + 1) // 2 + c
                source = Q_G
                slot = 0
                target = 0
                if p >= 0 and c < 0:
                    source = Q_OWN + p
                    slot = 1 + p
                    target = 1 + p
                elif c >= 0:
                    slot = 1 + n_own + pair
                    target = 1 + m + pair
                    _own_pair(qw, q, p, c, own_rows, own_cols, mine, slot)
                    source = Q_PAIR
                for lane in range(count):
                    which = first + lane
                    for i in range(q):
                        for j in range(q):
                            g[i, j] = qw[source, i, j, lane]
                    _spread(g, z, blocks, which, passed, slot)
                    if c >= 0 and not full:
                        for a in range(q):
                            for b in range(q):
                                contraction[pair, lane] += g[a, b] * inner[lane, a, b]
                        continue
                    half = 0.5 if p >= 0 and c < 0 else 1.0
                    for a in range(q):
                        for b in range(q):
                            weight = half * g[a, b]
                            for k in range(n_columns):
                                for y in range(n_columns):
                                    t[target, k, y, lane] += weight * products[which, a, b, k, y]
        for slot in range(n_slots):
            target = slot if slot <= n_own else m + slot - n_own
            for lane in range(count):
                ld[target, lane] += counts[first + lane] * mine[slot, lane]
    if not has_parent:
        return
    for cell in range(len(cell_pattern)):
        which = cell_pattern[cell]
        parent = cell_parent[cell]
        for a in range(r):
            for k in range(n_columns):
                held_above[parent, 0, a, k] += cell_cross[cell, a, k]
        for slot in range(n_slots):
            for a in range(r):
                for b in range(q):
                    weight = passed[which, slot, a, b]
                    for k in range(n_columns):
                        held_above[parent, slot, a, k] -= weight * cell_cross[cell, z[b], k]


@compiled
def _spread(g, z, blocks, which, passed, slot):
    """Set the matrix that turns a cell's own rows into what is taken off its message."""
    q = len(z)
    for a in range(passed.shape[2]):
        for b in range(q):
            total = 0.0
            for i in range(q):
                total += blocks[which, a, z[i]] * g[i, b]
            passed[which, slot, a, b] = total
