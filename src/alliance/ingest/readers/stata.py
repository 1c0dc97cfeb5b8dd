"""Read Stata files (.dta) by pyreadstat; missing values `.`, `.a` to `.z` become blank."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pyreadstat

from alliance.ingest.raw import RawTable
from alliance.ingest.readers import labelled
from alliance.ingest.readers.opened import RawFile

_ORIGIN_DAY = -3_653.0  # 1960-01-01


def read(file: RawFile, source: Mapping[str, Any]) -> RawTable:
    """Read a Stata file; see `alliance.ingest.readers`. Rows are observations from 1."""
    return labelled.read(file, source, pyreadstat.read_dta, _unit_of, "Stata")


def _unit_of(variable_format: str) -> tuple[float | None, float] | None:
    """Tell days (%td, formerly %d) and milliseconds (%tc, %tC); weeks and months are no dates.

    A %tc that shows hours and no day (%tcHH:MM:SS) holds times of day.
    """
    kind = variable_format.replace("-", "")
    if kind.lower().startswith("%tc") and kind[3:] and not re.search("[CYNnLlDdJj]", kind[3:]):
        return None, 1000 * labelled.SECONDS_A_DAY
    if kind.startswith(("%td", "%d")):
        return _ORIGIN_DAY, 1.0
    if kind.lower().startswith("%tc"):
        return _ORIGIN_DAY, 1000 * labelled.SECONDS_A_DAY
    return None
