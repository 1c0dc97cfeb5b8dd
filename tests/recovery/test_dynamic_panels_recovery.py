"""Estimators made for a lagged outcome find a truth that is none of their own models.

The courses are those of `benchmarks/alternatives_recovery.py`: heavy-tailed shocks, carry-over that
differs between clients, a start away from the level; here with many clients, so that a few cohorts
tell bias from chance.
"""

import importlib
import sys
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
COHORTS, CLIENTS = 12, 600


@pytest.fixture(scope="module")
def benchmark():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    yield importlib.import_module("alternatives_recovery")
    sys.path.remove(str(ROOT / "benchmarks"))


@pytest.fixture(scope="module")
def bias(benchmark):
    """Return bias over its Monte Carlo error, and bias, by estimator and effect."""
    found = []
    for seed in range(COHORTS):
        rows = benchmark.unlike_any_model(seed, clients=CLIENTS)
        found += benchmark.panel_rows(rows)
    table = benchmark.summary(pd.DataFrame(found).assign(condition="unlike any model"))
    table = table.set_index(["estimator", "effect"])
    return table.assign(errors=table["bias"] / table["bias_mc_error"])


MADE_FOR_IT = (
    "difference_gmm",
    "system_gmm",
    "dynamic_panel_model",
    "random_intercepts_model",
)


@pytest.mark.parametrize("estimator", MADE_FOR_IT)
def test_the_effect_is_found(bias, estimator):
    row = bias.loc[(estimator, "x on y")]
    assert abs(row["bias"]) < 3 * row["bias_mc_error"] + 0.15 * 0.12


def test_fixed_effects_miss_what_is_carried_over_and_the_jackknife_brings_most_of_it_back(bias):
    plain = bias.loc[("fixed_effects", "carry-over of y"), "bias"]
    halves = bias.loc[("half_panel_jackknife", "carry-over of y"), "bias"]
    assert plain < -0.15
    assert abs(halves) < 0.5 * abs(plain)
