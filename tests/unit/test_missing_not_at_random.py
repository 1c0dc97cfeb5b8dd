"""A growth model if scores after leaving are not missing at random: what it tells and refuses."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alliance.families.common.times import with_times
from alliance.families.growth.model import growth_model
from alliance.families.missing_not_at_random.completed import Analysis
from alliance.families.missing_not_at_random.courses import completed_courses, groups_of
from alliance.families.missing_not_at_random.imputation import Imputer, parameters_of
from alliance.families.missing_not_at_random.model import missing_not_at_random_fit
from alliance.families.missing_not_at_random.scenarios import scenarios

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "leaving_recovery.py"
TIME = "weeks_since_intake"
BASE = {"family": "growth", "outcome": "alliance", "time": TIME, "residual": "independent",
        "random_slopes": ["client"], "levels": ["client"]}  # fmt: skip
GROUPED = BASE | {"fixed": ["treatment", f"{TIME}:treatment"]}


def entry(base=BASE, **more):
    return {"family": "missing_not_at_random", "model": "growth", "imputations": 5, "seed": 3,
            "deltas": [-1.0], "entry": base} | more  # fmt: skip


def made():
    spec = importlib.util.spec_from_file_location("leaving_recovery", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.cohort(clients=120, seed=5)


@pytest.fixture(scope="module")
def cohort():
    found = made()
    panel = with_times(found.panel)
    new = panel["client"].str[1:].astype(int) // 2 % 2 == 1
    return replace(found, panel=panel.assign(treatment=np.where(new, "new", "as usual")))


@pytest.fixture(scope="module")
def parts(cohort):
    fitted, _, _ = growth_model(cohort, GROUPED, compared=False)
    courses = completed_courses(cohort.panel, fitted, "alliance", TIME, None)
    return fitted, courses, Imputer(fitted.fit, courses.rows, "alliance")


@pytest.fixture(scope="module")
def fit(cohort):
    return missing_not_at_random_fit(cohort, "m", entry())


def row(fit, code):
    return next(one for one in fit.estimates if one.estimator.code == code)


def test_the_growth_model_leads_and_others_stand_beside_it(fit):
    assert fit.as_json()["about"] == "growth" and fit.usable
    (main,) = fit.main
    assert main.estimator.code == "mixed"
    others = {"multiple_imputation", "pattern_mixture", "last_mean", "baseline_mean",
              "weighted_for_staying"}  # fmt: skip
    assert others == {one.estimator.code for one in fit.estimates[1:]}
    # imputed at random is the likelihood's estimate but for chance in five imputations
    again = row(fit, "multiple_imputation")
    error = fit.fit_statistics["largest_monte_carlo_error"]
    assert abs(again.estimate - main.estimate) < 4 * error
    # the mean rises, so that no further change and falling back take from it
    assert main.estimate > row(fit, "last_mean").estimate > row(fit, "baseline_mean").estimate


def test_courses_that_broke_off_go_on_to_the_session_named(parts):
    _, courses, _ = parts
    rows = courses.rows
    after = rows[rows["kind"] == "after"]
    assert (after.groupby("client")["session"].max() == courses.sessions).all()
    assert (after.groupby("client")["since"].min() == 1).all()
    assert after[TIME].to_numpy() == pytest.approx(after["session"].to_numpy() - 1.0)
    kept = rows[rows["kind"] != "after"]
    assert not kept.duplicated(["client", "session"]).any()


def test_a_jump_to_the_reference_has_its_mean_and_keeps_what_scores_tell(parts):
    """Carpenter, Roger & Kenward (2013): E(y_m | y_o) = r_m b + V_mo V_oo^-1 (y_o - x_o b)."""
    fitted, courses, imputer = parts
    column, groups = groups_of(fitted, TIME)
    assert (column, groups) == ("treatment", ["as usual", "new"])
    at = parameters_of(fitted.fit)
    assumed = scenarios(courses, fitted.fit, imputer.x, column, groups, [])
    jump = next(one for one in assumed if one.code == "jump_to_reference" and one.x == 1.0)
    copy = next(one for one in assumed if one.code == "copy_increments" and one.x == 1.0)
    b = dict(zip(fitted.fit.prepared.fixed_names, at.coefficients, strict=True))
    step, slope = b["treatment[new]"], b[f"{TIME}:treatment[new]"]
    rows = courses.rows
    new = courses.after & (rows["treatment"] == "new").to_numpy()
    t, last = rows[TIME].to_numpy(), rows[TIME].to_numpy()[rows["last"]]
    # in closed form: the new group loses what it is ahead, or no more than it gains from there on
    assert jump.shift(at) == pytest.approx(np.where(new, -step - slope * t, 0.0))
    assert copy.shift(at) == pytest.approx(np.where(new, -slope * (t - last), 0.0))


def test_draws_have_the_mean_and_covariance_that_scores_leave(parts):
    fitted, courses, imputer = parts
    at = parameters_of(fitted.fit)
    block = next(one for one in imputer.blocks if imputer.missing[one].sum() > 2)
    mean, spread = imputer.conditional(at, block)
    gone = block[imputer.missing[block]]
    imputer = Imputer(fitted.fit, courses.rows.iloc[block], "alliance")
    rng = np.random.default_rng(1)
    draws = np.array([imputer.draw(at, rng)[gone - block[0]] for _ in range(2000)])
    error = np.sqrt(np.diag(spread) / len(draws))
    assert np.all(np.abs(draws.mean(axis=0) - mean) < 4.5 * error)
    assert np.cov(draws.T) == pytest.approx(spread, abs=0.25 * spread.max())


def test_the_same_numbers_whatever_the_order_of_the_rows(cohort, fit):
    mixed = replace(cohort, panel=cohort.panel.sample(frac=1.0, random_state=1))
    again = missing_not_at_random_fit(mixed, "m", entry())
    for one, other in zip(fit.estimates, again.estimates, strict=True):
        assert one.estimate == pytest.approx(other.estimate, abs=1e-6)


def test_differences_between_groups_have_the_reference_group(cohort):
    fit = missing_not_at_random_fit(cohort, "m", entry(GROUPED))
    (main,) = fit.main
    codes = {one.estimator.code for one in fit.estimates}
    assert {"jump_to_reference", "copy_increments"} <= codes and "last_mean" not in codes
    # what leavers of one group are like is the reference group's: the difference shrinks
    assert abs(row(fit, "jump_to_reference").estimate) < abs(main.estimate) + main.se
    (curve,) = [one for one in fit.curves if one.name == "delta_adjusted"]
    assert curve.estimate[0] < curve.estimate[-1]


def test_completed_courses_are_analysed_by_the_same_model(parts):
    fitted, courses, imputer = parts
    y = imputer.draw(parameters_of(fitted.fit), np.random.default_rng(2))
    analysis = Analysis(fitted, courses, "alliance", y, [TIME])
    value, variance = analysis(y)
    table = analysis.fit.coefficients.set_index("term").loc[TIME]
    assert value[0] == pytest.approx(table["estimate"], abs=1e-6)
    assert np.sqrt(variance[0]) == pytest.approx(table["se"], rel=1e-4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda panel: panel.assign(dropout_event=0.0), "dropped out"),
        (lambda panel: panel.assign(**{TIME: np.nan}), "weeks since intake"),
        (lambda panel: panel.assign(alliance=np.nan), "no score"),
    ],
)
def test_what_data_cannot_give_is_refused_in_words(cohort, change, words):
    fit = missing_not_at_random_fit(replace(cohort, panel=change(cohort.panel)), "m", entry())
    assert fit.status == "refused" and words in fit.message


@pytest.mark.parametrize(
    ("fixed", "words"),
    [
        ([f"square({TIME})"], "no straight line"),
        (["mood"], "changes from session to session"),
        (["age", f"{TIME}:age"], "with a number"),
    ],
)
def test_courses_that_nobody_knows_after_leaving_are_refused(cohort, fixed, words):
    panel = cohort.panel.assign(
        mood=np.arange(len(cohort.panel)) % 7.0,
        age=cohort.panel["client"].str[1:].astype(float) + 20,
    )
    told = missing_not_at_random_fit(
        replace(cohort, panel=panel), "m", entry(BASE | {"fixed": fixed})
    )
    assert told.status == "refused" and words in told.message


def test_too_few_who_left_for_patterns_and_weights_are_told(cohort):
    panel = cohort.panel.copy()
    kept = panel.loc[panel["dropout_event"] == 1, "client"].to_numpy()[:6]
    panel["dropout_event"] = panel["dropout_event"].where(panel["client"].isin(kept), 0.0)
    fit = missing_not_at_random_fit(replace(cohort, panel=panel), "m", entry())
    told = [one.text for one in fit.warnings if one.code == "estimator_not_computed"]
    assert fit.usable and len(told) == 2
