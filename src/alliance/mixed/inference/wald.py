"""Wald intervals from the exact Hessian, on scales without bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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

    On log standard deviations, Fisher's z of correlations and of phi. There is no Wald interval for
    a component at the boundary.
    """
    rows: list[tuple[Any, ...]] = []
    if parameters != "fixed":
        rows += _random_rows(fit, confidence)
    if parameters != "random":
        rows += fixed_rows(fit, confidence)
    return interval_table(rows)


def _random_rows(fit: MixedFit, confidence: float) -> list[tuple[Any, ...]]:
    z = float(ndtri(0.5 + confidence / 2))
    rows = []
    naturals = natural_parameters(fit)
    for natural, (centre, se) in zip(naturals, free_scale_errors(fit, naturals), strict=True):
        ends = (
            from_free_scale(fit, natural, centre + sign * z * se) if np.isfinite(se) else np.nan
            for sign in (-1.0, 1.0)
        )
        rows.append((*_label(natural), *ends))
    return rows


def free_scale_errors(fit: MixedFit, naturals: Sequence[Natural]) -> list[tuple[float, float]]:
    """Natural parameters on their free scale, with standard errors; NaN at a boundary.

    The delta method with the observed information 2 H^-1 of (Cholesky factors, residual, log
    sigma^2).
    """
    theta = fit.optimum.theta
    tau = float(np.log(fit.optimum.expansion.profile.sigma2))
    covariance = 2.0 * np.linalg.pinv(
        full_hessian(fit.criterion, fit.optimum.expansion, theta), rcond=1e-12, hermitian=True
    )
    point = np.append(theta, tau)
    singular = {text.split(":")[0] for text in fit.convergence.singular_components}
    errors = []
    for natural in naturals:
        if natural.level in singular:
            errors.append((np.nan, np.nan))
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
        variance = max(float(slope @ covariance @ slope), 0.0)
        errors.append((free_scale(fit, natural, theta, tau), float(np.sqrt(variance))))
    return errors


def _label(natural: Natural) -> tuple[Any, ...]:
    return natural.level, natural.name_1, natural.name_2, natural.kind, natural.estimate


def fixed_rows(fit: MixedFit, confidence: float) -> list[tuple[Any, ...]]:
    """Wald intervals of the fixed effects with the degrees of freedom of the fit."""
    table = fit.coefficients
    estimate, se, df = (np.asarray(table[name], dtype=float) for name in ("estimate", "se", "df"))
    half = se * t_quantile(0.5 + confidence / 2, df)
    return [
        ("fixed", term, None, "coefficient", centre, centre - width, centre + width)
        for term, centre, width in zip(table["term"], estimate, half, strict=True)
    ]


def interval_table(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Table of intervals from rows of its columns."""
    columns = ["level", "name_1", "name_2", "kind", "estimate", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=columns)
