"""One pass over the rows: every client becomes a few small cross-products.

After this pass no evaluation touches a row again. Per client and residual class the engine keeps
B = (columns of the random parts)' (all columns), shape (r, K); over all clients and per class it
keeps the full cross-product of all columns, shape (K, K). Internal columns stand in the order:
those of the random parts, the other fixed ones, the outcome last.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from alliance.mixed.compiling import compiled


class Block(NamedTuple):
    """The rows of some neighbouring clients.

    Attributes
    ----------
    columns : numpy.ndarray
        Internal columns of the rows, shape (rows, K).
    first_row : int
        Number of the first of them among all rows.
    starts : numpy.ndarray
        First row of each client among all rows, and the end, shape (clients + 1,).
    first_client : int
        Number of the first client among all clients.
    """

    columns: np.ndarray
    first_row: int
    starts: np.ndarray
    first_client: int


class Products(NamedTuple):
    """Cross-products of all clients, filled block by block.

    Attributes
    ----------
    totals : numpy.ndarray
        Per class, sum over all rows, upper triangles only, shape (H, K, K).
    pointer, entry_class, cross : numpy.ndarray
        Per client its classes and their cross-products, shape of `cross` (entries, r, K).
    """

    totals: np.ndarray
    pointer: np.ndarray
    entry_class: np.ndarray
    cross: np.ndarray


@compiled
def count_entries(starts, row_lag, row_group, n_groups, n_lags, entry_pointer):
    """Count the residual classes that occur in each client; fills ``entry_pointer``."""
    n_classes = n_groups + n_lags * n_groups + n_lags * n_groups * n_groups
    seen = np.full(n_classes, -1, np.int64)
    total = 0
    entry_pointer[0] = 0
    for client in range(len(starts) - 1):
        for row in range(starts[client], starts[client + 1]):
            lag = row_lag[row]
            own = row_group[row]
            if lag < 0:
                if seen[own] != client:
                    seen[own] = client
                    total += 1
                continue
            before = row_group[row - 1]
            a_own = n_groups + lag * n_groups + own
            a_before = n_groups + lag * n_groups + before
            cross = n_groups + n_lags * n_groups + (lag * n_groups + own) * n_groups + before
            if seen[before] != client:
                seen[before] = client
                total += 1
            if seen[a_own] != client:
                seen[a_own] = client
                total += 1
            if seen[a_before] != client:
                seen[a_before] = client
                total += 1
            if seen[cross] != client:
                seen[cross] = client
                total += 1
        entry_pointer[client + 1] = total
    return total


@compiled
def accumulate(block, into):
    """Cross-products of independent rows with one variance."""
    columns, starts, totals = block.columns, block.starts - block.first_row, into.totals[0]
    n_columns = columns.shape[1]
    for client in range(len(starts) - 1):
        mine = into.cross[block.first_client + client]
        for row in range(starts[client], starts[client + 1]):
            for a in range(n_columns):
                left = columns[row, a]
                if left != 0.0:
                    for b in range(a, n_columns):
                        totals[a, b] += left * columns[row, b]
            for a in range(len(mine)):
                left = columns[row, a]
                for b in range(n_columns):
                    mine[a, b] += left * columns[row, b]


@compiled
def _add(left, right, sign, total, mine):
    n_columns = len(left)
    for a in range(n_columns):
        for b in range(a, n_columns):
            total[a, b] += sign * left[a] * right[b]
    for a in range(len(mine)):
        for b in range(n_columns):
            mine[a, b] += sign * left[a] * right[b]


@compiled
def accumulate_classes(block, row_lag, row_group, n_groups, n_lags, into):
    """Cross-products per residual class (see `alliance.mixed.residual` for the classes)."""
    starts, totals, cross = block.starts, into.totals, into.cross
    slot = np.full(len(totals), -1, np.int64)
    for client in range(len(starts) - 1):
        begin = into.pointer[block.first_client + client]
        used = begin
        for row in range(starts[client], starts[client + 1]):
            lag = row_lag[row]
            own = row_group[row]
            now = block.columns[row - block.first_row]
            if lag < 0:
                if slot[own] < begin:
                    slot[own] = used
                    into.entry_class[used] = own
                    used += 1
                _add(now, now, 1.0, totals[own], cross[slot[own]])
                continue
            past = block.columns[row - 1 - block.first_row]
            before = row_group[row - 1]
            a_own = n_groups + lag * n_groups + own
            a_before = n_groups + lag * n_groups + before
            pair = n_groups + n_lags * n_groups + (lag * n_groups + own) * n_groups + before
            for which in (before, a_own, a_before, pair):
                if slot[which] < begin:
                    slot[which] = used
                    into.entry_class[used] = which
                    used += 1
            _add(past, past, -1.0, totals[before], cross[slot[before]])
            _add(now, now, 1.0, totals[a_own], cross[slot[a_own]])
            _add(past, past, 1.0, totals[a_before], cross[slot[a_before]])
            _add(now, past, 1.0, totals[pair], cross[slot[pair]])
            _add(past, now, 1.0, totals[pair], cross[slot[pair]])


@compiled
def autoregress(noise, row_lag, power):
    """Turn white noise into stationary AR(1) noise of unit variance, in place.

    Parameters
    ----------
    noise : array (rows,)
    row_lag : array (rows,)
        Index of the distance to the row before; -1 for a client's first row.
    power : array (D,)
        phi to the power of each distance.
    """
    for row in range(len(noise)):
        if row_lag[row] >= 0:
            x = power[row_lag[row]]
            noise[row] = x * noise[row - 1] + np.sqrt(1.0 - x * x) * noise[row]


@compiled
def count_session_entries(starts, row_outcome, row_set, row_opens, classes, entry_pointer):
    """Count the classes of `alliance.mixed.residual_session` per client; fills the pointer."""
    seen = np.full(classes.max() + 1, -1, np.int64)
    total = 0
    entry_pointer[0] = 0
    for client in range(len(starts) - 1):
        opened = starts[client]
        for row in range(starts[client], starts[client + 1]):
            if row_opens[row]:
                opened = row
            for other in range(opened, row + 1):
                which = classes[row_set[row], row_outcome[row], row_outcome[other]]
                if seen[which] != client:
                    seen[which] = client
                    total += 1
        entry_pointer[client + 1] = total
    return total


@compiled
def accumulate_sessions(block, row_outcome, row_set, row_opens, classes, into):
    """Cross-products per set of outcomes and pair (see `alliance.mixed.residual_session`)."""
    starts, totals, cross = block.starts, into.totals, into.cross
    slot = np.full(len(totals), -1, np.int64)
    for client in range(len(starts) - 1):
        begin = into.pointer[block.first_client + client]
        used = begin
        opened = starts[client]
        for row in range(starts[client], starts[client + 1]):
            if row_opens[row]:
                opened = row
            now = block.columns[row - block.first_row]
            for other in range(opened, row + 1):
                which = classes[row_set[row], row_outcome[row], row_outcome[other]]
                if slot[which] < begin:
                    slot[which] = used
                    into.entry_class[used] = which
                    used += 1
                past = block.columns[other - block.first_row]
                _add(now, past, 1.0, totals[which], cross[slot[which]])
                if other < row:
                    _add(past, now, 1.0, totals[which], cross[slot[which]])


@compiled
def count_piece_entries(starts, piece_first, piece_stop, piece_kind, n_kinds, entry_pointer):
    """Count the classes of `alliance.mixed.residual_course` per client; fills the pointer."""
    seen = np.full(n_kinds, -1, np.int64)
    total = 0
    piece = 0
    entry_pointer[0] = 0
    for client in range(len(starts) - 1):
        while piece < len(piece_stop) and piece_stop[piece] <= starts[client + 1]:
            if seen[piece_kind[piece]] != client:
                seen[piece_kind[piece]] = client
                cells = piece_stop[piece] - piece_first[piece]
                total += cells * (cells + 1) // 2
            piece += 1
        entry_pointer[client + 1] = total
    return total


@compiled
def accumulate_pieces(block, piece_first, piece_stop, piece_kind, kind_place, piece, into):
    """Cross-products per kind of piece and pair of cells (see `alliance.mixed.residual_course`).

    Begins with `piece`.
    """
    starts, rows = block.starts, block.columns
    slot = np.full(len(kind_place), -1, np.int64)
    for client in range(len(starts) - 1):
        begin = into.pointer[block.first_client + client]
        used = begin
        while piece < len(piece_stop) and piece_stop[piece] <= starts[client + 1]:
            kind = piece_kind[piece]
            first = piece_first[piece]
            cells = piece_stop[piece] - first
            if slot[kind] < begin:
                slot[kind] = used
                for pair in range(cells * (cells + 1) // 2):
                    into.entry_class[used] = kind_place[kind] + pair
                    used += 1
            pair = 0
            for a in range(cells):
                now = rows[first + a - block.first_row]
                for b in range(a + 1):
                    past = rows[first + b - block.first_row]
                    total = into.totals[kind_place[kind] + pair]
                    mine = into.cross[slot[kind] + pair]
                    _add(now, past, 1.0, total, mine)
                    if b < a:
                        _add(past, now, 1.0, total, mine)
                    pair += 1
            piece += 1


@compiled
def autoregress_sessions(states, transition, steps, roots):
    """Turn white noise into stationary states of unit covariance, in place.

    Parameters
    ----------
    states : array (sessions, p)
    transition : array (sessions,)
        Which step leads to a session; -1 for a client's first.
    steps, roots : array (T, p, p)
        Coefficients of each step and a root of its innovations' covariance.
    """
    p = states.shape[1]
    fresh = np.empty(p)
    for session in range(len(states)):
        step = transition[session]
        if step >= 0:
            for a in range(p):
                total = 0.0
                for b in range(p):
                    total += steps[step, a, b] * states[session - 1, b]
                    total += roots[step, a, b] * states[session, b]
                fresh[a] = total
            for a in range(p):
                states[session, a] = fresh[a]
