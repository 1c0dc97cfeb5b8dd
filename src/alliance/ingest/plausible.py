"""Judge whether the data of all sites together is plausible, and write what is not as problems.

The rules themselves stand in `alliance.ingest.plausibility`. This runs before the data page and the
pooling, which both read its table; the list of single clients goes to the private folder alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from alliance import files
from alliance.config.instruments import Instrument, load_instruments
from alliance.config.measure_keys import keys_of
from alliance.ingest import plausibility
from alliance.ingest.pool import sorted_by_key, stacked_table
from alliance.ingest.problems import COLUMNS, Place, Problems
from alliance.persons import Persons


def check_plausibility(
    *,
    site_folders: Sequence[str | Path],
    measures: Mapping[str, Mapping[str, Any]],
    instruments: Sequence[str | Path],
    implausible: str | Path,
    private_folder: str | Path,
) -> None:
    """Write what is implausible at the sites, in the columns of the table `quarantine`.

    Parameters
    ----------
    site_folders
        The folders of the sites' tables (`alliance.ingest.site`).
    measures, instruments
        The config's measures, and the files of the scoring keys that they name.
    implausible
        The table to write (.parquet).
    private_folder
        Where the list of the clients behind straight lines and repeated forms is written.
    """
    keys = keys_of(measures, instruments)
    persons = Persons()
    tables = {
        name: persons.numbered(stacked_table(name, site_folders))
        for name in ("sessions", "responses")
    }
    found = implausible_in(tables, _places(site_folders), keys, load_instruments())
    files.write_parquet(found, implausible)
    listed = plausibility.odd_clients(tables["responses"], keys)
    files.write_private_csv(persons.named(listed), Path(private_folder) / "odd_forms.csv")


def implausible_in(
    tables: Mapping[str, pd.DataFrame],
    places: pd.DataFrame,
    keys: Mapping[str, Instrument],
    known: Mapping[str, Instrument],
) -> pd.DataFrame:
    """Return a problem for everything that is implausible.

    Parameters
    ----------
    tables
        `sessions` and `responses` of all sites, sorted by their keys.
    places
        site, measure, item, file, sheet, column: where each item's answers stand.
    keys
        Scoring key by measure.
    known
        The project's own keys by id, to compare with.
    """
    found: dict[str, Problems] = {}
    for finding in plausibility.findings(tables["sessions"], tables["responses"], keys, known):
        place, column = _place_of(finding, places)
        problems = found.setdefault(finding.site, Problems(finding.site))
        problems.add_finding(finding.rule, place, column, finding.evidence, finding.remedy)
    empty = pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in COLUMNS.items()})
    parts = [problems.table() for problems in found.values()]
    return sorted_by_key("quarantine", pd.concat(parts)) if parts else empty


def _place_of(finding: plausibility.Finding, places: pd.DataFrame) -> tuple[Place, str | None]:
    """Return where an item's (or a measure's first item's) answers stand."""
    own = places[(places["site"] == finding.site) & (places["measure"] == finding.measure)]
    own = own[own["item"] == finding.item] if finding.item is not None else own
    if not len(own):
        return Place("(all files)", None, "responses"), None
    first = own.iloc[0]
    sheet = None if pd.isna(first["sheet"]) else str(first["sheet"])
    return Place(str(first["file"]), sheet, "responses"), str(first["column"])


def _places(site_folders: Sequence[str | Path]) -> pd.DataFrame:
    """Return the places of all sites, under the name of each site that an export holds."""
    parts = []
    for folder in site_folders:
        places = files.read_parquet(Path(folder) / "places.parquet")
        sites = files.read_parquet(Path(folder) / "clients.parquet")["site"].drop_duplicates()
        parts.append(places.drop(columns="site").merge(sites, how="cross"))
    return pd.concat(parts, ignore_index=True)
