import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from alliance.config import former_names
from alliance.config.cohort import (
    instrument_path,
    load_cohort,
    raw_files_of,
    site_mapping_path,
    subscales_named,
)
from alliance.config.site import load_site
from alliance.errors import ConfigError
from alliance.families.options import TRANSFORMS

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config" / "config.yaml"
COHORTS = [CONFIG, *sorted((ROOT / "tests" / "cohorts").glob("*/config.yaml"))]

COHORT = """\
cohort: toy
title: A toy
sites: [a]
measures:
  alliance: {instrument: wai-sr-c}
  symptoms: {instrument: phq-9}
models:
  growth_of_alliance:
    family: growth
    outcome: alliance
    time: log_weeks
"""
SITE = """\
site: a
tables:
  - file: a.csv
    rows: session
    client: id
    session: nr
    client_facts:
      therapist: th
      age_years: {column: age, type: number}
    session_facts:
      date: day
    measures:
      alliance: wai{item}
      symptoms: phq{item}
"""


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Write a toy cohort, its texts edited; return the config's path."""
    monkeypatch.chdir(tmp_path)

    def write(cohort=None, site=None):
        for text, (old, new), name in (
            (COHORT, cohort or ("", ""), "toy.yaml"),
            (SITE, site or ("", ""), "sites/toy/a.yaml"),
        ):
            assert old in text
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return Path("toy.yaml")

    return write


def told(path):
    with pytest.raises(ConfigError) as error:
        load_cohort(path)
    return str(error.value)


@pytest.mark.parametrize("path", COHORTS, ids=lambda p: p.parent.name)
def test_committed_configs_are_right(path):
    cohort = load_cohort(path)
    for site in cohort["sites"]:
        load_site(site_mapping_path(path, cohort["cohort"], site))
        assert path.parent.name == "config" or cohort["cohort"] == path.parent.name


@pytest.mark.parametrize("path", COHORTS, ids=lambda p: p.parent.name)
def test_committed_configs_point_editors_to_their_schema(path):
    files = [path, *path.parent.glob("sites/*/*.yaml"), *path.parent.glob("instruments/*.yaml")]
    for file in files:
        first = file.read_text(encoding="utf-8").splitlines()[0]
        hint = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
        assert hint and (file.parent / hint.group(1)).is_file(), file


def test_demo_config_fits_on_two_screens():
    assert len(CONFIG.read_text(encoding="utf-8").splitlines()) <= 60


def test_defaults_are_filled_in(toy):
    cohort = load_cohort(toy())
    assert cohort["simulated"] is False
    assert cohort["seed"] == 20261123
    assert cohort["dropout"] == {
        "event": ["dropout"],
        "use": "discharge_status",
        "definitions": {},
    }
    assert cohort["measures"]["alliance"] == {
        "instrument": "wai-sr-c", "label": "Alliance", "accept_unverified_key": False,
    }  # fmt: skip
    assert cohort["models"]["growth_of_alliance"]["residual"] == "rule"


def test_paths(toy):
    path = toy()
    mapping = site_mapping_path(path, "toy", "a")
    assert mapping == Path("sites/toy/a.yaml")
    assert raw_files_of(load_site(mapping), "data/raw/toy/a") == [Path("data/raw/toy/a/a.csv")]
    assert instrument_path(path, "wai-sr-c") == ROOT / "config" / "instruments" / "wai-sr-c.yaml"
    assert instrument_path(path, "none") is None
    Path("instruments").mkdir()
    Path("instruments/own.yaml").write_text("id: own\n", encoding="utf-8")
    assert instrument_path(path, "own") == Path("instruments/own.yaml")


COHORT_MISTAKES = [
    # what is replaced, by what, the line told, and words that must be told
    ("title: A toy", "titel: A toy", 2, "titel: unknown key; nearest valid key: title"),
    ("title: A toy\n", "", 1, "the key title is missing"),
    ("family: growth", "family: growht", 9, "valid values: "),
    ("family: growth", "famliy: growth", 9, "nearest valid key: family"),
    ("    family: growth\n", "", 8, "growth_of_alliance: the key family is missing"),
    ("outcome: alliance", "outcome: aliance", 10, "nearest valid measure: alliance"),
    ("time: log_weeks", "time: log_week", 11, "log_weeks ("),
    ("time: log_weeks", "time: log_weeks\n    predictor: symptoms", 12, "predictor: unknown key"),
    ("time: log_weeks", "time: log_weeks\n    levels: client", 12, "must be a list, but is text"),
    ("time: log_weeks", "time: log_weeks\n    levels: [clinet]", 12, "clinet is not valid"),
    ("time: log_weeks", "time: log_weeks\n    fixed: [age]", 12, "nearest valid column: age_years"),
    ("time: log_weeks", "time: log_weeks\n    fixed: [logg(session)]", 12, "valid transform: log"),
    ("time: log_weeks", "time: log_weeks\n    fixed: ['a b']", 12, "is not allowed"),
    ("time: log_weeks", "time: log_weeks\n    fixed: ['__import__(x)']", 12, "is not allowed"),
    ("time: log_weeks", "time:", 11, "has no value"),
    ("instrument: phq-9", "instrument: phq9", 6, "nearest valid instrument: phq-9"),
    ("instrument: phq-9", "instrument: wai-s-t", 6, "accept_unverified_key: true"),
    ("instrument: phq-9", "instrument: ../../x", 6, "is not allowed"),
    ("  symptoms: {", "  Symptoms: {", 6, "this name is not allowed"),
    ("  symptoms: {", "  therapist: {", 6, "choose another"),
    ("sites: [a]", "sites: [a, b]", 3, "mapping sites/toy/b.yaml is not there"),
    ("sites: [a]", "sites: []", 3, "at least 1"),
    ("sites: [a]", "sites: [a, a]", 3, "twice"),
    ("sites: [a]", "sites: [../a]", 3, "is not allowed"),
    ("sites: [a]", "sites: [..]", 3, "dot"),
    ("sites: [a]", "sites: [-a]", 3, "dash"),
    ("cohort: toy", "cohort: ..", 1, "dot"),
    ("cohort: toy", "cohort: .", 1, "dot"),
    ("cohort: toy", "cohort: -x", 1, "dash"),
    ("  growth_of_alliance:", "  ..:", 8, "dot"),
    ("  growth_of_alliance:", "  .h:", 8, "dot"),
    ("  symptoms: {", "  alliance_next: {", 6, "part of alliance"),
    ("  symptoms: {", "  alliance_goal: {", 6, "part of alliance"),
    ("time: log_weeks", "time: log_weeks\n    fixed: [alliance_next]", 12, "outcome itself"),
    ("time: log_weeks", "time: log_weeks\n    fixed: ['center(alliance)']", 12, "outcome itself"),
    ("sites: [a]", "sites: a", 3, "must be a list, but is text"),
    ("cohort: toy", "cohort: to y", 1, "is not allowed"),
    ("cohort: toy", "cohort: toy\nseed: -1", 2, "at least 0"),
    ("cohort: toy", "cohort: toy\nseed: 1.5", 2, "must be a whole number, but is a number"),
    ("cohort: toy", "cohort: toy\nsimulated: yes", 2, "true or false"),
    ("cohort: toy", "cohort: toy\nsimulated: 1", 2, "must be true or false, but is a number"),
    ("cohort: toy", "cohort: toy\ndropout: {event: [left]}", 2, "valid values: dropout, completed"),
    ("cohort: toy", "cohort: toy\ncohort: toi", 2, "a second time"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "words"), COHORT_MISTAKES)
def test_mistakes_in_the_config(toy, old, new, line, words):
    message = told(toy(cohort=(old, new)))
    where = re.search(
        rf"^toy\.yaml:\n(  .*\n)*?  line {line}(,|:).*{re.escape(words)}", message, re.M
    )
    assert where, message


SITE_MISTAKES = [
    ("client: id", "clint: id", 5, "nearest valid key: client"),
    ("    client: id\n", "", 3, "the key client is missing"),
    ("rows: session", "rows: sesion", 4, "session (one row a session)"),
    ("rows: session", "rows: client", 6, "stands in the column names"),
    ("rows: session", "rows: answer", 4, "the key item is needed"),
    ("    session: nr\n", "", 4, "the key session is needed"),
    ("session: nr", "session: {pattern: x}", 6, "the key column is missing"),
    ("session: nr", "session: {column: x, pattern: week_number}", 6, "must hold {session}"),
    ("session: nr", "session: {column: x, codes: {a: 0}}", 6, "count from 1"),
    ("session: nr", "session: nr\n    sheet: x", 7, "only a workbook has sheets"),
    ("file: a.csv", "file: ../a.csv", 3, "own folder"),
    ("file: a.csv", "file: /etc/a.csv", 3, "is not allowed"),
    ("file: a.csv", "file: a.dat", 3, "format"),
    ("session: nr", "session: nr\n    dates: d.m.y", 7, "is not allowed"),
    ("date: day", "date: day\n      week: w", 10, "give one of date, week"),
    ("alliance: wai{item}", "aliance: wai{item}", 13, "nearest valid measure: alliance"),
    ("alliance: wai{item}", "alliance: wai", 13, "must hold {item}"),
    ("alliance: wai{item}", "alliance: wai{session}_{item}", 13, "must hold {item}"),
    ("alliance: wai{item}", "alliance: {items: [a, b]}", 13, "lists 2 columns"),
    ("alliance: wai{item}", "alliance: {items_at: [A-C]}", 13, "names 3 columns"),
    ("alliance: wai{item}", "alliance: {}", 13, "give one of items, items_at and total"),
    ("alliance: wai{item}", "alliance: {items: 'wai{item}', form: W}", 13, "rows: answer only"),
    ("      alliance: wai{item}\n", "", None, "no site's mapping says where its answers stand"),
    ("therapist: th", "end_status: {column: x, codes: {a: left}}", 8, "must be one of dropout"),
    ("therapist: th", "session: th", 8, "choose another"),
    ("therapist: th", "symptoms: th", 8, "column of the measure symptoms"),
    ("therapist: th", "alliance_next: th", 8, "column of the measure alliance"),
    ("therapist: th", "alliance_goal: th", 8, "column of the measure alliance"),
    ("    client: id", "\tclient: id", 5, "a tab stands"),
    ("    rows: session", "\trows: session", 4, "a tab stands"),
    ("therapist: th", "sessions_planned: {column: x, type: category}", 8, "always a number"),
    ("type: number", "type: numbr", 9, "number (numbers to calculate with)"),
    ("type: number", "type: date", 9, "only intake_date is a date"),
    ("type: number", "others: blank", 9, "goes with codes only"),
    ("site: a", "site: b", 1, "differs from the file's name"),
    ("site: a", "site: [", 3, "not valid YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "words"), SITE_MISTAKES)
def test_mistakes_in_a_mapping(toy, old, new, line, words):
    message = told(toy(site=(old, new)))
    file = r"toy\.yaml" if line is None else r"sites/toy/a\.yaml"
    number = r"\d+" if line is None else line
    assert re.search(rf"{file}:\n(  .*\n)*?  line {number}(,|:).*{re.escape(words)}", message), (
        message
    )


DROPOUT = "time: log_weeks\n  leaving: {family: hazard, fixed: [%s]}"
COUPLING = (
    "time: log_weeks\n  linked: {family: coupling, predictor: alliance, outcome: symptoms,"
    " time: session, fixed: [symptoms_next]}"
)


@pytest.mark.parametrize(
    ("term", "words"),
    [("alliance_client_mean", "later sessions"), ("alliance_within", "later sessions"),
     ("symptoms_between", "later sessions"), ("symptoms_next", "later sessions"),
     ("center(age_years)", "plain columns"), ("'age_years:session'", "plain columns")],
)  # fmt: skip
def test_a_dropout_model_may_not_look_ahead(toy, term, words):
    message = told(toy(cohort=("time: log_weeks", DROPOUT % term)))
    assert "1 problem)" in message and "line 12" in message and words in message


@pytest.mark.parametrize(("former", "now"), former_names.FAMILIES.items())
def test_a_former_name_of_a_family_is_told_with_the_present_one(toy, former, now):
    entry = f"time: log_weeks\n  asked: {{family: {former}, outcome: symptoms}}"
    message = told(toy(cohort=("time: log_weeks", entry)))
    assert "1 problem)" in message
    assert f"the family {former} is called {now} now" in message


@pytest.mark.parametrize("term", ["age_years", "alliance_previous", "alliance_running_within"])
def test_a_dropout_model_may_look_back(toy, term):
    assert load_cohort(toy(cohort=("time: log_weeks", DROPOUT % term)))


def test_the_outcome_is_no_predictor_of_itself_in_a_coupling(toy):
    assert "symptoms_next is the outcome itself" in told(toy(cohort=("time: log_weeks", COUPLING)))
    assert load_cohort(
        toy(cohort=("time: log_weeks", "time: log_weeks\n    fixed: [alliance_previous]"))
    )


def test_a_key_of_the_cohort_is_told_with_lines_before_anything_runs(toy):
    path = toy(cohort=("instrument: wai-sr-c", "instrument: own"))
    text = (ROOT / "config" / "instruments" / "wai-sr-c.yaml").read_text(encoding="utf-8")
    Path("instruments").mkdir()
    text = text.replace("id: wai-sr-c", "id: own") + "reversed_items: [1]\n"
    Path("instruments/own.yaml").write_text(text, encoding="utf-8")
    message = told(path)
    assert "instruments/own.yaml" in message
    assert re.search(r"line \d+, reversed_items: this key stands here a second time", message)


def test_every_mistake_of_every_file_in_one_message(toy):
    toy(cohort=("outcome: alliance", "outcome: aliance"), site=("client: id", "clint: id"))
    message = told("toy.yaml")
    assert "2 problems" in message
    assert "aliance" in message and "clint" in message


def test_a_fact_has_one_type_at_all_sites(toy):
    path = toy(cohort=("sites: [a]", "sites: [a, b]"))
    other = SITE.replace("site: a", "site: b").replace(", type: number", "")
    Path("sites/toy/b.yaml").write_text(other, encoding="utf-8")
    assert "is a category here and a number at site a" in told(path)


def test_config_is_light_to_import():
    code = "import sys, alliance.config.cohort; assert not {'pandas', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_transforms_are_those_of_the_engine():
    from alliance.mixed import terms

    assert terms.TRANSFORMS == TRANSFORMS


# --------------------------------------------------------------------------------------------------
# change, ruptures, observers


@pytest.mark.parametrize(
    ("added", "words"),
    [
        ("change: {symptom: {reliability: 0.8}}", "nearest valid measure: symptoms"),
        ("change: {symptoms: {reliability: 1.2}}", "must be less than 1"),
        ("change: {symptoms: {functional: {mean: 3}}}", "the key sd is missing"),
        ("change: {symptoms: {cutof: c}}", "nearest valid key: cutoff"),
        ("ruptures: {alliance: [drop_of_2_sd]}", "is not valid"),
        ("ruptures: {alliance: [reliable_drop_from_previous]}", "give the measure's reliability"),
        (
            "ruptures: {alliance: [{name: own_control_chart, baseline: previous, unit: raw,"
            " threshold: 4}]}",
            "is the name of one of our rules",
        ),
        (
            "ruptures: {alliance: [{name: a, baseline: previous, unit: raw, threshold: 4},"
            " {name: a, baseline: previous, unit: raw, threshold: 5}]}",
            "stands twice",
        ),
        ("observers: [alliance]", "lacks the codes"),
        ("observers: [nobody]", "there is no measure nobody"),
        (
            "dropout: {definitions: {stuck: {rule: no-reliable-change, measure: alliance,"
            " reliability: 0.8}}}",
            "the scoring key says higher-is-better: write better: higher",
        ),
    ],
)
def test_faults_of_change_and_ruptures_are_named(toy, added, words):
    assert words in told(toy(("models:", f"{added}\nmodels:")))


RUPTURE = "ruptures: {alliance: [drop_of_2_sd_from_previous]}\nmodels:"
LATE = "ruptures: {alliance: [own_control_chart]}\nmodels:"


def test_models_may_name_events_that_the_config_asks_for(toy):
    leaving = "\n  leaving: {family: hazard, fixed: [alliance_in_rupture]}"
    path = toy(("models:", RUPTURE + leaving))
    assert load_cohort(path)["ruptures"] == {"alliance": ["drop_of_2_sd_from_previous"]}
    assert "there is no column alliance_in_rupture" in told(toy(("models:", "models:" + leaving)))
    # a rule that needs the whole course must not predict who leaves it
    assert "there is no column alliance_in_rupture" in told(toy(("models:", LATE + leaving)))
    own = RUPTURE + "\n  own: {family: growth, outcome: alliance, time: session,"
    assert "is made of the outcome" in told(toy(("models:", own + " fixed: [alliance_rupture]}")))


def test_defaults_of_change(toy):
    entry = load_cohort(toy(("models:", "change: {symptoms: {reliability: 0.8}}\nmodels:")))
    assert entry["change"]["symptoms"] == {
        "reliability": 0.8, "reliability_last": 0.8, "functional": None, "cutoff": "a",
        "method": "jacobson-truax", "anchor": None, "sudden_points": None,
    }  # fmt: skip


def broken(text, chance):
    """Return YAML text after one or two slips of the keyboard."""
    lines = text.split("\n")
    for _ in range(chance.randint(1, 2)):
        i = chance.randrange(len(lines))
        at = chance.randrange(len(lines[i]) + 1)
        key, colon, _ = lines[i].partition(":")
        odd = ["NO", "007", "[]", "{}", "", "1.5", '"', "[", "&a", "*a", "!!x", "x: y"]
        slips = [
            "",
            lines[chance.randrange(len(lines))],
            " " * chance.randint(0, 6) + lines[i].strip(),
            lines[i].replace(":", "", 1),
            f"{key}{colon} {chance.choice(odd)}",
            lines[i][:at] + chance.choice("ab:{}[],\"'#&*!|>%@\t -") + lines[i][at:],
            lines[i][:at] + lines[i][at + 1 :],
        ]
        lines[i] = chance.choice(slips)
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(200))
def test_any_slip_is_told_with_its_line_or_harmless(toy, seed):
    chance = random.Random(seed)
    path = toy()
    file = chance.choice([path, Path("sites/toy/a.yaml")])
    file.write_text(broken(file.read_text(encoding="utf-8"), chance), encoding="utf-8")
    try:
        load_cohort(path)
    except ConfigError as error:
        assert re.search(r"line \d+", str(error)), str(error)


def test_a_model_may_name_a_subscale(toy):
    path = toy(("    outcome: alliance\n", "    outcome: alliance_goal\n    fixed: [symptoms]\n"))
    assert subscales_named(load_cohort(path), path) == ["alliance_goal"]


def test_a_part_of_a_subscale_counts_as_naming_it(toy):
    path = toy(("    time: log_weeks", "    fixed: [alliance_bond_previous]\n    time: log_weeks"))
    assert subscales_named(load_cohort(path), path) == ["alliance_bond"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("outcome: alliance", "outcome: alliance_gaol", "nearest valid measure: alliance_goal"),
        ("outcome: alliance", "outcome: alliance.goal", "small letters"),
        (
            "outcome: alliance",
            "outcome: alliance_goal\n    fixed: [alliance]",
            "alliance is made of the outcome itself",
        ),
        ("{instrument: wai-sr-c}", "{instrument: dass-21}", "has no total score; name one of its"),
        (
            "family: growth\n    outcome: alliance",
            "family: coupling\n    predictor: alliance\n    outcome: alliance_goal",
            "share items",
        ),
    ],
)
def test_wrong_names_of_subscales_are_told_plainly(toy, old, new, words):
    assert words in told(toy((old, new)))
