"""Refuse a workbook that would fill the memory, before anything unpacks it."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO
from xml.parsers import expat

from alliance.ingest.raw import UnreadableError
from alliance.ingest.readers import xls
from alliance.ingest.readers.opened import FREE_BYTES, MAX_EXPANSION, RawFile

MAX_BYTES = 1_000_000_000
# A stray cell in the last row makes the whole sheet that large in memory: refuse a sheet of which
# hardly a cell is filled.
MAX_SPARSE_CELLS = 5_000_000
MIN_FILLED_SHARE = 0.05
_BLOCK = 8_000_000
# Wider than any sound place is: a damaged one may say anything.
_CELL = re.compile(rb'\br="([A-Za-z]{1,7})([0-9]{1,12})"')
_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="([0-9]{1,12})"')
# An .ods sheet counts repeated rows and cells instead of writing them down.
_ODS_ROW = re.compile(rb"<table:table-row\b([^>]*)>")
_ODS_CELL = re.compile(rb"<table:(?:covered-)?table-cell\b([^>]*)>")
_ODS_REPEAT = re.compile(rb'table:number-(?:rows|columns)-repeated="([0-9]{1,12})"')
_DAMAGED = "this is no workbook, or a damaged one"
_DAMAGES = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError,
    expat.ExpatError,
)  # fmt: skip


def refuse(file: RawFile) -> None:
    """Raise UnreadableError for a bomb, a damaged zip, and a sheet that is all but empty."""
    with file.stream() as stream:
        if not zipfile.is_zipfile(stream):
            _refuse_xls(file)
            return
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
        except _DAMAGES:
            raise UnreadableError("file-unreadable", _DAMAGED) from None


def _refuse_xls(file: RawFile) -> None:
    try:
        for sheet in xls.sheets_of(file.bytes()):
            _refuse_sparse(sheet.n_rows, sheet.n_columns, sheet.n_cells)
    except xls.DamagedError:
        raise UnreadableError("file-unreadable", _DAMAGED) from None


def _refuse_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Unpack one part to see that it is as large as it says, and refuse stray cells in it."""
    if not entry.filename.endswith((".xml", ".rels")):
        return  # pictures and the like are not read
    # Size and checksum are compared by zipfile once all is read.
    with archive.open(entry) as stream:
        if re.fullmatch(r"xl/worksheets/[^/]+\.xml", entry.filename):
            _refuse_stray_cells(stream)
        elif entry.filename == "content.xml":
            _refuse_repeats(stream)
        else:
            for _ in _blocks(stream, b"<"):
                pass


def _blocks(stream: IO[bytes], opening: bytes) -> Iterator[bytes]:
    """Yield a part in blocks, each but the first beginning with `opening`.

    It must be well-formed to its end: calamine takes what follows a broken place for blank.
    """
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_entities
    left = b""
    while block := stream.read(_BLOCK):
        parser.Parse(block, False)
        left += block
        cut = left.rfind(opening)
        if cut > 0:
            yield left[:cut]
            left = left[cut:]
    parser.Parse(b"", True)
    yield left


def _refuse_entities(*declared: object) -> None:
    told = "the workbook declares entities of its own, as no spreadsheet program does"
    raise UnreadableError("file-unreadable", told)


def _refuse_stray_cells(stream: IO[bytes]) -> None:
    n_rows = n_columns = n_cells = 0
    for block in _blocks(stream, b"<"):
        found = _CELL.findall(block)
        n_cells += len(found)
        rows = [*(row for _, row in found), *_ROW.findall(block)]
        n_rows = max([n_rows, *map(int, rows)])
        n_columns = max([n_columns, *map(_column_number, {letters for letters, _ in found})])
    _refuse_sparse(n_rows, n_columns, n_cells)


def _refuse_sparse(n_rows: int, n_columns: int, n_cells: int) -> None:
    area = n_rows * n_columns
    if area > MAX_SPARSE_CELLS and n_cells < MIN_FILLED_SHARE * area:
        told = f"a stray cell makes the sheet {n_rows:,} rows by {n_columns:,} columns; delete"
        told += " the empty rows and columns at its end"
        raise UnreadableError("file-unreadable", told, n_rows)


def _refuse_repeats(stream: IO[bytes]) -> None:
    """Refuse an .ods sheet whose last filled cell stands beyond a desert of repeated cells."""
    n_rows = last_row = n_columns = n_cells = 0
    for block in _blocks(stream, b"<table:table-row"):
        for row in re.split(rb"(?=<table:table-row\b)", block):
            opening = _ODS_ROW.match(row)
            if opening is None:
                continue
            n_rows += _repeat(opening.group(1))
            width = column = 0
            for cell in _ODS_CELL.findall(row):
                column += _repeat(cell)
                if b"office:" in cell:
                    width = column
                    n_cells += 1
            if width:
                last_row, n_columns = max(last_row, n_rows), max(n_columns, width)
            if b"</table:table>" in row:
                n_rows = 0  # the next sheet begins
    _refuse_sparse(last_row, n_columns, n_cells)


def _repeat(attributes: bytes) -> int:
    found = _ODS_REPEAT.search(attributes)
    return int(found.group(1)) if found else 1


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number
