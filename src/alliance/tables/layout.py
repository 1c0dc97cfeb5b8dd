"""What a table is before it is printed: columns, rows of cells, notes."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from alliance.files import inert_text
from alliance.findings.fields import Field


@dataclass(frozen=True, slots=True)
class Part:
    """One finding within a cell, with what is printed before and after it (no digits there).

    `href` is the id of the report's element that it links to; other documents ignore it.
    """

    field: Field
    format: str = "text"
    also: tuple[Field, ...] = ()
    before: str = ""
    after: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A number of the language of statistics, e.g. `95%`: one of `findings.check.FIXED`."""

    text: str


@dataclass(frozen=True, slots=True)
class Italic:
    """Words in italics, without digits: a statistic's symbol, a journal's name."""

    text: str


# A piece of running text: words without digits, a finding, a fixed number, words in italics.
Piece = str | Part | Fixed | Italic
Words = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: pieces (mostly findings) one after the other, then a fixed text without digits."""

    parts: Words = ()
    text: str = ""

    @property
    def pieces(self) -> Words:
        """Everything in the cell, in order."""
        return (*self.parts, self.text) if self.text else self.parts


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `note` explains its heading, `numeric` cells stand at the right."""

    heading: Cell
    numeric: bool = True


@dataclass(frozen=True, slots=True)
class Spanner:
    """A heading over the columns `first` to `last` (from 0, both included)."""

    heading: Cell
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row; a `group` row has one cell over the whole width, `faint` ones are no result."""

    cells: tuple[Cell, ...]
    group: bool = False
    faint: bool = False
    note: str = ""


@dataclass(slots=True)
class Table:
    """A table as people see it.

    Attributes
    ----------
    name
        File name without suffix.
    title
        Heading, without digits.
    columns, rows
        What stands in it; every row that is no group has as many cells as there are columns.
    notes
        General notes below it: sentences without digits, or pieces of running text.
    empty
        What is said where there is no row.
    wide
        Whether it may be wider than a page's text.
    spanners
        Headings over several columns, from left to right; none lies over another.
    specific
        Notes that belong to one column, row or cell; they stand after the general ones.
    stars
        Whether stars stand in it; the last note then says what they mean.
    """

    name: str
    title: str
    columns: list[Column]
    rows: list[Row] = field(default_factory=list)
    notes: list[str | Words] = field(default_factory=list)
    empty: str = "There is nothing to list."
    wide: bool = False
    spanners: list[Spanner] = field(default_factory=list)
    specific: list[str | Words] = field(default_factory=list)
    stars: bool = False

    @property
    def all_notes(self) -> list[Words]:
        """All notes as pieces: general, specific, probability (APA 7, section 7.14)."""
        notes = [*self.notes, *self.specific, *([PROBABILITY] if self.stars else [])]
        return [(note,) if isinstance(note, str) else note for note in notes]

    def is_spanned(self, column: int) -> bool:
        """Say whether a spanner lies over the column."""
        return any(spanner.first <= column <= spanner.last for spanner in self.spanners)

    def head_row(self) -> list[tuple[Spanner | None, int, int]]:
        """Return the row of spanners: each with its first and last column, None where is none."""
        found: list[tuple[Spanner | None, int, int]] = []
        at = 0
        for spanner in self.spanners:
            found += [(None, column, column) for column in range(at, spanner.first)]
            found.append((spanner, spanner.first, spanner.last))
            at = spanner.last + 1
        return found + [(None, column, column) for column in range(at, len(self.columns))]


@dataclass(frozen=True, slots=True)
class Records:
    """A table as machines read it: columns and rows of full-precision values."""

    columns: tuple[str, ...]
    rows: list[dict[str, Any]]

    def as_csv(self) -> str:
        """Return CSV text: numbers with all their digits, text cells inert in a spreadsheet."""
        stream = io.StringIO()
        writer = csv.DictWriter(stream, self.columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {key: inert_text(value) for key, value in row.items()} for row in self.rows
        )
        return stream.getvalue()


# What the stars mean; `alliance.findings.formats` sets them.
PROBABILITY: Words = (
    "*", Italic("p"), " ", Fixed("<\u202f.05"), ". **", Italic("p"), " ", Fixed("<\u202f.01"),
    ". ***", Italic("p"), " ", Fixed("<\u202f.001"), ".",
)  # fmt: skip
INTERVAL: Words = (Fixed("95%"), " CI")


def cell(
    field: Field | None, format: str = "text", *also: Field, before: str = "", after: str = ""
) -> Cell:
    """Return a cell with one finding, or an empty one for None."""
    return Cell() if field is None else Cell((Part(field, format, also, before, after),))


def words(text: str) -> Cell:
    """Return a cell with a fixed text."""
    return Cell(text=text)


def heading(text: str, numeric: bool = True) -> Column:
    """Return a column with a fixed heading."""
    return Column(Cell(text=text), numeric)


def symbol(text: str, *after: Piece) -> Column:
    """Return a column of numbers under a statistic's symbol, e.g. *p*."""
    return Column(Cell((Italic(text), *after)))


def interval(low: Field, high: Field, format: str) -> tuple[Part, Part]:
    """Return the two parts of `[low, high]`."""
    return Part(low, format, before="[", after=", "), Part(high, format, after="]")


def group_row(*parts: Piece, note: str = "", faint: bool = False) -> Row:
    """Return a row that heads a group."""
    return Row((Cell(tuple(parts)),), group=True, note=note, faint=faint)


def plain_rows(fields: Sequence[Field], columns: Sequence[str]) -> Records:
    """Return the listed keys of every entry as records."""
    return Records(tuple(columns), [{key: entry.raw[key] for key in columns} for entry in fields])
