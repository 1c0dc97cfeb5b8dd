"""The hazard finds the truth by whatever law it was drawn (docs/dropout.md)."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from alliance.panel.build import panel_of
from alliance.panel.describe_dropout import dropout_of

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "dropout_recovery.py"
COHORTS = 12


@pytest.fixture(scope="module")
def study():
    spec = importlib.util.spec_from_file_location("dropout_recovery", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def found(study):
    ways = ("as the workflow", "score in its own mean", "looking ahead")
    return study.replicate(range(COHORTS), "earlier scores", ways)


@pytest.mark.exhaustive
def test_the_workflows_hazard_finds_the_truth(study, found):
    """Four standard errors of the mean over these cohorts; the variance is a little too small."""
    for quantity, truth in (("within", study.WITHIN), ("between", study.BETWEEN)):
        told = study.summary(found, "as the workflow", quantity, truth)
        assert abs(told["bias"]) < 4 * told["bias_se"], quantity
        assert told["mean_se"] == pytest.approx(told["sd"], rel=0.6)
    told = study.summary(found, "as the workflow", "therapist_sd", study.THERAPIST_SD)
    assert abs(told["bias"]) < 4 * told["bias_se"] + 0.05


@pytest.mark.exhaustive
def test_looking_ahead_invents_effects(study, found):
    within = study.summary(found, "looking ahead", "within", study.WITHIN)
    between = study.summary(found, "looking ahead", "between", study.BETWEEN)
    assert within["bias"] > 0.05
    assert between["bias"] < -0.03
    assert within["coverage"] < 0.2


def many_clients(rng, n, sessions, log_odds, completes):
    """A panel of n clients of one kind, all of whom who came may drop out; then some complete.

    `log_odds` and `completes` have shape (n, sessions); a score of the first is the alliance.
    """
    dropped = rng.random((n, sessions)) < 1 / (1 + np.exp(-log_odds))
    completed = rng.random((n, sessions)) < completes
    completed[:, -1] = True
    last = (dropped | completed).argmax(axis=1)
    status = np.where(dropped[np.arange(n), last], "dropout", "completed")
    names = np.array([f"c{i:05d}" for i in range(n)])
    clients = pd.DataFrame({"site": "s", "client": names, "therapist": "t", "end_status": status})
    person = np.repeat(np.arange(n), last + 1)
    number = np.concatenate([np.arange(stop + 1) for stop in last])
    key = pd.DataFrame({"site": "s", "client": names[person], "session": number + 1})
    return clients, key.assign(weeks_since_intake=number * 1.0, attended=True), person, number


def test_a_constant_risk_has_no_slope_and_is_the_same_in_curve_and_rates():
    """3 % after every session; most clients complete, the more the later: the slope is 0.

    With completers out of the risk set at their last session it comes out at about .13.
    """
    rng = np.random.default_rng(12)
    n, sessions = 12_000, 16
    completes = np.where(np.arange(1, sessions + 1) >= 8, 0.10, 0.0) * np.ones((n, 1))
    flat = np.full((n, sessions), np.log(0.03 / 0.97))
    clients, seen, _, _ = many_clients(rng, n, sessions, flat, completes)
    none = pd.DataFrame(columns=["site", "client", "session", "measure", "subscale", "score"])
    panel = panel_of(clients, seen, none, [])
    rows = panel[panel["dropout_event"].notna()]
    x = sm.add_constant(np.log(rows["session"]))
    fit = sm.GLM(rows["dropout_event"], x, family=sm.families.Binomial()).fit()
    assert abs(fit.params["session"]) < 3 * fit.bse["session"]
    assert fit.bse["session"] < 0.03  # so that .13 would be far outside
    definition = {"use": "discharge_status", "event": ["dropout"], "definitions": {}}
    told = dropout_of(panel, {}, definition)
    curve = told["staying"][0]
    distance = np.abs(curve["value"] - 0.97 ** np.array(curve["session"]))[1:]
    assert (distance < 3.5 * curve["se"][1:]).all()
    assert told["by_session"][-1]["session"] == sessions
    assert told["by_session"][-1]["dropout_rate"] == pytest.approx(0.03, abs=0.015)


def test_a_session_that_is_not_on_record_leaves_nobody_out_of_the_rates():
    """Whoever came later was in treatment: rates and curve count the same clients."""
    rng = np.random.default_rng(3)
    n, sessions = 200, 10
    never = np.zeros((n, sessions))
    clients, seen, _, _ = many_clients(rng, n, sessions, np.full((n, sessions), -2.5), never)
    last = seen.groupby("client")["session"].transform("max")
    gone = seen["session"].between(2, 5) & (seen["session"] < last) & (rng.random(len(seen)) < 0.3)
    assert gone.sum() > 50
    none = pd.DataFrame(columns=["site", "client", "session", "measure", "subscale", "score"])
    panel = panel_of(clients, seen[~gone].reset_index(drop=True), none, [])
    told = dropout_of(
        panel, {}, {"use": "discharge_status", "event": ["dropout"], "definitions": {}}
    )
    curve, staying = told["staying"][0], 1.0
    for row in told["by_session"]:
        assert row["at_risk"] == curve["at_risk"][row["session"]]
        staying *= 1 - row["dropout_rate"]
        assert curve["value"][row["session"]] == pytest.approx(staying)


def test_a_point_above_the_mean_of_earlier_sessions_is_one_in_short_courses():
    """Courses of at most four sessions, truth -.10 per point above the mean of earlier scores.

    With the score in its own mean the deviation is (t - 1)/t of that, and comes back as -.15.
    """
    rng = np.random.default_rng(13)
    n, sessions = 12_000, 4
    score = 40 + 4 * rng.standard_normal((n, 1)) + 5 * rng.standard_normal((n, sessions))
    earlier = np.cumsum(score, axis=1)[:, :-1] / np.arange(1, sessions)
    before = np.column_stack([score[:, 0], earlier])
    log_odds = -2.0 - 0.10 * (score - before) - 0.05 * (before - 40)
    clients, seen, person, number = many_clients(
        rng, n, sessions, log_odds, np.zeros((n, sessions))
    )
    scores = seen[["site", "client", "session"]].assign(
        measure="x", subscale="total", score=score[person, number]
    )
    panel = panel_of(clients, seen, scores, ["x"])
    rows = panel[panel["dropout_event"].notna()]
    x = sm.add_constant(rows[["x_running_within", "x_running_between"]])
    fit = sm.GLM(rows["dropout_event"], x, family=sm.families.Binomial()).fit()
    for term, truth in (("x_running_within", -0.10), ("x_running_between", -0.05)):
        assert abs(fit.params[term] - truth) < 3.5 * fit.bse[term], term
    assert fit.bse["x_running_within"] < 0.01


def test_the_page_holds_the_table(study):
    page = study.PAGE.read_text(encoding="utf-8")
    table = page.split(study.MARKERS[0])[1].split(study.MARKERS[1])[0]
    assert "100 cohorts" in table
    assert all(f"| {truth} | {way} |" in table for truth in study.TRUTHS for way in study.WAYS)
