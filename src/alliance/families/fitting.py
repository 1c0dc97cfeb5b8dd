"""Fit the models of one family: panel in, one JSON a model out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from alliance import files
from alliance.config.measure_keys import keys_of
from alliance.families.cohort import Cohort
from alliance.families.common.references import with_references
from alliance.families.common.times import with_times
from alliance.families.fit import Fit
from alliance.persons import Persons


def fit_family(
    fit_one: Callable[[Cohort, str, Mapping[str, Any]], Fit],
    *,
    panel: str | Path,
    measures: Mapping[str, Mapping[str, Any]],
    instruments: list[str | Path],
    models: Mapping[str, Mapping[str, Any]],
    fits: list[str | Path],
    rows: list[str | Path],
) -> None:
    """Fit all models of one family in one process and publish each at its place in `fits`.

    Which rows of the panel a fit used, and why each other one is left out, is published at its
    place in `rows` (columns of `rows_of`).
    """
    persons = Persons()
    cohort = Cohort(
        panel=persons.numbered(files.read_parquet(panel)),
        panel_sha256=files.sha256_of(panel),
        measures=measures,
        instruments=keys_of(measures, instruments),
    )
    table = with_times(cohort.panel)
    places, with_rows = ({Path(path).stem: path for path in paths} for paths in (fits, rows))
    for name, entry in models.items():
        own = replace(cohort, panel=with_references(table, entry.get("reference", {})))
        fit = fit_one(own, name, entry)
        files.write_json(fit.as_json(), places[name])
        files.write_parquet(persons.named(rows_of(cohort.panel, fit)), with_rows[name])


def rows_of(panel: pd.DataFrame, fit: Fit) -> pd.DataFrame:
    """Return site, client, session of each row of the panel, and why the fit left it out.

    `left_out` is the code of the reason (`alliance.families.facts.Reason`); empty: used.
    """
    return panel[["site", "client", "session"]].assign(left_out=fit.data.why.astype("str"))
