"""Newton's method with exact second derivatives for the joint parameters (b, sd).

As in the linear engine the criterion is even in every standard deviation, so that a variance of
zero is an ordinary minimum, and a zero that should not be zero shows as negative curvature. Along
such directions the step uses the absolute value of the curvature (Nocedal & Wright 2006, sect. 3.4)
and so goes down. The modes of the random effects start from their linear prediction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from alliance.mixed.logit.laplace import Expansion, Mode
from alliance.mixed.logit.products import per_row

DECREMENT_TOLERANCE = 1e-16
"""Stop when Newton's predicted change is below this times the number of rows, at least 1e-13."""

MOST_HALVINGS = 30
LONGEST_STEP = 4.0
"""In internal units, where every column has size one: e^4 in the odds."""


class Criterion(Protocol):
    """What the optimiser needs to know of a criterion."""

    @property
    def evaluations(self) -> int:
        """Evaluations so far."""

    def at(self, psi: np.ndarray, effects: np.ndarray | None = None) -> Mode | None:
        """Find the modes at a point."""

    def value(self, mode: Mode) -> float:
        """Value of the criterion at a mode."""

    def expand(self, mode: Mode) -> Expansion:
        """Gradient and Hessian at a mode."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where the optimiser ended.

    Attributes
    ----------
    expansion : Expansion
    converged : bool
        The predicted change is below the tolerance and the Hessian has no negative eigenvalue.
    iterations : int
    """

    expansion: Expansion
    converged: bool
    iterations: int

    @property
    def psi(self) -> np.ndarray:
        """Parameters (b, sd)."""
        return self.expansion.mode.psi

    @property
    def value(self) -> float:
        """Negative log-likelihood."""
        return self.expansion.value


def minimise(
    criterion: Criterion,
    start: np.ndarray,
    n_rows: int,
    *,
    effects: np.ndarray | None = None,
    free: np.ndarray | None = None,
    max_iterations: int = 100,
    tolerance: float | None = None,
) -> Optimum | None:
    """Minimise from `start`; None where the criterion is not defined there.

    Parameters
    ----------
    criterion : Criterion
    start : array (m,)
    n_rows : int
        Number of observations, for the stopping rule.
    effects : array (nodes,), optional
        Modes to start from.
    free : array of bool (m,), optional
        Parameters that may move; all by default.
    max_iterations : int
    tolerance : float, optional
        Predicted change at which to stop.
    """
    mode = criterion.at(start, effects)
    if mode is None:
        return None
    moving = np.ones(len(start), dtype=bool) if free is None else free
    stop = max(DECREMENT_TOLERANCE * n_rows, 1e-13) if tolerance is None else tolerance
    for iteration in range(max_iterations):
        current = criterion.expand(mode)
        step, predicted, positive = newton_step(current, moving)
        # what the sum over the rows can resolve
        noise = 1e-14 * (abs(current.value) + n_rows)
        if predicted < stop:
            if positive:
                return Optimum(current, True, iteration)
            step, predicted = _away_from_saddle(current, moving)
        trial = _descend(criterion, current, step, predicted, noise)
        if trial is None:
            return Optimum(current, positive and predicted < 10.0 * noise, iteration)
        mode = trial
    return Optimum(criterion.expand(mode), False, max_iterations)


def newton_step(current: Expansion, moving: np.ndarray) -> tuple[np.ndarray, float, bool]:
    """Newton's step with absolute curvatures, its predicted gain, and whether it is a pure one."""
    values, vectors = np.linalg.eigh(current.hessian[np.ix_(moving, moving)])
    slope = vectors.T @ current.gradient[moving]
    floor = 1e-11 * max(float(np.abs(values).max()), 1e-300)
    curvature = np.maximum(np.abs(values), floor)
    inner = -slope / curvature
    length = float(np.linalg.norm(inner))
    if length > LONGEST_STEP:
        inner *= LONGEST_STEP / length
    step = np.zeros(len(moving))
    step[moving] = vectors @ inner
    predicted = -float(slope @ inner + 0.5 * curvature @ inner**2)
    return step, predicted, bool(values[0] > -floor)


def _away_from_saddle(current: Expansion, moving: np.ndarray) -> tuple[np.ndarray, float]:
    """At a stationary point with negative curvature: go along it."""
    values, vectors = np.linalg.eigh(current.hessian[np.ix_(moving, moving)])
    step = np.zeros(len(moving))
    step[moving] = 0.1 * vectors[:, 0]
    return step, -0.5 * values[0] * 0.01


def _descend(
    criterion: Criterion, current: Expansion, step: np.ndarray, predicted: float, noise: float
) -> Mode | None:
    """Halve the step until the criterion falls; None if it never does."""
    size = 1.0
    for _ in range(MOST_HALVINGS):
        psi = current.mode.psi + size * step
        trial = criterion.at(psi, current.mode.effects + size * per_row(current.effects, step))
        if trial is not None:
            gain = current.value - criterion.value(trial)
            if gain > 1e-4 * size * predicted or (predicted < 1e3 * noise and gain > -1e1 * noise):
                return trial
        size *= 0.5
    return None
