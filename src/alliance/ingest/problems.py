"""Collect what is wrong with a site's files: places, rules and remedies, never a client's value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from alliance.ingest.rules import RULES

COLUMNS = {
    "site": "str", "file": "str", "sheet": "str", "row": "Int64", "column": "str", "rule": "str",
    "expected": "str", "remedy": "str", "action": "str", "table": "str", "rows_affected": "int64",
}  # fmt: skip


# Of one rule so many rows are told one by one in a column, and in a file; the rest is counted.
MOST_ROWS_OF_COLUMN, MOST_ROWS_OF_FILE = 1_000, 10_000


@dataclass(slots=True)
class Place:
    """Where a problem is: a file, its sheet (or None), and the canonical table concerned."""

    file: str
    sheet: str | None
    table: str


@dataclass(slots=True)
class Problems:
    """The problems of one site, in the order in which they are found."""

    site: str
    _parts: list[pd.DataFrame] = field(default_factory=list)
    _n_told: Counter[tuple[str | None, ...]] = field(default_factory=Counter)

    def add(
        self,
        rule: str,
        place: Place,
        *,
        rows: Iterable[int] | None = None,
        column: str | None = None,
        rows_affected: int = 1,
        expected: str | None = None,
        remedy: str | None = None,
        against: Sequence[str] = (),
    ) -> None:
        """Note one problem for each of `rows` (or one for the whole file).

        Parameters
        ----------
        rule
            A name of `alliance.ingest.rules.RULES`.
        place
            File, sheet and canonical table.
        rows
            Row numbers as the user sees them.
        column
            The column's name in the file.
        rows_affected
            How many rows each problem concerns.
        expected, remedy
            Words that say more than the rule's own.
        against
            For the first rows at least: the rows that each of them stands against (`partners`).
        """
        every = [pd.NA] if rows is None else list(rows)
        listed = every[: self._still_told(len(every), rule, place, column)]
        if listed:
            said: str | list[str] = expected or RULES[rule].expected
            if against:
                said = [f"{said} ({each})" for each in against[: len(listed)]]
            self._add(listed, rule, place, column, rows_affected, said, remedy)
        if more := len(every) - len(listed):
            told = f"{expected or RULES[rule].expected}; {more:,} further rows are not listed"
            affected = more * rows_affected
            self._add([pd.NA], rule, place, column, affected, told, remedy)

    def _still_told(self, n_rows: int, rule: str, place: Place, column: str | None) -> int:
        """Return how many of `n_rows` rows may still be told one by one, and count them."""
        of_file = (rule, place.file, place.sheet)
        of_column = (*of_file, column)
        left = min(
            MOST_ROWS_OF_COLUMN - self._n_told[of_column],
            MOST_ROWS_OF_FILE - self._n_told[of_file],
        )
        n_told = min(n_rows, max(left, 0))
        self._n_told[of_column] += n_told
        self._n_told[of_file] += n_told
        return n_told

    def _add(
        self,
        listed: list[Any],
        rule: str,
        place: Place,
        column: str | None,
        rows_affected: int,
        expected: str | list[str],
        remedy: str | None,
    ) -> None:
        self._parts.append(
            pd.DataFrame(
                {
                    "site": self.site,
                    "file": place.file,
                    "sheet": place.sheet,
                    "row": pd.array(listed, dtype="Int64"),
                    "column": column,
                    "rule": rule,
                    "expected": expected,
                    "remedy": remedy or RULES[rule].remedy,
                    "action": RULES[rule].action,
                    "table": place.table,
                    "rows_affected": rows_affected,
                }
            )
        )

    def add_finding(
        self,
        rule: str,
        place: Place,
        column: str | None,
        evidence: str,
        remedy: str | None = None,
        rows_affected: int = 1,
    ) -> None:
        """Note what many cells together show: the rule's own words, then the evidence."""
        self.add(
            rule,
            place,
            column=column,
            rows_affected=rows_affected,
            expected=f"{RULES[rule].expected}; {evidence}",
            remedy=remedy,
        )

    @property
    def stopped(self) -> bool:
        """Whether a problem stops the run."""
        return any((part["action"] == "stopped").any() for part in self._parts)

    def table(self) -> pd.DataFrame:
        """Return the quarantine table, sorted by place, each problem once."""
        empty = pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in COLUMNS.items()})
        # Typed part by part: an all-missing column would otherwise change the type of the whole.
        parts = [part.astype(COLUMNS) for part in self._parts]
        table = pd.concat([empty, *parts], ignore_index=True).drop_duplicates()
        by = ["file", "sheet", "row", "column", "rule"]
        return table.sort_values(by, kind="stable", na_position="first", ignore_index=True)


def rows_where(mask: np.ndarray | pd.Series, rows: np.ndarray) -> list[int]:
    """Return the row numbers where `mask` is true."""
    return [int(row) for row in rows[np.asarray(mask, dtype=bool)]]
