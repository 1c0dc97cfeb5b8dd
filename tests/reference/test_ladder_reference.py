"""The growth ladder, step by step, against lme4 and nlme (coupling/references.R)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alliance.families.common.curves import KNOT
from alliance.families.growth_shape.steps import Step, choose, climb, try_step

FOLDER = Path(__file__).parent / "coupling"
R = json.loads((FOLDER / "references.json").read_text())
NAMES = {
    "no_change": "null",
    "linear": "linear",
    "linear_client_slopes": "linear_client_slopes",
    "logarithmic": "log_client_slopes",
    "quadratic": "quadratic",
}


def rows_of(name):
    table = pd.read_csv(FOLDER / f"{name}.csv").rename(columns={"id": "client", "t": "session"})
    return table.assign(client=table["client"].astype(str))


@pytest.fixture(scope="module", params=["sleepstudy", "orthodont"])
def case(request):
    rows = rows_of(request.param)
    return R[request.param], rows, climb(rows, "y", "session", ["client"], [])


def test_every_step_equals_lme4(case):
    theirs, _, found = case
    ours = {one.step.name: one for one in found}
    for name, r_name in NAMES.items():
        fit = ours[name].fit
        assert fit.log_likelihood == pytest.approx(theirs[r_name]["log_likelihood"], abs=1e-5), name
        assert fit.n_parameters == theirs[r_name]["n_parameters"]
        assert ours[name].criterion("aic") == pytest.approx(theirs[r_name]["aic"], abs=2e-5)
        assert ours[name].criterion("bic_rows") == pytest.approx(
            theirs[r_name]["bic_rows"], abs=2e-5
        )


def test_every_knot_equals_lme4_and_the_best_one_is_kept(case):
    theirs, rows, found = case
    knots = theirs["knots"]
    for knot, log_likelihood in zip(knots["at"], knots["log_likelihood"], strict=True):
        after = (rows["session"] - knot).clip(lower=0)
        step = Step("piecewise", "", ("session", KNOT), {"client": ("session",)})
        ours = try_step(step, rows.assign(**{KNOT: after}), "y", ["client"], [])
        assert ours.fit.log_likelihood == pytest.approx(log_likelihood, abs=1e-5), knot
    best = next(one for one in found if one.step.name == "piecewise")
    assert best.knot == knots["at"][int(np.argmax(knots["log_likelihood"]))]


def test_residuals_that_remember_equal_nlme():
    rows = rows_of("sleepstudy")
    step = Step("linear_car1", "", ("session",), {}, residual="car1")
    ours = try_step(step, rows, "y", ["client"], [], "session").fit
    theirs = R["sleepstudy"]["continuous_ar1"]
    assert ours.log_likelihood == pytest.approx(theirs["log_likelihood"], abs=1e-6)
    assert ours.residual.phi == pytest.approx(theirs["phi"], abs=1e-5)


def test_the_printed_numbers_of_sleepstudy():
    found = {
        one.step.name: one.fit
        for one in climb(rows_of("sleepstudy"), "y", "session", ["client"], [])
    }
    assert round(found["linear_client_slopes"].log_likelihood, 4) == -875.9697
    assert round(found["linear"].log_likelihood, 4) == -897.0393


def test_of_equally_good_steps_the_simplest_is_taken(case):
    _, _, found = case
    values = {one.step.name: one.criterion("bic_clients") for one in found}
    chosen = choose(found, "bic_clients")
    close = [one for one in found if values[one.step.name] <= min(values.values()) + 2]
    assert chosen.n_parameters == min(one.n_parameters for one in close)
