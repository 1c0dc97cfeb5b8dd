"""An optimum carried back to the user's scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alliance.mixed.criterion import Criterion, Expansion
from alliance.mixed.prepare import Prepared


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
        Residual variance (of the reference group).
    log_likelihood : float
        ML or REML log-likelihood; the REML constant is that of lme4 (it depends on the scale of X).
    to_user : numpy.ndarray
        A^-1, which carries internal fixed effects (times the outcome's scale) to the user's.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    level_covariances: tuple[np.ndarray, ...]
    sigma2: float
    log_likelihood: float
    to_user: np.ndarray


def on_user_scale(
    prepared: Prepared, criterion: Criterion, theta: np.ndarray, expansion: Expansion
) -> Estimate:
    """Undo centring and scaling (see `alliance.mixed.design`)."""
    columns, scale = prepared.columns, prepared.outcome_scale
    profile = expansion.profile
    to_user = np.linalg.inv(columns.fixed_transform)
    coefficients = to_user @ (profile.coefficients * scale)
    names = list(prepared.fixed)
    if () in prepared.fixed:
        coefficients[names.index(())] += prepared.outcome_centre
    sigma2 = profile.sigma2 * scale**2
    covariance = to_user @ profile.unscaled @ to_user.T * sigma2
    levels = []
    for transform, factor in zip(
        columns.level_transform, criterion.problem.layout.factors(theta), strict=True
    ):
        half = np.linalg.solve(transform, factor)
        levels.append(half @ half.T * sigma2)
    return Estimate(
        coefficients,
        0.5 * (covariance + covariance.T),
        tuple(levels),
        sigma2,
        -0.5 * user_deviance(prepared, criterion, profile.deviance),
        to_user,
    )


def user_deviance(prepared: Prepared, criterion: Criterion, deviance: float) -> float:
    """-2 log-likelihood on the user's scale from that on the internal scale."""
    total = deviance + 2.0 * criterion.degrees * np.log(prepared.outcome_scale)
    if criterion.reml:
        total += 2.0 * np.linalg.slogdet(prepared.columns.fixed_transform)[1]
    return float(total)
