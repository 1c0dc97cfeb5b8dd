"""Read a Qualtrics export (CSV or TSV): a delimited file with three header rows.

The first holds the column names, the second the wordings of the questions, the third the import ids
as JSON. Rows 2 and 3 are no data; that they are there is made sure of, since an export without them
would lose two clients.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alliance.ingest.raw import RawTable, UnreadableError
from alliance.ingest.readers import delimited
from alliance.ingest.readers.opened import RawFile

HEADER_ROWS = 3


def read(file: RawFile, source: Mapping[str, Any]) -> RawTable:
    """Read a Qualtrics export; see `alliance.ingest.readers`."""
    source = {**source, "skip_after_header": HEADER_ROWS - 1}
    table, below = delimited.read_below(file, source)
    ids = below[-1] if len(below) == HEADER_ROWS - 1 else []
    if not any(cell.replace(" ", "").startswith('{"ImportId":') for cell in ids):
        found = "the third row holds no import ids, as the export of Qualtrics does"
        remedy = "export it again from Qualtrics as CSV, or set `format: csv` for this table in the"
        remedy += " site mapping (with `skip_after_header: 1` if row 2 holds question texts)"
        row = source["header_row"] + HEADER_ROWS - 1
        raise UnreadableError("file-unreadable", found, row, remedy=remedy)
    return table
