"""From the sorted sessions of a fit with residual dynamics to their residual structure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed.columns import numeric
from alliance.mixed.course_parameters import CourseParameters
from alliance.mixed.pieces import cut
from alliance.mixed.residual_course import CourseCovariance, Sessions
from alliance.mixed.rows import Nesting, Rows
from alliance.mixed.specification import Specification

MOST_OUTCOMES = 4
"""Outcomes that are modelled together at most."""

DIGITS = 12
"""Of a distance in units of the median one."""

FEWEST_STEPS = 10
"""Neighbouring sessions of a client that a group's coefficients need at least."""


def course_covariance(
    specification: Specification,
    sessions: pd.DataFrame,
    nesting: Nesting,
    measured: np.ndarray,
    order: np.ndarray,
    rows: Rows,
) -> CourseCovariance:
    """Describe the courses.

    Parameters
    ----------
    specification : Specification
    sessions : pandas.DataFrame
        The used sessions, sorted.
    nesting : Nesting
        Groups over the sessions.
    measured : array (sessions, outcomes)
        Which outcomes were measured.
    order : array (sessions,)
        Place of each sorted session among the used rows.
    rows : Rows

    Raises
    ------
    FitError
        Too many outcomes, two sessions of a client at one time, no client with two sessions, a
        group with hardly a step.
    """
    name = str(specification.residual_time)
    opens = np.zeros(len(sessions), dtype=bool)
    opens[nesting.starts[-1][:-1]] = True
    if len(specification.outcomes) > MOST_OUTCOMES:
        raise FitError(
            f"residual={specification.residual!r} takes at most {MOST_OUTCOMES} outcomes, not "
            f"{len(specification.outcomes)}."
        )
    step = _steps(specification, numeric(sessions[name], name), opens, order, rows, nesting)
    lags, place = np.unique(step[~opens], return_inverse=True)
    lag = np.full(len(sessions), -1, dtype=np.int64)
    lag[~opens] = place
    groups, group = _groups(specification, sessions)
    by_client = bool(groups) and bool((group[1:] == group[:-1])[~opens[1:]].all())
    _check_steps(specification, groups, group[~opens])
    error, ratio = _error(specification)
    continuous = specification.residual == "cvar1"
    parameters = CourseParameters(
        specification.outcomes,
        groups,
        by_client,
        continuous,
        float(np.median(step[~opens])) if continuous else 1.0,
        float(np.mean(step[~opens])),
        error,
        ratio,
    )
    n_groups = parameters.n_dynamics
    pieces = cut(measured, opens, lag, group, n_groups, breaks=error == "none")
    row_session, row_outcome = np.nonzero(measured)
    transition = np.where(opens, -1, lag * n_groups + group)
    return CourseCovariance(
        parameters, lags, Sessions(opens, transition, group), row_session, row_outcome, pieces
    )


def _steps(
    specification: Specification,
    time: np.ndarray,
    opens: np.ndarray,
    order: np.ndarray,
    rows: Rows,
    nesting: Nesting,
) -> np.ndarray:
    """Distance of every session from the one before."""
    name, client = specification.residual_time, nesting.levels[-1]
    if specification.residual == "var1" and (time != np.round(time)).any():
        raise FitError(
            f"residual='var1' needs whole numbers in '{name}' (session 1, 2, 3, ...); for real "
            "time use residual='cvar1'."
        )
    step = np.diff(time, prepend=time[0])
    if specification.residual == "cvar1":
        step = _rounded(step, ~opens)
    same = ~opens & (step == 0)
    if same.any():
        shown = ", ".join(str(row + 1) for row in np.sort(rows.used_positions[order[same]])[:5])
        raise FitError(
            f"{int(same.sum())} rows repeat a '{name}' of the same {client} (rows {shown}"
            f"{', ...' if same.sum() > 5 else ''}). {specification.residual} needs one row per "
            f"{client} and time: remove or average the repetitions."
        )
    if opens.all():
        raise FitError(
            f"Every {client} has one session only, so nothing can be said about what is carried "
            "over to the next one. Use residual='iid'."
        )
    return step


def _rounded(step: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Distances without what differences of decimal fractions leave in their last digits.

    2.3 - 1.3 and 1.0 are one distance, of one kind of pieces.
    """
    size = float(np.median(np.abs(step[counts]))) if counts.any() else 0.0
    return np.round(step / size, DIGITS) * size if size > 0 else step


def _groups(specification: Specification, sessions: pd.DataFrame) -> tuple[list[Any], np.ndarray]:
    """Values of the grouping column, and the place of each session's."""
    if specification.residual_by is None:
        return [], np.zeros(len(sessions), dtype=np.int64)
    codes, values = pd.factorize(sessions[specification.residual_by], sort=True)
    if len(values) == 1:
        raise FitError(
            f"residual_by='{specification.residual_by}' has one value only; leave it out."
        )
    return list(values), codes.astype(np.int64)


def _check_steps(specification: Specification, groups: list[Any], group: np.ndarray) -> None:
    counts = np.bincount(group, minlength=max(len(groups), 1))
    few = int((counts < FEWEST_STEPS).sum())
    if few and groups:
        raise FitError(
            f"{few} of the {len(groups)} groups of residual_by='{specification.residual_by}' have "
            f"fewer than {FEWEST_STEPS} pairs of neighbouring sessions, which say nothing about "
            "coefficients of their own. Join small groups or leave residual_by out."
        )


def _error(specification: Specification) -> tuple[str, np.ndarray]:
    """How the error of measurement enters, and its variance in units of the carried variance."""
    given = specification.reliability
    if given is None or given == "free":
        kind = "none" if given is None else "free"
        return kind, np.zeros(len(specification.outcomes))
    assert not isinstance(given, str)
    share = np.array([given.get(name, 1.0) for name in specification.outcomes])
    return ("fixed" if (share < 1.0).any() else "none"), (1.0 - share) / share
