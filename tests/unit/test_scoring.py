"""Scoring rules on forms whose arithmetic is in the comments."""

import numpy as np
import pandas as pd
import pytest

from alliance.errors import ConfigError
from alliance.instruments import INSTRUMENTS, load_instrument, load_instruments
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
    ],
)
def test_wrong_key_files_are_refused_in_plain_words(tmp_path, old, new, told):
    with pytest.raises(ConfigError, match=told):
        load_instrument(edited(tmp_path, old, new))


def test_a_cohort_without_questionnaires_has_an_empty_table():
    columns = ["site", "client", "session", "measure", "item", "value"]
    scores, ledger = scores_of(pd.DataFrame(columns=columns), {})
    assert scores.empty
    assert ledger.empty
    assert {"score", "prorated"} <= set(scores)
