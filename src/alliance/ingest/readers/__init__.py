"""Readers: one file format each, all with one interface.

A reader is a function `read(path, source) -> RawTable`: everything as text first, with row numbers
as the user sees them. `source` is the table's entry in the completed site mapping
(`alliance.site_mapping.completed_mapping`). A file that cannot be read at all raises
`alliance.ingest.raw.UnreadableError` with the rule that it breaks. Adding a format is one module
here and one entry in `READERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from alliance.ingest.raw import RawTable, UnreadableError
from alliance.ingest.readers import delimited, excel, sav

Reader = Callable[[Path, Mapping[str, Any]], RawTable]

READERS: dict[str, Reader] = {"csv": delimited.read, "excel": excel.read, "sav": sav.read}


def read_table(raw_folder: str | Path, source: Mapping[str, Any]) -> RawTable:
    """Read the file of a table's mapping.

    Raises
    ------
    UnreadableError
        With the rule that the file as a whole breaks.
    """
    folder = Path(raw_folder).resolve()
    path = folder / source["file"]
    if not path.is_file():
        raise UnreadableError("file-missing", f"there is no file {source['file']}")
    if not path.resolve().is_relative_to(folder):
        raise UnreadableError("file-unreadable", "the file lies outside the site's raw folder")
    if path.stat().st_size == 0:
        raise UnreadableError("file-empty", "the file is empty (0 bytes)")
    return READERS[source["format"]](path, source)
