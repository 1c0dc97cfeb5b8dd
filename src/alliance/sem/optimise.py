"""Fisher scoring far from the optimum, Newton's method with the exact Hessian near it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alliance.sem.likelihood import EXPECTED, OBSERVED, Expansion, Objective

DECREMENT = 1e-9
"""Stop (after one more Newton step) when the squared distance to the optimum, in standard errors,
is below this; the last step is quadratic and leaves about its square."""

NEAR = 0.5
"""Below this decrement (in units of log L) the exact Hessian takes over."""

MAX_ITERATIONS = 150
"""Well-behaved models need 5 to 20."""

STALLED_STEPS, STALLED_GAIN = 30, 1e-4
"""The search is given up when so many steps have gained less than this in log L: the maximum lies
at infinity or on a ridge."""

FLAT = 1e-9
"""Eigenvalues of the scaled information below this share of the largest are flat directions."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where the search ended.

    Attributes
    ----------
    theta : numpy.ndarray
    expansion : Expansion
        With the observed information.
    converged : bool
        The decrement is negligible and the Hessian has no negative eigenvalue.
    iterations, evaluations : int
    decrement : float
        g' H^-1 g: about twice the log-likelihood still to be gained.
    eigenvalues : numpy.ndarray
        Of the observed information with unit diagonal, ascending.
    """

    theta: np.ndarray
    expansion: Expansion
    converged: bool
    iterations: int
    evaluations: int
    decrement: float
    eigenvalues: np.ndarray


def minimise(
    objective: Objective, start: np.ndarray, *, max_iterations: int = MAX_ITERATIONS
) -> Optimum | None:
    """Minimise -log L from `start`; None where it is not defined there."""
    theta, evaluations = start.copy(), 1
    current = objective.expand(theta, EXPECTED)
    if current is None:
        return None
    kind, decrement, iteration, stuck = EXPECTED, np.inf, 0, False
    values, reach = [current.value], 1.0
    while iteration < max_iterations and not stuck:
        iteration += 1
        if iteration > STALLED_STEPS and values[-STALLED_STEPS] - values[-1] < STALLED_GAIN:
            break
        step, decrement = _step(current, damped=kind == OBSERVED)
        if decrement < DECREMENT and kind == OBSERVED:
            # One step more on trust: by now the gain drowns in rounding.
            trial = objective.expand(theta + step, OBSERVED)
            evaluations += 1
            if trial is not None:
                theta, current = theta + step, trial
            break
        # In a curved valley full steps fail; what did well last time is tried first, times four.
        length, accepted = reach, False
        while length > 1e-10:
            value = objective.value(theta + length * step)
            evaluations += 1
            enough = current.value - 1e-4 * length * decrement
            noise = 1e-12 * (abs(current.value) + objective.likelihood.n)
            if value <= enough or (decrement < 1e-6 and value <= current.value + noise):
                accepted = True
                break
            length *= 0.5 if np.isfinite(value) else 0.25
        if accepted:
            theta = theta + length * step
            reach = min(1.0, 4.0 * length)
        else:
            reach = 1.0
        next_kind = OBSERVED if decrement < NEAR and accepted and length == 1.0 else EXPECTED
        if not accepted:
            # The other matrix may know a way down; if it does not either, this is the end.
            stuck = kind == OBSERVED
            next_kind = OBSERVED
        following = objective.expand(theta, next_kind)
        evaluations += 1
        if following is None:
            return None
        kind, current = next_kind, following
        values.append(current.value)
    final = current if kind == OBSERVED else objective.expand(theta, OBSERVED)
    if final is None:
        return None
    eigenvalues = np.linalg.eigvalsh(_scaled(final.hessian)[0])
    _, decrement = _step(final, damped=True)
    fine = bool(decrement < 1e-6 and eigenvalues[0] > -FLAT * eigenvalues[-1])
    return Optimum(theta, final, fine, iteration, evaluations, float(decrement), eigenvalues)


def _scaled(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the matrix with unit diagonal (in size), and the scale."""
    size = np.sqrt(np.maximum(np.abs(np.diag(matrix)), 1e-300))
    return matrix / np.outer(size, size), size


def _step(at: Expansion, *, damped: bool) -> tuple[np.ndarray, float]:
    """Return a descent step and g'H^-1 g; negative curvature is met with its absolute value."""
    matrix, size = _scaled(at.hessian)
    values, vectors = np.linalg.eigh(matrix)
    slope = vectors.T @ (at.gradient / size)
    floor = (FLAT if damped else 1e-7) * max(float(values[-1]), 1e-300)
    curved = np.maximum(np.abs(values), floor)
    # A flat direction without a slope stays where it is.
    moves = (np.abs(values) > floor) | (np.abs(slope) > 1e-7 * np.sqrt(floor))
    coordinates = np.where(moves, -slope / curved, 0.0)
    return (vectors @ coordinates) / size, float(np.sum(slope**2 / curved * moves))
