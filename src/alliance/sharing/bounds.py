"""What the highest and lowest value of a count can be, by linear programming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array


@dataclass(frozen=True, slots=True)
class Bound:
    """Lowest and highest value of one count, with the prices of the limits that hold it there.

    Attributes
    ----------
    low, high
        In persons.
    lower, upper
        How much `high - low` grows by one person less in each lower, one more in each upper limit.
    at
        (2, counts): all counts where this one is lowest, and where it is highest.
    """

    low: float
    high: float
    lower: np.ndarray
    upper: np.ndarray
    at: np.ndarray

    @property
    def width(self) -> float:
        """From the lowest to the highest value, in persons."""
        return self.high - self.low


class Unsolvable(ArithmeticError):
    """No counts satisfy all that is known."""


def matrix_of(equations: Sequence[Mapping[Any, float]], order: Mapping[Any, int]) -> csr_array:
    """Return the equations as a matrix (equations, counts)."""
    entries = [
        (factor, row, order[key])
        for row, equation in enumerate(equations)
        for key, factor in equation.items()
    ]
    shape = (len(equations), len(order))
    if not entries:
        return csr_array(shape)
    values, rows, columns = zip(*entries, strict=True)
    return csr_array((np.array(values, float), (rows, columns)), shape=shape)


def bound(target: int, equations: csr_array, lower: np.ndarray, upper: np.ndarray) -> Bound:
    """Return the bound of one count, given limits of all and equations between them.

    Parameters
    ----------
    target
        Which count.
    equations
        (equations, counts); each row times the counts is zero.
    lower, upper
        Limits of each count, in persons.

    Raises
    ------
    Unsolvable
        No counts satisfy everything.
    """
    ends = []
    for sign in (1.0, -1.0):
        objective = np.zeros(len(lower))
        objective[target] = sign
        found = linprog(
            objective,
            A_eq=equations if equations.shape[0] else None,
            b_eq=np.zeros(equations.shape[0]) if equations.shape[0] else None,
            bounds=np.column_stack([lower, upper]),
            method="highs",
        )
        if not found.success:
            raise Unsolvable(found.message)
        ends.append(found)
    low, high = ends
    return Bound(
        low.fun,
        -high.fun,
        low.lower.marginals + high.lower.marginals,
        -(low.upper.marginals + high.upper.marginals),
        np.vstack([low.x, high.x]),
    )
