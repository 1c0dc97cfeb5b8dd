"""Read a sheet of a workbook (.xlsx, .xlsm, .xls, .ods) by calamine.

Calamine gives the cells as they are shown last; what it does not tell (hidden rows, formulas whose
results were never stored, errors such as #N/A) is looked up in the sheet itself (`sheet_marks`).
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import python_calamine

from alliance.ingest.columns import near
from alliance.ingest.raw import NO_NAMES, Mark, RawTable, UnreadableError, with_blanks_missing
from alliance.ingest.readers import sheet_marks, workbook_bombs
from alliance.ingest.readers.cells import cell_text
from alliance.ingest.readers.opened import RawFile
from alliance.ingest.readers.signature import password_error
from alliance.likeness import difference, like

MOST_MERGED = 2_000  # blocks of merged cells that are looked at
_DAMAGED = "this is no workbook, or a damaged one"


def read(file: RawFile, source: Mapping[str, Any]) -> RawTable:
    """Read one sheet; see `alliance.ingest.readers`."""
    workbook_bombs.refuse(file)
    try:
        with file.stream() as stream, _calamine():
            workbook = python_calamine.CalamineWorkbook.from_filelike(stream)
            name = _sheet_name(workbook.sheet_names, source["sheet"])
            sheet = workbook.get_sheet_by_name(name)
            cells = sheet.to_python(skip_empty_area=False)
            merged = sheet.merged_cell_ranges or []
    except python_calamine.PasswordError:
        raise password_error() from None
    except (python_calamine.CalamineError, OSError, ValueError):
        raise UnreadableError("file-unreadable", _DAMAGED) from None
    header_row = source["header_row"]
    if len(cells) < header_row or not any(map(_is_filled, cells[header_row - 1])):
        told = f"row {header_row} of the sheet holds no column names"
        raise UnreadableError("file-empty", told, remedy=NO_NAMES)
    first = header_row + source["skip_after_header"] + 1
    table = _table(cells, header_row, first, source["decimal"])
    last = len(table.header) - 1
    marks = [*_merged_marks(merged, first, last), *sheet_marks.of_sheet(file, name)]
    table.marks = _by_column(
        [m for m in marks if (m.row is None or m.row >= first) and (m.column or 0) <= last]
    )
    if source["sheet"] is not None and name != source["sheet"]:
        how = difference(name, source["sheet"])
        told = f"the sheet {source['sheet']} looks like it, but for {how}; it is read as such"
        table.marks.append(Mark("look-alike-name", None, found=told))
    return table


@contextlib.contextmanager
def _calamine() -> Iterator[None]:
    """Turn a panic of calamine, which is written in Rust, into a plain error.

    A panic is no `Exception`, and writes what it saw in the file to the standard error stream: that
    stream leads nowhere for the time.
    """
    try:
        with _without_stderr():
            yield
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise UnreadableError("file-unreadable", _DAMAGED) from None
        raise


@contextlib.contextmanager
def _without_stderr() -> Iterator[None]:
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _sheet_name(names: list[str], wanted: str | None) -> str:
    if wanted is None:
        if len(names) == 1:
            return names[0]
        found = f"the workbook has {len(names)} sheets; name one in the site mapping"
        raise UnreadableError("sheet-missing", found)
    alike = like(wanted, names)
    if len(alike) != 1:
        # Only near names are told: sheets may be called after clients.
        close = near(wanted, names)
        likely = f", of like name: {', '.join(close)}" if close else ""
        count = "1 sheet" if len(names) == 1 else f"{len(names)} sheets"
        found = f"the site mapping asks for the sheet {wanted}, the workbook has {count}{likely}"
        raise UnreadableError("sheet-missing", found)
    return alike[0]


def _table(cells: list[list[Any]], header_row: int, first: int, decimal: str) -> RawTable:
    header = [cell_text(cell).strip() for cell in cells[header_row - 1]]
    body = cells[first - 1 :]
    is_blank = np.array([not any(map(_is_filled, row)) for row in body], dtype=bool)
    rows = np.arange(first, first + len(body), dtype=np.int64)[~is_blank]
    filled = [row for row, blank in zip(body, is_blank, strict=True) if not blank]
    by_column = list(zip(*filled, strict=True)) if filled else [()] * len(header)
    table = RawTable(header=header, columns=[], rows=rows, blank_rows=int(is_blank.sum()))
    for name, column in zip(header, by_column, strict=True):
        texts = pd.Series([cell_text(cell, decimal) for cell in column], dtype="str")
        table.columns.append(with_blanks_missing(texts))
        real = pd.Series([isinstance(cell, datetime.date) for cell in column], dtype=bool)
        if real.any():
            table.dates.setdefault(name, real)
    return table


def _is_filled(cell: object) -> bool:
    return bool(cell.strip()) if isinstance(cell, str) else cell is not None


def _merged_marks(merged: list[Any], first: int, last: int) -> Iterator[Mark]:
    """Yield a mark for each column of a block of merged cells: all but its first cell are blank.

    Blocks that lie over one another, which no spreadsheet program writes, are told once.
    """
    for (top, left), (bottom, right) in sorted(set(merged))[:MOST_MERGED]:
        if bottom + 1 < first:
            continue  # a title above the header, or the header itself
        row = max(top + 1, first)
        for column in range(left, min(right, last) + 1):
            yield Mark("merged-cells", row, column, rows_affected=bottom + 2 - row)


def _by_column(marks: list[Mark]) -> list[Mark]:
    """Return the marks, formulas without result told once a column, where they begin."""
    told = [mark for mark in marks if mark.rule != sheet_marks.FORMULA]
    formulas: dict[int | None, list[Mark]] = {}
    for mark in marks:
        if mark.rule == sheet_marks.FORMULA:
            formulas.setdefault(mark.column, []).append(mark)
    return told + [replace(listed[0], rows_affected=len(listed)) for listed in formulas.values()]
