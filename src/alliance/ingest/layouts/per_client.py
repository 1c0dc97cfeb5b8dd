"""One row per client (wide): session and item stand in the column names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from alliance.ingest.layouts.cells import AnswerCells, session_part
from alliance.ingest.reading import Reading


def answers(reading: Reading) -> Iterator[AnswerCells]:
    """Yield each item of each session: one column, all kept rows."""
    at = np.flatnonzero(reading.alive)
    for measure, items in reading.columns.items.items():
        for entry in items:
            session = entry.session
            if session is None:
                continue  # the pattern found no column at all: told as missing
            yield AnswerCells(measure, entry.column, at, session, entry.item)


def sessions(reading: Reading) -> Iterator[pd.DataFrame]:
    """Yield each session: the clients of whom any of its cells is filled in."""
    alive = np.flatnonzero(reading.alive)
    for session in reading.columns.sessions:
        filled = np.zeros(len(reading.raw), dtype=bool)
        for column in _columns_of(reading, session):
            filled |= reading.cells(column).notna().to_numpy()
        at = alive[filled[alive]]
        yield session_part(reading, at, session, session)


def _columns_of(reading: Reading, session: int) -> list[str]:
    items = [
        e.column
        for listed in reading.columns.items.values()
        for e in listed
        if e.session == session
    ]
    # Therapists are often filled in for sessions to come: they make no session.
    facts = [
        by.get(session) for fact, by in reading.columns.session_facts.items() if fact != "therapist"
    ]
    return [*items, *(column for column in facts if column is not None)]
