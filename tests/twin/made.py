"""A small cohort of which everything is at hand that a twin is made of, without a run."""

import importlib.util
from pathlib import Path

import pandas as pd

from alliance import files
from alliance.config.cohort import load_cohort, site_mapping_path
from alliance.config.site import load_site
from alliance.ingest.site import read_site
from alliance.twin.model import keys_of_cohort

_PATH = Path(__file__).parents[1] / "faults" / "tiny.py"
_SPEC = importlib.util.spec_from_file_location("tiny_cohort_of_twins", _PATH)
tiny = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tiny)
TABLES = ("clients", "sessions", "responses")


def read_cohort(config, raw):
    """Return the canonical tables of a cohort and its quarantine, read in this process."""
    cohort, keys = load_cohort(config), keys_of_cohort(config)
    parts = {
        site: read_site(
            site=site,
            mapping=load_site(site_mapping_path(config, cohort["cohort"], site)),
            raw_folder=raw / site,
            keys=keys,
            key=b"k" * 32,
        )[0]
        for site in cohort["sites"]
    }
    every = {
        table: pd.concat([getattr(part, table) for part in parts.values()], ignore_index=True)
        for table in (*TABLES, "quarantine")
    }
    return parts, every


def as_if_run(folder, config, fits=(), correlations=()):
    """Write what a run would leave of a cohort's raw files, as far as a twin asks for it."""
    name = load_cohort(config)["cohort"]
    parts, every = read_cohort(config, folder / "data" / "raw" / name)
    processed, results = folder / "data" / "processed" / name, folder / "results" / name
    for table in TABLES:
        files.write_parquet(every[table], processed / f"{table}.parquet")
    for site, part in parts.items():
        files.write_parquet(part.clients, processed / "sites" / site / "clients.parquet")
    files.write_json({"correlations": list(correlations)}, results / "measurement.json")
    for fit_name, fit in dict(fits).items():
        files.write_json(fit, results / "fits" / f"{fit_name}.json")
    return every
