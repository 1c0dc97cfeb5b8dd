"""The hazard finds the truth that made the cohorts; looking ahead does not (docs/dropout.md)."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "dropout_recovery.py"
COHORTS = 12


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("dropout_recovery", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def found(study):
    return study.replicate(range(COHORTS), ("as the workflow", "looking ahead"))


@pytest.mark.exhaustive
def test_the_workflows_hazard_finds_the_truth(study, found):
    """Four standard errors of the mean over these cohorts; the variance is a little too small."""
    for quantity, truth in (("within", study.WITHIN), ("between", study.BETWEEN)):
        told = study.summary(found, "as the workflow", quantity, truth)
        assert abs(told["bias"]) < 4 * told["bias_se"], quantity
        assert told["mean_se"] == pytest.approx(told["sd"], rel=0.6)
    told = study.summary(found, "as the workflow", "therapist_sd", study.THERAPIST_SD)
    assert abs(told["bias"]) < 4 * told["bias_se"] + 0.05


@pytest.mark.exhaustive
def test_looking_ahead_invents_effects(study, found):
    within = study.summary(found, "looking ahead", "within", study.WITHIN)
    between = study.summary(found, "looking ahead", "between", study.BETWEEN)
    assert within["bias"] > 0.05
    assert between["bias"] < -0.05
    assert within["coverage"] < 0.2


def test_the_page_holds_the_table_of_300_cohorts(study):
    page = study.PAGE.read_text(encoding="utf-8")
    table = page.split(study.MARKERS[0])[1].split(study.MARKERS[1])[0]
    assert "300 cohorts" in table
    assert all(way in table for way in study.WAYS)
