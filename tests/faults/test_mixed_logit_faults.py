"""Degenerate and badly scaled binary data: a right fit or a plain FitError, nothing else."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd
import pytest

from alliance.errors import FitError
from alliance.mixed import fit_mixed_logit

SEEDS = range(4)


def cohort(seed: int, *, groups: int = 12, per_group: int = 12, sd: float = 0.8) -> pd.DataFrame:
    """Twelve therapists in four sites, about 140 rows, an event in a third of them."""
    rng = np.random.default_rng(seed)
    therapist = np.repeat(np.arange(groups), per_group)
    n = len(therapist)
    x, t = rng.normal(size=n), np.tile(np.arange(1.0, per_group + 1), groups)
    eta = -0.8 + 0.5 * x - 0.05 * t + sd * rng.normal(size=groups)[therapist]
    return pd.DataFrame(
        {
            "site": therapist // 3,
            "therapist": therapist,
            "x": x,
            "t": t,
            "arm": rng.choice(["a", "b", "c"], n),
            "event": (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(int),
        }
    )


ASK = {"outcome": "event", "fixed": ["1", "x", "t"], "random": {"therapist": ["1"]}}


def fit(data: pd.DataFrame, **changes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return fit_mixed_logit(data, **(ASK | changes))


def assert_sound(result) -> None:
    """Every number finite, every standard error positive, the gradient zero."""
    table = result.coefficients.drop(columns=["term", "df"]).to_numpy(dtype=float)
    assert np.isfinite(table).all()
    assert (result.coefficients["se"] > 0).all()
    assert np.isfinite(result.log_likelihood)
    assert result.convergence.converged
    assert result.convergence.gradient_norm < 1e-4 * result.rows.used
    assert (result.fitted() >= 0).all()
    assert (result.fitted() <= 1).all()


def refused(data: pd.DataFrame, *words: str, **changes) -> str:
    with pytest.raises(FitError) as caught:
        fit(data, **changes)
    message = str(caught.value)
    for word in words:
        assert word in message
    assert not re.search(r"nan|inf\b|matrix|Hessian|array|dtype", message)
    return message


# ------------------------------------------------------------------------------ the question


def test_all_problems_of_a_question_in_one_pass():
    message = refused(
        cohort(0),
        "link must be one of",
        "df must be 'none'",
        "quadrature",
        "'xx'",
        "random intercepts only",
        fixed=["1", "xx"],
        random={"therapist": ["1", "t"]},
        link="probit",
        df="satterthwaite",
        quadrature=0,
    )
    assert "The nearest name is 'x'" in message


def test_quadrature_needs_one_level():
    levels = {"site": ["1"], "therapist": ["1"]}
    refused(cohort(0), "exactly one level", random=levels, quadrature=9)


def test_points_are_whole_numbers():
    refused(cohort(0), "whole number", quadrature=2.5)


# ------------------------------------------------------------------------------- the outcome


def test_outcome_of_text_is_refused_with_a_remedy():
    data = cohort(0).assign(event=lambda d: np.where(d["event"] == 1, "yes", "no"))
    message = refused(data, "'event'", "0 or 1")
    assert "yes" not in message


def test_outcome_of_other_numbers_is_refused_by_count_not_value():
    data = cohort(0)
    data.loc[[3, 5], "event"] = 7
    message = refused(data, "2 of 144 rows")
    assert "7" not in message.replace("'event'", "")


@pytest.mark.parametrize("value", [0, 1])
def test_outcome_without_variation(value):
    refused(cohort(0).assign(event=value), f"'event' is {value} in all 144 rows")


def test_logical_outcome_is_the_same_fit():
    data = cohort(0)
    logical = fit(data.assign(event=data["event"] == 1))
    assert logical.log_likelihood == fit(data).log_likelihood


def test_missing_values_are_left_out_and_counted():
    data = cohort(0).astype({"event": float})
    data.loc[:4, "event"] = np.nan
    data.loc[10, "x"] = np.nan
    result = fit(data)
    assert result.rows.used == 138
    assert result.rows.left_out == {"missing event": 5, "missing x": 1}
    assert_sound(result)


# -------------------------------------------------------------------------------- separation


@pytest.mark.parametrize("seed", SEEDS)
def test_a_column_that_separates_is_named(seed):
    data = cohort(seed).assign(score=lambda d: np.where(d["event"] == 1, d["x"] + 9, d["x"]))
    message = refused(data, "'score'", "separates", fixed=["1", "t", "score"])
    assert "'t'" not in message


@pytest.mark.parametrize("seed", SEEDS)
def test_a_category_with_one_outcome_is_named_even_as_reference(seed):
    for category in "abc":
        data = cohort(seed)
        data.loc[data["arm"] == category, "event"] = 0
        message = refused(data, "'arm'", f"'{category}'", fixed=["1", "x", "arm"])
        assert "'x'" not in message


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rare_indicator_with_one_outcome_is_named(seed):
    data = cohort(seed).assign(rare=0)
    rows = data.index[data["event"] == 0][:4]
    data.loc[rows, "rare"] = 1
    refused(data, "'rare'", fixed=["1", "x", "rare"])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_combination_that_separates_is_named(seed):
    rng = np.random.default_rng(seed + 100)
    data = cohort(seed)
    data["z"] = rng.normal(size=len(data))
    data["event"] = (data["x"] + data["z"] > 0.4).astype(int)
    message = refused(data, "'x'", "'z'", "separate", fixed=["1", "x", "z", "t"])
    assert "'t'" not in message


@pytest.mark.parametrize("seed", SEEDS)
def test_an_interaction_cell_with_one_outcome_is_named(seed):
    data = cohort(seed).assign(g=lambda d: np.where(d["t"] % 2 == 0, "even", "odd"))
    data.loc[(data["arm"] == "c") & (data["g"] == "odd"), "event"] = 0
    refused(data, "arm[c]", "separate", fixed=["1", "arm*g", "x"])


def test_separation_is_found_in_many_rows():
    rng = np.random.default_rng(5)
    n = 200_000
    therapist = np.sort(rng.integers(0, 2000, n))
    data = pd.DataFrame({"therapist": therapist, "x": rng.normal(size=n), "z": rng.normal(size=n)})
    data["t"] = rng.normal(size=n)
    data["event"] = (data["x"] - 0.5 * data["z"] > 1.0).astype(int)
    message = refused(data, "'x'", "'z'", "separate", fixed=["1", "x", "z", "t"])
    assert "'t'" not in message


def test_no_false_alarm_where_an_effect_is_strong():
    rng = np.random.default_rng(3)
    data = cohort(3, groups=20, per_group=40)
    eta = 6.0 * data["x"] + rng.normal(size=20)[data["therapist"]]
    data["event"] = (rng.random(len(data)) < 1 / (1 + np.exp(-eta))).astype(int)
    result = fit(data, fixed=["1", "x"])
    assert_sound(result)
    assert result.coefficients["estimate"][1] == pytest.approx(6.0, abs=2.0)


def test_groups_with_one_outcome_each():
    data = cohort(0).assign(event=lambda d: d["therapist"] % 2)
    refused(data, "Within every therapist", "no upper limit", fixed=["1", "x"])


@pytest.mark.parametrize("seed", SEEDS)
def test_groups_and_a_column_that_separate_together(seed):
    rng = np.random.default_rng(seed)
    data = cohort(seed)
    threshold = rng.normal(size=12)[data["therapist"]]
    data["event"] = (data["x"] > threshold).astype(int)
    refused(data, "without bound", fixed=["1", "x"])


# ------------------------------------------------------------------------ groups and columns


def test_one_group():
    refused(cohort(0).assign(therapist=1), "only one therapist")


def test_one_row_per_group():
    data = cohort(0).assign(therapist=lambda d: np.arange(len(d)))
    refused(data, "Every therapist has one row only")


def test_levels_that_coincide():
    data = cohort(0).assign(site=lambda d: d["therapist"] + 100)
    refused(data, "exactly one therapist", random={"site": ["1"], "therapist": ["1"]})


def test_group_under_two_parents():
    data = cohort(0).astype({"site": int})
    data.loc[0, "site"] = 3
    refused(data, "not nested", random={"site": ["1"], "therapist": ["1"]})


def test_constant_and_collinear_columns_are_named():
    data = cohort(0).assign(k=3.0, both=lambda d: 2 * d["x"] - d["t"])
    refused(data, "'k'", "same value", fixed=["1", "x", "k"])
    refused(data, "'both'", "'x'", "'t'", fixed=["1", "x", "t", "both"])


def test_more_coefficients_than_rows():
    data = cohort(0).iloc[[0, 1, 12, 13, 24]].assign(event=[0, 1, 0, 1, 1])
    refused(data, "only 5 rows", fixed=["1", "x", "t", "square(x)", "square(t)", "x:t"])


def test_infinite_values():
    data = cohort(0)
    data.loc[3, "x"] = np.inf
    with pytest.raises(FitError, match="'x'"):
        fit(data)


def test_crossed_outcome_in_fixed():
    refused(cohort(0), "also stands among", fixed=["1", "event"])


# ---------------------------------------------------------------------- boundary and scaling


@pytest.mark.parametrize("seed", range(8))
def test_variance_of_zero_is_named_singular(seed):
    """Groups more alike than chance: the variance is zero and the fit that of no groups."""
    rng = np.random.default_rng(seed)
    data = cohort(seed)
    data["event"] = np.tile(rng.permutation([1] * 4 + [0] * 8), 12)
    data["x"] = rng.normal(size=len(data))
    result = fit(data, fixed=["1", "x"])
    assert_sound(result)
    assert result.convergence.is_singular
    assert result.convergence.singular_components == ("therapist: variance of '1' is 0",)
    plain = fit(data, fixed=["1", "x"], random={})
    assert result.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-9)
    assert result.coefficients["se"].to_numpy() == pytest.approx(
        plain.coefficients["se"].to_numpy(), rel=1e-7
    )
    assert (result.random_effects("therapist")[["1", "sd(1)"]] == 0).all(axis=None)
    assert result.average_marginal_effects()["se"].notna().all()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_shifted_and_scaled_predictors(seed, link):
    data = cohort(seed)
    tame = fit(data, link=link)
    wild = data.assign(x=data["x"] * 1e6 + 1e9, t=data["t"] * 1e-7 - 3.0)
    result = fit(wild, link=link)
    assert_sound(result)
    assert result.log_likelihood == pytest.approx(tame.log_likelihood, abs=1e-7)
    ratio = result.coefficients["estimate"] / tame.coefficients["estimate"]
    assert ratio[1:].to_numpy() == pytest.approx([1e-6, 1e7], rel=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_rare_events(seed):
    rng = np.random.default_rng(seed)
    n = 20_000
    data = pd.DataFrame(
        {"therapist": rng.integers(0, 100, n), "x": rng.normal(size=n), "t": rng.normal(size=n)}
    )
    data["event"] = (rng.random(n) < np.exp(-7.0 + 0.5 * data["x"])).astype(int)
    for link in ("logit", "cloglog"):
        assert_sound(fit(data, link=link))


@pytest.mark.parametrize("seed", SEEDS)
def test_large_variance(seed):
    data = cohort(seed, groups=60, per_group=20, sd=5.0)
    result = fit(data)
    assert_sound(result)
    assert result.variance_components["sd_or_correlation"][0] == pytest.approx(5.0, rel=0.5)


@pytest.mark.parametrize("seed", range(30))
def test_tiny_data_end_in_words_or_a_sound_fit(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 16))
    data = pd.DataFrame(
        {
            "site": np.sort(rng.integers(0, 3, n)),
            "therapist": rng.integers(0, 4, n),
            "x": rng.normal(size=n),
            "t": rng.integers(0, 3, n).astype(float),
            "event": rng.integers(0, 2, n),
        }
    )
    for random in ({"therapist": ["1"]}, {"site": ["1"], "site:therapist": ["1"]}):
        for quadrature in (1, 7) if len(random) == 1 else (1,):
            try:
                result = fit(data, random=random, quadrature=quadrature)
            except FitError as error:
                assert not re.search(r"nan|inf\b|matrix|Hessian|array", str(error))
            else:
                assert_sound(result)
                assert np.isfinite(result.average_marginal_effects()["estimate"]).all()


@pytest.mark.parametrize("factor", [1e200, 1e307, 1e-200])
def test_numbers_beyond_reach_are_named(factor):
    refused(cohort(0).assign(x=lambda d: d["x"] * factor), "'x'", "another unit")


def test_missing_outcome_column_is_said_once():
    message = refused(cohort(0), "'evnt'", outcome="evnt", random={})
    assert message.count("evnt") == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_an_interaction_cell_of_one_row_is_named(seed):
    data = cohort(seed).assign(g=0.0)
    row = data.index[(data["arm"] == "c") & (data["event"] == 0)][0]
    both = data.index[data["arm"] != "c"][:40]
    data.loc[[*both, row], "g"] = 1.0
    # with seed 0 the cell of arm a has one outcome too, by chance
    refused(data, "g:arm[", "separate", fixed=["1", "g*arm", "x"])


def test_separation_outside_the_pilot_is_found():
    """Large data start from a part of their groups, which may lack the cell that separates."""
    rng = np.random.default_rng(6)
    n = 200_000
    data = pd.DataFrame({"therapist": np.sort(rng.integers(0, 2000, n)), "x": rng.normal(size=n)})
    data["arm"], data["g"] = rng.choice(["a", "b"], n), rng.integers(0, 2, n).astype(float)
    data["event"] = (rng.random(n) < 0.2).astype(int)
    # three rows of one cell, in groups that are far apart and no multiple of the pilot's step
    rare = data["therapist"].isin([7, 1001, 1801]) & ~data["therapist"].duplicated()
    data["rare"] = rare.astype(float)
    data.loc[rare, ["arm", "g", "event"]] = ["b", 1.0, 0]
    more = (data["therapist"] == 7) & ~rare
    data.loc[more, "rare"], data.loc[more, "arm"] = 1.0, "a"
    data.loc[data.index[more][:5], "event"] = 1
    refused(data, "rare", fixed=["1", "x", "g", "rare*arm"])
