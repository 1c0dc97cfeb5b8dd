"""Standard deviations, correlations and residual parameters as functions of the covariances.

The engine's parameters are covariances relative to sigma^2 on standardised columns; what a reader
wants an interval for are standard deviations and correlations on the user's scale. This module
lists these *natural* parameters and computes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit

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
        Level, and places of the effects in it (or the place of the residual parameter).
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
    for depth, level in enumerate(fit.prepared.specification.levels):
        names = fit.prepared.random_names(depth)
        sigma = fit.estimate.level_covariances[depth]
        sd = np.sqrt(np.maximum(np.diag(sigma), 0.0))
        for i, name in enumerate(names):
            found.append(Natural("sd", level, name, None, depth, i, i, float(sd[i])))
        for i, name in enumerate(names):
            for j in range(i + 1, len(names)):
                both = sd[i] * sd[j]
                value = float(sigma[i, j] / both) if both > 0 else float("nan")
                found.append(Natural("correlation", level, name, names[j], depth, i, j, value))
    found.append(Natural("sigma", "residual", "sigma", None, -1, 0, 0, fit.residual.sigma))
    structure = fit.prepared.residual
    if fit.residual.phi is not None:
        found.append(Natural("phi", "residual", "phi", None, -1, 0, 0, fit.residual.phi))
    rho = fit.optimum.theta[: structure.n_parameters]
    ratios = np.exp(0.5 * structure.log_variances(rho))
    for g in range(1, structure.n_groups):
        place = int(structure.serial) + g - 1
        label = f"sd of {structure.groups[g]} / sd of {structure.groups[0]}"
        found.append(
            Natural("sd_ratio", "residual", label, None, -1, place, place, float(ratios[g]))
        )
    return found


def user_covariance(fit: MixedFit, theta: np.ndarray, tau: float, depth: int) -> np.ndarray:
    """Covariance matrix of a level on the user's scale at any parameters."""
    factor = fit.criterion.problem.layout.factors(theta)[depth]
    half = np.linalg.solve(fit.prepared.columns.level_transform[depth], factor)
    return half @ half.T * np.exp(tau) * fit.prepared.outcome_scale**2


def free_scale(fit: MixedFit, natural: Natural, theta: np.ndarray, tau: float) -> float:
    """Put a natural parameter on a scale without bounds: log, Fisher's z or the working one."""
    if natural.kind == "sigma":
        return 0.5 * tau + np.log(fit.prepared.outcome_scale)
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
        phi = fit.prepared.residual.phi(np.array([value]))
        assert phi is not None
        return phi
    return float(np.exp(value))
