"""What the readers of statistics programs share: pyreadstat's values as the text of a table.

Numbers are written as a person would (7, not 7.0), dates as yyyy-mm-dd with their time of day,
user-missing values are blank, and value labels go with the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat

from alliance.ingest.raw import RawTable, UnreadableError, with_blanks_missing
from alliance.ingest.readers import encodings
from alliance.ingest.readers.cells import (
    MS_A_DAY,
    is_possible,
    moment_text,
    number_text,
    texts_by_unique,
    time_text,
)
from alliance.ingest.readers.opened import FREE_BYTES, MAX_BYTES, MAX_EXPANSION, RawFile

SECONDS_A_DAY = 86_400.0
BYTES_A_CELL = 8
# What pyreadstat raises on a damaged file, beside its own errors.
_FAULTS = (
    pyreadstat.ReadstatError,
    pyreadstat.PyreadstatError,
    ValueError,
    UnicodeError,
    MemoryError,
    OverflowError,
    KeyError,
    IndexError,
    TypeError,
)

# (format of a variable) -> (days between the format's origin and 1970-01-01, or None where it holds
# times of day; units a day), or None where it is no date
DateUnit = Callable[[str], "tuple[float | None, float] | None"]


def read(
    file: RawFile,
    source: Mapping[str, Any],
    parse: Callable[..., Any],
    unit_of: DateUnit,
    program: str,
) -> RawTable:
    """Read a file of a statistics program; rows are case numbers from 1.

    Parameters
    ----------
    file, source
        As for every reader (`alliance.ingest.readers`).
    parse
        The function of pyreadstat.
    unit_of
        Tells for the format of a variable whether and how it counts days.
    program
        Its name, for the user.
    """
    frame, meta = _parsed(file, parse, program, source["encoding"])
    if not meta.column_names:
        raise UnreadableError("file-empty", "the file has no variables")
    # A damaged file may hold a variable without a name.
    header = [(name or "").strip() for name in meta.column_names]
    table = RawTable(header=header, columns=[], rows=np.arange(1, len(frame) + 1, dtype=np.int64))
    for position, name in enumerate(meta.column_names):
        values = frame.iloc[:, position]
        unit = unit_of(str(meta.original_variable_types.get(name) or ""))
        if not pd.api.types.is_numeric_dtype(values):
            table.columns.append(_texts(values))
        elif unit is not None:
            origin_day, units_a_day = unit
            if origin_day is None:
                table.columns.append(_times(values, units_a_day))
            else:
                table.columns.append(_dates(values, origin_day, units_a_day))
                table.dates[header[position]] = table.columns[-1].notna()
        else:
            table.columns.append(_numbers(values, source["decimal"]))
        labels = meta.variable_value_labels.get(name, {})
        table.labels[header[position]] = {
            _code_text(code): str(label) for code, label in labels.items()
        }
    _refuse_wrong_letters(table, source["encoding"], meta.file_encoding or "")
    is_blank = np.logical_and.reduce([column.isna().to_numpy() for column in table.columns])
    table.blank_rows = int(is_blank.sum())
    return table.kept(~is_blank) if is_blank.any() else table


def _refuse_wrong_letters(table: RawTable, declared: str | None, used: str) -> None:
    labels = (label for by_code in table.labels.values() for label in by_code.values())
    cells = (str(text) for column in table.columns for text in column.dropna().unique())
    encodings.refuse_utf8_read_as_another((*table.header, *labels, *cells), declared, used)


def _parsed(
    file: RawFile, parse: Callable[..., Any], program: str, encoding: str | None
) -> tuple[pd.DataFrame, Any]:
    told = encodings.declared(encoding)
    damaged = UnreadableError("file-unreadable", f"this is no {program} file, or a damaged one")
    try:
        with file.stream() as stream:
            meta = parse(stream, metadataonly=True, **told)[1]
        n_bytes = BYTES_A_CELL * (meta.number_rows or 0) * len(meta.column_names)
        if n_bytes > min(MAX_BYTES, max(10 * FREE_BYTES, MAX_EXPANSION * file.size)):
            raise UnreadableError("file-unreadable", "the file grows beyond all measure")
        with file.stream() as stream:
            frame, meta = parse(stream, disable_datetime_conversion=True, **told)
            return frame, meta
    except _FAULTS as error:
        if encodings.is_wrong_encoding(error):
            raise encodings.wrong_encoding(encoding) from None
        raise damaged from None


def _texts(values: pd.Series) -> pd.Series:
    """Return a text column; SPSS pads texts with blanks at their end, which mean nothing."""
    return with_blanks_missing(values.astype("str").str.rstrip().reset_index(drop=True))


def _numbers(values: pd.Series, decimal: str) -> pd.Series:
    return texts_by_unique(values, lambda value: number_text(value, decimal))


def _dates(values: pd.Series, origin_day: float, units_a_day: float) -> pd.Series:
    def text(value: float) -> str:
        ms = (value / units_a_day + origin_day) * MS_A_DAY
        # An impossible date stays there as its number, so that it is told.
        return moment_text(round(ms)) if is_possible(ms) else number_text(value)

    return texts_by_unique(values, text)


def _times(values: pd.Series, units_a_day: float) -> pd.Series:
    def text(value: float) -> str:
        ms = value / units_a_day * MS_A_DAY
        return time_text(round(ms)) if is_possible(ms) else number_text(value)

    return texts_by_unique(values, text)


def _code_text(code: Any) -> str:
    if isinstance(code, int | float) and np.isfinite(code):
        return number_text(code)
    return str(code).strip()
