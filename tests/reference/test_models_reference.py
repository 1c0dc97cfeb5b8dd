"""The workflow's models against R, on a part of a simulated cohort (models/models.R)."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alliance.config.instruments import load_instruments
from alliance.families.cohort import Cohort
from alliance.families.coupling.model import coupling_fit
from alliance.families.growth.model import growth_fit
from alliance.families.hazard.model import hazard_fit
from alliance.panel.build import panel_of
from alliance.panel.describe_dropout import dropout_of

FOLDER = Path(__file__).parent / "models"
R = json.loads((FOLDER / "models.json").read_text())
AS_IN_R = {"residual": "independent", "random_slopes": ["client"]}  # what lmer can fit
MODELS = {
    "alliance_growth": (growth_fit, AS_IN_R | {"outcome": "alliance", "time": "log_weeks"}),
    "symptom_growth": (
        growth_fit,
        AS_IN_R | {"outcome": "symptoms", "time": "weeks_since_intake"},
    ),
    "alliance_to_symptoms": (
        coupling_fit,
        {"predictor": "alliance", "outcome": "symptoms", "time": "weeks_since_intake"},
    ),
    "symptoms_to_alliance": (
        coupling_fit,
        {"predictor": "symptoms", "outcome": "alliance", "time": "log_weeks"},
    ),
}


def cohort_of(raw):
    """Build the panel from the fixture's raw columns: centring and lags are ours, not R's."""
    key = ["site", "client", "session"]
    clients = raw[["site", "client", "therapist", "end_status"]].drop_duplicates()
    sessions = raw[[*key, "weeks_since_intake"]].assign(attended=True)
    scores = raw.melt(key, ["alliance", "symptoms"], var_name="measure", value_name="score")
    scores = scores.dropna(subset="score").assign(subscale="total")
    panel = panel_of(clients, sessions, scores, ["alliance", "symptoms"])
    keys = load_instruments()
    return Cohort(
        panel=panel,
        panel_sha256="0" * 64,
        measures={"alliance": {"label": "Alliance"}, "symptoms": {"label": "Symptoms"}},
        instruments={"alliance": keys["wai-sr-c"], "symptoms": keys["phq-9"]},
    )


@pytest.fixture(scope="module")
def cohort():
    return cohort_of(pd.read_csv(FOLDER / "panel.csv"))


def r_name(term):
    return {"1": "(Intercept)", "symptoms": "symptoms"}.get(term, term).translate(
        str.maketrans("", "", "[]")
    )


@pytest.mark.parametrize("name", MODELS)
def test_mixed_models_equal_lme4(cohort, name):
    fit_one, entry = MODELS[name]
    fit = fit_one(cohort, name, entry).as_json()
    expected = R[name]
    assert fit["status"] in ("converged", "singular")
    assert fit["data"]["rows_used"] == expected["n"]
    got = {r_name(row["term"]): row for row in fit["estimates"]}
    assert set(got) == set(expected["estimate"])
    for term, value in expected["estimate"].items():
        assert got[term]["estimate"] == pytest.approx(value, rel=1e-4, abs=1e-5)
        assert got[term]["se"] == pytest.approx(expected["se"][term], rel=1e-4)
        assert got[term]["df"] == pytest.approx(expected["df"][term], rel=5e-3)
    # lme4 stops within its own tolerance of the maximum: ours may be higher, never lower.
    assert fit["fit_statistics"]["log_likelihood"] > expected["log_likelihood"] - 1e-6
    assert fit["fit_statistics"]["log_likelihood"] < expected["log_likelihood"] + 1e-4


def test_fixed_effects_companion_equals_r(cohort):
    entry = MODELS["alliance_to_symptoms"][1] | {"cluster_errors": "cr1"}
    fit = coupling_fit(cohort, "alliance_to_symptoms", entry).as_json()
    row = next(c for c in fit["companions"] if c["estimator"]["code"] == "fixed_effects")
    expected = R["fixed_effects"]
    n, g, k = expected["n"], expected["clusters"], 3
    assert row["estimate"] == pytest.approx(expected["estimate"]["alliance"], rel=1e-8)
    # CR1; the client constants, nested in the clusters, cost nothing
    factor = g / (g - 1) * (n - 1) / (n - k)
    assert row["se"] == pytest.approx(
        expected["se_uncorrected"]["alliance"] * np.sqrt(factor), rel=1e-6
    )


def test_lag_as_it_stands_equals_lme4(cohort):
    fit = coupling_fit(cohort, "alliance_to_symptoms", MODELS["alliance_to_symptoms"][1]).as_json()
    row = next(c for c in fit["companions"] if c["estimator"]["code"] == "mixed_lag_not_centred")
    expected = R["lag_as_it_stands"]
    assert row["estimate"] == pytest.approx(expected["estimate"]["alliance_within"], rel=1e-4)
    assert row["se"] == pytest.approx(expected["se"]["alliance_within"], rel=1e-4)


def hazard_name(term):
    renamed = {"1": "(Intercept)", "symptoms_known": "symptoms_c", "log(session)": "log_session"}
    return renamed.get(term, term).translate(str.maketrans("", "", "[]"))


def test_dropout_hazard_equals_r(cohort):
    """Here therapists do not differ: the mixed model is the regression, and both engines agree."""
    entry = {"predictors": ["alliance", "symptoms"], "cluster_errors": "cr1"}
    fit = hazard_fit(cohort, "dropout_hazard", entry).as_json()
    expected = R["dropout_hazard"]
    assert fit["status"] == "singular"
    assert fit["second_engine"]["agrees"]
    assert fit["data"]["rows_used"] == expected["n"]
    assert fit["fit_statistics"]["events"] == expected["events"]
    assert fit["fit_statistics"]["log_likelihood"] == pytest.approx(expected["log_likelihood"])
    for row in fit["estimates"]:
        term = hazard_name(row["term"])
        assert row["estimate"] == pytest.approx(expected["estimate"][term], rel=1e-6)
        assert row["se"] == pytest.approx(expected["se_model"][term], rel=1e-5)
    n, g, k = expected["n"], expected["clusters"], len(fit["estimates"])
    factor = g / (g - 1) * (n - 1) / (n - k)  # statsmodels' small-sample factor (CR1, as Stata)
    assert len(fit["companions"]) == 2
    for row in fit["companions"]:
        term = hazard_name(row["term"])
        assert row["estimate"] == pytest.approx(expected["estimate"][term], rel=1e-6)
        se = expected["se_uncorrected"][term] * np.sqrt(factor)
        assert row["se"] == pytest.approx(se, rel=1e-6)


def test_dropout_hazard_with_therapists_equals_glmer(cohort):
    """Dropout planted at every third therapist: the variance and what it does to the estimates."""
    panel = cohort.panel.copy()
    known = panel[["alliance_known", "symptoms_known"]].notna().all(axis=1)
    usable = panel["dropout_event"].notna() & known
    number = panel["therapist"].map(
        {name: k for k, name in enumerate(sorted(panel.loc[usable, "therapist"].unique()), 1)}
    )
    planted = usable & (number % 3 == 0) & (panel["session"] % 7 == 0)
    panel.loc[planted, "dropout_event"] = 1.0
    fit = hazard_fit(
        replace(cohort, panel=panel), "dropout_hazard", {"predictors": ["alliance", "symptoms"]}
    ).as_json()
    expected = R["planted_hazard"]
    assert fit["status"] == "converged"
    assert fit["second_engine"] is None
    assert fit["fit_statistics"]["events"] == expected["events"]
    assert fit["variance_components"][0]["sd_or_correlation"] == pytest.approx(
        expected["sd"], rel=1e-4
    )
    for row in fit["estimates"]:
        term = hazard_name(row["term"])
        assert row["estimate"] == pytest.approx(expected["estimate"][term], abs=1e-5)
        assert row["se"] == pytest.approx(expected["se"][term], rel=1e-3)
    for row in fit["companions"]:
        assert row["estimate"] == pytest.approx(expected["glm"][hazard_name(row["term"])], rel=1e-6)


@pytest.fixture(scope="module")
def described(cohort):
    return dropout_of(
        cohort.panel,
        cohort.instruments,
        {"use": "discharge_status", "event": ["dropout"], "definitions": {}},
    )


def test_kaplan_meier_equals_survival(described):
    curves = [curve for curve in described["staying"] if curve["by"] == "early_alliance"]
    assert len(curves) == 3
    for third, curve in enumerate(curves, 1):
        expected = R["kaplan_meier"][f"third={third}"]
        assert curve["clients"] == R["kaplan_meier_n"][str(third)]
        ours = pd.DataFrame(
            {c: curve[c] for c in ("value", "ci_low", "ci_high")}, index=curve["session"]
        )
        shown = np.isin(expected["time"], ours.index)  # curves end where few are at risk
        ours = ours.reindex(np.array(expected["time"])[shown])
        np.testing.assert_allclose(ours["value"], np.array(expected["surv"])[shown], rtol=1e-10)
        for band, theirs in (("ci_low", "lower"), ("ci_high", "upper")):
            limit = np.array([np.nan if v in ("NA", None) else v for v in expected[theirs]], float)
            limit = limit[shown]
            there = ~np.isnan(limit) & (ours["value"].to_numpy() < 1)
            np.testing.assert_allclose(ours[band].to_numpy()[there], limit[there], rtol=1e-8)


def test_one_risk_set_in_hazard_curves_and_rates(cohort, described):
    """Session by session, every number about leaving rests on the same clients (R's counts)."""
    hazard = hazard_fit(cohort, "h", {"predictors": []}).as_json()
    panel = cohort.panel
    in_hazard = panel[panel["dropout_event"].notna()].groupby("session")["dropout_event"]
    assert hazard["data"]["rows_used"] == int(in_hazard.size().sum())
    assert in_hazard.size().to_dict() == {int(k): v for k, v in R["at_risk"].items() if v}
    assert in_hazard.sum().to_dict() == {
        int(k): R["dropouts"][k] for k, v in R["at_risk"].items() if v
    }
    everybody = next(c for c in described["staying"] if c["by"] == "all")
    staying = 1.0
    for row in described["by_session"]:
        session, n = row["session"], R["at_risk"][str(row["session"])]
        assert row["at_risk"] == n == everybody["at_risk"][session]
        assert row["dropout_rate"] == pytest.approx(R["dropouts"][str(session)] / n)
        staying *= 1 - row["dropout_rate"]
        assert everybody["value"][session] == pytest.approx(staying)
    left = next(c for c in described["incidence"] if c["by"] == "all" and c["cause"] == "dropout")
    theirs = R["aalen_johansen"]
    for time, value, se, n in zip(
        *(theirs[k] for k in ("time", "dropout", "se", "n")), strict=True
    ):
        if time in left["session"]:
            assert left["at_risk"][time] == n
            assert left["value"][time] == pytest.approx(value, rel=1e-10)
            assert left["se"][time] == pytest.approx(se, rel=1e-6, abs=1e-12)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_r_makes_the_same_numbers_again(tmp_path):
    for name in ("panel.csv", "models.R"):
        shutil.copy(FOLDER / name, tmp_path)
    run = subprocess.run(
        ["Rscript", "models.R"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if "there is no package called" in run.stderr:
        pytest.skip("R lacks a package that this script needs")
    assert run.returncode == 0, run.stderr
    again = json.loads((tmp_path / "models.json").read_text())
    for name in (*MODELS, "fixed_effects", "dropout_hazard"):
        assert again[name]["estimate"] == pytest.approx(R[name]["estimate"], rel=1e-5)
