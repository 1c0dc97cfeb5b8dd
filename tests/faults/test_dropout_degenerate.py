"""Cohorts in which dropout cannot be modelled, or hardly: a plain statement, never a number."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from alliance import files
from alliance.config.instruments import load_instruments
from alliance.families.cohort import Cohort
from alliance.families.continuous_time.model import continuous_time_fit
from alliance.families.hazard.model import hazard_fit
from alliance.panel.build import panel_of
from alliance.panel.describe_dropout import dropout_of
from alliance.simulate import Parameters, simulate_courses

PREDICTORS = {"predictors": ["alliance"]}
MODELS = {
    "hazard": (hazard_fit, {}),
    **{m: (continuous_time_fit, {"method": m})
       for m in ("cox", "gamma-frailty", "gaussian-frailty", "fine-gray")},
}  # fmt: skip
DROPOUT = {"use": "discharge_status", "event": ["dropout"], "definitions": {}}


@pytest.fixture(scope="module")
def tables():
    made = simulate_courses(Parameters(sites=("north",)), 7, items=False)
    return made.clients, made.sessions, made.scores


def cohort_of(clients, sessions, scores):
    keys = load_instruments()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        panel = panel_of(clients, sessions, scores, ["alliance"])
    instruments = {"alliance": keys["wai-sr-c"]}
    return Cohort(panel, "0" * 64, {"alliance": {"label": "Alliance"}}, instruments)


def fitted(cohort, name):
    fit_one, entry = MODELS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return fit_one(cohort, "leaving", entry | PREDICTORS).as_json()


def described(cohort):
    return files.plain(dropout_of(cohort.panel, cohort.instruments, DROPOUT))


def no_dropout(clients, sessions, scores):
    return clients.assign(end_status="completed"), sessions, scores


def everybody_at_once(clients, sessions, scores):
    first = sessions["session"] == 1
    return clients.assign(end_status="dropout"), sessions[first], scores[scores["session"] == 1]


def one_event(clients, sessions, scores):
    lone = (clients["end_status"] == "dropout").idxmax()
    status = np.where(clients.index == lone, "dropout", "completed")
    return clients.assign(end_status=status), sessions, scores


def separation(clients, sessions, scores):
    """Whoever drops out has the lowest alliance at every session; nobody else comes near."""
    left = clients.loc[clients["end_status"] == "dropout", "client"]
    low = scores["client"].isin(left)
    return clients, sessions, scores.assign(score=scores["score"].where(low, 55.0).where(~low, 12.0)
                                            + np.arange(len(scores)) % 3)  # fmt: skip


SAYS = {
    no_dropout: ("dropped out", "dropout(s)"),
    everybody_at_once: ("Everybody has dropped out", "first session", "no finite", "same"),
    one_event: ("Only 1 dropout",),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("degrade", SAYS, ids=lambda f: f.__name__)
def test_what_cannot_be_modelled_is_refused_in_words(tables, degrade, name):
    fit = fitted(cohort_of(*degrade(*tables)), name)
    assert fit["status"] == "refused", fit["message"]
    assert fit["message"].endswith(".")
    assert any(words in fit["message"] for words in SAYS[degrade]), fit["message"]
    assert fit["estimates"] == fit["curves"] == fit["tests"] == []


@pytest.mark.parametrize("name", MODELS)
def test_separation_is_refused_in_words(tables, name):
    """Those who drop out are told by their level alone from the first session on."""
    fit = fitted(cohort_of(*separation(*tables)), name)
    if fit["status"] != "refused":  # the risk sets may still overlap: then the number is finite
        assert all(abs(row["estimate"]) < 5 for row in fit["estimates"])
    else:
        assert any(w in fit["message"] for w in ("no finite estimate", "without bound"))


def test_separation_in_every_risk_set_is_refused(tables):
    """At each session the lowest score of all is that of who leaves after it."""
    cohort = cohort_of(*tables)
    panel = cohort.panel.copy()
    low = panel["dropout_event"] == 1
    panel["alliance_running_between"] = np.where(low, -30.0, panel["session"] * 0.1)
    for name in ("hazard", "cox", "gamma-frailty"):
        fit = fitted(replace(cohort, panel=panel), name)
        assert fit["status"] == "refused"
        assert (
            "the client's mean before the last score” alone tells leavers from stayers"
            in fit["message"]
        )


@pytest.mark.parametrize("degrade", [no_dropout, everybody_at_once, one_event, separation],
                         ids=lambda f: f.__name__)  # fmt: skip
def test_the_description_is_written_whatever_happened(tables, degrade):
    told = described(cohort_of(*degrade(*tables)))
    assert told["definitions"][0]["name"] == "discharge_status"
    if degrade is no_dropout:
        assert told["message"].startswith("Nobody is recorded as having dropped out")
        assert told["staying"] == told["incidence"] == []
    else:
        assert told["message"] == ""
        assert told["staying"][0]["by"] == "all"


def test_nobody_at_all(tables):
    empty = [table.iloc[:0] for table in tables]
    assert described(cohort_of(*empty))["message"].startswith("There is no client")


@pytest.mark.parametrize("name", ["hazard", "gamma-frailty"])
def test_a_therapist_whose_clients_all_left_gets_a_finite_rate_and_a_word(tables, name):
    clients, sessions, scores = tables
    first = clients["therapist"].iloc[0]
    status = clients["end_status"].where(clients["therapist"] != first, "dropout")
    cohort = cohort_of(clients.assign(end_status=status), sessions, scores)
    fit = fitted(cohort, name)
    assert fit["status"] in ("converged", "singular")
    assert all(np.isfinite(row["estimate"]) for row in fit["estimates"])
    assert fit["variance_components"][0]["variance_or_covariance"] >= 0
    if name == "hazard":
        said = [w for w in fit["warnings"] if w["code"] == "every_client_left"]
        assert said
        assert said[0]["text"].startswith("Every client of 1 of ")


def test_a_frailty_without_therapists_is_refused(tables):
    clients, sessions, scores = tables
    fit = fitted(cohort_of(clients.assign(therapist=None), sessions, scores), "gamma-frailty")
    assert fit["status"] == "refused"
    assert "tells therapists apart" in fit["message"]
