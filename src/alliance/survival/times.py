"""Times that differ by rounding alone count as one, as in R's `survival` (`timefix`).

0.1 + 0.1 + 0.1 is not 0.3 in floating point; left alone, two persons who leave at the same time
would leave one after the other, and risk sets and ties would be wrong.
"""

from __future__ import annotations

import numpy as np

from alliance.errors import FitError

TOLERANCE = float(np.sqrt(np.finfo(float).eps))
"""Relative to the mean size of the times: that of R's `aeqSurv`, in any unit of time."""

LARGEST = 1e50


def tie_times(*columns: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the columns with times closer than rounding set to the earliest of them.

    Parameters
    ----------
    *columns
        Times on one clock (entry and exit), shape (n,) each; infinite ones stay.

    Raises
    ------
    FitError
        Times that are missing, or too large.
    """
    given = tuple(np.asarray(column, dtype=float) for column in columns)
    if any(np.isnan(column).any() for column in given):
        raise FitError("A time is missing. Leave the rows out, or fill it in.")
    whole = np.concatenate(given)
    times = np.unique(whole[np.isfinite(whole)])
    steps = np.diff(times)
    if len(times) and np.abs(times).max() > LARGEST:  # beside one such all others would be tied
        raise FitError("A time is too large to compute with. Correct it, or use a larger unit.")
    size = float(np.mean(np.abs(times))) if len(times) else 0.0
    tied = steps <= TOLERANCE * size
    if not tied.any():
        return given
    firsts = times[np.r_[True, ~tied]]
    return tuple(
        np.where(np.isfinite(column), firsts[np.searchsorted(firsts, column, "right") - 1], column)
        for column in given
    )
