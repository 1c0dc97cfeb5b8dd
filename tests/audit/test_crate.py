"""A crate describes every file and step, holds nothing private, and is the same bytes again."""

import datetime
import importlib.util
import json
import zipfile
from pathlib import Path

import pytest

from alliance.audit.crate import pack
from alliance.audit.crate_entities import METADATA, metadata
from alliance.errors import ReportError

from .conftest import tiny

_SPEC = importlib.util.spec_from_file_location(
    "pretended", Path(__file__).with_name("pretended.py")
)
pretended = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(pretended)
TODAY = datetime.date(2026, 11, 29)


def references(value):
    """Yield every `@id` that is referred to within a value."""
    if isinstance(value, dict):
        yield from [value["@id"]] if set(value) == {"@id"} else []
        value = list(value.values())
    for one in value if isinstance(value, list) else []:
        yield from references(one)


@pytest.fixture(scope="module")
def graph():
    from alliance.running.steps import Step

    steps = [Step(**step) for step in pretended.steps()]
    scripts = {f"workflow/scripts/{step.name.partition('.')[0]}.py" for step in steps}
    places = ["Snakefile", "README.md", "requirements.lock", "workflow/scripts/fit_family.py"]
    places += [*scripts, f"{pretended.R}/report.html"]
    held = {place: (1, pretended.of(place)) for place in places}
    told = metadata("tiny", "A tiny cohort", steps, {"python": "3.11.7"}, held, "2026-11-29")
    return {entity["@id"]: entity for entity in told["@graph"]}, told["@graph"]


def test_every_entity_stands_once_and_every_reference_leads_to_one(graph):
    by_id, entities = graph
    assert len(by_id) == len(entities)
    elsewhere = ("https://", "http://")
    named = {id_ for entity in entities for id_ in references(list(entity.values()))}
    assert [id_ for id_ in named - by_id.keys() if not id_.startswith(elsewhere)] == []


def test_steps_tools_and_actions_hang_together_as_the_profile_wants(graph):
    by_id, entities = graph
    workflow = by_id["Snakefile"]
    assert {"File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"} == set(
        workflow["@type"]
    )
    for step in workflow["step"]:
        tool = by_id[step["@id"]]["workExample"]
        assert tool in workflow["hasPart"]
        action = by_id[step["@id"].replace("#step-", "#action-")]
        assert action["instrument"] == tool and action["result"]
    organised = by_id["#organise"]
    controls = [entity for entity in entities if entity["@type"] == "ControlAction"]
    assert {c["@id"] for c in organised["object"]} == {c["@id"] for c in controls}
    assert by_id["#run"]["instrument"] == {"@id": "Snakefile"}


def test_what_a_step_read_and_the_crate_does_not_hold_is_named_by_its_hash(graph):
    by_id, _ = graph
    raw = f"data/raw/{pretended.COHORT}/north/sessions.csv"
    assert by_id[f"#{raw}"]["sha256"] == pretended.of(raw)
    assert by_id[f"#{raw}"]["@type"] == "CreativeWork"


@pytest.mark.slow
def test_a_finished_run_is_packed_without_anything_private(finished_tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(finished_tiny.folder)
    config, results = Path("config/tiny.yaml"), Path("results/tiny")
    first, second = tmp_path / "a.zip", tmp_path / "b.zip"
    for out in (first, second):
        pack(config, results, out, TODAY)
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        names = set(archive.namelist())
        told = json.loads(archive.read(METADATA))
    described = {entity["@id"] for entity in told["@graph"] if "File" in entity["@type"]}
    assert described == names - {METADATA}
    assert {"results/tiny/report.html", "config/tiny.yaml", "README.md"} <= names
    private = ("private/", "data/raw/", "data/processed/")  # no truth: not simulated by us
    assert [name for name in names if name.startswith(private)] == []
    values = tiny.raw_values()
    text = json.dumps(told)
    assert [value for value in values if value in text] == []


def test_results_that_no_run_vouches_for_are_not_packed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny.write(tmp_path)
    (tmp_path / "results" / "tiny").mkdir(parents=True)
    with pytest.raises(ReportError, match="Run it again, then pack it"):
        pack(Path("config/tiny.yaml"), Path("results/tiny"), tmp_path / "a.zip", TODAY)
    assert not (tmp_path / "a.zip").exists()
