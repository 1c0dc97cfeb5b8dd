"""A printed number is found by its id, by what is printed, and by its place in a table."""

import json

import pytest

from alliance.audit.parts import Part, as_text
from alliance.audit.printed import Asked, cells_of, find
from alliance.errors import ReportError

PAGE = """<p><data class="finding" id="f1">12</data></p>
<table id="t"><thead>
<tr><th rowspan="2">Site</th><th colspan="2">Alliance</th></tr>
<tr><th>Mean</th><th>SD</th></tr></thead>
<tbody><tr><th scope="row">North</th><td><data class="finding" id="f2">4.1</data></td>
<td><data class="finding" id="f3">\u22120.7</data></td></tr>
<tr><th scope="row">South</th><td><data class="finding" id="f4">4.1</data></td><td>–</td></tr>
</tbody></table>"""


def entry(id_, printed, document="report.html", place="sample"):
    numbers = {"value": 1.0, "format": "decimals:1", "source": "description.json", "pointer": "/a"}
    named = {"id": id_, "document": document, "place": place, "printed": printed}
    return numbers | named | {"also": []}


@pytest.fixture
def results(tmp_path):
    (tmp_path / "audit").mkdir()
    (tmp_path / "report.html").write_text(PAGE, encoding="utf-8")
    report = [entry("f1", "12"), entry("f2", "4.1"), entry("f3", "\u22120.7"), entry("f4", "4.1")]
    other = [entry("f1", "99", "tables/sample.html"), entry("w1", "12", "manuscript/methods.docx")]
    for name, entries in (("findings", report), ("tables_findings", other)):
        listed = json.dumps({"findings": entries})
        (tmp_path / "audit" / f"{name}.json").write_text(listed, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked(id="f2"), ("report.html", "f2")),
        (Asked(id="f1"), ("report.html", "f1")),
        (Asked(id="f1", document="sample.html"), ("tables/sample.html", "f1")),
        (Asked(printed="12", document="methods.docx"), ("manuscript/methods.docx", "w1")),
        (Asked(printed="-0.7"), ("report.html", "f3")),
        (Asked(printed="4.1", row="south"), ("report.html", "f4")),
        (Asked(row="North", column="Alliance, Mean"), ("report.html", "f2")),
        (Asked(row="North", column="SD"), ("report.html", "f3")),
    ],
)
def test_one_number_is_found_by_what_stands_on_the_page(results, asked, expected):
    found, _ = find(asked, results)
    assert (found.document, found.id) == expected


def test_a_cell_knows_the_headings_of_its_row_and_column(results):
    cells = cells_of(results, "report.html")
    assert (cells["f3"].table, cells["f3"].row, cells["f3"].column) == (
        "t",
        "North",
        "Alliance, SD",
    )
    assert "f1" not in cells


def test_several_numbers_are_named_and_none_is_said(results):
    with pytest.raises(ReportError, match=r"(?s)2 printed numbers fit.*North.*South"):
        find(Asked(printed="4.1"), results)
    with pytest.raises(ReportError, match="No printed number fits"):
        find(Asked(printed="77"), results)


def test_a_folder_without_findings_is_told(tmp_path):
    with pytest.raises(ReportError, match="no list of printed numbers"):
        find(Asked(id="f1"), tmp_path)


def test_text_shows_the_first_entries_of_long_parts():
    shown = as_text([Part("Code", [(str(n), "module") for n in range(30)])], most=3)
    assert shown.splitlines()[-1] == "  ... and 27 more"
