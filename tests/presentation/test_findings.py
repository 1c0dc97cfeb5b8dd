"""Every printed number equals its source, and the check finds every planted change."""

import json
import re
import shutil
from pathlib import Path

import pytest

from alliance import files
from alliance.findings import Field, Findings, check_findings, read_fields
from alliance.findings.check import check_page, read_page
from alliance.findings.fields import Sources
from alliance.tables import table_names

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "results" / "demo"


def test_a_field_knows_its_address(tmp_path):
    files.write_json({"a/b": [{"x~y": 1}, {"x~y": 2}]}, tmp_path / "fits" / "one.json")
    field = read_fields(tmp_path / "fits" / "one.json", tmp_path)["a/b"][-1]["x~y"]
    assert field.address == "fits/one.json#/a~1b/1/x~0y"
    assert Sources(tmp_path).look_up(field.address) == field.raw == 2


def test_text_without_digits_needs_nobody_to_vouch_for_it():
    findings = Findings()
    assert findings.show(Field("a.json", "/x", "<b>")) == "&lt;b&gt;"
    assert not findings.entries
    assert 'class="finding"' in findings.show(Field("a.json", "/x", "PHQ-9"))
    assert len(findings.entries) == 1


def test_a_missing_value_is_a_dash_and_no_finding():
    findings = Findings()
    assert "–" in findings.show(Field("a.json", "/x", None), "decimals:2")
    assert not findings.entries


@pytest.mark.parametrize("which", ["published", "marked", "otherwise", "otherwise_marked"])
def test_the_page_agrees_with_its_sources_and_its_list(which, request):
    results = request.getfixturevalue(which)
    assert results.differences() == []
    assert len(files.read_json(results.findings)["findings"]) > 300


ASKED_OTHERWISE = (
    "growth_shape",
    "tests",
    "apa_by_site",
    "panel_estimators",
    "therapists",
)  # empty where no model is asked otherwise
OF_CHANGE = (  # empty without change.json: tests/presentation/test_change.py reads them
    "change_classes",
    "change_by_site",
    "sudden_changes",
    "rupture_rules",
    "rule_agreement",
    "coder_agreement",
    "after_events",
)


def _tables(*results, without=()):
    left_out = (*OF_CHANGE, *without)
    return [(name, which) for which in results for name in table_names() if name not in left_out]


# every fit that it shows did not converge or was refused, so it has no number
NO_RESULT = {
    (name, "otherwise_marked") for name in ("apa_by_site", "panel_estimators", "therapists")
}
EVERY_TABLE = [
    *_tables("published", "marked", without=ASKED_OTHERWISE),
    *_tables("otherwise", "otherwise_marked"),
]


@pytest.mark.parametrize(("name", "which"), EVERY_TABLE)
def test_every_table_agrees_with_its_sources(name, which, request):
    results = request.getfixturevalue(which)
    page = (results.folder / "tables" / f"{name}.html").read_text(encoding="utf-8")
    assert check_page(page, results.folder) == []
    assert bool(read_page(page).printed) == ((name, which) not in NO_RESULT)


def test_every_finding_says_where_it_stands(published):
    sources = Sources(published.folder)
    for entry in files.read_json(published.findings)["findings"]:
        assert entry["place"]
        assert sources.look_up(f"{entry['source']}#{entry['pointer']}") == entry["value"]


def test_the_demo_agrees_number_by_number(tmp_path):
    """The real demo, written anew from its fits, so that the templates of now are tested."""
    descriptions = [DEMO / "description.json", DEMO / "measurement.json"]
    needed = [*descriptions, DEMO / "audit" / "run.json", DEMO / "fits"]
    if not all(path.exists() for path in needed):
        pytest.skip("results/demo is not there: run `make demo` first")
    from alliance.figures import diagnostics_figures, painters
    from alliance.report import write_report

    results, raw = tmp_path / "results" / "demo", tmp_path / "data" / "raw" / "demo"
    shutil.copytree(DEMO / "fits", results / "fits")
    for path in (*descriptions, DEMO / "audit" / "run.json"):
        files.write_bytes(path.read_bytes(), results / path.relative_to(DEMO))
    truth = ROOT / "data" / "raw" / "demo" / "truth.json"
    files.write_bytes(truth.read_bytes(), raw / "truth.json")
    fits = {path.stem: files.read_json(path) for path in (results / "fits").glob("*.json")}
    for name in (*painters(), *diagnostics_figures(fits).values()):
        files.write_text(
            "<svg xmlns='http://www.w3.org/2000/svg'/>", results / f"figures/{name}.svg"
        )
    report, findings = results / "report.html", results / "audit" / "findings.json"
    write_report(
        fits=sorted((results / "fits").glob("*.json")),
        description=results / "description.json",
        further=[results / "measurement.json"],
        figures_folder=results / "figures",
        truth=raw / "truth.json",
        run=results / "audit" / "run.json",
        report=report,
        findings=findings,
    )
    assert check_findings(report, findings, results) == []


# Planted changes: each must be found. Five hundred more are in test_planted_changes.py.


@pytest.fixture
def copy(without_pictures, tmp_path):
    """Return a copy of the results, at the same distance from the truth, to be spoilt."""
    root = without_pictures.folder.parents[1]
    shutil.copytree(root, tmp_path / "root")
    folder = tmp_path / "root" / without_pictures.folder.relative_to(root)
    return type(without_pictures)(folder, {}, None)


def differences_of(results, html):
    results.report.write_text(html, encoding="utf-8")
    return results.differences()


DATA = '<data class="finding" id="{id}" value="1" title="{source}#/x" data-format="count">1</data>'


@pytest.mark.parametrize(
    "planted",
    [
        "<p>The effect was .42.</p>",
        "<p>x²</p>",
        '<span class="fixed">Figure 99 shows 12 people</span>',
        '<img alt="a rise of 3 points">',
        DATA.format(id="f1", source="description.json"),
        DATA.format(id="new", source="nowhere.json"),
    ],
)
def test_a_number_that_nobody_vouches_for_is_found(copy, planted):
    assert differences_of(copy, copy.html().replace("</main>", planted + "</main>"))


def test_another_window_title_is_found(copy):
    html = re.sub("<title>.*</title>", "<title>5 clinics</title>", copy.html())
    assert differences_of(copy, html)


def test_another_picture_is_found(copy):
    files.write_text("<svg/>", copy.folder / "figures/flow.svg")
    assert any("figures/flow.svg" in difference for difference in copy.differences())


def test_a_source_that_changed_after_the_report_is_found(copy):
    path = copy.folder / "fits" / "alliance_to_symptoms.json"
    fit = files.read_json(path)
    fit["estimates"][1]["estimate"] *= 1.5
    files.write_json(fit, path)
    assert len(copy.differences()) >= 2  # text and value


def test_the_list_is_checked_as_well(copy):
    listed = json.loads(copy.findings.read_text(encoding="utf-8"))
    for name in ("printed", "format", "pointer", "source", "value"):
        changed = json.loads(json.dumps(listed))
        changed["findings"][20][name] = "changed"
        files.write_json(changed, copy.findings)
        assert copy.differences(), name
    del listed["findings"][20]
    files.write_json(listed, copy.findings)
    assert copy.differences()
