"""Readers: one file format each, all with one interface.

A reader is a function `read(file, source) -> RawTable`: everything as text first, with row numbers
as the user sees them. `file` is the raw file, unpacked (`alliance.ingest.readers.opened`); `source`
is the table's entry in the completed site mapping
(`alliance.config.site_mapping.completed_mapping`). A file that cannot be read at all raises
`alliance.ingest.raw.UnreadableError` with the rule that it breaks. Adding a format is one module
here and one entry in `alliance.config.formats`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from alliance.config.formats import FORMATS
from alliance.ingest.raw import Astray, Mark, RawTable
from alliance.ingest.readers import signature
from alliance.ingest.readers.opened import RawFile, open_raw

MIN_HEADER_CELLS = 3  # fewer names may well be repeated by chance


def read_table(raw_folder: str | Path, source: Mapping[str, Any]) -> RawTable:
    """Read the file of a table's mapping.

    Raises
    ------
    UnreadableError
        With the rule that the file as a whole breaks.
    """
    file = open_raw(Path(raw_folder), source["file"], source)
    signature.check(file, source["format"])
    table = _without_repeated_headers(_read(file, source))
    if file.alike:
        told = f"the file {source['file']} looks like it, but for {file.alike}; it is read as such"
        table.marks.append(Mark("look-alike-name", None, found=told))
    n_rows = len(table) + sum(astray.rows_affected for astray in table.astray)
    if source["n_rows"] is not None and n_rows != source["n_rows"]:
        table.marks.append(Mark("rows-missing", None, rows_affected=abs(source["n_rows"] - n_rows)))
    return table


def _read(file: RawFile, source: Mapping[str, Any]) -> RawTable:
    module = import_module(f"alliance.ingest.readers.{FORMATS[source['format']].reader}")
    table: RawTable = module.read(file, source)
    return table


def _without_repeated_headers(table: RawTable) -> RawTable:
    """Take out rows that repeat the header: two exports stacked on each other."""
    named = [(i, name) for i, name in enumerate(table.header) if name]
    repeats = np.ones(len(table), dtype=bool)
    for i, name in named:
        if not repeats.any():
            break
        repeats &= (table.columns[i].str.strip() == name).fillna(False).to_numpy(dtype=bool)
    if len(named) < MIN_HEADER_CELLS or not repeats.any():
        return table
    astray = [Astray(int(row), "header-again") for row in table.rows[repeats]]
    kept = table.kept(~repeats)
    kept.astray = sorted([*table.astray, *astray], key=lambda a: a.row)
    return kept
