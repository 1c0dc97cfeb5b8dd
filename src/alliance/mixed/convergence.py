"""Convergence as data: what the optimiser saw, and which components lie on the boundary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ZERO = 1e-4
"""A standard deviation below this share of the residual one is zero (as in lme4)."""

BOUNDARY = 1e-7
"""A correlation nearer to 1 or -1 than this is at the boundary."""


@dataclass(frozen=True, slots=True)
class Convergence:
    """How a fit ended.

    Attributes
    ----------
    converged : bool
        Newton's predicted gain is negligible and the Hessian has no negative eigenvalue.
    objective : float
        -2 log-likelihood (ML or REML) on the user's scale.
    evaluations : int
        Evaluations of the criterion, both starts together.
    gradient_norm : float
        Largest absolute gradient in the Cholesky factors (no unit: columns are standardised).
    hessian_eigenvalues : tuple of float
        Eigenvalues of the Hessian there, ascending.
    is_singular : bool
        A variance is zero, a correlation is 1 or -1, or a combination of effects has no variance.
    singular_components : tuple of str
        Which, in words.
    second_start_difference : float
        Largest distance in -2 log-likelihood between the ends of the other starts and the first
        (about 0 if they agree). If it is not, there are several local optima; the fit is the best.
        With thousands of clients the starts are compared on a sample of the groups.
    optimiser : str
        Name of the method.
    iterations : int
        Newton steps from the first start.
    """

    converged: bool
    objective: float
    evaluations: int
    gradient_norm: float
    hessian_eigenvalues: tuple[float, ...]
    is_singular: bool
    singular_components: tuple[str, ...]
    second_start_difference: float
    optimiser: str = "trust-region Newton with exact Hessian"
    iterations: int = 0


def singular_components(
    levels: Sequence[str],
    names: Sequence[Sequence[str]],
    factors: Sequence[np.ndarray],
    transforms: Sequence[np.ndarray],
) -> tuple[str, ...]:
    """Name the components on the boundary, per level.

    Whether a level is singular is judged on the engine's centred and scaled columns, where a large
    offset of a predictor cannot pass for a correlation of -1; which components it concerns is said
    on the user's scale.

    Parameters
    ----------
    levels : sequence of str
    names : sequence of sequence of str
        Names of each level's random effects.
    factors : sequence of numpy.ndarray
        Cholesky factors relative to sigma, on the engine's scale (columns of size about one).
    transforms : sequence of numpy.ndarray
        A per level, with the user's columns = the engine's columns times A.
    """
    found: list[str] = []
    for level, labels, factor, transform in zip(levels, names, factors, transforms, strict=True):
        if not _is_singular(factor):
            continue
        half = np.linalg.solve(transform, factor)
        size = np.sqrt(np.square(transform).sum(axis=0))
        sigma = half @ half.T * np.outer(size, size)
        deviation = np.sqrt(np.diag(sigma))
        zero = deviation < ZERO
        found += [
            f"{level}: variance of '{label}' is 0"
            for label, is_zero in zip(labels, zero, strict=True)
            if is_zero
        ]
        alive = [int(index) for index in np.flatnonzero(~zero)]
        if len(alive) < 2:
            continue
        correlation = sigma[np.ix_(alive, alive)] / np.outer(deviation[alive], deviation[alive])
        pairs = [
            f"{level}: correlation of '{labels[alive[b]]}' and '{labels[alive[a]]}' is "
            f"{'1' if correlation[a, b] > 0 else '-1'}"
            for a in range(len(alive))
            for b in range(a)
            if 1.0 - abs(correlation[a, b]) < BOUNDARY
        ]
        if not pairs and (alive == list(range(len(labels))) or _is_singular(half[alive])):
            text = ", ".join(f"'{labels[index]}'" for index in alive)
            pairs = [f"{level}: a combination of {text} has no variance"]
        found += pairs
    return tuple(found)


def _is_singular(factor: np.ndarray) -> bool:
    sigma = factor @ factor.T
    deviation = np.sqrt(np.diag(sigma))
    if (deviation < ZERO).any():
        return True
    correlation = sigma / np.outer(deviation, deviation)
    return bool(np.linalg.eigvalsh(correlation)[0] < BOUNDARY)
