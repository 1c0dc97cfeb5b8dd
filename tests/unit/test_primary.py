"""The config's key `primary`: what it may name, and what is told of other names."""

import pytest

from alliance.config.cohort import load_cohort
from alliance.config.primary import is_named, plain_name
from alliance.newcohort.written import PRIMARY
from tests.unit.test_config import COHORT, told, toy  # noqa: F401  (fixture)

MODELS = """\
models:
  arms: {family: growth, outcome: symptoms, time: session, fixed: ["session*treatment"]}
  forth: {family: coupling, predictor: alliance, outcome: symptoms, time: session, moderator: age_years}
  leaving: {family: hazard, predictors: [alliance, symptoms]}
  again: {family: specifications, model: forth}
  both: {family: joint_courses, outcomes: [alliance, symptoms], times: [session, session]}
"""  # noqa: E501


def primary(toy, entry):  # noqa: F811
    return toy(("models:", f"primary: {entry}\n{MODELS}"))


@pytest.mark.parametrize(
    "entry",
    [
        "{growth_of_alliance: [log_weeks]}",
        "{arms: ['treatment:session', treatment]}",
        "{forth: [alliance_within, 'alliance_within:age_years']}",
        "{leaving: [alliance_running_within, symptoms_known]}",
        "{both: [alliance -> symptoms]}",
    ],
)
def test_what_a_model_has_can_be_named(toy, entry):  # noqa: F811
    text = COHORT.replace("models:\n", f"primary: {entry}\n{MODELS}")
    path = toy()
    path.write_text(text.replace("treatment", "age_years"), encoding="utf-8")
    assert load_cohort(path)["primary"]


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("{fort: [alliance_within]}", "there is no model fort; nearest valid model: forth"),
        ("{forth: [alliance_witin]}", "nearest valid effect: alliance_within"),
        ("{forth: [symptoms]}", "forth has no effect symptoms; valid effects: alliance_between"),
        ("{leaving: [alliance_within]}", "leaving has no effect alliance_within"),
        ("{again: [x_within]}", "a model of family specifications has no effect that can be"),
        ("{forth: []}", "forth"),
        ("[forth]", "primary"),
    ],
)
def test_other_names_are_told_in_plain_words(toy, entry, sentence):  # noqa: F811
    path = toy()
    path.write_text(COHORT.replace("models:\n", f"primary: {entry}\n{MODELS}"), encoding="utf-8")
    message = told(path)
    assert sentence in message and "toy.yaml" in message


def test_nothing_named_is_nothing_named(toy):  # noqa: F811
    assert load_cohort(toy())["primary"] == {}


@pytest.mark.parametrize(
    ("term", "plain"),
    [
        ("session:treatment[TAU]", "session:treatment"),
        ("alliance_within:center(age_years)", "age_years:alliance_within"),
        ("dropout: alliance_running_within", "alliance_running_within"),
    ],
)
def test_terms_as_a_config_names_them(term, plain):
    assert plain_name(term) == plain
    assert is_named(term, [plain])


def test_whose_view_is_told_apart():
    named = ["client_next: client_view_within"]
    assert is_named("client_next: client_view_within", named)
    assert not is_named("therapist_next: client_view_within", named)


def test_directions_and_levels_are_told_apart():
    named = ["alliance -> symptoms"]
    assert is_named("alliance -> symptoms", named)
    for other in (
        "symptoms -> alliance",
        "client: alliance -> symptoms",
        "alliance -> symptoms per SD",
    ):
        assert not is_named(other, named)


def test_a_new_cohort_is_told_what_primary_is():
    assert "before you look at results" in PRIMARY
