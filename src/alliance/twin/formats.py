"""Files in a site's own format: delimited text, workbooks, SPSS, Stata and Parquet.

What no library of the lock can write (.xls, .ods, .sas7bdat, ...), and exports that several header
rows or a dictionary explain, become plain CSV; `alliance.twin.mapping` then adapts the mapping.
"""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import python_calamine

from alliance.ingest.raw import RawTable
from alliance.ingest.readers.cells import number_text
from alliance.ingest.readers.opened import open_raw
from alliance.simulate.stable_files import fix_sav_times, fix_xlsx_times
from alliance.twin.cells import Cell

BOM = b"\xef\xbb\xbf"
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
WRITTEN = {".xlsx": "excel", ".sav": "sav", ".zsav": "sav", ".dta": "stata", ".parquet": "parquet"}
Quoting = Literal[0, 1, 2]  # of the module csv: minimal, all, non-numeric
PLACEHOLDER = "-"  # in rows above and below the header that are no data


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table to be written.

    Attributes
    ----------
    source
        Its entry in the completed mapping.
    raw
        The real table as text, which the style of numbers is taken from.
    header
        Column names as in the file.
    rows
        Cells by position.
    """

    source: Mapping[str, Any]
    raw: RawTable
    header: list[str]
    rows: list[list[Cell]]


def kind_of(source: Mapping[str, Any]) -> str:
    """Return how a file can be written: `text`, `excel`, `sav`, `stata`, `parquet` or `csv`.

    `csv` is plain CSV in place of what cannot be written.
    """
    name = source["file"].lower()
    if source["format"] in ("csv", "redcap"):
        plain = source["dictionary"] is None and source["header"] == "names"
        return "text" if plain else "csv"
    return WRITTEN.get(Path(name).suffix, "csv")


def bytes_of(sheets: Sequence[Sheet], kind: str, raw_folder: Path) -> bytes:
    """Return the content of a file; only a workbook has more than one sheet."""
    if kind == "excel":
        return _workbook(sheets, raw_folder)
    (sheet,) = sheets
    if kind == "csv":
        return _delimited(sheet, ",", "\n", csv.QUOTE_MINIMAL).encode("utf-8")
    if kind == "text":
        return _text(sheet, raw_folder)
    writers: dict[str, Callable[[Sheet, Path], bytes]] = {
        "sav": _sav, "stata": _stata, "parquet": _parquet,
    }  # fmt: skip
    return writers[kind](sheet, raw_folder / sheet.source["file"])


def _text(sheet: Sheet, raw_folder: Path) -> bytes:
    """Return delimited text with the line ends, quotation marks and packing of the real file."""
    source = sheet.source
    real = open_raw(raw_folder, source["file"], source).bytes()
    end = "\r\n" if b"\r\n" in real else "\n"
    quoting = _quoting(real.removeprefix(BOM).decode(source["encoding"], "replace"), source)
    data = _delimited(sheet, source["delimiter"], end, quoting).encode(source["encoding"])
    if real.startswith(BOM):
        data = BOM + data
    name = source["file"].lower()
    if name.endswith(".gz"):
        return gzip.compress(data, mtime=0)
    if name.endswith(".zip"):
        with zipfile.ZipFile(raw_folder / source["file"]) as archive:
            member = source["member"] or archive.namelist()[0]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(zipfile.ZipInfo(member, ZIP_TIME), data, zipfile.ZIP_DEFLATED)
        return packed.getvalue()
    return data


def _quoting(text: str, source: Mapping[str, Any]) -> Quoting:
    """Return whether the real file has all texts in quotation marks, all cells, or only some."""
    mark = source["quote"]
    if mark == "none" or not text.startswith(mark):
        return csv.QUOTE_MINIMAL
    below = text.split("\n", 1)[-1]
    bare = any(cell[:1].isdigit() for cell in below[:10_000].split(source["delimiter"]))
    return csv.QUOTE_NONNUMERIC if bare else csv.QUOTE_ALL


def _delimited(sheet: Sheet, delimiter: str, end: str, quoting: Quoting) -> str:
    source, stream = sheet.source, io.StringIO()
    mark = source["quote"] if source["quote"] not in (None, "none") else '"'
    writer = csv.writer(
        stream, delimiter=delimiter, lineterminator=end, quoting=quoting, quotechar=mark
    )
    is_plain = kind_of(source) == "csv"
    above = 0 if is_plain else source["header_row"] - 1
    writer.writerows([[PLACEHOLDER] * len(sheet.header)] * above)
    writer.writerow(sheet.header)
    below = 0 if is_plain else source["skip_after_header"]
    writer.writerows([[PLACEHOLDER] * len(sheet.header)] * below)
    styles = [number_style(column, "." if is_plain else source["decimal"])
              for column in sheet.raw.columns[: len(sheet.header)]]  # fmt: skip
    for row in sheet.rows:
        writer.writerow([_shown(cell, style) for cell, style in zip(row, styles, strict=True)])
    return stream.getvalue()


class _Bare(float):
    """A number that is written as its text, without quotation marks."""

    def __new__(cls, value: float, text: str) -> _Bare:
        made = super().__new__(cls, value)
        made.text = text  # type: ignore[attr-defined]
        return made

    def __str__(self) -> str:
        return str(self.text)  # type: ignore[attr-defined]

    __repr__ = __str__


def _shown(cell: Cell, style: Callable[[float], str]) -> Any:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return _Bare(cell, style(cell))
    return cell.isoformat() if isinstance(cell, datetime.date) else cell


def number_style(column: pd.Series, decimal: str) -> Callable[[float], str]:
    """Return how numbers are written in a column: with so many decimals always, or at most."""
    parts = column.dropna().str.extract(r"^-?[0-9]+(?:[.,]([0-9]+))?$", expand=False)
    lengths = parts[column.dropna().str.match(r"^-?[0-9]").to_numpy(bool)].fillna("").str.len()
    most = int(lengths.max()) if len(lengths) else 0
    if len(lengths) and (lengths == most).all() and most:
        return lambda value: f"{value:.{most}f}".replace(".", decimal)
    return lambda value: number_text(round(value, most), decimal)


def _workbook(sheets: Sequence[Sheet], raw_folder: Path) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for sheet in sheets:
        page = book.create_sheet(sheet.source["sheet"] or _only_sheet(sheet, raw_folder))
        for _ in range(sheet.source["header_row"] - 1):
            page.append([PLACEHOLDER])
        page.append(sheet.header)
        for _ in range(sheet.source["skip_after_header"]):
            page.append([PLACEHOLDER])
        whole = [_most_decimals(column) for column in sheet.raw.columns[: len(sheet.header)]]
        for row in sheet.rows:
            page.append([_typed(cell, n) for cell, n in zip(row, whole, strict=True)])
    buffer = io.BytesIO()
    book.save(buffer)
    return fix_xlsx_times(buffer.getvalue())


def _only_sheet(sheet: Sheet, raw_folder: Path) -> str:
    with open_raw(raw_folder, sheet.source["file"], sheet.source).stream() as stream:
        return python_calamine.CalamineWorkbook.from_filelike(stream).sheet_names[0]


def _most_decimals(column: pd.Series) -> int:
    lengths = column.dropna().str.extract(r"^-?[0-9]+[.,]([0-9]+)$", expand=False).str.len()
    return int(lengths.max()) if lengths.notna().any() else 0


def _typed(cell: Cell, decimals: int) -> Cell | int:
    """Return a cell as a workbook holds it: texts that are whole numbers as numbers."""
    if isinstance(cell, str) and cell.isdigit() and (cell == "0" or cell[0] != "0"):
        cell = float(cell)
    if isinstance(cell, float):
        cell = round(cell, decimals)
        return int(cell) if cell.is_integer() else cell
    return cell


def _frame(sheet: Sheet, is_text: Callable[[str], bool]) -> pd.DataFrame:
    """Return the table with each column of the real column's type: text, number or date."""
    columns: dict[str, pd.Series] = {}
    for at, name in enumerate(sheet.header):
        cells = [row[at] for row in sheet.rows]
        if name in sheet.raw.dates:
            columns[name] = pd.Series(cells, dtype=object)
        elif is_text(name):
            texts = ["" if c is None else number_text(c) if isinstance(c, float) else c
                     for c in cells]  # fmt: skip
            columns[name] = pd.Series(texts, dtype=object)
        else:
            n = _most_decimals(sheet.raw.columns[at])
            values = pd.to_numeric(pd.Series(cells, dtype=object), errors="coerce")
            columns[name] = values.astype(float).round(n)
    return pd.DataFrame(columns)


def _sav(sheet: Sheet, real: Path) -> bytes:
    import pyreadstat

    meta: Any = pyreadstat.read_sav(str(real), metadataonly=True, user_missing=True)[1]
    kinds: dict[str, str] = meta.original_variable_types
    texts = {name for name, kind in kinds.items() if kind.startswith("A")}
    numbers = kinds.keys() - texts - sheet.raw.dates.keys()

    def write(frame: pd.DataFrame, path: str) -> None:
        zipped = path.endswith(".zsav")
        pyreadstat.write_sav(
            frame, path, column_labels=list(meta.column_labels or []),
            variable_value_labels=meta.variable_value_labels, missing_ranges=meta.missing_ranges,
            variable_measure=meta.variable_measure,
            variable_format={name: kinds[name] for name in sorted(numbers)},
            compress=zipped, row_compress=not zipped,
        )  # fmt: skip

    return fix_sav_times(_written(_frame(sheet, texts.__contains__), real.name, write))


def _stata(sheet: Sheet, real: Path) -> bytes:
    import pyreadstat

    meta: Any = pyreadstat.read_dta(str(real), metadataonly=True)[1]
    texts = {n for n, kind in meta.readstat_variable_types.items() if kind == "string"}

    def write(frame: pd.DataFrame, path: str) -> None:
        pyreadstat.write_dta(
            frame, path, column_labels=list(meta.column_labels or []),
            variable_value_labels=meta.variable_value_labels,
        )  # fmt: skip

    return _written(_frame(sheet, texts.__contains__), real.name, write)


def _parquet(sheet: Sheet, real: Path) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {field.name: field.type for field in pq.read_schema(real)}
    frame = _frame(sheet, lambda name: pa.types.is_string(kinds[name]) or
                   pa.types.is_large_string(kinds[name]))  # fmt: skip
    frame = frame.replace({"": None})
    for name in frame:
        if pa.types.is_integer(kinds[str(name)]):
            frame[name] = frame[name].astype("Int64")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def _written(frame: pd.DataFrame, name: str, write: Callable[[pd.DataFrame, str], None]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(frame, str(path))
        return path.read_bytes()
