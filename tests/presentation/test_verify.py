"""The last step of a run: what is printed is checked, and the run stops if anything differs."""

import csv
import shutil

import pytest

from alliance import files
from alliance.errors import ReportError
from alliance.findings import Findings
from alliance.findings.results import read_results_as_fields
from alliance.findings.verify import verify
from alliance.tables.models import fixed_effects

REPORT = {"report.html": "audit/findings.json"}


def verified(results, documents=REPORT, **more):
    out = results.folder / "checks" / "printed_numbers.csv"
    further = [path for path in results.inputs["further"] if "measurement" in path.name]
    verify(
        documents=documents,
        fits=results.inputs["fits"],
        further=further,
        results_folder=results.folder,
        out=out,
        **more,
    )
    with out.open(encoding="utf-8", newline="") as stream:
        return {line["file"]: line for line in csv.DictReader(stream)}


@pytest.fixture(scope="module")
def good(otherwise, tmp_path_factory):
    """Return a copy of the results, each test of which leaves it as it was."""
    folder = tmp_path_factory.mktemp("verify") / "results" / "demo"
    root, here = otherwise.folder.parents[1], folder.parents[1]
    shutil.copytree(root, here, dirs_exist_ok=True)
    moved = {
        "fits": [folder / "fits" / path.name for path in otherwise.inputs["fits"]],
        "description": folder / "description.json",
        "further": [folder / path.name for path in otherwise.inputs["further"]],
    }
    return type(otherwise)(folder, moved, None)


def test_all_documents_and_tests_are_counted(good):
    tables = {f"tables/{path.name}": None for path in (good.folder / "tables").glob("*.html")}
    lines = verified(good, REPORT | tables)
    assert int(lines["report.html"]["findings"]) > 300
    assert int(lines["report.html"]["tests_recomputed"]) > 20
    assert int(lines["tables/fixed_effects.html"]["tests_recomputed"]) > 30
    assert int(lines["fits/alliance_growth.json"]["tests_recomputed"]) == 5
    assert int(lines["measurement.json"]["tests_recomputed"]) > 10
    assert all(line["differences"] in ("", "0") for line in lines.values())
    assert all(line["disagreements"] == "0" for line in lines.values())
    assert not (good.folder / "checks" / "printed_numbers_wrong.csv").exists()


@pytest.mark.parametrize("which", ["marked", "otherwise_marked"])
def test_fits_that_did_not_converge_do_not_stop_the_run(which, request):
    results = request.getfixturevalue(which)
    tables = {f"tables/{path.name}": None for path in (results.folder / "tables").glob("*.html")}
    assert verified(results, REPORT | tables)


def test_a_changed_page_stops_the_run_in_plain_words(good):
    before = good.html()
    good.report.write_text(before.replace("</main>", "<p>42 people</p></main>"), encoding="utf-8")
    try:
        with pytest.raises(ReportError) as stopped:
            verified(good)
    finally:
        good.report.write_text(before, encoding="utf-8")
    told = str(stopped.value)
    assert "What is printed is not what the files say" in told
    assert "report.html: digits that no finding vouches for: '42 people'" in told
    assert "Traceback" not in told
    wrong = good.folder / "checks" / "printed_numbers_wrong.csv"
    assert "42 people" in wrong.read_text(encoding="utf-8")
    assert verified(good)
    assert not wrong.exists()


def test_a_fit_that_contradicts_itself_stops_the_run(good):
    path = good.inputs["fits"][0]
    before = files.read_json(path)
    changed = before | {"estimates": [*before["estimates"]]}
    changed["estimates"][0] = before["estimates"][0] | {"p": 0.5}
    files.write_json(changed, path)
    try:
        with pytest.raises(ReportError, match=r"/estimates/0/p: p is 0\.5, but z ="):
            verified(good, {})
    finally:
        files.write_json(before, path)


def test_a_document_that_is_not_there_stops_the_run(good):
    with pytest.raises(ReportError, match="cannot be checked"):
        verified(good, REPORT | {"tables/none.html": None})


def test_a_word_document_and_its_markdown_are_checked_too(good, sibling):
    mock_word = sibling("mock_word")
    results = read_results_as_fields(**good.inputs)
    findings = Findings("t", document="manuscript/tables.docx")
    few = type(results)(results.fits[:1], results.about, results.further)
    (good.folder / "figures" / "dot.png").write_bytes(mock_word.DOT)
    document = mock_word.word_of(fixed_effects(few), findings, results.fits[1])
    files.write_bytes(document, good.folder / "manuscript" / "tables.docx")
    files.write_json(findings.as_json(), good.folder / "audit" / "manuscript_findings.json")
    files.write_text("Another text\n", good.folder / "manuscript" / "tables.md")
    word = {"manuscript/tables.docx": "audit/manuscript_findings.json"}
    line = verified(good, word)["manuscript/tables.docx"]
    assert int(line["findings"]) == len(findings.entries) > 20
    assert int(line["tests_recomputed"]) > 5
    with pytest.raises(ReportError, match="the words differ"):
        verified(good, word, same_words={"manuscript/tables.md": "manuscript/tables.docx"})
    with pytest.raises(ReportError):
        verified(good, {"report.html": "audit/manuscript_findings.json"})
    wrong = (good.folder / "checks" / "printed_numbers_wrong.csv").read_text(encoding="utf-8")
    assert "manuscript/tables.docx is in the list, but was not checked" in wrong
