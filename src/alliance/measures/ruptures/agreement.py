"""Whether two rules see the same ruptures, and two coders the same sessions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats


def kappa(one: np.ndarray, other: np.ndarray) -> float | None:
    """Return Cohen's kappa of two yes-no judgements, None where both always say the same.

    Parameters
    ----------
    one, other
        Booleans of the same cases, shape (n,).
    """
    if not len(one):
        return None
    agree = float(np.mean(one == other))
    p, q = float(np.mean(one)), float(np.mean(other))
    chance = p * q + (1 - p) * (1 - q)
    return None if chance >= 1 else (agree - chance) / (1 - chance)


def jaccard(one: np.ndarray, other: np.ndarray) -> float | None:
    """Return how many of the cases that either has found both have found, None for no case."""
    either = int((one | other).sum())
    return int((one & other).sum()) / either if either else None


@dataclass(frozen=True, slots=True)
class Intraclass:
    """ICC(2,1): agreement of single ratings of random coders.

    Attributes
    ----------
    icc, ci_low, ci_high
        Estimate and 95 % interval.
    targets, coders
        What was rated by how many.
    """

    icc: float
    ci_low: float
    ci_high: float
    targets: int
    coders: int


def intraclass_agreement(ratings: np.ndarray) -> Intraclass | None:
    """Return ICC(2,1) of Shrout and Fleiss (1979), with the interval of McGraw and Wong (1996).

    Parameters
    ----------
    ratings
        Shape (targets, coders), none missing.

    Returns
    -------
    Intraclass or None
        None under two targets or coders, or where nothing varies.

    Notes
    -----
    (BMS - EMS) / (BMS + (k - 1) EMS + k (JMS - EMS) / n), with the mean squares of targets,
    coders and the rest of a two-way analysis of variance.
    """
    n, k = ratings.shape
    if n < 2 or k < 2:
        return None
    grand = ratings.mean()
    bms = k * ((ratings.mean(axis=1) - grand) ** 2).sum() / (n - 1)
    jms = n * ((ratings.mean(axis=0) - grand) ** 2).sum() / (k - 1)
    rest = ratings - ratings.mean(axis=1)[:, None] - ratings.mean(axis=0)[None, :] + grand
    ems = (rest**2).sum() / ((n - 1) * (k - 1))
    below = bms + (k - 1) * ems + k * (jms - ems) / n
    if not below > 0 or not bms > 0:
        return None
    icc = (bms - ems) / below
    low, high = _interval(bms, jms, ems, icc, n, k)
    return Intraclass(float(icc), low, high, n, k)


def _interval(
    bms: float, jms: float, ems: float, icc: float, n: int, k: int
) -> tuple[float, float]:
    if ems <= 0:
        return float(icc), float(icc)
    a = k * icc / (n * (1 - icc)) if icc < 1 else np.inf
    b = 1 + k * icc * (n - 1) / (n * (1 - icc)) if icc < 1 else np.inf
    df = (a * jms + b * ems) ** 2 / (
        (a * jms) ** 2 / (k - 1) + (b * ems) ** 2 / ((n - 1) * (k - 1))
    )
    upper = stats.f.ppf(0.975, n - 1, df)
    lower = stats.f.ppf(0.975, df, n - 1)
    spread = k * jms + (k * n - k - n) * ems
    low = n * (bms - upper * ems) / (upper * spread + n * bms)
    high = n * (lower * bms - ems) / (spread + n * lower * bms)
    return float(low), float(high)
