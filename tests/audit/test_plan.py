"""A plan is frozen once; what is run otherwise later is listed by the report, and nothing else."""

import datetime
import json
import re

import jinja2
import pytest

from alliance import files
from alliance.audit.plan import analysis_code, freeze, frozen_path, list_deviations
from alliance.errors import ConfigError
from alliance.findings.fields import read_fields
from alliance.findings.ledger import Findings

from .conftest import tiny

TODAY = datetime.date(2026, 11, 29)
CHANGES = {
    "time: log_weeks": ("time: session", "models/alliance_growth/time"),
    "predictors: [alliance]": ("predictors: [symptoms]", "models/dropout_hazard/predictors/0"),
    "label: Symptoms": ("label: Depression", "measures/symptoms/label"),
}


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny.write(tmp_path)
    return tmp_path / "config" / "tiny.yaml"


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
    assert found["deviations"] == [] and found["frozen"]["raw_files_there"] == 1
    words, _ = as_printed(config)
    assert "frozen on 2026-11-29" in words and "Nothing differs from it" in words


@pytest.mark.parametrize("choice", CHANGES)
def test_one_choice_changed_is_the_one_deviation_that_is_named(config, choice):
    freeze(config, TODAY)
    other, name = CHANGES[choice]
    config.write_text(config.read_text().replace(choice, other, 1))
    found = listed(config)["deviations"]
    assert [(one["kind"], one["name"]) for one in found] == [("setting", name)]
    words, entries = as_printed(config)
    assert words.count("planned") == 1 and f"setting {name}: planned" in words
    assert {f"/deviations/0/{key}" for key in ("name", "planned", "run")} & {
        entry.pointer for entry in entries
    } or not re.search(r"\d", name + other)


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


@pytest.mark.exhaustive
def test_the_report_of_a_rerun_names_the_changed_choice_and_no_other(tmp_path, project_copy):
    project = project_copy(tmp_path / "project")
    tiny.write(project.folder)
    assert project._call("-m", "alliance", "freeze", "--cohort", "tiny").returncode == 0
    config = project.folder / "config" / "tiny.yaml"
    config.write_text(config.read_text().replace("time: log_weeks", "time: session"))
    result = project.run("--cohort", "tiny")
    assert result.returncode == 0, result.stdout + result.stderr
    page = (project.folder / "results/tiny/report.html").read_text(encoding="utf-8")
    part = page[page.index('id="deviations"') : page.index('id="making"')]
    assert part.count("<li>") == 1 and "models/alliance_growth/time" in part
    assert "Neither raw files" not in part and "results were not" in part
