"""Which rows are used, how groups nest, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from alliance.errors import FitError
from alliance.mixed import fit_mixed, fit_mixed_logit

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


NUMBERED = {"therapist": ["1"], "therapist:client": ["1"]}


def test_ids_numbered_within_therapists_are_separate_clients_where_the_level_says_so():
    one = fit_mixed(cohort(unique=True), "y", ["1", "t"], RANDOM)
    other = fit_mixed(cohort(unique=False), "y", ["1", "t"], NUMBERED)
    assert one.n_groups == {"therapist": 6, "client": 24}
    assert other.n_groups == {"therapist": 6, "therapist:client": 24}
    assert one.log_likelihood == other.log_likelihood
    assert "(1 | therapist:client)" in other.equation
    assert list(other.to_dict()["random"]) == ["therapist", "therapist:client"]
    effects = other.random_effects("therapist:client")
    assert list(effects.columns) == ["therapist", "client", "1", "sd(1)"]
    assert np.array_equal(effects["1"], one.random_effects("client")["1"])
    assert np.allclose(other.fitted(), one.fitted(), rtol=0, atol=0)


def test_a_level_may_join_columns_that_are_no_levels():
    data = cohort(unique=False)
    joined = fit_mixed(data, "y", ["1", "t"], {"therapist:client": ["1", "t"]})
    own = data.assign(id=data["therapist"] * 100 + data["client"])
    assert (
        joined.log_likelihood == fit_mixed(own, "y", ["1", "t"], {"id": ["1", "t"]}).log_likelihood
    )


@pytest.mark.parametrize("share", [0.05, 0.3, 0.45, 0.55, 0.8, 1.0])
def test_ids_under_several_groups_are_refused_however_many_they_are(share):
    data = cohort()
    clients = data["client"].unique()
    shared = np.random.default_rng(3).permutation(clients)[: max(1, round(share * len(clients)))]
    again = data[data["client"].isin(shared)].assign(therapist=lambda d: (d["therapist"] + 1) % 6)
    data = pd.concat([data, again])
    told = rf"'client' is not nested in 'therapist': {len(shared)} of 24 ids.*'therapist:client'"
    for fit in (
        lambda: fit_mixed(data, "y", ["1", "t"], RANDOM),
        lambda: fit_mixed(data, ["y", "x"], ["1", "t"], RANDOM),
        lambda: fit_mixed_logit(data.assign(y=data["y"] > 1), "y", ["1", "t"], RANDOM),
    ):
        with pytest.raises(FitError, match=told):
            fit()
    fit = fit_mixed(data, "y", ["1"], NUMBERED)
    assert fit.n_groups["therapist:client"] == 24 + len(shared)


def test_all_levels_with_shared_ids_are_told_at_once_with_names_that_work():
    data = cohort(unique=False).assign(site=lambda d: d["therapist"] // 3)
    data["therapist"] %= 3
    levels = {"site": ["1"], "therapist": ["1"], "client": ["1"]}
    with pytest.raises(FitError, match=r"(?s)'site:therapist'.*'site:therapist:client'"):
        fit_mixed(data, "y", ["1", "t"], levels)
    named = {"site": ["1"], "site:therapist": ["1"], "site:therapist:client": ["1"]}
    assert list(fit_mixed(data, "y", ["1", "t"], named).n_groups.values()) == [2, 6, 24]


def test_crossed_samples_and_plates_are_refused_for_what_they_are():
    """The layout of lme4's Penicillin: every sample is tried once on every plate."""
    grid = pd.MultiIndex.from_product([range(24), list("ABCDEF")], names=["plate", "sample"])
    data = grid.to_frame(index=False).assign(y=np.random.default_rng(1).normal(size=144))
    with pytest.raises(FitError, match=r"6 of 6 ids of 'sample' occur.*crossed") as told:
        fit_mixed(data, "y", ["1"], {"plate": ["1"], "sample": ["1"]})
    assert "one row only" not in str(told.value)


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
        (lambda d: d, {"random": {"therapist:nobody": ["1"]}}, "no column 'nobody'"),
        (lambda d: d, {"random": {"log1p(therapist)": ["1"]}}, "must be a column of ids"),
        (lambda d: d, {"random": {"therapist*client": ["1"]}}, "must be a column of ids"),
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
