"""Residual dynamics against lavaan's latent curve model with structured residuals.

The numbers and the script that made them: `mixed/courses_lavaan.R` beside this file.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "mixed"))
from mixed_cases import read_data, read_topic

from alliance.mixed import derived, dynamics, fit_mixed
from alliance.mixed.inference.quantities import lagged_effect

CASES = read_topic("courses_lavaan")["cases"]
BOTH = ["alliance", "symptoms"]

each = pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])


@cache
def fit_of(file: str):
    return fit_mixed(
        read_data(file),
        BOTH,
        ["1", "week"],
        {"client": ["1", "week"]},
        residual="var1",
        residual_time="session",
        method="ML",
        df="none",
    )


@each
def test_log_likelihood(case):
    fit = fit_of(case["data"])
    assert fit.convergence.converged
    # lavaan meets its constraints to about 1e-5 only.
    assert fit.log_likelihood == pytest.approx(case["log_likelihood"], abs=1e-4)


@each
def test_estimates(case):
    fit = fit_of(case["data"])
    own = dynamics(fit)
    np.testing.assert_allclose(fit.coefficients["estimate"], case["means"], atol=1e-4)
    found = fit.estimate.level_covariances[0]
    np.testing.assert_allclose(found, case["effect_covariance"], atol=1e-4)
    np.testing.assert_allclose(own.coefficients["all"], case["phi"], atol=1e-4)
    np.testing.assert_allclose(own.covariance["all"], case["within"], atol=1e-4)
    np.testing.assert_allclose(own.innovations["all"], case["innovations"], atol=1e-4)


@each
def test_standard_errors_of_the_lagged_effects(case):
    fit = fit_of(case["data"])
    table = derived(fit, [lagged_effect(fit, of, on) for on in BOTH for of in BOTH])
    # From the observed information of the dense likelihood in R, by numerical differences.
    np.testing.assert_allclose(table["se"], np.ravel(case["phi_errors"]), rtol=2e-3)
