"""Read a LimeSurvey export (CSV): a delimited file with LimeSurvey's habits.

A header with code and question (`wai[SQ001]. How often ...`) is cut to the code. "N/A", which
LimeSurvey writes for a question that was not shown, and 1980-01-01, which it writes for a time that
was not recorded, are blank.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from alliance.ingest.raw import RawTable
from alliance.ingest.readers import delimited
from alliance.ingest.readers.opened import RawFile

_CODE = re.compile(r"([A-Za-z0-9][A-Za-z0-9_]*(?:\[[A-Za-z0-9_]+\]){0,2})\.\s")
_TIMES = ("submitdate", "startdate", "datestamp")
_UNRECORDED = r"1980-01-01 00:00(?::00)?|01\.01\.1980(?: 00:00(?::00)?)?"


def read(file: RawFile, source: Mapping[str, Any]) -> RawTable:
    """Read a LimeSurvey export; see `alliance.ingest.readers`."""
    table = delimited.read(file, source)
    if source["header"] == "names_and_labels":
        table.header = [_code_of(name) for name in table.header]
    table.columns = [column.mask(column.str.strip() == "N/A") for column in table.columns]
    for name in _TIMES:
        if name in table.header:
            at = table.header.index(name)
            times = table.columns[at]
            never = times.str.strip().str.fullmatch(_UNRECORDED).fillna(False).astype(bool)
            table.columns[at] = times.mask(never)
    return table


def _code_of(name: str) -> str:
    found = _CODE.match(name)
    return found.group(1) if found else name
