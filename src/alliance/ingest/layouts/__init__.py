"""Layouts: what one row of a file is. Each knows where the answers and the sessions stand.

A layout is a module with two functions: `answers(reading)` yields the cells that hold answers,
column by column; `sessions(reading)` yields the sessions that the rows speak of. Adding a layout is
one module here and one entry in `LAYOUTS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pandas as pd

from alliance.ingest.layouts import per_answer, per_client, per_session
from alliance.ingest.layouts.cells import AnswerCells
from alliance.ingest.reading import Reading


class Layout(Protocol):
    """What a layout module offers."""

    def answers(self, reading: Reading) -> Iterator[AnswerCells]:
        """Yield the cells that hold answers."""

    def sessions(self, reading: Reading) -> Iterator[pd.DataFrame]:
        """Yield tables of sessions.

        Columns: client, session, row, date, weeks, attended, therapist, date_column.
        """


LAYOUTS: dict[str, Layout] = {
    "client": per_client,
    "session": per_session,
    "answer": per_answer,
}
