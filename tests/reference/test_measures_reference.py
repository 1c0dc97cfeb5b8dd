"""Reliability against psych, lme4 and factanal; `measures/measures.R` made the numbers."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alliance.measures.generalizability import (
    crossed_components,
    nested_components,
    nested_draws,
)
from alliance.measures.one_factor import fit_one_factor
from alliance.measures.reliability import consistency
from alliance.measures.two_way import two_way

HERE = Path(__file__).parent / "measures"
R = json.loads((HERE / "measures.json").read_text())
ITEMS = ["Item1", "Item2", "Item3"]


def table(name):
    return pd.read_csv(HERE / f"{name}.csv")


def shrout_lane():
    data = table("shrout_lane")
    codes = (data[column].to_numpy() - 1 for column in ("Person", "Time"))
    return data[ITEMS].to_numpy(float), *codes


def attitude(name="attitude"):
    answers = table(name).to_numpy(float)
    return consistency(answers, np.arange(len(answers)), np.random.default_rng(1), draws=20)


def test_attitude_alpha_and_item_rest():
    found = attitude()
    assert found.alpha.value == pytest.approx(R["attitude"]["alpha"], abs=1e-12)
    assert round(found.alpha.value, 6) == 0.843143  # as printed
    assert round(found.alpha_standardised, 6) == 0.839084
    np.testing.assert_allclose(found.item_rest, R["attitude"]["item_rest"], atol=1e-12)


def test_attitude_omega_is_that_of_factanal():
    # factanal stops its search at a relative change of 1e-7 or so
    assert attitude().omega.value == pytest.approx(R["attitude"]["omega_factanal"], abs=1e-7)


def test_answers_left_out_leave_pairwise_covariances():
    found = attitude("attitude_holes")
    assert found.alpha.value == pytest.approx(R["attitude_holes"]["alpha"], abs=1e-12)
    assert found.forms == 30


def test_shrout_lane_crossed():
    items, person, time = shrout_lane()
    found = crossed_components(items, person, time)
    reference = R["shrout_lane"]
    for name, value in reference["components"].items():  # ANOVA: balanced, none negative
        assert getattr(found, name) == pytest.approx(value, abs=2e-6)
    coefficients = {
        "R_KF": found.fixed_mean(4),
        "R_1R": found.random_mean(1),
        "R_KR": found.random_mean(4),
        "R_C": found.change,
    }
    for name, value in coefficients.items():
        assert value == pytest.approx(reference[name], abs=1e-6)
    assert [round(v, 2) for v in coefficients.values()] == [0.97, 0.60, 0.85, 0.74]  # printed


def test_shrout_lane_nested():
    items, person, _ = shrout_lane()
    found = nested_components(items, person)
    # nlme stops its search earlier than we do
    assert found.person_reliability(4) == pytest.approx(R["shrout_lane"]["R_KRN"], abs=2e-7)
    assert found.change_reliability == pytest.approx(R["shrout_lane"]["R_CN"], abs=5e-7)
    assert (round(found.person_reliability(4), 2), round(found.change_reliability, 2)) == (
        0.85,
        0.65,
    )


def test_a_resample_of_everybody_once_is_the_sample():
    items, person, _ = shrout_lane()
    drawn = nested_draws(items, person, person, np.ones((1, 5)))
    found = nested_components(items, person)
    for name in ("person", "session", "error", "error_within_person", "mean_within_person"):
        assert getattr(drawn, name)[0] == pytest.approx(getattr(found, name), rel=1e-6)


def test_resampling_is_fitting_the_clients_drawn():
    items, person, _ = shrout_lane()
    weights = np.array([[2.0, 0, 1, 1, 1]])
    drawn = nested_draws(items, person, person, weights)
    rows = np.concatenate(
        [np.flatnonzero(person == p) for p, n in enumerate(weights[0]) for _ in range(int(n))]
    )
    found = nested_components(items[rows], np.repeat(np.arange(5), 4))
    assert drawn.person[0] == pytest.approx(found.person, rel=1e-6)
    assert drawn.change_reliability[0] == pytest.approx(found.change_reliability, rel=1e-6)


@pytest.mark.parametrize("design", ["crossed", "nested"])
def test_reml_with_gaps_is_that_of_lme4(design):
    data = table("shrout_lane_gaps")
    y = data[["y"]].to_numpy()
    person = np.unique(data["Person"], return_inverse=True)[1]
    time = np.unique(data["Time"], return_inverse=True)[1] if design == "crossed" else None
    found, reference = two_way(y, person, time), R["gaps"][design]
    # lme4 stops at about four to five significant digits
    assert found.person == pytest.approx(reference["Person"], rel=2e-4)
    assert found.residual == pytest.approx(reference["Residual"], rel=2e-4)
    assert found.occasion == pytest.approx(reference.get("Time", 0.0), rel=2e-3, abs=1e-9)


def test_one_factor_reproduces_its_own_covariance():
    loadings, psi = np.array([0.9, 0.7, 1.2, 0.5]), np.array([0.4, 0.6, 0.2, 0.9])
    found = fit_one_factor((np.outer(loadings, loadings) + np.diag(psi))[None])
    np.testing.assert_allclose(found.loadings[0], loadings, atol=1e-6)
    np.testing.assert_allclose(found.uniquenesses[0], psi, atol=1e-6)
