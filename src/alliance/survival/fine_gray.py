"""Rows for the subdistribution hazard of Fine & Gray (1999).

Who left by another cause stays at risk with the weight of not having been censored since, so that
an ordinary weighted Cox regression on the rows is Fine and Gray's model (Geskus, 2011; R's
`finegray`). The censoring distribution is one Kaplan-Meier curve for all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from alliance.survival.codes import causes_of
from alliance.survival.times import tie_times


@dataclass(frozen=True, slots=True, eq=False)
class SubdistributionRows:
    """Rows (start, stop], event, weight; `person` is the position of the person in the input."""

    person: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    event: np.ndarray
    weight: np.ndarray


def subdistribution_rows(exit: np.ndarray, cause: np.ndarray, of: int) -> SubdistributionRows:
    """Return the rows for cause `of`.

    Parameters
    ----------
    exit, cause
        Time of leaving and its cause, 0 for censoring, shape (n_persons,). Censoring at the time of
        an event counts as after it.
    of
        The cause in question.
    """
    (exit,), cause = tie_times(exit), causes_of(cause)
    times = np.unique(exit[cause == of])
    uncensored = _staying_uncensored(exit, cause)
    person, start, stop, event, weight = [], [], [], [], []
    for i, (time, why) in enumerate(zip(exit, cause, strict=True)):
        person.append(i)
        start.append(0.0)
        stop.append(time)
        event.append(int(why == of))
        weight.append(1.0)
        if why in (0, of):
            continue
        later = times[times > time]
        if not len(later):
            continue
        own = uncensored(np.array([time]))[0]
        for before, at in zip(np.r_[time, later[:-1]], later, strict=True):
            share = uncensored(np.array([at]))[0] / own
            if share <= 0:
                break
            person.append(i)
            start.append(before)
            stop.append(at)
            event.append(0)
            weight.append(share)
    return SubdistributionRows(*(np.array(part) for part in (person, start, stop, event, weight)))


def _staying_uncensored(exit: np.ndarray, cause: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return G(t-): the probability not to have been censored before t."""
    times = np.unique(exit)
    at_risk = len(exit) - np.searchsorted(np.sort(exit), times, side="left")
    # Censored at a time at which others had an event: those leave first.
    censored = np.array([np.sum((exit == t) & (cause == 0)) for t in times])
    left = np.array([np.sum((exit == t) & (cause != 0)) for t in times])
    remaining = at_risk - left
    hazard = np.divide(censored, remaining, out=np.zeros(len(times)), where=remaining > 0)
    staying = np.r_[1.0, np.cumprod(1 - hazard)]

    def before(t: np.ndarray) -> np.ndarray:
        return np.asarray(staying[np.searchsorted(times, t, side="left")])

    return before
