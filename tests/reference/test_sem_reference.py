"""Structural models against numbers made by lavaan (`sem/sem.R` beside this file).

Tolerances
----------
estimates        1e-5 of max(|estimate|, standard error, .001): where lavaan's optimiser stops (our
                 gradient is about 1e-14).
standard errors  1e-5 relative: lavaan differentiates its gradient numerically.
fit              1e-5 absolute, relative where larger than one; printed digits where said so.
two levels, MLR  scaling factors and what is scaled by them 1e-3: lavaan's EM for the saturated
                 two-level model stops early whatever its options say.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent / "sem"))
from sem_cases import (
    HERE,
    REFERENCE,
    clusters,
    data_of,
    entry_of,
    levels_of,
    models_of,
)

from alliance.measures.invariance import invariance, invariance_over_sessions
from alliance.measures.multilevel_omega import multilevel_omega_of
from alliance.sem import Covariance, clustered_incomplete, fit_sem, fit_two_level
from alliance.sem import Path as Effect

CASES = REFERENCE["cases"]
TWO_LEVEL = REFERENCE["two_level"]["fits"]
ITEMS = [f"x{k}" for k in range(1, 10)]
FACTORS = {"visual": ITEMS[:3], "textual": ITEMS[3:6], "speed": ITEMS[6:]}
STEPS = ["configural", "metric", "scalar", "strict"]
fits: dict[str, object] = {}


def fit_of(case: dict):
    name = case["case"]
    if name not in fits:
        fits[name] = fit_sem(models_of(case), data_of(case))
    return fits[name]


def by_name(case: dict) -> str:
    return case["case"]


def named(name: str) -> dict:
    return next(case for case in CASES if case["case"] == name)


def measures_of(fit) -> dict[str, float]:
    at = fit.indices
    return {
        "chisq": at.test.chi2,
        "df": at.test.df,
        "pvalue": at.test.p,
        "baseline.chisq": at.baseline.chi2,
        "baseline.df": at.baseline.df,
        "cfi": at.cfi,
        "tli": at.tli,
        "rmsea": at.rmsea,
        "rmsea.ci.lower": at.rmsea_low,
        "rmsea.ci.upper": at.rmsea_high,
        "rmsea.pvalue": at.rmsea_p,
        "srmr": at.srmr,
        "logl": at.log_likelihood,
        "aic": at.aic,
        "bic": at.bic,
        "npar": at.n_parameters,
        "ntotal": at.n,
        "chisq.scaled": at.test.chi2_scaled,
        "chisq.scaling.factor": at.test.scaling,
        "baseline.chisq.scaling.factor": at.baseline.scaling,
        "cfi.scaled": at.cfi_scaled,
        "tli.scaled": at.tli_scaled,
        "rmsea.scaled": at.rmsea_scaled,
        "cfi.robust": at.cfi_robust,
        "tli.robust": at.tli_robust,
        "rmsea.robust": at.rmsea_robust,
        "rmsea.ci.lower.robust": at.rmsea_robust_low,
        "rmsea.ci.upper.robust": at.rmsea_robust_high,
    }


def compare_entries(case: dict, fit, groups: list[str], group_of, tolerance: float = 1e-5) -> None:
    table = {(row.group, row.entry): row for row in fit.estimates(case["se"]).itertuples()}
    compared = 0
    for row in case["entries"]:
        own = table.get((groups[group_of(row) - 1], entry_of(row).name))
        if own is None:
            assert row["est"] == 0
            continue
        scale = max(abs(row["est"]), row["se"] or 0.0)
        assert own.estimate == pytest.approx(row["est"], abs=tolerance * max(scale, 1e-3)), (
            own.entry
        )
        if row.get("label"):
            assert own.se == pytest.approx(row["se"], rel=tolerance), own.entry
            compared += 1
    assert compared >= len(fit.names)


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_estimates_and_standard_errors(case):
    fit = fit_of(case)
    compare_entries(case, fit, case["groups"] or [""], lambda row: row["group"])
    assert fit.convergence.converged
    assert fit.convergence.gradient_norm < 1e-8


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_measures_of_fit(case):
    ours = measures_of(fit_of(case))
    for name, value in case["measures"].items():
        assert ours[name] == pytest.approx(value, abs=1e-5 * max(1.0, abs(value))), name


@pytest.mark.parametrize("case", CASES, ids=by_name)
def test_standardised_estimates(case):
    groups = case["groups"] or [""]
    fit = fit_of(case)
    table = {(row.group, row.entry): row.standardised for row in fit.estimates().itertuples()}
    ours = [table[groups[row["group"] - 1], entry_of(row).name] for row in case["entries"]]
    assert ours == pytest.approx(case["standardised"], abs=1e-5)


# ------------------------------------------------------------------------- invariance by school


def holzinger(name: str = "holzinger_swineford.csv") -> pd.DataFrame:
    return pd.read_csv(HERE / name)


@pytest.fixture(scope="module")
def by_school():
    data = holzinger()
    return invariance(data[ITEMS].to_numpy(), data["school"], items=ITEMS, factors=FACTORS)


def test_invariance_by_school_to_the_printed_digits(by_school):
    assert [(round(s.chi2, 3), s.df) for s in by_school.steps] == [
        (115.851, 48),
        (124.044, 54),
        (164.103, 60),
        (181.511, 69),
    ]
    assert [round(s.cfi, 3) for s in by_school.steps] == [0.923, 0.921, 0.882, 0.873]
    assert [s.name for s in by_school.steps] == STEPS
    assert [s.holds for s in by_school.steps] == [None, True, False, True]
    assert by_school.level == "metric"


@pytest.mark.parametrize("data", ["complete", "missing"])
def test_invariance_and_scaled_differences(data):
    frame = holzinger(f"holzinger_swineford{'' if data == 'complete' else '_missing'}.csv")
    ours = invariance(frame[ITEMS].to_numpy(), frame["school"], items=ITEMS, factors=FACTORS)
    theirs = REFERENCE["invariance"][data]
    for step in ours.steps:
        for name, value in theirs["steps"][step.name].items():
            own = {"chisq": step.chi2, "df": step.df, "cfi": step.cfi, "rmsea": step.rmsea}[name]
            assert own == pytest.approx(value, abs=1e-4), (step.name, name)
    changes = [step.change for step in ours.steps[1:]]
    assert [c.df for c in changes] == theirs["difference_df"]
    assert [c.chi2_scaled for c in changes] == pytest.approx(theirs["scaled_difference"], rel=1e-4)
    assert [c.p_scaled for c in changes] == pytest.approx(theirs["difference_p"], rel=1e-3)


def test_score_tests_of_released_intercepts(by_school):
    """lavTestScore on the scalar model; partial invariance frees its largest first.

    lavaan fixes a marker loading where this project fixes variances; the intercepts' tests do not
    depend on that.
    """
    theirs = {row["item"]: row["X2"] for row in REFERENCE["score_tests"]["scalar_release"]}
    released = by_school.partial.releases
    assert [(r.what, r.item) for r in released] == [("intercept", "x3"), ("intercept", "x7")]
    assert released[0].chi2 == pytest.approx(theirs["x3"], abs=1e-3)
    assert max(theirs, key=theirs.get) == "x3"
    assert by_school.partial.reached


def test_modification_indices():
    """All loadings and covariances that the model of the whole sample fixes at zero."""
    case = named("hs ML")
    fit, model = fit_of(case), models_of(case)[""]
    for row in REFERENCE["score_tests"]["modification"]:
        kind = Effect if row["op"] == "=~" else Covariance
        entry = kind(row["lhs"], row["rhs"], label="freed")
        test = fit.score_test({"": model.plus(entry)})
        assert test.df == 1
        assert test.chi2 == pytest.approx(row["mi"], abs=2e-3), entry.name
        assert test.change["freed"] == pytest.approx(row["epc"], abs=1e-3), entry.name


# -------------------------------------------------------------------------------- over sessions


def test_invariance_over_sessions():
    wide = pd.read_csv(HERE / "sessions.csv").to_numpy()
    n = len(wide)
    answers = np.vstack([wide[:, 4 * s : 4 * s + 4] for s in range(3)])
    client, session = np.tile(np.arange(n), 3), np.repeat([1, 2, 3], n)
    ours = invariance_over_sessions(answers, client, session)
    for step in ours.steps:
        theirs = REFERENCE["over_sessions"][step.name]
        assert step.chi2 == pytest.approx(theirs["chisq"], abs=1e-3)
        assert (step.df, step.n_parameters) == (theirs["df"], theirs["npar"])
        assert step.chi2_scaled == pytest.approx(theirs["chisq.scaled"], abs=1e-3)
        assert step.cfi == pytest.approx(theirs["cfi"], abs=1e-5)
        assert step.rmsea == pytest.approx(theirs["rmsea"], abs=1e-5)
        assert step.srmr == pytest.approx(theirs["srmr"], abs=1e-4)


# ----------------------------------------------------------------------------------- two levels


@pytest.mark.parametrize("case", TWO_LEVEL, ids=by_name)
def test_two_level(case):
    within, between = levels_of(case)
    fit = fit_two_level(within, between, clusters())
    compare_entries(case, fit, ["within", "between"], lambda row: row["level"])
    ours = measures_of(fit)
    for name, value in case["measures"].items():
        loose = "scal" in name or "robust" in name
        if value is None or (loose and fit.indices.test.df == 0):
            continue  # a saturated model has nothing to scale
        bound = (1e-3 if loose else 1e-5) * max(1.0, abs(value))
        assert ours[name] == pytest.approx(value, abs=bound), name


def test_two_level_with_missing_answers():
    """lavaan's default optimiser and EM stop early here (its BFGS fails): 1e-3 of what is known."""
    case = REFERENCE["two_level"]["incomplete"]
    frame = pd.read_csv(HERE / "clusters.csv")
    names = case["observed"]
    data = clustered_incomplete(frame[names].to_numpy(), frame["person"], names)
    fit = fit_two_level(*levels_of(case), data)
    compare_entries(case, fit, ["within", "between"], lambda row: row["level"], 1e-3)
    ours = measures_of(fit)
    for name, value in case["measures"].items():
        assert ours[name] == pytest.approx(value, abs=1e-3, rel=1e-5), name
    assert ours["logl"] >= case["measures"]["logl"] - 1e-6


def test_multilevel_omega_to_the_printed_digits():
    ours = multilevel_omega_of(clusters())
    assert round(ours.within.estimate, 3) == 0.676
    assert round(ours.within.se, 3) == 0.012
    assert round(ours.between_latent.estimate, 3) == 0.935
    assert round(ours.between_latent.se, 3) == 0.012


def test_multilevel_omega_by_both_sources():
    """Geldhof et al. (2014) and Lai (2021), estimates and delta-method standard errors."""
    ours = multilevel_omega_of(clusters())
    theirs = REFERENCE["two_level"]["omegas"]
    assert ours.forms_per_client == pytest.approx(REFERENCE["two_level"]["harmonic_mean_size"])
    pairs = {
        "omega_w": ours.within,
        "omega_b": ours.between_latent,
        "within_equal": ours.within_equal,
        "single_form": ours.single_form,
        "between": ours.between,
        "between_shared": ours.between_shared,
    }
    for name, own in pairs.items():
        assert own.estimate == pytest.approx(theirs[name]["est"], abs=1e-5), name
        assert own.se == pytest.approx(theirs[name]["se"], rel=1e-3), name


# ----------------------------------------------------------------------------------- the script


@pytest.mark.exhaustive  # R takes minutes
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_the_script_makes_these_numbers(tmp_path):
    probe = subprocess.run(
        ["Rscript", "-e", "library(lavaan); library(jsonlite)"], capture_output=True, check=False
    )
    if probe.returncode != 0:
        pytest.skip("R has no lavaan or jsonlite")
    subprocess.run(
        ["Rscript", str(HERE / "sem.R"), str(tmp_path)], check=True, capture_output=True, cwd=HERE
    )
    for name in HERE.glob("*.csv"):
        assert (tmp_path / name.name).read_text() == name.read_text(), name.name
    again = json.loads((tmp_path / "sem.json").read_text())
    if again["packages"] != REFERENCE["packages"]:
        pytest.skip("another version of lavaan than the one that made the numbers")
    assert_same(again, REFERENCE, "sem.json")


def assert_same(ours, theirs, where: str) -> None:
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), where
        for key in theirs:
            assert_same(ours[key], theirs[key], f"{where}/{key}")
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), where
        for k, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(a, b, f"{where}/{k}")
    elif isinstance(theirs, float):
        # another BLAS ends elsewhere within lavaan's own precision
        assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-5), where
    else:
        assert ours == theirs, where
