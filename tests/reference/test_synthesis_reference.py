"""The synthesis over sites against metafor (coupling/references.R)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alliance.errors import FitError
from alliance.families.by_site.synthesis import synthesise, with_floor

FOLDER = Path(__file__).parent / "coupling"
R = json.loads((FOLDER / "references.json").read_text())


def data(name):
    bcg = pd.read_csv(FOLDER / "bcg.csv")
    return {
        "bcg": bcg,
        "bcg_three": bcg.iloc[[0, 3, 5]],
        "homogeneous": pd.DataFrame(
            {"yi": [0.10, 0.12, 0.11, 0.09, 0.10], "vi": [0.04, 0.05, 0.03, 0.06, 0.05]}
        ),
    }[name]


@pytest.mark.parametrize("name", ["bcg", "bcg_three", "homogeneous"])
def test_everything_equals_metafor(name):
    rows = data(name)
    ours, theirs = synthesise(rows["yi"], rows["vi"]), R[name]
    pairs = {
        "tau2": ours.tau2, "tau2_se": ours.tau2_se, "estimate": ours.estimate,
        "se": ours.se_wald, "hk_se": ours.se, "hk_p": ours.p, "q": ours.q, "q_p": ours.q_p,
        "i2": ours.i2,
    }  # fmt: skip
    for key, value in pairs.items():
        assert value == pytest.approx(theirs[key], rel=1e-6, abs=1e-9), key
    assert [ours.ci_low, ours.ci_high] == pytest.approx(theirs["hk"], rel=1e-6)
    assert [ours.prediction_low, ours.prediction_high] == pytest.approx(theirs["pi"], rel=1e-6)
    # metafor stops its search for the Q-profile ends at 1e-4 of its own scale
    ends = [ours.tau2_low, ours.tau2_high]
    assert ends == pytest.approx(theirs["tau2_profile"], rel=2e-4, abs=1e-9)


def test_of_two_sites_nothing_is_predicted():
    """t with k - 2 degrees of freedom is not defined there; metafor's default takes k - 1."""
    found = synthesise([0.1, 0.3], [0.02, 0.03])
    assert found.prediction_df == 0
    assert found.prediction_low is None and found.prediction_high is None


@pytest.mark.parametrize("name", ["bcg", "bcg_three"])
def test_the_interval_of_a_further_site_is_wider_than_by_metafors_default(name):
    rows = data(name)
    ours, theirs = synthesise(rows["yi"], rows["vi"]), R[name]["pi_of_predict"]
    assert ours.prediction_high - ours.prediction_low > theirs[1] - theirs[0]


def test_the_printed_numbers_of_the_vaccine_trials():
    ours = synthesise(data("bcg")["yi"], data("bcg")["vi"])
    assert (round(ours.tau2, 4), round(ours.tau2_se, 4)) == (0.3132, 0.1664)
    assert round(ours.estimate, 6) == -0.714532
    assert round(ours.se, 6) == 0.180792
    assert (round(ours.tau2_low, 4), round(ours.tau2_high, 4)) == (0.1197, 1.1115)


def test_order_and_scale_change_nothing():
    rows = data("bcg")
    one = synthesise(rows["yi"], rows["vi"])
    turned = synthesise(rows["yi"][::-1], rows["vi"][::-1])
    assert turned.tau2 == pytest.approx(one.tau2, rel=1e-10)
    scaled = synthesise(10 * rows["yi"], 100 * rows["vi"])
    assert scaled.tau2 == pytest.approx(100 * one.tau2, rel=1e-9)
    assert scaled.i2 == pytest.approx(one.i2, rel=1e-9)


def test_one_site_is_refused_in_plain_words():
    with pytest.raises(FitError, match="Fewer than two sites"):
        synthesise([0.1], [0.2])
    with pytest.raises(FitError, match="standard error"):
        synthesise([0.1, 0.2], [0.2, np.nan])


def test_where_sites_are_too_alike_the_floor_is_told():
    """Hartung and Knapp's standard error falls below that of the weights, with the floor not."""
    found = synthesise([0.10, 0.101, 0.099, 0.10], [0.02**2] * 4)
    assert found.tau2 == 0.0
    assert found.se < found.se_wald == pytest.approx(0.01)
    floored = with_floor(found)
    assert floored["se"] == found.se_wald
    assert floored["ci_high"] - floored["ci_low"] > found.ci_high - found.ci_low
