"""The simulator: its equations, its tables, its determinism."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from alliance.config.instruments import load_instrument
from alliance.measures.scoring import scores_of
from alliance.simulate import Parameters, simulate_courses
from alliance.simulate.courses import lag_matrix, residual_covariance, total_alliance_sd
from alliance.simulate.items import FORMS, share_out
from alliance.simulate.parameters import as_table
from alliance.simulate.truth import estimands

PROJECT = Path(__file__).parents[2]
KEY = ["site", "client", "session"]


@pytest.fixture(scope="module")
def cohort():
    return simulate_courses(Parameters(), seed=7)


@pytest.fixture(scope="module")
def large():
    """Ten times the therapists, no bounds: the equations without floor and ceiling."""
    parameters = replace(Parameters(), therapists_per_site=(80, 120), bounded=False)
    return simulate_courses(parameters, seed=8, items=False)


def test_the_same_seed_gives_the_same_cohort_and_another_seed_another(cohort):
    again, other = simulate_courses(Parameters(), seed=7), simulate_courses(Parameters(), seed=9)
    for name in ("clients", "sessions", "responses", "scores", "calendar", "courses", "ruptures"):
        pd.testing.assert_frame_equal(getattr(cohort, name), getattr(again, name))
    assert not cohort.courses.equals(other.courses)


def test_drawing_items_leaves_the_courses_as_they_are(cohort):
    without = simulate_courses(Parameters(), seed=7, items=False)
    pd.testing.assert_frame_equal(cohort.courses, without.courses)
    pd.testing.assert_frame_equal(cohort.clients, without.clients)
    assert without.responses.empty


def test_every_parameter_has_a_unit_and_a_source():
    table = as_table(Parameters())
    assert set(table) == {entry.name for entry in fields(Parameters)}
    for name, entry in table.items():
        assert entry["unit"], name
        assert entry["source"].startswith(("anchor", "chosen", "false only")), name


def test_the_cohort_has_the_promised_size(cohort):
    clients, p = cohort.clients, cohort.parameters
    assert sorted(clients["site"].unique()) == sorted(p.sites)
    therapists = clients.groupby("site")["therapist"].nunique()
    assert therapists.between(*p.therapists_per_site).all()
    assert clients.groupby("therapist").size().between(*p.clients_per_therapist).all()
    # a therapist works at one site, and ids are unique over the cohort
    assert (clients.groupby("therapist")["site"].nunique() == 1).all()
    assert clients["client"].is_unique
    assert cohort.sessions["session"].between(1, p.most_sessions).all()
    per_client = cohort.sessions.groupby("client")["session"]
    assert (per_client.max() == per_client.size()).all()  # no number left out
    planned = clients.set_index("client")["sessions_planned"]
    assert (per_client.size() <= planned.loc[per_client.size().index]).all()


def test_tables_have_the_canonical_columns_and_order(cohort):
    assert list(cohort.sessions) == [*KEY, "weeks_since_intake", "attended"]
    assert list(cohort.responses) == [*KEY, "measure", "item", "value"]
    assert list(cohort.scores) == [
        *KEY, "measure", "subscale", "score", "n_items", "n_valid", "prorated", "refused",
    ]  # fmt: skip
    keys = {
        "clients": ["site", "client"],
        "sessions": KEY,
        "responses": [*KEY, "measure", "item"],
        "scores": [*KEY, "measure", "subscale"],
    }
    for name, key in keys.items():
        table = getattr(cohort, name)
        assert not table.duplicated(key).any(), name
        assert table[key].equals(table[key].sort_values(key, ignore_index=True)), name


def test_dates_move_on_and_fall_on_working_days(cohort):
    calendar = cohort.calendar.sort_values(["client", "session"])
    days = pd.to_datetime(calendar["date"])
    assert (days.dt.day_of_week < 5).all()
    gaps = days.diff().dt.days[calendar["client"].eq(calendar["client"].shift())]
    assert (gaps >= 1).all()
    assert gaps.median() == 7
    weeks = cohort.sessions.set_index(KEY)["weeks_since_intake"]
    first = calendar[calendar["session"] == 1].set_index("client")["date"]
    expected = (days - pd.to_datetime(calendar["client"].map(first))).dt.days / 7
    assert np.allclose(weeks.loc[list(calendar[KEY].itertuples(index=False))], expected)


def test_answers_add_up_to_the_course_where_nothing_is_missing(cohort):
    courses = cohort.courses.set_index(KEY)
    for form in FORMS:
        here = cohort.responses[cohort.responses["measure"] == form.measure]
        assert here["value"].between(form.minimum, form.maximum).all()
        flipped = here["item"].isin(form.reverse)
        value = here["value"].where(~flipped, form.minimum + form.maximum - here["value"])
        sums = value.groupby([here[key] for key in KEY]).agg(["sum", "size"])
        complete = sums[sums["size"] == form.n_items]["sum"]
        assert len(complete) > 300
        assert (complete == courses.loc[complete.index, form.measure]).all()


def test_keys_and_ranges_are_those_of_the_instruments():
    for form in FORMS:
        key = yaml.safe_load((PROJECT / f"config/instruments/{form.instrument}.yaml").read_text())
        assert key["items"] == form.n_items
        assert sorted(key.get("reversed_items", [])) == sorted(form.reverse)
        assert (key["answers"]["lowest"], key["answers"]["highest"]) == (form.minimum, form.maximum)
        listed = {
            tuple(sorted(score["items"]))
            for score in key["scores"].values()
            if score["items"] != "all"
        }
        if listed:
            assert listed == {tuple(sorted(items)) for items in form.subscales}


@pytest.mark.parametrize(
    ("measure", "lowest", "highest"),
    # Hatcher & Gillaspy 2006: .91-.92; Kroenke 2001: .89; Tracey & Kokotovic 1989: .95
    [("alliance", 0.89, 0.95), ("symptoms", 0.86, 0.93), ("alliance_therapist", 0.90, 0.96)],
)
def test_items_hang_together_as_in_real_forms(cohort, measure, lowest, highest):
    form = next(form for form in FORMS if form.measure == measure)
    wide = cohort.responses[cohort.responses["measure"] == measure].pivot(
        index=KEY, columns="item", values="value"
    )
    for item in form.reverse:
        wide[item] = form.minimum + form.maximum - wide[item]
    wide = wide.dropna()
    k = form.n_items
    alpha = k / (k - 1) * (1 - wide.var().sum() / wide.sum(axis=1).var())
    assert lowest < alpha < highest
    if len(form.subscales) > 1:  # items of one subscale correlate more closely than others
        r = wide.corr().to_numpy()
        same = np.zeros((k, k), dtype=bool)
        for items in form.subscales:
            same[np.ix_(np.array(items) - 1, np.array(items) - 1)] = True
        off = ~np.eye(k, dtype=bool)
        assert r[same & off].mean() > r[~same].mean()


def test_share_out_keeps_sums_and_bounds():
    rng = np.random.default_rng(1)
    totals = rng.integers(12, 61, 500)
    answers = share_out(totals, rng.normal(3, 1.5, (500, 12)), 1, 5)
    assert (answers.sum(axis=1) == totals).all()
    assert answers.min() >= 1
    assert answers.max() <= 5
    # one item leans to 5, the sum leaves it there; the others share the rest
    assert share_out(np.array([8]), np.array([[5.0, 1.2, 1.1]]), 1, 5).tolist() == [[5, 2, 1]]


def test_lag_equations_hold_for_the_observed_scores(large):
    """Regress the next deviation on both current ones: the lag matrix, within four SE."""
    courses = large.courses.sort_values(["client", "session"])
    w = courses[["alliance_residual", "symptoms_residual"]]
    following = w.groupby(courses["client"]).shift(-1)
    pairs = following.notna().all(axis=1)
    x, y = w[pairs].to_numpy(), following[pairs].to_numpy()
    slopes, *_ = np.linalg.lstsq(x, y, rcond=None)
    residual = y - x @ slopes
    se = np.sqrt(np.outer(np.diag(np.linalg.inv(x.T @ x)), residual.var(axis=0)))
    # ASSUME staying depends on this session's scores alone, so selection leaves the slopes alone
    assert np.all(np.abs(slopes.T - lag_matrix(large.parameters)) < 4 * se.T)


def test_deviations_have_the_stationary_variance_at_the_first_session(large):
    first = large.courses[large.courses["session"] == 1]
    observed = first[["alliance_residual", "symptoms_residual"]].cov().to_numpy()
    # rounding adds 1/12; SE of a variance is sqrt(2/n) of it, about 2 % at 4,800 clients
    expected = residual_covariance(large.parameters) + np.eye(2) / 12
    assert np.allclose(observed, expected, rtol=0.08, atol=0.25)


def test_courses_start_and_grow_as_stated(large):
    p, courses = large.parameters, large.courses.merge(large.sessions, on=KEY)
    first = courses[courses["session"] == 1]
    by_site = first.groupby("site")[["alliance", "symptoms"]].mean()
    for number, site in enumerate(p.sites):
        # SE of a site's mean: about 100 therapists, 1,200 clients: .25 and .15
        assert by_site.loc[site, "alliance"] == pytest.approx(
            p.alliance_start + p.alliance_site[number], abs=1.0
        )
        assert by_site.loc[site, "symptoms"] == pytest.approx(
            p.symptoms_start + p.symptoms_site[number], abs=0.6
        )
    own = courses["alliance"] - courses["alliance_residual"]
    log_weeks = np.log1p(courses["weeks_since_intake"])
    start = own[courses["session"] == 1].set_axis(first["client"])
    later = courses["session"] > 1
    growth = (own - courses["client"].map(start))[later] / log_weeks[later]
    by_client = growth.groupby(courses["client"]).mean()
    # 4,600 clients with SD .8: SE .012. Who has a second session is nearly everybody.
    assert by_client.mean() == pytest.approx(p.alliance_growth, abs=0.05)
    assert by_client.std() == pytest.approx(p.alliance_growth_sd, abs=0.04)


def test_ruptures_are_as_frequent_deep_and_often_repaired_as_stated(large):
    p, ruptures = large.parameters, large.ruptures
    assert len(ruptures) / len(large.clients) == pytest.approx(0.25, abs=0.03)
    assert ruptures["repaired"].mean() == pytest.approx(p.repair_share, abs=0.05)
    assert ruptures["onset"].between(*p.rupture_sessions).all()
    assert (ruptures["sequel"] - ruptures["onset"]).between(1, p.repair_sessions).all()
    w = large.courses.set_index(["client", "session"])["alliance_residual"]
    onset = w.loc[list(zip(ruptures["client"], ruptures["onset"], strict=True))]
    depth = p.rupture_depth * np.sqrt(residual_covariance(p)[0, 0])
    # 1,200 ruptures, SD 3.7: SE .1; the expected share that everybody gets back is 5 % of it
    assert onset.mean() == pytest.approx(-depth * (1 - p.rupture_share / 6), abs=0.5)


def test_therapists_rate_lower_and_agree_as_stated(large):
    p, c = large.parameters, large.courses
    in_client_points = 12 + (c["alliance_therapist"] - 12) / 1.5
    assert (c["alliance"] - in_client_points).mean() == pytest.approx(
        p.therapist_rating_lower * total_alliance_sd(p), abs=0.3
    )
    first = c[c["session"] == 1]
    assert first["alliance"].corr(first["alliance_therapist"]) == pytest.approx(0.33, abs=0.05)
    given = large.scores[large.scores["measure"] == "alliance_therapist"]
    assert (given["session"] % 3 == 0).all()


def test_leaving_follows_the_hazard(large):
    """Observed dropouts against the equation: sums agree within four SE, also by alliance."""
    p = large.parameters
    rows = large.courses.merge(large.clients[["client", "end_status"]], on="client")
    last = rows["session"] == rows.groupby("client")["session"].transform("max")
    at_risk = ~last | (rows["end_status"] == "dropout")
    rows, event = rows[at_risk], (last & (rows["end_status"] == "dropout"))[at_risk]
    a, s = p.dropout_reference
    log_odds = (
        np.log(p.dropout_base / (1 - p.dropout_base))
        + p.dropout_alliance * (rows["alliance"] - a)
        + p.dropout_symptoms * (rows["symptoms"] - s)
    )
    h = 1 / (1 + np.exp(-log_odds))
    for part in (rows["alliance"] < 40, rows["alliance"] >= 40, rows["session"] == 1):
        se = np.sqrt((h[part] * (1 - h[part])).sum())
        assert abs(event[part].sum() - h[part].sum()) < 4 * se
    assert 0.20 < (large.clients["end_status"] == "dropout").mean() < 0.30
    completed = rows.loc[rows["end_status"] == "completed"].groupby("client")["session"].max()
    assert completed.min() >= p.completion_from - 1  # the last session itself is not at risk


def test_forms_and_items_go_missing_at_the_stated_rates(cohort):
    n = len(cohort.sessions)
    forms = cohort.scores[cohort.scores["measure"] == "alliance"]
    # SE .003 at 4,600 sessions
    assert 1 - len(forms) / n == pytest.approx(0.05, abs=0.013)
    missing = 1 - forms["n_valid"].sum() / forms["n_items"].sum()
    assert missing == pytest.approx(0.02, abs=0.004)


def test_few_scores_meet_floor_or_ceiling(cohort):
    c = cohort.courses
    assert (c["alliance"] == 60).mean() < 0.03
    assert (c["symptoms"] == 0).mean() < 0.01


def test_scores_agree_with_the_projects_own_scoring(cohort):
    keys = {
        form.measure: load_instrument(PROJECT / f"config/instruments/{form.instrument}.yaml")
        for form in FORMS
    }
    scored, _ = scores_of(cohort.responses, keys)
    theirs = scored[scored["subscale"] == "total"].set_index([*KEY, "measure"])
    ours = cohort.scores.set_index([*KEY, "measure"])
    assert len(ours) == len(theirs)
    both = ours.join(theirs.add_suffix("_theirs"))
    assert np.allclose(both["score"], both["score_theirs"], equal_nan=True)
    for column in ("n_items", "n_valid", "prorated", "refused"):
        assert (both[column] == both[f"{column}_theirs"]).all()


def test_estimands_are_unique_and_carry_value_scale_and_note():
    entries = estimands(Parameters())
    keys = [(e["model"], e["term"], e["estimator"]) for e in entries]
    assert len(set(keys)) == len(keys)
    assert all({"value", "scale", "note"} <= set(entry) for entry in entries)
    value = {(e["model"], e["term"]): e["value"] for e in entries}
    p = Parameters()
    assert value["alliance_growth", "log_weeks"] == p.alliance_growth
    assert value["symptom_growth", "weeks_since_intake"] == p.symptoms_growth
    assert value["alliance_to_symptoms", "alliance_within"] == p.alliance_to_symptoms
    assert value["symptoms_to_alliance", "symptoms_within"] == p.symptoms_to_alliance
    assert value["dropout_hazard", "alliance_running_within"] == p.dropout_alliance


def test_expectations_were_measured_for_these_parameters():
    # Joint courses have none: what they find on average is in docs/courses_recovery.csv.
    measured = [e for e in estimands(Parameters()) if e["model"] != "alliance_and_symptoms"]
    assert all("expected" in entry for entry in measured), (
        "run benchmarks/simulator_bias.py again: the parameters have changed since"
    )
    assert all(entry["value"] is not None for entry in estimands(Parameters()))


def test_other_parameters_have_no_expectations():
    other = replace(Parameters(), alliance_to_symptoms=-0.2)
    entries = {(e["model"], e["term"]): e for e in estimands(other)}
    assert entries["alliance_to_symptoms", "alliance_within"]["value"] == -0.2
    assert all("expected" not in entry for entry in entries.values())
