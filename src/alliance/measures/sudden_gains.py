"""Sudden gains and losses between two sessions, by the criteria of Tang and DeRubeis (1999).

Written after Wiedemann, Thew, Stott and Ehlers (2020, PLoS ONE 15(3): e0230276), whose R package
suddengains the tests compare with: the critical value and the pooled variance of the third
criterion follow how many scores there really are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from alliance.measures.reliable_change import Better

SIDE = 3  # sessions on each side that the third criterion looks at
FEWEST = 2  # scores that each side needs
CONFIDENCE = 0.95
LEAST_SHARE = 0.25  # of the score before, second criterion


@dataclass(frozen=True, slots=True)
class SuddenChanges:
    """Sudden changes of many courses; every array has one entry a change, sorted by client.

    Attributes
    ----------
    row
        Which client (row of the matrix).
    session
        Session n + 1, the first after the change.
    points
        Size of the change in points, positive.
    share
        Size over the change from the first to the last score in the same direction; NaN where
        there was none.
    reversed
        Whether a later score lost more than half of it again.
    known_session
        Session n + 3: only then can the third criterion be judged.
    """

    row: np.ndarray
    session: np.ndarray
    points: np.ndarray
    share: np.ndarray
    reversed: np.ndarray
    known_session: np.ndarray


def sudden_changes(
    scores: np.ndarray, least_points: float, better: Better, *, gains: bool = True
) -> tuple[SuddenChanges, np.ndarray]:
    """Find sudden gains, or losses.

    Parameters
    ----------
    scores
        Shape (n_clients, n_sessions), NaN where missing.
    least_points
        First criterion.
    better
        Which end of the scale is the better one.
    gains
        Gains; losses otherwise: the same criteria with the sign turned.

    Returns
    -------
    changes, judged
        The changes, and which steps from a session to the next could be judged at all, shape
        (n_clients, n_sessions - 1).

    Notes
    -----
    From session n to n + 1: (1) at least `least_points`; (2) at least a quarter of the score at n;
    (3) mean of n - 2 .. n against mean of n + 1 .. n + 3 by more than t_{.975, df} times
    (((n1 - 1) s1^2 + (n2 - 1) s2^2) / (n1 + n2 - 2))^(1/2), df = n1 + n2 - 2. Both scores at n and
    n + 1 and at least two on each side must be there.
    """
    n_clients, n_sessions = scores.shape
    # falling is better from here on
    sign = 1.0 if (better == "lower") == gains else -1.0
    if n_sessions < 2 * FEWEST or n_clients == 0:
        return _none(), np.zeros((n_clients, max(n_sessions - 1, 0)), dtype=bool)
    padded = np.pad(scores, ((0, 0), (SIDE - 1, SIDE - 1)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, SIDE, axis=1)
    before, after = windows[:, : n_sessions - 1], windows[:, SIDE : SIDE + n_sessions - 1]
    mean_1, var_1, n_1 = _moments(before)
    mean_2, var_2, n_2 = _moments(after)
    start, end = scores[:, :-1], scores[:, 1:]
    judged = ~np.isnan(start) & ~np.isnan(end) & (n_1 >= FEWEST) & (n_2 >= FEWEST)
    drop = sign * (start - end)
    df = np.maximum(n_1 + n_2 - 2, 1)
    pooled = ((n_1 - 1) * var_1 + (n_2 - 1) * var_2) / df
    critical = stats.t.ppf((1 + CONFIDENCE) / 2, np.arange(1, 2 * SIDE))[df - 1]
    # ASSUME a quarter of the score means a quarter of the points as printed, whatever the scale's
    # lowest score is: that is the published rule, made for a scale that starts at 0.
    found = (
        judged
        & (drop >= least_points)
        & (drop >= LEAST_SHARE * np.abs(start))
        & (sign * (mean_1 - mean_2) > critical * np.sqrt(np.maximum(pooled, 0)))
    )
    row, step = np.nonzero(found)
    points = drop[row, step]
    half_back = sign * end[row, step] + points / 2
    later = np.arange(n_sessions)[None, :] >= step[:, None] + 2
    with np.errstate(invalid="ignore"):
        back = (later & (sign * scores[row] > half_back[:, None])).any(axis=1)
    whole = sign * (_first(scores[row]) - _first(scores[row][:, ::-1]))
    share = np.divide(points, whole, out=np.full(len(row), np.nan), where=whole > 0)
    return SuddenChanges(row, step + 2, points, share, back, step + 1 + SIDE), judged


def _moments(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, variance (n - 1) and number of scores of the windows, NaN skipped."""
    seen = ~np.isnan(windows)
    n = seen.sum(axis=-1)
    total = np.where(seen, windows, 0.0).sum(axis=-1)
    mean = total / np.maximum(n, 1)
    squares = np.where(seen, (windows - mean[..., None]) ** 2, 0.0).sum(axis=-1)
    return mean, squares / np.maximum(n - 1, 1), n


def _first(scores: np.ndarray) -> np.ndarray:
    seen = ~np.isnan(scores)
    return np.asarray(scores[np.arange(len(scores)), seen.argmax(axis=1)])


def _none() -> SuddenChanges:
    empty, whole = np.array([]), np.array([], dtype=int)
    return SuddenChanges(whole, whole, empty, empty, np.array([], dtype=bool), whole)
