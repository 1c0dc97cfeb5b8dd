"""Tables of the share folder, made from facts that are safe already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from alliance.sharing.counts import Counts, Rule
from alliance.sharing.names import FIRST_COLUMN, HIDDEN, TITLES


@dataclass(frozen=True, slots=True)
class SharedTable:
    """One table: its name, title, and what stands in it, hidden counts as `HIDDEN`."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def as_frame(self) -> pd.DataFrame:
        """Return the table as a frame of texts and numbers."""
        return pd.DataFrame(list(self.rows), columns=list(self.columns), dtype=object)


def count_tables(counts: Counts, hidden: set[str], rule: Rule) -> list[SharedTable]:
    """Return the tables of counts: rounded where shown, marked where hidden."""
    tables = []
    for name, first in FIRST_COLUMN.items():
        places = [place for place in counts.printed if place.table == name]
        columns = list(dict.fromkeys(place.column for place in places))
        at: dict[str, dict[str, Any]] = {}
        for place in places:
            key = counts.printed[place]
            printed = HIDDEN if key in hidden else rule.shown(counts.values[key])
            at.setdefault(place.row, {})[place.column] = printed
        rows = tuple((row, *(cells.get(c, "") for c in columns)) for row, cells in at.items())
        tables.append(SharedTable(name, TITLES[name], (first, *columns), rows))
    return tables


def record_table(name: str, records: Sequence[dict[str, Any]]) -> SharedTable:
    """Return records as a table."""
    columns = tuple(records[0]) if records else ("nothing to show",)
    rows = tuple(
        tuple("" if record[c] is None else record[c] for c in columns) for record in records
    )
    return SharedTable(name, TITLES[name], columns, rows)
