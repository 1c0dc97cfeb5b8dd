"""Read SPSS files (.sav, .zsav) by pyreadstat; user-missing values become blank."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat

from alliance.ingest.raw import RawTable, UnreadableError, with_blanks_missing
from alliance.ingest.readers.cells import number_text

# Variable formats that hold a date; SPSS stores seconds since 14 October 1582.
_DATE_FORMATS = ("DATE", "ADATE", "EDATE", "SDATE", "JDATE", "DATETIME", "YMDHMS")
_SECONDS_A_DAY = 86_400
_SPSS_ORIGIN = np.datetime64("1582-10-14")


def read(path: Path, source: Mapping[str, Any]) -> RawTable:
    """Read an SPSS file; see `alliance.ingest.readers`. Rows are case numbers from 1."""
    try:
        frame, meta = pyreadstat.read_sav(str(path), disable_datetime_conversion=True)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, ValueError, UnicodeDecodeError):
        raise UnreadableError("file-unreadable", "this is no SPSS file, or a damaged one") from None
    if not meta.column_names:
        raise UnreadableError("file-empty", "the file has no variables")
    header = [name.strip() for name in meta.column_names]
    table = RawTable(header=header, columns=[], rows=np.arange(1, len(frame) + 1, dtype=np.int64))
    for name in meta.column_names:
        values = frame[name]
        kind = str(meta.original_variable_types.get(name, "")).rstrip("0123456789.")
        if kind in _DATE_FORMATS:
            table.columns.append(_dates(values))
            table.dates[name.strip()] = values.notna().reset_index(drop=True)
        elif pd.api.types.is_numeric_dtype(values):
            table.columns.append(_numbers(values, source["decimal"]))
        else:
            table.columns.append(with_blanks_missing(values.astype("str")))
        labels = meta.variable_value_labels.get(name, {})
        table.labels[name.strip()] = {
            _code_text(code): str(label) for code, label in labels.items()
        }
    is_blank = np.logical_and.reduce([column.isna().to_numpy() for column in table.columns])
    table.blank_rows = int(is_blank.sum())
    return table.kept(~is_blank) if is_blank.any() else table


def _numbers(values: pd.Series, decimal: str) -> pd.Series:
    positions, distinct = pd.factorize(values)
    texts = np.array([*(number_text(value, decimal) for value in distinct), None], dtype=object)
    return pd.Series(texts[positions], dtype="str")


def _dates(values: pd.Series) -> pd.Series:
    positions, seconds = pd.factorize(values)
    days = np.floor(np.asarray(seconds, dtype=float) / _SECONDS_A_DAY).astype("int64")
    texts = np.datetime_as_string(_SPSS_ORIGIN + days.astype("timedelta64[D]"))
    return pd.Series(np.array([*texts, None], dtype=object)[positions], dtype="str")


def _code_text(code: Any) -> str:
    return number_text(code) if isinstance(code, int | float) else str(code).strip()
