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
class Cell:
    """A cell: findings one after the other, or a fixed text without digits."""

    parts: tuple[Part, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `note` explains its heading, `numeric` cells stand at the right."""

    heading: Cell
    numeric: bool = True


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
        Sentences below it, without digits.
    empty
        What is said where there is no row.
    wide
        Whether it may be wider than a page's text.
    """

    name: str
    title: str
    columns: list[Column]
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    empty: str = "There is nothing to list."
    wide: bool = False


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


def interval(low: Field, high: Field, format: str) -> tuple[Part, Part]:
    """Return the two parts of `[low, high]`."""
    return Part(low, format, before="[", after=", "), Part(high, format, after="]")


def group_row(*parts: Part, note: str = "", faint: bool = False) -> Row:
    """Return a row that heads a group."""
    return Row((Cell(tuple(parts)),), group=True, note=note, faint=faint)


def plain_rows(fields: Sequence[Field], columns: Sequence[str]) -> Records:
    """Return the listed keys of every entry as records."""
    return Records(tuple(columns), [{key: entry.raw[key] for key in columns} for entry in fields])
