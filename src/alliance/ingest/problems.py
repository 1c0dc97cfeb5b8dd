"""Collect what is wrong with a site's files: places, rules and remedies, never a client's value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from alliance.ingest.rules import RULES

COLUMNS = {
    "site": "str", "file": "str", "sheet": "str", "row": "Int64", "column": "str", "rule": "str",
    "expected": "str", "remedy": "str", "action": "str", "table": "str", "rows_affected": "int64",
}  # fmt: skip


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
        """
        listed = [pd.NA] if rows is None else list(rows)
        if not listed:
            return
        self._parts.append(
            pd.DataFrame(
                {
                    "site": self.site,
                    "file": place.file,
                    "sheet": place.sheet,
                    "row": pd.array(listed, dtype="Int64"),
                    "column": column,
                    "rule": rule,
                    "expected": expected or RULES[rule].expected,
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
