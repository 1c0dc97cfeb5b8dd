"""Refuse a workbook that would fill the memory, before anything unpacks it."""

from __future__ import annotations

import re
import zipfile
import zlib

from alliance.ingest.raw import UnreadableError
from alliance.ingest.readers.opened import FREE_BYTES, MAX_EXPANSION, RawFile

MAX_BYTES = 1_000_000_000
# A stray cell in the last row makes the whole sheet that large in memory: refuse a sheet of which
# hardly a cell is filled.
MAX_SPARSE_CELLS = 5_000_000
MIN_FILLED_SHARE = 0.05
_SCANNED_BYTES = 20_000_000
_BYTES_A_CELL = 30  # in a sheet's XML, at least
_BLOCK = 8_000_000
_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
_DIMENSION = re.compile(rb'<(?:\w+:)?dimension ref="[A-Z0-9]+:([A-Z]{1,3})([0-9]{1,7})"')
# An .ods sheet counts repeated rows and cells instead of writing them down.
_ODS_ROWS = re.compile(rb"<table:table-row\b([^>]*)>")
_ODS_CELLS = re.compile(rb"<table:(?:covered-)?table-cell\b([^>]*)>")
_ODS_REPEAT = re.compile(rb'table:number-(?:rows|columns)-repeated="([0-9]{1,9})"')
_DAMAGED = "this is no workbook, or a damaged one"


def refuse(file: RawFile) -> None:
    """Raise UnreadableError for a bomb, a damaged zip, and a sheet that is all but empty."""
    with file.stream() as stream:
        if not zipfile.is_zipfile(stream):
            return  # .xls is no zip; calamine tells whether it is a workbook
        try:
            with zipfile.ZipFile(stream) as archive:
                entries = archive.infolist()
                size = sum(entry.file_size for entry in entries)
                if size > min(MAX_BYTES, max(FREE_BYTES, MAX_EXPANSION * file.size)):
                    told = "the workbook grows beyond all measure"
                    raise UnreadableError("file-unreadable", told)
                if any(entry.flag_bits & 1 for entry in entries):
                    told = "the workbook is protected by a password"
                    remedy = "save it without a password"
                    raise UnreadableError("file-unreadable", told, remedy=remedy)
                for entry in entries:
                    _refuse_entry(archive, entry)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError):
            raise UnreadableError("file-unreadable", _DAMAGED) from None


def _refuse_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Unpack one part to see that it is as large as it says, and refuse stray cells in it."""
    is_sheet = re.fullmatch(r"xl/worksheets/[^/]+\.xml", entry.filename)
    if not entry.filename.endswith((".xml", ".rels")):
        return  # pictures and the like are not read
    with archive.open(entry) as stream:
        head = stream.read(min(entry.file_size, _SCANNED_BYTES))
        if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
            told = "the workbook declares entities of its own, as no spreadsheet program does"
            raise UnreadableError("file-unreadable", told)
        while stream.read(_BLOCK):  # its size and checksum are compared at the end
            pass
    if is_sheet:
        is_whole = entry.file_size <= _SCANNED_BYTES
        found = _CELL.findall(head) if is_whole else _DIMENSION.findall(head[:10_000])
        n_rows = max((int(row) for _, row in found), default=0)
        n_columns = max((_column_number(letters) for letters, _ in found), default=0)
        n_cells = max(len(found), entry.file_size // _BYTES_A_CELL)
        _refuse_sparse(n_rows, n_columns, n_cells)
    elif entry.filename == "content.xml":
        _refuse_repeats(head, entry.file_size)


def _refuse_sparse(n_rows: int, n_columns: int, n_cells: int) -> None:
    area = n_rows * n_columns
    if area > MAX_SPARSE_CELLS and n_cells < MIN_FILLED_SHARE * area:
        told = f"a stray cell makes the sheet {n_rows:,} rows by {n_columns:,} columns; delete"
        told += " the empty rows and columns at its end"
        raise UnreadableError("file-unreadable", told, n_rows)


def _refuse_repeats(xml: bytes, n_bytes: int) -> None:
    """Refuse an .ods sheet whose last filled cell stands beyond a desert of repeated cells."""
    n_rows = last_row = n_columns = 0
    for row in re.split(rb"(?=<table:table-row\b)", xml)[1:]:
        opening = _ODS_ROWS.match(row)
        n_rows += _repeat(opening.group(1)) if opening else 1
        width = column = 0
        for cell in _ODS_CELLS.findall(row):
            column += _repeat(cell)
            if b"office:" in cell:
                width = column
        if width:
            last_row, n_columns = n_rows, max(n_columns, width)
    _refuse_sparse(last_row, n_columns, n_bytes // _BYTES_A_CELL)


def _repeat(attributes: bytes) -> int:
    found = _ODS_REPEAT.search(attributes)
    return int(found.group(1)) if found else 1


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
