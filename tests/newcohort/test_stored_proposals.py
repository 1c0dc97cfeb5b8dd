"""How answers are stored is proposed from what the files show, and passes as it stands."""

import random

from alliance.config.site import load_site
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


def test_a_form_counted_from_one(tmp_path):
    names = [f"phq_{i}" for i in range(1, 10)]
    measure = proposed(tmp_path, names, lambda chance, item: chance.randint(1, 4))
    assert measure["stored_as"] == [1, 4]


def test_a_form_on_its_own_scale_says_nothing(tmp_path):
    names = [f"phq_{i}" for i in range(1, 10)]
    measure = proposed(tmp_path, names, lambda chance, item: chance.randint(0, 3))
    assert measure["stored_as"] is None and not measure["codes_by_item"]


def test_numbered_options_of_two_items(tmp_path):
    names = [f"bdi_{i}" for i in range(1, 22)]

    def answers(chance, item):
        return chance.randint(0, 6 if item in (16, 18) else 3)

    measure = proposed(tmp_path, names, answers)
    assert list(measure["codes_by_item"]) == [16, 18]
    assert measure["codes_by_item"][16] == {str(n): (n + 1) // 2 for n in range(7)}
