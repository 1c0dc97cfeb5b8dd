"""A truth in which the order of forms matters: symptoms before the session, alliance after it.

    S_t = .4 S_t-1 - .3 A_t-1 + e        A_t = .3 A_t-1 - .5 S_t + e

Read in this order, the alliance answers at once (-.5) and symptoms at the next session (-.3). Read
as if all were filled in at the same time, the effect of symptoms on the next alliance is .4 x -.5.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from alliance.config.instruments import load_instruments
from alliance.families.cohort import Cohort
from alliance.families.coupling.model import coupling_fit
from alliance.families.facts import Assumption, Estimator
from alliance.families.joint_courses.model import joint_courses_fit
from alliance.families.panel_estimators.model import panel_estimators_fit
from alliance.families.specifications.model import specifications_fit
from alliance.panel.build import panel_of

KEY = ["site", "client", "session"]
AT_ONCE, NEXT, AS_IF_TOGETHER = -0.5, -0.3, 0.4 * -0.5
TO_ALLIANCE = {"predictor": "symptoms", "outcome": "alliance", "time": "session"}
TO_SYMPTOMS = {"predictor": "alliance", "outcome": "symptoms", "time": "session"}


@pytest.fixture(scope="module")
def together():
    """Return 300 clients of 20 therapists, 12 sessions; the config does not say when."""
    rng = np.random.default_rng(11)
    clients = np.arange(300)
    level = rng.normal(0, 3, (2, len(clients)))
    a, s = rng.normal(0, 2, (2, len(clients)))
    frames = []
    for session in range(1, 13):
        s = 0.4 * s - 0.3 * a + rng.normal(0, 2, len(clients))
        a = 0.3 * a - 0.5 * s + rng.normal(0, 2, len(clients))
        scores = {"alliance": 40 + level[0] + a, "symptoms": 15 + level[1] + s}
        frames.append(pd.DataFrame({"client": clients, "session": session, **scores}))
    rows = pd.concat(frames).astype({"client": str}).assign(site="a")
    rows["therapist"] = "t" + (rows["client"].astype(int) % 20).astype(str)
    people = rows[["site", "client", "therapist"]].drop_duplicates().assign(end_status="completed")
    seen = rows[KEY].assign(attended=True, weeks_since_intake=rows["session"] - 1.0)
    scores = rows.melt(KEY, ["alliance", "symptoms"], var_name="measure", value_name="score")
    keys = load_instruments()
    return Cohort(
        panel_of(people, seen, scores.assign(subscale="total"), ["alliance", "symptoms"]),
        "0" * 64,
        {"alliance": {"label": "Alliance"}, "symptoms": {"label": "Symptoms"}},
        {"alliance": keys["wai-sr-c"], "symptoms": keys["phq-9"]},
    )


@pytest.fixture(scope="module")
def in_order(together):
    when = {"alliance": "after", "symptoms": "before"}
    measures = {name: own | {"asked": when[name]} for name, own in together.measures.items()}
    return replace(together, measures=measures)


def within(fit):
    return next(e for e in fit.estimates if e.role == "main" and e.level.startswith("within"))


def test_joint_courses_find_both_effects_in_the_order_of_the_forms(in_order):
    entry = {
        "outcomes": ["alliance", "symptoms"],
        "times": ["session", "session"],
        "distance": "sessions",
    }
    fit = joint_courses_fit(in_order, "both", entry, diagnosed=False)
    found = {e.link: e for e in fit.main if e.link}
    for link, true in (("symptoms -> alliance", AT_ONCE), ("alliance -> symptoms", NEXT)):
        effect = found[f"{link}, within client"]
        assert effect.ci_low < true < effect.ci_high


def test_coupling_takes_the_predictor_of_the_same_session(in_order, together):
    ordered = coupling_fit(in_order, "c", TO_ALLIANCE, diagnosed=False)
    assert within(ordered).estimate == pytest.approx(AT_ONCE, abs=0.08)
    assert "same session" in ordered.asked.title
    assert Assumption.FORMS_IN_ORDER in [one.code for one in ordered.assumptions]
    plain = coupling_fit(together, "c", TO_ALLIANCE, diagnosed=False)
    assert within(plain).estimate == pytest.approx(AS_IF_TOGETHER, abs=0.08)
    assert Assumption.FORMS_IN_ORDER not in [one.code for one in plain.assumptions]


def test_what_is_asked_after_acts_on_the_next_session_either_way(in_order, together):
    fits = [coupling_fit(one, "c", TO_SYMPTOMS, diagnosed=False) for one in (in_order, together)]
    assert within(fits[0]).estimate == within(fits[1]).estimate == pytest.approx(NEXT, abs=0.08)
    assert fits[0].asked.title == fits[1].asked.title == "Alliance → Symptoms at the next session"


def test_specifications_and_panel_estimators_keep_the_order(in_order):
    entry = {"model": "c", "entry": TO_ALLIANCE, "most_sessions": 8}
    arms = specifications_fit(in_order, "arms", entry)
    codes = {e.estimator.code for e in arms.estimates}
    assert Estimator.NEXT_SESSION in codes and not codes & {
        Estimator.SAME_SESSION,
        Estimator.TWO_SESSIONS_LATER,
    }
    reported = next(e for e in arms.estimates if e.estimator.code == Estimator.REPORTED)
    assert reported.estimate == pytest.approx(AT_ONCE, abs=0.08)
    panel = panel_estimators_fit(in_order, "panel", entry)
    for code in (Estimator.FIXED_EFFECTS, Estimator.ANDERSON_HSIAO):
        found = next(e for e in panel.estimates if e.estimator.code == code)
        assert found.estimate == pytest.approx(AT_ONCE, abs=0.1)
    assert Assumption.FORMS_IN_ORDER in [one.code for one in panel.assumptions]
