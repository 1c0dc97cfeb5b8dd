"""Inference of the engine against R: joint tests, profile intervals, LRT, R2, CR2.

Numbers from `mixed/*.json`, made by pbkrtest (Kenward-Roger F), lmerTest (Satterthwaite F), lme4
(profile intervals), clubSandwich (CR2) and by formula in the R scripts where no package is at hand
(R2 of Nakagawa-Johnson and of Rights & Sterba, the chi-bar mixture).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent / "mixed"))
from mixed_cases import all_cases, arguments_of, case_named, covariances_of, read_data, read_topic

from alliance.errors import FitError
from alliance.mixed import (
    bootstrap_comparison,
    compare,
    fit_mixed,
    least_squares_cr2,
    parametric_bootstrap,
)


def fit_of(case: dict, **changes):
    return fit_mixed(read_data(case["data"]), **(arguments_of(case) | changes))


def having(key: str) -> list:
    return [pytest.param(case, id=case["case"]) for case in all_cases() if case.get(key)]


def weights(fit, contrast: list) -> list[dict[str, float]]:
    return [dict(zip(fit.coefficients["term"], row, strict=True)) for row in contrast]


# ------------------------------------------------------------------- joint tests
@pytest.mark.parametrize("case", having("f_test"))
def test_kenward_roger_f(case):
    fit = fit_of(case, df="kenward-roger")
    expected = case["f_test"]
    found = fit.joint_test(weights(fit, expected["contrast"]))
    assert found.statistic == pytest.approx(expected["f"], rel=1e-4)
    assert found.df_numerator == expected["ndf"]
    assert found.df_denominator == pytest.approx(expected["ddf"], rel=1e-3)
    assert found.p == pytest.approx(expected["p"], rel=1e-2)  # p moves by the log of f and df


@pytest.mark.parametrize(
    "case", [p for p in having("f_test") if "satterthwaite_f" in p.values[0]["f_test"]]
)
def test_satterthwaite_f(case):
    fit = fit_of(case, df="satterthwaite")
    expected = case["f_test"]
    found = fit.joint_test(weights(fit, expected["contrast"]))
    assert found.statistic == pytest.approx(expected["satterthwaite_f"], rel=1e-4)
    assert found.df_denominator == pytest.approx(expected["satterthwaite_ddf"], rel=1e-3)


def test_a_contrast_of_one_weight_is_the_coefficient():
    fit = fit_of(case_named("fourlevel_reml"))
    table = fit.contrast({"slope": {"t": 1.0}, "gap": {"severity": 1.0, "alliance": -1.0}})
    columns = ["estimate", "se", "df", "statistic", "p", "ci_low", "ci_high"]
    np.testing.assert_allclose(
        table.loc[0, columns].to_numpy(float), fit.coefficients.loc[1, columns].to_numpy(float)
    )
    covariance = np.asarray(fit.covariance)
    assert table["se"][1] ** 2 == pytest.approx(
        covariance[2, 2] + covariance[3, 3] - 2 * covariance[2, 3]
    )


# ------------------------------------------------------------------- intervals
def test_profile_intervals_are_those_of_lme4():
    # lme4 interpolates its profile with splines, good to about 1e-4 of the interval
    case = case_named("sleepstudy_ml")
    found = fit_of(case).intervals(method="profile")
    label = {
        ("Subject", "sd", "1"): "sd_(Intercept)|Subject",
        ("Subject", "sd", "Days"): "sd_Days|Subject",
        ("fixed", "coefficient", "1"): "(Intercept)",
        ("fixed", "coefficient", "Days"): "Days",
    }
    expected = {entry["parameter"]: entry for entry in case["profile_intervals"]}
    seen = set()
    for row in found.itertuples():
        if row.level == "residual":
            name = "sigma"
        elif row.kind == "correlation":
            name = "cor_Days.(Intercept)|Subject"
        else:
            name = label[row.level, row.kind, row.name_1]
        width = expected[name]["high"] - expected[name]["low"]
        assert row.ci_low == pytest.approx(expected[name]["low"], abs=2e-4 * width), name
        assert row.ci_high == pytest.approx(expected[name]["high"], abs=2e-4 * width), name
        seen.add(name)
    assert seen == set(expected)


def test_profile_ends_have_the_right_likelihood():
    """At each end of the slope's interval, D - min D is the chi-squared quantile (by refits)."""
    case = case_named("sleepstudy_ml")
    data = read_data(case["data"])
    fit = fit_of(case)
    table = fit.intervals(method="profile", parameters="fixed")
    for name in ("ci_low", "ci_high"):
        end = table.loc[table["name_1"] == "Days", name].iloc[0]
        held = data.assign(Reaction=data["Reaction"] - end * data["Days"])
        without = fit_mixed(held, **(arguments_of(case) | {"fixed": ["1"]}))
        statistic = 2 * (fit.log_likelihood - without.log_likelihood)
        assert statistic == pytest.approx(3.841458820694124, abs=1e-5)


def test_wald_intervals_hold_the_estimate_and_agree_roughly_with_the_profile():
    fit = fit_of(case_named("bodyweight_ml"))
    wald = fit.intervals(method="wald", parameters="random")
    profile = fit.intervals(method="profile", parameters="random")
    assert ((wald["ci_low"] < wald["estimate"]) & (wald["estimate"] < wald["ci_high"])).all()
    keep = (profile["kind"] == "sd") & (profile["level"] == "client")
    ratio = (wald["ci_high"] - wald["ci_low"])[keep] / (profile["ci_high"] - profile["ci_low"])[
        keep
    ]
    assert (np.abs(ratio - 1) < 0.15).all()


# ------------------------------------------------------------------- comparisons
@pytest.mark.parametrize("method", ["reml", "ml"])
def test_likelihood_ratio_with_the_chi_bar_mixture(method):
    large, small = (
        case_named(f"sleepstudy_{method}"),
        case_named(f"sleepstudy_{method}_intercept"),
    )
    found = compare(fit_of(small), fit_of(large))
    expected = large["likelihood_ratio"]
    assert found.statistic == pytest.approx(expected["statistic"], abs=2e-6)
    assert found.p == pytest.approx(expected["p_mixture"], rel=1e-5)
    assert found.p_naive == pytest.approx(expected["p_naive"], rel=1e-5)
    assert found.df == 2


def test_a_new_level_is_half_chi_squared_one():
    data = read_data("pastes.csv").assign(cask=lambda d: d["batch"] + d["cask"])
    common = {"outcome": "strength", "fixed": ["1"]}
    small = fit_mixed(data, random={"cask": ["1"]}, **common)
    large = fit_mixed(data, random={"batch": ["1"], "cask": ["1"]}, **common)
    found = compare(small, large)
    assert found.p == pytest.approx(found.p_naive / 2)


def test_wrong_questions_are_refused():
    case = case_named("sleepstudy_reml")
    data = read_data(case["data"])
    whole = fit_of(case)
    fewer_fixed = fit_of(case, fixed=["1"])
    with pytest.raises(FitError, match="ML"):
        compare(fewer_fixed, whole)
    with pytest.raises(FitError):
        compare(fit_of(case_named("sleepstudy_ml_intercept")), whole)
    other_rows = fit_mixed(data.iloc[:-3], **(arguments_of(case) | {"random": {"Subject": ["1"]}}))
    with pytest.raises(FitError, match="rows"):
        compare(other_rows, whole)
    squared = data.assign(square=data["Days"] ** 2)
    not_nested = fit_mixed(squared, **(arguments_of(case) | {"random": {"Subject": ["square"]}}))
    with pytest.raises(FitError, match=r"[Nn]ested"):
        compare(not_nested, whole)
    with pytest.raises(FitError):
        compare(whole, fit_of(case_named("sleepstudy_reml_intercept")))


# ------------------------------------------------------------------- bootstrap
def test_bootstrap_repeats_from_its_seed_and_agrees_with_theory():
    fit = fit_of(case_named("sleepstudy_ml"))
    one, same = (parametric_bootstrap(fit, n=40, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(one.coefficients, same.coefficients)
    draws = parametric_bootstrap(fit, n=400, seed=5)
    table = draws.intervals()
    errors = table["bootstrap_se"].to_numpy(float)[:2]
    # the sd of 400 draws has a relative standard error of 1 / sqrt(798) = 3.5 %
    np.testing.assert_allclose(errors, fit.coefficients["se"].to_numpy(float), rtol=0.12)
    assert len(draws.coefficients) + draws.n_failed == 400
    assert draws.n_failed == 0


def test_bootstrap_comparison_keeps_its_level_where_the_variance_is_zero():
    rng = np.random.default_rng(8)
    data = pd.DataFrame({"client": np.repeat(np.arange(20), 5), "t": np.tile(np.arange(5.0), 20)})
    data["y"] = rng.normal(size=20)[data["client"]] + rng.normal(size=100)
    common = {"outcome": "y", "fixed": ["1", "t"], "df": "none"}
    small = fit_mixed(data, random={"client": ["1"]}, **common)
    large = fit_mixed(data, random={"client": ["1", "t"]}, **common)
    found = bootstrap_comparison(small, large, n=200, seed=1)
    mixture = compare(small, large)
    assert found.statistic == pytest.approx(mixture.statistic)
    # Monte Carlo error of 200 draws: 3 * sqrt(.25 / 200) = .11
    assert abs(found.p - mixture.p) < 0.13


# ------------------------------------------------------------------- shares of variance
@pytest.mark.parametrize("case", having("r2"))
def test_r_squared_of_nakagawa_and_johnson(case):
    found = fit_of(case).r_squared()
    assert found.marginal == pytest.approx(case["r2"]["marginal"], rel=1e-5)
    assert found.conditional == pytest.approx(case["r2"]["conditional"], rel=1e-5)


def test_decomposition_of_rights_and_sterba():
    case = case_named("orthodont_reml")
    found = fit_of(case).variance_decomposition().set_index("part")
    for part, value in case["r2_parts"].items():
        assert found.loc[part, "variance"] == pytest.approx(value, rel=1e-4), part
        assert found.loc[part, "share_total"] == pytest.approx(case["r2_shares"][part], rel=1e-4)


def test_intraclass_correlations_are_shares_of_the_intercept_variances():
    case = case_named("pastes_reml")
    batch, cask = (entry["value"] for entry in case["covariances"])
    total = batch + cask + case["residual_variance"]
    found = fit_of(case).icc().set_index("level")
    assert found.loc["batch", "icc"] == pytest.approx(batch / total, rel=1e-4)
    assert found.loc["batch:cask", "icc"] == pytest.approx((batch + cask) / total, rel=1e-4)


# ------------------------------------------------------------------- cluster-robust
@pytest.mark.parametrize("case", having("cr2"))
def test_cr2_of_clubsandwich(case):
    table = fit_of(case).cluster_robust(case["cr2"]["level"])
    np.testing.assert_allclose(
        table["se"].to_numpy(float), case["cr2"]["standard_errors"], rtol=1e-4
    )
    np.testing.assert_allclose(table["df"].to_numpy(float), case["cr2"]["df"], rtol=1e-3)


def test_a_cluster_inside_the_outermost_level_is_refused():
    with pytest.raises(FitError, match="site"):
        fit_of(case_named("fourlevel_reml")).cluster_robust("site:therapist:client")


def test_covariances_in_the_table_agree_with_their_correlations():
    fit = fit_of(case_named("fourlevel_reml"))
    table = fit.variance_components
    client = covariances_of(fit)["site:therapist:client"]
    row = table[(table["level"] == "site:therapist:client") & table["name_2"].notna()].iloc[0]
    assert row["sd_or_correlation"] == pytest.approx(
        client[0, 1] / np.sqrt(client[0, 0] * client[1, 1])
    )


# ------------------------------------------------------------------- edges
def edge(name):
    return next(case for case in read_topic("edges")["cases"] if case["case"] == name)


def test_profile_intervals_of_an_intercept_only_model():
    fit = fit_mixed(read_data("sleepstudy.csv"), "Reaction", ["1"], {"Subject": ["1"]})
    found, expected = fit.intervals("profile"), edge("intercept_only")
    np.testing.assert_allclose(found["ci_low"].to_numpy(float), expected["low"], rtol=1e-4)
    np.testing.assert_allclose(found["ci_high"].to_numpy(float), expected["high"], rtol=1e-4)


@pytest.mark.parametrize("name", ["least_squares_cr2", "least_squares_cr2_three_clusters"])
def test_least_squares_with_few_clusters(name):
    data, expected = read_data("bodyweight.csv"), edge(name)
    x = [np.ones(len(data)), data["Time"]]
    if name == "least_squares_cr2":
        x += [data["Diet"] == "diet2", data["Diet"] == "diet3", data["Time"] > 30]
        keep = np.ones(len(data), dtype=bool)
    else:
        keep = data["Rat"].isin([1, 5, 12]).to_numpy()
    codes = pd.factorize(data["Rat"][keep])[0]
    found = least_squares_cr2(np.column_stack(x)[keep], data["weight"][keep].to_numpy(), codes)
    np.testing.assert_allclose(found.coefficients, expected["estimates"], rtol=1e-9)
    se = np.sqrt(np.diag(found.covariance))
    np.testing.assert_allclose(se, expected["standard_errors"], rtol=1e-7)
    np.testing.assert_allclose(found.df, expected["df"], rtol=1e-6)
