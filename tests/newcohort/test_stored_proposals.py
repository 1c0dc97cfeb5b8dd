"""How answers are stored is proposed from what the files show, and passes as it stands."""

import random

import pytest

from alliance.config.site import load_site
from alliance.errors import ConfigError
from alliance.newcohort import propose


def proposed(tmp_path, names, answers):
    chance = random.Random(3)
    lines = ["patient,session,date," + ",".join(names)]
    for client in range(30):
        for session in range(1, 6):
            cells = [str(answers(chance, item)) for item in range(1, len(names) + 1)]
            lines.append(f"P{client:02},{session},2024-0{session}-1{client % 9},{','.join(cells)}")
    folder = tmp_path / "data" / "raw" / "mylab" / "one"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    raw, config = tmp_path / "data" / "raw" / "mylab", tmp_path / "config"
    propose(cohort="mylab", raw_folder=raw, config_folder=config)
    path = config / "sites" / "mylab" / "one.yaml"
    (measure,) = load_site(path)["tables"][0]["measures"].values()
    return measure


def proposed_by_row(tmp_path, form, n_items, answers):
    """Return the measure of a table with one row an answer, read again as it was written."""
    chance = random.Random(3)
    lines = ["patient,session,form,item,answer"]
    for client in range(30):
        for session in range(1, 6):
            lines += [
                f"P{client:02},{session},{form},{item},{answers(chance, item)}"
                for item in range(1, n_items + 1)
            ]
    folder = tmp_path / "data" / "raw" / "mylab" / "one"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    raw, config = tmp_path / "data" / "raw" / "mylab", tmp_path / "config"
    propose(cohort="mylab", raw_folder=raw, config_folder=config)
    (measure,) = load_site(config / "sites" / "mylab" / "one.yaml")["tables"][0][
        "measures"
    ].values()
    return measure


def test_one_row_an_answer_is_looked_at_alike(tmp_path):
    counted = proposed_by_row(tmp_path / "phq", "PHQ", 9, lambda chance, _: chance.randint(1, 4))
    assert counted["stored_as"] == [1, 4]
    own_scale = proposed_by_row(tmp_path / "own", "PHQ", 9, lambda chance, _: chance.randint(0, 3))
    assert own_scale["stored_as"] is None
    turned = wai(random.Random(5), (4, 10))
    assert proposed_by_row(tmp_path / "wai", "WAI", 12, turned)["already_reversed"] is True
    printed = wai(random.Random(5), ())
    assert proposed_by_row(tmp_path / "as", "WAI", 12, printed)["already_reversed"] is None


def test_a_form_counted_from_one(tmp_path):
    names = [f"phq_{i}" for i in range(1, 10)]
    measure = proposed(tmp_path, names, lambda chance, item: chance.randint(1, 4))
    assert measure["stored_as"] == [1, 4]


def test_a_form_on_its_own_scale_says_nothing(tmp_path):
    names = [f"phq_{i}" for i in range(1, 10)]
    measure = proposed(tmp_path, names, lambda chance, item: chance.randint(0, 3))
    assert measure["stored_as"] is None and not measure["codes_by_item"]


def wai(chance, turned, doubtful=()):
    """Return a function of the answers to a WAI-S; items 4 and 10 are the key's reversed ones."""
    bond = {}

    def answers(_, item):
        if item == 1:
            bond["now"] = chance.gauss(4, 1.2)
        value = bond["now"] + chance.gauss(0, 0.8)
        if item in doubtful:
            value = chance.uniform(1, 7)
        elif item in (4, 10) and item not in turned:
            value = 8 - value
        return min(max(round(value), 1), 7)

    return answers


@pytest.mark.parametrize(
    ("turned", "doubtful", "told"),
    [((4, 10), (), True), ((10,), (), [10]), ((), (), None), ((4,), (10,), "asked")],
)
def test_items_that_were_reversed_before_the_export(tmp_path, turned, doubtful, told):
    names = [f"wai_{i}" for i in range(1, 13)]
    answers = wai(random.Random(5), turned, doubtful)
    if told == "asked":  # two readings are possible: nothing runs before it is said
        with pytest.raises(ConfigError, match="already_reversed"):
            proposed(tmp_path, names, answers)
        text = (tmp_path / "config" / "sites" / "mylab" / "one.yaml").read_text()
        assert "DECIDE: was item 10 reversed before the export?" in " ".join(text.split())
        return
    assert proposed(tmp_path, names, answers)["already_reversed"] == told


def test_numbered_options_of_two_items(tmp_path):
    names = [f"bdi_{i}" for i in range(1, 22)]

    def answers(chance, item):
        return chance.randint(0, 6 if item in (16, 18) else 3)

    measure = proposed(tmp_path, names, answers)
    assert list(measure["codes_by_item"]) == [16, 18]
    assert measure["codes_by_item"][16] == {str(n): (n + 1) // 2 for n in range(7)}
