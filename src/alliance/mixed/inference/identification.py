"""How well a fit's covariance parameters can be told apart, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alliance.mixed.covariance import triangle
from alliance.mixed.degrees_of_freedom import full_hessian
from alliance.mixed.residual_course import CourseCovariance

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit

INVOLVED = 0.3
"""A parameter takes part in a direction if its share is at least this (of length one)."""

WEAK = 1e-3
"""Below this smallest eigenvalue of the scaled information, parameters are told apart only just."""


@dataclass(frozen=True, slots=True)
class Identification:
    """The information about the covariance parameters, each in units of its own precision.

    Attributes
    ----------
    smallest_eigenvalue : float
        Of the information matrix scaled to a unit diagonal: 1 if every parameter is estimated as if
        the others were known, near 0 if some combination is not determined.
    is_weak : bool
        Whether it is below `WEAK`.
    involved : tuple of str
        Parameters that make up the least determined direction.
    """

    smallest_eigenvalue: float
    is_weak: bool
    involved: tuple[str, ...]


def identification(fit: MixedFit) -> Identification:
    """Say how well the covariance parameters of a fit can be told apart."""
    hessian = full_hessian(fit.criterion, fit.optimum.expansion, fit.optimum.theta)
    size = np.sqrt(np.maximum(np.diag(hessian), 0.0))
    used = np.flatnonzero(size > 1e-9 * size.max())
    values, vectors = np.linalg.eigh(hessian[np.ix_(used, used)] / np.outer(size[used], size[used]))
    names = parameter_names(fit)
    involved = tuple(names[used[k]] for k in np.flatnonzero(np.abs(vectors[:, 0]) > INVOLVED))
    return Identification(float(values[0]), bool(values[0] < WEAK), involved)


def parameter_names(fit: MixedFit) -> list[str]:
    """Names of the engine's parameters and of log sigma^2."""
    names = _residual_names(fit)
    levels = fit.prepared.specification.levels
    for depth in reversed(range(len(levels))):
        labels = fit.prepared.random_names(depth)
        names += [
            f"{levels[depth]}: {labels[a]}"
            if a == b
            else f"{levels[depth]}: {labels[b]}, {labels[a]}"
            for a, b in zip(*triangle(len(labels)), strict=True)
        ]
    return [*names, "residual variance"]


def _residual_names(fit: MixedFit) -> list[str]:
    structure = fit.prepared.residual
    if not isinstance(structure, CourseCovariance):
        return [f"residual parameter {k + 1}" for k in range(structure.n_parameters)]
    own, names = structure.parameters, structure.outcomes
    pairs = list(zip(*triangle(own.p), strict=True))
    covariance = [f"residual: {names[b]}, {names[a]}" for a, b in pairs]
    found = list(covariance[1:])
    for group in range(own.n_dynamics):
        whose = f" ({own.groups[group]})" if own.groups else ""
        found += [f"{of} -> {on}{whose}" for on in names for of in names]
    for group in range(1, own.n_within):
        found += [f"{name} ({own.groups[group]})" for name in covariance]
    return found + [f"error of {name}" for name in names[: len(names) * (own.error == "free")]]
