"""Several outcomes at once, against nlme (stacked rows) and lavaan (latent growth curves).

The numbers and the scripts that made them: `mixed/several.R` and `mixed/several_lavaan.R` beside
this file. Tolerances as in `test_mixed_reference.py`.
"""

from __future__ import annotations

import shutil
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "mixed"))
from mixed_cases import covariances_of, read_data, read_topic, rerun

from alliance.mixed import fit_mixed

NLME = read_topic("several")["cases"]
LAVAAN = read_topic("several_lavaan")["cases"]


@cache
def fit_of(name: str):
    case = next(case for case in [*NLME, *LAVAAN] if case["case"] == name)
    return fit_mixed(
        read_data(case["data"]),
        case["outcomes"],
        case["fixed"],
        {entry["level"]: entry["terms"] for entry in case["random"]},
        method=case["method"],
        df="none",
    )


def by_name(case: dict) -> str:
    return case["case"]


nlme = pytest.mark.parametrize("case", NLME, ids=by_name)
lavaan = pytest.mark.parametrize("case", LAVAAN, ids=by_name)


@nlme
def test_log_likelihood_parameters_and_criteria(case):
    fit = fit_of(case["case"])
    assert fit.convergence.converged
    assert fit.log_likelihood == pytest.approx(case["log_likelihood"], rel=0, abs=1e-6)
    assert fit.n_parameters == case["n_parameters"]
    assert fit.aic == pytest.approx(case["aic"], rel=0, abs=2e-6)
    if case["method"] == "ML":
        assert fit.bic() == pytest.approx(case["bic"], rel=0, abs=2e-6)
    assert (fit.rows.used, fit.rows.values) == (case["n_rows"], case["n_values"])


@nlme
def test_fixed_effects_and_their_errors(case):
    table = fit_of(case["case"]).coefficients
    expected = np.array(case["estimates"])
    scale = np.maximum(np.abs(expected), case["standard_errors"])
    assert np.max(np.abs(table["estimate"].to_numpy() - expected) / scale) < 1e-6
    np.testing.assert_allclose(table["se"].to_numpy(float), case["standard_errors"], rtol=1e-4)


@nlme
def test_covariances_of_the_effects_and_of_the_residuals(case):
    fit = fit_of(case["case"])
    found = covariances_of(fit)
    effects = len(case["outcomes"])
    expected = {
        entry["level"]: np.zeros((effects * len(entry["terms"]),) * 2) for entry in case["random"]
    }
    for entry in case["covariances"]:
        i, j = entry["row"] - 1, entry["column"] - 1
        expected[entry["level"]][i, j] = expected[entry["level"]][j, i] = entry["value"]
    expected["residual"] = np.array(case["residual_covariance"])
    found["residual"] = fit.residual.covariance.to_numpy()
    for level, matrix in expected.items():
        sd = np.sqrt(np.diag(matrix))
        assert np.max(np.abs(found[level] - matrix) / np.outer(sd, sd)) < 1e-4, level


@lavaan
def test_latent_growth_curves_are_the_same_model(case):
    """The maximum is lavaan's; its estimates stop at about 1e-5, the likelihood is flat there."""
    fit = fit_of(case["case"])
    assert fit.log_likelihood == pytest.approx(case["log_likelihood"], rel=0, abs=1e-6)
    assert fit.n_parameters == case["n_parameters"]
    table = fit.coefficients
    scale = np.maximum(np.abs(case["estimates"]), table["se"])
    assert np.max(np.abs(table["estimate"] - case["estimates"]) / scale) < 1e-4
    found = {**covariances_of(fit), "residual": fit.residual.covariance.to_numpy()}
    expected = {"client": case["effect_covariance"], "residual": case["residual_covariance"]}
    for level, values in expected.items():
        matrix = np.array(values)
        sd = np.sqrt(np.diag(matrix))
        assert np.max(np.abs(found[level] - matrix) / np.outer(sd, sd)) < 1e-3, level


@nlme
def test_wald_intervals_of_correlations_are_those_of_nlme(case):
    """nlme works on Fisher's z too, from a numerical Hessian: good to 0.1 % of the width."""
    table = fit_of(case["case"]).correlations()
    found = {
        (row.level, *sorted([row.effect_1, row.effect_2])): (row.ci_low, row.ci_high)
        for row in table.itertuples()
    }
    assert len(found) == len(case["correlation_intervals"])
    for expected in case["correlation_intervals"]:
        low, high = found[expected["level"], *expected["effects"]]
        width = expected["high"] - expected["low"]
        assert abs(low - expected["low"]) < 1e-3 * width
        assert abs(high - expected["high"]) < 1e-3 * width


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed: not rerun")
@pytest.mark.parametrize(
    "topic", [pytest.param("several", marks=pytest.mark.exhaustive), "several_lavaan"]
)  # the first takes two minutes
def test_r_scripts_reproduce_the_committed_numbers(topic, tmp_path):
    rerun(topic, tmp_path)
