"""The demo's twin: four sites with habits of their own, the models' estimates, nobody in it."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alliance import files
from alliance.config.cohort import load_cohort
from alliance.families.cohort import Cohort
from alliance.families.common.times import with_times
from alliance.families.growth.model import growth_fit
from alliance.families.hazard.model import hazard_fit
from alliance.families.joint_courses.model import joint_courses_fit
from alliance.ingest.readers import read_table
from alliance.measures.scoring import scores_of
from alliance.panel.build import panel_of
from alliance.persons import Persons
from alliance.twin.model import keys_of_cohort
from alliance.twin.write import write_twin

_SPEC = importlib.util.spec_from_file_location("of_tiny", Path(__file__).with_name("test_twin.py"))
of_tiny = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(of_tiny)
made = of_tiny.made
FITS = {
    "alliance_growth": growth_fit,
    "symptom_growth": growth_fit,
    "alliance_and_symptoms": joint_courses_fit,
    "dropout_hazard": hazard_fit,
}


@pytest.fixture(scope="module")
def twin(finished_demo, tmp_path_factory):
    """The folder with demo and twin, and the canonical tables of both."""
    folder, demo = tmp_path_factory.mktemp("demo_twin"), finished_demo.folder
    shutil.copytree(demo / "config", folder / "config")
    for part in ("data/raw/demo", "data/processed/demo", "results/demo/fits"):
        shutil.copytree(demo / part, folder / part)
    shutil.copy(demo / "results/demo/measurement.json", folder / "results" / "demo")
    assert write_twin(folder / "config" / "config.yaml", folder) == []
    real = {t: files.read_parquet(folder / f"data/processed/demo/{t}.parquet")
            for t in ("clients", "responses")}  # fmt: skip
    config = folder / "config" / "demo_twin.yaml"
    return folder, real, made.read_cohort(config, folder / "data" / "raw" / "demo_twin")


def test_it_has_no_problem_at_all(twin):
    _, _, (_, tables) = twin
    assert tables["quarantine"].empty


def test_every_file_has_its_columns_and_types(twin):
    folder, _, (parts, _) = twin
    for site in parts:
        mapping = made.load_site(
            made.site_mapping_path(folder / "config/config.yaml", "demo", site)
        )
        for table in mapping["tables"]:
            one, other = (
                read_table(folder / "data" / "raw" / name / site, table)
                for name in ("demo", "demo_twin")
            )
            assert one.header == other.header
            assert one.labels == other.labels and set(one.dates) == set(other.dates)
            assert one.declared_missing == other.declared_missing


def test_nobodys_id_is_in_it(twin):
    folder, _, _ = twin
    config = folder / "config" / "config.yaml"
    for site in load_cohort(config)["sites"]:
        mapping = made.load_site(made.site_mapping_path(config, "demo", site))
        names = {table["client"] for table in mapping["tables"]}
        names |= {"Therapeut", "ther_id", "therapist_id", "therapist"}
        ids = []
        for cohort in ("demo", "demo_twin"):
            raw = folder / "data" / "raw" / cohort / site
            tables = [read_table(raw, table) for table in mapping["tables"]]
            cells = [t.columns[t.header.index(n)] for t in tables for n in names if n in t.header]
            ids.append(set(pd.concat(cells).dropna()))
        assert len(ids[1]) > 50 and not ids[0] & ids[1]


def test_no_row_of_it_is_nearer_to_a_real_one_than_real_ones_are(twin):
    _, real, (_, tables) = twin
    of_tiny.assert_nobody_is_copied(tables["responses"], real["responses"])


def estimates(fit):
    return {
        (row["term"], row["level"], row["estimator"]["code"]): (row["estimate"], row["se"])
        for row in fit["estimates"]
        if row["se"]
    }


def test_its_estimates_lie_within_sampling_error_of_the_real_ones(twin):
    folder, _, (_, tables) = twin
    config = folder / "config" / "demo_twin.yaml"
    cohort, keys = load_cohort(config), keys_of_cohort(config)
    scores = scores_of(tables["responses"], keys)[0]
    panel = panel_of(tables["clients"], tables["sessions"], scores, [*keys])
    found = with_times(Persons().numbered(panel))
    asked = Cohort(found, panel_sha256="0" * 64, measures=cohort["measures"], instruments=keys)
    distances = []
    for name, fit_one in FITS.items():
        fit = fit_one(asked, name, cohort["models"][name]).as_json()
        assert fit["status"] in ("converged", "singular"), fit["message"]
        before = estimates(files.read_json(folder / f"results/demo/fits/{name}.json"))
        after = estimates(fit)
        assert before.keys() == after.keys()
        for key, (value, se) in before.items():
            distances.append((after[key][0] - value) / np.hypot(se, after[key][1]))
    distances = np.array(distances)
    assert len(distances) > 35
    assert (
        np.abs(distances).max() < 3.5
    )  # of so many, one in some fifty cohorts is so far by chance
    assert np.sqrt(np.mean(distances**2)) < 1.3
