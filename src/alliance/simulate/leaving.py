"""When and why clients leave: planned end, transfer, agreed completion, end of data, dropout."""

from __future__ import annotations

import numpy as np

from alliance.simulate.attendance import Attendance
from alliance.simulate.courses import Courses
from alliance.simulate.parameters import Parameters


def draw_leaving(
    parameters: Parameters, attendance: Attendance, courses: Courses, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return each client's number of sessions and end status, (n_clients,) each.

    After a session the other ways out are drawn first; who stays is at risk of dropout. So the
    odds of dropout against going on are exactly those of the hazard equation.
    """
    n_clients, n_sessions = courses.alliance.shape
    other = _other_ways_out(parameters, attendance, rng)
    # ASSUME dropout depends on what was felt, even where the form was left out.
    dropped = rng.random((n_clients, n_sessions)) < dropout_probability(parameters, courses)
    reason = np.where(other != "", other, np.where(dropped, "dropout", ""))
    gone = reason != ""
    last = gone.argmax(axis=1)
    return last + 1, reason[np.arange(n_clients), last]


def dropout_probability(parameters: Parameters, courses: Courses) -> np.ndarray:
    """Return (n_clients, most_sessions) probabilities to drop out after a session, if at risk.

    The mean of alliance so far and the deviation from it have the same coefficient, so that
    their sum, the session's score, is all that matters.
    """
    p = parameters
    alliance, symptoms = p.dropout_reference
    log_odds = (
        np.log(p.dropout_base / (1.0 - p.dropout_base))
        + p.dropout_alliance * (courses.alliance - alliance)
        + p.dropout_symptoms * (courses.symptoms - symptoms)
    )
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def _other_ways_out(
    parameters: Parameters, attendance: Attendance, rng: np.random.Generator
) -> np.ndarray:
    """Return (n_clients, most_sessions) reasons to leave other than dropout, "" for none."""
    p = parameters
    shape = attendance.days.shape
    session = np.arange(1, shape[1] + 1)
    at_start, per_session = p.completion_log_odds
    log_odds = at_start + per_session * (session - p.completion_from)
    completion = np.where(session >= p.completion_from, 1.0 / (1.0 + np.exp(-log_odds)), 0.0)

    planned_end = session >= attendance.clients["sessions_planned"].to_numpy()[:, None]
    transferred = rng.random(shape) < p.transfer
    completed = rng.random(shape) < completion
    next_day = np.roll(attendance.days, -1, axis=1)
    next_day[:, -1] = 0  # the last session is the planned end at the latest
    data_end = next_day > 7 * p.follow_up_weeks
    return np.select(
        [planned_end, data_end, transferred, completed],
        ["completed", "ongoing", "transferred", "completed"],
        default="",
    )
