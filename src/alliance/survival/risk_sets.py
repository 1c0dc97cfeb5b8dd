"""Rows (start, stop] ready for a Cox fit: who is at risk, and who has the event, at each time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from alliance.errors import FitError
from alliance.survival.codes import events_of
from alliance.survival.times import tie_times

COLLINEAR, ROUNDING = 1e-10, 1e-20
"""Share of a predictor's variance that others must leave; what rounding leaves of a copy."""
LARGEST = 1e50
"""Predictors beyond this size have squares and products out of the range of numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows ready for a Cox fit, at the times at which somebody has the event.

    Attributes
    ----------
    x
        Centred predictors in units of their standard deviation, shape (n_rows, p).
    weight
        Case weights, shape (n_rows,).
    times
        Distinct times of events, ascending.
    risk, died
        Row numbers at risk, and with the event, at each time.
    centre, scale
        Mean and standard deviation of the predictors as given.
    group, n_groups
        Code of the group of each row, or None, and how many there are.
    """

    x: np.ndarray
    weight: np.ndarray
    times: np.ndarray
    risk: list[np.ndarray] = field(repr=False)
    died: list[np.ndarray] = field(repr=False)
    centre: np.ndarray
    scale: np.ndarray
    group: np.ndarray | None = None
    n_groups: int = 0


def cox_rows(
    start: np.ndarray,
    stop: np.ndarray,
    event: np.ndarray,
    x: np.ndarray,
    weight: np.ndarray | None = None,
    group: np.ndarray | None = None,
) -> Rows:
    """Return the rows in the form that the fits take; `group` holds codes 0, 1, ...

    Raises
    ------
    FitError
        There is no event, a predictor never varies, is missing or too large to compute with, a
        time is missing, or a row has no length.
    """
    x = np.asarray(x, dtype=float)
    event = events_of(event)
    start, stop = tie_times(start, stop)
    if not (start < stop).all():
        msg = "A row ends when it begins, or before: a row is at risk from its start to its stop."
        raise FitError(msg)
    if not event.any():
        msg = "Nobody has the event: there is nothing to explain."
        raise FitError(msg)
    check_predictors(x)
    scale = x.std(axis=0)
    if (scale == 0).any():
        msg = "A predictor has the same value in every row: it cannot explain when somebody leaves."
        raise FitError(msg)
    check_dependence(x)
    times = np.unique(stop[event])
    return Rows(
        x=(x - x.mean(axis=0)) / scale,
        weight=np.ones(len(x)) if weight is None else np.asarray(weight, dtype=float),
        times=times,
        risk=[np.flatnonzero((start < t) & (stop >= t)) for t in times],
        died=[np.flatnonzero(event & (stop == t)) for t in times],
        centre=x.mean(axis=0),
        scale=scale,
        group=group,
        n_groups=0 if group is None else int(group.max()) + 1,
    )


def check_predictors(x: np.ndarray) -> None:
    """Refuse predictors that are missing, infinite or whose squares leave the range of numbers."""
    if not np.isfinite(x).all():
        msg = "A predictor has missing or infinite values. Leave these rows out."
        raise FitError(msg)
    if np.abs(x).max(initial=0.0) > LARGEST:
        msg = f"A predictor has values beyond {LARGEST:g}, too large to compute with: other units."
        raise FitError(msg)


def check_dependence(x: np.ndarray) -> None:
    """Refuse predictors that others determine, exactly or so nearly that no digit is left."""
    z = (x - x.mean(axis=0)) / x.std(axis=0) / np.sqrt(len(x))
    for column in range(1, z.shape[1]):
        before, own = z[:, :column], z[:, column]
        left = own - before @ np.linalg.lstsq(before, own, rcond=None)[0]
        share = float(left @ left)
        if share < COLLINEAR:
            how = "a combination" if share < ROUNDING else "nearly a combination"
            msg = (
                f"Predictor {column + 1} is {how} of those before it ({share:.0e} of its variance "
                "is its own): these predictors determine each other. Leave one of them out."
            )
            raise FitError(msg)
