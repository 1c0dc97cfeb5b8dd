"""Read SAS files (.sas7bdat, .xpt) by pyreadstat; special missing values become blank.

SAS keeps value labels in a catalog beside the data, which is not read: codes stay codes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pyreadstat

from alliance.ingest.raw import RawTable, UnreadableError
from alliance.ingest.readers import labelled
from alliance.ingest.readers.opened import RawFile

_RECORD = 80
_HEADING = rb"HEADER RECORD[*]{7}%s +HEADER RECORD!{7}"
_MEMBER = re.compile(_HEADING % rb"(?:MEMBER|MEMBV8)" + rb"[0-9 ]{26}([0-9]{4})  ")
_VARIABLES = re.compile(_HEADING % rb"(?:NAMESTR|NAMSTV8)" + rb"([0-9]{10})[0-9 ]{22}")
_OBSERVATIONS = re.compile(_HEADING % rb"(?:OBS|OBSV8)" + rb"([0-9 ]{16})[0-9 ]{16}")
_ORIGIN_DAY = -3_653.0  # 1960-01-01
_DAYS = ("DATE", "DAY", "DDMMYY", "MMDDYY", "YYMMDD", "JULIAN", "WEEKDATE", "WEEKDATX", "WORDDATE",
         "WORDDATX", "E8601DA", "B8601DA", "IS8601DA", "NLDATE", "EURDFDD", "EURDFDE", "MINGUO",
         "NENGO", "XYYMMDD")  # fmt: skip
_SECONDS = ("DATETIME", "DATEAMPM", "E8601DT", "B8601DT", "IS8601DT", "NLDATM", "EURDFDT",
            "MDYAMPM", "DTDATE", "E8601DN", "B8601DN")  # fmt: skip
_TIMES = ("TIME", "TOD", "TIMEAMPM", "HHMM", "E8601TM", "B8601TM", "IS8601TM", "NLTIME")


def read(file: RawFile, source: Mapping[str, Any]) -> RawTable:
    """Read a SAS file; see `alliance.ingest.readers`. Rows are observations from 1."""
    if file.head(6) != b"HEADER":
        return labelled.read(file, source, pyreadstat.read_sas7bdat, _unit_of, "SAS")
    table = labelled.read(file, source, pyreadstat.read_xport, _unit_of, "SAS")
    _refuse_cut_off(file.bytes(), table.n_read)
    return table


def _refuse_cut_off(data: bytes, n_read: int) -> None:
    """Refuse a transport file that ends too early, which pyreadstat reads as a smaller study.

    Everything in it is 80 bytes long; observations are filled up with blanks to that length
    (SAS technical note TS-140), and version 8 says how many there are.
    """
    names = _OBSERVATIONS.search(data)
    if names is None or len(data) % _RECORD:
        raise UnreadableError("file-unreadable", "the file ends in the middle of a record")
    n_told = names.group(1).strip()
    if n_told.isdigit() and 0 < int(n_told) != n_read:
        found = f"the file says that it has {int(n_told):,} observations, and has {n_read:,}"
        raise UnreadableError("file-unreadable", found)
    body, n_bytes = data[names.end() :], _observation_bytes(data[: names.start()])
    if _MEMBER.search(body):
        return  # another data set follows; only the first is read
    left = len(body) % n_bytes if n_bytes else 0
    if left and body[-left:].strip(b" "):
        raise UnreadableError("file-unreadable", "the file ends in the middle of an observation")


def _observation_bytes(head: bytes) -> int:
    """Return the length of an observation: the sum over its variables; 0 if that is not told."""
    member, variables = _MEMBER.search(head), _VARIABLES.search(head)
    if member is None or variables is None:
        return 0
    each, start = int(member.group(1)), variables.end()
    places = range(start, start + each * int(variables.group(1)), each)
    return sum(int.from_bytes(head[at + 4 : at + 6], "big") for at in places)


def _unit_of(variable_format: str) -> tuple[float | None, float] | None:
    name = re.sub(r"[0-9.]*$", "", variable_format.upper())
    stem = re.sub(r"^(DDMMYY|MMDDYY|YYMMDD)[BCDNPS]$", r"\1", name)
    if stem in _SECONDS:
        return _ORIGIN_DAY, labelled.SECONDS_A_DAY
    if stem in _TIMES:
        return None, labelled.SECONDS_A_DAY
    return (_ORIGIN_DAY, 1.0) if stem in _DAYS else None
