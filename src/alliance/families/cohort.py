"""What every model reads: the panel, and what the configuration and the keys say of its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from alliance.config.instruments import Instrument
from alliance.config.score_columns import TOTAL, score_columns
from alliance.errors import FitError


@dataclass(frozen=True, slots=True)
class Cohort:
    """What a model needs to know of its cohort.

    Attributes
    ----------
    panel
        The analysis table.
    panel_sha256
        Hash of its file.
    measures
        Measure name to the config's entry.
    instruments
        Measure name to its key.
    """

    panel: pd.DataFrame
    panel_sha256: str
    measures: Mapping[str, Mapping[str, Any]]
    instruments: Mapping[str, Instrument]

    def score_of(self, column: str) -> tuple[str, str]:
        """Return (measure, score) of a column: `alliance` is a total, `alliance_goal` is not."""
        names = {m: [s.name for s in key.scores] for m, key in self.instruments.items()}
        return score_columns(names).get(column, (column, TOTAL))

    def label(self, column: str) -> str:
        """Return how the score is called in print: the measure's label, or `Alliance: goal`."""
        measure, score = self.score_of(column)
        name = str(self.measures[measure].get("label") or measure)
        return name if score == TOTAL else f"{name}: {score.replace('_', ' ')}"

    def range(self, column: str) -> tuple[float | None, float | None]:
        """Return the lowest and highest possible score, or None twice if the key states none."""
        measure, score = self.score_of(column)
        return score_range(self.instruments[measure], score)

    def unit(self, column: str) -> str:
        """Return the unit of the score, e.g. `points, 12-60`."""
        low, high = self.range(column)
        return "points" if low is None else f"points, {low:g}-{high:g}"

    def asked(self, column: str) -> str:
        """Return whether the form is filled in `before` or `after` a session, empty if not said."""
        return str(self.measures[self.score_of(column)[0]].get("asked", ""))

    def minimal_important_difference(self, column: str) -> float | None:
        """Return the smallest difference that matters, in points, where the key states one."""
        measure, score = self.score_of(column)
        stated = self.instruments[measure].definition.get("minimal_important_difference", [])
        return next((entry["points"] for entry in stated if entry["score"] == score), None)


def score_range(instrument: Instrument, score: str) -> tuple[float | None, float | None]:
    """Return the lowest and highest possible score, or None twice where the key states none."""
    stated = instrument.definition["scores"].get(score, {}).get("range")
    return (stated[0], stated[1]) if stated else (None, None)


def require_scores(cohort: Cohort, column: str) -> None:
    """Raise `FitError` if nobody filled in the measure, or if everyone has the same score."""
    measure, wanted = cohort.score_of(column)
    if all(score.name != wanted for score in cohort.instruments[measure].scores):
        msg = (
            f"{cohort.label(column)}: its scoring key has subscales but no total score, so "
            "there is no one number to model; name one of its subscales."
        )
        raise FitError(msg)
    scores = cohort.panel[column].dropna() if column in cohort.panel else pd.Series(dtype=float)
    if scores.empty:
        msg = f"There is no score of {cohort.label(column)} in this cohort."
        raise FitError(msg)
    if scores.nunique() == 1:
        msg = f"Every score of {cohort.label(column)} is the same: there is nothing to explain."
        raise FitError(msg)
