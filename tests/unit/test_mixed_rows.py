"""Which rows are used, how groups nest, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from alliance.errors import FitError
from alliance.mixed import fit_mixed

RANDOM = {"therapist": ["1"], "client": ["1"]}


def cohort(seed=1, unique=True):
    rng = np.random.default_rng(seed)
    grid = pd.MultiIndex.from_product([range(6), range(4), range(4)]).to_frame(index=False)
    grid.columns = ["therapist", "client", "t"]
    if unique:
        grid["client"] += 100 * grid["therapist"]
    effect = rng.normal(size=200)
    grid["x"] = rng.normal(size=len(grid))
    code = grid.groupby(["therapist", "client"]).ngroup()
    grid["y"] = 1 + 0.2 * grid["t"] + effect[code] + rng.normal(size=len(grid))
    return grid


def test_rows_left_out_are_counted_by_reason():
    data = cohort()
    data.loc[[3, 5], "x"] = np.nan
    data.loc[[5, 9], "y"] = np.nan
    rows = fit_mixed(data, "y", ["1", "t", "x"], RANDOM).rows
    assert rows.left_out == {"missing x": 1, "missing y": 1, "missing y, x": 1}
    assert rows.used + sum(rows.left_out.values()) == rows.total == len(data)
    assert not {3, 5, 9} & set(rows.used_positions)


def test_ids_numbered_within_therapists_are_separate_clients():
    one = fit_mixed(cohort(unique=True), "y", ["1", "t"], RANDOM)
    other = fit_mixed(cohort(unique=False), "y", ["1", "t"], RANDOM)
    assert one.n_groups == other.n_groups == {"therapist": 6, "client": 24}
    assert one.log_likelihood == other.log_likelihood


def test_a_client_under_two_therapists_is_refused_with_the_remedy():
    data = cohort()
    data.loc[data.index[:2], "therapist"] = 5
    with pytest.raises(FitError, match=r"'client' is not nested in 'therapist': 1 of 24"):
        fit_mixed(data, "y", ["1", "t"], RANDOM)
    assert fit_mixed(data, "y", ["1"], RANDOM, ids="within-parent").n_groups["client"] == 25


def test_levels_that_repeat_each_other_are_refused_only_if_they_share_terms():
    data = cohort().assign(copy=lambda d: d["client"])
    with pytest.raises(FitError, match=r"exactly one copy.*cannot be told apart"):
        fit_mixed(data, "y", ["1", "t"], {"client": ["1"], "copy": ["1"]})
    # Uncorrelated intercept and slope: the same ids as two levels with different terms.
    fit = fit_mixed(data, "y", ["1", "t"], {"client": ["1"], "copy": ["t"]})
    assert len(fit.variance_components) == 3


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        (lambda d: d.assign(x=1.5), {}, "'x' has the same value"),
        (lambda d: d.assign(w=2 * d["x"]), {"fixed": ["1", "x", "w"]}, "'w' is an exact combin"),
        (lambda d: d.assign(y=3.0), {}, "'y' has the same value"),
        (lambda d: d.assign(y="high"), {}, "'y' holds categories"),
        (lambda d: d.drop_duplicates("client"), {"fixed": ["1", "x"]}, "'?client'? has one row"),
        (lambda d: d[d["therapist"] == 1], {}, "only one therapist"),
        (lambda d: d.assign(y=d["t"] * 2.0), {}, "reproduces the outcome 'y' exactly"),
        (lambda d: d.assign(x=d["x"].where(d["t"] > 0, np.inf)), {}, r"Infinite.*'x' \(24 rows"),
        (lambda d: d.iloc[:0], {}, "No complete row"),
        (lambda d: d, {"fixed": ["1", "y"]}, "outcome 'y' also stands"),
        (lambda d: d, {"random": {"nobody": ["1"]}}, "no column 'nobody'"),
        (lambda d: d, {"residual": "ar1"}, "needs residual_time"),
        (lambda d: d, {"residual": "ar1", "residual_time": "x"}, "whole numbers"),
        (lambda d: d.assign(t=1), {"fixed": ["1"], "residual": "ar1", "residual_time": "t"},
         "one row per client and time"),
        (lambda d: d, {"df": "kenward-roger", "method": "ML"}, "REML only"),
        (lambda d: d, {"fixed": ["1", "therapist_"]}, "nearest name is 'therapist'"),
        (lambda d: d[d["t"] < 2], {"fixed": ["1", "t"], "random": {"client": ["1", "t"]}},
         "cannot tell these variance components apart"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_said_in_the_users_words(change, arguments, words):
    question = {"outcome": "y", "fixed": ["1", "t", "x"], "random": RANDOM} | arguments
    with pytest.raises(FitError, match=words):
        fit_mixed(change(cohort()), **question)


def test_the_data_are_not_changed():
    data = cohort().sample(frac=1, random_state=2)
    before = data.copy(deep=True)
    fit_mixed(data, "y", ["1", "t"], RANDOM)
    pd.testing.assert_frame_equal(data, before)


def test_levels_in_the_wrong_order_are_recognised():
    with pytest.raises(FitError, match="'therapist' belongs before 'client'"):
        fit_mixed(cohort(), "y", ["1", "t"], {"client": ["t"], "therapist": ["1"]})
