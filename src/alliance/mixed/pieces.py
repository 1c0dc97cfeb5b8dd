"""Courses cut at their complete sessions: the pieces of which a Markov likelihood is made.

Given the full state at one session, what comes after it is independent of what was before. So a
client's course is cut after every session at which all outcomes were measured; each piece is
conditional on the complete session before it, if there is one. Pieces with the same outcomes at the
same distances are of one kind, and the covariance of a kind is worked out once for all clients.
Where outcomes are measured with error no session is complete, and a piece is a whole course.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True)
class Kinds:
    """Kinds of pieces with as many sessions and cells: one shape.

    Attributes
    ----------
    opens : bool
        Whether the pieces begin their course; else a complete session comes before.
    cells : numpy.ndarray
        Place of every measured cell, session times outcomes plus outcome, ascending, shape (kinds,
        cells).
    transition : numpy.ndarray
        Lag and group of the step to every session, lag * groups + group, shape (kinds, sessions);
        of the opening session -1.
    group : numpy.ndarray
        Group of the pieces' first session, shape (kinds,).
    place : numpy.ndarray
        First cross-product class of each kind, shape (kinds,).
    number : numpy.ndarray
        Number of each kind, shape (kinds,).
    """

    opens: bool
    cells: np.ndarray
    transition: np.ndarray
    group: np.ndarray
    place: np.ndarray
    number: np.ndarray = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Every piece of the courses, in the order of the rows.

    Attributes
    ----------
    first, stop : numpy.ndarray
        First row of a piece (of the complete session before it, if there is one) and the row after
        its last, shape (pieces,).
    kind : numpy.ndarray
        Number of its kind, shape (pieces,).
    place : numpy.ndarray
        First cross-product class of each kind, shape (kinds,).
    shapes : list of Kinds
    n_classes : int
        Cross-product classes: pairs of cells of every kind.
    """

    first: np.ndarray = field(repr=False)
    stop: np.ndarray = field(repr=False)
    kind: np.ndarray = field(repr=False)
    place: np.ndarray = field(repr=False)
    shapes: list[Kinds] = field(repr=False)
    n_classes: int

    @property
    def counts(self) -> np.ndarray:
        """Pieces of each kind."""
        return np.bincount(self.kind, minlength=len(self.place)).astype(float)


def cut(
    measured: np.ndarray,
    opens: np.ndarray,
    lag: np.ndarray,
    group: np.ndarray,
    n_groups: int,
    *,
    breaks: bool,
) -> Pieces:
    """Cut the courses.

    Parameters
    ----------
    measured : array (sessions, outcomes)
        Which outcomes were measured.
    opens : array of bool (sessions,)
        Whether a session is its client's first.
    lag, group : array of int (sessions,)
        Place of the distance to the session before (-1 at the first), and group.
    n_groups : int
    breaks : bool
        Whether a complete session cuts the course (no error of measurement).
    """
    p = measured.shape[1]
    transition = np.where(opens, -1, lag * n_groups + group)
    begins = opens.copy()
    if breaks:
        begins[1:] |= measured[:-1].all(axis=1)
    start = np.flatnonzero(begins)
    length = np.diff(np.append(start, len(opens)))
    outcomes = measured @ (1 << np.arange(p))
    n_steps = int(transition.max(initial=-1)) + 2
    element = (outcomes * n_steps + transition + 1) * n_groups + group
    kind, sample = _number_alike(element, start, length)
    row = np.concatenate(([0], np.cumsum(measured.sum(axis=1))))
    first = np.where(opens[start], row[start], row[start - 1])
    shapes, place, n_classes = _shapes(measured, transition, opens, group, start, length, sample)
    return Pieces(first, row[start + length], kind, place, shapes, n_classes)


def _number_alike(
    element: np.ndarray, start: np.ndarray, length: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Number sequences so that equal ones have equal numbers; also one example of each."""
    number = np.unique(element[start], return_inverse=True)[1].astype(np.int64)
    taken = int(number.max()) + 1
    codes = np.unique(element, return_inverse=True)[1].astype(np.int64)
    span = int(codes.max()) + 1
    for step in range(1, int(length.max())):
        longer = np.flatnonzero(length > step)
        pair = number[longer] * span + codes[start[longer] + step]
        unique, inverse = np.unique(pair, return_inverse=True)
        number[longer] = taken + inverse
        taken += len(unique)
    _, sample, kind = np.unique(number, return_index=True, return_inverse=True)
    return kind.astype(np.int64), sample


def _shapes(
    measured: np.ndarray, transition: np.ndarray, opens: np.ndarray, group: np.ndarray,
    start: np.ndarray, length: np.ndarray, sample: np.ndarray,
) -> tuple[list[Kinds], np.ndarray, int]:  # fmt: skip
    """Put kinds of one shape together and give every kind its classes."""
    p = measured.shape[1]
    place = np.zeros(len(sample), dtype=np.int64)
    members: dict[tuple[bool, int, int], list[int]] = {}
    taken = 0
    for number, piece in enumerate(sample):
        sessions = slice(start[piece], start[piece] + length[piece])
        is_opening = bool(opens[start[piece]])
        count = int(measured[sessions].sum())
        members.setdefault((is_opening, int(length[piece]), count), []).append(number)
        cells = count + (0 if is_opening else p)
        place[number] = taken
        taken += cells * (cells + 1) // 2
    shapes = []
    for (is_opening, n_sessions, count), numbers in members.items():
        begin = start[sample[numbers]]
        sessions = begin[:, None] + np.arange(n_sessions)
        shapes.append(
            Kinds(
                is_opening,
                np.nonzero(measured[sessions].reshape(len(numbers), -1))[1].reshape(-1, count),
                transition[sessions],
                group[begin],
                place[numbers],
                np.array(numbers),
            )
        )
    return shapes, place, taken
