"""A second engine that does not agree is said beside the estimates; statsmodels does the work."""

import pandas as pd
import pytest

from alliance.config.instruments import load_instruments
from alliance.families.cohort import Cohort
from alliance.families.common import second_engine
from alliance.families.coupling.model import coupling_fit
from alliance.families.hazard.model import hazard_fit
from alliance.findings.marks import kinds_of
from alliance.panel.build import panel_of
from alliance.simulate import Parameters, simulate_courses

MODELS = {
    "coupling": (
        coupling_fit,
        {"predictor": "alliance", "outcome": "symptoms", "time": "weeks_since_intake"},
    ),
    "dropout": (hazard_fit, {"predictors": ["alliance"], "levels": []}),
}


@pytest.fixture(scope="module")
def cohort():
    made = simulate_courses(Parameters(sites=("north", "east")), 7, items=False)
    panel = panel_of(made.clients, made.sessions, made.scores, ["alliance", "symptoms"])
    keys = load_instruments()
    return Cohort(
        panel=panel,
        panel_sha256="0" * 64,
        measures={"alliance": {"label": "Alliance"}, "symptoms": {"label": "Symptoms"}},
        instruments={"alliance": keys["wai-sr-c"], "symptoms": keys["phq-9"]},
    )


@pytest.mark.parametrize("name", MODELS)
def test_both_results_and_the_difference_are_in_the_fit(cohort, name):
    fit_one, entry = MODELS[name]
    second = fit_one(cohort, name, entry).as_json()["second_engine"]
    assert second["agrees"]
    assert second["largest_difference_in_se"] < 0.02
    assert abs(second["log_likelihood_difference"]) < 0.01
    assert "does not agree" not in second["message"]


@pytest.mark.parametrize("name", MODELS)
def test_a_disagreement_beyond_tolerance_is_a_warning_and_a_mark(cohort, name, monkeypatch):
    monkeypatch.setattr(second_engine, "TOLERANCE_IN_SE", 0.0)
    fit_one, entry = MODELS[name]
    fit = fit_one(cohort, name, entry).as_json()
    assert not fit["second_engine"]["agrees"]
    assert any(warning["code"] == "engines_differ" for warning in fit["warnings"])
    assert "disputed" in kinds_of(fit)


def test_curves_are_averages_over_therapists(cohort):
    """A therapist variance planted by an odd habit: the curve equals one by brute force."""
    import numpy as np

    from alliance.mixed.logit.links import probability

    panel = cohort.panel.copy()
    number = pd.factorize(panel["therapist"])[0]
    leaves = panel["dropout_event"].notna() & (number % 3 == 0) & (panel["session"] % 5 == 0)
    panel.loc[leaves, "dropout_event"] = 1.0
    made = Cohort(panel, "0" * 64, cohort.measures, cohort.instruments)
    fit = hazard_fit(made, "dropout_hazard", {"predictors": ["alliance"]}).as_json()
    assert fit["status"] == "converged"
    sd = fit["variance_components"][0]["sd_or_correlation"]
    b = {row["term"]: row["estimate"] for row in fit["estimates"]}
    curve = next(c for c in fit["curves"] if c["group"].endswith("at the mean"))
    rows = made.panel[made.panel["dropout_event"].notna() & made.panel["alliance"].notna()]
    session = np.arange(1, len(curve["x"]))
    therapists = np.random.default_rng(1).normal(0, sd, 200_000)
    stay = 0.0
    for site in (0.0, b["site[north]"]):
        eta = b["1"] + b["log(session)"] * np.log(session) + site
        eta = eta + b["alliance_running_within"] * rows["alliance_running_within"].mean()
        hazard = probability("logit", eta[:, None] + therapists)
        stay = stay + np.prod(1 - hazard, axis=0).mean() / 2
    assert sd > 0.3
    assert curve["estimate"][-1] == pytest.approx(stay, abs=2e-3)
    assert curve["ci_low"][-1] < stay < curve["ci_high"][-1]
