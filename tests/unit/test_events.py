"""Events and their columns in the panel; above all that no column looks ahead."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from alliance.config.cohort import PROJECT, load_cohort
from alliance.config.instruments import load_instrument
from alliance.families.cohort import Cohort
from alliance.families.coupling.model import coupling_fit
from alliance.families.growth.model import growth_fit
from alliance.families.hazard.model import hazard_fit
from alliance.files import read_json, write_parquet
from alliance.measures.coders import describe_coders
from alliance.measures.describe_change import change_of, describe_change
from alliance.measures.event_columns import with_events
from alliance.measures.events import COLUMNS, events_of
from alliance.panel.build import panel_of
from alliance.simulate.cohort import simulate_courses

CHANGE = {
    "symptoms": {"reliability": 0.84, "reliability_last": 0.84, "cutoff": "c", "anchor": 5,
                 "functional": {"mean": 3.0, "sd": 3.5}, "method": "jacobson-truax",
                 "sudden_points": None}
}  # fmt: skip
RAW = {"name": "five_points", "baseline": "window_max", "unit": "raw", "threshold": 5, "window": 3}
RUPTURES = {"alliance": [RAW, "own_control_chart"]}
BETTER = {"symptoms": "lower", "alliance": "higher"}
MEASURES = {"alliance": {"label": "Alliance"}, "symptoms": {"label": "Symptoms"}}
KEYS = {
    name: load_instrument(PROJECT / "config" / "instruments" / f"{key}.yaml")
    for name, key in (("alliance", "wai-sr-c"), ("symptoms", "phq-9"), ("coder", "3rs"))
}


def small_cohort(seed, clients=140):
    """Return a simulated cohort with every third client or so."""
    whole = simulate_courses(seed=seed, items=False)
    step = len(whole.clients) // clients
    kept = whole.clients.iloc[::step][["site", "client"]]
    tables = {
        name: getattr(whole, name).merge(kept, on=["site", "client"])
        for name in ("clients", "sessions", "scores")
    }
    return replace(whole, **tables)


@pytest.fixture(scope="module")
def cohort():
    return small_cohort(11)


def panel_with_events(cohort, scores, ruptures=None):
    ruptures = RUPTURES if ruptures is None else ruptures
    events = events_of(scores, BETTER, CHANGE, ruptures)
    panel = panel_of(cohort.clients, cohort.sessions, scores, ["alliance", "symptoms"])
    return with_events(panel, events, list(CHANGE), ruptures), events


def test_table_has_its_columns_and_is_sorted(cohort):
    _, events = panel_with_events(cohort, cohort.scores)
    assert list(events) == list(COLUMNS)
    key = ["site", "client", "session", "measure", "kind", "rule"]
    assert events[key].equals(events.sort_values(key, kind="stable", ignore_index=True)[key])
    assert not events.duplicated(key).any()
    in_time = events[events["rule"] == "five_points"]
    assert (in_time["known_session"] == in_time["session"]).all()
    assert events.loc[events["rule"] == "own_control_chart", "known_session"].isna().all()
    gains = events[events["kind"] == "gain"]
    assert (gains["known_session"] == gains["session"] + 2).all()  # n + 3, seen at n + 1


@pytest.mark.parametrize("last", [5, 8, 11])
def test_no_column_knows_what_comes_later(cohort, last):
    whole, _ = panel_with_events(cohort, cohort.scores)
    early = cohort.scores[cohort.scores["session"] <= last]
    cut, _ = panel_with_events(cohort, early)
    columns = [c for c in whole if c.split("_", 1)[-1] in
               {"gain", "loss", "gain_so_far", "loss_so_far", "rupture", "repair", "in_rupture",
                "rupture_so_far"}]  # fmt: skip
    assert len(columns) == 8
    rows = whole["session"] <= last
    # the last session of a course that goes on: nothing later may have touched the columns
    pd.testing.assert_frame_equal(whole.loc[rows, columns], cut.loc[rows, columns])


def test_columns_by_hand():
    scores = pd.DataFrame(
        {"site": "s", "client": "a", "session": [1, 2, 3, 4, 6, 7], "measure": "alliance",
         "subscale": "total", "score": [40.0, 41, 35, 36, 41, 42]}
    )  # fmt: skip
    sessions = pd.DataFrame({"site": "s", "client": "a", "session": range(1, 8),
                             "weeks_since_intake": 0.0, "attended": True})  # fmt: skip
    clients = pd.DataFrame({"site": ["s"], "client": ["a"], "therapist": ["t"]})
    rule = {"alliance": [RAW]}
    events = events_of(scores, BETTER, {}, rule)
    panel = with_events(panel_of(clients, sessions, scores, ["alliance"]), events, [], rule)
    nan = np.nan
    for part, expected in {
        "rupture": [0, 0, 1, 0, nan, 0, 0],
        "repair": [0, 0, 0, 0, nan, 1, 0],
        "in_rupture": [0, 0, 1, 1, 1, 0, 0],
        "rupture_so_far": [0, 0, 1, 1, 1, 1, 1],
    }.items():
        np.testing.assert_allclose(panel[f"alliance_{part}"], expected, err_msg=part)


def test_rules_that_need_the_whole_course_make_no_columns(cohort):
    panel, _ = panel_with_events(cohort, cohort.scores, {"alliance": ["own_control_chart"]})
    assert not [c for c in panel if c.startswith("alliance_rupture")]


def described(panel, events, **options):
    arguments = {
        "measures": MEASURES, "keys": KEYS, "change": CHANGE, "ruptures": RUPTURES,
        "observers": [], "seed": 1,
    } | options  # fmt: skip
    return change_of(panel, events, **arguments)


def test_description_is_the_same_for_shuffled_rows_and_keeps_its_schema(cohort):
    panel, events = panel_with_events(cohort, cohort.scores)
    found = described(panel, events)
    shuffled = cohort.scores.sample(frac=1, random_state=1)
    assert found == described(*panel_with_events(cohort, shuffled))
    rules = {rule["rule"]: rule for rule in found["ruptures"][0]["rules"]}
    chance = rules["five_points"]["chance"]
    assert chance["low"] <= chance["percent"] <= chance["high"]
    by_client = rules["five_points"]["by_client"]
    assert sum(by_client.values()) == rules["five_points"]["clients_judged"]


def test_three_sessions_a_client_are_told_plainly(cohort):
    scores = cohort.scores[cohort.scores["session"] <= 3]
    found = described(*panel_with_events(cohort, scores))
    said = " ".join(found["cannot"])
    assert "4 scored sessions" in said
    assert "two scores before and two after" in said
    assert found["ruptures"][0]["rules"] == []
    assert found["measures"][0]["methods"]  # first to last can be judged all the same


def test_no_therapist_ratings_and_no_coders_are_told_plainly(cohort):
    found = described(*panel_with_events(cohort, cohort.scores))
    assert any("No therapist has rated the alliance" in s for s in found["cannot"])
    assert any("No observer" in s for s in found["cannot"])


def test_nothing_asked_for_is_told_plainly(cohort):
    panel = panel_of(cohort.clients, cohort.sessions, cohort.scores, ["alliance", "symptoms"])
    empty = events_of(cohort.scores, BETTER, {}, {})
    found = described(panel, empty, change={}, ruptures={})
    assert len([s for s in found["cannot"] if "in the config" in s]) == 2


@pytest.mark.parametrize("spoil", ["no scores", "constant", "one client", "one session"])
def test_degenerate_cohorts_end_in_words(cohort, spoil):
    scores = cohort.scores
    if spoil == "no scores":
        scores = scores.iloc[:0]
    elif spoil == "constant":
        scores = scores.assign(score=20.0)
    elif spoil == "one client":
        scores = scores[scores["client"] == scores["client"].iloc[0]]
    else:
        scores = scores[scores["session"] == 1]
    found = described(*panel_with_events(cohort, scores))
    assert len(found["cannot"]) >= 3
    assert all(s.endswith(".") for s in found["cannot"])


def coded(n=60, coders=2, noise=0.4, seed=2):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"site": "s", "client": [f"c{i // 10}" for i in range(n)],
         "session": [i % 10 + 1 for i in range(n)], "alliance": 40.0}
    )  # fmt: skip
    for code in ("withdrawal", "confrontation", "resolution"):
        truth = rng.integers(1, 6, n)
        for k in range(coders):
            drawn = np.clip(np.rint(truth + noise * rng.standard_normal(n)), 1, 5)
            table[f"coder{k}_{code}"] = drawn
    return table


def test_coders_agree_as_far_as_they_do():
    empty = events_of(pd.DataFrame({"subscale": [], "measure": []}), {}, {}, {})
    found = describe_coders(coded(), ["coder0", "coder1"], empty, {"r": "alliance"})
    assert [entry["code"] for entry in found["agreement"]] == [
        "withdrawal", "confrontation", "resolution"
    ]  # fmt: skip
    assert all(0.75 < entry["icc"] < 1 for entry in found["agreement"])
    assert found["rules"][0]["sessions"] == 60
    alone = describe_coders(coded(coders=1), ["coder0"], empty, {})
    assert all("one coder" in entry["message"] for entry in alone["agreement"])
    few = describe_coders(coded(n=5), ["coder0", "coder1"], empty, {})
    assert "Fewer than 8" in few["message"]


def test_files_in_files_out_and_nobody_in_what_is_shared(cohort, tmp_path):
    panel, events = panel_with_events(cohort, cohort.scores)
    write_parquet(panel, tmp_path / "panel.parquet")
    write_parquet(events, tmp_path / "events.parquet")
    measures = {
        "alliance": {"instrument": "wai-sr-c", "label": "Alliance"},
        "symptoms": {"instrument": "phq-9", "label": "Symptoms"},
    }
    paths = [PROJECT / "config" / "instruments" / f"{k}.yaml" for k in ("wai-sr-c", "phq-9")]
    describe_change(
        panel=tmp_path / "panel.parquet",
        events=tmp_path / "events.parquet",
        measures=measures,
        instruments=paths,
        change=CHANGE,
        ruptures=RUPTURES,
        observers=[],
        seed=1,
        described=tmp_path / "change.json",
        private=tmp_path / "private" / "change.csv",
    )
    text = (tmp_path / "change.json").read_text()
    for column in ("client", "therapist"):
        assert not [person for person in cohort.clients[column].unique() if f'"{person}"' in text]
    private = tmp_path / "private" / "change.csv"
    assert private.stat().st_mode & 0o077 == 0
    kept = read_json(tmp_path / "change.json")["measures"][0]["clients_used"]
    assert len(pd.read_csv(private)) == kept


def test_demo_asks_for_what_the_columns_need():
    demo = load_cohort(PROJECT / "config" / "config.yaml")
    assert set(demo["change"]) == {"symptoms", "alliance"}
    assert demo["change"]["alliance"]["cutoff"] == "a"  # no norms
    assert demo["ruptures"]["alliance"][0] == "drop_of_2_sd_below_mean_so_far"


@pytest.mark.slow
def test_every_family_takes_events_by_config_alone(cohort):
    panel, _ = panel_with_events(cohort, cohort.scores)
    material = Cohort(panel, "0" * 64, MEASURES, KEYS)
    for fit_one, entry in (
        (coupling_fit, {"family": "coupling", "predictor": "alliance", "outcome": "symptoms",
                        "time": "session", "fixed": ["alliance_in_rupture"]}),
        (growth_fit, {"family": "growth", "outcome": "symptoms", "time": "session",
                      "random_slopes": ["client"],
                      "fixed": ["alliance_rupture_so_far", "session:alliance_rupture_so_far"]}),
        (hazard_fit, {"family": "hazard", "predictors": ["alliance"],
                       "fixed": ["alliance_in_rupture"]}),
    ):  # fmt: skip
        fit = fit_one(material, "after_a_rupture", entry).as_json()
        assert fit["status"] in ("converged", "singular"), fit["message"]
        terms = [row["term"] for row in fit["estimates"]]
        assert any("rupture" in term for term in terms), terms
