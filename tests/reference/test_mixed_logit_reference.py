"""Binary outcomes against numbers made by lme4, glmmTMB and stats::glm.

The numbers and the script that made them: `mixed_logit/` beside this file.

Tolerances
----------
log-likelihood   1e-6 absolute.
fixed effects    1e-6 of max(|estimate|, standard error).
sd, SE           1e-4 relative.
lme4 with nested levels is asked for 1e-5 of the fixed effects and 5e-4 of the standard errors: its
deviance itself ends an iteration, so that its optimum and its differences are known to that only.
glmmTMB is held to the full digits on the same model and data.
"""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alliance.mixed import fit_mixed_logit

HERE = Path(__file__).parent / "mixed_logit"
REFERENCE = json.loads((HERE / "mixed_logit.json").read_text())
CASES = REFERENCE["cases"]


@cache
def read_data(name: str) -> pd.DataFrame:
    """Return a table with ids that say whose they are: `1.3` is therapist 3 of site 1."""
    data = pd.read_csv(HERE / name)
    nested = [level for level in ("site", "therapist", "client") if level in data]
    for above, level in itertools.pairwise(nested):
        data[level] = data[above].astype(str) + "." + data[level].astype(str)
    return data


def fit_case(case: dict):
    return fit_mixed_logit(
        read_data(case["data"]),
        case["outcome"],
        case["fixed"],
        {level: ["1"] for level in case["levels"]},
        link=case["link"],
        quadrature=case["quadrature"],
    )


@cache
def fit_named(name: str):
    return fit_case(case_named(name))


def case_named(name: str) -> dict:
    return next(case for case in CASES if case["case"] == name)


def by_name(case: dict) -> str:
    return case["case"]


def is_nested_lme4(case: dict) -> bool:
    return case["engine"].startswith("lme4") and len(case["levels"]) > 1


each = pytest.mark.parametrize("case", CASES, ids=by_name)


@each
def test_log_likelihood(case):
    fit = fit_named(case["case"])
    assert fit.log_likelihood == pytest.approx(case["log_likelihood"], rel=0, abs=1e-6)
    assert fit.aic == pytest.approx(case["aic"], rel=0, abs=2e-6)
    assert fit.convergence.converged


@each
def test_fixed_effects(case):
    expected, se = np.array(case["estimates"]), np.array(case["standard_errors"])
    found = fit_named(case["case"]).coefficients["estimate"].to_numpy()
    tolerance = 1e-5 if is_nested_lme4(case) else 1e-6
    assert (np.abs(found - expected) <= tolerance * np.maximum(np.abs(expected), se)).all()


@each
def test_standard_errors(case):
    found = fit_named(case["case"]).coefficients["se"].to_numpy()
    tolerance = 5e-4 if is_nested_lme4(case) else 1e-4
    assert found == pytest.approx(np.array(case["standard_errors"]), rel=tolerance)


@pytest.mark.parametrize("case", [case for case in CASES if case["levels"]], ids=by_name)
def test_standard_deviations(case):
    table = fit_named(case["case"]).variance_components.set_index("level")
    for level, expected in case["standard_deviations"].items():
        assert table.loc[level, "sd_or_correlation"] == pytest.approx(expected, rel=1e-4)
        assert table.loc[level, "variance_or_covariance"] == pytest.approx(expected**2, rel=2e-4)


@pytest.mark.parametrize("name", ["cbpp, 1 point", "nested, lme4"])
def test_modes_and_their_deviations(name):
    case = case_named(name)
    fit = fit_named(name)
    for effects in filter(None, (case.get("effects"), case.get("effects_outer"))):
        level = {"herd": "herd", "th": "therapist", "s": "site"}[effects["level"]]
        table = fit.random_effects(level)
        path = [c for c in table.columns if c in fit.n_groups]
        found = {
            str(ids[-1]): (mode, deviation)
            for *ids, mode, deviation in table[[*path, "1", "sd(1)"]].itertuples(index=False)
        }
        modes = [found[str(group)][0] for group in effects["groups"]]
        deviations = [found[str(group)][1] for group in effects["groups"]]
        assert modes == pytest.approx(effects["modes"], abs=1e-5)
        assert deviations == pytest.approx(effects["sds"], rel=1e-4)


@pytest.mark.parametrize("name", ["cbpp, 1 point", "nested, lme4"])
def test_fitted_probabilities(name):
    assert fit_named(name).fitted() == pytest.approx(case_named(name)["fitted"], abs=1e-6)


def test_probabilities_of_an_average_group():
    found = fit_named("cbpp, 1 point").predict(levels="none")
    expected = case_named("cbpp, 1 point")["fitted_average_group"]
    assert found.to_numpy() == pytest.approx(expected, abs=1e-6)


def test_counts_are_rows_plus_a_constant():
    case = case_named("cbpp, 1 point")
    of_counts = fit_named("cbpp, 1 point").log_likelihood + case["log_binomial_coefficients"]
    assert of_counts == pytest.approx(case["log_likelihood_of_counts"], abs=1e-6)


def test_discrete_time_lung():
    """Published figures of the discrete-time model for survival::lung."""
    fit = fit_named("lung, logit")
    table = fit.coefficients.set_index("term")
    assert fit.log_likelihood == pytest.approx(-382.530417, abs=1e-6)
    assert table.loc["age", "estimate"] == pytest.approx(0.01133181, abs=1e-8)
    assert table.loc["sex", "estimate"] == pytest.approx(-0.66925767, abs=1e-8)
    assert table.loc["ecog", "estimate"] == pytest.approx(0.54840845, abs=1e-8)
    # R's glm takes its standard errors from the weights before its last step
    assert table.loc[["sex", "ecog"], "se"].tolist() == pytest.approx(
        [0.19103539, 0.13450421], rel=1e-4
    )


@pytest.mark.parametrize("case", REFERENCE["marginal_effects"], ids=by_name)
def test_average_marginal_effects(case):
    data = read_data("hazard.csv")
    data = data.assign(th=data["therapist"])
    fit = fit_mixed_logit(
        data,
        "dropout",
        ["1", "log(session)", "alliance_within", "alliance_mean", "treatment"],
        {"th": ["1"]},
        link=case["link"],
    )
    table = fit.average_marginal_effects(population=case["average_over"] == "population")
    names = [
        change.split()[0] if change != "slope" else column
        for column, change in zip(table["column"], table["change"], strict=True)
    ]
    found = table.assign(name=names).set_index("name").loc[case["names"]]
    assert found["estimate"].to_numpy() == pytest.approx(np.array(case["effects"]), rel=1e-4)
    assert found["se"].to_numpy() == pytest.approx(np.array(case["standard_errors"]), rel=1e-4)


@pytest.mark.exhaustive  # R takes minutes
def test_the_script_makes_these_numbers(tmp_path):
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not installed")
    run = subprocess.run(
        ["Rscript", "mixed_logit.R", str(tmp_path)],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0 and "there is no package called" in run.stderr:
        pytest.skip("an R package is not installed")
    assert run.returncode == 0, run.stderr
    again = json.loads((tmp_path / "mixed_logit.json").read_text())
    assert [case["case"] for case in again["cases"]] == [case["case"] for case in CASES]
    for old, new in zip(CASES, again["cases"], strict=True):
        assert new["log_likelihood"] == pytest.approx(old["log_likelihood"], abs=1e-6)
        assert new["estimates"] == pytest.approx(old["estimates"], abs=1e-4)
    for name in ("cbpp.csv", "lung.csv", "hazard.csv", "answers.csv", "answers_by_client.csv"):
        assert (tmp_path / name).read_text() == (HERE / name).read_text()
