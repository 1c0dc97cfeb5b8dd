"""The methods text says what was done and nothing else; HTML, Markdown and Word say the same."""

import html
import io
import json
import re
import sys
import types
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest
from markdown_it import MarkdownIt

from alliance import files
from alliance.findings import Findings, read_fields
from alliance.findings.check import check_page, read_page
from alliance.findings.formats import format_value
from alliance.findings.results import read_results_as_fields
from alliance.manuscript import Documents, collect_references, write_manuscript
from alliance.manuscript.blocks import Bullets, Document, Heading, Italic, Paragraph
from alliance.manuscript.html import html_blocks, write_html
from alliance.manuscript.markdown import write_markdown
from alliance.manuscript.methods import methods_text
from alliance.manuscript.references import read_references
from alliance.manuscript.results import results_text
from alliance.tables.layout import Cell, Part, Row, Table, heading

SENTENCES = {
    "growth": "multilevel growth models",
    "growth_shape": "ladder of models",
    "parallel_growth": "both outcomes at once",
    "coupling": "predicts the other at the next session",
    "joint_courses": "no client mean is taken",
    "panel_estimators": "no distribution of clients",
    "specifications": "one choice changed at a time",
    "agreement": "truth and bias model",
    "surface": "response surface",
    "actor_partner": "actor–partner interdependence",
    "therapists": "rest on latent means",
    "hazard": "hazard in discrete time",
    "continuous_time": "Cox regression",
    "by_site": "random-effects synthesis",
}


@dataclass
class Written:
    """A methods text, a results text and the folder that its numbers come from."""

    folder: Path
    document: Document
    found: Document
    inputs: dict

    @property
    def page(self):
        return write_html(self.document, Findings(prefix="h", document="manuscript/methods.html"))


def words_of_html(page):
    body = page.split("<main>")[1].split("</main>")[0] if "<main>" in page else page
    return normal(html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"</(h\d|p|li|td|th)>", " ", body))))


def normal(text):
    return " ".join(text.split())


@pytest.fixture
def written(mock, tmp_path):
    """Return a function that writes a cohort and its methods text into a folder."""
    return writer(mock, tmp_path)


@pytest.fixture(scope="module")
def plain(mock, tmp_path_factory):
    """Return the text of a cohort like the demo; tests must not change it."""
    return writer(mock, tmp_path_factory.mktemp("plain"))()


def writer(mock, folder):
    def write(fits=None, description=None):
        inputs = mock.write(folder, mock.fits() if fits is None else fits,
                            mock.description() if description is None else description)  # fmt: skip
        results = inputs["description"].parent
        inputs["run"] = results / "audit" / "run.json"
        files.write_json(mock.RUN, inputs["run"])
        place = results / "manuscript"
        references = place / "references.json"
        collect_references(**inputs, references=references, bibliography=place / "references.bib")
        material = (
            read_results_as_fields(inputs["fits"], inputs["description"], inputs["further"]),
            read_references(references, results),
            read_fields(inputs["run"], results),
        )
        return Written(results, methods_text(*material), results_text(*material), inputs)

    return write


def one_of(mock, family):
    """Return one fit of a family."""
    fits = [*mock.fits(), *mock.otherwise.fits(mock), mock.cox()]
    found = next((fit for fit in fits if fit["family"] == family), None)
    if family == "continuous_time":
        cox = mock.fact("cox", "Cox partial likelihood, ties by Efron")
        return found | {"engine": found["engine"] | {"estimator": cox}}
    if found is not None:
        return found
    estimates = [mock.estimate("a", 0.3, 0.1, label="Client follows therapist", level="partner")]
    return mock.fit("who_follows", family, estimates=estimates)


@pytest.mark.parametrize("family", SENTENCES)
def test_a_family_that_ran_is_described_and_no_other(family, mock, said):
    text = said([one_of(mock, family)])
    assert SENTENCES[family] in text
    for other, sentence in SENTENCES.items():
        assert (sentence in text) is (other == family), other


def test_plain_likelihood_is_called_so_and_names_its_models(mock, said):
    growth = one_of(mock, "growth")
    estimates = [e | {"estimator": mock.fact("mixed_ml", "")} for e in growth["estimates"]]
    by_ml = growth | {
        "engine": growth["engine"] | {"estimator": mock.fact("ml", "maximum likelihood")},
        "estimates": estimates, "model": "plain", "title": "Plain growth",
    }  # fmt: skip
    assert "were estimated by maximum likelihood" in said([by_ml])
    text = said([growth, by_ml])
    assert "were estimated by restricted maximum likelihood" in text
    assert "or maximum likelihood (the latter: “Plain growth”)" in text


@pytest.mark.parametrize("fate", ["refused", "failed"])
def test_models_without_a_result_are_told_as_tried_and_their_methods_are_not_claimed(
    fate, mock, said
):
    fits = [getattr(mock, fate)(one_of(mock, family)) for family in SENTENCES]
    text = said(fits, measurement=None)
    assert not [sentence for sentence in SENTENCES.values() if sentence in text]
    assert text.count(fits[0]["message"]) == len(fits)
    assert text.count("was tried and") == len(fits)
    for claim in ("Intervals are", "Multilevel models", "missing at random", "In formula", "rests"):
        assert claim not in text


def test_marks_stand_beside_the_models_that_have_them(mock, said):
    first, second, *_ = mock.fits()
    text = said([mock.singular(first), mock.disputed(second)])
    assert (
        "The fit is singular, at the boundary of what is possible (therapist: intercept)." in text
    )
    assert "finds other estimates" in text
    assert "The estimates agree" not in text


def test_without_models_nothing_is_said_of_any(said):
    text = said([])
    for word in (
        "Statistical Analysis",
        "missing at random",
        "Intervals are",
        "In formula",
        "tried",
    ):
        assert word not in text
    assert "Missing Data" in text
    assert "Software and Reproducibility" in text


def test_one_site_is_not_called_several(mock, said):
    text = said([mock.growth("alliance_growth", ("north",))], mock.description(("north",)))
    assert "at 1 site" in text
    assert "therapists in sites" not in text
    assert "The sites are" not in text
    assert "Sites entered as fixed effects" not in text


def test_without_therapists_nobody_speaks_of_them(mock, said):
    description = mock.description()
    for row in description["flow"]:
        row["therapists"] = 0
    fit = mock.growth("alliance_growth")
    fit["variance_components"] = [
        c for c in fit["variance_components"] if c["level"] != "therapist"
    ]
    fit["data"]["groups"] = [g for g in fit["data"]["groups"] if g["level"] != "therapist"]
    fit["equation"] = "alliance ~ 1 + log_weeks + (1 + log_weeks | client)"
    text = said([fit], description, measurement=None)
    assert "herapist" not in text
    assert "Sessions are nested in clients, clients in sites." in text


def test_without_dropout_nobody_speaks_of_it(mock, said):
    description = mock.description()
    for row in description["flow"]:
        row["dropout"] = 0
    leaving = mock.leaving()
    leaving["message"] = "Nobody is recorded as having dropped out, by the definition in use."
    leaving |= {"staying": [], "incidence": [], "by_session": [], "moves": []}
    for row in leaving["definitions"]:
        row["dropouts"] = 0
    text = said([mock.growth("alliance_growth")], description, dropout=leaving)
    for word in ("ropout", "dropped out", "Kaplan", "leaving"):
        assert word not in text


def test_a_cohort_without_anybody_says_so(mock, said):
    description = mock.description()
    for row in description["flow"]:
        row["clients"] = 0
    assert "The cohort has no client." in said([], description)


def test_simulated_data_are_called_so_and_others_are_not(mock, said):
    assert "The data are simulated" in said()
    assert "imulated" not in said(description=mock.description(simulated=False))


NO_CHANGES = {"changes": 0, "clients": 0, "percent": 0, "points": None, "session": None,
              "percent_reversed": None}  # fmt: skip
CHANGE = {
    "schema": "alliance-change-1",
    "measures": [
        {
            "measure": "symptoms", "label": "Symptoms", "rater": "client", "better": "lower",
            "clients": 50, "clients_used": 0, "left_out": [], "first": None, "last": None,
            "sd_of_first_scores": None, "improved": None,
            "reliability": 0.84, "functional": None, "cutoff": None, "reliable_points": None,
            "methods": [], "anchor": None, "by_site": None, "by_therapist": None, "plane": None,
            "message": "Fewer than 8 clients have two scores.",
            "sudden": {"least_points": None, "set_in_config": False, "steps_judged": 0,
                       "clients_judged": 0,
                       "gains": NO_CHANGES, "losses": NO_CHANGES, "message": "No reliability."},
        }
    ],
    "ruptures": [
        {
            "measure": "alliance", "label": "Alliance", "rater": "client", "better": "higher",
            "known_rule": None, "clients_with_scores": 5, "clients_used": 3, "fewest_scores": 4,
            "reliability": None, "rules": [], "agreement": [], "chance_model": None,
            "atlas": None, "message": "Fewer than 8 clients have 4 scored sessions or more.",
        }
    ],
    "observers": {"coders": 0, "sessions_coded": 0, "sessions_with_rupture": None,
                  "coded_from": 3, "agreement": [], "rules": [], "message": ""},
    "consequences": [], "cannot": [],
}  # fmt: skip


def test_change_that_could_not_be_judged_is_no_method(said):
    text = said(change=CHANGE)
    assert "change could not be judged: Fewer than 8 clients have two scores." in text
    assert "could not be identified: Fewer than 8 clients have 4 scored sessions or more." in text
    for word in ("Jacobson", "Tang", "Sudden gains and losses from", "by chance was estimated"):
        assert word not in text


def test_measures_are_described_by_their_keys_and_by_how_they_do_here(said):
    text = said()
    for words in (
        "clients filled in the The form (WAI-SR; Hatcher & Gillaspy, 2006), a form of 12 items",
        "Reversed items: 4, 10.",
        "up to 25% of a score's items may be missing",
        "“does not apply” (9; any item) counts as unanswered.",
        "The scoring key was taken from the literature and not compared with the form.",
        "(Cronbach, 1951",
    ):
        assert words in text, words


@pytest.mark.parametrize("kind", ["plain", "otherwise", "marked", "hostile"])
def test_every_number_is_a_finding_and_all_documents_say_the_same_words(kind, mock, written):
    fits = {
        "plain": mock.fits,
        "otherwise": lambda: [*mock.fits(), *mock.otherwise.fits(mock), mock.cox()],
        "marked": lambda: mock.otherwise.marked(mock),
        "hostile": lambda: [*hostile_fits(mock), *mock.otherwise.hostile(mock)],
    }[kind]()
    description = mock.description(title=mock.HOSTILE) if kind == "hostile" else mock.description()
    if kind == "hostile":
        for measure in description["measures"]:
            measure["label"] = measure["abbreviation"] = mock.HOSTILE
    made = written(fits, description)
    for document in (made.document, made.found):
        page = write_html(document, Findings(prefix="h"))
        assert check_page(page, made.folder) == []
        markdown = write_markdown(document)
        for options in ({"html": True}, {"html": True, "linkify": False}):
            rendered = MarkdownIt("commonmark", options).enable("table").render(markdown)
            tags = set(re.findall(r"<\s*/?\s*([A-Za-z0-9]+)", rendered))
            assert tags <= {"h1", "h2", "h3", "p", "em"}, tags
            assert words_of_html(rendered) == words_of_html(page)


def hostile_fits(mock):
    fits = mock.fits()
    for fit in fits:
        fit["title"] = fit["outcome"]["label"] = fit["equation"] = mock.HOSTILE
        fit["data"]["left_out"] = [{"reason": mock.fact("no_score", mock.HOSTILE), "rows": 260}]
        for entry in fit["estimates"]:
            entry["label"] = mock.HOSTILE
    return fits


PAYLOADS = (
    "<script>alert(1)</script>", "<!-- x", "&lt;b&gt;", "&#60;b>", "[x](javascript:alert(1))",
    "![x](http://h/y.png)", "<http://h>", "http://h.example/x", "www.h.example", "a@b.example",
    "**b** _i_ __b__ ~~s~~", "`code`", "```", "~~~", "# h", "#", "> q", "- l", "+ l", "* l",
    "1. l", "2) l", "---", "***", "===", "| a | b |", "a | b", "$x$", "$$y$$", "[^1]: note",
    "[x]: http://h", "\\", "\\<b>", "a\\", "a  \nb", "a\n\n# h", "    code", "\tcode", "::: x",
    "{{7*7}}", "<b", "a *b* c", "^sup^", ":smile:", "| --- |", "\u202egnp", "\x00",
)  # fmt: skip


def document_of(field):
    words = (Part(field),)
    cells = (Cell((Part(field),)), Cell((Part(field),)))
    table = Table("t", "Table", [heading("A"), heading("B")], [Row(cells), Row(cells)])
    blocks = [Heading(words), Paragraph(words), Paragraph(("x ", *words, " y")), Bullets((words,))]
    return Document("Title", [*blocks, Paragraph((Italic("i"), *words)), table])


@pytest.mark.parametrize("rules", ["commonmark", "gfm-like", "js-default"])
def test_no_payload_becomes_markup(rules, tmp_path):
    files.write_json(PAYLOADS, tmp_path / "a.json")
    reader = MarkdownIt(rules, {"html": True, "linkify": False}).enable("table")
    wanted = {"h1": 2, "h2": 2, "ul": 2, "li": 2, "em": 2, "strong": 2, "table": 2, "tr": 6,
              "th": 4, "td": 8, "thead": 2, "tbody": 2}  # fmt: skip
    for field in read_fields(tmp_path / "a.json", tmp_path):
        document = document_of(field)
        rendered = reader.render(write_markdown(document))
        tags = Counter(re.findall(r"<\s*/?\s*([A-Za-z0-9]+)", rendered))
        tags.pop("p")
        assert tags == wanted, (field.raw, rendered)
        shown = normal(format_value("text", field.raw))
        for page in (rendered, str(html_blocks(document, Findings()))):
            assert words_of_html(page).count(shown) >= 9, (field.raw, page)


def test_citations_and_the_list_of_references_are_the_same_works(mock, written):
    made = written([*mock.fits(), *mock.otherwise.fits(mock), mock.cox()])
    parts = [piece for block in made.document.blocks for piece in block.words
             if isinstance(piece, Part)]  # fmt: skip
    cited = {p.field.pointer for p in parts if p.format.startswith("citation")}
    listed = {p.field.pointer for p in parts if p.format.startswith("reference")}
    assert cited == listed
    entries = json.loads((made.folder / "manuscript" / "references.json").read_text())
    assert len(entries) == len(listed) > 20
    printed = [format_value("reference", entry) for entry in entries]
    body = words_of_html(made.page)
    positions = [body.index(normal(reference)) for reference in printed]
    assert positions == sorted(positions)
    bib = (made.folder / "manuscript" / "references.bib").read_text()
    assert re.findall(r"^@\w+\{([^,]+),", bib, re.M) == [entry["id"] for entry in entries]


def test_references_that_were_not_checked_or_have_no_title_are_named(said):
    body = said()
    assert "not read in a source: Hatcher & Gillaspy, 2006." in body
    assert "which the scoring key does not name: Hatcher & Gillaspy, 2006." in body


def test_headings_begin_at_the_level_that_the_page_has_room_for(plain):
    document = plain.document
    assert not re.findall(r"<h[12]", html_blocks(document, Findings()))
    assert "<h4 " in html_blocks(document, Findings())
    levels = [int(level) for level in re.findall(r"<h(\d)", write_html(document, Findings()))]
    assert levels[:2] == [1, 2]
    assert max(levels) == 3


def test_the_page_asks_nobody_for_anything(plain):
    page = plain.page
    assert "default-src 'none'" in html.unescape(page)
    assert not re.findall(r"<script|<iframe|\son\w+=|\ssrc=", page)
    assert re.findall(r'href="([^"]*)"', page) == ["data:,"]
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


@pytest.fixture
def stand_ins(monkeypatch):
    """Word files and paper tables are made elsewhere: here they are their text."""
    word, tables = types.ModuleType("alliance.manuscript.word"), types.ModuleType("t")

    def write_word(document, findings):
        return words_of_html(write_html(document, findings)).encode()

    word.write_word = write_word
    tables.table_document = lambda results: Document(
        "Tables", [Paragraph((Part(results.about["flow"][0]["clients"], "count"),))]
    )
    monkeypatch.setitem(sys.modules, "alliance.manuscript.word", word)
    monkeypatch.setitem(sys.modules, "alliance.manuscript.tables", tables)


def test_all_documents_are_written_with_one_list_of_their_numbers(plain, stand_ins):
    made = plain
    place = made.folder / "manuscript"
    outputs = {
        "methods_markdown": place / "methods.md",
        "methods_html": place / "methods.html",
        "methods_word": place / "methods.docx",
        "results_markdown": place / "results.md",
        "results_html": place / "results.html",
        "results_word": place / "results.docx",
        "tables_word": place / "tables.docx",
        "checklists_word": place / "checklists.docx",
        "findings": made.folder / "audit" / "manuscript_findings.json",
    }
    call = {
        **made.inputs,
        "references": place / "references.json",
        "documents": Documents(*(outputs[name] for name in Documents._fields)),
        "findings": outputs["findings"],
    }
    write_manuscript(**call)
    first = {name: path.read_bytes() for name, path in outputs.items()}
    entries = json.loads(first["findings"])["findings"]
    assert {entry["document"] for entry in entries} == {
        *(f"manuscript/{name}.{kind}" for name in ("methods", "results")
          for kind in ("html", "docx")), "manuscript/tables.docx"}  # fmt: skip
    assert outputs["checklists_word"].is_file()  # without a number: none was filled in here
    assert len({entry["id"] for entry in entries}) == len(entries)
    shown = {p.id: p.text for p in read_page(first["methods_html"].decode()).printed}
    own = {e["id"]: e["printed"] for e in entries if e["document"].endswith("methods.html")}
    assert shown == own
    assert first["methods_word"].decode() == words_of_html(first["methods_html"].decode())
    write_manuscript(**call)
    assert first == {name: path.read_bytes() for name, path in outputs.items()}


def test_the_mock_is_valid(mock):
    content = mock.measurement(mock.description())
    jsonschema.Draft202012Validator(mock.schema("measurement")).validate(content)
    jsonschema.Draft202012Validator(mock.schema("description")).validate(mock.description())
    jsonschema.Draft202012Validator(mock.schema("change")).validate(CHANGE)


def test_word_says_the_same_words(plain):
    word = pytest.importorskip("alliance.manuscript.word", reason="made by another module")
    content = word.write_word(plain.document, Findings(document="manuscript/methods.docx"))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        body = archive.read("word/document.xml").decode("utf-8")
    paragraphs = re.findall(r"<w:p[ >].*?</w:p>", body, re.DOTALL)
    texts = ["".join(re.findall(r"<w:t(?: [^>]*)?>([^<]*)</w:t>", p)) for p in paragraphs]
    assert normal(html.unescape(" ".join(texts))) == words_of_html(plain.page)
