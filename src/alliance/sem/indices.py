"""How well a model fits: chi-square, CFI, TLI, RMSEA with interval, SRMR, AIC and BIC.

Formulas as in lavaan 0.6 (Rosseel 2012), against which they are checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from alliance.sem.corrected import Distance
from alliance.sem.likelihood import Moments


@dataclass(frozen=True, slots=True)
class ModelTest:
    """A chi-square test of a model against the saturated one.

    Attributes
    ----------
    chi2, df, p : float, int, float
    scaling : float
        Yuan & Bentler's scaling factor as Mplus and lavaan's MLR compute it; NaN without it.
    """

    chi2: float
    df: int
    p: float
    scaling: float = float("nan")

    @property
    def chi2_scaled(self) -> float:
        """chi2 / scaling."""
        return self.chi2 / self.scaling

    @property
    def p_scaled(self) -> float:
        """p of the scaled statistic."""
        return p_of(self.chi2_scaled, self.df)


@dataclass(frozen=True, slots=True)
class FitIndices:
    """Fit indices; `robust` as a suffix: from the scaled statistics.

    Attributes
    ----------
    test, baseline : ModelTest
        The model's, and the independence model's.
    cfi, tli, rmsea, rmsea_low, rmsea_high, rmsea_p : float
        RMSEA with its 90 % interval and the p of RMSEA <= .05.
    cfi_scaled, tli_scaled, rmsea_scaled : float
        The same formulas with the scaled statistics.
    cfi_robust, tli_robust, rmsea_robust, rmsea_robust_low, rmsea_robust_high : float
        Corrected for non-normality as estimates of the population's value (Brosseau-Liard & Savalei
        2014), and for missing values (Zhang & Savalei 2022).
    srmr : float
        Standardised root mean square residual of means and covariances (Bentler 1995), groups
        weighted by their size.
    log_likelihood, aic, bic : float
        With n rows for BIC.
    n_parameters, n : int
    """

    test: ModelTest
    baseline: ModelTest
    cfi: float
    tli: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    rmsea_p: float
    cfi_scaled: float
    tli_scaled: float
    rmsea_scaled: float
    cfi_robust: float
    tli_robust: float
    rmsea_robust: float
    rmsea_robust_low: float
    rmsea_robust_high: float
    srmr: float
    log_likelihood: float
    aic: float
    bic: float
    n_parameters: int
    n: int


def p_of(chi2: float, df: int) -> float:
    """Return the upper tail of chi-square; NaN without degrees of freedom."""
    return float(stats.chi2.sf(chi2, df)) if df > 0 and np.isfinite(chi2) else float("nan")


def cfi(chi2: float, df: float, chi2_baseline: float, df_baseline: float) -> float:
    """Comparative fit index (Bentler 1990)."""
    if not np.isfinite([chi2, df, chi2_baseline, df_baseline]).all():
        return float("nan")
    above = max(chi2 - df, 0.0)
    most = max(above, chi2_baseline - df_baseline, 0.0)
    return 1.0 if most == 0.0 else 1.0 - above / most


def tli(chi2: float, df: float, chi2_baseline: float, df_baseline: float) -> float:
    """Tucker-Lewis index (non-normed fit index)."""
    top, bottom = chi2 - df, chi2_baseline - df_baseline
    if not np.isfinite([top, bottom]).all() or df_baseline <= 0:
        return float("nan")
    if df <= 0:
        return 1.0
    bottom *= df
    return float("nan") if bottom == 0 else 1.0 - top * df_baseline / bottom


def rmsea(chi2: float, df: float, n: int, n_groups: int, scaling: float = 1.0) -> float:
    """Root mean square error of approximation (Steiger 1998 for several groups)."""
    if not np.isfinite(chi2) or not np.isfinite(df):
        return float("nan")
    if df <= 0:
        return 0.0
    return float(np.sqrt(max(chi2 / (n * df) - scaling / n, 0.0) * n_groups))


def rmsea_interval(
    chi2: float, df: int, n: int, n_groups: int, level: float = 0.90
) -> tuple[float, float]:
    """Interval of the RMSEA from the noncentral chi-square distribution."""
    if df <= 0:
        return 0.0, 0.0
    tail = (1.0 - level) / 2.0

    def bound(probability: float) -> float:
        if stats.chi2.cdf(chi2, df) < probability:
            return 0.0

        def gap(noncentrality: float) -> float:
            return float(stats.ncx2.cdf(chi2, df, noncentrality)) - probability

        high = chi2 + 10.0
        while gap(high) > 0:
            high *= 2.0
        return float(optimize.brentq(gap, 1e-12, high, xtol=1e-10))

    low, high = (np.sqrt(bound(q) * n_groups / (n * df)) for q in (1.0 - tail, tail))
    return float(low), float(high)


def rmsea_close(chi2: float, df: int, n: int, n_groups: int, close: float = 0.05) -> float:
    """p of the hypothesis RMSEA <= `close`."""
    if df <= 0:
        return float("nan")
    return float(stats.ncx2.sf(chi2, df, n * df * close**2 / n_groups))


def srmr(saturated: Sequence[Moments], implied: Sequence[Moments], weights: Sequence[int]) -> float:
    """Standardised root mean square residual over means and covariances."""
    total = 0.0
    for (mean, cov), (mu, sigma), n in zip(saturated, implied, weights, strict=True):
        size = np.sqrt(np.diag(cov))
        low = np.tril_indices(len(mean))
        apart = ((cov - sigma) / np.outer(size, size))[low]
        apart = np.concatenate([apart, (mean - mu) / size])
        total += n * float(np.sqrt(np.mean(apart**2)))
    return total / sum(weights)


def fit_indices(
    *,
    test: ModelTest,
    baseline: ModelTest,
    n: int,
    n_groups: int,
    log_likelihood: float,
    n_parameters: int,
    residual: float,
    distances: tuple[Distance, Distance] | None,
) -> FitIndices:
    """Put the indices together from the model's and the baseline's tests.

    `distances` of model and baseline correct for missing values; without them the data are
    complete, and the tests' own statistics and scaling factors take their place.
    """
    low, high = rmsea_interval(test.chi2, test.df, n, n_groups)
    nan = float("nan")
    scaled = (test.chi2_scaled, test.df, baseline.chi2_scaled, baseline.df)
    own, base = distances or (
        Distance(test.chi2, test.scaling),
        Distance(baseline.chi2, baseline.scaling),
    )
    robust_cfi = robust_tli = robust_rmsea = robust_low = robust_high = nan
    if np.isfinite([own.bias, base.bias]).all():
        above, above_base = own.chi2 - own.bias * test.df, base.chi2 - base.bias * baseline.df
        robust_cfi = cfi(above, 0.0, above_base, 0.0)
        robust_tli = 1.0 - above * baseline.df / (above_base * test.df)
        robust_rmsea = rmsea(own.chi2, test.df, n, n_groups, own.bias)
        ends = rmsea_interval(own.chi2 / own.bias, test.df, n, n_groups)
        robust_low, robust_high = (float(np.sqrt(own.bias)) * end for end in ends)
    # The mean of the scaled statistic's reference distribution is df x scaling.
    spread = test.df * test.scaling
    return FitIndices(
        test=test,
        baseline=baseline,
        cfi=cfi(test.chi2, test.df, baseline.chi2, baseline.df),
        tli=tli(test.chi2, test.df, baseline.chi2, baseline.df),
        rmsea=rmsea(test.chi2, test.df, n, n_groups),
        rmsea_low=low,
        rmsea_high=high,
        rmsea_p=rmsea_close(test.chi2, test.df, n, n_groups),
        cfi_scaled=cfi(*scaled),
        tli_scaled=tli(*scaled),
        rmsea_scaled=rmsea(test.chi2, spread, n, n_groups) if np.isfinite(spread) else nan,
        cfi_robust=robust_cfi,
        tli_robust=robust_tli,
        rmsea_robust=robust_rmsea,
        rmsea_robust_low=robust_low,
        rmsea_robust_high=robust_high,
        srmr=residual,
        log_likelihood=log_likelihood,
        aic=-2.0 * log_likelihood + 2.0 * n_parameters,
        bic=-2.0 * log_likelihood + float(np.log(n)) * n_parameters,
        n_parameters=n_parameters,
        n=n,
    )
