"""Put estimates of several sites together: the random-effects synthesis of a meta-analysis.

    y_k = mu + u_k + e_k,   u_k ~ N(0, tau2),   e_k ~ N(0, v_k) with v_k known

tau2 by restricted maximum likelihood (Viechtbauer, 2005), the mean's standard error and interval
after Hartung & Knapp (2001), tau2's interval by the Q-profile method (Viechtbauer, 2007), the
prediction interval after Partlett & Riley (2017): t with k - 2 degrees of freedom, as Higgins,
Thompson & Spiegelhalter (2009) have it, around Hartung and Knapp's standard error. (metafor's own
default takes k - 1 there; with few sites that is narrower.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from alliance.errors import FitError

FEW_SITES = 5  # below this many the variance between sites is hardly known at all
_MOST_TAU2 = 1e8  # times the largest sampling variance: no root is looked for beyond


@dataclass(frozen=True, slots=True)
class Synthesis:
    """The mean over sites and how much sites differ.

    Attributes
    ----------
    n_sites
        Number of estimates, k.
    estimate, se, df, statistic, p, ci_low, ci_high
        The mean with Hartung and Knapp's standard error; t with k - 1 degrees of freedom.
    se_wald
        Standard error that takes tau2 for known.
    tau2, tau2_se, tau2_low, tau2_high
        Variance between sites; interval by Q-profile.
    prediction_df, prediction_low, prediction_high
        Where the true effect of a further site is expected (95 %), t with `prediction_df` = k - 2;
        None with two sites, where it is not defined.
    q, q_df, q_p
        Test that all sites share one effect.
    i2
        Share (percent) of the variance of the estimates that is between sites.
    """

    n_sites: int
    estimate: float
    se: float
    df: int
    statistic: float
    p: float
    ci_low: float
    ci_high: float
    se_wald: float
    tau2: float
    tau2_se: float
    tau2_low: float
    tau2_high: float
    prediction_df: int
    prediction_low: float | None
    prediction_high: float | None
    q: float
    q_df: int
    q_p: float
    i2: float


def synthesise(estimates: Sequence[float], variances: Sequence[float]) -> Synthesis:
    """Return the random-effects synthesis of estimates with their sampling variances.

    Raises
    ------
    FitError
        Fewer than two estimates, or a sampling variance that is not positive and finite.
    """
    y, v = np.asarray(estimates, float), np.asarray(variances, float)
    if len(y) < 2:
        msg = "Fewer than two sites have an estimate: there is nothing to put together."
        raise FitError(msg)
    if not (np.isfinite(y).all() and np.isfinite(v).all() and (v > 0).all()):
        msg = "A site's estimate has no usable standard error."
        raise FitError(msg)
    k = len(y)
    tau2 = _reml(y, v)
    mean, weights = _weighted(y, v, tau2)
    se_wald = float(1 / np.sqrt(weights.sum()))
    # ASSUME Hartung and Knapp's interval as published, without the later floor that never lets its
    # standard error fall below the one of the weights (Röver, Knapp & Friede, 2015); where sites
    # are more alike than chance lets them be it does, and `with_floor` stands beside it.
    se = float(np.sqrt(weights @ (y - mean) ** 2 / ((k - 1) * weights.sum())))
    t = float(stats.t.ppf(0.975, k - 1))
    further = float(stats.t.ppf(0.975, k - 2) * np.sqrt(tau2 + se**2)) if k > 2 else None
    q, typical = _heterogeneity(y, v)
    low, high = _q_profile(y, v)
    statistic = mean / se if se > 0 else float("inf")
    return Synthesis(
        n_sites=k,
        estimate=mean,
        se=se,
        df=k - 1,
        statistic=statistic,
        p=float(2 * stats.t.sf(abs(statistic), k - 1)),
        ci_low=mean - t * se,
        ci_high=mean + t * se,
        se_wald=se_wald,
        tau2=tau2,
        tau2_se=_tau2_se(v, tau2),
        tau2_low=low,
        tau2_high=high,
        prediction_df=k - 2,
        prediction_low=None if further is None else mean - further,
        prediction_high=None if further is None else mean + further,
        q=q,
        q_df=k - 1,
        q_p=float(stats.chi2.sf(q, k - 1)),
        i2=100 * tau2 / (tau2 + typical),
    )


def with_floor(found: Synthesis) -> dict[str, float]:
    """Return the mean with the larger of its two standard errors, t with sites - 1 df."""
    se = max(found.se, found.se_wald)
    statistic, t = found.estimate / se, float(stats.t.ppf(0.975, found.df))
    return {
        "estimate": found.estimate,
        "se": se,
        "df": found.df,
        "statistic": statistic,
        "p": float(2 * stats.t.sf(abs(statistic), found.df)),
        "ci_low": found.estimate - t * se,
        "ci_high": found.estimate + t * se,
    }


def _weighted(y: np.ndarray, v: np.ndarray, tau2: float) -> tuple[float, np.ndarray]:
    weights = 1 / (v + tau2)
    return float(weights @ y / weights.sum()), weights


def _reml_score(tau2: float, y: np.ndarray, v: np.ndarray) -> float:
    """Return the derivative of the restricted log-likelihood: (y'PPy - tr P)/2."""
    mean, w = _weighted(y, v, tau2)
    return float(0.5 * (w**2 @ (y - mean) ** 2 - w.sum() + w @ w / w.sum()))


def _reml(y: np.ndarray, v: np.ndarray) -> float:
    """Return the maximum of the restricted likelihood: the best of all its local maxima and 0."""
    top = max(float(np.var(y)), float(v.max())) * 100
    # The score can cross zero more than once; a fine grid finds every descent from + to -.
    grid = np.concatenate([[0.0], np.geomspace(1e-9 * top, top, 400)])
    scores = [_reml_score(tau2, y, v) for tau2 in grid]
    candidates = [0.0]
    for left, right, before, after in zip(
        grid[:-1], grid[1:], scores[:-1], scores[1:], strict=True
    ):
        if before > 0 >= after:
            root = optimize.brentq(_reml_score, left, right, args=(y, v), xtol=1e-15, rtol=1e-14)
            candidates.append(float(root))
    return max(candidates, key=lambda tau2: _reml_log_likelihood(tau2, y, v))


def _reml_log_likelihood(tau2: float, y: np.ndarray, v: np.ndarray) -> float:
    mean, w = _weighted(y, v, tau2)
    return float(0.5 * (np.log(w).sum() - np.log(w.sum()) - w @ (y - mean) ** 2))


def _tau2_se(v: np.ndarray, tau2: float) -> float:
    """Return tau2's standard error from the expected information, tr(PP)/2."""
    w = 1 / (v + tau2)
    trace = (w**2).sum() - 2 * (w**3).sum() / w.sum() + ((w**2).sum() / w.sum()) ** 2
    return float(np.sqrt(2 / trace))


def _heterogeneity(y: np.ndarray, v: np.ndarray) -> tuple[float, float]:
    """Return Cochran's Q and the typical sampling variance (Higgins & Thompson, 2002)."""
    mean, w = _weighted(y, v, 0.0)
    typical = (len(y) - 1) * w.sum() / (w.sum() ** 2 - w @ w)
    return float(w @ (y - mean) ** 2), float(typical)


def _q_profile(y: np.ndarray, v: np.ndarray) -> tuple[float, float]:
    """Return the tau2 at which the generalised Q equals the chi-squared quantiles."""

    def excess(tau2: float, quantile: float) -> float:
        mean, w = _weighted(y, v, tau2)
        return float(w @ (y - mean) ** 2) - quantile

    ends = []
    for level in (0.975, 0.025):
        quantile = float(stats.chi2.ppf(level, len(y) - 1))
        top = float(v.max())
        while excess(top, quantile) > 0 and top < _MOST_TAU2 * v.max():
            top *= 4
        at_zero = excess(0.0, quantile)
        ends.append(
            0.0
            if at_zero <= 0
            else float(optimize.brentq(excess, 0.0, top, args=(quantile,), xtol=1e-15, rtol=1e-14))
        )
    return ends[0], ends[1]
