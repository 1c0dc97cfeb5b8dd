"""A compressed data set, and its quadratic form T = C' V^-1 C with derivatives.

Everything that the criterion, the degrees of freedom and the covariance of the coefficients need
from the data is the pair (T, log|V|) and its first two derivatives in the covariance parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from alliance.mixed.covariance import Layout, triangle, unpack_pairs
from alliance.mixed.residual import Weights
from alliance.mixed.residual_course import Residual

if TYPE_CHECKING:
    from alliance.mixed.patterns import Patterns


@dataclass(frozen=True, slots=True)
class QuadraticForm:
    """T and log|V| at one point, relative to the residual variance.

    Attributes
    ----------
    t : numpy.ndarray
        C' V^-1 C, shape (K, K); the outcome is the last column.
    t_first : numpy.ndarray or None
        First derivatives, shape (m, K, K).
    t_second : numpy.ndarray or None
        Second derivatives, shape (m, m, K, K), only where asked for in full.
    contraction : numpy.ndarray or None
        Inner products of the second derivatives with the matrix given, shape (m, m).
    log_det : float
        log|V|.
    log_det_first, log_det_second : numpy.ndarray or None
        Shapes (m,) and (m, m).
    """

    t: np.ndarray
    log_det: float
    t_first: np.ndarray | None = None
    log_det_first: np.ndarray | None = None
    log_det_second: np.ndarray | None = None
    contraction: np.ndarray | None = None
    t_second: np.ndarray | None = None


@dataclass(slots=True)
class Problem:
    """Cross-products of all clients and the shape of the tree.

    Attributes
    ----------
    layout : Layout
        Places of the covariance parameters.
    residual : Residual
    n_rows : int
    n_random : int
        Number of columns r that some level uses.
    level_columns : list of numpy.ndarray
        Per level (outermost first), columns of its random effects.
    totals : numpy.ndarray
        Per residual class, cross-product over all rows, shape (H, K, K).
    entry_pointer, entry_class, cross : numpy.ndarray
        Per client its classes and their cross-products, shape of `cross` (entries, r, K).
    parents : list of numpy.ndarray
        Per level (outermost first), the group above of each group; empty for the outermost.
    n_outermost : int
        Number of groups of the outermost level.
    patterns : Patterns or None
        Clients grouped by their sessions, where that pays.
    """

    layout: Layout
    residual: Residual = field(repr=False)
    n_rows: int
    n_random: int
    level_columns: list[np.ndarray]
    totals: np.ndarray = field(repr=False)
    entry_pointer: np.ndarray = field(repr=False)
    entry_class: np.ndarray = field(repr=False)
    cross: np.ndarray = field(repr=False)
    parents: list[np.ndarray] = field(repr=False)
    n_outermost: int
    patterns: Patterns | None = field(default=None, repr=False)

    @property
    def n_leaves(self) -> int:
        """Clients, or cells of clients with the same sessions: what an evaluation costs."""
        if self.patterns is not None:
            return len(self.patterns.cell_pattern)
        return len(self.entry_pointer) - 1

    def reach(self, depth: int) -> int:
        """Count the columns that the levels above a level use; they stand first."""
        return max((int(z.max()) + 1 for z in self.level_columns[:depth]), default=0)

    @property
    def n_columns(self) -> int:
        """Number of columns K, the outcome included."""
        return int(self.totals.shape[1])

    def quadratic_form(
        self,
        theta: np.ndarray,
        order: int = 0,
        omega: np.ndarray | None = None,
        *,
        full: bool = False,
        weights: Weights | None = None,
    ) -> QuadraticForm:
        """Evaluate T and log|V|.

        Parameters
        ----------
        theta : array (m,)
            Residual parameters, then the Cholesky factors per level from the innermost.
        order : {0, 2}
            Order of the derivatives, which are taken in the covariances (not in the factors).
        omega : array (K, K), optional
            Symmetric matrix to contract the second derivatives of T with.
        full : bool
            Return the second derivatives of T themselves.
        weights : Weights, optional
            Class weights with derivatives in other residual parameters than those of theta.
        """
        m, n_columns = self.layout.n_parameters, self.n_columns
        n_residual = self.layout.n_residual
        if weights is None:
            weights = self.residual.weights(theta[:n_residual], order)
        matrix = np.zeros((n_columns, n_columns)) if omega is None else omega
        t_stack, contraction, log_det = self._climb(theta, order, full, weights.stacked, matrix)
        t = _weighted(weights.value, self.totals) - _symmetric(t_stack[0])
        log_det[0] += weights.log_det
        if order == 0:
            return QuadraticForm(t, float(log_det[0]))
        pairs = slice(1 + m, 1 + m + n_residual * (n_residual + 1) // 2)
        log_det[1 : 1 + n_residual] += weights.log_det_first
        log_det[pairs] += weights.log_det_second
        t_first = -2.0 * _symmetric(t_stack[1 : 1 + m])
        for i in range(n_residual):
            t_first[i] += _weighted(weights.first[i], self.totals)
        residual_second = [_weighted(row, self.totals) for row in weights.second]
        t_second = None
        if full:
            second = -_symmetric(t_stack[1 + m :])
            for i, direct in enumerate(residual_second):
                second[i] += direct
            t_second = unpack_pairs(second, m)
        contraction = -contraction
        if omega is not None:
            for i, direct in enumerate(residual_second):
                contraction[i] += float(np.sum(omega * direct))
        return QuadraticForm(
            t,
            float(log_det[0]),
            t_first,
            log_det[1 : 1 + m],
            unpack_pairs(log_det[1 + m :], m),
            unpack_pairs(contraction, m),
            t_second,
        )

    def _climb(
        self, theta: np.ndarray, order: int, full: bool, weights: np.ndarray, omega: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Eliminate level by level; the sums over all groups of the updates of T and log|V|."""
        from alliance.mixed.elimination import Asked, Level, Sums, n_slots
        from alliance.mixed.lanes import LANES
        from alliance.mixed.levels import Clients, eliminate_clients, eliminate_groups
        from alliance.mixed.patterns import eliminate_patterns

        layout, n_columns = self.layout, self.n_columns
        m, innermost = layout.n_parameters, len(layout.sizes) - 1
        slots = n_slots(m, order)
        n_matrices = 1 + m if order == 2 and not full else slots
        sums = Sums(
            np.zeros((n_matrices, n_columns, n_columns, LANES)),
            np.zeros((m * (m + 1) // 2, LANES)),
            np.zeros((slots, LANES)),
        )
        asked = Asked(order, full, omega)
        held = np.zeros((0, 1, self.n_random, n_columns))
        for depth, factor in reversed(list(enumerate(layout.factors(theta)))):
            own = triangle(layout.sizes[depth])
            level = Level(self.level_columns[depth], *own, factor, layout.start(depth), m)
            n_above = len(self.parents[depth - 1]) if depth > 1 else self.n_outermost
            slots_above = n_slots(layout.start(depth) + len(own[0]), order)
            above = np.zeros((n_above if depth else 0, slots_above, self.reach(depth), n_columns))
            if depth < innermost:
                eliminate_groups(asked, level, held, self.parents[depth], above, sums)
            elif self.patterns is not None:
                eliminate_patterns(asked, level, self.patterns, above, sums)
            else:
                clients = Clients(weights, self.entry_pointer, self.entry_class, self.cross)
                eliminate_clients(asked, level, clients, self.parents[depth], above, sums)
            held = above
        return sums.t.sum(axis=-1), sums.contraction.sum(axis=-1), sums.log_det.sum(axis=-1)


def _weighted(weights: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Sum over classes of weight times cross-product."""
    if len(totals) == 1:
        return np.asarray(weights[0] * totals[0])
    return np.tensordot(weights, totals, axes=1)


def _symmetric(matrices: np.ndarray) -> np.ndarray:
    """Symmetric part of a matrix or of a stack of them."""
    return np.asarray(0.5 * (matrices + matrices.swapaxes(-1, -2)))
