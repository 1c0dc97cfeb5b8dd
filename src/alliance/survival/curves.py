"""Kaplan-Meier and Aalen-Johansen curves with log(-log) bands, delayed entry allowed.

Kaplan-Meier: S(t) = prod_{s<=t} (1 - d_s / n_s), Greenwood's variance. Aalen-Johansen: the
cumulative incidence of cause k, F_k(t) = sum_{s<=t} S(s-) d_ks / n_s, with the variance of its
infinitesimal jackknife, the sum over persons of their squared influence (as R's `survfit` has it;
for one cause it is Greenwood's). Bands are symmetric on log(-log) of the curve (Kalbfleisch &
Prentice, 2002, ch. 1 and 8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from alliance.confidence import NORMAL_975
from alliance.survival.codes import causes_of, events_of
from alliance.survival.times import tie_times


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A step curve: its value after each time in `time`.

    Attributes
    ----------
    time
        The distinct times of exit, ascending, shape (n_times,).
    value, se, ci_low, ci_high
        Of the survivor function or cumulative incidence after `time`; the limits of a value of 0
        or 1 are the value itself.
    at_risk, events
        Persons at risk just before `time`; events (of the cause) at `time`.
    """

    time: np.ndarray
    value: np.ndarray
    se: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray

    def at(self, times: np.ndarray, start: float) -> dict[str, np.ndarray]:
        """Return value, se and limits after other times; `start` is the value before the first."""
        place = np.searchsorted(self.time, times, side="right")
        return {
            name: np.r_[0.0 if name == "se" else start, getattr(self, name)][place]
            for name in ("value", "se", "ci_low", "ci_high")
        }


def kaplan_meier(
    exit: np.ndarray,
    event: np.ndarray,
    entry: np.ndarray | None = None,
    band: Literal["log-log", "log"] = "log-log",
) -> Curve:
    """Return the product-limit estimate of staying.

    Parameters
    ----------
    exit, event
        Time of leaving, and whether it is the event (1) or censoring (0), shape (n_persons,).
    entry
        Time from which a person is at risk (exclusive); 0 by default.
    band
        Scale on which the band is symmetric; R's default is `log`, the project's `log-log`.
    """
    exit, entry = _on_one_clock(exit, entry)
    event = events_of(event)
    time, at_risk = _at_risk(exit, entry)
    events = np.array([np.sum(event[exit == t]) for t in time], dtype=float)
    staying = np.cumprod(1 - events / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(np.where(events > 0, events / (at_risk * (at_risk - events)), 0.0))
        se = np.where(staying > 0, staying * np.sqrt(greenwood), 0.0)
    limits = _band(staying, se) if band == "log-log" else _log_band(staying, se)
    return Curve(time, staying, se, *limits, at_risk, events)


def cumulative_incidence(
    exit: np.ndarray, cause: np.ndarray, of: int, entry: np.ndarray | None = None
) -> Curve:
    """Return the Aalen-Johansen estimate of having left by cause `of`.

    Parameters
    ----------
    exit, cause
        Time of leaving, and the cause: 0 for censoring, 1, 2, ... for causes, shape (n_persons,).
    of
        The cause in question.
    entry
        Time from which a person is at risk (exclusive); 0 by default.
    """
    exit, entry = _on_one_clock(exit, entry)
    cause = causes_of(cause)
    time, at_risk = _at_risk(exit, entry)
    entry = np.zeros(len(exit)) if entry is None else entry
    staying, incidence = 1.0, 0.0
    # Influence of each person on S(t) and F(t): the derivative in the person's weight.
    on_staying, on_incidence = np.zeros(len(exit)), np.zeros(len(exit))
    value, se, events = (np.zeros(len(time)) for _ in range(3))
    for k, (t, n) in enumerate(zip(time, at_risk, strict=True)):
        here = (entry < t) & (exit >= t)
        left, left_so = (exit == t) & (cause > 0), (exit == t) & (cause == of)
        hazard, hazard_of = left.sum() / n, left_so.sum() / n
        on_hazard = np.where(here, (left - hazard) / n, 0.0)
        on_hazard_of = np.where(here, (left_so - hazard_of) / n, 0.0)
        on_incidence += on_staying * hazard_of + staying * on_hazard_of
        on_staying = on_staying * (1 - hazard) - staying * on_hazard
        incidence += staying * hazard_of
        staying *= 1 - hazard
        value[k], se[k], events[k] = incidence, np.sqrt(np.sum(on_incidence**2)), left_so.sum()
    return Curve(time, value, se, *_band(value, se), at_risk, events)


def median_time(curve: Curve) -> tuple[float | None, float | None, float | None]:
    """Return the median and its limits: where the curve and its band first reach one half.

    None where they do not (a curve that ends at one half exactly has its median halfway to the
    next time, as R has it).
    """

    def first(values: np.ndarray) -> float | None:
        reached = np.flatnonzero(values <= 0.5 + 1e-12)
        if not len(reached):
            return None
        place = int(reached[0])
        if abs(values[place] - 0.5) < 1e-12:
            beyond = np.flatnonzero(values < 0.5 - 1e-12)
            if len(beyond):
                return float((curve.time[place] + curve.time[beyond[0]]) / 2)
        return float(curve.time[place])

    return first(curve.value), first(curve.ci_low), first(curve.ci_high)


def _on_one_clock(
    exit: np.ndarray, entry: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the times with those as one that differ by rounding alone."""
    if entry is None:
        return tie_times(exit)[0], None
    exit, entry = tie_times(exit, entry)
    return exit, entry


def _at_risk(exit: np.ndarray, entry: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    time = np.unique(exit)
    entered = np.full(len(time), len(exit)) if entry is None else _below(entry, time)
    return time, (entered - _below(exit, time)).astype(float)


def _below(values: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Return how many values are smaller than each time."""
    return np.searchsorted(np.sort(values), time, side="left")


def _log_band(value: np.ndarray, se: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    factor = np.exp(NORMAL_975 * np.divide(se, value, out=np.zeros(len(value)), where=value > 0))
    return value / factor, np.minimum(1.0, value * factor)


def _band(value: np.ndarray, se: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    inside = (value > 0) & (value < 1)
    log = np.log(value, where=inside, out=np.full(len(value), -1.0))
    half = NORMAL_975 * se / np.abs(np.where(inside, value, 1.0) * log)
    low = np.where(inside, np.exp(-np.exp(np.log(-log) + half)), value)
    return low, np.where(inside, np.exp(-np.exp(np.log(-log) - half)), value)
