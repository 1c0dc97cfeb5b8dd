"""The codebook says what is there: the real columns, the architecture's words, a valid package."""

import re
from pathlib import Path

import pandas as pd
import pytest

from alliance import files
from alliance.codebook.package import UNDESCRIBED, data_package
from alliance.codebook.page import render
from alliance.codebook.tables import PARTS, TABLES
from alliance.config.cohort import PROJECT
from alliance.config.instruments import load_instrument
from alliance.findings import Findings, check_findings, read_fields
from alliance.ingest.problems import COLUMNS as PROBLEM_COLUMNS

TYPES = {"str": "string", "string": "string", "object": "string", "bool": "boolean",
         "int64": "integer", "Int64": "integer", "float64": "number"}  # fmt: skip
NAME = re.compile(r"[a-z0-9._-]+")  # of packages and resources, by the standard


@pytest.fixture
def processed(finished_demo):
    return finished_demo.folder / "data" / "processed" / "demo"


@pytest.fixture
def package(processed):
    return files.read_json(processed / "datapackage.json")


@pytest.mark.slow
def test_every_processed_table_is_described(processed, package):
    on_disk = {path.name for path in processed.glob("*.parquet")}
    assert {resource["path"] for resource in package["resources"]} == on_disk
    assert [resource["name"] for resource in package["resources"]] == [t.name for t in TABLES]


@pytest.mark.slow
def test_fields_are_the_columns_that_are_there(processed, package):
    for resource in package["resources"]:
        frame = pd.read_parquet(processed / resource["path"])
        fields = resource["schema"]["fields"]
        assert [field["name"] for field in fields] == list(frame.columns)
        assert resource["rows"] == len(frame)
        assert resource["sha256"] == files.sha256_of(processed / resource["path"])
        for field in fields:
            column = frame[field["name"]]
            assert field["description"] != UNDESCRIBED, (resource["name"], field["name"])
            assert field["type"] == TYPES[str(column.dtype)]
            limits = field.get("constraints", {})
            if limits.get("required"):
                assert column.notna().all(), (resource["name"], field["name"])
            if "enum" in limits:
                assert set(column.dropna()) <= set(limits["enum"])
            low, high = field.get("range", (None, None))
            assert low is None or not (column < low).any()
            assert high is None or not (column > high).any()


@pytest.mark.slow
def test_keys_and_references_hold(processed, package):
    frames = {r["name"]: pd.read_parquet(processed / r["path"]) for r in package["resources"]}
    for resource in package["resources"]:
        frame, schema = frames[resource["name"]], resource["schema"]
        if "primaryKey" in schema:
            assert not frame.duplicated(schema["primaryKey"]).any()
        for reference in schema.get("foreignKeys", []):
            other = frames[reference["reference"]["resource"]]
            fields = reference["reference"]["fields"]
            known = pd.MultiIndex.from_frame(other[fields])
            assert pd.MultiIndex.from_frame(frame[reference["fields"]]).isin(known).all()


@pytest.mark.slow
def test_the_page_prints_the_package(finished_demo):
    results = finished_demo.folder / "results" / "demo"
    listed = results / "audit" / "codebook_findings.json"
    assert check_findings(results / "codebook.html", listed, results) == []
    page = (results / "codebook.html").read_text(encoding="utf-8")
    assert "<script" not in page and ' style="' not in page
    assert "Read from" in page and "Therapieende" in page


def paragraph_of(table):
    """What docs/architecture.md says about a table."""
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    told = re.search(rf"^\*\*{table}\*\*(.*?)(?=^\*\*\w+\*\*|^## )", text, re.DOTALL | re.MULTILINE)
    return told.group(1) if told else None


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_architecture_tells_the_same(table):
    told = paragraph_of(table.name)
    assert told is not None, f"docs/architecture.md has no paragraph **{table.name}**"
    words = set(re.findall(r"\w+", told))
    if table.name == "implausible":
        assert "quarantine" in words
        return
    missing = [column.name for column in table.columns if column.name not in words]
    assert not missing
    if table.key:
        assert set(table.key) <= words


def test_the_architecture_names_every_part_of_a_score():
    told = paragraph_of("panel")
    assert [suffix for suffix, _ in PARTS if f"`m_{suffix}`" not in told] == []


def test_problems_have_the_columns_of_the_quarantine():
    for name in ("quarantine", "implausible"):
        (table,) = [table for table in TABLES if table.name == name]
        assert [column.name for column in table.columns] == list(PROBLEM_COLUMNS)


def test_names_fit_the_standard():
    assert all(NAME.fullmatch(table.name) for table in TABLES)
    empty = data_package(
        about={"cohort": "My_Lab", "title": "T", "simulated": False}, measures={}, keys={},
        mappings=[], tables=[],
    )  # fmt: skip
    assert empty["name"] == "my_lab" and empty["resources"] == []


def test_names_with_digits_are_vouched_for(tmp_path):
    processed, results = tmp_path / "data", tmp_path / "results"
    files.write_parquet(pd.DataFrame({"phq_9": [1.0], "age_2": [30]}), processed / "panel.parquet")
    made = data_package(
        about={"cohort": "trial_2", "title": "A trial in 2 clinics", "simulated": False},
        measures={"phq_9": {"label": "PHQ-9"}},
        keys={"phq_9": load_instrument(PROJECT / "config" / "instruments" / "phq-9.yaml")},
        mappings=[], tables=[processed / "panel.parquet"],
    )  # fmt: skip
    files.write_json(made, processed / "datapackage.json")
    files.write_json({"title": made["title"]}, results / "description.json")
    findings = Findings(document="codebook.html")
    page = render(read_fields(processed / "datapackage.json", results), findings)
    files.write_text(page, results / "codebook.html")
    files.write_json(findings.as_json(), results / "findings.json")
    assert check_findings(results / "codebook.html", results / "findings.json", results) == []


def test_a_column_that_nobody_described_is_told_as_such(tmp_path):
    clients = pd.DataFrame({"site": ["a"], "client": ["b"], "odd": [1.5]})
    files.write_parquet(clients, tmp_path / "clients.parquet")
    made = data_package(
        about={"cohort": "c", "title": "T", "simulated": False}, measures={}, keys={},
        mappings=[], tables=[tmp_path / "clients.parquet"],
    )  # fmt: skip
    field = made["resources"][0]["schema"]["fields"][2]
    assert field == {"name": "odd", "type": "number", "description": UNDESCRIBED}


def test_a_key_without_a_total_is_described(tmp_path):
    key = load_instrument(PROJECT / "config" / "instruments" / "dass-21.yaml")
    panel = pd.DataFrame({"d": [1.0], "d_anxiety": [2.0], "d_next": [0.0], "d_anxiety_next": [0.0]})
    files.write_parquet(panel, Path(tmp_path) / "panel.parquet")
    made = data_package(
        about={"cohort": "c", "title": "T", "simulated": False},
        measures={"d": {"label": "Distress"}}, keys={"d": key}, mappings=[],
        tables=[tmp_path / "panel.parquet"],
    )  # fmt: skip
    fields = made["resources"][0]["schema"]["fields"]
    assert UNDESCRIBED not in [field["description"] for field in fields]
