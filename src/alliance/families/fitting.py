"""Fit the models of one family: panel in, one JSON a model out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from alliance import files
from alliance.config.measure_keys import keys_of
from alliance.families.cohort import Cohort
from alliance.families.common.references import with_references
from alliance.families.common.times import with_times
from alliance.families.fit import Fit


def fit_family(
    fit_one: Callable[[Cohort, str, Mapping[str, Any]], Fit],
    *,
    panel: str | Path,
    measures: Mapping[str, Mapping[str, Any]],
    instruments: list[str | Path],
    models: Mapping[str, Mapping[str, Any]],
    fits: list[str | Path],
) -> None:
    """Fit all models of one family in one process and publish each at its place in `fits`."""
    cohort = Cohort(
        panel=files.read_parquet(panel),
        panel_sha256=files.sha256_of(panel),
        measures=measures,
        instruments=keys_of(measures, instruments),
    )
    table = with_times(cohort.panel)
    places = {Path(path).stem: path for path in fits}
    for name, entry in models.items():
        own = replace(cohort, panel=with_references(table, entry.get("reference", {})))
        files.write_json(fit_one(own, name, entry).as_json(), places[name])
