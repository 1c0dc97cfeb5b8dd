"""Level by level: eliminate all groups of a level, and hand on what is left to their parents."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from alliance.mixed.compiling import compiled
from alliance.mixed.elimination import F_FREE, Q_FREE, Scratch, eliminate, n_slots
from alliance.mixed.lanes import LANES


class Clients(NamedTuple):
    """The clients' cross-products and the weights of their classes.

    Attributes
    ----------
    weights : numpy.ndarray
        Class weights, then their first and second derivatives in the residual parameters, shape
        (slots, H).
    pointer, entry_class, cross : numpy.ndarray
        As in `alliance.mixed.problem.Problem`.
    """

    weights: np.ndarray
    pointer: np.ndarray
    entry_class: np.ndarray
    cross: np.ndarray


@compiled
def eliminate_clients(asked, level, clients, parents, above, sums):
    """Eliminate every client.

    Parameters
    ----------
    asked : alliance.mixed.elimination.Asked
    level : alliance.mixed.elimination.Level
    clients : Clients
    parents : array (clients,)
        Parent of each client; any where the clients are the outermost level.
    above : array (parents, slots, r_above, K)
        Receives what is passed to the parents: the rows of the columns that levels above use.
    sums : alliance.mixed.elimination.Sums
    """
    cross, n_clients = clients.cross, len(clients.pointer) - 1
    s = np.zeros((n_slots(level.n_below, asked.order), cross.shape[1], cross.shape[2], LANES))
    up, scratch = _room(asked, level, above)
    for first in range(0, n_clients, LANES):
        count = min(LANES, n_clients - first)
        _weigh(clients, first, count, s)
        up[:] = 0.0
        eliminate(asked, level, s, up, sums, scratch)
        _hand_on(up, parents, first, count, above)


@compiled
def eliminate_groups(asked, level, held, parents, above, sums):
    """Eliminate every group of a level above the clients, which `held` S and its derivatives.

    Parameters as in `eliminate_clients`; `held` has the shape (groups, slots, r, K).
    """
    s = np.zeros((held.shape[1], held.shape[2], held.shape[3], LANES))
    up, scratch = _room(asked, level, above)
    for first in range(0, len(held), LANES):
        count = min(LANES, len(held) - first)
        if count < LANES:
            s[:] = 0.0
        for lane in range(count):
            s[:, :, :, lane] = held[first + lane]
        up[:] = 0.0
        eliminate(asked, level, s, up, sums, scratch)
        _hand_on(up, parents, first, count, above)


@compiled
def _room(asked, level, above):
    """Zeros for what goes up and for the scratch stacks."""
    q, n_below, n_columns = len(level.columns), level.n_below, above.shape[3]
    n_up = n_slots(n_below + len(level.rows), asked.order)
    return np.zeros((n_up, above.shape[2], n_columns, LANES)), Scratch(
        np.zeros((Q_FREE + 3 * n_below, q, q, LANES)),
        np.zeros((F_FREE + 4 * n_below, q, n_columns, LANES)),
    )


@compiled
def _weigh(clients, first, count, s):
    """Set S and its derivatives of some clients to the weighted sums of their cross-products."""
    s[:] = 0.0
    for lane in range(count):
        for entry in range(clients.pointer[first + lane], clients.pointer[first + lane + 1]):
            which = clients.entry_class[entry]
            for slot in range(s.shape[0]):
                weight = clients.weights[slot, which]
                for a in range(s.shape[1]):
                    for b in range(s.shape[2]):
                        s[slot, a, b, lane] += weight * clients.cross[entry, a, b]


@compiled
def _hand_on(up, parents, first, count, above):
    """Add what goes up to the parents of some groups."""
    if above.shape[2] == 0:
        return
    for lane in range(count):
        mine = above[parents[first + lane]]
        for slot in range(up.shape[0]):
            for a in range(up.shape[1]):
                for b in range(up.shape[2]):
                    mine[slot, a, b] += up[slot, a, b, lane]
