"""Read delimited text without quotation marks: every line is a row, so Arrow may split it.

Twenty times as fast as `delimited`, with the same result (a test holds the two together): each row
is accounted for, and a row of the wrong length is judged one by one.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from pandas.arrays import ArrowStringArray

from alliance.ingest.raw import Astray, RawTable, UnreadableError
from alliance.likeness import TRIMMED

# More rows of the wrong length than these and the file is read row by row: it is no table as
# declared, and there is nothing to gain.
MOST_ODD_ROWS = 100_000
MOST_ODD_SHARE = 0.1
MOST_LINES_OF_NOTHING = 1_000_000
_TEXT = pd.StringDtype(na_value=np.nan)  # what pandas calls "str"
_BLOCK = 16_000_000  # bytes; a row must fit into one


class TooOddError(Exception):
    """The file is better read row by row."""


@dataclass(slots=True)
class _OddRows:
    """Rows that have not as many cells as the header: blank, mended, or set aside."""

    first: int
    width: int
    named: int
    delimiter: str
    blank: int = 0
    skipped: list[int] = field(default_factory=list)
    astray: list[Astray] = field(default_factory=list)
    mended: list[tuple[int, list[str]]] = field(default_factory=list)
    last: int = 0  # the row at which there were too many of them

    def judge(self, row: Any) -> str:
        """Judge one row, as `delimited` does, and leave it out of the table."""
        if row.number is None or len(self.skipped) >= MOST_ODD_ROWS:
            self.last = row.number or 0
            return "error"  # Arrow then gives up, and so do we
        number = self.first + row.number - 1
        cells = row.text.split(self.delimiter)
        self.skipped.append(row.number)
        if not any(map(str.strip, cells)):
            self.blank += 1
        elif len(cells) > self.width and any(map(str.strip, cells[self.width :])):
            self.astray.append(Astray(number, "row-too-long"))
        elif len(cells) < self.named:
            self.astray.append(Astray(number, "row-too-short"))
        else:
            self.mended.append((number, (cells + [""] * self.width)[: self.width]))
        return "skip"


def refuse_empty(text: str, width: int) -> None:
    """Refuse a file of very many lines, most of them shorter than their delimiters alone would be.

    Raises
    ------
    UnreadableError
        It would fill the memory with empty rows.
    """
    n_lines = text.count("\n")
    if n_lines > MOST_LINES_OF_NOTHING and len(text) < n_lines * width / 2:
        found = f"most of its {n_lines:,} lines are empty or have too few cells"
        remedy = "delete the empty lines, or export the file again"
        raise UnreadableError("file-unreadable", found, remedy=remedy)


def refuse_shapeless(n_odd: int, n_rows: int) -> None:
    """Refuse a file of which so many rows have another length than the header that it is no table.

    Raises
    ------
    UnreadableError
        More than `MOST_ODD_ROWS` have, and more than one in ten.
    """
    if n_odd >= MOST_ODD_ROWS and n_odd > MOST_ODD_SHARE * n_rows:
        found = f"{n_odd:,} of the first {n_rows:,} rows have more or fewer cells than the header"
        remedy = "look whether `delimiter` and `header_row` of this table are right, or export the"
        remedy += " file again"
        raise UnreadableError("file-unreadable", found, remedy=remedy)


def head_of(text: str, n_lines: int) -> tuple[list[str], int]:
    """Return the first lines of a text, and how many signs they take."""
    stream = io.StringIO(text[: 1_000_000 * max(n_lines, 1)], newline="")
    lines = [stream.readline() for _ in range(n_lines)]
    return lines, sum(map(len, lines))


def read_body(data: bytes, header: list[str], first: int, delimiter: str) -> RawTable:
    """Read the rows of `data` (UTF-8) below the header.

    Parameters
    ----------
    data
        The bytes from row `first` on.
    header
        Column names.
    first
        Row number of the first row.
    delimiter
        Sign between two columns.

    Raises
    ------
    TooOddError
        Too many rows have the wrong length, or one is longer than a block.
    """
    width = len(header)
    named = max(i for i, name in enumerate(header) if name) + 1
    odd = _OddRows(first, width, named, delimiter)
    columns = [str(i) for i in range(width)]
    table = _split(data, columns, delimiter, odd)
    n = table.num_rows
    rows = np.arange(first, first + n + len(odd.skipped), dtype=np.int64)
    if odd.skipped:
        kept = np.ones(len(rows), dtype=bool)
        kept[np.array(odd.skipped) - 1] = False
        rows = rows[kept]
    arrays = table.columns
    if n >= width or _holds_blanks(arrays):  # of a very wide table in one go: that may be all
        arrays = [_blanks_missing(array) for array in arrays]
    if odd.mended:
        rows, arrays = _with_mended(rows, arrays, odd.mended)
    filled = np.zeros(len(rows), dtype=bool)
    for array in arrays:
        filled |= np.asarray(array.is_valid().to_numpy())
        if filled.all():
            break
    if not filled.all():
        arrays, blank = [a.filter(pa.array(filled)) for a in arrays], int((~filled).sum())
        rows = rows[filled]
    else:
        blank = 0
    ends_open = not data.endswith((b"\n", b"\r"))
    last = odd.astray[-1] if odd.astray else None
    if ends_open and last and last.rule == "row-too-short" and last.row > rows.max(initial=0):
        last.rule = "file-cut-off"
    return RawTable(
        header=header,
        columns=[pd.Series(_texts(array), copy=False) for array in arrays],
        rows=rows,
        blank_rows=odd.blank + blank,
        astray=odd.astray,
    )


def _texts(array: pa.ChunkedArray) -> ArrowStringArray:
    """Return what `pd.array` would in twice the time: a file may have 20,000 columns."""
    return ArrowStringArray(array, dtype=_TEXT)  # type: ignore[call-arg]  # unknown to the stubs


def _split(data: bytes, columns: list[str], delimiter: str, odd: _OddRows) -> pa.Table:
    text = pa.large_string()
    if not data:
        return pa.table({name: pa.array([], type=text) for name in columns})
    try:
        return pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=pyarrow.csv.ReadOptions(
                use_threads=False, column_names=columns, block_size=_BLOCK
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=delimiter, quote_char=False, double_quote=False, escape_char=False,
                newlines_in_values=False, ignore_empty_lines=False,
                invalid_row_handler=odd.judge,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                check_utf8=False, column_types=dict.fromkeys(columns, text),
                strings_can_be_null=False, quoted_strings_can_be_null=False,
            ),
        )  # fmt: skip
    except pa.ArrowInvalid:
        refuse_shapeless(len(odd.astray), odd.last)
        raise TooOddError from None


def _blanks_missing(column: pa.ChunkedArray) -> pa.ChunkedArray:
    blank = _is_blank(column)
    if not pc.any(blank).as_py():
        return column
    return pc.if_else(blank, pa.scalar(None, type=column.type), column)


def _holds_blanks(columns: list[pa.ChunkedArray]) -> bool:
    chunks = [chunk for column in columns for chunk in column.chunks]
    return bool(chunks) and bool(pc.any(_is_blank(pa.chunked_array(chunks))).as_py())


def _is_blank(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.equal(pc.binary_length(pc.utf8_trim(column, characters=TRIMMED)), 0)


def _with_mended(
    rows: np.ndarray, arrays: list[pa.ChunkedArray], mended: list[tuple[int, list[str]]]
) -> tuple[np.ndarray, list[pa.ChunkedArray]]:
    """Return the table with the mended rows in their places."""
    more = np.array([number for number, _ in mended], dtype=np.int64)
    order = np.argsort(np.concatenate([rows, more]), kind="stable")
    joined = []
    for i, array in enumerate(arrays):
        cells = pa.chunked_array([pa.array([c[i] for _, c in mended], type=array.type)])
        chunks = [*array.chunks, *_blanks_missing(cells).chunks]
        joined.append(pa.chunked_array(chunks, type=array.type).take(pa.array(order)))
    return np.concatenate([rows, more])[order], joined
