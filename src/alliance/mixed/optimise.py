"""Newton's method with a trust region and the exact Hessian.

The optimiser works in the Cholesky factors. There a variance of zero is an ordinary minimum (the
criterion is even in the factor, and its curvature is twice the slope in the variance), and a zero
that should not be zero shows as negative curvature, which the trust region step follows. So
boundary fits converge as fast as the others and cannot stop short.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

EXACT = 1e-10
"""A residual variance below this share of the outcome's mean square is none at all."""

DECREMENT_TOLERANCE = 1e-16
"""Stop when Newton's predicted change of -2 log L is below this times the number of rows.

The square root of it bounds the error of the parameters in units of their standard errors.
"""


class Expanded(Protocol):
    """Value, gradient and Hessian of an objective at a point."""

    @property
    def deviance(self) -> float:
        """Value."""

    @property
    def gradient(self) -> np.ndarray:
        """First derivatives, shape (n,)."""

    @property
    def hessian(self) -> np.ndarray:
        """Second derivatives, shape (n, n)."""


E = TypeVar("E", bound=Expanded)
E_co = TypeVar("E_co", bound=Expanded, covariant=True)


class Objective(Protocol[E_co]):
    """What the optimiser needs of a function: -2 log L of something."""

    @property
    def degrees(self) -> int:
        """Number of rows, for the scale of the stopping rule."""

    def value(self, theta: np.ndarray) -> float:
        """Value at theta; infinite where it is not defined."""

    def expand(self, theta: np.ndarray) -> E_co | None:
        """Value, gradient and Hessian at theta; None where it is not defined."""


@dataclass(frozen=True, slots=True)
class Optimum(Generic[E]):
    """Where the optimiser ended.

    Attributes
    ----------
    theta : numpy.ndarray
    expansion : Expanded
    converged : bool
        The predicted change is below the tolerance and the Hessian has no negative eigenvalue.
    iterations : int
    decrement : float
        Predicted change of -2 log L by another Newton step.
    """

    theta: np.ndarray
    expansion: E
    converged: bool
    iterations: int
    decrement: float


def minimise(
    objective: Objective[E],
    start: np.ndarray,
    *,
    max_iterations: int = 200,
    tolerance: float = DECREMENT_TOLERANCE,
) -> Optimum[E] | None:
    """Minimise the objective from `start`; None where it is not defined there."""
    theta = start.copy()
    current = objective.expand(theta)
    if current is None:
        return None
    radius = 1.0
    decrement = np.inf
    for iteration in range(max_iterations):
        noise = 1e-10 * (abs(current.deviance) + objective.degrees)
        step, decrement, inside = _trust_step(current.gradient, current.hessian, radius)
        if inside and decrement < tolerance * objective.degrees:
            return Optimum(theta, current, True, iteration, decrement)
        trial = theta + step
        actual = current.deviance - objective.value(trial)
        # Near the end the gain drowns in rounding; a Newton step from there is taken on trust.
        in_noise = abs(decrement) < noise and actual > -noise
        if in_noise or (decrement > 0 and actual > 0.1 * decrement):
            candidate = objective.expand(trial)
            if candidate is not None:
                theta, current = trial, candidate
                if actual > 0.75 * decrement and not inside:
                    radius = min(2.5 * radius, 1e6)
                continue
        radius = 0.25 * min(radius, float(np.linalg.norm(step)))
        if radius < 1e-14 * (1.0 + float(np.linalg.norm(theta))):
            break
    return Optimum(theta, current, False, max_iterations, decrement)


def _trust_step(
    gradient: np.ndarray, hessian: np.ndarray, radius: float
) -> tuple[np.ndarray, float, bool]:
    """Minimise the quadratic model within a ball (More & Sorensen 1983), by eigenvalues.

    Returns the step, the predicted decrease, and whether it is a full Newton step.
    """
    values, vectors = np.linalg.eigh(hessian)
    slope = vectors.T @ gradient
    scale = max(float(np.abs(values).max()), 1e-300)
    floor = 1e-12 * scale
    if values[0] > floor:
        coordinates = -slope / values
        if np.linalg.norm(coordinates) <= radius:
            return _model(coordinates, slope, values, vectors, full=True)
    elif values[0] > -1e-9 * scale:
        # A flat direction (a parameter that does not matter here): stay where it is flat.
        flat = np.abs(values) <= 1e-9 * scale
        if (np.abs(slope[flat]) <= 1e-7 * max(1.0, scale)).all():
            coordinates = np.where(flat, 0.0, -slope / np.where(flat, 1.0, values))
            if np.linalg.norm(coordinates) <= radius:
                return _model(coordinates, slope, values, vectors, full=True)
    coordinates = _on_sphere(slope, values, radius)
    return _model(coordinates, slope, values, vectors, full=False)


def _model(
    coordinates: np.ndarray,
    slope: np.ndarray,
    values: np.ndarray,
    vectors: np.ndarray,
    *,
    full: bool,
) -> tuple[np.ndarray, float, bool]:
    predicted = -float(slope @ coordinates + 0.5 * values @ coordinates**2)
    return vectors @ coordinates, predicted, full


def _on_sphere(slope: np.ndarray, values: np.ndarray, radius: float) -> np.ndarray:
    """Coordinates of the model's minimum on the sphere of the given radius."""
    lowest = float(values[0])
    spread = float(np.abs(values).max()) + float(np.linalg.norm(slope)) / radius
    low = max(0.0, -lowest)
    hard = np.abs(slope[values - lowest <= 1e-12 * spread]).max(initial=0.0)
    if hard <= 1e-12 * (float(np.linalg.norm(slope)) + spread * radius):
        # The hard case: no slope along the direction of lowest curvature; go along it.
        gap = values + low
        coordinates = np.where(gap > 1e-12 * spread, -slope / np.where(gap > 0, gap, 1.0), 0.0)
        rest = radius**2 - float(coordinates @ coordinates)
        if rest > 0:
            coordinates[0] += np.sqrt(rest)
            return coordinates
    high = low + spread + 1.0
    for _ in range(200):
        shift = 0.5 * (low + high)
        length = float(np.linalg.norm(slope / (values + shift + 1e-300)))
        if length > radius:
            low = shift
        else:
            high = shift
        if high - low <= 1e-12 * high:
            break
    return -slope / (values + high)
