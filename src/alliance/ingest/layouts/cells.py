"""What layouts hand on: columns of answers, and tables of sessions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from alliance.ingest import parse
from alliance.ingest.people import same_spelling
from alliance.ingest.reading import Reading
from alliance.likeness import Words

DAYS_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class AnswerCells:
    """Cells of one column that hold answers to one measure.

    Attributes
    ----------
    measure, column
        The measure, and the column's name in the file.
    at
        Shape (m,): positions of the rows in the raw table.
    session, item
        Shape (m,), or one number for all.
    """

    measure: str
    column: str
    at: np.ndarray
    session: np.ndarray | int
    item: np.ndarray | int


def session_part(
    reading: Reading, at: np.ndarray, session: np.ndarray | int, key: int | None
) -> pd.DataFrame:
    """Return the sessions that the rows `at` speak of, with what the mapping knows of each.

    Parameters
    ----------
    reading
        The table.
    at
        Positions of the rows.
    session
        Session number of each, or one for all.
    key
        Under which the columns of the session's facts are listed: the session number where it
        stands in the column names, else None.
    """
    facts = reading.columns.session_facts
    part = pd.DataFrame(
        {
            "client": reading.client[at],
            "session": session,
            "row": reading.raw.rows[at],
            "date": _dates(reading, facts["date"][key], at)
            if key in facts.get("date", {})
            else np.nan,
            "weeks": np.nan,
            "attended": np.nan,
            "therapist": therapist_ids(reading, facts["therapist"][key]).iloc[at].to_numpy()
            if key in facts.get("therapist", {})
            else None,
            "date_column": facts.get("date", {}).get(key),
        }
    )
    for fact, days in (("day", 1), ("week", DAYS_A_WEEK)):
        if key in facts.get(fact, {}):
            part["weeks"] = _numbers(reading, facts[fact][key], at) * days / DAYS_A_WEEK
    if key in facts.get("attended", {}):
        texts = reading.cells(facts["attended"][key]).iloc[at]
        attended = Words(reading.table["session_facts"]["attended"]["attended"])
        said = parse.is_one_of(texts, attended)
        part["attended"] = said.astype(float).where(texts.notna()).to_numpy()
    return part


def therapist_ids(reading: Reading, column: str) -> pd.Series:
    """Return a column of therapists' ids, in the spellings that the mapping declares the same."""
    return same_spelling(reading.cells(column), reading.table["same_as"]["therapist"])


def _dates(reading: Reading, column: str, at: np.ndarray) -> np.ndarray:
    texts = reading.cells(column).iloc[at]
    real = reading.raw.dates.get(column)
    days = parse.dates(texts, reading.table["dates"], None if real is None else real.iloc[at])
    _note(reading, "bad-date", column, at, texts.notna().to_numpy() & np.isnan(days))
    return days


def _numbers(reading: Reading, column: str, at: np.ndarray) -> np.ndarray:
    texts = reading.cells(column).iloc[at]
    numbers = parse.by_unique(texts, parse.number_parser(reading.table["decimal"]))
    _note(reading, "not-a-number", column, at, texts.notna().to_numpy() & np.isnan(numbers))
    return numbers


def _note(reading: Reading, rule: str, column: str, at: np.ndarray, broken: np.ndarray) -> None:
    rows = [int(row) for row in reading.raw.rows[at[broken]]]
    reading.problems.add(rule, reading.place("sessions"), rows=rows, column=column)
