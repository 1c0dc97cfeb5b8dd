"""Times that differ by rounding alone count as one, as in R's `survival` (`timefix`).

0.1 + 0.1 + 0.1 is not 0.3 in floating point; left alone, two persons who leave at the same time
would leave one after the other, and risk sets and ties would be wrong.
"""

from __future__ import annotations

import numpy as np

from alliance.errors import FitError

TOLERANCE = float(np.sqrt(np.finfo(float).eps))
"""Relative to the mean size of the times: that of R's `aeqSurv`, in any unit of time."""


def tie_times(*columns: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the columns with times closer than rounding set to the earliest of them.

    Parameters
    ----------
    *columns
        Times on one clock (entry and exit), shape (n,) each; infinite ones stay.

    Raises
    ------
    FitError
        Times that are missing, or so large that they cannot be told apart.
    """
    given = tuple(np.asarray(column, dtype=float) for column in columns)
    if any(np.isnan(column).any() for column in given):
        raise FitError("A time is missing. Leave the rows out, or fill it in.")
    whole = np.concatenate(given)
    times = np.unique(whole[np.isfinite(whole)])
    steps = np.diff(times)
    with np.errstate(over="ignore"):
        size = float(np.mean(np.abs(times))) if len(times) else 0.0
    if not np.isfinite(size):
        raise FitError("The times are too large to compute with. Use a larger unit of time.")
    tied = steps <= TOLERANCE * size
    if not tied.any():
        return given
    firsts = times[np.r_[True, ~tied]]
    return tuple(
        np.where(np.isfinite(column), firsts[np.searchsorted(firsts, column, "right") - 1], column)
        for column in given
    )
