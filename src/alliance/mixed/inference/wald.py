"""Wald intervals from the exact Hessian, on scales without bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtri

from alliance.mixed.degrees_of_freedom import full_hessian
from alliance.mixed.inference.natural import (
    Natural,
    free_scale,
    from_free_scale,
    natural_parameters,
)
from alliance.mixed.tables import t_quantile

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit

STEP = 1e-5


def wald_intervals(fit: MixedFit, confidence: float, parameters: str) -> pd.DataFrame:
    """See `alliance.mixed.result.MixedFit.intervals`.

    The delta method with the observed information 2 H^-1 of (Cholesky factors, residual, log
    sigma^2), for log standard deviations, Fisher's z of correlations and of phi. There is no Wald
    interval for a component at the boundary.
    """
    rows: list[tuple] = []
    if parameters != "fixed":
        rows += _random_rows(fit, confidence)
    if parameters != "random":
        rows += fixed_rows(fit, confidence)
    return interval_table(rows)


def _random_rows(fit: MixedFit, confidence: float) -> list[tuple]:
    theta = fit.optimum.theta
    tau = float(np.log(fit.optimum.expansion.profile.sigma2))
    covariance = 2.0 * np.linalg.pinv(
        full_hessian(fit.criterion, fit.optimum.expansion, theta), rcond=1e-12, hermitian=True
    )
    z = float(ndtri(0.5 + confidence / 2))
    point = np.append(theta, tau)
    singular = {text.split(":")[0] for text in fit.convergence.singular_components}
    rows = []
    for natural in natural_parameters(fit):
        if natural.level in singular:
            rows.append((*_label(natural), np.nan, np.nan))
            continue
        slope = np.empty(len(point))
        for k in range(len(point)):
            step = np.zeros(len(point))
            step[k] = STEP
            high, low = point + step, point - step
            slope[k] = (
                free_scale(fit, natural, high[:-1], high[-1])
                - free_scale(fit, natural, low[:-1], low[-1])
            ) / (2 * STEP)
        centre = free_scale(fit, natural, theta, tau)
        variance = float(slope @ covariance @ slope)
        half = z * float(np.sqrt(max(variance, 0.0)))
        rows.append(
            (
                *_label(natural),
                from_free_scale(fit, natural, centre - half),
                from_free_scale(fit, natural, centre + half),
            )
        )
    return rows


def _label(natural: Natural) -> tuple:
    return natural.level, natural.name_1, natural.name_2, natural.kind, natural.estimate


def fixed_rows(fit: MixedFit, confidence: float) -> list[tuple]:
    """Wald intervals of the fixed effects with the degrees of freedom of the fit."""
    table = fit.coefficients
    estimate, se, df = (np.asarray(table[name], dtype=float) for name in ("estimate", "se", "df"))
    half = se * t_quantile(0.5 + confidence / 2, df)
    return [
        ("fixed", term, None, "coefficient", centre, centre - width, centre + width)
        for term, centre, width in zip(table["term"], estimate, half, strict=True)
    ]


def interval_table(rows: list[tuple]) -> pd.DataFrame:
    """Table of intervals from rows of its columns."""
    columns = ["level", "name_1", "name_2", "kind", "estimate", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=columns)
