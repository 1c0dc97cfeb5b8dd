"""What scores are called in the panel: `alliance` is a measure's total, `alliance_goal` a subscale.

The same words stand in the config, in the panel and in the fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

FIRST_SCORE = ", first score"  # ends the name of a characteristic that is a client's first score
TOTAL = "total"

# Parts of a score in the panel; the first four need sessions that come later.
LOOKING_AHEAD = ("client_mean", "within", "between", "next")
PARTS = (*LOOKING_AHEAD, "known", "running_mean", "running_between", "running_within", "previous")

_COLUMN = re.compile("[a-z][a-z0-9_]*")


def column_of(measure: str, score: str) -> str:
    """Return the panel's column of a score: `alliance` for its total, else `alliance_goal`."""
    return measure if score == TOTAL else f"{measure}_{score}"


def score_columns(scores: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, str]]:
    """Return every column that holds a score, and whose it is.

    Parameters
    ----------
    scores
        Measure to the names of its key's scores.

    Returns
    -------
    dict
        Column to (measure, score). A measure whose key has no total has no column of its own name.
    """
    return {
        column_of(measure, score): (measure, score)
        for measure, names in scores.items()
        for score in names
    }


def parts_of(columns: Iterable[str]) -> set[str]:
    """Return the columns made of these scores: centred parts and lags."""
    return {f"{column}_{part}" for column in columns for part in PARTS}


# Keys of a model that name scores or parts of them.
_NAMING = ("outcome", "outcomes", "client", "therapist", "predictor", "predictors", "moderator",
           "fixed")  # fmt: skip


def subscales_in_models(
    models: Mapping[str, Mapping[str, Any]], scores: Mapping[str, Iterable[str]]
) -> list[str]:
    """Return the columns of the subscales that models name, themselves or by a part of theirs.

    Parameters
    ----------
    models
        The config's models.
    scores
        As in `score_columns`.
    """
    words = {
        word
        for model in models.values()
        for key in _NAMING
        for text in _listed(model.get(key))
        for word in _COLUMN.findall(text)
    }
    return [
        column
        for column, (_, score) in score_columns(scores).items()
        if score != TOTAL and words & {column, *parts_of([column])}
    ]


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])
