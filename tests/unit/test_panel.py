"""The panel on a client whose arithmetic can be done by hand."""

import numpy as np
import pandas as pd
import pytest

from alliance.panel.build import panel_of


def cohort(ends=("dropout", "completed")):
    """Client a: alliance 10, -, 16 at sessions 1-3; b: 20, 24 at sessions 1 and 3 (2 skipped)."""
    clients = pd.DataFrame(
        {"site": "s", "client": ["a", "b"], "therapist": "t", "end_status": list(ends)}
    )
    sessions = pd.DataFrame(
        {
            "site": "s",
            "client": list("aaabb"),
            "session": [1, 2, 3, 1, 3],
            "weeks_since_intake": [0.0, 1, 3, 0, 2],
            "attended": True,
        }
    )
    scores = pd.DataFrame(
        {
            "site": "s",
            "client": list("aabb"),
            "session": [1, 3, 1, 3],
            "measure": "alliance",
            "subscale": "total",
            "score": [10.0, 16, 20, 24],
        }
    )
    return clients, sessions, scores


def column(panel, name, client):
    return panel.loc[panel["client"] == client, name].tolist()


def same(values, expected):
    np.testing.assert_allclose(values, expected, equal_nan=True)


def test_centring_and_lags():
    panel = panel_of(*cohort(), ["alliance"])
    nan = np.nan
    same(column(panel, "alliance", "a"), [10, nan, 16])
    same(column(panel, "alliance_client_mean", "a"), [13, 13, 13])
    same(column(panel, "alliance_within", "a"), [-3, nan, 3])
    same(column(panel, "alliance_between", "a"), [-4.5] * 3)  # 13 - (13 + 22) / 2
    same(column(panel, "alliance_known", "a"), [10, 10, 16])  # session 2: the last known score
    same(column(panel, "alliance_running_mean", "a"), [10, 10, 10])  # of the scores before
    same(column(panel, "alliance_running_within", "a"), [0, 0, 6])
    same(column(panel, "alliance_running_between", "b"), [20 - 17.5, 20 - 17.5])
    same(column(panel, "alliance_next", "a"), [nan, 16, nan])
    same(column(panel, "alliance_previous", "a"), [nan, 10, nan])
    same(column(panel, "alliance_next", "b"), [nan, nan])  # session 2 is skipped: no pair
    same(column(panel, "log_weeks", "a"), np.log([1, 2, 4]))


@pytest.mark.parametrize(
    ("end", "at_last"),
    [("dropout", 1.0), ("completed", 0.0), ("transferred", 0.0), ("ongoing", np.nan),
     (None, np.nan)],
)  # fmt: skip
def test_who_came_is_at_risk_after_it_where_the_way_on_is_known(end, at_last):
    """Completers are at risk at their last session; what nobody has seen is not at risk."""
    panel = panel_of(*cohort(ends=(end, "completed")), ["alliance"])
    same(column(panel, "dropout_event", "a"), [0, 0, at_last])


def test_the_deviation_is_from_the_mean_of_earlier_scores_whatever_was_skipped():
    """Scores 10, -, 16, -, 25: after 25 the mean before is 13; in between the last one stands."""
    clients, sessions, scores = cohort()
    key = {"site": "s", "client": "a"}
    more = pd.DataFrame([key | {"session": t, "weeks_since_intake": t, "attended": True}
                         for t in (4, 5)])  # fmt: skip
    late = pd.DataFrame([key | {"session": 5, "measure": "alliance", "subscale": "total",
                                "score": 25.0}])  # fmt: skip
    panel = panel_of(clients, pd.concat([sessions, more]), pd.concat([scores, late]), ["alliance"])
    same(column(panel, "alliance_running_mean", "a"), [10, 10, 10, 10, 13])
    same(column(panel, "alliance_running_within", "a"), [0, 0, 6, 6, 12])


def test_running_parts_do_not_look_ahead():
    clients, sessions, scores = cohort()
    later = scores.assign(score=[10.0, 60, 20, 24])  # client a's session 3 changed
    running = ["alliance_known", "alliance_running_mean", "alliance_running_within"]
    first, second = (panel_of(clients, sessions, s, ["alliance"]) for s in (scores, later))
    before = (first["client"] == "a") & (first["session"] < 3)
    pd.testing.assert_frame_equal(first.loc[before, running], second.loc[before, running])


def test_a_measure_that_nobody_filled_in_is_all_missing():
    panel = panel_of(*cohort(), ["alliance", "symptoms"])
    assert panel["symptoms"].isna().all()
    assert panel["symptoms_within"].isna().all()


def test_a_subscale_that_a_model_names_has_parts_and_lags_of_its_own():
    clients, sessions, scores = cohort()
    goal = scores.assign(subscale="goal", score=[1.0, 3, 2, 4])
    bond = scores.assign(subscale="bond")
    tables = clients, sessions, pd.concat([scores, goal, bond])
    panel = panel_of(*tables, ["alliance"], subscales=["alliance_goal", "alliance_task"])
    same(column(panel, "alliance_goal_within", "a"), [-1, np.nan, 1])
    same(column(panel, "alliance_within", "a"), [-3, np.nan, 3])
    assert "alliance_bond" in panel
    assert "alliance_bond_within" not in panel  # no model names it
    assert panel["alliance_task_next"].isna().all()  # named, but nobody answered it
