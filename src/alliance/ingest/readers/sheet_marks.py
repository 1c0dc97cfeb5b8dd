"""What a sheet holds beside its cells: what is hidden, formulas without result, errors (#N/A).

Read from the sheet's own XML (.xlsx, .ods) or from the records of an .xls file, whose formulas
always carry a result.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import IO
from xml.etree import ElementTree
from xml.parsers import expat

from alliance.ingest.raw import Mark
from alliance.ingest.readers import xls
from alliance.ingest.readers.opened import RawFile

HIDDEN, FORMULA, ERROR = "hidden-row", "formula-without-value", "error-in-cell"
HIDDEN_COLUMN, HIDDEN_SHEET = "hidden-column", "hidden-sheet"
MOST_COLUMNS = 16_384  # of the format
_BLOCK = 8_000_000
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?row>)", re.S)
_ROW_END = re.compile(rb"</(?:\w+:)?row>|<(?:\w+:)?row\b[^>]*/>")
_CELL = re.compile(rb"<(?:\w+:)?c\b([^>]*?)>(.*?)</(?:\w+:)?c>", re.S)
_NUMBER = re.compile(rb'\br="([0-9]+)"')
_PLACE = re.compile(rb'\br="([A-Z]{1,3})[0-9]+"')
_COLUMN = re.compile(rb"<(?:\w+:)?col\b([^>]*)>")
_FROM, _TO = re.compile(rb'\bmin="([0-9]{1,5})"'), re.compile(rb'\bmax="([0-9]{1,5})"')
_IS_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_HAS_VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>[^<]")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def of_sheet(file: RawFile, sheet: str) -> Iterator[Mark]:
    """Yield the marks of a sheet; none where the file tells nothing (calamine has read it)."""
    with file.stream() as stream:
        if not zipfile.is_zipfile(stream):
            yield from _xls_marks(file, sheet)
            return
        try:
            with zipfile.ZipFile(stream) as archive:
                names = set(archive.namelist())
                if "xl/workbook.xml" in names:
                    part, is_hidden = _part_of(archive, sheet)
                    if is_hidden:
                        yield Mark(HIDDEN_SHEET, None)
                    if part in names:
                        with archive.open(part) as xml:
                            yield from _xlsx_marks(xml)
                elif "content.xml" in names:
                    yield from _ods_marks(archive.read("content.xml"), sheet)
        except (ElementTree.ParseError, expat.ExpatError, KeyError):
            return


def _xls_marks(file: RawFile, sheet: str) -> Iterator[Mark]:
    for found in xls.sheets_of(file.bytes()):
        if found.name == sheet:
            if found.is_hidden:
                yield Mark(HIDDEN_SHEET, None)
            yield from (Mark(HIDDEN_COLUMN, None, column) for column in found.hidden_columns)
            yield from (Mark(HIDDEN, row) for row in found.hidden)
            yield from (Mark(ERROR, row, column) for row, column in found.errors)


def _part_of(archive: zipfile.ZipFile, sheet: str) -> tuple[str, bool]:
    """Return the part that holds a sheet of an .xlsx file ("": not told), and if it is hidden."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {r.get("Id"): r.get("Target", "") for r in relations}
    for entry in book.iter():
        if entry.tag.endswith("}sheet") and entry.get("name") == sheet:
            target = targets.get(entry.get(_RELATION), "")
            path = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
            return path if target else "", entry.get("state", "visible") != "visible"
    return "", False


def _xlsx_marks(xml: IO[bytes]) -> Iterator[Mark]:
    number = 0
    for i, rows in enumerate(_whole_rows(xml)):
        if i == 0:
            yield from _hidden_columns(rows[: rows.find(b"sheetData")])
        if not (_IS_HIDDEN.search(rows) or b'"e"' in rows or _FORMULA.search(rows)):
            last = rows[rows.rfind(b"row ") :]  # nothing odd in any of them: only count on
            told = _NUMBER.search(last)
            number = int(told.group(1)) if told else number + len(_ROW_END.findall(rows))
            continue
        for found in _ROW.finditer(rows):
            attributes, cells = found.groups()
            told = _NUMBER.search(attributes)
            number = int(told.group(1)) if told else number + 1
            if _IS_HIDDEN.search(attributes):
                yield Mark(HIDDEN, number)
            if cells and (b'"e"' in cells or _FORMULA.search(cells)):
                yield from _cell_marks(cells, number)


def _hidden_columns(head: bytes) -> Iterator[Mark]:
    """Yield a mark for each hidden column, told in what stands before the rows."""
    for found in _COLUMN.findall(head):
        first, last = _FROM.search(found), _TO.search(found)
        if _IS_HIDDEN.search(found) and first and last:
            for column in range(int(first.group(1)), min(int(last.group(1)), MOST_COLUMNS) + 1):
                yield Mark(HIDDEN_COLUMN, None, column - 1)


def _whole_rows(xml: IO[bytes]) -> Iterator[bytes]:
    """Yield the XML in blocks that end with a row."""
    left = b""
    while block := xml.read(_BLOCK):
        left += block
        ends = [end.end() for end in _ROW_END.finditer(left)]
        if ends:
            yield left[: ends[-1]]
            left = left[ends[-1] :]


def _cell_marks(cells: bytes, row: int) -> Iterator[Mark]:
    for found in _CELL.finditer(cells):
        attributes, content = found.groups()
        place = _PLACE.search(attributes)
        if place is None:
            continue
        column = _position(place.group(1))
        if b't="e"' in attributes:
            yield Mark(ERROR, row, column)
        elif b't="str"' in attributes:
            continue  # also a formula whose result is the empty text says so
        elif _FORMULA.search(content) and not _HAS_VALUE.search(content):
            yield Mark(FORMULA, row, column)


def _position(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1


def _ods_marks(content: bytes, sheet: str) -> list[Mark]:
    """Return the marks of a sheet of an .ods file."""
    reading = _OdsMarks(sheet)
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = reading.opened, reading.closed
    parser.Parse(content, True)
    return reading.marks


class _OdsMarks:
    """Follows a parser through an .ods file, and keeps what is marked in one sheet."""

    def __init__(self, sheet: str) -> None:
        self.sheet, self.marks = sheet, list[Mark]()
        self.inside, self.row, self.column = False, 0, 0
        self.style, self.hidden_styles = "", set[str]()

    def opened(self, tag: str, told: dict[str, str]) -> None:
        """Begin an element."""
        if tag == "style:style":
            self.style = told.get("style:name", "")
        elif tag == "style:table-properties" and told.get("table:display") == "false":
            self.hidden_styles.add(self.style)
        elif tag == "table:table":
            self.inside, self.row, self.column = told.get("table:name") == self.sheet, 0, 0
            if self.inside and told.get("table:style-name") in self.hidden_styles:
                self.marks.append(Mark(HIDDEN_SHEET, None))
        elif self.inside and tag == "table:table-column":
            self._begin_column(told)
        elif self.inside and tag == "table:table-row":
            self._begin_row(told)
        elif self.inside and tag in ("table:table-cell", "table:covered-table-cell"):
            self._begin_cell(told)

    def closed(self, tag: str) -> None:
        """End an element."""
        if tag == "table:table":
            self.inside = False

    def _begin_column(self, told: dict[str, str]) -> None:
        after = self.column + int(told.get("table:number-columns-repeated", "1"))
        if _is_hidden(told):
            columns = range(self.column, min(after, MOST_COLUMNS))
            self.marks.extend(Mark(HIDDEN_COLUMN, None, column) for column in columns)
        self.column = after

    def _begin_row(self, told: dict[str, str]) -> None:
        self.row, self.column = self.row + 1, 0
        repeated = int(told.get("table:number-rows-repeated", "1"))
        if _is_hidden(told):
            self.marks.extend(Mark(HIDDEN, self.row + i) for i in range(min(repeated, 1000)))
        self.row += repeated - 1

    def _begin_cell(self, told: dict[str, str]) -> None:
        if told.get("calcext:value-type") == "error":
            self.marks.append(Mark(ERROR, self.row, self.column))
        elif "table:formula" in told and "office:value-type" not in told:
            self.marks.append(Mark(FORMULA, self.row, self.column))
        n_rows = int(told.get("table:number-rows-spanned", "1"))
        n_columns = int(told.get("table:number-columns-spanned", "1"))
        if n_rows * n_columns > 1:
            self.marks.extend(
                Mark("merged-cells", self.row, self.column + i, n_rows) for i in range(n_columns)
            )
        self.column += int(told.get("table:number-columns-repeated", "1"))


def _is_hidden(told: dict[str, str]) -> bool:
    return told.get("table:visibility") in ("collapse", "filter")
