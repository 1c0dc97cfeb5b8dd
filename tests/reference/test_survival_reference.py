"""Kaplan-Meier, cumulative incidence, Cox, frailty and Fine-Gray against R's `survival`."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alliance.survival import (
    cox_rows,
    cumulative_incidence,
    fit_cox,
    fit_frailty,
    fit_multinomial,
    kaplan_meier,
    median_time,
    proportionality_test,
    subdistribution_rows,
)

FOLDER = Path(__file__).parent / "survival"
R = json.loads((FOLDER / "survival.json").read_text())


def table(name):
    return pd.read_csv(FOLDER / f"{name}.csv")


def numbers(frame, *columns):
    return frame[list(columns)].to_numpy(float)


def same(ours, theirs, rtol=1e-7, atol=1e-10):
    theirs = list(theirs.values()) if isinstance(theirs, dict) else theirs
    np.testing.assert_allclose(np.ravel(ours), np.ravel(theirs), rtol=rtol, atol=atol)


def standard_errors(covariance):
    return np.sqrt(np.diag(covariance))


@pytest.fixture(scope="module")
def courses():
    return table("courses")


def courses_rows(courses, **more):
    start, stop = numbers(courses, "start", "stop").T
    x = numbers(courses, "alliance", "baseline")
    return cox_rows(start, stop, courses["event"].to_numpy(), x, **more)


def codes(column):
    return pd.factorize(column)[0]


@pytest.fixture(scope="module")
def edges():
    """Times in tenths, added up one by one for every second person: 0.1 + 0.1 + 0.1 is not 0.3."""
    rows = table("edges")
    added = np.array([sum([0.1] * k) for k in rows["steps"]])
    return rows.assign(time=np.where(rows.index % 2 == 1, added, rows["steps"] / 10))


EDGES = json.loads((FOLDER / "edges.json").read_text())


def test_times_that_differ_by_rounding_alone_are_tied(edges):
    assert edges["time"].nunique() > 9
    time, cause = edges["time"].to_numpy(), edges["cause"].to_numpy()
    fit = fit_cox(cox_rows(np.zeros(80), time, cause == 1, edges[["x"]].to_numpy()))
    same(fit.coefficients, EDGES["cox"]["coef"])
    same(standard_errors(fit.covariance), EDGES["cox"]["se"])
    same(
        [fit.null_log_likelihood, fit.log_likelihood],
        EDGES["cox"]["log_likelihood"],
    )
    curve = kaplan_meier(time, cause == 1)
    same(curve.value, EDGES["km"]["surv"])
    same(curve.at_risk, EDGES["km"]["n_risk"])
    same(cumulative_incidence(time, cause, 1).value, EDGES["incidence"])
    made = subdistribution_rows(time, cause, 1)
    x = edges[["x"]].to_numpy()[made.person]
    weighted = fit_cox(cox_rows(made.start, made.stop, made.event, x, weight=made.weight))
    same(weighted.coefficients, EDGES["fine_gray"]["coef"])


def test_proportionality_of_whole_terms_the_interaction_among_them(edges):
    arm = np.column_stack([edges["arm"] == "b", edges["arm"] == "c"]).astype(float)
    x = edges[["x"]].to_numpy()
    rows = cox_rows(np.zeros(80), edges["steps"].to_numpy(), edges["cause"] == 1,
                    np.column_stack([x, arm, x * arm]))  # fmt: skip
    each, together = proportionality_test(rows, fit_cox(rows), terms=[[0], [1, 2], [3, 4]])
    same([test.statistic for test in [*each, together]], EDGES["zph_terms"]["chisq"], rtol=1e-5)
    assert [test.df for test in [*each, together]] == EDGES["zph_terms"]["df"]


def test_kaplan_meier_of_lung():
    lung, expected = table("lung"), R["lung_km"]
    time, event = lung["time"].to_numpy(float), lung["event"].to_numpy()
    curve = kaplan_meier(time, event)
    ours = curve.at(np.array(expected["time"]), start=1.0)
    for name, key in (("value", "surv"), ("se", "se"), ("ci_low", "lower"), ("ci_high", "upper")):
        same(ours[name], expected[key])
    assert median_time(curve) == tuple(expected["median_log_log"])
    # the band that is symmetric on the log scale is R's default: 310 [285, 363]
    assert median_time(kaplan_meier(time, event, band="log")) == (310, 285, 363)


def test_cumulative_incidence_of_mgus2():
    mgus, expected = table("mgus2"), R["mgus2_incidence"]
    time, cause = mgus["etime"].to_numpy(float), mgus["cause"].to_numpy()
    for code, name in ((1, "pcm"), (2, "death")):
        at = cumulative_incidence(time, cause, code).at(np.array(expected["time"]), start=0.0)
        same(at["value"], expected[name])
        same(at["se"], expected[f"se_{name}"], rtol=1e-6)
        if code == 1:
            same(at["ci_low"], expected["lower_pcm"], rtol=1e-6)
            same(at["ci_high"], expected["upper_pcm"], rtol=1e-6)


def test_cumulative_incidence_with_many_ties(courses):
    last, expected = courses.drop_duplicates("client", keep="last"), R["courses_incidence"]
    curve = cumulative_incidence(last["stop"].to_numpy(float), last["cause"].to_numpy(), 1)
    same(curve.value, expected["dropout"])
    same(curve.se, expected["se"], rtol=1e-6)
    same(curve.ci_low, expected["lower"], rtol=1e-6)
    same(curve.at_risk, expected["n_risk"])


def test_incidences_and_staying_add_up_to_one(courses):
    last = courses.drop_duplicates("client", keep="last")
    time, cause = last["stop"].to_numpy(float), last["cause"].to_numpy()
    parts = sum(cumulative_incidence(time, cause, of).value for of in (1, 2))
    same(parts + kaplan_meier(time, cause > 0).value, np.ones(len(parts)))


def test_statsmodels_finds_the_same_curves(courses):
    from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

    last = courses.drop_duplicates("client", keep="last")
    time, cause = last["stop"].to_numpy(float), last["cause"].to_numpy()
    theirs = SurvfuncRight(time, (cause == 1).astype(int))
    ours = kaplan_meier(time, cause == 1).at(theirs.surv_times, start=1.0)
    same(ours["value"], theirs.surv_prob)
    same(ours["se"], theirs.surv_prob_se)
    incidence = CumIncidenceRight(time, cause)
    ours = cumulative_incidence(time, cause, 1).at(incidence.times, start=0.0)
    same(ours["value"], incidence.cinc[0])


def test_cox_of_lung():
    """The published figures: age .01106676, sex -.55261240, ecog .46372848."""
    lung, expected = table("lung").dropna(), R["lung_cox"]
    x = numbers(lung, "age", "sex", "ecog")
    rows = cox_rows(np.zeros(len(lung)), lung["time"].to_numpy(), lung["event"].to_numpy(), x)
    fit = fit_cox(rows)
    same(fit.coefficients, [0.01106676, -0.55261240, 0.46372848], atol=5e-9, rtol=0)
    same(standard_errors(fit.covariance), [0.00926741, 0.16773905, 0.11357727], atol=5e-9, rtol=0)
    same([fit.null_log_likelihood, fit.log_likelihood], expected["log_likelihood"])
    assert fit.converged
    assert fit.events == expected["events"]
    each, together = proportionality_test(rows, fit)
    same([test.statistic for test in (*each, together)], expected["zph_chisq"])
    same([test.p for test in (*each, together)], expected["zph_p"])


@pytest.mark.parametrize("name", ["courses_cox", "courses_weighted", "courses_breslow"])
def test_cox_with_start_stop_ties_weights_and_clusters(courses, name):
    weight = courses["weight"].to_numpy() if "weighted" in name else None
    rows = courses_rows(courses, weight=weight)
    ties = "breslow" if "breslow" in name else "efron"
    fit = fit_cox(rows, codes(courses["therapist"]), ties=ties)
    expected = R[name]
    same(fit.coefficients, expected["coef"])
    same(standard_errors(fit.covariance), expected["se"])
    same(standard_errors(fit.robust_covariance), expected["robust_se"])
    same([fit.null_log_likelihood, fit.log_likelihood], expected["log_likelihood"])
    each, together = proportionality_test(rows, fit)
    same([test.statistic for test in (*each, together)], expected["zph_chisq"])


FRAILTIES = {
    "rats": ("rx",),
    "rats_both": ("rx", "male"),
    "kidney": ("age", "sex"),
    "courses": ("alliance", "baseline"),
}
GROUPS = {"rats": "litter", "rats_both": "litter", "kidney": "id", "courses": "therapist"}


def frailty_rows(name):
    data = table(name)
    group = codes(data[GROUPS[name]])
    if name == "courses":
        return courses_rows(data, group=group)
    zeros, x = np.zeros(len(data)), numbers(data, *FRAILTIES[name])
    return cox_rows(zeros, data["time"].to_numpy(), data["status"].to_numpy(), x, group=group)


@pytest.mark.parametrize("name", FRAILTIES)
def test_gamma_frailty(name):
    fit, expected = fit_frailty(frailty_rows(name), "gamma"), R[f"{name}_gamma"]
    assert fit.converged
    # R stops within its own tolerance of the maximum: ours may be higher, never lower
    assert fit.log_likelihood > expected["integrated"] - 1e-6 * fit.is_singular - 1e-8
    same(fit.log_likelihood, expected["integrated"], rtol=1e-7)
    assert fit.variance == pytest.approx(expected["variance"], abs=1e-5)
    same(fit.coefficients, expected["coef"], rtol=2e-5)
    same(standard_errors(fit.covariance), expected["se"], rtol=2e-5)
    assert fit.is_singular == (name == "courses")


def test_gamma_frailty_of_rats_to_the_digits_that_r_prints():
    fit = fit_frailty(frailty_rows("rats"), "gamma")
    assert round(float(fit.coefficients[0]), 4) == 0.9143
    assert fit.variance == pytest.approx(R["rats_default"]["variance"], abs=2e-6)


@pytest.mark.parametrize("name", [name for name in FRAILTIES if f"{name}_gaussian" in R])
def test_gaussian_frailty(name):
    fit, expected = fit_frailty(frailty_rows(name), "gaussian"), R[f"{name}_gaussian"]
    assert fit.converged
    assert fit.variance == pytest.approx(expected["variance"], rel=1e-5)
    same(fit.coefficients, expected["coef"], rtol=1e-5)
    same(standard_errors(fit.covariance), expected["se"], rtol=1e-5)


@pytest.mark.parametrize(("code", "name"), [(1, "pcm"), (2, "death")])
def test_fine_gray_of_mgus2(code, name):
    mgus, expected = table("mgus2"), R["mgus2_fine_gray"][name]
    made = subdistribution_rows(mgus["etime"].to_numpy(float), mgus["cause"].to_numpy(), code)
    x = numbers(mgus, "age", "male")[made.person]
    rows = cox_rows(made.start, made.stop, made.event, x, weight=made.weight)
    fit = fit_cox(rows, made.person)
    same(fit.coefficients, expected["coef"])
    same(standard_errors(fit.robust_covariance), expected["robust_se"])
    same([fit.null_log_likelihood, fit.log_likelihood], expected["log_likelihood"])


def test_fine_gray_clustered_by_therapist(courses):
    last, expected = courses.drop_duplicates("client", keep="last"), R["courses_fine_gray"]
    made = subdistribution_rows(last["stop"].to_numpy(float), last["cause"].to_numpy(), 1)
    x = numbers(last, "baseline")[made.person]
    rows = cox_rows(made.start, made.stop, made.event, x, weight=made.weight)
    fit = fit_cox(rows, codes(last["therapist"])[made.person])
    same(fit.coefficients, expected["coef"])
    same(standard_errors(fit.robust_covariance), expected["robust_se"])


def test_cause_specific_cox_of_mgus2():
    mgus, expected = table("mgus2"), R["mgus2_cause_specific"]
    event = (mgus["cause"] == 1).to_numpy()
    x = numbers(mgus, "age", "male")
    fit = fit_cox(cox_rows(np.zeros(len(mgus)), mgus["etime"].to_numpy(float), event, x))
    same(fit.coefficients, expected["coef"])
    same(standard_errors(fit.covariance), expected["se"])


def test_statsmodels_finds_the_same_cox(courses):
    """PHReg counts a row at risk at its own start, so its rows must start a little later."""
    from statsmodels.duration.hazard_regression import PHReg

    start, stop = numbers(courses, "start", "stop").T
    x = numbers(courses, "alliance", "baseline")
    theirs = PHReg(stop, x, status=courses["event"], entry=start + 0.5, ties="efron").fit()
    fit = fit_cox(courses_rows(courses))
    same(fit.coefficients, theirs.params, rtol=1e-5)
    same(standard_errors(fit.covariance), theirs.bse, rtol=1e-5)


def test_several_ends_together(courses):
    x = np.column_stack(
        [np.ones(len(courses)), numbers(courses, "alliance", "baseline"), np.log(courses["stop"])]
    )
    fit = fit_multinomial(courses["cause"].to_numpy(), x, codes(courses["therapist"]))
    expected = R["courses_multinomial"]
    assert fit.converged
    same(fit.log_likelihood, expected["log_likelihood"])
    same(fit.coefficients, expected["coef"], rtol=1e-4, atol=1e-6)  # nnet stops early
    same(standard_errors(fit.covariance), expected["se"], rtol=1e-4)
    same(standard_errors(fit.robust_covariance), expected["robust_se"], rtol=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_r_makes_the_same_numbers_again(tmp_path):
    shutil.copy(FOLDER / "survival.R", tmp_path)
    run = subprocess.run(
        ["Rscript", "survival.R"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if "there is no package called" in run.stderr:
        pytest.skip("R lacks a package that this script needs")
    assert run.returncode == 0, run.stderr
    again = json.loads((tmp_path / "survival.json").read_text())
    for name in ("lung_cox", "courses_cox", "rats_gamma", "kidney_gaussian"):
        assert again[name]["coef"] == pytest.approx(R[name]["coef"], rel=1e-6)
