"""The two links: log-likelihood of a row and its derivatives in the linear predictor eta.

A row holds ``trials`` observations with the same predictors in the same group, ``successes`` of
them with outcome 1; its log-likelihood is

    successes * l1(eta) + (trials - successes) * l0(eta).

Logit, with pi = 1 / (1 + exp(-eta)): l1 = log(pi), l0 = log(1 - pi). Complementary log-log, with
lambda = exp(eta): l1 = log(1 - exp(-lambda)), l0 = -lambda; the hazard of a continuous-time
proportional hazards model observed in intervals (Prentice & Gloeckler 1978).

Every function below works on one number and is compiled into the loops over the rows
(`alliance.mixed.logit.kernels`). With weight w = -d2 l / d eta2, always the observed curvature:

    logit    w = t pi (1 - pi),  w' = w (1 - 2 pi),  w'' = w (1 - 6 pi (1 - pi))
    cloglog  l1' = q, l1'' = q r, l1''' = q f, l1'''' = q (r f + f'),
             q = lambda / (exp(lambda) - 1),  r = 1 - lambda - q,  r' = -lambda - q r,
             f = r^2 - lambda - q r,          f' = (2 r - q) r' - lambda - q r^2.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from scipy.special import expit

from alliance.mixed.compiling import compiled

Link = Literal["logit", "cloglog"]

LINKS: tuple[Link, ...] = ("logit", "cloglog")
LOGIT, CLOGLOG = 0, 1

SERIES_BELOW = 0.05  # below this lambda, 1 - lambda - q loses digits and a power series does not
CERTAIN_ABOVE = 1e3  # beyond this lambda an event is certain to the last bit


def probability(link: Link, eta: np.ndarray) -> np.ndarray:
    """Probability of outcome 1 at a linear predictor."""
    if link == "logit":
        return np.asarray(expit(eta))
    return np.asarray(-np.expm1(-np.exp(np.minimum(eta, 700.0))))


def probability_slope(link: Link, eta: np.ndarray) -> np.ndarray:
    """First derivative of the probability in the linear predictor."""
    if link == "logit":
        return np.asarray(expit(eta) * expit(-eta))
    capped = np.minimum(eta, 700.0)
    return np.asarray(np.exp(capped - np.exp(capped)))


def probability_curvature(link: Link, eta: np.ndarray) -> np.ndarray:
    """Second derivative of the probability in the linear predictor."""
    slope = probability_slope(link, eta)
    if link == "logit":
        return np.asarray(slope * (expit(-eta) - expit(eta)))
    return np.asarray(slope * (1.0 - np.exp(np.minimum(eta, 700.0))))


@compiled
def event_terms(rate: float) -> tuple[float, float]:
    """Compute q and r of the complementary log-log link at lambda = `rate`."""
    if rate < SERIES_BELOW:
        square = rate * rate
        r = -0.5 * rate - square / 12.0 + square * square / 720.0 - square**3 / 30240.0
        return 1.0 - rate - r, r
    if rate > CERTAIN_ABOVE:
        return 0.0, 0.0
    q = rate / math.expm1(rate)
    return q, 1.0 - rate - q


@compiled
def cloglog_value(eta: float, successes: float, trials: float) -> float:
    """Log-likelihood of a row, complementary log-log."""
    rate = math.exp(min(eta, 700.0))
    value = -(trials - successes) * rate if trials > successes else 0.0
    if successes > 0.0:
        # log(1 - exp(-lambda)) is log(lambda) = eta where exp(eta) has underflowed
        value += successes * (math.log(-math.expm1(-rate)) if rate > 1e-300 else eta)
    return value


@compiled
def cloglog_two(eta: float, successes: float, trials: float) -> tuple[float, float]:
    """Score l' and weight w of a row, complementary log-log."""
    rate = math.exp(min(eta, 700.0))
    failed = (trials - successes) * rate if trials > successes else 0.0
    q, r = event_terms(rate)
    return successes * q - failed, failed - successes * q * r


@compiled
def cloglog_weights(eta: float, successes: float, trials: float) -> tuple[float, float, float]:
    """Weight w and its first two derivatives, complementary log-log."""
    rate = math.exp(min(eta, 700.0))
    failed = (trials - successes) * rate if trials > successes else 0.0
    q, r = event_terms(rate)
    if q == 0.0:
        return failed, failed, failed
    r1 = -rate - q * r
    f = r * r - rate - q * r
    f1 = (2.0 * r - q) * r1 - rate - q * r * r
    return (
        failed - successes * q * r,
        failed - successes * q * f,
        failed - successes * q * (r * f + f1),
    )


@compiled
def logit_probability(eta: float) -> float:
    """Inverse logit without overflow."""
    e = math.exp(-abs(eta))
    return 1.0 / (1.0 + e) if eta >= 0.0 else e / (1.0 + e)
