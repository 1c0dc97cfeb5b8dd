"""Real alliance data: growth and coupling of the public cohort IMPLEMENT equal lme4's.

The file lies outside the project (ALLIANCE_SHARED_DATA, else ../shared/data); the numbers are in
implement/implement.json, made by implement.R beside it.
"""

import json
import os
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from alliance.config.instruments import load_instruments
from alliance.families.cohort import Cohort
from alliance.families.coupling.model import coupling_fit
from alliance.families.growth.model import growth_fit
from alliance.families.joint_courses.model import joint_courses_fit
from alliance.panel.build import panel_of
from tests.conftest import ROOT

FOLDER = Path(__file__).parent / "implement"
R = json.loads((FOLDER / "implement.json").read_text())
SHARED = Path(os.environ.get("ALLIANCE_SHARED_DATA", ROOT.parent / "shared" / "data"))
FILE = SHARED / "implement" / "implement_sessions.csv"
AS_IN_R = {"residual": "independent", "random_slopes": ["client"], "time": "session"}
MODELS = {
    "alliance_growth": (growth_fit, AS_IN_R | {"outcome": "alliance"}),
    "symptom_growth": (growth_fit, AS_IN_R | {"outcome": "symptoms"}),
    "alliance_to_symptoms": (
        coupling_fit,
        {"predictor": "alliance", "outcome": "symptoms", "time": "session"},
    ),
    "symptoms_to_alliance": (
        coupling_fit,
        {"predictor": "symptoms", "outcome": "alliance", "time": "session"},
    ),
}


@pytest.fixture(scope="module")
def cohort():
    if not FILE.is_file():
        pytest.skip("the public data sets are not here")
    raw = pd.read_csv(FILE).assign(site="bern")
    key = ["site", "client", "session"]
    values = []
    for measure, items, fewest in (("alliance", "wai_", 7), ("symptoms", "bai_", 2)):
        answers = raw[[column for column in raw if column.startswith(items)]]
        score = answers.mean(axis=1).where(answers.notna().sum(axis=1) >= fewest)
        values.append(raw[key].assign(measure=measure, subscale="total", score=score))
    scores = pd.concat(values).dropna(subset="score")
    people = raw[["site", "client", "therapist"]].drop_duplicates().assign(end_status=None)
    seen = raw[key].assign(weeks_since_intake=raw["session"] - 1.0, attended=True)
    keys = load_instruments()
    return Cohort(
        panel_of(people, seen, scores, ["alliance", "symptoms"]), "0" * 64,
        {"alliance": {"label": "Alliance"}, "symptoms": {"label": "Symptoms"}},
        {"alliance": keys["wai-sr-c"], "symptoms": keys["phq-9"]},
    )  # fmt: skip


def in_r(term):
    return "(Intercept)" if term == "1" else term


@pytest.mark.parametrize("name", MODELS)
def test_real_courses_equal_lme4(cohort, name):
    fit_one, entry = MODELS[name]
    fit = fit_one(cohort, name, entry, diagnosed=False).as_json()
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


def test_the_published_reference_numbers_are_lme4s():
    """Those of the data set's own README, to the digits that it gives."""
    value = {name: numbers["estimate"] for name, numbers in R.items()}
    assert value["alliance_to_symptoms"]["alliance_within"] == pytest.approx(0.0039, abs=5e-5)
    assert value["alliance_to_symptoms"]["symptoms_within"] == pytest.approx(0.3267, abs=5e-5)
    assert value["symptoms_to_alliance"]["symptoms_within"] == pytest.approx(0.0049, abs=5e-5)
    assert value["symptoms_to_alliance"]["alliance_within"] == pytest.approx(0.1351, abs=5e-5)
    assert value["alliance_growth"]["session"] == pytest.approx(0.0351, abs=5e-5)
    assert value["symptom_growth"]["session"] == pytest.approx(-0.0380, abs=5e-5)
