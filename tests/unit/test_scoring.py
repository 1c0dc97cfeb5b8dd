"""Scoring rules on forms whose arithmetic is in the comments."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alliance.config.cohort import PROJECT, instrument_path
from alliance.config.instruments import INSTRUMENTS, load_instrument, load_instruments
from alliance.errors import ConfigError
from alliance.measures.scoring import score_form, scores_of

KEYS = load_instruments()


def test_prorating_counts_and_refusal():
    answers = np.array(
        [
            [1, 2, 3, 0, 1, 2, 3, 0, 1],  # 13
            [1, 2, 3, 0, 1, 2, 3, np.nan, np.nan],  # 12 / 7 * 9
            [1, 2, 3, 0, 1, 2, np.nan, np.nan, np.nan],  # three missing: refused
            [np.nan] * 9,  # nobody answered: refused
        ]
    )
    total = score_form(answers, KEYS["phq-9"])["total"]
    np.testing.assert_allclose(total.value, [13, 12 / 7 * 9, np.nan, np.nan])
    assert total.n_valid.tolist() == [9, 7, 6, 0]
    assert total.prorated.tolist() == [False, True, False, False]
    assert total.refused.tolist() == [False, False, True, True]


def test_reversed_items_of_the_therapist_form():
    answers = np.full((1, 12), 7.0)  # items 4 and 10 are reversed: 8 - 7 = 1
    scores = score_form(answers, KEYS["wai-s-t"])
    assert scores["total"].value == [72]  # 10 * 7 + 2 * 1
    assert scores["goal"].value == [16]  # items 4R, 6, 10R, 11
    assert scores["bond"].value == [28]


def test_published_wrong_key_gives_other_subscales():
    """A published script scores the WAI-SR with goal {4, 5, 10, 11}: a key as data prevents it."""
    answers = np.arange(1, 13, dtype=float)[None] % 5 + 1
    goal = score_form(answers, KEYS["wai-sr-c"])["goal"].value[0]
    wrong = answers[0, [3, 4, 9, 10]].sum()
    assert goal == answers[0, [3, 5, 7, 10]].sum()
    assert goal != wrong


def test_ledger_accounts_for_every_form_and_order_does_not_matter():
    forms = [("a", "1", s, "symptoms", item) for s in (1, 2) for item in range(1, 10)][:-3]
    frame = pd.DataFrame(forms, columns=["site", "client", "session", "measure", "item"])
    frame["value"] = 1.0
    scores, ledger = scores_of(frame, {"symptoms": KEYS["phq-9"]})
    shuffled, _ = scores_of(frame.sample(frac=1, random_state=1), {"symptoms": KEYS["phq-9"]})
    pd.testing.assert_frame_equal(scores, shuffled)
    assert ledger[["forms", "complete", "prorated", "refused"]].to_numpy().tolist() == [
        [2, 1, 0, 1]
    ]


def edited(tmp_path, old, new):
    text = (INSTRUMENTS / "wai-sr-c.yaml").read_text()
    assert old in text
    path = tmp_path / "wai-sr-c.yaml"
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[4, 6, 8, 11]", "[4, 6, 8, 13]", "item 13 is beyond the 12 items"),
        ("[4, 6, 8, 11]", "[4, 6, 8, 8]", "goal"),
        ("lowest: 1", "lowest: 9", "lowest answer is not below the highest"),
        ("id: wai-sr-c", "id: wai-x", "called wai-sr-c.yaml"),
        ("direction: higher-is-better", "direction: up", "direction"),
        ("items: 12", "itemz: 12", "unknown key; nearest valid key: items"),
        ("reversed_items:", "reversed_items: [2]\nreversed_items:", "a second time"),
        ("items: 12", "items: 012", "leading zero"),
        ("range: [12, 60]", "range: [12, 84]", "its items can give 12 to 60, not 12 to 84"),
        ("{items: all, rule: sum", "{scores: [goal, loss], rule: sum", "no score called loss"),
        ("  goal: {items: [4, 6, 8, 11]", "  goal: {scores: [task, bond]", "must stand above"),
        ("reversed_items:", "unscored: [4]\nreversed_items:", "item 4 is listed under `unscored`"),
        (
            "highest: 5, step: 1}",
            "highest: 5, not_applicable: {answer: 3, counts_as: unanswered}}",
            "also an answer of the scale",
        ),
        (
            "highest: 5, step: 1}",
            "highest: 5, not_applicable: {answer: 9, items: [14], counts_as: 0}}",
            "item 14 is beyond the 12 items",
        ),
    ],
)
def test_wrong_key_files_are_refused_in_plain_words(tmp_path, old, new, told):
    with pytest.raises(ConfigError, match=told):
        load_instrument(edited(tmp_path, old, new))


def test_not_applicable_answers_are_unanswered_or_have_the_value_of_their_authors(tmp_path):
    offer = "highest: 5, not_applicable: {answer: 9, items: [1, 2], counts_as: unanswered}}"
    key = load_instrument(edited(tmp_path, "highest: 5, step: 1}", offer))
    answers = np.full((1, 12), 4.0)
    answers[0, 0] = 9
    scores = score_form(answers, key)
    assert scores["total"].n_valid == [11]
    assert scores["total"].prorated == [True]
    assert scores["total"].value == [48]  # 44 / 11 * 12
    assert scores["goal"].prorated == [False]  # item 1 is one of the task
    offer = offer.replace("unanswered", "0")
    key = load_instrument(edited(tmp_path, "highest: 5, step: 1}", offer))
    scores = score_form(answers, key)
    assert scores["total"].value == [44]
    assert scores["total"].prorated == [False]


def test_scores_of_other_scores_scaled_means_and_the_highest_of_items(tmp_path):
    old = "  total: {items: all, rule: sum, range: [12, 60]}"
    new = """  both: {scores: [goal, task], rule: mean, times: 10, range: [40, 200]}
  best: {items: [[1, 2, 3], 4], rule: sum, range: [2, 10]}"""
    key = load_instrument(edited(tmp_path, old, new))
    scores = score_form(np.arange(1, 13, dtype=float)[None] % 5 + 1, key)
    # goal: items 4, 6, 8, 11 are answered 5, 2, 4, 2; task: 1, 2, 10, 12 are 2, 3, 1, 3
    assert scores["both"].value == [10 * (13 + 9) / 2]
    assert scores["best"].value == [4 + 5]


def test_a_lab_adds_its_own_key_by_one_file(tmp_path):
    own = tmp_path / "instruments" / "clinic-5.yaml"
    own.parent.mkdir()
    own.write_text(
        """\
id: clinic-5
name: The clinic's own form
abbreviation: C5
construct: wellbeing
rater: client
status: ready
items: 5
answers: {lowest: 0, highest: 10, highest_by_item: {5: 4}}
direction: higher-is-better
reversed_items: [5]
scores:
  total: {items: all, rule: sum, range: [0, 44]}
unanswered: {most: 1, fill: person-mean}
evidence: {}
""",
        encoding="utf-8",
    )
    assert instrument_path(tmp_path / "config.yaml", "clinic-5") == own
    total = score_form(np.array([[1.0, 2, 3, 4, 1]]), load_instrument(own))["total"]
    assert total.value == [1 + 2 + 3 + 4 + 3]  # item 5 goes to 4: reversed 4 - 1


SHARED = Path(os.environ.get("ALLIANCE_SHARED_DATA", PROJECT.parent / "shared" / "data"))


def public(name):
    if not (SHARED / name).is_file():
        pytest.skip(f"the public data set {name} is not here")
    return pd.read_csv(SHARED / name)


def test_qids_takes_the_highest_of_its_groups_on_408_patients():
    """McNally et al. (2017); the columns have names, so the rule can be written independently."""
    table = public("rogers_qids/Rogers.csv")
    scores = score_form(table.iloc[:, :16].to_numpy(float), KEYS["qids-sr-16"])
    sleep = table[["onset", "middle", "late", "hypersom"]].max(axis=1)
    weight = table[["decappetite", "incappetite", "weightloss", "weightgain"]].max(axis=1)
    motor = table[["retard", "agitation"]].max(axis=1)
    others = table[["sad", "concen", "guilt", "suicide", "anhedonia", "fatigue"]].sum(axis=1)
    np.testing.assert_array_equal(scores["sleep"].value, sleep)
    np.testing.assert_array_equal(scores["total"].value, sleep + weight + motor + others)
    obsessions = score_form(table.iloc[:, 16:26].to_numpy(float), KEYS["y-bocs"])["obsessions"]
    np.testing.assert_array_equal(obsessions.value, table.iloc[:, 16:21].sum(axis=1))


def test_phq_9_is_the_sum_of_its_items_on_600_respondents():
    table = public("phq9_nhanes/phq9_nhanes_n600.csv")
    answers = table[[f"q{item}" for item in range(1, 10)]]
    total = score_form(answers.to_numpy(float), KEYS["phq-9"])["total"]
    np.testing.assert_array_equal(total.value, answers.sum(axis=1))
    assert not total.prorated.any()


def test_a_cohort_without_questionnaires_has_an_empty_table():
    columns = ["site", "client", "session", "measure", "item", "value"]
    scores, ledger = scores_of(pd.DataFrame(columns=columns), {})
    assert scores.empty
    assert ledger.empty
    assert {"score", "prorated"} <= set(scores)


def test_intake_takes_a_not_applicable_answer_for_an_answer(tmp_path):
    from alliance.ingest.answers import verdicts

    offer = "highest: 5, not_applicable: {answer: 9, items: [1, 2], counts_as: unanswered}}"
    key = load_instrument(edited(tmp_path, "highest: 5, step: 1}", offer))
    values = np.array([9.0, 5, 9])
    blank = np.zeros(3, dtype=bool)
    assert verdicts(values, blank, key, np.array([1, 2, 3]), False).tolist() == [0, 0, 4]
    assert verdicts(values, blank, key, 2, False).tolist() == [0, 0, 0]
