"""What every reader gives: a table of text, with the places of its cells as the user sees them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from alliance.errors import AllianceError
from alliance.ingest.rules import BLANK
from alliance.likeness import TRIMMED

NO_NAMES = (
    "set `header_row` of this table in the site mapping to the row that holds the column names; if"
    " the file holds nothing at all, export it again"
)


class UnreadableError(AllianceError):
    """A file cannot be read at all.

    Attributes
    ----------
    rule
        Name of the broken rule (`alliance.ingest.rules`).
    row
        Where, if the reader knows.
    found
        What the reader saw, in words and without a client's value.
    remedy
        What to do about it, where the rule's own words would be too general.
    """

    def __init__(
        self, rule: str, found: str = "", row: int | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(found)
        self.rule = rule
        self.row = row
        self.found = found
        self.remedy = remedy


@dataclass(slots=True)
class Astray:
    """A row that is no row of the table: too short, too long, torn by a quote, cut off."""

    row: int
    rule: str
    rows_affected: int = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """Something odd that the reader saw in the file and that the texts alone do not show.

    Attributes
    ----------
    rule
        Name of the rule (`alliance.ingest.rules`).
    row
        Row number as the user sees it, or None for the whole column or file.
    column
        Position of the column in the header, or None for the whole row.
    rows_affected
        How many rows are concerned.
    found
        What the reader saw, in words and without a client's value; "" where the rule says it all.
    """

    rule: str
    row: int | None
    column: int | None = None
    rows_affected: int = 1
    found: str = ""


@dataclass(slots=True)
class RawTable:
    """A file, or a sheet of it, as text.

    Attributes
    ----------
    header
        Column names, surrounding blanks removed; may hold a name twice, or empty names.
    columns
        For each name of `header` a text Series of shape (n,); an empty or blank cell is missing.
    rows
        Shape (n,): row numbers as a spreadsheet shows them (header of a CSV file: row 1); for SPSS
        the case number.
    labels
        Value labels by column: {code as text: label}.
    dates
        Columns that hold real dates of the file format: boolean Series, true where a cell is one
        (its text is then yyyy-mm-dd).
    blank_rows
        How many rows were blank throughout (they are not among `rows`).
    astray
        Rows that are no rows of the table (nor are they among `rows`).
    marks
        What is odd about rows and cells; told where the mapping reads the column.
    declared_missing
        Ranges (lowest, highest) that the file itself calls missing, by column; such cells are
        blank.
    untold
        Fields whose column cannot be told, since they share their label with others: {name: names
        of those that share it}.
    """

    header: list[str]
    columns: list[pd.Series]
    rows: np.ndarray
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    dates: dict[str, pd.Series] = field(default_factory=dict)
    blank_rows: int = 0
    astray: list[Astray] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    declared_missing: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    untold: dict[str, list[str]] = field(default_factory=dict)
    _positions: tuple[list[str], dict[str, int]] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def n_read(self) -> int:
        """Rows in the file, whatever became of them."""
        return len(self.rows) + self.blank_rows + sum(a.rows_affected for a in self.astray)

    def unread(self) -> Counter[str]:
        """Return how many rows of the file are not among `rows`, by reason."""
        counts = Counter({BLANK: self.blank_rows})
        for astray in self.astray:
            counts[astray.rule] += astray.rows_affected
        return counts

    def position(self, name: str) -> int | None:
        """Return where the first column called `name` stands; None if there is none."""
        if self._positions is None or self._positions[0] != self.header:
            # Looked up for each of what may be thousands of columns; comparing lists of the same
            # texts takes a moment only.
            first = {name: at for at, name in reversed(list(enumerate(self.header)))}
            self._positions = list(self.header), first
        return self._positions[1].get(name)

    def column(self, name: str) -> pd.Series:
        """Return the first column called `name`; all missing if there is none."""
        at = self.position(name)
        if at is not None:
            return self.columns[at]
        return pd.Series(pd.NA, index=range(len(self.rows)), dtype="str")

    def rename(self, position: int, name: str) -> None:
        """Give a column another name."""
        own, self.header[position] = self.header[position], name
        if own in self.labels and own not in self.header:
            self.labels[name] = self.labels.pop(own)
        if own in self.dates and own not in self.header:
            self.dates[name] = self.dates.pop(own)

    def kept(self, mask: np.ndarray) -> RawTable:
        """Return the table with only the rows where `mask` is true."""
        return RawTable(
            header=self.header,
            columns=[column[mask].reset_index(drop=True) for column in self.columns],
            rows=self.rows[mask],
            labels=self.labels,
            dates={name: real[mask].reset_index(drop=True) for name, real in self.dates.items()},
            blank_rows=self.blank_rows,
            astray=self.astray,
            marks=self.marks,
            declared_missing=self.declared_missing,
            untold=self.untold,
        )


def with_blanks_missing(column: pd.Series) -> pd.Series:
    """Return a text column whose empty and blank cells are missing; others stay as they are.

    Blank is also what shows nothing: a zero-width space alone.
    """
    stripped = column.str.strip(TRIMMED)
    return column.mask(stripped == "", pd.NA)
