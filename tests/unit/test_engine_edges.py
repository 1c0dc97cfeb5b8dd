"""What engines make of columns that are not what they seem, and of models at the edge of sense."""

import decimal

import numpy as np
import pandas as pd
import pytest

from alliance import sem, survival
from alliance.errors import FitError
from alliance.mixed import fit_mixed, fit_mixed_logit, least_squares_cr2
from alliance.mixed.columns import is_categorical, numeric

RANDOM = {"client": ["1"]}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"client": np.repeat(np.arange(40), 6), "t": np.tile(np.arange(6.0), 40)})
    rows["x"] = rng.normal(size=240)
    rows["b"] = rows["client"] % 2 == 0
    rows["g"] = np.array(["a", "b", "c"])[rows["client"] % 3]
    rows["h"] = np.where(rows["b"], "v", "u")
    rows["y"] = rows["x"] + rng.normal(size=40)[rows["client"]] + rng.normal(size=240)
    rows["e"] = (rows["y"] > 0.3).astype(int)
    return rows


def linear(data, fixed, **more):
    return fit_mixed(data, "y", fixed, RANDOM, **more)


def binary(data, fixed):
    return fit_mixed_logit(data, "e", fixed, RANDOM)


engines = pytest.mark.parametrize("fit", [linear, binary])


# ------------------------------------------------------------------ kinds of columns


@engines
@pytest.mark.parametrize(
    "change",
    [
        lambda column: column.astype(object),
        lambda column: column.astype("Float64"),
        lambda column: column.map(lambda v: decimal.Decimal(repr(v))),
        lambda column: pd.Series([*column[:-1], 0], dtype=object),
    ],
)
def test_numbers_among_objects_are_numbers(data, fit, change):
    x = change(data["x"])
    plain = fit(data.assign(x=numeric(x, "x")), ["1", "x", "t"])
    found = fit(data.assign(x=x, t=data["t"].astype(object)), ["1", "x", "t"])
    assert list(found.coefficients["term"]) == ["1", "x", "t"]
    assert found.log_likelihood == plain.log_likelihood


@engines
def test_true_and_false_are_one_and_zero_whatever_their_type(data, fit):
    plain = fit(data.assign(b=data["b"].astype(float)), ["1", "t", "b", "t:b"])
    for kind in (bool, object, "boolean", "Int64"):
        found = fit(data.assign(b=data["b"].astype(kind)), ["1", "t", "b", "t:b"])
        assert found.log_likelihood == plain.log_likelihood


def test_outcomes_and_times_may_be_objects(data):
    found = linear(
        data.astype({"y": object, "t": object}), ["1"], residual="ar1", residual_time="t"
    )
    plain = linear(data, ["1"], residual="ar1", residual_time="t")
    assert found.log_likelihood == plain.log_likelihood
    events = data["e"].astype(object)
    assert binary(data.assign(e=events), ["1"]).log_likelihood == binary(data, ["1"]).log_likelihood


@engines
def test_new_data_may_hold_numbers_among_objects(data, fit):
    found = fit(data, ["1", "x"])
    expected = found.predict(data, levels="none")
    assert found.predict(data.assign(x=data["x"].astype(object)), levels="none").equals(expected)


MIXED = [3, "3"]


@engines
@pytest.mark.parametrize(
    ("change", "fixed", "words"),
    [
        (lambda d: {"client": d["client"].astype(object).mask(d.index.isin([18, 19, 20]), "3")},
         ["1"], "'client' holds 3 texts and 237 values of another kind"),
        (lambda d: {"client": pd.Categorical([MIXED[c % 2] for c in d["client"]])}, ["1"],
         "'client' holds 1 texts and 1 values"),
        (lambda d: {"client": d["client"].astype(str) + np.where(d["t"] < 2, "c ", "c")},
         ["1"], "'client' holds 40 labels that differ from another one only by blanks"),
        (lambda d: {"g": [MIXED[c % 2] for c in d["client"]]}, ["1", "g"], "'g' holds 120 texts"),
        (lambda d: {"g": d["g"] + np.where(d["t"] < 2, " ", "")}, ["1", "g"], "3 labels.*blanks"),
        (lambda d: {"t": pd.Timestamp("2020-01-01") + pd.to_timedelta(d["t"], "D")}, ["1", "t"],
         "'t' holds dates or durations"),
        (lambda d: {"t": pd.to_timedelta(d["t"], "D")}, ["1", "t"], "'t' holds dates or durations"),
        (lambda d: {"t": [[1.0]] * len(d)}, ["1", "t"], "neither numbers nor text"),
        (lambda d: {"x": d["x"].astype(str)}, ["1", "x"], "'x' holds numbers written as text"),
        (lambda d: {"x": d["x"] * 1e150}, ["1", "x"], "'x' holds numbers that are too large"),
        (lambda d: {"x": d["x"].where(d.index != 7, -1e200)}, ["1", "x"], "'x' .*too large"),
        (lambda d: {"x": d["x"] * 1e150}, ["1", "square(x)"], "'x' holds numbers that are too la"),
        (lambda d: {"x": d["x"].abs() * 1e300}, ["1", "scale(x)"], "'x' holds numbers that"),
        (lambda d: {"x": d["x"] * 1e-200}, ["1", "x"], "'x' holds numbers that are too small"),
    ],
)  # fmt: skip
def test_columns_that_no_model_can_read_are_refused_in_words(data, fit, change, fixed, words):
    with pytest.raises(FitError, match=words):
        fit(data.assign(**change(data)), fixed)


def test_sizes_of_outcomes_and_times_are_checked_too(data):
    for column, more in (
        ("y", {}),
        ("t", {"residual": "car1", "residual_time": "t"}),
    ):
        for factor in (1e60, 1e150, 1e300):
            with pytest.raises(FitError, match=f"'{column}' holds numbers that are too large"):
                linear(data.assign(**{column: data[column] * factor}), ["1", "x"], **more)
    for factor in (1e30, 1e-30):
        with pytest.raises(FitError, match="unit of time near this distance"):
            linear(data.assign(t=data["t"] * factor), ["1"], residual="car1", residual_time="t")


def test_all_columns_are_told_at_once(data):
    bad = data.assign(x=data["x"] * 1e150, g=[MIXED[c % 2] for c in data["client"]])
    with pytest.raises(FitError, match=r"(?s)'x' holds numbers.*'g' holds"):
        linear(bad, ["1", "x", "g"])


def test_whole_numbers_in_text_are_codes():
    assert is_categorical(pd.Series(["1", "2", "1"]))
    assert not is_categorical(pd.Series([1, None, 2.5], dtype=object))


# ------------------------------------------------------------------ dependent terms


@engines
def test_a_near_copy_is_not_called_exact(data, fit):
    rng = np.random.default_rng(2)
    with pytest.raises(FitError, match="'z' is nearly a combination of 'x': only 1e-12"):
        fit(data.assign(z=data["x"] + 1e-6 * rng.normal(size=240)), ["1", "x", "z"])
    for copy in (data["x"], 3.0 - 2.0 * data["x"], data["x"] + 1e6):
        with pytest.raises(FitError, match="'z' is an exact combination of 'x'"):
            fit(data.assign(z=copy), ["1", "x", "z"])


@engines
@pytest.mark.parametrize(
    ("empty", "fixed", "words"),
    [
        (
            ("b", "u"),
            ["1", "g*h"],
            r"'g:h' cannot.*no row has 'g\[b\]' together with the ref",
        ),
        (
            ("a", "v"),
            ["1", "g*h"],
            r"'g:h' cannot.*no row has 'h\[v\]' together with the ref",
        ),
        (("c", "v"), ["1", "g*h"], r"'g:h' cannot.*no row has 'g\[c\]' together with 'h\[v\]'"),
        (("b", "u"), ["g:h"], r"'g:h' cannot.*no row has 'g\[b\]' together with 'h\[u\]'"),
        (
            ("a", "u"),
            ["1", "g*h"],
            r"no row has the reference category of 'g' together with the reference category of 'h'",
        ),
    ],
)
def test_an_empty_cell_is_named_and_the_advice_can_be_followed(data, fit, empty, fixed, words):
    rows = data[(data["g"] != empty[0]) | (data["h"] != empty[1])]
    with pytest.raises(FitError, match=words):
        fit(rows, fixed)
    joined = fit(rows.assign(gh=rows["g"] + rows["h"]), ["1", "gh"])
    assert len(joined.coefficients) == 5
    assert len(fit(rows, ["1", "g", "h"]).coefficients) == 4


@engines
def test_one_column_of_a_term_is_never_to_be_left_out_alone(data, fit):
    rows = data[(data["g"] != "b") | (data["t"] == 0)]
    with pytest.raises(FitError, match="join categories, or leave 'g:t' out"):
        fit(rows, ["1", "t*g"])
    clinics = data.assign(clinic=data["g"].map({"a": "n", "b": "s", "c": "s"}))
    with pytest.raises(FitError, match=r"leave 'g' out or 'clinic'|leave 'clinic' out or 'g'"):
        fit(clinics, ["1", "g", "clinic"])


# ------------------------------------------------------------------ times


def test_times_that_differ_by_rounding_are_one_time(data):
    tenths = np.cumsum(np.full(6, 0.1))[data["t"].astype(int)]
    doubled = np.where(data["t"] == 3, 0.1 + 0.1 + 0.1, np.where(data["t"] == 2, 0.3, data["t"]))
    with pytest.raises(FitError, match="40 rows repeat a 'u' of the same client"):
        linear(data.assign(u=doubled), ["1"], residual="car1", residual_time="u")
    exact = linear(data.assign(u=(data["t"] + 1) / 10), ["1"], residual="car1", residual_time="u")
    added = linear(data.assign(u=tenths), ["1"], residual="car1", residual_time="u")
    assert added.log_likelihood == pytest.approx(exact.log_likelihood, abs=1e-9)
    assert len(added.prepared.residual.lags) == 1
    sessions = linear(data, ["1"], residual="ar1", residual_time="t")
    fuzzy = linear(data.assign(u=tenths * 10), ["1"], residual="ar1", residual_time="u")
    assert fuzzy.log_likelihood == pytest.approx(sessions.log_likelihood, abs=1e-9)


def test_ties_hold_in_any_unit_of_time():
    exit = np.array([0.3, 0.1 + 0.1 + 0.1, 0.7, 0.2, 0.5])
    for unit in (1.0, 1e-12, 1e12):
        curve = survival.kaplan_meier(exit * unit, np.ones(5))
        assert curve.events.tolist() == [1, 2, 1, 1]
    with pytest.raises(FitError, match="A time is missing"):
        survival.kaplan_meier(np.array([1.0, np.nan]), np.ones(2))
    with pytest.raises(FitError, match="too large"):
        survival.kaplan_meier(np.array([1e308, 1.5e308]), np.ones(2))


# ------------------------------------------------------------------ survival and structural models


def test_survival_models_refuse_what_they_cannot_compute(data):
    start, stop = np.zeros(240), np.ceil(data["y"].abs().to_numpy() * 3) + 1
    event, x = (data["x"] > 0).to_numpy(), data[["x"]].to_numpy()
    near = np.column_stack([x, x + 1e-6 * np.random.default_rng(3).normal(size=(240, 1))])
    for predictors, words in (
        (x * 1e150, "too large"),
        (np.where(x > 2, np.nan, x), "missing"),
        (np.column_stack([x, x]), "Predictor 2 is a combination"),
        (near, r"Predictor 2 is nearly a combination.*\(1e-12"),
    ):
        with pytest.raises(FitError, match=words):
            survival.cox_rows(start, stop, event, predictors)
        design = np.column_stack([np.ones(240), predictors])
        with pytest.raises(FitError, match=words):
            survival.fit_multinomial(event.astype(int), design, data["client"].to_numpy())
    with pytest.raises(FitError, match="ends when it begins"):
        survival.cox_rows(stop, stop, event, x)
    for odd in (event.astype(str), event * 2.0, np.where(x[:, 0] > 2, np.nan, event)):
        with pytest.raises(FitError, match="must be 0 or 1"):
            survival.cox_rows(start, stop, odd, x)
        with pytest.raises(FitError, match="must be 0 or 1"):
            survival.kaplan_meier(stop, odd)
    with pytest.raises(FitError, match="way of leaving must be a number"):
        survival.cumulative_incidence(stop, event.astype(str), 1)
    with pytest.raises(FitError, match="way of leaving must be a number"):
        survival.subdistribution_rows(stop, np.where(event, 0.5, 0.0), 1)
    late = np.where(np.arange(240) == 3, 1e150, stop)  # beside it all other times would be tied
    for refused in (
        lambda: survival.kaplan_meier(late, event),
        lambda: survival.cox_rows(start, late, event, x),
    ):
        with pytest.raises(FitError, match="A time is too large"):
            refused()
    nothing = survival.fit_cox(survival.cox_rows(start, stop, event, np.empty((240, 0))))
    assert nothing.log_likelihood == nothing.null_log_likelihood
    ones = np.ones((240, 1))
    with pytest.raises(FitError, match="two clusters"):
        survival.fit_multinomial(event.astype(int), ones, np.zeros(240, int))
    with pytest.raises(FitError, match="nobody had"):
        survival.fit_multinomial(2 * event, ones, data["client"].to_numpy())
    with pytest.raises(FitError, match="same value in every row"):
        survival.fit_multinomial(event.astype(int), np.ones((240, 2)), data["client"].to_numpy())


def test_structural_models_refuse_what_they_cannot_read(data):
    rows = data[["x", "y"]].to_numpy()
    numbers = sem.sample(rows.astype(object), ["x", "y"])
    assert np.array_equal(numbers.mean, sem.sample(rows, ["x", "y"]).mean)
    for changed, words in (
        (rows * [1.0, 1e150], "'y' has numbers beyond"),
        (np.where(rows > 2, np.inf, rows), "infinite"),
        (rows.astype(str), "must be numbers"),
        (np.column_stack([data["x"].astype(object), data["g"]]), "something else than numbers"),
    ):
        with pytest.raises(FitError, match=words):
            sem.sample(changed, ["x", "y"])
    for ids, words in (
        ([MIXED[c % 2] for c in data["client"]], "numbers in some rows and text in others"),
        (data["client"].where(data["client"] != 3), "6 rows have no cluster"),
    ):
        for read in (sem.sample, sem.clustered, sem.clustered_incomplete):
            arguments = (rows, ["x", "y"], ids) if read is sem.sample else (rows, ids, ["x", "y"])
            with pytest.raises(FitError, match=words):
                read(*arguments)


# ------------------------------------------------------------------ inference


def test_profiles_of_models_with_one_coefficient(data):
    for more in ({}, {"method": "ML"}, {"residual": "ar1", "residual_time": "t"}):
        table = linear(data, ["1"], **more).intervals("profile", likelihood="same")
        fixed = table[table["level"] == "fixed"].iloc[0]
        assert fixed["ci_low"] < fixed["estimate"] < fixed["ci_high"]
    assert len(linear(data, ["x"]).intervals("profile", parameters="fixed")) == 1
    several = fit_mixed(data, ["y", "x"], ["1"], RANDOM).intervals("profile", parameters="fixed")
    assert np.isfinite(several["ci_low"]).all()


def test_kenward_roger_is_an_option(data):
    fit = linear(data, ["1", "b"], df="kenward-roger")
    assert fit.coefficients["df"].iloc[1] == pytest.approx(38.0, abs=1e-6)


def test_least_squares_cr2_refuses(data):
    x, y = np.column_stack([np.ones(240), data["x"]]), data["y"].to_numpy()
    with pytest.raises(FitError, match="at least two"):
        least_squares_cr2(x, y, np.zeros(240, int))
    with pytest.raises(FitError, match="determine each other"):
        least_squares_cr2(np.column_stack([x, x[:, 1]]), y, data["client"].to_numpy())
    mixed = pd.Series([MIXED[c % 2] for c in data["client"]])
    with pytest.raises(FitError, match="of another kind"):
        linear(data, ["1", "x"]).cluster_robust(mixed)
