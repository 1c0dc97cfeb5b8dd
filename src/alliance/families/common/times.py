"""What time may be counted in, beside the columns of time that the panel has.

Each is made of a column of the panel when a model is fitted, and on the grid of its picture alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

SESSION, WEEKS = "session", "weeks_since_intake"
Made = Callable[[np.ndarray], np.ndarray]
MADE: dict[str, tuple[str, Made]] = {
    "log_weeks": (WEEKS, lambda weeks: np.log1p(np.clip(weeks, 0.0, None))),
    "sqrt_weeks": (WEEKS, lambda weeks: np.sqrt(np.clip(weeks, 0.0, None))),
    "days_since_intake": (WEEKS, lambda weeks: 7.0 * weeks),
    "log_session": (SESSION, np.log),
    "sqrt_session": (SESSION, np.sqrt),
}
PER = {
    WEEKS: "per week",
    "log_weeks": "per unit of log(1 + weeks)",
    "sqrt_weeks": "per unit of the square root of weeks",
    "days_since_intake": "per day",
    SESSION: "per session",
    "log_session": "per unit of log(session)",
    "sqrt_session": "per unit of the square root of the session's number",
}


def base_of(time: str) -> str:
    """Return the column that a time is made of: `session` or `weeks_since_intake`."""
    return MADE[time][0] if time in MADE else SESSION if time == SESSION else WEEKS


def times_of(base: Mapping[str, np.ndarray] | pd.DataFrame) -> dict[str, np.ndarray]:
    """Return every time that can be made of the columns that are there."""
    return {
        name: made(np.asarray(base[column], dtype=float))
        for name, (column, made) in MADE.items()
        if column in base
    }


def with_times(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the panel with every time that its own columns do not hold."""
    return panel.assign(**{n: v for n, v in times_of(panel).items() if n not in panel})
