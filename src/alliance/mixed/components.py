"""The random part of a fit as tables: variances, covariances, residuals and group effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alliance.mixed.effects import LevelEffects
from alliance.mixed.residual import ResidualStructure

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit


@dataclass(frozen=True, slots=True)
class ResidualEstimate:
    """The residual part of a fit.

    Attributes
    ----------
    sigma : float
        Residual standard deviation (of the first group or outcome, where there are several).
    phi : float or None
        Autocorrelation at distance 1 (one session, or one unit of time); None if independent.
    variances : dict
        Residual variance per value of ``residual_by``, or per outcome of several;
        ``{"all": sigma^2}`` without.
    covariance : pandas.DataFrame or None
        Residual covariance of several outcomes within a row of the data.
    """

    sigma: float
    phi: float | None
    variances: dict[Any, float]
    covariance: pd.DataFrame | None = None


def variance_components(fit: MixedFit) -> pd.DataFrame:
    """See `alliance.mixed.result.MixedFit.variance_components`."""
    blocks = [
        (level, fit.prepared.random_names(depth), fit.estimate.level_covariances[depth])
        for depth, level in enumerate(fit.prepared.specification.levels)
    ]
    within = fit.estimate.residual_covariance
    if within is None:
        blocks.append(("residual", ["residual"], np.array([[fit.estimate.sigma2]])))
    else:
        blocks.append(("residual", list(fit.prepared.outcomes.names), within))
    rows: list[tuple[str, str, str | None, float, float]] = []
    for level, names, sigma in blocks:
        sd = np.sqrt(np.maximum(np.diag(sigma), 0.0))
        rows += [(level, names[i], None, sigma[i, i], sd[i]) for i in range(len(names))]
        for i in range(len(names)):
            for j in range(i + 1, len(names)):
                both = sd[i] * sd[j]
                correlation = sigma[i, j] / both if both > 0 else np.nan
                rows.append((level, names[i], names[j], sigma[i, j], correlation))
    columns = ["level", "name_1", "name_2", "variance_or_covariance", "sd_or_correlation"]
    return pd.DataFrame(rows, columns=columns)


def residual_estimate(fit: MixedFit) -> ResidualEstimate:
    """See `alliance.mixed.result.MixedFit.residual`."""
    structure = fit.prepared.residual
    rho = fit.optimum.theta[: structure.n_parameters]
    sigma2 = fit.estimate.sigma2
    within = fit.estimate.residual_covariance
    if within is not None:
        names = list(fit.prepared.outcomes.names)
        variances = dict(zip(names, np.diag(within).tolist(), strict=True))
        table = pd.DataFrame(within, index=names, columns=names)
        return ResidualEstimate(float(np.sqrt(sigma2)), None, variances, table)
    assert isinstance(structure, ResidualStructure)
    ratios = np.exp(structure.log_variances(rho))
    groups = structure.groups or ["all"]
    variances = {group: float(sigma2 * v) for group, v in zip(groups, ratios, strict=True)}
    return ResidualEstimate(float(np.sqrt(sigma2)), structure.phi(rho), variances)


def random_effects_table(fit: MixedFit, level: str, effects: list[LevelEffects]) -> pd.DataFrame:
    """See `alliance.mixed.result.MixedFit.random_effects`."""
    depth = fit.depth_of(level)
    back = np.linalg.inv(fit.prepared.level_transform(depth))
    own = effects[depth]
    modes = own.modes @ back.T
    sigma2 = fit.optimum.expansion.profile.sigma2
    covariances = back @ own.covariances @ back.T * sigma2
    table: dict[str, Any] = dict(fit.prepared.nesting.id_columns(depth))
    names = fit.prepared.random_names(depth)
    for i, name in enumerate(names):
        table[name] = modes[:, i]
    for i, name in enumerate(names):
        table[f"sd({name})"] = np.sqrt(np.maximum(covariances[:, i, i], 0.0))
    return pd.DataFrame(table)
