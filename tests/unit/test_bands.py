"""Bands of mean courses: those of the tables' intervals, point by point."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from alliance.families.common.curves import mean_curves, simultaneous_reach
from alliance.families.fit import Outcome
from alliance.mixed import fit_mixed


@pytest.fixture(scope="module")
def fitted():
    chance = np.random.default_rng(4)
    rows = pd.DataFrame(
        {
            "client": np.repeat([f"c{i:02}" for i in range(12)], 5),
            "session": np.tile(np.arange(1, 6), 12),
            "site": np.repeat(["a", "b"], 30),
        }
    )
    level = np.repeat(chance.normal(0, 2, 12), 5)
    rows["score"] = 10 + level + 0.5 * rows["session"] + chance.normal(0, 1, 60)
    fixed = ["1", "session", "site"]
    return fit_mixed(rows, "score", fixed, {"client": ["1", "session"]}), rows


def test_a_point_of_the_band_is_the_interval_of_the_table(fitted):
    fit, rows = fitted
    outcome = Outcome("score", "Score", "points")
    for curve in mean_curves(fit, rows, outcome=outcome, time="session"):
        weights = {"1": 1.0, "session": float(curve.x[7])}
        weights["site[b]"] = {"a": 0.0, "b": 1.0}.get(curve.group, 0.5)
        row = fit.contrast({"point": weights}).iloc[0]
        ends = curve.estimate[7], curve.ci_low[7], curve.ci_high[7]
        assert ends == pytest.approx(tuple(row[["estimate", "ci_low", "ci_high"]]), rel=1e-9)
        assert row["df"] < 30  # far from normal


@pytest.mark.parametrize("df", [4.0, 12.0, np.inf])
def test_a_simultaneous_band_of_one_point_is_by_t(df):
    reach = simultaneous_reach(np.array([[2.0]]), df)
    assert reach == pytest.approx(stats.t.ppf(0.975, df), rel=0.03)


def test_a_simultaneous_band_is_wider_than_a_pointwise_one():
    assert simultaneous_reach(np.eye(5), 10.0) > stats.t.ppf(0.975, 10.0)
