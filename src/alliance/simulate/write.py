"""Write a simulated cohort as the raw files of four sites, with its truth beside them."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from alliance.errors import ConfigError
from alliance.files import read_json, write_bytes, write_json
from alliance.simulate.cohort import Cohort, simulate_courses
from alliance.simulate.faults import plant_faults
from alliance.simulate.habits import east, north, south, west
from alliance.simulate.habits.raw import client_files
from alliance.simulate.items import FORMS
from alliance.simulate.parameters import Parameters
from alliance.simulate.truth import truth_of

HABITS: dict[str, ModuleType] = {"north": north, "east": east, "south": south, "west": west}


def write_demo(seed: int, folder: str | Path, parameters: Parameters | None = None) -> Cohort:
    """Simulate the demo cohort and write its raw files and truth; return the cohort.

    Parameters
    ----------
    seed
        Seed of cohort and planted faults; the same seed gives the same bytes.
    folder
        Usually `data/raw/demo`; `<site>/...` and `truth.json` are written there.
    parameters
        Defaults to `Parameters()`. The sites must be among north, east, south, west.
    """
    cohort = simulate_courses(parameters, seed)
    write_cohort(cohort, folder)
    return cohort


def write_cohort(cohort: Cohort, folder: str | Path) -> None:
    """Write the raw files of every site and `truth.json` into `folder`.

    Raises
    ------
    ConfigError
        If the folder holds anything that was not simulated, or a site's habit is not known.
    """
    folder = Path(folder)
    unknown = [site for site in cohort.parameters.sites if site not in HABITS]
    if unknown:
        msg = (
            f"No raw files can be written for the site(s) {', '.join(unknown)}: "
            f"the simulator knows the habits of {', '.join(HABITS)}."
        )
        raise ConfigError(msg)
    _refuse_foreign_files(folder)
    rng = np.random.default_rng(np.random.SeedSequence(cohort.seed, spawn_key=(99,)))
    planted: list[dict[str, Any]] = []
    for site in cohort.parameters.sites:
        habit = HABITS[site]
        clients = client_files(cohort, site, FORMS)
        tables = habit.tables(clients, cohort.parameters)
        planted += plant_faults(site, tables, clients, rng)
        for name, data in habit.files(tables).items():
            write_bytes(data, folder / site / name)
    write_json(truth_of(cohort, planted), folder / "truth.json")


def _refuse_foreign_files(folder: Path) -> None:
    """Raise `ConfigError` rather than write among data that nobody simulated."""
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if there - {"README.md"} and not (
        (folder / "truth.json").is_file() and read_json(folder / "truth.json").get("simulated")
    ):
        msg = (
            f"{folder.name} holds files that were not simulated, and nothing was written there. "
            "Simulated raw files belong in a folder of their own: choose another one, "
            "or mend `cohort` in the config."
        )
        raise ConfigError(msg)
