"""Definitions of dropout on five clients that can be judged by eye."""

import numpy as np
import pandas as pd
import pytest

from alliance.panel.build import panel_of
from alliance.panel.ends import BY_STATUS, dropout_by_definition, in_words

DEFINITIONS = {
    "below_plan": {"rule": "sessions-below-plan", "share": 0.75},
    "early": {"rule": "few-sessions", "sessions": 3},
    "no_show": {"rule": "last-session-missed"},
    "no_change": {
        "rule": "no-reliable-change", "measure": "symptoms", "reliability": 0.9, "better": "lower",
    },
}  # fmt: skip


@pytest.fixture
def cohort():
    """a left after 2 of 4, b completed 4, c was transferred, d is there, e's end is unknown."""
    clients = pd.DataFrame(
        {
            "site": list("xxxxy"),
            "client": list("abcde"),
            "end_status": ["dropout", "completed", "transferred", "ongoing", None],
            "sessions_planned": pd.array([4, 4, 8, 8, None], dtype="Int64"),
        }
    )
    rows = [(c, s, True) for c, n in zip("abcde", (2, 4, 2, 3, 1), strict=True)
            for s in range(1, n + 1)]  # fmt: skip
    rows.append(("a", 3, False))  # a missed the last session
    sessions = pd.DataFrame(rows, columns=["client", "session", "attended"])
    sessions["site"] = np.where(sessions["client"] == "e", "y", "x")
    sessions["weeks_since_intake"] = sessions["session"] - 1.0
    scores = sessions[sessions["attended"] & sessions["client"].isin(list("abc"))]
    scores = scores[["site", "client", "session"]].assign(measure="symptoms", subscale="total")
    first = scores["client"].map({"a": 20.0, "b": 18.0, "c": 22.0})
    falling = np.where(scores["client"] == "b", 5.0 * (scores["session"] - 1), 0.0)
    return clients, sessions, scores.assign(score=first - falling)


def test_each_definition_by_itself(cohort):
    found = dropout_by_definition(*cohort, ["dropout"], DEFINITIONS)
    nan = np.nan
    expected = pd.DataFrame(
        {
            BY_STATUS: [1.0, 0.0, 0.0, nan, nan],
            "below_plan": [1.0, 0.0, 0.0, nan, nan],
            "early": [1.0, 0.0, 0.0, nan, 1.0],  # e has one session, whatever the end
            "no_show": [1.0, 0.0, 0.0, nan, nan],  # site y records no missed session
            "no_change": [1.0, 0.0, 0.0, nan, nan],  # e has no score
        }
    )
    pd.testing.assert_frame_equal(found.reset_index(drop=True), expected)


def test_the_panel_follows_the_definition_in_use(cohort):
    panel = panel_of(*cohort, ["symptoms"], definitions=DEFINITIONS, definition_in_use="early")
    last = panel[panel["last_session"]].set_index("client")
    assert last["end_cause"].tolist() == [
        "dropout", "completed", "transferred", "ongoing", "dropout"
    ]  # fmt: skip
    assert last["dropout_event"].fillna(-1).tolist() == [1.0, 0.0, 0.0, -1.0, 1.0]
    assert {f"dropout_by_{name}" for name in (BY_STATUS, *DEFINITIONS)} <= set(panel)
    by_status = panel_of(*cohort, ["symptoms"])
    assert by_status[by_status["last_session"]]["end_cause"].isna().tolist() == [False] * 4 + [True]


def test_who_left_by_status_but_not_by_the_definition_ended_otherwise(cohort):
    clients, sessions, scores = cohort
    never = {"never": {"rule": "few-sessions", "sessions": 1}}
    panel = panel_of(
        clients, sessions, scores, ["symptoms"], definitions=never, definition_in_use="never"
    )
    assert panel[panel["last_session"]]["end_cause"].tolist()[0] == "other"


def test_without_discharge_status_rules_still_decide(cohort):
    clients, sessions, scores = cohort
    bare = clients.drop(columns="end_status")
    found = dropout_by_definition(bare, sessions, scores, ["dropout"], DEFINITIONS)
    assert found[BY_STATUS].isna().all()
    assert found["early"].tolist() == [1.0, 0.0, 1.0, 0.0, 1.0]


def test_definitions_in_words():
    assert in_words(None, ["dropout", "transferred"]).endswith("dropout or transferred")
    assert "75%" in in_words(DEFINITIONS["below_plan"], [])
    assert all(in_words(definition, []) for definition in DEFINITIONS.values())
