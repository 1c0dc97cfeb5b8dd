"""Situations of a lab's first hour (docs/situations.md): each is a row of that table."""

import io
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from alliance.__main__ import main
from alliance.config.cohort import PROJECT
from alliance.config.instruments import load_instruments
from alliance.config.strict_yaml import parse
from alliance.errors import ConfigError
from alliance.families.cohort import Cohort
from alliance.families.common.references import with_references
from alliance.families.growth.model import growth_fit
from alliance.newcohort import propose
from alliance.newcohort.kinds import end_of
from alliance.running.former import put_former_aside
from alliance.running.raw_folders import unread_places
from alliance.running.scheduler import given_to_snakemake, quoted


@pytest.fixture
def proposed(tmp_path):
    """Return a function: the text of a file in; what is proposed, the two texts and contents."""

    def look(text, name="a.csv"):
        folder = tmp_path / "data" / "raw" / "mylab" / "one"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
        made = propose(cohort="mylab", raw_folder=folder.parent, config_folder=tmp_path / "config")
        texts = [path.read_text(encoding="utf-8") for path in made.written]
        return made, texts, [parse(text, "proposed").content for text in texts]

    return look


def words(text):
    return " ".join(text.replace("#", " ").split())


def sessions(column, texts, items="phq{}"):
    head = f"client,session,{column}," + ",".join(items.format(i) for i in range(1, 10))
    rows = [
        f"p{c},{s},{texts[c % len(texts)]}," + ",".join("0123"[(c + s + i) % 4] for i in range(9))
        for c in range(60)
        for s in range(1, 5)
    ]
    return "\n".join([head, *rows]) + "\n"


@pytest.fixture(scope="module")
def trial():
    """Two arms; the one that comes first by alphabet is not the one to compare with."""
    rng = np.random.default_rng(1)
    rows = []
    for client in range(80):
        arm, level = ("drug", "placebo")[client % 2], rng.normal(14, 2)
        for session in range(1, 6):
            slope = -1.5 if arm == "drug" else -0.5
            rows.append(("a", f"c{client}", session, arm, level + slope * session + rng.normal()))
    panel = pd.DataFrame(rows, columns=["site", "client", "session", "arm", "symptoms"])
    panel["therapist"] = None
    measures = {"symptoms": {"label": "Symptoms"}}
    return Cohort(panel, "0" * 64, measures, {"symptoms": load_instruments()["phq-9"]})


def course(cohort, **references):
    entry = {"outcome": "symptoms", "time": "session", "fixed": ["arm", "session:arm"]}
    panel = with_references(cohort.panel, references)
    own = Cohort(panel, cohort.panel_sha256, cohort.measures, cohort.instruments)
    return {row.term: row for row in growth_fit(own, "course", entry, diagnosed=False).estimates}


# --------------------------------------------------------------------------------------------------
# where the project lies, and how it is called


SNAKEFILE = """\
rule all:
    input: workflow.basedir + "/given.txt"
    output: "made.txt"
    log: "logs/all.log"
    script: "script.py"
"""


def run_in(folder):
    """Run a workflow in a folder, by a Python that lies there too; return what it made."""
    folder.mkdir(parents=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (site,) = folder.glob("venv/lib/python*/site-packages")
    own = [str(PROJECT / "src"), *(path for path in sys.path if "site-packages" in path)]
    (site / "of_the_tests.pth").write_text("\n".join(own), encoding="utf-8")
    (folder / "Snakefile").write_text(SNAKEFILE, encoding="utf-8")
    (folder / "given.txt").touch()
    script = "open(snakemake.output[0], 'w').write(snakemake.config['given'])"
    (folder / "script.py").write_text(script, encoding="utf-8")
    ended = subprocess.run(
        [folder / "venv" / "bin" / "python", "-m", "alliance.running.scheduler", "--cores", "1",
         "--snakefile", folder / "Snakefile", "--config", given_to_snakemake("given", folder)],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return (folder / "made.txt").read_text()


@pytest.mark.skipif(os.name == "nt", reason="its Python lies elsewhere in an environment")
def test_the_project_lies_in_a_folder_with_a_blank(tmp_path):
    folder = tmp_path / "OneDrive - Clinic #1, Größe"
    assert run_in(folder) == str(folder)


@pytest.mark.skipif(os.name == "nt", reason="Windows allows few of these signs")
def test_the_project_lies_in_a_folder_with_a_quotation_mark(tmp_path):
    folder = tmp_path / 'user\'s "own" $HOME & `id`; (x) [1]*? | <2> ! ~ \\n %20'
    assert run_in(folder) == str(folder)


def test_the_python_lies_in_a_folder_with_a_blank():
    path = "C:\\Program Files\\Python\\python.exe"
    assert quoted(path, "nt") == f'"{path}"'
    assert quoted("/Users/a/Application Support/python", "posix").startswith("'/Users")


def test_the_project_lies_in_a_folder_with_a_curly_bracket(monkeypatch, capsys):
    monkeypatch.setattr("alliance.__main__.PROJECT", PROJECT / "{lab}")
    monkeypatch.setattr("alliance.__main__.config_of", lambda _: PROJECT / "config.yaml")
    assert main(["check", "--cohort", "demo"]) == 1
    assert "has signs ({ }) that Snakemake takes for its own" in capsys.readouterr().err


def test_a_console_that_lacks_a_letter(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stderr", stream)
    assert main(["check", "--cohort", "Bergstraße→2"]) == 1
    stream.flush()
    assert b"Bergstra\xdfe?2" in stream.buffer.getvalue()


def test_a_misspelt_target_or_cohort_runs_nothing(capsys):
    with pytest.raises(SystemExit):
        main(["chekc", "--cohort", "demo"])
    assert main(["check", "--cohort", "dmeo"]) == 1
    assert "There is no config for a cohort “dmeo”" in capsys.readouterr().err


def test_a_cohort_that_is_not_named_is_not_the_demo(capsys):
    assert main(["results"]) == 1
    assert "Which cohort?" in capsys.readouterr().err


# --------------------------------------------------------------------------------------------------
# what lies in the folder


def test_the_lock_file_of_an_open_workbook(proposed, tmp_path):
    lock = tmp_path / "data" / "raw" / "mylab" / "one" / "~$scores.xlsx"
    lock.parent.mkdir(parents=True)
    lock.write_bytes(b"\x05Owner")
    made, _, _ = proposed(sessions("arm", ["drug", "placebo"]))
    assert made.unread == [
        ("one/~$scores.xlsx", "scores.xlsx is open in Excel: save it and close Excel")
    ]


def test_a_workbook_is_open_while_the_files_are_checked(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "~$scores.xlsx").touch()
    (told,) = unread_places(tmp_path, ["one"])
    assert "scores.xlsx is open in Excel" in told and "close Excel" in told


def test_a_folder_that_no_site_names(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two_old").mkdir()
    (told,) = unread_places(tmp_path, ["one"])
    assert "two_old is a folder that no site of the config names" in told


def test_results_of_what_is_no_longer_asked_for(tmp_path):
    (tmp_path / "fits").mkdir()
    (tmp_path / "fits" / "old.json").write_text("{}")
    assert put_former_aside(tmp_path, ["new"]) == ["old"]
    assert (tmp_path / "former" / "fits" / "old.json").is_file()


# --------------------------------------------------------------------------------------------------
# what columns seem to be


def test_columns_that_were_not_used_are_named(proposed):
    text = sessions("arm", ["drug", "placebo"]).replace("arm,", "arm,note_1x,zip,", 1)
    text = text.replace("drug,", "drug,k,9,").replace("placebo,", "placebo,k,9,")
    _, (_, mapping), _ = proposed(text)
    assert "Not read, since nothing here names them: note_1x, zip" in words(mapping)


def test_columns_that_were_looked_at_and_left_are_named_too(proposed):
    rows = [f"{c},{c % 7},{c % 5}" for c in range(60)]
    _, (_, mapping), _ = proposed("\n".join(["client,weight,height", *rows]) + "\n")
    assert "Not read, since nothing here names them: weight, height" in words(mapping)


def test_a_proposal_that_would_read_no_questionnaire_says_so(proposed):
    rows = [f"p{c},{s}" for c in range(30) for s in range(1, 5)]
    made, (config, _), _ = proposed("\n".join(["client,session", *rows]) + "\n")
    assert made.n_measures == 0
    assert "No questionnaire was found in any file" in words(config)


def test_lost_to_follow_up_is_dropout(proposed):
    _, _, (config, mapping) = proposed(sessions("state", ["completed", "lost to follow-up"]))
    end = mapping["tables"][0]["client_facts"]["end_status"]
    assert end["codes"] == {"completed": "completed", "lost to follow-up": "dropout"}
    assert "leaving" in config["models"]


def test_an_end_that_is_denied():
    assert end_of("no dropout") is None
    assert end_of("not completed") == "dropout"
    assert end_of("did not drop out") is None


def test_an_arm_is_called_therapy(proposed):
    _, _, (_, mapping) = proposed(sessions("THERAPY", ["DRUG", "PLACEBO"]))
    facts = mapping["tables"][0]["client_facts"]
    assert facts["treatment"] == "THERAPY" and "therapist" not in facts


def test_a_questionnaire_whose_name_begins_with_a_digit(proposed):
    _, _, (config, _) = proposed(sessions("arm", ["drug", "placebo"], items="3rs_{}"))
    assert all(name[0].isalpha() for name in config["measures"])


def test_totals_beyond_what_the_items_can_give(proposed):
    """A total of 70 is none of the BDI-II: said, and not taken for it."""
    rows = [f"p{c},{s},{c + 11}" for c in range(60) for s in range(1, 5)]
    _, (config, _), (content, _) = proposed("\n".join(["client,session,BDI_total", *rows]) + "\n")
    assert content["measures"]["bdi"]["instrument"] is None
    assert "its total runs from 0 to 63, so that it cannot be this one" in words(config)


# --------------------------------------------------------------------------------------------------
# which group a number speaks of


def test_the_effect_beside_a_product_is_the_reference_groups(trial):
    rows = course(trial)
    assert rows["session"].group == "Arm: drug"
    assert rows["session"].estimate == pytest.approx(-1.5, abs=0.2)
    assert course(trial, arm="placebo")["session"].estimate == pytest.approx(-0.5, abs=0.2)


def test_which_category_is_the_reference_is_printed(trial):
    assert course(trial)["session:arm[placebo]"].group == "Arm: placebo against drug"


def test_the_reference_is_not_the_first_by_alphabet(trial):
    row = course(trial, arm="placebo")["session:arm[drug]"]
    assert row.group == "Arm: drug against placebo"
    assert row.estimate == pytest.approx(-1.0, abs=0.3)


def test_a_reference_that_is_misspelt(trial):
    with pytest.raises(ConfigError, match="has no category “Placebo” in these data; there are: dr"):
        course(trial, arm="Placebo")


def test_a_difference_between_groups_is_no_course(trial):
    assert course(trial)["session:arm[placebo]"].level == "difference in course"
