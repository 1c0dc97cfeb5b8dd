"""Real alliance data: growth and coupling of the public cohort IMPLEMENT equal lme4's.

The file lies outside the project (ALLIANCE_SHARED_DATA, else ../shared/data); it is read by the
cohort's own configuration, tests/cohorts/implement, so that intake, scoring and panel are part of
what is compared. The numbers are in implement/implement.json, made by implement.R beside it.
"""

import json
import os
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from alliance.config.cohort import instrument_path, load_cohort, site_mapping_path
from alliance.families.cohort import Cohort
from alliance.families.coupling.model import coupling_fit
from alliance.families.growth.model import growth_fit
from alliance.families.joint_courses.model import joint_courses_fit
from alliance.ingest.pool import pool_sites
from alliance.ingest.site import ingest_site
from alliance.measures.scoring import keys_of, scores_of
from alliance.panel.build import panel_of
from tests.conftest import ROOT

FOLDER = Path(__file__).parent / "implement"
R = json.loads((FOLDER / "implement.json").read_text())
SHARED = Path(os.environ.get("ALLIANCE_SHARED_DATA", ROOT.parent / "shared" / "data"))
CONFIG = ROOT / "tests" / "cohorts" / "implement" / "config.yaml"
FIT = {"growth": growth_fit, "coupling": coupling_fit}
AS_IN_R = {"residual": "independent", "random_slopes": ["client"]}


@pytest.fixture(scope="module")
def configured():
    return load_cohort(CONFIG)


@pytest.fixture(scope="module")
def pooled(configured, tmp_path_factory):
    raw, out = SHARED / "implement", tmp_path_factory.mktemp("implement")
    if not (raw / "implement_sessions.csv").is_file():
        pytest.skip(f"the public data set implement is not here ({raw.as_posix()})")
    keys = [measure["instrument"] for measure in configured["measures"].values()]
    ingest_site(
        cohort="implement", site="trial", mapping=site_mapping_path(CONFIG, "implement", "trial"),
        raw_folder=raw, measures=configured["measures"],
        instruments=[instrument_path(CONFIG, key) for key in keys],
        private_folder=out / "private", simulated=False, out_folder=out / "trial",
    )  # fmt: skip
    pool_sites(site_folders=[out / "trial"], out_folder=out, checks_folder=out)
    tables = ("clients", "sessions", "responses", "quarantine")
    return {name: pd.read_parquet(out / f"{name}.parquet") for name in tables}


@pytest.fixture(scope="module")
def cohort(configured, pooled):
    measures = configured["measures"]
    paths = [instrument_path(CONFIG, m["instrument"]) for m in measures.values()]
    keys = keys_of(measures, paths)
    scores, _ = scores_of(pooled["responses"], keys)
    panel = panel_of(pooled["clients"], pooled["sessions"], scores, list(measures))
    return Cohort(panel, "0" * 64, measures, keys)


def test_the_file_is_read_without_a_problem(pooled):
    assert pooled["quarantine"].empty
    assert len(pooled["clients"]) == 57 and len(pooled["sessions"]) == 806
    assert pooled["clients"]["therapist"].nunique() == 13
    assert pooled["sessions"]["session"].max() == 15


def in_r(term):
    return "(Intercept)" if term == "1" else term


@pytest.mark.parametrize("name", R)
def test_real_courses_equal_lme4(configured, cohort, name):
    entry = configured["models"][name]
    fit = FIT[entry["family"]](cohort, name, entry | AS_IN_R, diagnosed=False).as_json()
    assert fit["status"] in ("converged", "singular")
    assert fit["data"]["rows_used"] == R[name]["n"]
    rows = {in_r(row["term"]): row for row in fit["estimates"]}
    assert set(rows) == set(R[name]["estimate"])
    for term, row in rows.items():
        assert row["estimate"] == pytest.approx(R[name]["estimate"][term], rel=1e-3, abs=1e-5)
        assert row["se"] == pytest.approx(R[name]["se"][term], rel=1e-3)
    assert fit["fit_statistics"]["log_likelihood"] > R[name]["log_likelihood"] - 1e-6


@pytest.fixture(scope="module")
def joint(cohort):
    """Return joint courses in the order of the trial: symptoms before, alliance after."""
    when = {"alliance": "after", "symptoms": "before"}
    measures = {name: own | {"asked": when[name]} for name, own in cohort.measures.items()}
    entry = {
        "outcomes": ["alliance", "symptoms"],
        "times": ["session", "session"],
        "distance": "sessions",
    }
    return joint_courses_fit(replace(cohort, measures=measures), "both", entry)


def test_joint_courses_of_real_data_are_read_in_the_order_of_the_trial(joint):
    assert joint.as_json()["status"] in ("converged", "singular")
    within = {entry.term: entry for entry in joint.main if entry.level == "within client"}
    assert list(within) == ["alliance -> symptoms", "symptoms -> alliance, same session"]
    for entry in within.values():
        assert entry.ci_low < entry.estimate < entry.ci_high
    carried = [entry for entry in joint.estimates if entry.level == "autoregression"]
    assert all(0 < entry.estimate < 1 and entry.p < 0.001 for entry in carried)


@pytest.mark.parametrize("name", ["alliance_growth", "symptoms_to_alliance"])
def test_kenward_roger_equals_pbkrtest(configured, cohort, name):
    """Thirteen therapists, and no variance at its boundary."""
    entry = configured["models"][name] | AS_IN_R | {"df": "kenward-roger"}
    fit = FIT[entry["family"]](cohort, name, entry, diagnosed=False).as_json()
    assert fit["engine"]["df_method"]["code"] == "kenward_roger"
    for row in fit["estimates"]:
        term = in_r(row["term"])
        assert row["se"] == pytest.approx(R[name]["kenward_roger"]["se"][term], rel=1e-3)
        assert row["df"] == pytest.approx(R[name]["kenward_roger"]["df"][term], rel=1e-2)


def test_the_published_reference_numbers_are_lme4s():
    """Those of the data set's own README, to the digits that it gives."""
    value = {name: numbers["estimate"] for name, numbers in R.items()}
    assert value["alliance_to_symptoms"]["alliance_within"] == pytest.approx(0.0039, abs=5e-5)
    assert value["alliance_to_symptoms"]["symptoms_within"] == pytest.approx(0.3267, abs=5e-5)
    assert value["symptoms_to_alliance"]["symptoms_within"] == pytest.approx(0.0049, abs=5e-5)
    assert value["symptoms_to_alliance"]["alliance_within"] == pytest.approx(0.1351, abs=5e-5)
    assert value["alliance_growth"]["session"] == pytest.approx(0.0351, abs=5e-5)
    assert value["symptoms_growth"]["session"] == pytest.approx(-0.0380, abs=5e-5)
