"""Read SPSS files (.sav, .zsav, .por) by pyreadstat; user-missing values become blank."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pyreadstat

from alliance.ingest.raw import RawTable
from alliance.ingest.readers import encodings, labelled
from alliance.ingest.readers.opened import RawFile

# Variable formats that hold a date; SPSS stores seconds since 14 October 1582.
_DATE_FORMATS = ("DATE", "ADATE", "EDATE", "SDATE", "JDATE", "DATETIME", "YMDHMS")
_ORIGIN_DAY = -141_428.0  # 1582-10-14


def read(file: RawFile, source: Mapping[str, Any]) -> RawTable:
    """Read an SPSS file; see `alliance.ingest.readers`. Rows are case numbers from 1."""
    is_portable = b"SPSS PORT FILE" in file.head(500)
    parse = pyreadstat.read_por if is_portable else pyreadstat.read_sav
    table = labelled.read(file, source, parse, _unit_of, "SPSS")
    if not is_portable:
        table.declared_missing = _declared_missing(file, source["encoding"])
    return table


def _declared_missing(file: RawFile, encoding: str | None) -> dict[str, list[tuple[float, float]]]:
    """Return the ranges of numbers that the file calls missing, by variable."""
    parse: Callable[..., Any] = pyreadstat.read_sav
    with file.stream() as stream:
        meta = parse(stream, metadataonly=True, user_missing=True, **encodings.declared(encoding))[
            1
        ]
    return {
        name.strip(): [
            (float(gap["lo"]), float(gap["hi"]))
            for gap in ranges
            if isinstance(gap["lo"], int | float) and isinstance(gap["hi"], int | float)
        ]
        for name, ranges in meta.missing_ranges.items()
    }


def _unit_of(variable_format: str) -> tuple[float | None, float] | None:
    kind = variable_format.rstrip("0123456789.")
    if kind == "TIME":
        return None, labelled.SECONDS_A_DAY
    return (_ORIGIN_DAY, labelled.SECONDS_A_DAY) if kind in _DATE_FORMATS else None
