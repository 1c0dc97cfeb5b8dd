"""Courses with planted ruptures, to see how well rules find them.

A client's score at session t is

    level + growth log(t) + trend t + w_t + e_t - depth [t in rupture],

level ~ N(0, 2), trend ~ N(0, .05^2), growth .3, w first-order autoregressive, e error of
measurement; w_t + e_t has variance 1, so that every number is in SDs within clients. A share of the
clients rupture once: from a session on the score is lower by `depth`, for one to three sessions
where the rupture is repaired, to the end where it is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

POINTS = 25.0
"""Points per SD within clients. Finer than a real form, on which a threshold that falls just above
or just below a whole point makes a rule strict or lax by chance."""


@dataclass(frozen=True, slots=True)
class Planting:
    """What is planted.

    Attributes
    ----------
    sessions
        Length of every course.
    reliability
        Of a single score between clients: error variance over total variance is 1 minus this.
    autocorrelation
        Of the true deviations from session to session.
    depth
        Of a rupture, in SDs within clients.
    share, repaired
        Of clients with a rupture; of these with a repair.
    missing
        Share of scores that are missing.
    """

    sessions: int = 12
    reliability: float = 0.9
    autocorrelation: float = 0.3
    depth: float = 2.0
    share: float = 0.25
    repaired: float = 0.6
    missing: float = 0.05
    between_variance: float = 2.0
    growth: float = 0.3
    trend_sd: float = 0.05
    longest: int = 3
    earliest: int = 4


@dataclass(frozen=True, slots=True)
class Planted:
    """Courses and the truth about them.

    Attributes
    ----------
    scores
        Shape (n_clients, n_sessions), points, NaN where missing.
    onset
        Session of onset, 0 for none, shape (n,).
    error_of_measurement
        In points.
    """

    scores: np.ndarray
    onset: np.ndarray
    error_of_measurement: float


def plant(planting: Planting, n_clients: int, rng: np.random.Generator) -> Planted:
    """Draw courses with ruptures.

    Raises
    ------
    ValueError
        So low a reliability leaves no true change within clients, or the course is too short.
    """
    p = planting
    error = (1 - p.reliability) * (p.between_variance + 1)
    if error >= 1 or p.sessions < p.earliest + 2:
        msg = "There must be true change within clients, and two sessions after the first onset."
        raise ValueError(msg)
    true_sd = np.sqrt(1 - error)
    n, t = n_clients, np.arange(1, p.sessions + 1)
    wave = np.empty((n, p.sessions))
    wave[:, 0] = rng.standard_normal(n)
    for s in range(1, p.sessions):
        fresh = np.sqrt(1 - p.autocorrelation**2) * rng.standard_normal(n)
        wave[:, s] = p.autocorrelation * wave[:, s - 1] + fresh
    level = np.sqrt(p.between_variance) * rng.standard_normal(n)
    trend = p.trend_sd * rng.standard_normal(n)
    course = level[:, None] + p.growth * np.log(t) + trend[:, None] * t + true_sd * wave
    course = course + np.sqrt(error) * rng.standard_normal((n, p.sessions))
    ruptured = rng.random(n) < p.share
    onset = np.where(ruptured, rng.integers(p.earliest, p.sessions - 1, n), 0)
    lasts = rng.integers(1, p.longest + 1, n)
    ends = np.where(rng.random(n) < p.repaired, onset + lasts, p.sessions + 1)
    inside = (onset[:, None] > 0) & (t >= onset[:, None]) & (t < ends[:, None])
    scores = np.rint(POINTS * (course - p.depth * inside))
    # the form at onset is always there: a rupture that nobody measured cannot be found
    lost = (rng.random(scores.shape) < p.missing) & (t != onset[:, None])
    return Planted(np.where(lost, np.nan, scores), onset, float(POINTS * np.sqrt(error)))
