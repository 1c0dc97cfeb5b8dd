"""One row per session: the item stands in the column names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from alliance.ingest.layouts.cells import AnswerCells, session_part
from alliance.ingest.reading import Reading


def answers(reading: Reading) -> Iterator[AnswerCells]:
    """Yield each item: one column, all kept rows that are sessions."""
    at = np.flatnonzero(reading.is_session)
    session = reading.session[at]
    for measure, items in reading.columns.items.items():
        for entry in items:
            yield AnswerCells(measure, entry.column, at, session, entry.item)


def sessions(reading: Reading) -> Iterator[pd.DataFrame]:
    """Yield the kept rows that are sessions."""
    at = np.flatnonzero(reading.is_session)
    yield session_part(reading, at, reading.session[at], None)
