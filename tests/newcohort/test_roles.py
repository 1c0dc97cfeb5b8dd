"""Roles are told by content as well as by name: arms, ends, genders, few therapists, totals."""

import re

import pytest

from alliance.config.strict_yaml import parse
from alliance.newcohort import propose
from alliance.newcohort.kinds import end_of


@pytest.fixture
def proposed(tmp_path):
    """Return a function: the text of one file in, the two proposed files out."""

    def look(text, name="a.csv"):
        folder = tmp_path / "data" / "raw" / "mylab" / "one"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
        made = propose(cohort="mylab", raw_folder=folder.parent, config_folder=tmp_path / "config")
        texts = [path.read_text(encoding="utf-8") for path in made.written]
        documents = [parse(text, "proposed") for text in texts]
        assert not any(document.problems for document in documents)
        return made, texts, [document.content for document in documents]

    return look


def sessions(column, texts, clients=60, name="phq{}", extra=""):
    """Sessions of clients, each with one text of `column`."""
    head = f"client,session,{column},{extra}" + ",".join(name.format(i) for i in range(1, 10))
    rows = [
        f"p{c},{s},{texts[c % len(texts)]}," + ("1," if extra else "")
        + ",".join("0123"[(c + s + i) % 4] for i in range(9))
        for c in range(clients)
        for s in range(1, 5)
    ]  # fmt: skip
    return "\n".join([head, *rows]) + "\n"


def facts(mapping):
    return mapping["tables"][0].get("client_facts", {})


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        ("THERAPY", ["DRUG", "PLACEBO"]),
        ("therapist", ["CBT", "control"]),
        ("x", ["Kontrollgruppe", "Intervention"]),
        ("ther", ["TAU", "BtheB"]),
    ],
)
def test_an_arm_is_no_therapist(proposed, column, texts):
    _, (_, text), (_, mapping) = proposed(sessions(column, texts))
    assert facts(mapping)["treatment"] == column
    assert "therapist" not in facts(mapping)
    assert "GUESS" in re.search(r"(.*#.*\n)*.*treatment: .*", text).group()


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        ("outcome", ["completed", "lost to follow-up"]),
        ("v7", ["Abbruch", "regulär beendet"]),
        ("disposition", ["Completed", "Withdrawn", "Ongoing"]),
    ],
)
def test_ends_are_told_by_their_texts_and_the_dropout_model_is_proposed(proposed, column, texts):
    _, (config_text, _), (config, mapping) = proposed(sessions(column, texts))
    end = facts(mapping)["end_status"]
    assert end["column"] == column
    assert set(end["codes"]) == set(texts) and None not in end["codes"].values()
    assert config["models"]["leaving"]["family"] in ("dropout", "hazard")
    assert "GUESS" in config_text


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("not completed", "dropout"),
        ("Non-completer", "dropout"),
        ("incomplete", "dropout"),
        ("nicht beendet", "dropout"),
        ("Abbruch durch Patient", "dropout"),
        ("lost", "dropout"),
        ("completed as planned", "completed"),
        ("Therapie abgeschlossen", "completed"),
        ("Wechsel zu anderer Stelle", "transferred"),
        ("laufend", "ongoing"),
        ("no dropout", None),
        ("kein Abbruch", None),
        ("married", None),
        ("1", None),
    ],
)
def test_a_denied_end_is_not_taken_for_the_end(text, end):
    assert end_of(text) == end


def test_texts_that_are_no_ends_are_asked_about(proposed):
    _, (_, text), (_, mapping) = proposed(sessions("status", ["married", "single"]))
    assert set(facts(mapping)["end_status"]["codes"].values()) == {None}
    assert "take end_status out" in " ".join(text.replace("#", " ").split())


def test_genders_are_told_by_their_texts(proposed):
    _, _, (_, mapping) = proposed(sessions("v3", ["w", "m"]))
    assert facts(mapping)["gender"] == "v3"


def test_two_therapists_with_many_clients_are_questioned(proposed):
    _, (_, text), (_, mapping) = proposed(sessions("therapist", ["Q1", "Q2"], clients=172))
    assert facts(mapping)["therapist"] == "therapist"
    told = " ".join(text.replace("#", " ").split())
    assert "2 texts stand for 86 clients each: are they people who treat?" in told


def test_many_therapists_are_not_questioned(proposed):
    _, (_, text), _ = proposed(sessions("therapist", [f"T{i}" for i in range(15)]))
    assert "people who treat" not in text


def test_every_guess_is_marked(proposed):
    """A line with a value is marked as a guess, or says what is so in the file."""
    text = sessions("treatment", ["CBT", "control"])
    _, (_, mapping_text), _ = proposed(text)
    lines = mapping_text.split("tables:\n", 1)[1].split("\n")
    plain = [
        line.strip()
        for before, line in zip(["", *lines], lines, strict=False)
        if re.match(r" +[a-z_]+: \S", line) and "GUESS" not in line and "#" not in before
    ]
    assert plain == []


def test_every_column_that_is_not_read_is_named(proposed):
    others = [f"note_{word}" for word in "abcdefghijklmnopqrstuvwxyz"]
    head, *rows = sessions("treatment", ["CBT", "control"]).strip().split("\n")
    wide = [",".join([head, *others]), *(",".join([row, *("k" * 26)]) for row in rows)]
    _, (_, text), _ = proposed("\n".join(wide) + "\n")
    told = " ".join(text.replace("#", " ").split())
    assert all(name in told for name in others)


def test_several_symptom_measures_are_kept_apart(proposed):
    gad = ",".join(f"gad{i}" for i in range(1, 8))
    head, *rows = sessions("treatment", ["CBT", "control"]).strip().split("\n")
    both = [f"{head},{gad}"]
    both += [
        f"{row}," + ",".join("0123"[(k + i) % 4] for i in range(7)) for k, row in enumerate(rows)
    ]
    _, _, (config, _) = proposed("\n".join(both) + "\n")
    labels = {name: entry["label"] for name, entry in config["measures"].items()}
    assert labels == {"symptoms_phq_9": "PHQ-9", "symptoms_gad_7": "GAD-7"}


def test_one_symptom_measure_is_called_symptoms(proposed):
    _, _, (config, mapping) = proposed(sessions("treatment", ["CBT", "control"]))
    assert {name: m["label"] for name, m in config["measures"].items()} == {"symptoms": "PHQ-9"}
    assert set(mapping["tables"][0]["measures"]) == {"symptoms"}


def test_totals_without_items_are_proposed_or_asked_about(proposed):
    rows = [f"p{c},{s},{c % 60},{30 + c},{c % 50}" for c in range(60) for s in range(1, 5)]
    text = "\n".join(["client,visit,imps79,PANSS,HAMD17", *rows]) + "\n"
    _, (text, _), (config, mapping) = proposed(text)
    given = mapping["tables"][0]["measures"]
    assert given["symptoms"] == {"total": "HAMD17"}
    assert config["measures"]["symptoms"]["instrument"] == "ham-d-17"
    assert all(measure["items"] == "none" for measure in config["measures"].values())
    assert config["measures"]["panss"]["instrument"] is None  # asked
    assert "are no totals of a questionnaire, take the entry out" in " ".join(
        text.replace("#", " ").split()
    )


def test_totals_of_sessions_side_by_side(proposed):
    rows = [f"{c},TAU,{c % 50},{c % 40},{c % 30}" for c in range(60)]
    _, _, (config, mapping) = proposed(
        "\n".join(["subject,treatment,bdi.pre,bdi.2m,bdi.3m", *rows]) + "\n"
    )
    assert config["measures"]["symptoms"]["instrument"] == "bdi-ii"
    total = mapping["tables"][0]["measures"]["symptoms"]["total"]
    assert total == {"1": "bdi.pre", "2": "bdi.2m", "3": "bdi.3m"}


def test_totals_whose_names_follow_no_rule_are_asked_about(proposed):
    rows = [f"{c},{c % 50},{c % 40},{c % 30},{c % 20}" for c in range(60)]
    _, (_, text), (config, _) = proposed(
        "\n".join(["subject,bdi_intake,bdi1,wk2bdi,bdi.S3", *rows]) + "\n"
    )
    assert "measures" not in config
    assert "DECIDE: 4 columns of numbers fit no pattern" in text


def test_that_no_measure_was_found_is_said(proposed):
    rows = [f"p{c},{s}" for c in range(30) for s in range(1, 5)]
    made, (text, _), (config, _) = proposed("\n".join(["client,session", *rows]) + "\n")
    assert made.n_measures == 0 and "measures" not in config
    assert "No questionnaire was found in any file" in text


def test_a_workbook_that_is_open_is_told(proposed, tmp_path):
    lock = tmp_path / "data" / "raw" / "mylab" / "one" / "~$a.xlsx"
    lock.parent.mkdir(parents=True)
    lock.write_bytes(b"\x05Owner")
    made, _, _ = proposed(sessions("treatment", ["CBT", "control"]))
    assert made.unread == [("one/~$a.xlsx", "a.xlsx is open in Excel: save it and close Excel")]
