"""What can be asked of a fit."""

import json

import numpy as np
import pandas as pd
import pytest

from alliance.errors import FitError
from alliance.mixed import bootstrap_comparison, compare, fit_mixed, parametric_bootstrap


def cohort(seed=3, n=25, slope_sd=0.4):
    rng = np.random.default_rng(seed)
    client = np.repeat(np.arange(n), 6)
    t = np.tile(np.arange(6.0), n)
    u = rng.normal(size=(n, 2)) * [1.0, slope_sd]
    y = 1 + 0.3 * t + u[client, 0] + u[client, 1] * t + rng.normal(size=len(t))
    return pd.DataFrame({"client": client, "t": t, "arm": np.where(client % 2, "a", "b"), "y": y})


@pytest.fixture(scope="module")
def fit():
    return fit_mixed(cohort(), "y", ["1", "t", "arm"], {"client": ["1", "t"]})


@pytest.fixture(scope="module")
def smaller():
    return fit_mixed(cohort(), "y", ["1", "t", "arm"], {"client": ["1"]})


def test_contrast_of_one_coefficient_is_its_row(fit):
    row = fit.coefficients.set_index("term").loc["t"]
    found = fit.contrast({"time": {"t": 1.0}}).iloc[0]
    for name in ("estimate", "se", "df", "p", "ci_low"):
        assert found[name] == pytest.approx(row[name], rel=1e-10)


def test_joint_test_of_one_contrast_is_its_square(fit):
    row = fit.coefficients.set_index("term").loc["t"]
    joint = fit.joint_test([{"t": 1.0}])
    assert joint.statistic == pytest.approx(row["statistic"] ** 2)
    assert joint.p == pytest.approx(row["p"])
    with pytest.raises(FitError, match="independent"):
        fit.joint_test([{"t": 1.0}, {"t": 2.0}])
    with pytest.raises(FitError, match="no coefficient 'u'"):
        fit.contrast({"u": {"u": 1.0}})


def test_comparison_knows_the_boundary(fit, smaller):
    result = compare(smaller, fit)
    assert result.mixture == ((0.5, 1), (0.5, 2))
    assert result.p < result.p_naive
    assert compare(smaller, fit).statistic >= 0


def test_comparison_refuses_the_wrong_question(fit, smaller):
    data = cohort()
    with pytest.raises(FitError, match="lacks random terms"):
        compare(fit, smaller)
    other = fit_mixed(data, "y", ["1", "t"], {"client": ["1"]})
    with pytest.raises(FitError, match="different fixed effects"):
        compare(other, fit)
    with pytest.raises(FitError, match="REML and the other ML"):
        ml = fit_mixed(data, "y", ["1", "t", "arm"], {"client": ["1", "t"]}, method="ML")
        compare(smaller, ml)
    with pytest.raises(FitError, match="different rows"):
        compare(fit_mixed(data.iloc[3:], "y", ["1", "t", "arm"], {"client": ["1"]}), fit)


def test_wald_and_profile_intervals_hold_the_estimates(fit):
    for method in ("wald", "profile"):
        table = fit.intervals(method)
        assert (table["ci_low"] < table["estimate"]).all()
        assert (table["estimate"] < table["ci_high"]).all()
    with pytest.raises(FitError):
        fit.intervals("bayes")


def test_profile_ends_at_the_boundary():
    flat = fit_mixed(cohort(slope_sd=0.0), "y", ["1", "t"], {"client": ["1", "t"]}, method="ML")
    table = flat.intervals("profile", parameters="random").set_index(["kind", "name_1"])
    assert table.loc[("sd", "t"), "ci_low"].item() == 0.0


def test_bootstrap_repeats_itself_and_counts(fit, smaller):
    one, other = parametric_bootstrap(fit, 15, seed=4), parametric_bootstrap(fit, 15, seed=4)
    pd.testing.assert_frame_equal(one.coefficients, other.coefficients, check_exact=True)
    assert len(one.coefficients) + one.n_failed == 15
    assert (one.intervals()["bootstrap_se"] > 0).all()
    test = bootstrap_comparison(smaller, fit, 15, seed=4)
    assert 1 / 16 <= test.p <= 1


def test_r_squared_adds_up(fit):
    r2 = fit.r_squared()
    assert 0 < r2.marginal < r2.conditional < 1
    parts = fit.variance_decomposition()
    assert parts["share_total"].sum() == pytest.approx(1.0)
    assert parts["share_within"].sum() == pytest.approx(1.0)
    assert fit.icc()["icc"].iloc[-1] < 1


def test_cluster_robust_at_a_coarser_cluster(fit):
    own = fit.cluster_robust("client")
    same = fit.cluster_robust(cohort()["client"].to_numpy())
    pd.testing.assert_frame_equal(own, same)
    coarse = fit.cluster_robust((cohort()["client"] // 5).to_numpy())
    assert (coarse["df"] < own["df"]).all()
    with pytest.raises(FitError, match="in one cluster"):
        fit.cluster_robust(cohort()["t"].to_numpy())


def test_prediction_for_known_and_new_groups(fit):
    data = cohort()
    fitted = fit.predict()
    np.testing.assert_allclose(fit.predict(data), fitted)
    new = pd.DataFrame({"client": [0, 999], "t": [2.0, 2.0], "arm": ["b", "b"]})
    found = fit.predict(new)
    fixed = fit.predict(new, levels="none")
    assert found[1] == pytest.approx(fixed[1])
    assert found[0] != pytest.approx(fixed[0])
    band = fit.predict(new, interval="confidence")
    assert (band["ci_low"] < band["mean"]).all()
    assert np.isnan(fit.predict(new.assign(t=[np.nan, 1.0]))[0])


def test_simulate_and_refit_come_back(fit):
    shuffled = cohort().sample(frac=1, random_state=1)
    again = fit_mixed(shuffled, "y", ["1", "t", "arm"], {"client": ["1", "t"]})
    same = again.refit(shuffled["y"].to_numpy())
    assert same.log_likelihood == again.log_likelihood
    drawn = again.simulate(np.random.default_rng(1))
    assert drawn.shape == (len(shuffled),)
    assert np.corrcoef(drawn, shuffled["t"])[0, 1] > 0
    with pytest.raises(FitError, match="one value per row"):
        again.refit(np.ones(3))


def test_the_fit_as_json_holds_no_ids(fit):
    text = json.dumps(fit.to_dict(), allow_nan=False)
    assert json.loads(text)["rows"]["used"] == 150
    assert "used_positions" not in text


def test_information_criteria(fit):
    k = fit.n_parameters
    assert k == 3 + 3 + 1
    assert fit.aic == pytest.approx(-2 * fit.log_likelihood + 2 * k)
    assert fit.bic(by="client") == pytest.approx(-2 * fit.log_likelihood + np.log(25) * k)
