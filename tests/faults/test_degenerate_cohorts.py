"""Cohorts from which something cannot be estimated: a plain statement, and the rest is done."""

import warnings

import numpy as np
import pandas as pd
import pytest

from alliance import files
from alliance.config.instruments import INSTRUMENTS, load_instruments
from alliance.families.cohort import Cohort
from alliance.families.coupling.model import coupling_fit
from alliance.families.growth.model import growth_fit
from alliance.families.hazard.model import hazard_fit
from alliance.panel.build import panel_of
from alliance.panel.describe_cohort import Processed, describe_cohort
from alliance.simulate import Parameters, simulate_courses

KEYS = load_instruments()
MEASURES = {"alliance": {"label": "Alliance"}, "symptoms": {"label": "Symptoms"}}
MODELS = {
    "alliance_growth": (growth_fit, {"outcome": "alliance", "time": "log_weeks"}),
    "symptom_growth": (growth_fit, {"outcome": "symptoms", "time": "weeks_since_intake"}),
    "alliance_to_symptoms": (
        coupling_fit,
        {"predictor": "alliance", "outcome": "symptoms", "time": "weeks_since_intake"},
    ),
    "dropout_hazard": (hazard_fit, {"predictors": ["alliance", "symptoms"]}),
}


def small():
    """One site's tables: clients, sessions, scores."""
    cohort = simulate_courses(Parameters(sites=("north", "east")), 7, items=False)
    return cohort.clients.copy(), cohort.sessions.copy(), cohort.scores.copy()


def keep(frames, clients=None, sessions=None):
    kept = []
    for frame in frames:
        rows = pd.Series(True, index=frame.index)
        if clients is not None:
            rows &= frame["client"].isin(clients)
        if sessions is not None and "session" in frame:
            rows &= frame["session"].isin(sessions)
        kept.append(frame[rows].reset_index(drop=True))
    return kept


def as_is(frames):
    return frames


def no_rows(frames):
    return keep(frames, clients=[])


def one_client(frames):
    return keep(frames, clients=frames[0]["client"].head(1))


def one_session_each(frames):
    return keep(frames, sessions=[1])


def all_alliance_missing(frames):
    clients, sessions, scores = frames
    return clients, sessions, scores[scores["measure"] != "alliance"]


def zero_variance(frames):
    clients, sessions, scores = frames
    return clients, sessions, scores.assign(score=20.0)


def no_dropout(frames):
    clients, sessions, scores = frames
    return clients.assign(end_status="completed"), sessions, scores


def all_dropout_after_one_session(frames):
    clients, sessions, scores = keep(frames, sessions=[1])
    return clients.assign(end_status="dropout"), sessions, scores


def one_site(frames):
    names = frames[0].loc[frames[0]["site"] == "north", "client"]
    return keep(frames, clients=names)


def no_therapists(frames):
    clients, sessions, scores = frames
    return clients.assign(therapist=None), sessions, scores


def separation(frames):
    """Whoever drops out has the lowest possible alliance throughout, nobody else has."""
    clients, sessions, scores = frames
    left = clients.loc[clients["end_status"] == "dropout", "client"]
    low = scores["client"].isin(left) & (scores["measure"] == "alliance")
    return clients, sessions, scores.assign(score=scores["score"].where(~low, 12.0))


def no_dates(frames):
    clients, sessions, scores = frames
    return clients, sessions.assign(weeks_since_intake=np.nan), scores


KEY = ["site", "client", "session"]
COHORTS = [
    as_is, no_rows, one_client, one_session_each, all_alliance_missing, zero_variance, no_dropout,
    all_dropout_after_one_session, one_site, no_therapists, separation, no_dates,
]  # fmt: skip
MUST_REFUSE = {
    "no_rows": set(MODELS),
    "one_session_each": {"alliance_to_symptoms"},
    "all_alliance_missing": {"alliance_growth", "alliance_to_symptoms", "dropout_hazard"},
    "zero_variance": set(MODELS),
    "no_dropout": {"dropout_hazard"},
    "all_dropout_after_one_session": {"dropout_hazard"},
    "no_dates": {"alliance_growth", "symptom_growth", "alliance_to_symptoms"},
}
MUST_FIT = {
    "as_is": set(MODELS),
    "one_site": set(MODELS),
    "no_therapists": set(MODELS),
    "no_dropout": {"alliance_growth", "symptom_growth", "alliance_to_symptoms"},
    "all_alliance_missing": {"symptom_growth"},
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("degrade", COHORTS, ids=lambda f: f.__name__)
def test_ends_in_a_fit_or_a_plain_statement(degrade, name):
    clients, sessions, scores = degrade(small())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        panel = panel_of(clients, sessions, scores, list(MEASURES))
        keys = {"alliance": KEYS["wai-sr-c"], "symptoms": KEYS["phq-9"]}
        fit_one, entry = MODELS[name]
        fit = fit_one(Cohort(panel, "0" * 64, MEASURES, keys), name, entry).as_json()
    if name in MUST_REFUSE.get(degrade.__name__, ()):
        assert fit["status"] == "refused"
    if name in MUST_FIT.get(degrade.__name__, ()):
        assert fit["status"] in ("converged", "singular")
    if fit["status"] == "refused":
        assert fit["message"].endswith(".")
        assert len(fit["message"]) < 600
        assert fit["estimates"] == fit["curves"] == fit["variance_components"] == []
    else:
        numbers = [row[k] for row in fit["estimates"] for k in ("estimate", "se", "ci_low")]
        assert None not in numbers


def test_separation_names_the_column():
    clients, sessions, scores = separation(small())
    panel = panel_of(clients, sessions, scores, list(MEASURES))
    panel.loc[panel["dropout_event"] == 1, "alliance_running_between"] = -90.0
    keys = {"alliance": KEYS["wai-sr-c"], "symptoms": KEYS["phq-9"]}
    fit = hazard_fit(
        Cohort(panel, "0" * 64, MEASURES, keys), "dropout_hazard", MODELS["dropout_hazard"][1]
    ).as_json()
    assert fit["status"] == "refused"
    assert "the client's mean before the last score” alone" in fit["message"]


def fitted(name, frames, **entry):
    panel = panel_of(*frames, list(MEASURES))
    keys = {"alliance": KEYS["wai-sr-c"], "symptoms": KEYS["phq-9"]}
    fit_one, default = MODELS[name]
    return fit_one(Cohort(panel, "0" * 64, MEASURES, keys), name, default | entry).as_json()


def test_a_site_that_a_model_cannot_use_is_named_and_the_rest_is_fitted():
    clients, sessions, scores = small()
    clients["therapist"] = clients["therapist"].where(clients["site"] != "east")
    fit = fitted("alliance_growth", (clients, sessions, scores))
    assert fit["status"] in ("converged", "singular")
    assert {curve["group"] for curve in fit["curves"]} == {"all sites"}
    assert any("therapist is not known (sites: east)" in w["text"] for w in fit["warnings"])


def test_no_random_slope_where_none_is_wanted():
    fit = fitted("alliance_growth", small(), random_slopes=[])
    names = {row["name_1"] for row in fit["variance_components"]}
    assert names == {"1", "residual"}
    assert "slopes" not in fit["assumptions"][1]["text"]


def test_covariates_of_the_hazard_are_held_at_their_average():
    bare = fitted("dropout_hazard", small())
    more = fitted("dropout_hazard", small(), fixed=["age_years", "gender"])
    assert {"age_years", "gender[female]", "gender[male]"} <= {e["term"] for e in more["estimates"]}
    curves = ([c for c in fit["curves"] if c["name"] == "survival"] for fit in (bare, more))
    for one, other in zip(*curves, strict=True):
        assert one["estimate"][-1] == pytest.approx(other["estimate"][-1], abs=0.03)


@pytest.mark.parametrize("levels", [[], ["therapist"]])
def test_a_model_without_clients_is_refused(levels):
    fit = fitted("alliance_growth", small(), levels=levels)
    assert fit["status"] == "refused"
    assert "no client level" in fit["message"]


def test_who_ended_otherwise_was_at_risk_and_who_is_still_there_is_not():
    reasons = {
        entry["reason"]["text"] for entry in fitted("dropout_hazard", small())["data"]["left_out"]
    }
    assert not any("ended as agreed" in reason for reason in reasons)
    assert "still in treatment at the last session on record" in reasons


@pytest.mark.parametrize("degrade", COHORTS, ids=lambda f: f.__name__)
def test_description_is_written_whatever_is_missing(degrade, tmp_path):
    clients, sessions, scores = degrade(small())
    tables = {
        "clients": clients,
        "responses": pd.DataFrame(
            columns=["site", "client", "session", "measure", "item", "value"]
        ),
        "quarantine": pd.DataFrame(
            columns=["site", "rule", "action", "expected", "remedy", "rows_affected"]
        ),
        "ledger": pd.DataFrame(columns=["site", "table", "unit", "reason", "count"]),
        "scoring_ledger": pd.DataFrame(
            columns=["site", "measure", "subscale", "forms", "complete", "prorated", "refused"]
        ),
        "panel": panel_of(clients, sessions, scores, list(MEASURES)),
    }
    paths = {name: tmp_path / f"{name}.parquet" for name in tables}
    for name, table in tables.items():
        files.write_parquet(table, paths[name])
    describe_cohort(
        cohort="test", title="Test", simulated=True, dropout={"event": ["dropout"]},
        measures={
            "alliance": {"instrument": "wai-sr-c"},
            "symptoms": {"instrument": "phq-9"},
        },
        instruments=[INSTRUMENTS / "wai-sr-c.yaml", INSTRUMENTS / "phq-9.yaml"],
        processed=Processed(**{name: paths[name] for name in Processed._fields}),
        description=tmp_path / "description.json",
    )  # fmt: skip
    content = files.read_json(tmp_path / "description.json")
    everyone = content["flow"][0]
    assert everyone["clients"] == len(clients)
    assert everyone["sessions"] == len(sessions)
    curves = content["survival_by_alliance"]
    assert bool(curves["groups"]) != bool(curves["message"])
