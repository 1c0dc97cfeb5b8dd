"""What groups of clients hold of the quadratic form, and what is left without them.

Everything that a fit needs of the data is T = C' V^-1 C, log|V| and their derivatives
(`alliance.mixed.problem`), and all of it is a sum over groups: a client adds its cross-products and
takes off its update; a group above takes off the update of what its members pass up. So without
some clients T is T less what they add, and the groups above them hold what they held less what
these clients passed up. At one point of the parameters this takes one pass over the clients,
whoever is left out.

A *stack* is a matrix or a number with its derivatives: value, first and second derivatives in the
covariances (packed pairs), shape (1 + m + m(m+1)/2, ...).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from alliance.mixed.compress import whole_products
from alliance.mixed.covariance import Layout, triangle, unpack_pairs
from alliance.mixed.lanes import LANES
from alliance.mixed.result import MixedFit

CHUNK = 2_000_000
"""Numbers in the stacks that are worked on at a time."""


@dataclass(frozen=True, slots=True)
class Forms:
    """T and log|V| of several data sets at one point, with derivatives in the covariances.

    Attributes
    ----------
    rows : numpy.ndarray
        Rows of each data set, shape (n,).
    t, t_first, t_second : numpy.ndarray
        Shapes (n, K, K), (n, m, K, K) and (n, m, m, K, K).
    log_det_first, log_det_second : numpy.ndarray
        Derivatives of log|V|, shapes (n, m) and (n, m, m).
    """

    rows: np.ndarray
    t: np.ndarray
    t_first: np.ndarray
    t_second: np.ndarray
    log_det_first: np.ndarray
    log_det_second: np.ndarray

    def some(self, places: np.ndarray) -> Forms:
        """Give some of the data sets."""
        if len(places) == len(self.rows):
            return self
        return Forms(*(getattr(self, name)[places] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class _Level:
    """One level of the tree at the point: how its groups are eliminated."""

    layout: Layout
    columns: np.ndarray
    factor: np.ndarray
    n_below: int
    reach: int

    def each(self, s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Eliminate groups that hold S, shape (groups, slots, r, K).

        Returns
        -------
        t, log_det, up : numpy.ndarray
            Of every group, the stacks that it adds to T and log|V|, and what it passes up.
        """
        from alliance.mixed.elimination import Asked, Level, Sums, n_slots
        from alliance.mixed.levels import eliminate_groups

        m, n_columns = self.layout.n_parameters, s.shape[3]
        own = triangle(len(self.columns))
        asked = Asked(2, True, np.zeros((n_columns, n_columns)))
        level = Level(self.columns, *own, self.factor, self.n_below, m)
        t = np.empty((len(s), n_slots(m, 2), n_columns, n_columns))
        log_det = np.empty(t.shape[:2])
        up = np.zeros((len(s), n_slots(self.n_below + len(own[0]), 2), self.reach, n_columns))
        for first in range(0, len(s), LANES):
            some = slice(first, min(first + LANES, len(s)))
            count = some.stop - first
            update, own_log_det = np.zeros((*t.shape[1:], LANES)), np.zeros((t.shape[1], LANES))
            sums = Sums(update, np.zeros((m * (m + 1) // 2, LANES)), own_log_det)
            eliminate_groups(asked, level, s[some], np.arange(count), up[some], sums)
            # First derivatives come in halves; symmetric are only these sums with their transposes.
            both = update + update.swapaxes(1, 2)
            both[[0, *range(1 + m, len(both))]] *= 0.5
            t[some] = -np.moveaxis(both, -1, 0)[:count]
            log_det[some] = own_log_det.T[:count]
        return t, log_det, up


@dataclass(frozen=True, slots=True)
class _Gone:
    """What groups of one level no longer hold, by who is left out; sorted by owner.

    Attributes
    ----------
    owner, unit : numpy.ndarray
        Which data set is without it, and place of the group in its level.
    held : numpy.ndarray
        What is gone, shape (n, slots, r, K); empty for clients, who go as a whole.
    """

    owner: np.ndarray
    unit: np.ndarray
    held: np.ndarray

    def pieces(self, most: int) -> Iterator[_Gone]:
        """Give some at a time."""
        for first in range(0, len(self.owner), most):
            some = slice(first, first + most)
            yield _Gone(self.owner[some], self.unit[some], self.held[some])

    @classmethod
    def summed(cls, parts: Sequence[_Gone]) -> _Gone:
        """Put together what is gone of the same groups of the same data sets."""
        owner, unit, held = (
            np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__
        )
        order = np.lexsort((unit, owner))
        owner, unit = owner[order], unit[order]
        first = np.flatnonzero((np.diff(owner, prepend=-1) != 0) | (np.diff(unit, prepend=-1) != 0))
        return cls(owner[first], unit[first], np.add.reduceat(held[order], first, axis=0))


class FormsWithout:
    """Makes the forms of the data without groups of clients, at the optimum of a fit.

    Parameters
    ----------
    fit : MixedFit
    """

    def __init__(self, fit: MixedFit) -> None:
        self._prepared, self._problem = fit.prepared, fit.criterion.problem
        theta, layout = fit.optimum.theta, fit.criterion.problem.layout
        self._rho = theta[: layout.n_residual]
        self._weights = self._problem.residual.weights(self._rho)
        self._n_rows = np.diff(fit.prepared.nesting.starts[-1])
        self._levels = [
            _Level(
                layout, self._problem.level_columns[depth], factor, layout.start(depth),
                self._problem.reach(depth),
            )
            for depth, factor in enumerate(layout.factors(theta))
        ]  # fmt: skip
        whole = self._problem.quadratic_form(theta, 2, full=True)
        self._t = _stack(whole.t, whole.t_first, whole.t_second)
        self._log_det = _stack(np.array(whole.log_det), whole.log_det_first, whole.log_det_second)
        self._most = max(CHUNK // self._t.size, LANES)
        self._held = self._climb()

    def __call__(self, groups: Sequence[np.ndarray]) -> Iterator[Forms]:
        """Give the forms without each group, some groups at a time.

        Parameters
        ----------
        groups : sequence of array of int
            Places of the clients of each.
        """
        for first in range(0, len(groups), self._most):
            yield self._without(groups[first : first + self._most])

    def _without(self, groups: Sequence[np.ndarray]) -> Forms:
        m, n = self._problem.layout.n_parameters, len(groups)
        owner = np.repeat(np.arange(n), [len(group) for group in groups])
        client = np.concatenate(groups)
        t, log_det = (np.repeat(whole[None], n, axis=0) for whole in (self._t, self._log_det))
        gone = _Gone(owner, client, np.empty((len(owner), 0)))
        for depth in reversed(range(len(self._levels))):
            above = []
            for some in gone.pieces(self._most):
                form, numbers, up = self._added(depth, some)
                first = np.flatnonzero(np.diff(some.owner, prepend=-1))
                t[some.owner[first]] -= np.add.reduceat(form, first, axis=0)
                log_det[some.owner[first]] -= np.add.reduceat(numbers, first, axis=0)
                if depth:
                    above.append(_Gone(some.owner, self._problem.parents[depth][some.unit], up))
            if depth:
                gone = _Gone.summed(above)
        for number, group in enumerate(groups):
            log_det[number, self._residual_slots] -= self._residual_log_det(group)
        n_rows = self._problem.n_rows - np.bincount(owner, self._n_rows[client], n)
        return Forms(
            n_rows, t[:, 0], t[:, 1 : 1 + m], _unpacked(t[:, 1 + m :], m),
            log_det[:, 1 : 1 + m], _unpacked(log_det[:, 1 + m :], m),
        )  # fmt: skip

    # ------------------------------------------------------------------ what one level adds

    def _added(self, depth: int, gone: _Gone) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What groups add to T and log|V|, and pass up, less the same without what is gone."""
        if depth == len(self._levels) - 1:
            return self._added_by_clients(gone.unit)
        units, place = np.unique(gone.unit, return_inverse=True)
        before = self._levels[depth].each(self._held[depth][units])
        after = self._levels[depth].each(self._held[depth][gone.unit] - gone.held)
        form, numbers, up = (one[place] - other for one, other in zip(before, after, strict=True))
        return form, numbers, up

    def _added_by_clients(self, clients: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        order = np.argsort(clients)
        pointer, entry_class, cross = whole_products(self._prepared, clients[order])
        weights = self._weights.stacked[:, entry_class].T[:, :, None, None]
        own = np.add.reduceat(weights * cross[:, None], pointer[:-1], axis=0)
        s = np.ascontiguousarray(own[:, :, : self._problem.n_random])
        form, numbers, up = self._levels[-1].each(s)
        form[:, self._residual_slots] += own
        back = np.argsort(order)
        return form[back], numbers[back], up[back]

    def _climb(self) -> list[np.ndarray]:
        """Give what every group above the clients holds, outermost level first."""
        held: list[np.ndarray] = []
        for depth in reversed(range(1, len(self._levels))):
            parents, above = self._problem.parents[depth], []
            for first in range(0, len(parents), self._most):
                unit = np.arange(first, min(first + self._most, len(parents)))
                up = (
                    self._levels[depth].each(held[0][unit])[2]
                    if held
                    else self._added_by_clients(unit)[2]
                )
                above.append(_Gone(np.zeros_like(unit), parents[unit], up))
            held.insert(0, _Gone.summed(above).held)
        return held

    # ------------------------------------------------------------------ residuals

    @property
    def _residual_slots(self) -> np.ndarray:
        """Places in a stack of the value and of derivatives in residual parameters alone."""
        layout = self._problem.layout
        n = layout.n_residual
        first = 1 + layout.n_parameters
        return np.asarray(np.r_[: 1 + n, first : first + n * (n + 1) // 2])

    def _residual_log_det(self, clients: np.ndarray) -> np.ndarray:
        """Log|R| of some clients with its derivatives."""
        starts = self._prepared.nesting.starts[-1]
        ranges = [np.arange(starts[c], starts[c + 1]) for c in clients]
        rows = np.concatenate([np.empty(0, dtype=np.int64), *ranges])
        own = self._prepared.residual.restricted(rows).weights(self._rho)
        return np.concatenate([[own.log_det], own.log_det_first, own.log_det_second])


def _stack(value: np.ndarray, first: np.ndarray | None, second: np.ndarray | None) -> np.ndarray:
    assert first is not None and second is not None
    return np.concatenate([value[None], first, second[triangle(len(first))]])


def _unpacked(packed: np.ndarray, m: int) -> np.ndarray:
    """Second derivatives of several stacks, shape (n, m, m, ...)."""
    return np.moveaxis(unpack_pairs(packed.swapaxes(0, 1), m), 2, 0)
