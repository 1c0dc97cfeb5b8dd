"""Rubin's rules: one estimate from those of several completed data sets.

With estimates Q_m of variance U_m, W the mean of U, B the variance of Q (Rubin 1987, ch. 3):

    Q = mean(Q_m),  T = W + (1 + 1/M) B,  lambda = (1 + 1/M) B / T,
    1/df = 1/df_old + 1/df_obs,  df_old = (M - 1) / lambda^2,
    df_obs = (df_com + 1) / (df_com + 3) df_com (1 - lambda)      (Barnard & Rubin 1999, eq. 3)
    fraction of missing information = (r + 2 / (df + 3)) / (r + 1),  r = (1 + 1/M) B / W.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from alliance.families.common.with_interval import with_interval


@dataclass(frozen=True, slots=True)
class Pooled:
    """An estimate pooled over imputations.

    Attributes
    ----------
    estimate, se, df
        With Barnard and Rubin's degrees of freedom.
    missing_information
        Fraction of the information on the estimate that is missing, from 0 to 1.
    monte_carlo_error
        Standard deviation of the estimate over sets of imputations, sqrt(B / M).
    """

    estimate: float
    se: float
    df: float
    missing_information: float
    monte_carlo_error: float

    def numbers(self) -> dict[str, Any]:
        """Return what an estimate of a fit states."""
        return with_interval(self.estimate, self.se, self.df)


def pooled(estimates: np.ndarray, variances: np.ndarray, df_complete: float = np.inf) -> Pooled:
    """Pool one estimate.

    Parameters
    ----------
    estimates, variances
        Of each completed data set, shape (M,), M at least 2.
    df_complete
        Degrees of freedom that the complete data would have.
    """
    m = len(estimates)
    within, between = float(variances.mean()), float(estimates.var(ddof=1))
    added = (1.0 + 1.0 / m) * between
    total = within + added
    share = added / total
    df_old = (m - 1) / share**2 if share > 0 else np.inf
    df = df_old
    if np.isfinite(df_complete):
        df_seen = (df_complete + 1.0) / (df_complete + 3.0) * df_complete * (1.0 - share)
        df = 1.0 / (1.0 / df_old + 1.0 / df_seen)
    ratio = added / within
    missing = (ratio + 2.0 / (df + 3.0)) / (ratio + 1.0)
    return Pooled(
        float(estimates.mean()), float(np.sqrt(total)), float(df), missing, np.sqrt(between / m)
    )
