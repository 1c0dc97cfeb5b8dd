"""Shares of variance: R2 of Nakagawa & Johnson, R2 of Rights & Sterba, intraclass correlations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed.residual import ResidualStructure

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit


@dataclass(frozen=True, slots=True)
class RSquared:
    """Variance explained.

    Attributes
    ----------
    marginal : float
        Fixed part over total (Nakagawa & Schielzeth 2013).
    conditional : float
        Fixed and random part over total.
    variances : dict of str to float
        ``fixed``, one per level, ``residual``: the parts of the total. The part of a level is the
        mean over rows of z' Sigma z (Johnson 2014, eq. 10).
    """

    marginal: float
    conditional: float
    variances: dict[str, float]


def r_squared(fit: MixedFit) -> RSquared:
    """R2 of Nakagawa & Schielzeth (2013), with random slopes after Johnson (2014)."""
    _refuse_several(fit)
    prepared = fit.prepared
    predicted = prepared.user_matrix(prepared.fixed, None) @ fit.estimate.coefficients
    parts = {"fixed": float(np.var(predicted, ddof=1))}
    for depth, level in enumerate(prepared.specification.levels):
        z = prepared.user_matrix(prepared.random[depth], None)
        sigma = fit.estimate.level_covariances[depth]
        parts[level] = float(np.mean(np.einsum("ij,jk,ik->i", z, sigma, z)))
    parts["residual"] = mean_residual_variance(fit)
    total = sum(parts.values())
    explained = total - parts["residual"]
    return RSquared(parts["fixed"] / total, explained / total, parts)


def _refuse_several(fit: MixedFit) -> None:
    """Variances of different outcomes have different units and cannot be added up."""
    if fit.prepared.specification.outcomes:
        raise FitError(
            "Shares of variance (R2, decomposition, ICC) belong to one outcome; this fit has "
            f"{len(fit.prepared.outcomes)}. Fit each outcome on its own for them."
        )


def mean_residual_variance(fit: MixedFit) -> float:
    """Residual variance, averaged over the rows where it differs between groups."""
    variances = np.array(list(fit.residual.variances.values()))
    residual = fit.prepared.residual
    assert isinstance(residual, ResidualStructure)
    counts = residual.group_counts
    return float(variances @ counts / counts.sum())


def variance_decomposition(fit: MixedFit, level: str | None = None) -> pd.DataFrame:
    """Full decomposition of the model-implied variance (Rights & Sterba 2019).

    Every predictor is split into its mean per group of `level` and the deviation from it. With
    covariances over rows (n - 1) and Sigma of each level:

        f1 = var(within part of X b),   f2 = var(between part of X b),
        v  = sum over levels of tr(Sigma cov(within part of z)),
        m  = sum over levels of zbar' Sigma zbar + tr(Sigma cov(between part of z)),

    and the residual variance. Shares of the total and of the within-group total (f1, v, residual)
    and the between-group total (f2, m).

    Parameters
    ----------
    fit : MixedFit
    level : str, optional
        Level that separates within from between; the innermost by default.

    Returns
    -------
    pandas.DataFrame
        part, variance, share_total, share_within, share_between.
    """
    _refuse_several(fit)
    prepared = fit.prepared
    depth = len(prepared.specification.levels) - 1 if level is None else fit.depth_of(level)
    starts = prepared.nesting.starts[depth]
    predicted = prepared.user_matrix(prepared.fixed, None) @ fit.estimate.coefficients
    # f1 and f2 are not independent of each other unless predictors are centred; f1 + f2 holds.
    between, within = _split(predicted[:, None], starts)
    f1, f2 = float(np.var(within, ddof=1)), float(np.var(between, ddof=1))
    v = m = 0.0
    for inner in range(len(prepared.specification.levels)):
        z = prepared.user_matrix(prepared.random[inner], None)
        sigma = fit.estimate.level_covariances[inner]
        z_between, z_within = _split(z, starts)
        mean = z.mean(axis=0)
        v += float(np.sum(sigma * _covariance(z_within)))
        m += float(mean @ sigma @ mean + np.sum(sigma * _covariance(z_between)))
    parts = {"f1": f1, "f2": f2, "v": v, "m": m, "residual": mean_residual_variance(fit)}
    names = list(parts)
    variance = np.array(list(parts.values()))
    is_within = np.array([name in ("f1", "v", "residual") for name in names])
    inside, outside = variance[is_within].sum(), variance[~is_within].sum()
    return pd.DataFrame(
        {
            "part": names,
            "variance": variance,
            "share_total": variance / variance.sum(),
            "share_within": np.where(is_within, variance / inside, np.nan),
            "share_between": np.where(is_within, np.nan, variance / (outside or np.nan)),
        }
    )


def _split(columns: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Group means spread over the rows, and deviations from them."""
    sizes = np.diff(starts)
    means = np.add.reduceat(columns, starts[:-1], axis=0) / sizes[:, None]
    between = np.repeat(means, sizes, axis=0)
    return between, columns - between


def _covariance(columns: np.ndarray) -> np.ndarray:
    return np.atleast_2d(np.cov(columns, rowvar=False, ddof=1))


def icc(fit: MixedFit) -> pd.DataFrame:
    """Variance shares and intraclass correlations of the random intercepts per level.

    The share of level l is its intercept variance over the sum of all intercept variances and the
    residual variance; the intraclass correlation adds up the shares from the outermost level
    inwards: the correlation of two rows of the same group of that level (Raudenbush & Bryk 2002,
    ch. 8). With random slopes this holds where their predictors are zero.

    Returns
    -------
    pandas.DataFrame
        level, variance, share, icc.
    """
    _refuse_several(fit)
    levels = fit.prepared.specification.levels
    variances = []
    for depth in range(len(levels)):
        products = list(fit.prepared.random[depth])
        place = products.index(()) if () in products else None
        sigma = fit.estimate.level_covariances[depth]
        variances.append(0.0 if place is None else float(sigma[place, place]))
    total = sum(variances) + mean_residual_variance(fit)
    share = np.array(variances) / total
    return pd.DataFrame(
        {"level": levels, "variance": variances, "share": share, "icc": np.cumsum(share)}
    )
