"""Two views of one alliance against lme4 and lmerTest (two_views/two_views.R)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alliance.config.instruments import load_instruments
from alliance.families.actor_partner.model import actor_partner_fit
from alliance.families.agreement.model import agreement_fit
from alliance.families.cohort import Cohort
from alliance.families.common.multilevel import fit_multilevel
from alliance.families.common.two_views import with_two_views
from alliance.families.common.usable_rows import usable_rows
from alliance.families.facts import Fact, Reason
from alliance.families.surface.model import SURFACE, XX, XY, YY, X, Y, _surface_tests, surface_fit
from alliance.panel.build import panel_of

FOLDER = Path(__file__).parent / "two_views"
R = json.loads((FOLDER / "two_views.json").read_text())
KEY = ["site", "client", "session"]
VIEWS = {"client": "alliance", "therapist": "alliance_therapist"}


def cohort_of(rows):
    """Return a cohort whose two ratings, as per cent of their ranges, are those of `rows`."""
    keys = load_instruments()
    ranges = {"alliance": (12, 60), "alliance_therapist": (12, 84)}
    rows = rows.assign(
        alliance=12 + 0.48 * rows["client_rating"],
        alliance_therapist=12 + 0.72 * rows["therapist_rating"],
    )
    measures = [*ranges, "symptoms"]
    people = rows[["site", "client", "therapist"]].drop_duplicates().assign(end_status="completed")
    seen = rows[KEY].assign(weeks_since_intake=rows["session"] - 1.0, attended=True)
    scores = rows.melt(KEY, measures, var_name="measure", value_name="score")
    scores = scores.dropna(subset="score").assign(subscale="total")
    return Cohort(
        panel=panel_of(people, seen, scores, measures),
        panel_sha256="0" * 64,
        measures={name: {"label": name} for name in measures},
        instruments={
            "alliance": keys["wai-sr-c"],
            "alliance_therapist": keys["wai-s-t"],
            "symptoms": keys["phq-9"],
        },
    )


@pytest.fixture(scope="module")
def rows():
    table = pd.read_csv(FOLDER / "two_views.csv")
    return pd.DataFrame(
        {
            "site": "one",
            "client": table["id"],
            "therapist": None,
            "session": table["session"],
            "client_rating": table["client"],
            "therapist_rating": table["therapist"],
            "symptoms": table["y"],
        }
    )


@pytest.fixture(scope="module")
def cohort(rows):
    return cohort_of(rows)


def test_truth_and_bias_equals_lme4(cohort):
    fit = agreement_fit(cohort, "two_views", VIEWS | {"time": "session"}).as_json()
    theirs = R["truth_and_bias"]
    for k, term in enumerate(("1", "client_view_within")):
        ours = next(row for row in fit["estimates"] if row["term"] == term)
        assert ours["estimate"] == pytest.approx(theirs["estimate"][k], rel=1e-5)
        assert ours["se"] == pytest.approx(theirs["se"][k], rel=1e-5)
        assert ours["df"] == pytest.approx(theirs["df"][k], rel=1e-3)
    assert fit["fit_statistics"]["log_likelihood"] == pytest.approx(
        theirs["log_likelihood"], abs=1e-5
    )
    parts = {(v["name_1"], v["name_2"]): v["sd_or_correlation"] for v in fit["variance_components"]}
    sds = [parts["1", "1"], parts["client_view_within", "client_view_within"]]
    assert sds == pytest.approx(theirs["sd"], rel=1e-4)
    assert parts["1", "client_view_within"] == pytest.approx(theirs["correlation"], abs=1e-4)
    correlation = next(c for c in fit["companions"] if c["term"] == "correlation_within")
    assert correlation["estimate"] == pytest.approx(R["within_correlation"], rel=1e-9)


def test_the_surface_and_its_tests_equal_lme4(cohort, rows):
    """The same sessions' outcome, as in R: the surface's arithmetic without lag and time."""
    both = with_two_views(cohort, **VIEWS)
    needed = {"symptoms": Fact(Reason.NO_SCORE, "no score")}
    usable = usable_rows(both, ["1", X, Y, XX, XY, YY], needed, ["client"])
    fitted = fit_multilevel(usable, outcome="symptoms", unit="", slopes={}, terms={})
    theirs = R["surface"]
    assert fitted.fit.log_likelihood == pytest.approx(theirs["log_likelihood"], abs=1e-5)
    tests = _surface_tests(fitted)
    assert [row.term for row in tests] == list(SURFACE)
    assert [row.estimate for row in tests] == pytest.approx(theirs["a"], rel=1e-4, abs=1e-8)
    assert [row.se for row in tests] == pytest.approx(theirs["a_se"], rel=1e-5)


def made(seed, clients=150, sessions=10):
    """Return rows with known actor and partner effects and a known surface."""
    rng = np.random.default_rng(seed)
    frames = []
    c, t = rng.normal(0, 8, clients), rng.normal(0, 8, clients)
    level_c, level_t = rng.normal(60, 6, clients), rng.normal(52, 6, clients)
    u = rng.normal(0, 2, clients)
    for k in range(sessions):
        y = 14 + u - 0.06 * c - 0.004 * (c - t) ** 2 + rng.normal(0, 2, clients)
        frames.append(
            pd.DataFrame({"site": "one", "client": [f"c{i:03d}" for i in range(clients)],
                          "therapist": None, "session": k + 1, "client_rating": level_c + c,
                          "therapist_rating": level_t + t, "symptoms": np.nan, "y": y})
        )  # fmt: skip
        c, t = (
            0.3 * c + 0.05 * t + rng.normal(0, 7, clients),
            0.3 * t + 0.25 * c + rng.normal(0, 7, clients),
        )
    rows = pd.concat(frames, ignore_index=True)
    rows["symptoms"] = rows.groupby("client")["y"].shift(1)  # the next session's score
    return rows


def test_actor_partner_finds_who_follows_whom():
    fit = actor_partner_fit(cohort_of(made(3)), "who", VIEWS).as_json()
    found = {row["label"]: row for row in fit["estimates"]}
    follows = found["Therapist's next view by client's view (partner)"]
    other = found["Client's next view by therapist's view (partner)"]
    assert fit["status"] in ("converged", "singular")
    assert follows["ci_low"] > 0.12 and abs(follows["estimate"] - 0.25) < 0.08
    assert abs(other["estimate"] - 0.05) < 0.08
    # ten sessions: own views carry on less than they do, by about (1 + a)/(T - 1)
    for label in (
        "Client's next view by client's view (actor)",
        "Therapist's next view by therapist's view (actor)",
    ):
        assert 0.05 < found[label]["estimate"] < 0.3


def test_where_nothing_follows_actor_effects_are_those_of_shuffled_sessions():
    """Three or four joint ratings that know nothing of one another: actor effects of about -.3."""
    rng = np.random.default_rng(8)
    n, sessions = 150, 4
    level = 60 + 8 * rng.standard_normal((n, 2, 1))
    views = level + 7 * rng.standard_normal((n, 2, sessions))
    rows = pd.DataFrame(
        {
            "site": "one",
            "client": np.repeat([f"c{i:03d}" for i in range(n)], sessions),
            "therapist": None,
            "session": np.tile(np.arange(1, sessions + 1), n),
            "client_rating": views[:, 0].ravel(),
            "therapist_rating": views[:, 1].ravel(),
            "symptoms": np.nan,
        }
    )
    fit = actor_partner_fit(cohort_of(rows), "who", VIEWS).as_json()
    beside = {row["term"]: row for row in fit["companions"]}
    for row in fit["estimates"]:
        null = beside[row["term"]]
        if row["level"] == "actor":
            assert row["ci_high"] < -0.1  # zero is far outside, and yet nothing follows
            assert null["estimate"] < -0.2
        assert abs(row["estimate"] - null["estimate"]) < 3 * null["se"]
    # p is of the distance from shuffled sessions: one in ten sets has two by chance
    assert sum(row["p"] < 0.05 for row in fit["estimates"]) <= 1
    assert all(row["statistic"] is None for row in fit["estimates"])


def test_the_surface_finds_that_disagreement_costs():
    entry = VIEWS | {"outcome": "symptoms", "time": "session"}
    fit = surface_fit(cohort_of(made(5)), "surface", entry).as_json()
    a = {row["term"]: row for row in fit["estimates"] if row["level"] == "surface"}
    assert a["a4"]["ci_high"] < 0  # curvature along disagreement: -.004 (x - y)^2
    assert abs(a["a1"]["estimate"] + 0.06) < 3 * a["a1"]["se"]
    assert len(fit["curves"]) == 21


@pytest.mark.parametrize("case", ["no therapist ratings", "never together", "one session each"])
def test_what_cannot_be_done_is_told(rows, case):
    changed = {
        "no therapist ratings": rows.assign(therapist_rating=np.nan),
        "never together": rows.assign(
            client_rating=rows["client_rating"].where(rows["session"] % 2 == 0),
            therapist_rating=rows["therapist_rating"].where(rows["session"] % 2 == 1),
        ),
        "one session each": rows[rows["session"] == 1],
    }[case]
    cohort = cohort_of(changed)
    for fit in (
        agreement_fit(cohort, "a", VIEWS | {"time": "session"}).as_json(),
        surface_fit(cohort, "s", VIEWS | {"outcome": "symptoms", "time": "session"}).as_json(),
        actor_partner_fit(cohort, "p", VIEWS).as_json(),
    ):
        assert fit["status"] == "refused"
        assert fit["message"].endswith(".") and not fit["estimates"]
