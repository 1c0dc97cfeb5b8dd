"""Open every file and sheet of a site, and guess how it is written; what is guessed is checked.

The readers of the intake read the files, with the guesses as their mapping: a guess that a reader
refuses is no guess.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import python_calamine

from alliance.config.site_mapping import completed_mapping, format_of
from alliance.ingest.raw import RawTable, UnreadableError
from alliance.ingest.readers import read_table
from alliance.ingest.readers.cells import cell_text
from alliance.ingest.readers.opened import RawFile, open_raw
from alliance.ingest.readers.signature import FORMATS, content_of
from alliance.running.raw_folders import EXCEL_LOCK

CUT_OFF = "unexpected end of data"  # how Python calls a character that is cut in two
DELIMITERS = (",", ";", "\t", "|")
LOOKED_AT = 40  # rows at the top that tell delimiter and header
_SNIFFED_BYTES = 4_000_000
_NUMBER = re.compile(r"[-+]?[0-9]+([.,][0-9]+)?")
_DATE = re.compile(r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}.*")
_COMMA_NUMBER = r"[-+]?[0-9]+,[0-9]+"
_POINT_NUMBER = r"[-+]?[0-9]+\.[0-9]+"


@dataclass(slots=True)
class Sheet:
    """One file, or one sheet of it, and how it is written.

    Attributes
    ----------
    file
        Its name in the site's folder.
    source
        The keys of a mapping's table that say how it is written, where they are no default.
    why
        By key of `source`: what the guess rests on.
    raw
        The table as text.
    has_names
        Whether the header row seems to hold names (else they are never told: they may be values).
    """

    file: str
    source: dict[str, Any] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    raw: RawTable = field(default_factory=lambda: RawTable([], [], np.array([], dtype=np.int64)))
    has_names: bool = True


def look_at(folder: Path) -> tuple[list[Sheet], list[tuple[str, str]]]:
    """Return the sheets of a site's files, and the files that cannot be read with the reason."""
    sheets: list[Sheet] = []
    unread: list[tuple[str, str]] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or any(part.startswith(".") for part in name.split("/")):
            continue
        if path.name.startswith(EXCEL_LOCK):
            told = f"{path.name.removeprefix(EXCEL_LOCK)} is open in Excel: save it and close Excel"
            unread.append((name, told))
            continue
        try:
            found = list(_sheets(folder, name))
        except UnreadableError as error:
            unread.append((name, error.found or error.rule.replace("-", " ")))
            continue
        if any("Variable / Field Name" in sheet.raw.header for sheet in found):  # words of others
            told = "this is REDCap's data dictionary, no data: name it as `dictionary` of the table"
            unread.append((name, f"{told} that it explains"))
            continue
        sheets += [sheet for sheet in found if sheet.raw.header]
    return sheets, unread


def _sheets(folder: Path, name: str) -> Iterator[Sheet]:
    file = open_raw(folder, name, {})
    content = content_of(file)
    kind = format_of(name) or format_of(file.name)
    real = FORMATS.get(content) if content else ("csv" if _is_text(file) else None)
    if kind is None and real is None:
        raise UnreadableError("file-unreadable", "no table of a format that is known here")
    sheet = Sheet(name)
    if real is not None and kind != real:
        sheet.source["format"] = kind = real
        sheet.why["format"] = "by its content; the ending says otherwise"
    if kind == "csv":
        _guess_delimited(file, sheet)
    if kind == "excel":
        yield from _workbook(folder, file, sheet)
        return
    yield _read(folder, sheet)


def _is_text(file: RawFile) -> bool:
    head = file.head(4096)
    return b"\x00" not in head or head[:2] in (b"\xff\xfe", b"\xfe\xff")


def _read(folder: Path, sheet: Sheet) -> Sheet:
    """Read the sheet as guessed; a comma as decimal sign shows only now."""
    table = {"file": sheet.file, "rows": "client", "client": "?", **sheet.source}
    source = completed_mapping({"site": "look", "tables": [table]})["tables"][0]
    sheet.raw = read_table(folder, source)
    commas = points = 0
    for column in sheet.raw.columns:
        texts = column.dropna().drop_duplicates().head(2000).str.strip()
        commas += int(texts.str.fullmatch(_COMMA_NUMBER).sum())
        points += int(texts.str.fullmatch(_POINT_NUMBER).sum())
    if commas > points:
        sheet.source["decimal"] = ","
        sheet.why["decimal"] = "numbers with a decimal comma, hardly any with a point"
    return sheet


def _workbook(folder: Path, file: RawFile, first: Sheet) -> Iterator[Sheet]:
    try:
        with file.stream() as stream:
            workbook = python_calamine.CalamineWorkbook.from_filelike(stream)
            names = workbook.sheet_names
            tops = {
                name: [
                    [cell_text(cell).strip() for cell in row]
                    for row in workbook.get_sheet_by_name(name).to_python(
                        skip_empty_area=False, nrows=LOOKED_AT
                    )
                ]
                for name in names
            }
    except (python_calamine.CalamineError, OSError):
        raise UnreadableError("file-unreadable", "this is no workbook, or a damaged one") from None
    for name, top in tops.items():
        filled = [row for row in top if any(row)]
        if len(filled) < 2 or max(sum(map(bool, row)) for row in filled) < 2:
            continue  # an empty sheet, or a note
        sheet = Sheet(first.file, dict(first.source), dict(first.why))
        if len(names) > 1:
            sheet.source["sheet"] = name
        _guess_header(top, sheet)
        yield _read(folder, sheet)


def _guess_delimited(file: RawFile, sheet: Sheet) -> None:
    """Guess encoding, delimiter and header row of a delimited file."""
    data = file.bytes()[:_SNIFFED_BYTES]
    encoding = _encoding(data)
    if encoding != "utf-8":
        sheet.source["encoding"] = encoding
        sheet.why["encoding"] = "the file is not UTF-8; look whether its letters come out right"
    text = data.decode(encoding if encoding != "utf-8" else "utf-8-sig", errors="replace")
    lines = text.splitlines(keepends=True)[: 5 * LOOKED_AT]
    delimiter = max(DELIMITERS, key=lambda sign: _fit(lines, sign))
    usual = "\t" if file.name.lower().endswith(".tsv") else ","
    if delimiter != usual:
        sheet.source["delimiter"] = delimiter
    top = list(_records(lines, delimiter))[:LOOKED_AT]
    if len(top) > 2 and any(cell.replace(" ", "").startswith('{"ImportId":') for cell in top[2]):
        sheet.source["format"] = "qualtrics"
        sheet.why["format"] = "three header rows with import ids, as Qualtrics writes them"
        return
    if top and "redcap_event_name" in (cell.strip() for cell in top[0]):
        sheet.source["format"] = "redcap"
        sheet.why["format"] = "it has REDCap's own columns"
    _guess_header([[cell.strip() for cell in row] for row in top], sheet)


def _encoding(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    try:
        data.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError as error:
        if error.start > len(data) - 4 and error.reason == CUT_OFF:
            return "utf-8"  # cut in the middle of a letter by looking at the beginning only
    high = [byte for byte in data if byte >= 0x80]
    if len(high) > 0.2 * len(data):
        return "gb18030"
    return "cp1252" if any(0x80 <= byte < 0xA0 for byte in high) else "latin-1"


def _records(lines: list[str], delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=delimiter)
    except csv.Error:
        return


def _fit(lines: list[str], delimiter: str) -> float:
    """Return how well a delimiter splits the lines: how many rows share a width, and which."""
    widths = Counter(len(record) for record in _records(lines, delimiter) if record)
    if not widths:
        return 0.0
    width, count = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
    return 0.0 if width < 2 else count / sum(widths.values()) + min(width, 500) / 1000


def _guess_header(top: list[list[str]], sheet: Sheet) -> None:
    """Guess which row holds the column names, and how many rows below it are no data."""
    width = max((len(row) for row in top), default=0)
    if not width:
        return
    last = (
        max(i for row in top for i, cell in enumerate(row) if cell) + 1 if any(map(any, top)) else 1
    )
    names = next((i for i, row in enumerate(top) if _are_names(row, last)), None)
    if names is None:
        sheet.has_names = False
        return
    below = next((i for i in range(names + 1, len(top)) if _is_data(top[i])), names + 1)
    between = top[names + 1 : below]
    # Rows of words between names and data: the last one that could hold names as short as the
    # first is the header (a row of groups above it), else they are wordings or units.
    for i, row in enumerate(between, start=names + 1):
        if _are_names(row, last) and _has_numbers_in_names(row) > _has_numbers_in_names(top[names]):
            names, between = i, top[i + 1 : below]
    if names:
        sheet.source["header_row"] = names + 1
        sheet.why["header_row"] = f"the first row that names nearly all of the {last} columns"
    if between and 0 < len(between) < 4 and all(map(_is_wording, between)):
        sheet.source["skip_after_header"] = len(between)
        sheet.why["skip_after_header"] = "words below the names, where the rows after hold numbers"


def _are_names(row: list[str], width: int) -> bool:
    """Whether a row can hold the names of `width` columns: filled, each once, hardly a number."""
    filled = [cell for cell in row if cell]
    values = sum(bool(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell)) for cell in filled)
    return (
        len(filled) >= max(2, 0.8 * width)
        and len(set(filled)) >= 0.9 * len(filled)
        and values <= 0.1 * len(filled)
    )


def _is_data(row: list[str]) -> bool:
    filled = [cell for cell in row if cell]
    values = sum(bool(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell)) for cell in filled)
    return bool(filled) and values >= 0.3 * len(filled)


def _is_wording(row: list[str]) -> bool:
    return any(row) and not _is_data(row)


def _has_numbers_in_names(row: list[str]) -> int:
    return sum(bool(re.search(r"[0-9]", cell)) for cell in row)
