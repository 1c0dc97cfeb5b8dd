"""From a printed number to the rows that it rests on: of the panel, and of the raw files.

Which rows of the panel a fit used is written with the fit (`data/processed/<cohort>/rows/`). Which
raw rows stand behind them is found by reading the raw files once more, and goes into the private
folder alone: whoever has no raw files has no list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alliance import files
from alliance.config.measure_keys import keys_of
from alliance.config.site import load_site
from alliance.errors import DataError
from alliance.families import registry
from alliance.ingest import pseudonyms
from alliance.ingest.site import read_site
from alliance.ingest.sources import CLIENT, SESSION, SET_ASIDE
from alliance.running.steps import Step

FITS = "fits/"
INGEST = "ingest_site."
USED, LEFT_OUT, CONTEXT = "used", "left out", "context"
OF_ALL_ROWS = ("/data/rows_in_panel", "/data/panel_sha256")
KEY = ["site", "client", "session"]


@dataclass(frozen=True, slots=True)
class Scope:
    """What part of a cohort a number of a description speaks of; empty: all of it."""

    sites: frozenset[str] = frozenset()
    measures: frozenset[str] = frozenset()


def scope_of(entries: Sequence[Mapping[str, Any]], sites: Sequence[str]) -> Scope:
    """Return what the entries on the way to a field say of site and measure.

    Parameters
    ----------
    entries
        The objects of the file from the outermost to the one that holds the field.
    sites
        The cohort's sites: another word under `site`, such as `all`, narrows nothing.
    """
    named = {entry["site"] for entry in entries if entry.get("site") in sites}
    keys = ("measure", "measure_1", "measure_2")
    measures = {entry[key] for entry in entries for key in keys if isinstance(entry.get(key), str)}
    return Scope(frozenset(named), frozenset(measures))


def panel_rows(
    source: str, pointer: str, fit: Mapping[str, Any] | None, project: Path, cohort: str
) -> pd.DataFrame | None:
    """Return the rows of the panel behind a field of a fit, None where the folder has none.

    Returns
    -------
    DataFrame
        site, client, session, role: `used`, or `left out` and the code of the reason. A number of
        rows left out rests on those of its reason, the others are its context; on all rows alike
        rests how many the panel has, why a model was not fitted, and what several models of one
        fit found, each from rows of its own.
    """
    if fit is None:
        return None
    path = project / "data" / "processed" / cohort / "rows" / f"{Path(source).stem}.parquet"
    if not path.is_file():
        return None
    rows = files.read_parquet(path)
    why = rows.pop("left_out").fillna("")
    of_reason = re.match(r"/data/left_out/(\d+)", pointer)
    if of_reason:
        code = fit["data"]["left_out"][int(of_reason[1])]["reason"]["code"]
        return rows.assign(role=np.where(why == code, USED, CONTEXT))
    several = fit["family"] in registry.that_are("several_models") and pointer[:5] != "/data"
    every = several or pointer.startswith(OF_ALL_ROWS) or (why != "").all()
    return rows.assign(role=[USED if every or not code else f"{LEFT_OUT}: {code}" for code in why])


def raw_rows(
    steps: Sequence[Step], panel: pd.DataFrame | None, scope: Scope, project: Path
) -> pd.DataFrame | None:
    """Return the raw rows behind a number; None where no raw file is among what it rests on.

    Parameters
    ----------
    steps
        Of the run: they say by which mapping and keys each site was read.
    panel
        Rows of the panel with their role (`panel_rows`); None: of a description.
    scope
        Of the number, where it is one of a description.
    project
        The folder with `data/`, `config/` and `private/`.

    Returns
    -------
    DataFrame
        role, site, client (pseudonym), session, about, file, sheet, row. For a fit every row of the
        cohort is there: `used` (its own sessions, and facts of their clients), `left out: <code>`,
        or `context`, whose scores enter only where parts are centred or sessions before and after
        are looked at; and what the intake has set aside, which no fit sees. For a description only
        the rows of its scope, those set aside among them.

    Raises
    ------
    DataError
        A file or the key of the pseudonyms is not there, or not what the run read.
    """
    sites = [step for step in steps if step.name.startswith(INGEST)]
    if not sites:
        return None
    found = [_of_site(step, project) for step in sites]
    table = pd.concat(found, ignore_index=True)
    if panel is None:
        kept = pd.Series(True, index=table.index)
        if scope.sites:
            kept &= table["site"].isin(scope.sites)
        if scope.measures:
            other = {CLIENT, SESSION, *scope.measures}
            kept &= table["about"].isin(other) | table["about"].str.startswith(SET_ASIDE)
        return table[kept].assign(role=USED)[_COLUMNS].reset_index(drop=True)
    role = table.merge(panel, on=KEY, how="left")["role"].astype(object)
    clients = set(panel.loc[panel["role"] == USED, "client"])
    of_used_client = (table["about"] == CLIENT) & table["client"].isin(clients)
    table["role"] = role.where(role.notna(), CONTEXT).mask(of_used_client, USED)
    is_lost = table["about"].str.startswith(SET_ASIDE)
    table["role"] = table["role"].mask(is_lost, "set aside")
    return table[_COLUMNS]


_COLUMNS = ["role", "site", "client", "session", "about", "file", "sheet", "row"]


def _of_site(step: Step, project: Path) -> pd.DataFrame:
    """Read a site's raw files again, by the mapping and keys of the run."""
    _refuse_other_files(step, project)
    site, settings = step.name.removeprefix(INGEST), step.settings
    mapping = next(path for path in step.inputs if Path(path).stem == site and "/sites/" in path)
    instruments = [project / path for path in step.inputs if "/instruments/" in path]
    tables, _ = read_site(
        site=site,
        mapping=load_site(project / mapping),
        raw_folder=project / settings["raw_folder"],
        keys=keys_of(settings["measures"], instruments),
        key=pseudonyms.key_of(project / settings["private_folder"], settings["simulated"]),
        with_sources=True,
    )
    found = tables.sources
    assert found is not None
    return found.assign(site=found["site"].replace("", site))  # a row that says nobody


def _refuse_other_files(step: Step, project: Path) -> None:
    """Raise `DataError` where a file that the run read is not there, or is another one now."""
    for path, sha256 in step.inputs.items():
        if not (project / path).is_file():
            msg = f"{path} is not here: only those who hold the raw files can list their rows."
            raise DataError(msg)
        if files.sha256_of(project / path) != sha256:
            msg = f"{path} is not the file that these results were made from: run it again first."
            raise DataError(msg)
    key = project / step.settings["private_folder"] / pseudonyms.KEY_FILE
    if not step.settings["simulated"] and not key.is_file():
        msg = f"{key.as_posix()} is not here: without it nobody can tell whose rows are whose."
        raise DataError(msg)
