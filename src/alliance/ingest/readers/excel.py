"""Read a sheet of a workbook (.xlsx, .xls, .ods) by calamine."""

from __future__ import annotations

import datetime
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import python_calamine

from alliance.ingest.columns import near
from alliance.ingest.raw import RawTable, UnreadableError, with_blanks_missing
from alliance.ingest.readers.cells import cell_text

MAX_BYTES = 1_000_000_000
MAX_EXPANSION = 200  # beyond this (and 50 MB) a workbook is a bomb, not an export
# A stray cell in the last row makes the whole sheet that large in memory: refuse a sheet of which
# hardly a cell is filled.
MAX_SPARSE_CELLS = 5_000_000
MIN_FILLED_SHARE = 0.05
_SCANNED_BYTES = 20_000_000
_BYTES_A_CELL = 30  # in a sheet's XML, at least
_CELL = re.compile(rb'<c\b[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
_DIMENSION = re.compile(rb'<dimension ref="[A-Z0-9]+:([A-Z]{1,3})([0-9]{1,7})"')


def read(path: Path, source: Mapping[str, Any]) -> RawTable:
    """Read one sheet; see `alliance.ingest.readers`."""
    _refuse_bomb(path)
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(str(path))
        sheet = _sheet_name(workbook.sheet_names, source["sheet"])
        cells = workbook.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, OSError, zipfile.BadZipFile):
        raise UnreadableError("file-unreadable", "this is no workbook, or a damaged one") from None
    top = source["header_row"] - 1
    if len(cells) <= top or not any(_is_filled(cell) for cell in cells[top]):
        raise UnreadableError("file-empty", f"row {top + 1} of the sheet holds no column names")
    return _table(cells, top, source["decimal"])


def _sheet_name(names: list[str], wanted: str | None) -> str:
    if wanted is None:
        if len(names) == 1:
            return names[0]
        found = f"the workbook has {len(names)} sheets; name one in the site mapping"
        raise UnreadableError("sheet-missing", found)
    if wanted not in names:
        # Only near names are told: sheets may be called after clients.
        close = near(wanted, names)
        likely = f", of like name: {', '.join(close)}" if close else ""
        count = "1 sheet" if len(names) == 1 else f"{len(names)} sheets"
        found = f"the site mapping asks for the sheet {wanted}, the workbook has {count}{likely}"
        raise UnreadableError("sheet-missing", found)
    return wanted


def _table(cells: list[list[Any]], top: int, decimal: str) -> RawTable:
    header = [cell_text(cell).strip() for cell in cells[top]]
    body = cells[top + 1 :]
    is_blank = np.array([not any(map(_is_filled, row)) for row in body], dtype=bool)
    rows = np.arange(top + 2, top + 2 + len(body), dtype=np.int64)[~is_blank]
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


def _refuse_bomb(path: Path) -> None:
    """Refuse a zip whose content is out of all proportion, before anything unpacks it."""
    if not zipfile.is_zipfile(path):
        return  # .xls is no zip; calamine tells whether it is a workbook
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size <= MAX_BYTES:
                _refuse_stray_cells(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise UnreadableError("file-unreadable", "this is no workbook, or a damaged one") from None
    if size > MAX_BYTES or size > max(50_000_000, MAX_EXPANSION * path.stat().st_size):
        raise UnreadableError("file-unreadable", "the workbook grows beyond all measure")


def _refuse_stray_cells(archive: zipfile.ZipFile) -> None:
    """Refuse sheets that are all but empty and yet too large to unfold."""
    for entry in archive.infolist():
        if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", entry.filename):
            continue
        with archive.open(entry) as stream:
            if entry.file_size <= _SCANNED_BYTES:
                found = _CELL.findall(stream.read(_SCANNED_BYTES + 1))
            else:
                found = _DIMENSION.findall(stream.read(10_000))
        n_cells = max(len(found), entry.file_size // _BYTES_A_CELL)
        n_rows = max((int(row) for _, row in found), default=0)
        n_columns = max((_column_number(letters) for letters, _ in found), default=0)
        area = n_rows * n_columns
        if area > MAX_SPARSE_CELLS and n_cells < MIN_FILLED_SHARE * area:
            told = f"a stray cell makes the sheet {n_rows:,} rows by {n_columns:,} columns; delete"
            told += " the empty rows and columns at its end"
            raise UnreadableError("file-unreadable", told, n_rows)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
