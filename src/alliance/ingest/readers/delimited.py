"""Read CSV and its relatives (any delimiter) with every row accounted for.

Python's own `csv` splits the records, strictly. A quotation mark gone astray would swallow the rows
below it; here it costs its own row only, which is set aside by number.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from alliance.ingest.raw import (
    NO_NAMES,
    Astray,
    Mark,
    RawTable,
    UnreadableError,
    with_blanks_missing,
)
from alliance.ingest.readers import plain_text
from alliance.ingest.readers.opened import RawFile

MAX_STRAY_QUOTES = 1000
SINGLE_BYTE = ("latin-1", "cp1252", "cp1250", "cp1251")  # these decode any file without complaint
_CHUNK = 50_000
_LOOKED_AT = 10_000  # bytes
# ="007": how some programs keep a spreadsheet program from taking a text for a number.
_FORMULA_OF_TEXT = re.compile(r'^="([^"]*)"$')
# A cell may hold a long note; what a stray quotation mark swallows is bounded by it.
csv.field_size_limit(1_000_000)


def read(file: RawFile, source: Mapping[str, Any]) -> RawTable:
    """Read a delimited text file; see `alliance.ingest.readers`."""
    return read_below(file, source)[0]


def read_below(file: RawFile, source: Mapping[str, Any]) -> tuple[RawTable, list[list[str]]]:
    """Read a delimited text file; return the rows under the header that are no data too.

    How many these are says `skip_after_header`: question texts, import ids, units.
    """
    text = _decoded(file.bytes(), source["encoding"])
    if not text[:10_000].strip() and not text.strip():
        raise UnreadableError("file-empty", "the file holds nothing but blanks")
    table, below = _read_decoded(text, source)
    if '="' in text:
        table.header = [_FORMULA_OF_TEXT.sub(r"\1", name) for name in table.header]
        table.columns = [
            column.str.replace(_FORMULA_OF_TEXT, r"\1", regex=True) for column in table.columns
        ]
    is_told = any(astray.rule == "file-cut-off" for astray in table.astray)
    if len(table) > 1 and not is_told and not text.endswith(("\n", "\r")):
        table.marks.append(Mark("last-line-open", int(table.rows[-1])))
    return table, below


def _read_decoded(text: str, source: Mapping[str, Any]) -> tuple[RawTable, list[list[str]]]:
    opening = io.StringIO(text[: csv.field_size_limit()], newline="").readlines()
    records = _Records(opening, source["delimiter"], source["quote"])
    plain_text.refuse_empty(text, len(_header(records, source["header_row"])))
    with contextlib.suppress(plain_text.TooOddError):
        return _read_plain(text, source)
    lines = io.StringIO(text, newline="").readlines()
    records = _Records(lines, source["delimiter"], source["quote"])
    header = _header(records, source["header_row"])
    first = source["header_row"] + source["skip_after_header"] + 1
    below = [record for row, record in _until(records, first) if row > source["header_row"]]
    return _table(records, header, first), below


def _read_plain(text: str, source: Mapping[str, Any]) -> tuple[RawTable, list[list[str]]]:
    """Read a file without quotation marks below its header: every line is a row.

    Raises
    ------
    TooOddError
        It is better read row by row.
    """
    top, first = source["header_row"], source["header_row"] + source["skip_after_header"] + 1
    lines, n_signs = plain_text.head_of(text, first - 1)
    quote = source["quote"]
    if quote != "none" and text.find(quote, n_signs) >= 0:
        raise plain_text.TooOddError
    records = _Records([line for line in lines if line], source["delimiter"], quote)
    header = _header(records, top)
    numbered = list(records)
    if len(numbered) != len(records.lines) or records.stray:
        raise plain_text.TooOddError  # a record of the head runs over several lines
    below = [record for row, record in numbered if top < row < first]
    body = text[n_signs:].encode("utf-8")
    return plain_text.read_body(body, header, first, source["delimiter"]), below


def _until(records: _Records, first: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the records before row `first`."""
    return itertools.takewhile(lambda numbered: numbered[0] < first, records)


def _decoded(data: bytes, encoding: str) -> str:
    """Return the text, after making sure that the declared encoding can be true.

    Raises
    ------
    UnreadableError
        The bytes cannot be text of this encoding, or are plainly text of another.
    """
    wide = _is_utf16(data)
    if bool(wide) != (encoding == "utf-16"):
        found = "utf-16" if wide else "not utf-16"
        raise UnreadableError("wrong-encoding", f"the file is {found}, not {encoding}")
    encoding = wide or encoding
    if encoding == "utf-8":
        encoding = "utf-8-sig"
    elif encoding in SINGLE_BYTE and _is_utf8(data):
        raise UnreadableError("wrong-encoding", f"the file is utf-8, not {encoding}")
    if encoding == "latin-1" and _has_c1_controls(data):
        found = "the file has signs that latin-1 does not know; it is most likely cp1252"
        raise UnreadableError("wrong-encoding", found)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        declared = encoding.removesuffix("-sig")
        found = f"a letter is not stored as {declared} (often it is cp1252 or latin-1 then)"
        raise UnreadableError("wrong-encoding", found, row) from None
    if "\x00" in text:
        raise UnreadableError("file-unreadable", "the file holds NUL signs: it is no text file")
    return text.removesuffix("\x1a")  # how old programs end a file


def _is_utf16(data: bytes) -> str:
    """Return the name of the encoding if the bytes are UTF-16, with or without its mark; or ""."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    head = data[:_LOOKED_AT]
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        # every second byte of western text is zero, and none of the others
        if len(head) > 1 and head[first::2].count(0) > 0.9 * (len(head) // 2):
            return name if head[1 - first :: 2].count(0) == 0 else ""
    return ""


def _is_utf8(data: bytes) -> bool:
    """Whether bytes beyond ASCII occur and all of them fit UTF-8: by chance that hardly happens."""
    if data.isascii():
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _has_c1_controls(data: bytes) -> bool:
    return any(byte in data for byte in (bytes([b]) for b in range(0x80, 0xA0)))


class _Records:
    """The records of a delimited file, each with its row number; stray quotes cost one row each.

    Row numbers count records, as a spreadsheet does: a cell with a line break in it is one row.
    """

    def __init__(self, lines: Sequence[str], delimiter: str, quote: str) -> None:
        self.lines = lines
        self.delimiter = delimiter
        self.quoting: dict[str, Any] = {"quotechar": quote}
        if quote == "none":  # a quotation mark is a sign like any other
            self.quoting = {"quoting": csv.QUOTE_NONE}
        self.width = 0  # known once the header is read
        self.stray: list[Astray] = []

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        start, row = 0, 0  # index of the next line; number of the last row
        while start < len(self.lines):
            left = itertools.islice(self.lines, start, None)
            reader = csv.reader(left, delimiter=self.delimiter, strict=True, **self.quoting)
            seen = 0  # lines consumed by complete records of this reader
            while True:
                try:
                    record = next(reader)
                except StopIteration:
                    return
                except csv.Error:
                    break
                if reader.line_num > seen + 1 and self._is_torn(record):
                    break
                seen = reader.line_num
                row += 1
                yield row, record
            row += 1
            self._note_stray(row, start + seen)
            start += seen + 1

    def _is_torn(self, record: list[str]) -> bool:
        """Whether a record over several lines is really several rows, joined by a stray quote."""
        if self.width < 2:
            return False
        if len(record) != self.width:
            return True
        for cell in record:
            breaks = cell.count("\n") or cell.count("\r")
            # A swallowed stretch from one column to the same column of a later row holds the
            # separators of whole rows; a note with line breaks does not.
            if breaks and cell.count(self.delimiter) >= breaks * (self.width - 1):
                return True
        return False

    def _note_stray(self, row: int, line: int) -> None:
        is_cut = line == len(self.lines) - 1 and not self.lines[line].endswith(("\n", "\r"))
        self.stray.append(Astray(row, "file-cut-off" if is_cut else "quote-astray"))
        if len(self.stray) > MAX_STRAY_QUOTES:
            found = f"more than {MAX_STRAY_QUOTES:,} rows have a stray quotation mark"
            raise UnreadableError("file-unreadable", found)


def _header(records: _Records, header_row: int) -> list[str]:
    for row, record in records:
        if row == header_row:
            header = [name.strip() for name in record]
            if not any(header):
                found = f"row {row} holds no column names"
                raise UnreadableError("file-empty", found, row, remedy=NO_NAMES)
            records.width = len(header)
            return header
    raise UnreadableError("file-empty", f"the file has no row {header_row}", remedy=NO_NAMES)


def _table(records: _Records, header: list[str], first: int) -> RawTable:
    """Return the rows from number `first` on."""
    width = len(header)
    named = max(i for i, name in enumerate(header) if name) + 1  # columns after these are blank
    records.stray.clear()
    ends_open = not records.lines[-1].endswith(("\n", "\r"))
    astray: list[Astray] = []
    rows: list[int] = []
    chunk: list[list[str]] = []
    parts: list[list[pa.Array]] = [[] for _ in header]
    blank_rows = 0
    for row, record in records:
        if row < first:
            continue
        if not record or (not record[0].strip() and not any(map(str.strip, record))):
            blank_rows += 1
            continue
        if len(record) != width:
            if len(astray) >= plain_text.MOST_ODD_ROWS:
                plain_text.refuse_shapeless(len(astray), row)
            if len(record) > width and any(map(str.strip, record[width:])):
                astray.append(Astray(row, "row-too-long"))
                continue
            if len(record) < named:
                astray.append(Astray(row, "row-too-short"))
                continue
            record = record[:width] + [""] * (width - len(record))
        rows.append(row)
        chunk.append(record)
        if len(chunk) == _CHUNK:
            _add_chunk(parts, chunk)
            chunk = []
    _add_chunk(parts, chunk)
    last = astray[-1] if astray else None
    if ends_open and last and last.rule == "row-too-short" and last.row > max(rows, default=0):
        last.rule = "file-cut-off"
    return RawTable(
        header=header,
        columns=[_text_column(arrays) for arrays in parts],
        rows=np.array(rows, dtype=np.int64),
        blank_rows=blank_rows,
        astray=sorted([*astray, *records.stray], key=lambda a: a.row),
    )


def _add_chunk(parts: list[list[pa.Array]], chunk: list[list[str]]) -> None:
    for arrays, cells in zip(parts, zip(*chunk, strict=True), strict=False):
        arrays.append(pa.array(cells, type=pa.large_string()))


def _text_column(arrays: list[pa.Array]) -> pd.Series:
    chunked = pa.chunked_array(arrays, type=pa.large_string())
    return with_blanks_missing(pd.Series(pd.array(chunked, dtype="str")))
