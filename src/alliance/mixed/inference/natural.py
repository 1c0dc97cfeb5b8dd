"""Standard deviations, correlations and residual parameters as functions of the covariances.

The engine's parameters are covariances relative to sigma^2 on standardised columns; what a reader
wants an interval for are standard deviations and correlations on the user's scale. This module
lists these *natural* parameters and computes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from alliance.mixed.estimate import residual_covariance
from alliance.mixed.residual import ResidualStructure

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit

RESIDUAL = -1
"""Stands for the residuals where a depth stands for a level."""

Kind = Literal["sd", "correlation", "sigma", "phi", "sd_ratio"]


@dataclass(frozen=True, slots=True)
class Natural:
    """One natural parameter.

    Attributes
    ----------
    kind : str
        ``sd``, ``correlation``, ``sigma``, ``phi`` or ``sd_ratio`` (residual standard deviation of
        a group over that of the reference group).
    level, name_1, name_2 : str or None
    depth, first, second : int
        Level, and places of the effects in it (or the place of the residual parameter, or of the
        outcomes whose residuals are meant; depth is then `RESIDUAL`).
    estimate : float
    """

    kind: Kind
    level: str
    name_1: str
    name_2: str | None
    depth: int
    first: int
    second: int
    estimate: float


def natural_parameters(fit: MixedFit) -> list[Natural]:
    """Every standard deviation, correlation and residual parameter of a fit."""
    found: list[Natural] = []
    blocks = [
        (depth, level, fit.prepared.random_names(depth), fit.estimate.level_covariances[depth])
        for depth, level in enumerate(fit.prepared.specification.levels)
    ]
    within = fit.estimate.residual_covariance
    if within is not None:
        blocks.append((RESIDUAL, "residual", list(fit.prepared.outcomes.names), within))
    for depth, level, names, sigma in blocks:
        sd = np.sqrt(np.maximum(np.diag(sigma), 0.0))
        for i, name in enumerate(names):
            found.append(Natural("sd", level, name, None, depth, i, i, float(sd[i])))
        for i, name in enumerate(names):
            for j in range(i + 1, len(names)):
                both = sd[i] * sd[j]
                value = float(sigma[i, j] / both) if both > 0 else float("nan")
                found.append(Natural("correlation", level, name, names[j], depth, i, j, value))
    structure = fit.prepared.residual
    if not isinstance(structure, ResidualStructure):
        return found
    found.append(Natural("sigma", "residual", "sigma", None, RESIDUAL, 0, 0, fit.residual.sigma))
    if fit.residual.phi is not None:
        found.append(Natural("phi", "residual", "phi", None, RESIDUAL, 0, 0, fit.residual.phi))
    rho = fit.optimum.theta[: structure.n_parameters]
    ratios = np.exp(0.5 * structure.log_variances(rho))
    for g in range(1, structure.n_groups):
        place = int(structure.serial) + g - 1
        label = f"sd of {structure.groups[g]} / sd of {structure.groups[0]}"
        found.append(
            Natural("sd_ratio", "residual", label, None, RESIDUAL, place, place, float(ratios[g]))
        )
    return found


def user_covariance(fit: MixedFit, theta: np.ndarray, tau: float, depth: int) -> np.ndarray:
    """Covariance matrix of a level (or `RESIDUAL`) on the user's scale at any parameters."""
    if depth == RESIDUAL:
        within = residual_covariance(fit.prepared, theta, float(np.exp(tau)))
        assert within is not None
        return within
    factor = fit.criterion.problem.layout.factors(theta)[depth]
    half = np.linalg.solve(fit.prepared.level_transform(depth), factor)
    return np.asarray(half @ half.T * np.exp(tau))


def free_scale(fit: MixedFit, natural: Natural, theta: np.ndarray, tau: float) -> float:
    """Put a natural parameter on a scale without bounds: log, Fisher's z or the working one."""
    if natural.kind == "sigma":
        return float(0.5 * tau + np.log(fit.prepared.outcomes.scales[0]))
    if natural.kind == "phi":
        return float(theta[0])
    if natural.kind == "sd_ratio":
        return 0.5 * float(theta[natural.first])
    sigma = user_covariance(fit, theta, tau, natural.depth)
    i, j = natural.first, natural.second
    if natural.kind == "sd":
        return 0.5 * float(np.log(sigma[i, i]))
    return float(np.arctanh(sigma[i, j] / np.sqrt(sigma[i, i] * sigma[j, j])))


def from_free_scale(fit: MixedFit, natural: Natural, value: float) -> float:
    """Back from `free_scale`."""
    if natural.kind == "correlation":
        return float(np.tanh(value))
    if natural.kind == "phi":
        assert isinstance(fit.prepared.residual, ResidualStructure)
        phi = fit.prepared.residual.phi(np.array([value]))
        assert phi is not None
        return phi
    return float(np.exp(value))
