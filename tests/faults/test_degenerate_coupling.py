"""Cohorts that lack something: every family that asks otherwise runs, or says plainly why not."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from alliance.config.instruments import load_instruments
from alliance.families.by_site.model import by_site_fit
from alliance.families.cohort import Cohort
from alliance.families.coupling.model import coupling_fit
from alliance.families.growth_shape.model import growth_shape_fit
from alliance.families.joint_courses.model import joint_courses_fit
from alliance.families.panel_estimators.model import panel_estimators_fit
from alliance.families.parallel_growth.model import parallel_growth_fit
from alliance.families.specifications.model import specifications_fit
from alliance.families.therapists.model import therapists_fit
from alliance.panel.build import panel_of

ROOT = Path(__file__).parents[2]
KEY = ["site", "client", "session"]
COUPLING = {
    "family": "coupling",
    "predictor": "alliance",
    "outcome": "symptoms",
    "time": "weeks_since_intake",
}
ASKED = {"model": "coupling", "entry": COUPLING}
FAMILIES = {
    "coupling": (coupling_fit, COUPLING),
    "arms": (specifications_fit, ASKED),
    "panel": (panel_estimators_fit, ASKED | {"most_sessions": 8}),
    "therapists": (
        therapists_fit,
        {
            "outcome": "symptoms",
            "alliance": "alliance",
            "time": "weeks_since_intake",
            "early": 4,
            "case_mix": ["age_years"],
            "fewest_clients": 4,
        },
    ),
    "by_site": (by_site_fit, ASKED),
    "ladder": (growth_shape_fit, {"outcome": "alliance", "time": "weeks_since_intake"}),
    "joint": (
        joint_courses_fit,
        {
            "outcomes": ["alliance", "symptoms"],
            "times": ["log_weeks", "weeks_since_intake"],
            "distance": "sessions",
        },
    ),
    "parallel": (
        parallel_growth_fit,
        {"outcomes": ["alliance", "symptoms"], "times": ["log_weeks", "weeks_since_intake"]},
    ),
}


@pytest.fixture(scope="module")
def recovery():
    path = ROOT / "benchmarks" / "coupling_recovery.py"
    spec = importlib.util.spec_from_file_location("coupling_recovery", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def whole(recovery):
    """Return the panel of a cohort that lacks nothing: two sites, therapists, both measures."""
    panel = recovery.made_panel(recovery.CONDITIONS[3], 3, clients=80, sessions=8)
    return panel.rename(columns={"x": "alliance", "y": "symptoms"})


def cohort_of(rows):
    """Build the panel anew from scores, with whatever was taken away."""
    people = rows[["site", "client", "therapist"]].drop_duplicates()
    seen = rows[[*KEY, "weeks_since_intake"]].assign(attended=True)
    scores = rows.melt(KEY, ["alliance", "symptoms"], var_name="measure", value_name="score")
    scores = scores.dropna(subset="score").assign(subscale="total")
    keys = load_instruments()
    return Cohort(
        panel=panel_of(people.assign(end_status="completed"), seen, scores,
                       ["alliance", "symptoms"]),
        panel_sha256="0" * 64,
        measures={"alliance": {"label": "Alliance"}, "symptoms": {"label": "Symptoms"}},
        instruments={"alliance": keys["wai-sr-c"], "symptoms": keys["phq-9"]},
    )  # fmt: skip


def two_sites(rows):
    return rows.assign(site=np.where(rows["client"].astype(int) % 2, "north", "south"))


def variants(rows):
    rows = two_sites(rows[[*KEY, "therapist", "weeks_since_intake", "alliance", "symptoms"]])
    return {
        "whole": rows,
        "no therapists": rows.assign(therapist=None),
        "one site": rows.assign(site="only"),
        "no alliance": rows.assign(alliance=np.nan),
        "alliance every fourth session": rows.assign(
            alliance=rows["alliance"].where(rows["session"] % 4 == 1)
        ),
        "one session each": rows[rows["session"] == 1],
        "two sessions each": rows[rows["session"] <= 2],
        "one therapist": rows.assign(therapist="the only one"),
        "no symptoms": rows.assign(symptoms=np.nan),
        "alliance always the same": rows.assign(alliance=40.0),
        "one client": rows[rows["client"] == rows["client"].iat[0]],
        "no dates": rows.assign(weeks_since_intake=np.nan),
    }


NAMES = (
    "whole", "no therapists", "one site", "no alliance", "alliance every fourth session",
    "one session each", "two sessions each", "one therapist", "no symptoms",
    "alliance always the same", "one client", "no dates",
)  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", NAMES)
def test_it_runs_or_says_why_not(whole, name, family):
    fit_one, entry = FAMILIES[family]
    fit = fit_one(cohort_of(variants(whole)[name]), family, entry).as_json()
    if fit["status"] == "refused":
        assert fit["message"].rstrip().endswith("."), fit["message"]
        assert not fit["estimates"] and not fit["curves"] and not fit["steps"]
    else:
        assert any(row["estimate"] is not None for row in fit["estimates"])
    told = (name, family)
    if name == "whole":
        assert fit["status"] in ("converged", "singular"), told
    if name in ("no alliance", "one session each", "alliance always the same", "one client"):
        assert fit["status"] == "refused", told


def test_one_site_has_nothing_to_compare(whole):
    fit = by_site_fit(cohort_of(variants(whole)["one site"]), "by_site", ASKED).as_json()
    assert fit["message"] == "The cohort has one site: there is nothing to compare."


def test_without_therapists_the_arm_that_needs_them_is_named(whole):
    fit = specifications_fit(cohort_of(variants(whole)["no therapists"]), "arms", ASKED).as_json()
    assert any(w["text"].startswith("Therapists apart: not computed") for w in fit["warnings"])
    assert "therapists_apart" not in {row["estimator"]["code"] for row in fit["estimates"]}


def test_alliance_at_every_fourth_session_cannot_be_an_outcome_of_the_session_before(whole):
    reverse = COUPLING | {"predictor": "symptoms", "outcome": "alliance"}
    cohort = cohort_of(variants(whole)["alliance every fourth session"])
    fit = coupling_fit(cohort, "reverse", reverse).as_json()
    assert fit["status"] == "refused"
    assert "next session" in fit["message"] or "session" in fit["message"]
    forward = coupling_fit(cohort, "forward", COUPLING).as_json()
    assert forward["status"] in ("converged", "singular")
    reasons = {entry["reason"]["text"] for entry in forward["data"]["left_out"]}
    assert any("no score of Alliance" in reason for reason in reasons)


def test_few_sites_are_said_to_be_few(whole):
    fit = by_site_fit(cohort_of(variants(whole)["whole"]), "by_site", ASKED).as_json()
    assert any(w["code"] == "few_sites" for w in fit["warnings"])


def test_a_moderator_draws_the_effect_and_says_where_it_holds(whole):
    rows = variants(whole)["whole"]
    age = 30 + rows["client"].astype(int) % 40
    cohort = cohort_of(rows)
    cohort.panel["age_years"] = age.to_numpy(float)
    cohort.panel["treatment"] = np.where(age.to_numpy() % 2, "a", "b")
    number = coupling_fit(cohort, "m", COUPLING | {"moderator": "age_years"}).as_json()
    curve = number["curves"][0]
    assert curve["x_label"] == "Age years" and len(curve["x"]) > 10
    # at the mean of the moderator the curve is the main effect
    main = next(row for row in number["estimates"] if row["term"] == "alliance_within")
    rows_used = cohort.panel.dropna(subset=["symptoms_next", "symptoms", "alliance"])
    at_mean = np.interp(rows_used["age_years"].mean(), curve["x"], curve["estimate"])
    assert at_mean == pytest.approx(main["estimate"], abs=1e-6)
    categories = coupling_fit(cohort, "m", COUPLING | {"moderator": "treatment"}).as_json()
    assert {curve["group"] for curve in categories["curves"]} == {"a", "b"}


def test_the_reported_arm_is_the_coupling_model(whole):
    cohort = cohort_of(variants(whole)["whole"])
    reported = coupling_fit(cohort, "c", COUPLING).as_json()
    arms = specifications_fit(cohort, "a", ASKED).as_json()
    for term, ours in (("alliance_within", "x_within"), ("alliance_between", "x_between")):
        one = next(row for row in reported["estimates"] if row["term"] == term)
        two = next(row for row in arms["estimates"] if row["term"] == ours)
        assert two["role"] == "main"
        for key in ("estimate", "se", "df"):
            assert two[key] == pytest.approx(one[key], rel=1e-6)


def test_the_range_over_clients_is_the_effect_and_its_spread(whole):
    arms = specifications_fit(cohort_of(variants(whole)["whole"]), "a", ASKED).as_json()
    effect = next(
        row
        for row in arms["estimates"]
        if row["estimator"]["code"] == "differs_between_clients" and row["term"] == "x_within"
    )
    low, high = (arms["fit_statistics"][f"range_over_clients_{end}"] for end in ("low", "high"))
    spread = arms["variance_components"][0]["sd_or_correlation"]
    assert (low + high) / 2 == pytest.approx(effect["estimate"], rel=1e-9)
    assert (high - low) / 2 == pytest.approx(1.959963984540054 * spread, rel=1e-9)
