"""Residuals of several outcomes that act on each other from session to session: var1 and cvar1.

The residuals w of a client follow a stationary first-order vector autoregression
(`alliance.mixed.course_parameters`), over sessions or in continuous time, with gaps as actual
distances and single outcomes missing. The likelihood is the product over the pieces of the courses
(`alliance.mixed.pieces`). Of a piece with cells c, conditional on the complete session s before it,
c | s ~ N(B s, Q) with

    B = Cov(c, s) V^-1,   Q = Cov(c) - B Cov(s, c),
    W = (-B, I)' Q^-1 (-B, I),   log|R| = sum over pieces of log|Q| ,

and of an opening piece W = Cov(c)^-1. So, as in `alliance.mixed.residual`, a client's whitened
cross-product is a sum of plain cross-products, one per kind of piece and pair of its cells, with
the scalar weights W_ab. The number of weights does not grow with the clients, and a client costs as
much as it has different pieces.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from alliance.mixed.course_parameters import CourseParameters
from alliance.mixed.covariance import triangle
from alliance.mixed.jets import Jet
from alliance.mixed.pieces import Kinds, Pieces
from alliance.mixed.residual import ResidualStructure, Weights
from alliance.mixed.residual_session import SessionCovariance

if TYPE_CHECKING:
    from alliance.mixed.crossproducts import Block, Products


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of all clients, in the order of the rows.

    Attributes
    ----------
    opens : numpy.ndarray
        Whether a session is its client's first, shape (sessions,).
    transition : numpy.ndarray
        Lag and group of the step to it, lag * groups + group; -1 at the first.
    group : numpy.ndarray
        Place of its group.
    """

    opens: np.ndarray
    transition: np.ndarray
    group: np.ndarray


@dataclass
class CourseCovariance:
    """Residual dynamics and what they need to know of the data.

    Attributes
    ----------
    parameters : CourseParameters
    lags : numpy.ndarray
        Distinct distances between neighbouring sessions, ascending.
    sessions : Sessions
    row_session, row_outcome : numpy.ndarray
        Session and outcome of each row, shape (n,).
    pieces : Pieces
    """

    parameters: CourseParameters
    lags: np.ndarray
    sessions: Sessions = field(repr=False)
    row_session: np.ndarray = field(repr=False)
    row_outcome: np.ndarray = field(repr=False)
    pieces: Pieces = field(repr=False)

    serial = True
    plain = False

    @property
    def kind(self) -> str:
        """Name of the structure."""
        return "cvar1" if self.parameters.continuous else "var1"

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Names of the outcomes."""
        return self.parameters.outcomes

    @property
    def n_parameters(self) -> int:
        """Residual parameters beside sigma."""
        return self.parameters.n_parameters

    @property
    def n_classes(self) -> int:
        """Number of cross-product classes H."""
        return self.pieces.n_classes

    def start(self) -> np.ndarray:
        """Starting values (`CourseParameters.start`)."""
        return self.parameters.start()

    def in_range(self, rho: np.ndarray) -> bool:
        """Whether the process is stationary and its numbers mean something."""
        return self.parameters.in_range(rho)

    def relative(self, rho: np.ndarray) -> np.ndarray:
        """Covariance V of the residuals of one session relative to sigma^2 (first group)."""
        return self.parameters.relative(rho)

    def phi(self, rho: np.ndarray) -> None:
        """No single autocorrelation."""
        del rho

    @cached_property
    def counts(self) -> np.ndarray:
        """Pieces of each kind."""
        return self.pieces.counts

    def restricted(self, rows: np.ndarray) -> CourseCovariance:
        """Restrict the structure to the rows of whole clients."""
        inside = np.zeros(len(self.row_session) + 1, dtype=bool)
        inside[rows] = True
        kept = inside[self.pieces.first]
        before = np.concatenate(([0], np.cumsum(inside[:-1])))
        pieces = replace(
            self.pieces,
            first=before[self.pieces.first[kept]],
            stop=before[self.pieces.stop[kept]],
            kind=self.pieces.kind[kept],
        )
        used, row_session = np.unique(self.row_session[rows], return_inverse=True)
        sessions = Sessions(
            self.sessions.opens[used], self.sessions.transition[used], self.sessions.group[used]
        )
        return CourseCovariance(
            self.parameters, self.lags, sessions, row_session, self.row_outcome[rows], pieces
        )

    # ------------------------------------------------------------------ cross-products

    def count_entries(self, starts: np.ndarray, pointer: np.ndarray) -> int:
        """Count the classes that occur in each client; fills the pointer."""
        from alliance.mixed import crossproducts

        own = self.pieces
        return int(
            crossproducts.count_piece_entries(
                starts, own.first, own.stop, own.kind, len(own.place), pointer
            )
        )

    def accumulate(self, block: Block, into: Products) -> None:
        """Add the cross-products of some clients."""
        from alliance.mixed import crossproducts

        own = self.pieces
        piece = int(np.searchsorted(own.stop, block.starts[0], side="right"))
        crossproducts.accumulate_pieces(
            block, own.first, own.stop, own.kind, own.place, piece, into
        )

    # ------------------------------------------------------------------ weights

    def weights(self, rho: np.ndarray, order: int = 2) -> Weights:
        """Class weights at rho, with first and second derivatives unless the order is 0."""
        n, n_classes = (self.n_parameters if order else 0), self.n_classes
        n_pairs = n * (n + 1) // 2
        factors = self.parameters.factors(rho, n)
        transitions = self.parameters.transitions(rho, self.lags, n)
        errors = None
        if self.parameters.error != "none":
            errors = self.parameters.error_matrices(rho, factors @ factors.transposed, n)
        value = np.zeros(n_classes)
        first, second = np.zeros((n, n_classes)), np.zeros((n_pairs, n_classes))
        log_det = [np.zeros(()), np.zeros(n), np.zeros(n_pairs)]
        for shape in self.pieces.shapes:
            precision, own_log_det = piece_precision(shape, factors, transitions, errors)
            a, b = triangle(precision.value.shape[-1])
            place = shape.place[:, None] + np.arange(len(a))
            value[place] = precision.value[:, a, b]
            first[:, place] = precision.first[..., a, b]
            second[:, place] = precision.second[..., a, b]
            counts = self.counts[shape.number]
            log_det = [
                total + own @ counts for total, own in zip(log_det, own_log_det, strict=True)
            ]
        return Weights(value, first, second, float(log_det[0]), log_det[1], log_det[2])

    # ------------------------------------------------------------------ drawing and dense matrices

    def noise(self, rng: np.random.Generator, rho: np.ndarray) -> np.ndarray:
        """Draw residuals relative to sigma, shape (n,)."""
        from alliance.mixed import crossproducts

        own, p = self.parameters, self.parameters.p
        steps = own.transitions(rho, self.lags, 0).value
        rest = np.eye(p) - steps @ steps.swapaxes(-1, -2)
        states = rng.standard_normal((len(self.sessions.opens), p))
        crossproducts.autoregress_sessions(
            states, self.sessions.transition, steps, np.linalg.cholesky(rest)
        )
        noise = self._from_states(states, rho)
        if own.error == "none":
            return noise
        deviations = np.sqrt([own.errors(rho, group) for group in range(own.n_within)])
        group = self._within_group[self.row_session]
        return np.asarray(
            noise + deviations[group, self.row_outcome] * rng.standard_normal(len(noise))
        )

    @property
    def _within_group(self) -> np.ndarray:
        """Which V each session has."""
        group = self.sessions.group
        return group if self.parameters.by_client else np.zeros_like(group)

    def _from_states(self, states: np.ndarray, rho: np.ndarray) -> np.ndarray:
        """Give L z at the rows."""
        own = self.parameters
        factors = np.stack([own.factor(rho, group) for group in range(own.n_within)])
        rows = factors[self._within_group[self.row_session], self.row_outcome]
        return np.asarray(np.einsum("na,na->n", rows, states[self.row_session]))

    def dense(self, rho: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Covariance matrix of the residuals of some rows relative to sigma^2."""
        own, sessions = self.parameters, self.sessions
        steps = own.transitions(rho, self.lags, 0).value
        client = np.cumsum(sessions.opens)[self.row_session[rows]]
        matrix = np.zeros((len(rows), len(rows)))
        for at, row in enumerate(rows):
            session, group = self.row_session[row], self._within_group[self.row_session[row]]
            factor, state = own.factor(rho, group), np.eye(own.p)
            for other in np.flatnonzero(
                (client == client[at]) & (self.row_session[rows] >= session)
            ):
                reached = self.row_session[rows[other]]
                while session < reached:
                    session += 1
                    state = steps[sessions.transition[session]] @ state
                covariance = factor @ state @ factor.T
                matrix[other, at] = matrix[at, other] = covariance[
                    self.row_outcome[rows[other]], self.row_outcome[row]
                ]
            if own.error != "none":
                matrix[at, at] += own.errors(rho, group)[self.row_outcome[row]]
        return matrix


def piece_precision(
    shape: Kinds, factors: Jet, transitions: Jet, errors: Jet | None
) -> tuple[Jet, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """W and log|Q| of all kinds of one shape.

    Parameters
    ----------
    shape : Kinds
    factors, errors : Jet
        L and, if there is one, E of every covariance.
    transitions : Jet
        A of every lag and group.
    """
    p, m = factors.value.shape[-1], shape.transition.shape[1]
    own = shape.group if len(factors.value) > 1 else np.zeros(len(shape.group), dtype=np.int64)
    factor = factors.take(own)
    spread = _diagonal_blocks(factor, m)
    state, carried = _states(shape, transitions, m, p)
    covariance = spread @ state @ spread.transposed
    if errors is not None:
        covariance = covariance + _diagonal_blocks(errors.take(own), m)
    covariance = covariance.select(shape.cells, shape.cells)
    inverse = covariance.inverse()
    log_det = covariance.log_det(inverse)
    if shape.opens:
        return inverse, log_det
    outcomes = np.broadcast_to(np.arange(p), (len(own), p))
    carry = (spread @ carried @ factor.inverse()).select(shape.cells, outcomes)
    corner = carry.transposed @ inverse
    return _join(corner @ carry, corner * -1.0, inverse), log_det


def _states(shape: Kinds, transitions: Jet, m: int, p: int) -> tuple[Jet, Jet]:
    """Covariance of the states z of a piece's sessions given the session before, and their carry.

    The carry is Cov(z, z_0), shape (kinds, m p, p); without a session before it is not used.
    """
    n, kinds = len(transitions.first), len(shape.transition)
    state = Jet.constant(np.zeros((kinds, m * p, m * p)), n)
    carried = Jet.constant(np.zeros((kinds, m * p, p)), n)
    unit = Jet.constant(np.broadcast_to(np.eye(p), (kinds, p, p)), n)
    steps = [transitions.take(shape.transition[:, k]) for k in range(m)]
    for j in range(m):
        at = slice(j * p, (j + 1) * p)
        if not shape.opens:
            before = unit if j == 0 else _block(carried, slice((j - 1) * p, j * p), slice(0, p))
            _put(carried, at, slice(0, p), steps[j] @ before)
        now = unit
        for i in range(j, m):
            now = now if i == j else steps[i] @ now
            below = slice(i * p, (i + 1) * p)
            _put(state, below, at, now)
            _put(state, at, below, now.transposed)
    return (state if shape.opens else state - carried @ carried.transposed), carried


def _block(jet: Jet, rows: slice, cols: slice) -> Jet:
    return Jet(*(part[..., rows, cols] for part in jet.parts))


def _put(jet: Jet, rows: slice, cols: slice, block: Jet) -> None:
    for part, own in zip(jet.parts, block.parts, strict=True):
        part[..., rows, cols] = own


def _diagonal_blocks(block: Jet, m: int) -> Jet:
    """Block-diagonal matrices of m equal blocks."""
    if m == 1:
        return block
    kinds, p = block.value.shape[0], block.value.shape[-1]
    jet = Jet.constant(np.zeros((kinds, m * p, m * p)), len(block.first))
    for k in range(m):
        at = slice(k * p, (k + 1) * p)
        _put(jet, at, at, block)
    return jet


def _join(corner: Jet, side: Jet, rest: Jet) -> Jet:
    """Symmetric matrix of four blocks."""
    return Jet(
        *(
            np.concatenate(
                [
                    np.concatenate([a, b], axis=-1),
                    np.concatenate([b.swapaxes(-1, -2), c], axis=-1),
                ],
                axis=-2,
            )
            for a, b, c in zip(corner.parts, side.parts, rest.parts, strict=True)
        )
    )


Residual = ResidualStructure | SessionCovariance | CourseCovariance
"""Every residual structure."""
