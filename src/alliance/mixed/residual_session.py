"""Residual covariance of several outcomes within a session, unstructured.

The residuals of one session's outcomes have covariance sigma^2 R, with R[0, 0] = 1 and sigma^2 the
residual variance of the first outcome; different sessions are independent. A session where only the
outcomes P were measured has the part R_PP. So the whitened cross-product of a client is, as in
`alliance.mixed.residual`, a sum of plain cross-products with scalar weights:

    C' W C = sum over sets P and pairs a >= b in P of (R_PP^-1)_ab B_Pab,
    B_Paa = sum over sessions with P of c_a c_a',   B_Pab = sum of c_a c_b' + c_b c_a' ,
    log|R| = sum over P of n_P log|R_PP| .

R enters by its Cholesky factor (`alliance.mixed.outcome_covariance`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from alliance.mixed.covariance import triangle
from alliance.mixed.outcome_covariance import OutcomeCovariance
from alliance.mixed.residual import Weights

if TYPE_CHECKING:
    from alliance.mixed.crossproducts import Block, Products


@dataclass
class SessionCovariance(OutcomeCovariance):
    """Residual covariance of several outcomes and what it needs to know of the data.

    Attributes
    ----------
    outcomes : tuple of str
    row_outcome : numpy.ndarray
        Place of each row's outcome, shape (n,); the rows of a session stand together, ascending.
    row_set : numpy.ndarray
        Which set of outcomes each row's session has, shape (n,).
    row_opens : numpy.ndarray
        Whether a row is the first of its session, shape (n,).
    sets : list of numpy.ndarray
        The sets of outcomes that occur, each ascending.
    """

    row_outcome: np.ndarray = field(repr=False)
    row_set: np.ndarray = field(repr=False)
    row_opens: np.ndarray = field(repr=False)
    sets: list[np.ndarray]

    kind = "session"
    serial = False
    plain = False

    @classmethod
    def from_measured(cls, outcomes: tuple[str, ...], measured: np.ndarray) -> SessionCovariance:
        """Describe sessions by which outcomes were measured, shape (sessions, outcomes)."""
        code = measured @ (1 << np.arange(len(outcomes)))
        distinct = np.unique(code)
        session, outcome = np.nonzero(measured)
        opens = np.diff(session, prepend=-1) != 0
        sets = [np.flatnonzero(number >> np.arange(len(outcomes)) & 1) for number in distinct]
        return cls(outcomes, outcome, np.searchsorted(distinct, code)[session], opens, sets)

    @property
    def group_counts(self) -> np.ndarray:
        """Rows per outcome."""
        return np.bincount(self.row_outcome, minlength=self.n_groups).astype(float)

    @cached_property
    def set_counts(self) -> np.ndarray:
        """Sessions per set of outcomes."""
        return np.bincount(self.row_set[self.row_opens], minlength=len(self.sets)).astype(float)

    @cached_property
    def classes(self) -> np.ndarray:
        """Class of each (set, outcome, outcome); -1 where it does not occur."""
        table = np.full((len(self.sets), self.n_groups, self.n_groups), -1, dtype=np.int64)
        at = 0
        for which, members in enumerate(self.sets):
            for a in members:
                for b in members[members <= a]:
                    table[which, a, b] = table[which, b, a] = at
                    at += 1
        return table

    @property
    def n_classes(self) -> int:
        """Number of cross-product classes H."""
        return int(self.classes.max()) + 1

    def restricted(self, rows: np.ndarray) -> SessionCovariance:
        """Restrict the structure to whole sessions."""
        return replace(
            self,
            row_outcome=self.row_outcome[rows],
            row_set=self.row_set[rows],
            row_opens=self.row_opens[rows],
        )

    # ------------------------------------------------------------------ cross-products

    def count_entries(self, starts: np.ndarray, pointer: np.ndarray) -> int:
        """Count the classes that occur in each client; fills the pointer."""
        from alliance.mixed import crossproducts

        classes = self.classes
        return int(
            crossproducts.count_session_entries(
                starts, self.row_outcome, self.row_set, self.row_opens, classes, pointer
            )
        )

    def accumulate(self, block: Block, into: Products) -> None:
        """Add the cross-products of some clients."""
        from alliance.mixed import crossproducts

        crossproducts.accumulate_sessions(
            block, self.row_outcome, self.row_set, self.row_opens, self.classes, into
        )

    # ------------------------------------------------------------------ parameters

    def phi(self, rho: np.ndarray) -> None:
        """No autocorrelation."""
        del rho

    def noise(self, rng: np.random.Generator, rho: np.ndarray) -> np.ndarray:
        """Draw residuals relative to sigma, shape (n,)."""
        session = np.cumsum(self.row_opens) - 1
        white = rng.standard_normal((int(session[-1]) + 1, self.n_groups))
        return np.asarray((white @ self.factor(rho).T)[session, self.row_outcome])

    # ------------------------------------------------------------------ weights

    def weights(self, rho: np.ndarray, order: int = 2) -> Weights:
        """Class weights at rho; the derivatives cost little and come along whatever the order."""
        del order
        factor = self.factor(rho)
        q, n = self.n_groups, self.n_parameters
        rows, cols = (index[1:] for index in triangle(q))
        step = np.zeros((n, q, q))
        step[np.arange(n), rows, cols] = np.where(rows == cols, factor[rows, cols], 1.0)
        first = step @ factor.T
        first = first + first.swapaxes(1, 2)
        second = np.einsum("iab,jcb->ijac", step, step)
        second = second + second.swapaxes(2, 3)
        for i in self._diagonal():
            bend = step[i] @ factor.T
            second[i, i] += bend + bend.T
        return self._weights(factor @ factor.T, first, second)

    def linear(self, rho: np.ndarray) -> np.ndarray:
        """Elements of R's lower triangle without the first, in which V is linear."""
        rows, cols = triangle(self.n_groups)
        return np.asarray(self.relative(rho)[rows[1:], cols[1:]])

    def linear_weights(self, rho: np.ndarray) -> Weights:
        """Class weights at rho with derivatives in the elements of R."""
        q, n = self.n_groups, self.n_parameters
        rows, cols = (index[1:] for index in triangle(q))
        first = np.zeros((n, q, q))
        first[np.arange(n), rows, cols] = 1.0
        first[np.arange(n), cols, rows] = 1.0
        return self._weights(self.relative(rho), first, np.zeros((n, n, q, q)))

    def _weights(self, relative: np.ndarray, first: np.ndarray, second: np.ndarray) -> Weights:
        """Weights from R and its derivatives, set by set.

        With W = R_PP^-1: W_i = -W R_i W, W_ij = W (R_i W R_j + R_j W R_i - R_ij) W,
        log|R_PP|_i = tr(W R_i), log|R_PP|_ij = tr(W R_ij) - tr(W R_i W R_j).
        """
        n = len(first)
        high, low = triangle(n)
        classes, counts = self.classes, self.set_counts
        value = np.zeros(self.n_classes)
        value_1, value_2 = np.zeros((n, len(value))), np.zeros((len(high), len(value)))
        log_det, log_det_1, log_det_2 = 0.0, np.zeros(n), np.zeros(len(high))
        for which, members in enumerate(self.sets):
            inner = np.ix_(members, members)
            w = np.linalg.inv(relative[inner])
            w_r = w @ first[:, members[:, None], members]
            w_r2 = w @ second[:, :, members[:, None], members][high, low]
            both = w_r[high] @ w_r[low]
            w_1 = -w_r @ w
            w_2 = (both + w_r[low] @ w_r[high] - w_r2) @ w
            a, b = triangle(len(members))
            place = classes[which, members[a], members[b]]
            value[place] = w[a, b]
            value_1[:, place] = w_1[:, a, b]
            value_2[:, place] = w_2[:, a, b]
            log_det += counts[which] * float(np.linalg.slogdet(relative[inner])[1])
            log_det_1 += counts[which] * np.trace(w_r, axis1=1, axis2=2)
            log_det_2 += counts[which] * np.trace(w_r2 - both, axis1=1, axis2=2)
        return Weights(value, value_1, value_2, log_det, log_det_1, log_det_2)
