"""Therapists: what is said of them, and what is not."""

import json

import numpy as np
import pandas as pd
import pytest

from alliance.config.instruments import load_instruments
from alliance.families.cohort import Cohort
from alliance.families.therapists.clients import EARLY, FIRST, LAST, client_table
from alliance.families.therapists.model import therapists_fit
from alliance.families.therapists.within_between import BETWEEN, effects, within_between_model

ENTRY = {
    "outcome": "symptoms",
    "alliance": "alliance",
    "time": "weeks_since_intake",
    "early": 2,
    "case_mix": [],
    "fewest_clients": 4,
}


@pytest.fixture(scope="module")
def panel():
    """Return 90 clients of 12 therapists over five sessions; one therapist has two clients."""
    rng = np.random.default_rng(5)
    n, sessions = 90, 5
    therapist = np.append(np.zeros(2, dtype=int), 1 + np.arange(n - 2) % 11)
    level, good = rng.normal(0, 3, 12), rng.normal(0, 2, 12)
    frames = [
        pd.DataFrame(
            {
                "site": "one",
                "therapist": [f"secret-{k:02d}" for k in therapist],
                "client": [f"person-{k:02d}" for k in range(n)],
                "session": session,
                "weeks_since_intake": session - 1.0,
                "alliance": 40 + level[therapist] + rng.normal(0, 5, n),
                "symptoms": 15 - session + good[therapist] + rng.normal(0, 3, n),
                "end_cause": np.where(rng.random(n) < 0.3, "dropout", "completed"),
            }
        )
        for session in range(1, sessions + 1)
    ]
    return pd.concat(frames).sort_values(["client", "session"]).reset_index(drop=True)


def cohort_of(panel):
    keys = load_instruments()
    return Cohort(
        panel=panel,
        panel_sha256="0" * 64,
        measures={"alliance": {"label": "Alliance"}, "symptoms": {"label": "Symptoms"}},
        instruments={"alliance": keys["wai-sr-c"], "symptoms": keys["phq-9"]},
    )


def test_nobody_is_named_and_few_clients_are_said(panel):
    fit = therapists_fit(cohort_of(panel), "therapists", ENTRY).as_json()
    written = json.dumps(fit, default=str)
    assert "secret" not in written and "person" not in written
    assert fit["fit_statistics"]["therapists_with_fewer_clients"] == 1
    told = [w["text"] for w in fit["warnings"] if w["code"] == "few_clients_per_therapist"]
    assert len(told) == 1 and told[0].startswith("1 of 12 therapists have fewer than 4 clients")
    assert [entry["estimator"]["code"] for entry in fit["companions"]] == [
        "therapist_share_enough_clients"
    ]
    terms = {entry["term"] for entry in fit["estimates"]}
    assert {"outcome", "change", "alliance", "dropout"} <= terms


def test_the_early_alliance_is_the_last_score_up_to_that_session(panel):
    rows = panel.copy()
    first = rows["client"] == "person-00"
    rows.loc[first & (rows["session"] == 2), "alliance"] = np.nan
    table = client_table(rows, ENTRY).set_index("client")
    own = rows[first].set_index("session")
    assert table.loc["person-00", EARLY] == own.loc[1, "alliance"]
    assert table.loc["person-00", FIRST] == own.loc[1, "symptoms"]
    assert table.loc["person-00", LAST] == own.loc[5, "symptoms"]


def test_where_therapists_do_not_differ_in_alliance_the_effect_between_them_is_open(panel):
    rng = np.random.default_rng(1)
    table = client_table(panel, ENTRY)
    table[EARLY] = rng.normal(40, 5, len(table))
    found = {effect.name: effect for effect in effects(within_between_model(table, [FIRST]))}
    assert found[BETWEEN].low is None and found[BETWEEN].high is None


def test_one_therapist_is_refused_in_words(panel):
    fit = therapists_fit(cohort_of(panel.assign(therapist="only")), "therapists", ENTRY).as_json()
    assert fit["status"] == "refused"
    assert fit["message"] == "No therapist level: the cohort does not tell two therapists apart."
