"""An optimum carried back to the user's scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alliance.mixed.criterion import Criterion, Expansion, Profile
from alliance.mixed.prepare import Prepared
from alliance.mixed.residual import ResidualStructure


@dataclass(frozen=True, slots=True)
class Estimate:
    """Parameters on the user's scale.

    Attributes
    ----------
    coefficients : numpy.ndarray
        Fixed effects, shape (p,).
    covariance : numpy.ndarray
        Their model-based covariance, shape (p, p).
    level_covariances : tuple of numpy.ndarray
        Covariance matrix of the random effects per level, outermost first.
    sigma2 : float
        Residual variance (of the reference group, or of the first outcome).
    residual_covariance : numpy.ndarray or None
        Of several outcomes in one row of the data, shape (outcomes, outcomes).
    log_likelihood : float
        ML or REML log-likelihood; the REML constant is that of lme4 (it depends on the scale of X).
    to_user : numpy.ndarray
        A^-1, which carries internal fixed effects to the user's.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    level_covariances: tuple[np.ndarray, ...]
    sigma2: float
    residual_covariance: np.ndarray | None
    log_likelihood: float
    to_user: np.ndarray


def on_user_scale(
    prepared: Prepared, criterion: Criterion, theta: np.ndarray, expansion: Expansion
) -> Estimate:
    """Undo centring and scaling (see `alliance.mixed.design`)."""
    outcomes, profile = prepared.outcomes, expansion.profile
    coefficients, covariance = fixed_on_user_scale(prepared, profile)
    levels = []
    for depth, factor in enumerate(criterion.problem.layout.factors(theta)):
        half = np.linalg.solve(prepared.level_transform(depth), factor)
        levels.append(half @ half.T * profile.sigma2)
    return Estimate(
        coefficients,
        covariance,
        tuple(levels),
        profile.sigma2 * float(outcomes.scales[0]) ** 2,
        residual_covariance(prepared, theta, profile.sigma2),
        -0.5 * user_deviance(prepared, criterion, profile.deviance),
        np.linalg.inv(prepared.fixed_transform),
    )


def fixed_on_user_scale(prepared: Prepared, profile: Profile) -> tuple[np.ndarray, np.ndarray]:
    """Fixed effects and their model-based covariance on the user's scale."""
    outcomes, products = prepared.outcomes, list(prepared.fixed)
    to_user = np.linalg.inv(prepared.fixed_transform)
    coefficients = to_user @ profile.coefficients
    for place in range(len(outcomes)):
        if outcomes.intercept(place) in prepared.fixed:
            coefficients[products.index(outcomes.intercept(place))] += outcomes.centres[place]
    covariance = to_user @ profile.unscaled @ to_user.T * profile.sigma2
    return coefficients, 0.5 * (covariance + covariance.T)


def residual_covariance(prepared: Prepared, theta: np.ndarray, sigma2: float) -> np.ndarray | None:
    """Residual covariance of several outcomes on the user's scale at any parameters."""
    structure = prepared.residual
    if isinstance(structure, ResidualStructure):
        return None
    scales = prepared.outcomes.scales
    return structure.relative(theta[: structure.n_parameters]) * np.outer(scales, scales) * sigma2


def user_deviance(prepared: Prepared, criterion: Criterion, deviance: float) -> float:
    """-2 log-likelihood on the user's scale from that on the internal scale."""
    scales = prepared.outcomes.scales
    if len(scales) == 1:
        total = deviance + 2.0 * criterion.problem.n_rows * np.log(scales[0])
    else:
        total = deviance + 2.0 * float(prepared.outcomes.counts @ np.log(scales))
    if criterion.reml:
        total += 2.0 * np.linalg.slogdet(prepared.fixed_transform)[1]
    return float(total)
