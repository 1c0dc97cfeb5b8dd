"""The family of a course and leaving: what a fit tells, what it refuses, where it can be read."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from alliance.families.course_and_leaving.model import course_and_leaving_fit
from alliance.families.course_and_leaving.sensitivity import Worsening

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "leaving_recovery.py"
ENTRY = {"family": "course_and_leaving", "outcome": "alliance", "time": "weeks_since_intake"}


@pytest.fixture(scope="module")
def cohort():
    spec = importlib.util.spec_from_file_location("leaving_recovery", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.cohort


@pytest.fixture(scope="module")
def fit(cohort):
    return course_and_leaving_fit(cohort(), "leaving", ENTRY)


def test_association_and_course_stand_beside_the_models_fitted_apart(fit):
    assert fit.usable and fit.as_json()["model"] == "leaving"
    association, change = fit.main
    # One cohort: three errors. Bias and coverage over many are in docs/missing.md.
    assert abs(association.estimate + 0.35) < 3 * association.se
    assert abs(change.estimate - 0.3) < 3 * change.se
    beside = [one for one in fit.companions if one.term == "leaving: value"]
    assert [one.estimator.code for one in beside] == ["last_score", "two_stage"]
    # a score has error, which draws its association towards zero
    assert abs(beside[0].estimate) < abs(association.estimate)


def test_the_mean_change_rises_with_the_association_taken(fit):
    """The stronger low courses leave, the lower the change of all beside that of who stayed."""
    (curve,) = fit.curves
    assert np.all(np.diff(curve.estimate) > 0)
    alone = next(one for one in fit.companions if one.estimator.code == "course_alone")
    at_none = np.interp(0.0, curve.x, curve.estimate)
    assert at_none == pytest.approx(alone.estimate, abs=1e-4)


def test_where_sign_and_interval_are_lost():
    x, estimate = np.array([-1.0, 0.0, 1.0]), np.array([-0.2, 0.2, 0.6])
    worse = Worsening(x, estimate, estimate - 0.1, estimate + 0.1)
    assert worse.loses("sign") == pytest.approx(-0.5)
    assert worse.loses("interval") == pytest.approx(-0.25)
    wide = Worsening(x, estimate, estimate - 0.3, estimate + 0.3)
    assert wide.loses("interval") is None


def test_too_few_who_left_are_refused(cohort):
    found = cohort()
    found.panel["dropout_event"] = 0.0
    refused = course_and_leaving_fit(found, "leaving", ENTRY)
    assert refused.status == "refused" and "dropout" in refused.message


def test_a_course_nobody_has_is_refused(cohort):
    found = cohort()
    found.panel["weeks_since_intake"] = np.nan
    assert course_and_leaving_fit(found, "leaving", ENTRY).status == "refused"
