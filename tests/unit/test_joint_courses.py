"""The family of joint courses: what a fit tells, and what it falls back on."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from alliance.families.cohort import Cohort
from alliance.families.facts import Warned
from alliance.families.joint_courses.model import joint_courses_fit
from alliance.families.joint_courses.options import OPTIONS

ENTRY = {
    "family": "joint_courses",
    "outcomes": ["alliance", "symptoms"],
    "times": ["weeks_since_intake", "weeks_since_intake"],
    "distance": "sessions",
}


def cohort(sessions=7, clients=60, **changes):
    """Courses with an effect of the alliance on symptoms, eight therapists, two sites."""
    rng = np.random.default_rng(1)
    phi, w = np.array([[0.3, 0.0], [-0.4, 0.4]]), rng.normal(size=(clients, 2))
    level, line = rng.normal(0, 2, (clients, 2)), rng.normal(0, 0.2, (clients, 2))
    frames = []
    for session in range(1, sessions + 1):
        y = [40, 15] + level + line * session + 2 * w
        frames.append(
            pd.DataFrame(
                {
                    "site": np.where(np.arange(clients) % 8 < 4, "a", "b"),
                    "therapist": [f"t{k % 8}" for k in range(clients)],
                    "client": [f"c{k:02d}" for k in range(clients)],
                    "session": session,
                    "weeks_since_intake": session - 1.0,
                    "alliance": y[:, 0],
                    "symptoms": y[:, 1],
                }
            )
        )
        w = w @ phi.T + rng.normal(size=(clients, 2))
    panel = pd.concat(frames, ignore_index=True).assign(**changes)
    key = SimpleNamespace(
        scores=[SimpleNamespace(name="total")], definition={"scores": {"total": {}}}
    )
    measures = {"alliance": {"label": "Alliance"}, "symptoms": {"label": "Symptoms"}}
    return Cohort(panel, "0" * 64, measures, {"alliance": key, "symptoms": key})


def test_effects_within_and_between_come_from_one_fit():
    fit = joint_courses_fit(cohort(), "both", ENTRY)
    assert fit.usable and fit.as_json()["model"] == "both"
    main = {entry.label: entry for entry in fit.main}
    effect = main["Alliance → Symptoms, next session"]
    assert effect.ci_low < -0.4 < effect.ci_high and effect.p < 0.05
    assert {entry.level for entry in fit.main} == {
        "within client", "between clients", "between therapists",
    }  # fmt: skip
    assert [curve.group for curve in fit.curves] == ["Alliance → Symptoms", "Symptoms → Alliance"]


def test_the_order_within_a_session_is_respected():
    fit = joint_courses_fit(cohort(), "both", ENTRY | {"answered_first": "symptoms"})
    labels = [entry.label for entry in fit.main]
    assert "Symptoms → Alliance, same session" in labels
    assert "Symptoms → Alliance, next session, given Symptoms before it" in labels
    problems = list(OPTIONS.problems(ENTRY | {"answered_first": "mood"}, {}))
    assert [path for path, _ in problems] == [("answered_first",)]


def test_short_courses_have_no_lines_of_their_own_and_it_is_said():
    fit = joint_courses_fit(cohort(sessions=4), "both", ENTRY)
    assert fit.usable
    assert Warned.LINES_LEFT_OUT in [warning.code for warning in fit.warnings]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"alliance": 3.0}, "is the same"),
        ({"symptoms": np.nan}, "no score of Symptoms"),
    ],
)
def test_a_cohort_that_cannot_tell_is_refused_in_words(change, words):
    fit = joint_courses_fit(cohort(**change), "both", ENTRY)
    assert fit.status == "refused" and words in fit.message
