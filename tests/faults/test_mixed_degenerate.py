"""220 degenerate and badly scaled data sets: a right fit or a plain FitError, nothing else.

Forty-four kinds of trouble, five seeds each. A kind states what must come of it:

* `refuse`  - a FitError in the user's words;
* `fit`     - a fit, right by the dense evaluation of the likelihood in `reference/mixed`;
* `same`    - a fit, and after the exact transformation rule the same as that of the tame data;
* `either`  - one or the other, but if a fit, then a right one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "reference" / "mixed"))
from mixed_cases import covariances_of, dense_log_likelihood_at, dense_of

from alliance.errors import FitError
from alliance.mixed import fit_mixed

SEEDS = range(5)
RANDOM = (
    {"client": ["1"]},
    {"client": ["1", "t"]},
    {"therapist": ["1"], "client": ["1"]},
    {"therapist": ["1"], "client": ["1", "t"]},
    {"therapist": ["1", "t"], "client": ["1"]},
)


@dataclass
class Trouble:
    """One data set and what is asked of it."""

    data: pd.DataFrame
    arguments: dict
    tame: pd.DataFrame | None = None  # for `same`: the data before the transformation
    log_jacobian: float = 0.0  # log-likelihood of the tame fit minus that of the wild one
    names: tuple[str, ...] = field(default=())  # columns that a refusal has to name


def cohort(rng: np.random.Generator, *, therapists=4, clients=4, sessions=(4, 7)) -> pd.DataFrame:
    """Sessions in clients in therapists, about 90 rows."""
    rows = []
    for j in range(therapists):
        therapist_effect = rng.normal(0, 0.7, 2) * [1, 0.2]
        for i in range(clients):
            effect = rng.normal(0, 1, 2) * [1, 0.3] + therapist_effect
            n = int(rng.integers(sessions[0], sessions[1] + 1))
            t = np.arange(n, dtype=float)
            x, z = rng.normal(size=n), np.full(n, rng.normal())
            y = 5 + effect[0] + (effect[1] - 0.3) * t + 0.5 * x + 0.2 * z + rng.normal(size=n)
            rows.append(
                pd.DataFrame(
                    {"therapist": j, "session": np.arange(1, n + 1), "t": t, "x": x, "z": z, "y": y}
                ).assign(client=100 * j + i, site=j // 2, group="ab"[i % 2])
            )
    return pd.concat(rows, ignore_index=True)


def ask(seed: int, **changes) -> dict:
    """The question that goes with a seed: structure and method vary with it."""
    base = {
        "outcome": "y",
        "fixed": ["1", "t", "x"],
        "random": RANDOM[seed % len(RANDOM)],
        "method": "ML" if seed % 3 == 2 else "REML",
    }
    return base | changes


def reml(arguments: dict) -> bool:
    return arguments["method"] == "REML"


KINDS: dict[str, tuple[str, Callable[[np.random.Generator, int], Trouble]]] = {}


def kind(outcome: str):
    def register(build):
        KINDS[build.__name__] = (outcome, build)
        return build

    return register


# ------------------------------------------------------------------- predictors
@kind("refuse")
def constant_predictor(rng, seed):
    return Trouble(cohort(rng).assign(x=3.7), ask(seed), names=("x",))


@kind("refuse")
def constant_after_missing_rows_go(rng, seed):
    data = cohort(rng)
    data["x"] = 1.0
    data.loc[::7, "x"] = 2.0
    data.loc[::7, "y"] = np.nan
    return Trouble(data, ask(seed), names=("x",))


@kind("refuse")
def copied_predictor(rng, seed):
    data = cohort(rng)
    return Trouble(data.assign(w=data["x"]), ask(seed, fixed=["1", "t", "x", "w"]), names=("w",))


@kind("refuse")
def linear_combination(rng, seed):
    data = cohort(rng)
    data["w"] = 2 * data["x"] - 0.5 * data["t"] + 1
    return Trouble(data, ask(seed, fixed=["1", "t", "x", "w"]), names=("w",))


@kind("refuse")
def dummies_that_add_up(rng, seed):
    data = cohort(rng)
    data["is_a"] = (data["group"] == "a").astype(float)
    return Trouble(data, ask(seed, fixed=["1", "t", "group", "is_a"]), names=("is_a",))


@kind("either")
def nearly_collinear(rng, seed):
    data = cohort(rng)
    data["w"] = data["x"] + 10.0 ** -(4 + 2 * seed) * rng.normal(size=len(data))
    return Trouble(data, ask(seed, fixed=["1", "t", "x", "w"]))


@kind("same")
def predictor_offset(rng, seed):
    tame = cohort(rng)
    arguments = ask(seed, random={"therapist": ["1"], "client": ["1"]})
    return Trouble(tame.assign(x=tame["x"] + 1e6), arguments, tame)


@kind("same")
def time_offset_with_random_slope(rng, seed):
    tame = cohort(rng)
    arguments = ask(seed, random={"therapist": ["1"], "client": ["1", "t"]})
    return Trouble(tame.assign(t=tame["t"] + 1e6), arguments, tame)


@kind("same")
def tiny_predictor(rng, seed):
    tame, arguments = cohort(rng), ask(seed)
    rule = np.log(1e-8) if reml(arguments) else 0.0
    return Trouble(tame.assign(x=tame["x"] * 1e-8), arguments, tame, rule)


@kind("same")
def huge_predictor(rng, seed):
    tame, arguments = cohort(rng), ask(seed)
    rule = np.log(1e9) if reml(arguments) else 0.0
    return Trouble(tame.assign(x=tame["x"] * 1e9), arguments, tame, rule)


@kind("same")
def tiny_time_with_random_slope(rng, seed):
    tame, arguments = cohort(rng), ask(seed, random={"client": ["1", "t"]})
    rule = np.log(1e-8) if reml(arguments) else 0.0
    return Trouble(tame.assign(t=tame["t"] * 1e-8), arguments, tame, rule)


@kind("either")
def infinite_predictor(rng, seed):
    data = cohort(rng)
    data.loc[[3, 20], "x"] = [np.inf, -np.inf]
    return Trouble(data, ask(seed), names=("x",))


@kind("either")
def astronomical_predictor(rng, seed):
    data = cohort(rng)
    return Trouble(data.assign(x=data["x"] * 1e200), ask(seed), names=("x",))


@kind("refuse")
def one_category_only(rng, seed):
    return Trouble(cohort(rng).assign(x="same"), ask(seed), names=("x",))


@kind("either")
def numbers_stored_as_words(rng, seed):
    data = cohort(rng)
    data["x"] = data["x"].round(2).astype(str)
    return Trouble(data, ask(seed))


@kind("fit")
def rare_category(rng, seed):
    data = cohort(rng)
    data["label"] = "common"
    data.loc[5, "label"] = "rare"
    return Trouble(data, ask(seed, fixed=["1", "t", "label"]))


@kind("fit")
def unusual_column_types(rng, seed):
    data = cohort(rng)
    data["x"] = data["x"].astype("Float64")
    data["t"] = data["t"].astype("Int64")
    data["flag"] = rng.random(len(data)) < 0.5
    data["group"] = pd.Categorical(data["group"], ["a", "b", "never"])
    data.loc[4, "x"] = pd.NA
    return Trouble(data, ask(seed, fixed=["1", "t", "x", "flag", "group"]))


# ------------------------------------------------------------------- outcome
@kind("refuse")
def constant_outcome(rng, seed):
    return Trouble(cohort(rng).assign(y=2.5), ask(seed), names=("y",))


@kind("refuse")
def outcome_of_words(rng, seed):
    data = cohort(rng)
    return Trouble(data.assign(y=np.where(data["y"] > 5, "high", "low")), ask(seed), names=("y",))


@kind("refuse")
def perfectly_fitted(rng, seed):
    data = cohort(rng)
    return Trouble(data.assign(y=1 + 2 * data["t"] - 3 * data["x"]), ask(seed))


@kind("refuse")
def each_client_constant(rng, seed):
    data = cohort(rng)
    data["y"] = data.groupby(["therapist", "client"])["y"].transform("mean").round(3)
    return Trouble(data, ask(seed, fixed=["1", "t"], random={"client": ["1"]}))


@kind("refuse")
def each_client_a_straight_line(rng, seed):
    data = cohort(rng)
    ids = data.groupby(["therapist", "client"]).ngroup().to_numpy()
    line = rng.normal(size=(ids.max() + 1, 2))
    data["y"] = line[ids, 0] + line[ids, 1] * data["t"]
    return Trouble(data, ask(seed, fixed=["1", "t"], random={"client": ["1", "t"]}))


@kind("either")
def infinite_outcome(rng, seed):
    data = cohort(rng)
    data.loc[7, "y"] = np.inf
    return Trouble(data, ask(seed), names=("y",))


@kind("same")
def outcome_offset(rng, seed):
    tame = cohort(rng)
    return Trouble(tame.assign(y=tame["y"] + 1e6), ask(seed), tame)


def rescaled_outcome(rng, seed, factor):
    tame, arguments = cohort(rng), ask(seed)
    count = len(tame) - (3 if reml(arguments) else 0)
    rule = count * np.log(factor)
    return Trouble(tame.assign(y=tame["y"] * factor), arguments, tame, rule)


@kind("same")
def tiny_outcome(rng, seed):
    return rescaled_outcome(rng, seed, 1e-8)


@kind("same")
def huge_outcome(rng, seed):
    return rescaled_outcome(rng, seed, 1e8)


@kind("fit")
def one_wild_value(rng, seed):
    data = cohort(rng)
    data.loc[11, "y"] = 1e4
    return Trouble(data, ask(seed))


@kind("fit")
def no_variance_between(rng, seed):
    data = cohort(rng)
    data["y"] = 1 + 0.5 * data["x"] + rng.normal(size=len(data))
    return Trouble(data, ask(seed))


@kind("fit")
def clients_more_alike_than_chance(rng, seed):
    # Negative intraclass correlation: the boundary is the maximum, with a slope towards it.
    data = cohort(rng)
    noise = rng.normal(size=len(data))
    data["y"] = noise - pd.Series(noise).groupby([data["therapist"], data["client"]]).transform(
        "mean"
    )
    return Trouble(data, ask(seed))


# ------------------------------------------------------------------- groups
@kind("refuse")
def one_session_per_client(rng, seed):
    data = cohort(rng).groupby(["therapist", "client"]).head(1)
    return Trouble(data, ask(seed, fixed=["1", "x"], random={"client": ["1"]}), names=("client",))


@kind("refuse")
def one_client_per_therapist(rng, seed):
    data = cohort(rng, therapists=12, clients=1)
    arguments = ask(seed, random={"therapist": ["1"], "client": ["1"]})
    return Trouble(data, arguments, names=("therapist", "client"))


@kind("refuse")
def one_therapist_per_site(rng, seed):
    data = cohort(rng)
    data["site"] = data["therapist"]
    arguments = ask(seed, random={"site": ["1"], "therapist": ["1"], "client": ["1"]})
    return Trouble(data, arguments, names=("site", "therapist"))


@kind("refuse")
def one_client(rng, seed):
    data = cohort(rng, therapists=1, clients=1, sessions=(12, 20))
    return Trouble(data, ask(seed, random={"client": ["1"]}), names=("client",))


@kind("either")
def tiny_groups(rng, seed):
    data = cohort(rng, therapists=2, clients=2, sessions=(2, 2))
    return Trouble(data, ask(seed, fixed=["1", "t"]))


@kind("either")
def two_sessions_each_with_slopes(rng, seed):
    # Four variance parameters for the three numbers of a 2 x 2 covariance matrix.
    data = cohort(rng, sessions=(2, 2))
    return Trouble(data, ask(seed, fixed=["1", "t"], random={"client": ["1", "t"]}))


@kind("fit")
def one_long_client_many_short(rng, seed):
    long = cohort(rng, therapists=1, clients=1, sessions=(60, 60))
    long = long.assign(therapist=99, client=9900)
    short = cohort(rng, therapists=5, clients=3, sessions=(1, 3))
    return Trouble(pd.concat([long, short], ignore_index=True), ask(seed))


@kind("either")
def slope_of_a_client_constant(rng, seed):
    return Trouble(cohort(rng), ask(seed, fixed=["1", "z"], random={"client": ["1", "z"]}))


# ------------------------------------------------------------------- rows
@kind("fit")
def missing_values_everywhere(rng, seed):
    data = cohort(rng).astype({"therapist": float, "client": float})
    for column in ("y", "x", "t", "client", "therapist"):
        data.loc[rng.choice(len(data), 4, replace=False), column] = np.nan
    return Trouble(data, ask(seed))


@kind("refuse")
def nothing_left(rng, seed):
    data = cohort(rng)
    if seed % 2:
        return Trouble(data.iloc[:0], ask(seed))
    return Trouble(data.assign(x=np.nan), ask(seed), names=("x",))


@kind("refuse")
def more_coefficients_than_rows(rng, seed):
    data = cohort(rng, therapists=2, clients=2, sessions=(2, 2))
    extra = [f"w{k}" for k in range(10)]
    data[extra] = rng.normal(size=(len(data), 10))
    return Trouble(data, ask(seed, fixed=["1", *extra]))


# ------------------------------------------------------------------- serial correlation
@kind("refuse")
def two_sessions_at_one_time(rng, seed):
    data = cohort(rng)
    data.loc[data["session"] == 2, "session"] = 1
    arguments = ask(seed, random={"therapist": ["1"], "client": ["1"]})
    return Trouble(
        data, arguments | {"residual": "ar1", "residual_time": "session"}, names=("session",)
    )


@kind("fit")
def serial_with_gaps_and_single_sessions(rng, seed):
    data = cohort(rng, sessions=(5, 9))
    keep = rng.random(len(data)) < 0.6
    arguments = ask(seed, random={"therapist": ["1"], "client": ["1"]})
    arguments |= {"residual": "ar1" if seed % 2 else "car1", "residual_time": "session"}
    return Trouble(data[keep].sample(frac=1, random_state=seed), arguments)


@kind("refuse")
def one_row_per_residual_variance(rng, seed):
    data = cohort(rng)
    data["own"] = np.arange(len(data))
    return Trouble(data, ask(seed, residual_by="own"), names=("own",))


@kind("same")
def time_in_nanoseconds_of_the_unit(rng, seed):
    tame = cohort(rng)
    arguments = ask(seed, random={"therapist": ["1"], "client": ["1"]})
    arguments |= {"residual": "car1", "residual_time": "session"}
    return Trouble(tame.assign(session=tame["session"] * 1e-9), arguments, tame)


ALL = [(name, seed) for name in KINDS for seed in SEEDS]


def test_there_are_at_least_two_hundred_sets():
    assert len(ALL) == 220


def build(name: str, seed: int) -> tuple[str, Trouble]:
    outcome, make = KINDS[name]
    rng = np.random.default_rng([seed, *name.encode()])
    return outcome, make(rng, seed)


def fit_or_refusal(trouble: Trouble):
    """The fit, or the FitError; every other exception fails the test by itself."""
    try:
        return fit_mixed(trouble.data, **trouble.arguments)
    except FitError as error:
        return error


@pytest.mark.parametrize(("name", "seed"), ALL)
def test_right_fit_or_plain_refusal(name, seed):
    outcome, trouble = build(name, seed)
    found = fit_or_refusal(trouble)
    if isinstance(found, FitError):
        assert outcome in ("refuse", "either"), f"refused: {found}"
        assert_plain(str(found), trouble.names)
        return
    assert outcome != "refuse", "was fitted"
    assert_finite(found)
    assert_rows_add_up(found, trouble.data)
    if outcome == "same":
        tame = fit_mixed(trouble.tame, **trouble.arguments)
        assert tame.log_likelihood - found.log_likelihood == pytest.approx(
            trouble.log_jacobian, abs=1e-5
        )
        assert_right(tame, trouble.tame, trouble.arguments)
    else:
        assert_right(found, trouble.data, trouble.arguments)


def test_a_client_under_two_therapists_is_refused_with_the_remedy():
    data = cohort(np.random.default_rng(1))
    data.loc[data["client"] == 101, "client"] = 1  # somebody of therapist 0, now also under 1
    with pytest.raises(FitError, match="therapist:client") as refusal:
        fit_mixed(data, **ask(0, random={"therapist": ["1"], "client": ["1"]}))
    assert_plain(str(refusal.value), ("client", "therapist"))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seed"), ALL)
def test_no_higher_likelihood_is_to_be_found(name, seed):
    outcome, trouble = build(name, seed)
    found = fit_or_refusal(trouble)
    if outcome == "refuse" or isinstance(found, FitError):
        return  # judged above
    data = trouble.tame if outcome == "same" else trouble.data
    best = dense_of(finite_rows(data), trouble.arguments).best_log_likelihood(seed)
    wild = trouble.log_jacobian if outcome == "same" else 0.0
    assert found.log_likelihood + wild > best - 1e-5


def assert_plain(message: str, names: tuple[str, ...]) -> None:
    """In the user's terms: long enough to say cause and remedy, the column named, no jargon."""
    assert len(message) > 40
    assert not names or any(re.search(rf"\b{name}\b", message) for name in names), message
    jargon = r"LinAlg|[Cc]holesky|[Tt]raceback|positive definite|\bnan\b|singular matrix|numpy"
    assert not re.search(jargon, message), message


def assert_finite(fit) -> None:
    table = fit.coefficients
    assert np.isfinite(table["estimate"].to_numpy(float)).all()
    assert np.isfinite(table["se"].to_numpy(float)).all()
    assert (table["se"] > 0).all()
    assert np.isfinite(fit.log_likelihood)
    for matrix in covariances_of(fit).values():
        assert np.isfinite(matrix).all()
        scale = np.abs(matrix).max()
        assert np.linalg.eigvalsh(matrix).min() >= -1e-9 * max(scale, 1e-300)


def assert_rows_add_up(fit, data) -> None:
    assert fit.rows.used + sum(fit.rows.left_out.values()) == len(data)


def finite_rows(data: pd.DataFrame) -> pd.DataFrame:
    """Infinite values as missing, as the engine must treat them if it does not refuse."""
    return data.replace([np.inf, -np.inf], np.nan)


def assert_right(fit, data, arguments) -> None:
    model = dense_of(finite_rows(data), arguments)
    at_estimates = dense_log_likelihood_at(fit, model)
    assert fit.log_likelihood == pytest.approx(at_estimates, abs=1e-6)
