"""Read SAS files (.sas7bdat, .xpt) by pyreadstat; special missing values become blank.

SAS keeps value labels in a catalog beside the data, which is not read: codes stay codes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pyreadstat

from alliance.ingest.raw import RawTable
from alliance.ingest.readers import labelled
from alliance.ingest.readers.opened import RawFile

_ORIGIN_DAY = -3_653.0  # 1960-01-01
_DAYS = ("DATE", "DAY", "DDMMYY", "MMDDYY", "YYMMDD", "JULIAN", "WEEKDATE", "WEEKDATX", "WORDDATE",
         "WORDDATX", "E8601DA", "B8601DA", "IS8601DA", "NLDATE", "EURDFDD", "EURDFDE", "MINGUO",
         "NENGO", "XYYMMDD")  # fmt: skip
_SECONDS = ("DATETIME", "DATEAMPM", "E8601DT", "B8601DT", "IS8601DT", "NLDATM", "EURDFDT",
            "MDYAMPM", "DTDATE", "E8601DN", "B8601DN")  # fmt: skip
_TIMES = ("TIME", "TOD", "TIMEAMPM", "HHMM", "E8601TM", "B8601TM", "IS8601TM", "NLTIME")


def read(file: RawFile, source: Mapping[str, Any]) -> RawTable:
    """Read a SAS file; see `alliance.ingest.readers`. Rows are observations from 1."""
    is_transport = file.head(6) == b"HEADER"
    parse = pyreadstat.read_xport if is_transport else pyreadstat.read_sas7bdat
    return labelled.read(file, source, parse, _unit_of, "SAS")


def _unit_of(variable_format: str) -> tuple[float | None, float] | None:
    name = re.sub(r"[0-9.]*$", "", variable_format.upper())
    stem = re.sub(r"^(DDMMYY|MMDDYY|YYMMDD)[BCDNPS]$", r"\1", name)
    if stem in _SECONDS:
        return _ORIGIN_DAY, labelled.SECONDS_A_DAY
    if stem in _TIMES:
        return None, labelled.SECONDS_A_DAY
    return (_ORIGIN_DAY, 1.0) if stem in _DAYS else None
