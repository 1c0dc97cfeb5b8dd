"""Imputation and weights against R's mice, jomo, mitml, lme4, geepack and clubSandwich."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from alliance.families.cohort import Cohort
from alliance.families.common.times import with_times
from alliance.families.growth.model import growth_model
from alliance.families.missing_not_at_random.completed import completed
from alliance.families.missing_not_at_random.courses import completed_courses
from alliance.families.missing_not_at_random.imputation import Imputer, drawn_parameters
from alliance.families.missing_not_at_random.rubin import pooled
from alliance.families.missing_not_at_random.scenarios import scenarios
from alliance.families.missing_not_at_random.weights import weighted_least_squares

FOLDER = Path(__file__).parent / "missing"
R = json.loads((FOLDER / "missing.json").read_text())
TIME = "weeks_since_intake"


@pytest.mark.parametrize("theirs", R["pools"], ids=lambda one: str(one["dfcom"]))
def test_rubins_rules_are_those_of_mice(theirs):
    found = pooled(np.array(R["q"]), np.array(R["u"]), theirs["dfcom"] or np.inf)
    assert found.estimate == pytest.approx(theirs["estimate"], rel=1e-10)
    assert found.se == pytest.approx(theirs["se"], rel=1e-10)
    assert found.df == pytest.approx(theirs["df"], rel=1e-9)
    assert found.missing_information == pytest.approx(theirs["fmi"], rel=1e-9)


def test_weighted_least_squares_is_geepacks_and_its_errors_are_clubsandwichs():
    d = pd.read_csv(FOLDER / "weighted.csv")
    t, group = d["t"].to_numpy(float), d["group"].to_numpy(float)
    x = np.column_stack([np.ones(len(d)), t, group, t * group])
    b, covariance, df = weighted_least_squares(
        x, d["y"].to_numpy(), d["w"].to_numpy(), d["client"].to_numpy()
    )
    assert b == pytest.approx(R["geepack"]["coefficients"], rel=1e-8)
    assert np.sqrt(np.diag(covariance)) == pytest.approx(R["cr2"]["se"], rel=1e-6)
    assert df == pytest.approx(R["cr2"]["df"], rel=1e-5)


def test_imputation_agrees_with_jomo_and_with_the_likelihood():
    """Apart by chance in the imputations alone; jomo's prior widens its standard error a little."""
    d = pd.read_csv(FOLDER / "dropout.csv")
    last = d.groupby("client")["t"].transform("max")
    panel = with_times(
        pd.DataFrame(
            {
                "site": "a", "therapist": pd.NA, "client": [f"c{k:03d}" for k in d["client"]],
                "session": d["t"] + 1, TIME: d["t"].astype(float), "y": d["y"],
                "dropout_event": ((d["t"] == last) & (last < 5)).astype(float),
            }
        )
    )  # fmt: skip
    key = SimpleNamespace(
        scores=[SimpleNamespace(name="total")], definition={"scores": {"total": {}}}
    )
    cohort = Cohort(panel, "0" * 64, {"y": {"label": "Y"}}, {"y": key})
    entry = {"outcome": "y", "time": TIME, "residual": "independent", "random_slopes": ["client"]}
    fitted, _, _ = growth_model(cohort, entry, compared=False)
    table = fitted.fit.coefficients.set_index("term").loc[TIME]
    assert table["estimate"] == pytest.approx(R["lme4"]["slope"], rel=1e-4)
    assert table["se"] == pytest.approx(R["lme4"]["se"], rel=1e-3)
    courses = completed_courses(panel, fitted, "y", TIME, 6)
    assert len(courses.rows) == 6 * 120
    imputer = Imputer(fitted.fit, courses.rows, "y")
    draws = drawn_parameters(fitted.fit, 60, 1)
    assumed = scenarios(courses, fitted.fit, imputer.x, "", [], [])[:1]
    (pools,) = completed(fitted, courses, "y", [TIME], imputer, draws, assumed, 1).found.values()
    (ours,) = pools
    theirs = R["jomo"]["b_sd"] / np.sqrt(R["jomo"]["imputations"])
    apart = np.hypot(ours.monte_carlo_error, theirs)
    assert abs(ours.estimate - R["jomo"]["slope"]) < 3 * apart
    assert abs(ours.estimate - table["estimate"]) < 3 * ours.monte_carlo_error
    assert ours.se == pytest.approx(R["jomo"]["se"], rel=0.15)
    assert ours.se == pytest.approx(table["se"], rel=0.15)
