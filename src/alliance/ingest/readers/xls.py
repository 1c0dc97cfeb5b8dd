"""What an old Excel workbook (.xls) holds, looked through before calamine unfolds it.

An .xls file is a small file system (Compound File Binary, [MS-CFB]) with one stream of records
(BIFF8, [MS-XLS]). Calamine takes its numbers at their word: a damaged one makes it ask for more
memory than there is, which ends the whole program. So the chains of sectors, the sizes and the
places of the cells are made sure of here first; what calamine does not tell (hidden rows, errors in
cells) is found on the way. A process of its own with a limit on its memory would not do: Windows
has no such limit and macOS does not hold it, and hidden rows would be found by nobody.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

_END_OF_CHAIN, _NO_SECTOR = 0xFFFFFFFE, 0xFFFFFFFF
_ENTRY_BYTES, _MINI_BYTES, _MINI_BELOW = 128, 64, 4096
MAX_ROWS, MAX_COLUMNS = 65_536, 256  # of the format
# Records of a sheet: [MS-XLS] 2.3.2
_EOF, _BOUND_SHEET, _SHARED_STRINGS, _DIMENSIONS, _ROW = 0x000A, 0x0085, 0x00FC, 0x0200, 0x0208
_FORMULA, _BOOL_OR_ERROR, _MANY_NUMBERS, _COLUMN_LOOK = 0x0006, 0x0205, 0x00BD, 0x007D
# ... and RString, LabelSst, Number, Label, Rk: in all of them row and column stand first.
_CELLS = (_FORMULA, _MANY_NUMBERS, _BOOL_OR_ERROR, 0x00D6, 0x00FD, 0x0203, 0x0204, 0x027E)
_HIDDEN_BIT = 0x20  # fDyZero of Row
_ERROR_RESULT = 2


class DamagedError(Exception):
    """The file's own numbers contradict each other."""


@dataclass(slots=True)
class Sheet:
    """A sheet: name, size, what is hidden (rows from 1, columns from 0), places of errors."""

    name: str
    n_rows: int = 0
    n_columns: int = 0
    n_cells: int = 0
    is_hidden: bool = False
    hidden: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    errors: list[tuple[int, int]] = field(default_factory=list)


def sheets_of(data: bytes) -> list[Sheet]:
    """Return the sheets of a workbook.

    Raises
    ------
    DamagedError
        A chain, a size or a place in the file cannot be.
    """
    try:
        stream = _workbook_stream(data)
        return [_sheet(stream, *told) for told in _starts(stream)]
    except (struct.error, IndexError, UnicodeDecodeError, OverflowError):
        raise DamagedError from None


def _workbook_stream(data: bytes) -> bytes:
    """Return the stream that holds the workbook's records."""
    sector_bytes = {9: 512, 12: 4096}.get(struct.unpack_from("<H", data, 30)[0])
    if sector_bytes is None:
        raise DamagedError
    n_directories, n_table, directory_start = struct.unpack_from("<III", data, 40)
    mini_start, n_mini = struct.unpack_from("<II", data, 60)
    sectors = _Sectors(data[sector_bytes:], sector_bytes)
    if max(n_directories, n_table, n_mini) > sectors.count:
        raise DamagedError
    table = _allocation_table(data, sectors)
    directory = sectors.chain(directory_start, table)
    root = _entry(directory, 0)
    mini = _Sectors(sectors.chain(root[1], table), _MINI_BYTES)
    mini_table = _numbers(sectors.chain(mini_start, table))
    for at in range(len(directory) // _ENTRY_BYTES):
        name, first, size = _entry(directory, at)
        if size > len(data):
            raise DamagedError
        if name in ("Workbook", "Book"):
            is_mini = size < _MINI_BELOW
            return (mini.chain(first, mini_table) if is_mini else sectors.chain(first, table))[
                :size
            ]
    raise DamagedError


def _entry(directory: bytes, position: int) -> tuple[str, int, int]:
    """Return name, first sector and size of a stream."""
    entry = directory[position * _ENTRY_BYTES : (position + 1) * _ENTRY_BYTES]
    name = entry[: max(struct.unpack_from("<H", entry, 64)[0] - 2, 0)].decode("utf-16-le")
    first, size = struct.unpack_from("<IQ", entry, 116)
    return name, first, size & 0xFFFFFFFF if size >> 32 == 0xFFFFFFFF else size


@dataclass(frozen=True, slots=True)
class _Sectors:
    data: bytes
    n_bytes: int

    @property
    def count(self) -> int:
        return -(-len(self.data) // self.n_bytes)

    def one(self, number: int) -> bytes:
        if number >= self.count:
            raise DamagedError
        return self.data[number * self.n_bytes : (number + 1) * self.n_bytes]

    def chain(self, first: int, table: list[int]) -> bytes:
        """Return the content of a chain of sectors, which must end and hold each of them once."""
        found: list[bytes] = []
        number = _END_OF_CHAIN if first == _NO_SECTOR else first
        while number != _END_OF_CHAIN:
            if len(found) >= self.count:
                raise DamagedError  # it runs in a circle
            found.append(self.one(number))
            number = table[number]
        return b"".join(found)


def _allocation_table(data: bytes, sectors: _Sectors) -> list[int]:
    """Return for each sector the next one of its chain."""
    numbers = list(struct.unpack_from("<109I", data, 76))
    more, n_more = struct.unpack_from("<II", data, 68)
    if n_more > sectors.count:
        raise DamagedError
    seen = 0
    while more not in (_END_OF_CHAIN, _NO_SECTOR):
        *found, more = _numbers(sectors.one(more))
        numbers += found
        seen += 1
        if seen > sectors.count:
            raise DamagedError
    table: list[int] = []
    for number in numbers:
        if number != _NO_SECTOR:
            table += _numbers(sectors.one(number))
    return table


def _numbers(data: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4]))


def _records(stream: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    at = start
    while at + 4 <= len(stream):
        kind, n_bytes = struct.unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + n_bytes]
        if kind == _EOF:
            return
        at += 4 + n_bytes


def _starts(stream: bytes) -> Iterator[tuple[str, int, bool]]:
    """Yield name and place of each sheet, and whether it is hidden."""
    for kind, content in _records(stream, 0):
        if kind == _SHARED_STRINGS and struct.unpack_from("<I", content, 4)[0] > len(stream):
            raise DamagedError
        if kind == _BOUND_SHEET:
            n_letters, is_wide = content[6], content[7] & 1
            letters = content[8 : 8 + n_letters * (1 + is_wide)]
            name = letters.decode("utf-16-le" if is_wide else "latin-1")
            yield name, struct.unpack_from("<I", content, 0)[0], bool(content[4] & 3)


def _sheet(stream: bytes, name: str, start: int, is_hidden: bool) -> Sheet:
    sheet = Sheet(name, is_hidden=is_hidden)
    for kind, content in _records(stream, start):
        if kind == _DIMENSIONS:
            top, bottom, left, right = struct.unpack_from("<IIHH", content, 0)
            if not (top <= bottom <= MAX_ROWS and left <= right <= MAX_COLUMNS):
                raise DamagedError
        elif kind == _COLUMN_LOOK and content[8] & 1:
            first, last = struct.unpack_from("<HH", content, 0)
            sheet.hidden_columns += range(first, min(last + 1, MAX_COLUMNS))
        elif kind == _ROW and content[12] & _HIDDEN_BIT:
            sheet.hidden.append(struct.unpack_from("<H", content, 0)[0] + 1)
        elif kind in _CELLS:
            row, column = struct.unpack_from("<HH", content, 0)
            last = column
            if kind == _MANY_NUMBERS:
                last += (len(content) - 6) // 6 - 1
            if last >= MAX_COLUMNS:
                raise DamagedError
            sheet.n_cells += last - column + 1
            sheet.n_rows = max(sheet.n_rows, row + 1)
            sheet.n_columns = max(sheet.n_columns, last + 1)
            if _is_error(kind, content):
                sheet.errors.append((row + 1, column))
    return sheet


def _is_error(kind: int, content: bytes) -> bool:
    if kind == _BOOL_OR_ERROR:
        return content[7] == 1
    return kind == _FORMULA and content[12:14] == b"\xff\xff" and content[6] == _ERROR_RESULT
