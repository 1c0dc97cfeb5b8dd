"""The family of joint courses: what a fit tells, and what it falls back on."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from alliance.families import facts
from alliance.families.cohort import Cohort
from alliance.families.facts import Assumption, Warned
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
    assert [(curve.name, curve.group) for curve in fit.curves] == [
        (name, group)
        for group in ("Alliance → Symptoms", "Symptoms → Alliance")
        for name in ("response", "lasting")
    ]


def asked(cohort, **when):
    measures = {name: own | {"asked": when[name]} for name, own in cohort.measures.items()}
    return replace(cohort, measures=measures)


def in_order(seed=2, sessions=10, clients=150):
    """Symptoms before the session, alliance after it; the alliance answers at once."""
    rng = np.random.default_rng(seed)
    level = rng.normal(0, 2, (clients, 2))
    a, s = rng.normal(0, 2, (2, clients))
    frames = []
    for session in range(1, sessions + 1):
        s = 0.4 * s - 0.3 * a + rng.normal(0, 2, clients)  # before: what the last session left
        a = 0.3 * a - 0.5 * s + rng.normal(0, 2, clients)  # after: what this one began with
        frames.append(
            cohort(sessions=1, clients=clients).panel.assign(
                session=session,
                weeks_since_intake=session - 1.0,
                alliance=40 + level[:, 0] + a,
                symptoms=15 + level[:, 1] + s,
            )
        )
    panel = pd.concat(frames, ignore_index=True)
    return asked(replace(cohort(), panel=panel), alliance="after", symptoms="before")


def test_effects_are_read_in_the_order_in_which_forms_are_filled_in():
    ordered = in_order()
    fit = joint_courses_fit(ordered, "both", ENTRY, diagnosed=False)
    main = {entry.label: entry for entry in fit.main if entry.level == "within client"}
    assert list(main) == ["Alliance → Symptoms, next session", "Symptoms → Alliance, same session"]
    for label, true in zip(main, (-0.3, -0.5), strict=True):
        assert main[label].ci_low < true < main[label].ci_high
    carried = next(e for e in fit.estimates if e.label.endswith("given Symptoms before it"))
    assert carried.ci_low < 0.0 < carried.ci_high
    assert Assumption.FORMS_IN_ORDER in [one.code for one in fit.assumptions]


def test_without_the_order_the_same_likelihood_is_read_otherwise():
    ordered = in_order()
    plain = replace(ordered, measures=cohort().measures)
    fits = [joint_courses_fit(one, "both", ENTRY, diagnosed=False) for one in (ordered, plain)]
    assert fits[0].fit_statistics == fits[1].fit_statistics
    next_one = {e.label: e for e in fits[1].main}["Symptoms → Alliance, next session"]
    assert next_one.estimate == pytest.approx(0.3 * -0.5 * 0 + -0.5 * 0.4, abs=0.1)
    assert Assumption.FORMS_AT_ONE_TIME in [one.code for one in fits[1].assumptions]


def test_all_measures_asked_before_leave_no_order():
    both = asked(cohort(), alliance="before", symptoms="before")
    fit = joint_courses_fit(both, "both", ENTRY, diagnosed=False)
    assert Assumption.FORMS_AT_ONE_TIME in [one.code for one in fit.assumptions]


def test_effects_of_one_sd_stand_beside_the_smallest_difference_that_matters():
    made = cohort()
    key = SimpleNamespace(
        scores=made.instruments["symptoms"].scores,
        definition={
            "scores": {"total": {}},
            "minimal_important_difference": [{"score": "total", "points": 5}],
        },
    )
    fit = joint_courses_fit(
        replace(made, instruments=made.instruments | {"symptoms": key}), "both", ENTRY
    )
    smallest = {e.label: e.minimal_important_difference for e in fit.estimates}
    assert smallest["Alliance 1 SD above the client's course → Symptoms, next session"] == 5
    assert smallest["Symptoms 1 SD above the client's course → Alliance, next session"] is None
    effect = fit.main[0]
    assert effect.standardised_low < effect.standardised < effect.standardised_high


def test_what_lasts_adds_up_to_what_the_curve_ends_in():
    fit = joint_courses_fit(cohort(), "both", ENTRY, diagnosed=False)
    ends = next(e for e in fit.estimates if e.label.endswith("Symptoms, in the end")).estimate
    lasting = next(c for c in fit.curves if c.name == "lasting" and c.group.endswith("Symptoms"))
    once = next(c for c in fit.curves if c.name == "response" and c.group.endswith("Symptoms"))
    assert lasting.estimate[0] == once.estimate[0] == 0
    assert lasting.estimate[1] == pytest.approx(once.estimate[1])
    assert lasting.estimate[-1] == pytest.approx(ends, rel=0.01)


def test_groups_have_effects_of_their_own_and_a_test():
    first = cohort(clients=120)
    treated = np.where(first.panel["client"].str[1:].astype(int) % 2, "a", "b")
    with_groups = replace(first, panel=first.panel.assign(treatment=treated))
    fit = joint_courses_fit(with_groups, "both", ENTRY | {"differs_by": "treatment"})
    assert [one.code for one in fit.tests] == [facts.Tested.ONE_DYNAMICS_FOR_ALL_GROUPS]
    assert fit.tests[0].df == 7 and 0.001 < fit.tests[0].p <= 1  # the truth has no difference
    assert [e.label for e in fit.companions][:2] == [
        "Alliance → Symptoms, next session, treatment: a",
        "Alliance → Symptoms, next session, treatment: b",
    ]
    assert fit.as_json()["tests"][0]["df"] == 7


def test_an_effect_that_begins_late_is_found_by_phase():
    early, late = cohort(sessions=12, clients=120), in_order(sessions=12, clients=120)
    panel = early.panel.copy()
    after = panel["session"] >= 7
    panel.loc[after, ["alliance", "symptoms"]] = late.panel.loc[after, ["alliance", "symptoms"]]
    entry = ENTRY | {"differs_by": "phase", "late_from": 7}
    fit = joint_courses_fit(replace(early, panel=panel), "both", entry, diagnosed=False)
    assert fit.tests[0].p < 0.05
    assert {e.label.rpartition(": ")[2] for e in fit.companions} == {"early", "late"}


def test_a_group_that_is_not_there_is_said():
    fit = joint_courses_fit(cohort(), "both", ENTRY | {"differs_by": "mood"}, diagnosed=False)
    assert fit.usable and not fit.tests
    assert "no column “mood”" in next(w.text for w in fit.warnings if "mood" in w.text)


def test_subscales_and_symptoms_in_one_fit():
    made = cohort(clients=100)
    rng = np.random.default_rng(4)
    goal = made.panel["alliance"] + rng.normal(0, 2, len(made.panel))
    measures = made.measures | {"goal": {"label": "Goals"}}
    instruments = made.instruments | {"goal": made.instruments["alliance"]}
    three = replace(
        made, panel=made.panel.assign(goal=goal), measures=measures, instruments=instruments
    )
    entry = ENTRY | {
        "outcomes": ["alliance", "goal", "symptoms"],
        "times": ["weeks_since_intake"] * 3,
    }
    fit = joint_courses_fit(three, "parts", entry)
    within = [e.label for e in fit.main if e.level == "within client"]
    assert within == ["Alliance → Symptoms, next session", "Goals → Symptoms, next session"]
    assert fit.as_json()["status"] in ("converged", "singular")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"times": ["session"]}, ("times",)),
        ({"differs_by": "phase"}, ("late_from",)),
        ({"late_from": 5}, ("late_from",)),
    ],
)
def test_what_an_entry_cannot_mean_is_named(change, path):
    assert [where for where, _ in OPTIONS.problems(ENTRY | change, {})] == [path]


def test_residuals_are_free_of_what_is_carried_over():
    fit = joint_courses_fit(cohort(sessions=12, clients=150), "both", ENTRY)
    for block in fit.diagnostics["residuals"]:
        assert abs(block["autocorrelation"]) < 0.15
    assert fit.diagnostics["influence"]["not_made"].code == Warned.INFLUENCE_NOT_MADE


def test_short_courses_have_no_lines_of_their_own_and_it_is_said():
    fit = joint_courses_fit(cohort(sessions=4), "both", ENTRY)
    assert fit.usable
    assert Warned.LINES_LEFT_OUT in [warning.code for warning in fit.warnings]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"alliance": 3.0}, "is the same"),
        ({"symptoms": np.nan}, "no score of Symptoms"),
        ({"client": "c"}, "Only one client"),
    ],
)
def test_a_cohort_that_cannot_tell_is_refused_in_words(change, words):
    fit = joint_courses_fit(cohort(**change), "both", ENTRY)
    assert fit.status == "refused" and words in fit.message


def test_two_sessions_each_and_one_therapist_end_in_a_result_or_a_plain_statement():
    short = cohort(sessions=2, clients=80, therapist="t0", site="a")
    fit = joint_courses_fit(short, "both", ENTRY)
    codes = [warning.code for warning in fit.warnings]
    assert fit.usable and Warned.LEVEL_LEFT_OUT in codes and Warned.LINES_LEFT_OUT in codes
    assert fit.as_json()["status"] in ("converged", "singular")


def test_one_session_each_is_refused_in_words():
    fit = joint_courses_fit(cohort(sessions=1), "both", ENTRY)
    assert fit.status == "refused" and "nothing follows anything" in fit.message


def test_an_alliance_that_never_changes_within_clients_ends_plainly():
    made = cohort()
    still = made.panel.groupby("client")["alliance"].transform("first")
    fit = joint_courses_fit(replace(made, panel=made.panel.assign(alliance=still)), "both", ENTRY)
    assert not fit.usable and fit.message


def test_measures_never_asked_together_are_refused_in_words():
    made = cohort()
    odd = made.panel["session"] % 2 == 1
    apart = made.panel.assign(
        alliance=made.panel["alliance"].where(odd), symptoms=made.panel["symptoms"].where(~odd)
    )
    fit = joint_courses_fit(replace(made, panel=apart), "both", ENTRY)
    assert fit.status == "refused" and "never filled in at the same session" in fit.message
