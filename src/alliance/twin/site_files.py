"""The raw files of one site, filled with drawn people in place of the real ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from alliance.config.instruments import Instrument
from alliance.ingest.joining import JoinedFiles
from alliance.ingest.problems import Problems
from alliance.ingest.readers import read_table
from alliance.ingest.reading import Reading
from alliance.ingest.site import readings_of
from alliance.twin.cells import Cell
from alliance.twin.formats import Sheet, bytes_of, kind_of
from alliance.twin.rows import Client, Writer

FINEST = ("client", "session", "answer")
Group = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class RealSite:
    """A site's real files as the intake reads them.

    Attributes
    ----------
    mapping
        Its completed mapping.
    folder
        Where its raw files lie.
    readings
        By position of the table in the mapping.
    keys
        Scoring key by measure.
    """

    mapping: Mapping[str, Any]
    folder: Path
    readings: Mapping[int, Reading]
    keys: Mapping[str, Instrument]


def real_site(
    site: str, mapping: Mapping[str, Any], folder: Path, keys: Mapping[str, Instrument]
) -> RealSite:
    """Read a site's files for their columns and habits; of cells only how numbers are written."""
    found = readings_of(mapping, folder, keys, Problems(site), JoinedFiles())
    at = {id(table): n for n, table in enumerate(mapping["tables"])}
    return RealSite(mapping, folder, {at[id(reading.table)]: reading for reading in found}, keys)


def files_of(
    real: RealSite, clients: list[Client], sites: Mapping[str, str]
) -> tuple[dict[str, bytes], dict[int, str]]:
    """Return the twin's files of a site by name, and which tables became plain CSV of what name.

    Parameters
    ----------
    real
        The real files.
    clients
        The drawn clients.
    sites
        How the site column, where there is one, calls each site.
    """
    groups: dict[Group, list[int]] = {}
    for at, reading in real.readings.items():
        groups.setdefault((reading.table["file"], reading.table["sheet"]), []).append(at)
    sheets = {group: _sheet(real, members, clients, sites) for group, members in groups.items()}
    content: dict[str, bytes] = {}
    as_csv: dict[int, str] = {}
    for name in dict.fromkeys(file for file, _ in groups):
        of_file = {group: sheet for group, sheet in sheets.items() if group[0] == name}
        kind = kind_of(next(iter(of_file.values())).source)
        if kind != "csv":
            content[name] = bytes_of(list(of_file.values()), kind, real.folder)
            continue
        for group, sheet in of_file.items():
            own = _csv_name(*group)
            content[own] = bytes_of([sheet], kind, real.folder)
            as_csv |= dict.fromkeys(groups[group], own)
    return content, as_csv


def _csv_name(file: str, sheet: str | None) -> str:
    path = PurePosixPath(file)
    while path.suffix:
        path = path.with_suffix("")
    safe = "".join(c if c.isalnum() else "_" for c in sheet) if sheet else ""
    return f"{path}_{safe}.csv" if safe else f"{path}.csv"


def _sheet(
    real: RealSite, members: Sequence[int], clients: list[Client], sites: Mapping[str, str]
) -> Sheet:
    """Return the one table that the mapping's entries `members` read."""
    ordered = sorted(members, key=lambda at: -FINEST.index(real.readings[at].table["rows"]))
    first = real.readings[ordered[0]]
    names = read_table(real.folder, first.table).header
    header = names + [name for entry in first.table["join"] for name in entry["take"]]
    together = not any(real.readings[at].table["keep_rows"] for at in members)
    rows: list[dict[int, Cell]] = []
    for at in ordered:
        reading = real.readings[at]
        own = list(_writer(real, reading, sites).rows(clients))
        named = list(enumerate(reading.raw.header[: len(header)]))
        where = {name: n for n, name in reversed(named)}
        placed = [{where[k]: v for k, v in row.items() if k in where} for row in own]
        if rows and together:
            _merge(rows, placed, _key(reading, where))
        else:
            rows += placed
    cells = [[row.get(n) for n in range(len(header))] for row in rows]
    return Sheet(first.table, first.raw, header, cells)


def _key(reading: Reading, where: Mapping[str, int]) -> list[int]:
    """Return the positions of what names a row: the client and, where there is one, the session."""
    session = (reading.table["session"] or {}).get("column")
    names = [reading.table["client"], session if reading.table["rows"] != "client" else None]
    return [where[name] for name in names if name is not None]


def _merge(
    rows: Iterable[dict[int, Cell]], others: Iterable[dict[int, Cell]], key: Sequence[int]
) -> None:
    """Fill in what a second entry of the mapping reads from the same rows."""
    told = {tuple(row.get(at) for at in key): row for row in others}
    for row in rows:
        for at, cell in told.get(tuple(row.get(at) for at in key), {}).items():
            if row.get(at) is None:
                row[at] = cell


def _writer(real: RealSite, reading: Reading, sites: Mapping[str, str]) -> Writer:
    return Writer(reading, real.keys, sites, _skipped(reading), _facts_on_sessions(reading))


def _skipped(reading: Reading) -> Cell:
    """Return what the file has most often for an item that was left out, beside an empty cell."""
    columns = [entry.column for listed in reading.columns.items.values() for entry in listed]
    for column in columns:
        for low, high in reading.raw.declared_missing.get(column, []):
            if low == high:
                return float(low)
    missing = set(reading.table["missing"])
    found: Counter[str] = Counter()
    for column in columns if missing else ():
        texts = reading.raw.column(column)
        found.update(texts[texts.isin(missing)].tolist())
    return found.most_common(1)[0][0] if found else None


def _facts_on_sessions(reading: Reading) -> bool:
    """Say whether most rows of sessions tell of the client, where others do."""
    given = reading.table["session"]
    facts = [f["column"] for f in reading.table["client_facts"].values() if f["boxes"] is None]
    if not given or not given["about_client"] or not facts:
        return False
    is_session = ~reading.raw.column(given["column"]).isin(given["about_client"])
    filled = [reading.cells(column)[is_session].notna().mean() for column in facts]
    return bool(sum(filled) / len(filled) > 0.5)
