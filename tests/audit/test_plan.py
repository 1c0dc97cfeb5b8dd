"""A plan is frozen once; what is run otherwise later is listed by the report, and nothing else."""

import datetime
import html
import json
import re

import jinja2
import pytest

import alliance
from alliance import files
from alliance.audit.plan import analysis_code, freeze, frozen_path, list_deviations
from alliance.errors import ConfigError
from alliance.findings.fields import read_fields
from alliance.findings.ledger import Findings

from .conftest import tiny

TODAY = datetime.date(2026, 11, 29)
# One choice each, in a config that has them all: what is replaced, by what, and how it is named.
CONFIG = """\
  specifications: {family: specifications, model: coupling}
  coupling: {family: coupling, predictor: alliance, outcome: symptoms, time: session}
  together: {family: parallel_growth, outcomes: [alliance, symptoms], times: [session, session]}
dropout:
  definitions:
    below_plan: {rule: sessions-below-plan, share: 0.75}
    no_change: {rule: no-reliable-change, measure: symptoms}
change:
  symptoms: {reliability: 0.84}
primary:
  dropout_hazard: [alliance_running_within]
reference: {gender: female}
"""
CHANGES = {
    "a model's time": ("time: log_weeks", "time: session", "models/alliance_growth/time"),
    "a model's predictor": (
        "predictors: [alliance]",
        "predictors: [alliance, symptoms]",
        "models/dropout_hazard/predictors",
    ),
    "a further term": (
        "time: weeks_since_intake}",
        "time: weeks_since_intake, fixed: [age_years, gender]}",
        "models/symptom_growth/fixed",
    ),
    "a default": (
        "predictors: [alliance], levels: []",
        "predictors: [alliance]",
        "models/dropout_hazard/levels",
    ),
    "what other models are asked of": (
        "outcome: symptoms, time: session}",
        "outcome: symptoms, time: weeks_since_intake}",
        "models/coupling/time",
    ),
    "a model more": (
        "models:",
        "models:\n  shape: {family: growth_shape, outcome: symptoms, time: session}",
        "models/shape",
    ),
    "a model less": (
        "  alliance_growth: {family: growth, outcome: alliance, time: log_weeks}\n",
        "",
        "models/alliance_growth",
    ),
    "a label": ("label: Symptoms", "label: Depression", "measures/symptoms/label"),
    "how dropout is defined": ("share: 0.75", "share: 0.5", "dropout/definitions/below_plan/share"),
    "which definition is used": (
        "dropout:\n",
        "dropout:\n  use: below_plan\n",
        "dropout/use",
    ),
    "what a definition rests on": ("0.84", "0.8", "change/symptoms/reliability"),
    "a primary effect": (
        "[alliance_running_within]",
        "[alliance_running_between]",
        "primary/dropout_hazard",
    ),
    "a primary effect more": (
        "primary:",
        "primary:\n  symptom_growth: [weeks_since_intake]",
        "primary/symptom_growth",
    ),
    "a site's exclusion": ("sites: [clinic, east]", "sites: [clinic]", "sites"),
    "another scoring key": (
        "instrument: phq-9,",
        "instrument: gad-7,",
        "measures/symptoms/instrument",
    ),
    "the category to compare with": ("gender: female", "gender: male", "reference/gender"),
    "the seed": ("title: A tiny cohort", "title: A tiny cohort\nseed: 5", "seed"),
}


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny.write(tmp_path, sites=("clinic", "east"))
    path = tmp_path / "config" / "tiny.yaml"
    path.write_text(path.read_text() + CONFIG)
    return path


def listed(config, code=None):
    out = config.parents[1] / "results" / "tiny" / "deviations.json"
    path = frozen_path(config, "tiny")
    frozen = path if path.is_file() else None
    list_deviations(config=config, frozen=frozen, code=code or analysis_code(), out=out)
    return files.read_json(out)


def as_printed(config):
    """Return the words of the report's part, and its findings."""
    results = config.parents[1] / "results" / "tiny"
    further = {"deviations": read_fields(results / "deviations.json", results)}
    findings = Findings()
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("alliance.report", "templates"),
        undefined=jinja2.StrictUndefined,
    )
    template = environment.get_template("deviations.html")
    page = template.render(further=further, show=findings.show)
    return " ".join(re.sub(r"<[^>]*>", "", page).split()), findings.entries


def test_nothing_is_said_of_deviations_where_no_plan_was_frozen(config):
    assert listed(config) == {"frozen": None, "n": 0, "deviations": []}
    assert "No plan of this analysis was frozen" in as_printed(config)[0]


def test_what_is_run_as_it_was_planned_deviates_in_nothing(config):
    freeze(config, TODAY)
    found = listed(config)
    assert found["deviations"] == [] and found["frozen"]["raw_files_there"] == 2
    words, _ = as_printed(config)
    assert "frozen on 2026-11-29" in words and "Nothing differs from it" in words


@pytest.mark.parametrize("choice", CHANGES)
def test_one_choice_changed_is_the_one_deviation_that_is_named(config, choice):
    freeze(config, TODAY)
    planned, run, name = CHANGES[choice]
    text = config.read_text()
    assert text.count(planned) >= 1
    config.write_text(text.replace(planned, run, 1))
    found = listed(config)["deviations"]
    assert [(one["kind"], one["name"]) for one in found] == [("setting", name)]
    words, entries = as_printed(config)
    assert words.count("planned") == 1 and f"setting {name}: planned" in words
    told = [entry.pointer for entry in entries if entry.pointer.startswith("/deviations/0/")]
    assert told or not re.search(r"\d", name + planned + run)


def test_what_is_written_otherwise_and_means_the_same_is_no_deviation(config):
    """Another order, a default written out, remarks."""
    freeze(config, TODAY)
    text = config.read_text()
    text = text.replace("title:", "seed: 20261123  # as it is anyway\ntitle:", 1)
    text = text.replace("{family: growth, outcome: alliance", "{outcome: alliance, family: growth")
    text = text.replace("dropout:\n", "dropout:\n  event: [dropout]\n")
    config.write_text(text)
    assert listed(config)["deviations"] == []


def test_another_version_of_the_program_is_named_by_its_number(config, monkeypatch):
    freeze(config, TODAY)
    monkeypatch.setattr(alliance, "__version__", "9.9.9")
    (one,) = listed(config)["deviations"]
    assert (one["kind"], one["run"]) == ("version", "9.9.9")
    assert "version alliance: planned" in as_printed(config)[0]


def test_the_level_of_intervals_stands_in_a_module_that_is_named(config, tmp_path):
    freeze(config, TODAY)
    code = [path for path in analysis_code() if not path.endswith("confidence.py")]
    other = tmp_path / "src" / "alliance" / "confidence.py"
    other.parent.mkdir(parents=True)
    other.write_text("UPPER = 0.95\n")
    (one,) = listed(config, [*code, other])["deviations"]
    assert (one["kind"], one["name"]) == ("module", "src/alliance/confidence.py")


def test_another_mapping_and_another_module_are_named_by_file(config, tmp_path):
    freeze(config, TODAY)
    mapping = tmp_path / "config/sites/tiny/clinic.yaml"
    mapping.write_text(mapping.read_text().replace("title: Site", "title: The site"))
    module = tmp_path / "src" / "alliance" / "extra.py"
    module.parent.mkdir(parents=True)
    module.write_text("")
    found = listed(config, [*analysis_code(), module])["deviations"]
    assert [(one["kind"], one["name"]) for one in found] == [
        ("file", "config/sites/tiny/clinic.yaml"),
        ("module", "src/alliance/extra.py"),
    ]


def test_a_plan_is_frozen_once_and_not_edited(config):
    path = freeze(config, TODAY)
    with pytest.raises(ConfigError, match="frozen once"):
        freeze(config, TODAY)
    plan = json.loads(path.read_text())
    plan["settings"]["models"]["alliance_growth"]["time"] = "session"
    files.write_json(plan, path)
    with pytest.raises(ConfigError, match="was edited since it was frozen"):
        listed(config)


@pytest.mark.slow
def test_the_report_of_a_rerun_names_the_changed_choice_and_no_other(rerun_tiny):
    _, reports = rerun_tiny
    as_planned, otherwise = (
        page[page.index('id="deviations"') : page.index('id="making"')] for page in reports
    )
    assert "Nothing differs from it" in as_planned
    words = " ".join(re.sub(r"<[^>]*>", "", otherwise).split())
    assert otherwise.count("<li>") == 1
    assert (
        'setting models/alliance_growth/time: planned "log_weeks", run "session"'
        in html.unescape(words)
    )
    assert "Neither raw files" not in words and "results were not" in words
