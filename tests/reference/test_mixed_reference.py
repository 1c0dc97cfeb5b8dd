"""The engine against numbers made by lme4, nlme, lmerTest, pbkrtest and clubSandwich.

The numbers and the scripts that made them: `mixed/` beside this file.

Tolerances
----------
log-likelihood   1e-6 absolute: a difference of log-likelihoods is what tests and criteria use, and
                 its size does not depend on the units of the outcome.
fixed effects    1e-6 of max(|estimate|, standard error): relative, but an estimate that happens to
                 lie near zero is judged on the scale on which it is known.
variances, SE    1e-4 relative; covariances relative to the product of the two standard deviations.
phi              1e-4 absolute (a correlation).
df               1e-3 relative.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "mixed"))
from mixed_cases import (
    TOPICS,
    all_cases,
    arguments_of,
    case_named,
    covariances_of,
    expected_covariances,
    read_data,
    rerun,
)

from alliance.mixed import fit_mixed

CASES = all_cases()
fits: dict[tuple[str, str], object] = {}


def fit_of(case: dict, df: str = "none"):
    key = (case["case"], df)
    if key not in fits:
        fits[key] = fit_mixed(read_data(case["data"]), **arguments_of(case), df=df)
    return fits[key]


def having(key: str) -> list[dict]:
    return [case for case in CASES if case.get(key) is not None]


def by_name(case: dict) -> str:
    return case["case"]


each = pytest.mark.parametrize("case", CASES, ids=by_name)


@each
def test_log_likelihood(case):
    assert fit_of(case).log_likelihood == pytest.approx(case["log_likelihood"], rel=0, abs=1e-6)


@each
def test_number_of_parameters_and_aic(case):
    fit = fit_of(case)
    assert fit.n_parameters == case["n_parameters"]
    assert fit.aic == pytest.approx(case["aic"], rel=0, abs=2e-6)


@each
def test_fixed_effects(case):
    table = fit_of(case).coefficients
    expected = np.array(case["estimates"])
    scale = np.maximum(np.abs(expected), case["standard_errors"])
    assert len(table) == len(expected)
    assert np.max(np.abs(table["estimate"].to_numpy() - expected) / scale) < 1e-6


@each
def test_standard_errors(case):
    np.testing.assert_allclose(
        fit_of(case).coefficients["se"].to_numpy(float), case["standard_errors"], rtol=1e-4
    )


@each
def test_variance_components(case):
    found = covariances_of(fit_of(case))
    for level, expected in expected_covariances(case).items():
        sd = np.sqrt(np.diag(expected))
        assert found[level].shape == expected.shape
        assert np.max(np.abs(found[level] - expected) / np.outer(sd, sd)) < 1e-4


@each
def test_residual(case):
    residual = fit_of(case).residual
    if case.get("residual_variances"):
        for group, variance in case["residual_variances"].items():
            assert residual.variances[group] == pytest.approx(variance, rel=1e-4)
    else:
        assert residual.sigma**2 == pytest.approx(case["residual_variance"], rel=1e-4)
    if case.get("phi") is not None:
        assert residual.phi == pytest.approx(case["phi"], abs=1e-4)


@pytest.mark.parametrize("case", having("satterthwaite_df"), ids=by_name)
def test_satterthwaite_degrees_of_freedom(case):
    found = fit_of(case, "satterthwaite").coefficients["df"].to_numpy(float)
    np.testing.assert_allclose(found, case["satterthwaite_df"], rtol=1e-3)


@pytest.mark.parametrize("case", having("kenward_roger"), ids=by_name)
def test_kenward_roger_degrees_of_freedom_and_adjusted_errors(case):
    table = fit_of(case, "kenward-roger").coefficients
    expected = case["kenward_roger"]
    np.testing.assert_allclose(table["df"].to_numpy(float), expected["df"], rtol=1e-3)
    np.testing.assert_allclose(table["se"].to_numpy(float), expected["standard_errors"], rtol=1e-4)


@pytest.mark.parametrize("case", having("fitted"), ids=by_name)
def test_fitted_values_with_all_random_effects(case):
    # in units of the residual sd, because the modes move with the variances (1e-4)
    found = fit_of(case).predict().to_numpy(float)
    sd = np.sqrt(case["residual_variance"])
    assert np.max(np.abs(found - case["fitted"])) / sd < 1e-4


@pytest.mark.parametrize("case", having("modes"), ids=by_name)
def test_modes_of_the_random_effects_and_their_conditional_errors(case):
    for entry in case["random"]:
        table = fit_of(case).random_effects(entry["level"])
        id_columns = entry["level"].split(":")
        ids = table[id_columns].astype(str).agg(":".join, axis=1)
        own = [row for row in case["modes"] if row["level"] == entry["level"]]
        terms = list(dict.fromkeys(row["term"] for row in own))
        assert len(own) == len(table) * len(terms)
        columns = [c for c in table if c not in id_columns]
        modes, errors = columns[: len(terms)], columns[len(terms) :]
        for row in own:
            here = table[ids == row["group"]].iloc[0]
            k = terms.index(row["term"])
            assert here[errors[k]] == pytest.approx(row["sd"], rel=1e-4)
            assert here[modes[k]] == pytest.approx(row["mode"], abs=1e-4 * row["sd"])


def test_bic_counts_rows_as_r_does():
    case = case_named("sleepstudy_ml")
    assert fit_of(case).bic(by="rows") == pytest.approx(case["bic_rows"], abs=2e-6)


def test_rows_left_out_are_counted():
    case = case_named("btheb_ml")
    rows = fit_of(case).rows
    data = read_data(case["data"])
    assert rows.used == case["n_rows"]
    assert sum(rows.left_out.values()) == len(data) - case["n_rows"]


MINUTES = ("exactness", "fourlevel", "sleepstudy")  # that R takes


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed: not rerun")
@pytest.mark.parametrize(
    "topic",
    [
        pytest.param(topic, marks=pytest.mark.exhaustive if topic in MINUTES else ())
        for topic in (*TOPICS, "exactness")
    ],
)
def test_r_scripts_reproduce_the_committed_numbers(topic, tmp_path):
    rerun(topic, tmp_path)
