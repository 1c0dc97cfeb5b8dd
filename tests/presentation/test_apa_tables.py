"""Tables of a paper: one content, the same strings in HTML, LaTeX and Word."""

import html
import io
import random
import re
import shutil
import subprocess
import zipfile

import pytest

from alliance import files
from alliance.findings import Field, Findings
from alliance.findings.check import FIXED, check_page, read_page
from alliance.findings.formats import has_digit
from alliance.findings.results import read_results_as_fields
from alliance.manuscript.blocks import Bullets, Document, Fixed, Heading, Italic, Paragraph, Part
from alliance.manuscript.tables import table_document
from alliance.manuscript.word import write_word
from alliance.tables import table_names
from alliance.tables.apa import apa_tables
from alliance.tables.html import table_fragment, table_page
from alliance.tables.latex import table_latex
from alliance.tables.layout import Row, Spanner, Table, cell, group_row, heading, words
from alliance.tables.makers import maker_of

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
NUMBER = re.compile(r"(?:[<>]\u202f)?−?(?:\d{1,3}(?:,\d{3})+|\d+)?\.?\d+%?\**")


def page_of(results, name):
    return (results.folder / "tables" / f"{name}.html").read_text(encoding="utf-8")


def latex_of(results, name):
    return table_latex(maker_of(name)[0](results_as_fields(results)))


def results_as_fields(results):
    inputs = results.inputs
    return read_results_as_fields(inputs["fits"], inputs["description"], inputs["further"])


def words_of_html(page):
    body = page.split("<main>")[1].split("</h1>")[1]
    body = re.sub(r"</?(data|span|i)\b[^>]*>", "", body)
    return html.unescape(re.sub(r"(?s)<[^>]*>", "\x00", body.replace("<tbody>", HEAD_ENDS)))


HEAD_ENDS = "\x01"
BACK = {
    r"\ensuremath{-}": "−", r"\,": "\u202f", "~": "\u00a0", r"\textless{}": "<", r"\%": "%",
    r"\textgreater{}": ">", r"\ensuremath{\times}": "×", r"\_\allowbreak{}": "_",
}  # fmt: skip


def words_of_latex(latex):
    """Undo what LaTeX has of its own: widths, spans, rules; and its way to write some signs."""
    body = latex.split(r"\toprule")[1].split(r"\endgroup")[0]
    body = re.sub(r"p?b?\{\\dimexpr [\d.]+\\linewidth-2\\tabcolsep\\relax\}", "", body)
    body = re.sub(
        r"\\multicolumn\{\d+\}|\\cmidrule\(lr\)\{[\d-]+\}|\\addlinespace\[[\d.]+pt\]", "", body
    )
    body = re.sub(r"\\textsuperscript\{(\\ensuremath\{-\}|\d)\}", "^", body)
    for command, sign in {**BACK, r"\endhead": HEAD_ENDS}.items():
        body = body.replace(command, sign)
    return re.sub(r"[&{}]|\\\\", "\x00", body)


def numbers(text):
    return NUMBER.findall(re.sub("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]", "^", text))


@pytest.mark.parametrize("name", table_names())
def test_html_and_latex_print_the_same_numbers(otherwise, name):
    texts = words_of_html(page_of(otherwise, name)), words_of_latex(latex_of(otherwise, name))
    (head, body), (head_in_latex, body_in_latex) = (text.split(HEAD_ENDS) for text in texts)
    assert numbers(body) == numbers(body_in_latex)
    # a heading over two rows comes with the upper one in HTML and with the lower one in LaTeX
    assert sorted(numbers(head)) == sorted(numbers(head_in_latex))


@pytest.fixture(scope="module")
def in_word(otherwise):
    """Return the tables of a paper in Word, and their findings."""
    document = table_document(results_as_fields(otherwise))
    findings = Findings(prefix="t", document="manuscript/tables.docx")
    return document, write_word(document, findings), findings


def body_of(data):
    from lxml import etree

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return etree.fromstring(archive.read("word/document.xml")).find(f"{W}body")


def text_of(element):
    return "".join(node.text or "" for node in element.iter(f"{W}t"))


def test_html_and_word_print_the_same_numbers_in_the_same_cells(otherwise, in_word):
    document, data, _ = in_word
    tables = [block for block in document.blocks if isinstance(block, Table)]
    grids = list(body_of(data).iter(f"{W}tbl"))
    assert [table.name for table in tables] == list(apa_tables())
    for table, grid in zip(tables, grids, strict=True):
        page = page_of(otherwise, table.name)
        rows = re.findall(r"(?s)<tr.*?</tr>", page.split("<tbody>")[1])
        in_html = [
            [
                html.unescape(re.sub("<[^>]+>", "", c))
                for c in re.findall("(?s)<t[hd].*?</t[hd]>", r)
            ]
            for r in rows
        ]
        in_grid = [[text_of(c) for c in row.iter(f"{W}tc")] for row in grid.iter(f"{W}tr")]
        body = in_grid[len(in_grid) - len(in_html) :]
        for one, two in zip(in_html, body, strict=True):
            assert [numbers(text) for text in one] == [numbers(text) for text in two]
        assert sum(len(numbers(text)) for row in body for text in row) > 5


def test_every_page_tells_the_truth_and_the_list_has_all_of_it(otherwise):
    listed = files.read_json(otherwise.folder / "audit" / "tables_findings.json")["findings"]
    for name in table_names():
        page = page_of(otherwise, name)
        assert check_page(page, otherwise.folder) == []
        own = {e["id"]: e["printed"] for e in listed if e["document"] == f"tables/{name}.html"}
        assert {p.id: p.text for p in read_page(page).printed} == own


def test_a_content_control_for_every_finding_and_no_other_digit(in_word):
    _, data, findings = in_word
    body = body_of(data)
    controls = {}
    for control in body.iter(f"{W}sdt"):
        properties = control.find(f"{W}sdtPr")
        tag, alias = (properties.find(f"{W}{n}").get(f"{W}val") for n in ("tag", "alias"))
        controls[tag] = (alias, text_of(control))
    assert controls == {e.id: (e.alias, e.printed) for e in findings.entries}
    assert all(e.address.startswith(e.alias) and len(e.alias) <= 64 for e in findings.entries)
    for run in body.iter(f"{W}r"):
        if any(parent.tag == f"{W}sdt" for parent in run.iterancestors()):
            continue
        style = run.find(f"{W}rPr/{W}rStyle")
        if style is not None and style.get(f"{W}val") == "Fixed":
            assert FIXED.fullmatch(text_of(run)), text_of(run)
        else:
            assert not has_digit(text_of(run)), text_of(run)


def test_word_has_the_same_bytes_no_author_and_no_date(in_word):
    document, data, _ = in_word
    again = write_word(document, Findings(prefix="t", document="manuscript/tables.docx"))
    assert data == again
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
        assert "<dc:title>Tables</dc:title><dc:language>en-GB</dc:language>" in core
        assert not re.search("creator|created|modified|lastModifiedBy", core)
        assert 'w:val="en-GB"' in archive.read("word/styles.xml").decode()
        assert not has_digit(re.sub("<[^>]+>", "", archive.read("word/header1.xml").decode()))


def test_heads_of_word_tables_repeat_and_tables_have_a_title(in_word):
    _, data, _ = in_word
    for grid in body_of(data).iter(f"{W}tbl"):
        rows = list(grid.iter(f"{W}tr"))
        is_head = [row.find(f"{W}trPr/{W}tblHeader") is not None for row in rows]
        heads = sum(is_head)
        assert heads in (1, 2)
        assert all(is_head[:heads])
        assert grid.find(f"{W}tblPr/{W}tblCaption").get(f"{W}val")
        widths = [int(c.get(f"{W}w")) for c in grid.find(f"{W}tblGrid")]
        for row in rows:
            spans = [c.find(f"{W}tcPr/{W}gridSpan") for c in row.iter(f"{W}tc")]
            assert sum(1 if s is None else int(s.get(f"{W}val")) for s in spans) == len(widths)


def test_text_headings_and_lists_in_word():
    field = Field("description.json", "/n", 12)
    document = Document(
        "Methods",
        [
            Heading(("Participants",)),
            Paragraph(
                ("There were ", Part(field, "count", after=" clients"), ", ", Italic("p"), " ",
                 Fixed("< .05"), ".")
            ),
            Bullets((("one",), ("two",))),
            Paragraph(("A paper.",), hanging=True),
        ],
    )  # fmt: skip
    paragraphs = list(body_of(write_word(document, Findings())).iter(f"{W}p"))
    styles = [p.find(f"{W}pPr/{W}pStyle").get(f"{W}val") for p in paragraphs]
    assert styles == ["Title", "Heading1", "BodyText", "ListBullet", "ListBullet", "Reference"]
    assert text_of(paragraphs[2]) == "There were 12 clients, p < .05."


def test_spanners_name_their_columns_for_a_screen_reader(otherwise):
    table = maker_of("apa_correlations")[0](results_as_fields(otherwise))
    assert table.spanners
    page = str(table_fragment(table, Findings()))
    spans = [int(n) for n in re.findall(r'<colgroup span="(\d+)">', page)]
    assert sum(spans) == len(table.columns)
    heads = [int(n) for n in re.findall(r'<th scope="colgroup" colspan="(\d+)">', page)]
    assert heads == [n for n in spans if n > 1]
    head = page.split("<thead>")[1].split("</thead>")[0]
    assert head.count("<th ") == head.count('<th scope="col')


def test_no_number_of_a_fit_that_did_not_converge(marked):
    bad = [f["model"] for f in map(files.read_json, marked.inputs["fits"])
           if f["status"] in ("failed", "refused")]  # fmt: skip
    assert len(bad) == 3
    for name in apa_tables():
        page = page_of(marked, name)
        for model in bad:
            assert f"fits/{model}.json#/estimates" not in page
            assert f"fits/{model}.json#/variance_components" not in page
    assert "did not converge" in page_of(marked, "apa_growth")
    assert "There is no score of Alliance" in page_of(marked, "apa_coupling")


def test_many_models_stand_below_one_another(mock, results_of, tmp_path):
    fits = [mock.growth(f"growth_{letter}") for letter in "abcde"]
    results = results_of(tmp_path, fits=fits)
    page = table_page(maker_of("apa_growth")[0](results_as_fields(results)), Findings())
    assert all(f"fits/growth_{letter}.json#/" in page for letter in "abcde")
    assert "<colgroup" not in page
    assert "<i>SE</i></th>" in page
    assert "<i>df</i></th>" not in page  # these models are tested by the normal distribution
    assert check_page(page, results.folder) == []


def test_no_category_of_fewer_than_eight_clients_is_told(mock, results_of, tmp_path):
    description = mock.description()
    small = [k for k, row in enumerate(description["sample"]) if row["category"] is not None]
    for k in small:
        description["sample"][k] |= {"count": 7, "percent": 7.0}
    assert small
    results = results_of(tmp_path, description=description)
    for name in ("sample", "apa_sample"):
        page = table_page(maker_of(name)[0](results_as_fields(results)), Findings())
        assert "too few" in page
        for k in small:
            assert f"#/sample/{k}/count" not in page
            assert f"#/sample/{k}/percent" not in page


def test_an_empty_cohort_names_what_there_is_not(mock, results_of, tmp_path):
    empty = {key: [] for key in ("measures", "flow", "sample", "missing", "observed_courses")}
    description = mock.description() | empty
    results = results_of(tmp_path, fits=[], description=description)
    document = table_document(results_as_fields(results))
    assert not [block for block in document.blocks if isinstance(block, Table)]
    assert len(document.blocks) == 1 + len(apa_tables())
    assert write_word(document, Findings())


PIECES = (
    "\\input{/etc/passwd}", "\\write18{ls}", "$x$", "$$", "%", "&", "#1", "_", "^", "~", "{", "}",
    "\\", "\\\\", "*", "[2pt]", "--", "``", "''", "<<", "!`", "\\end{longtable}", "^^M", "\n\n",
    "\t", "é", "ß", "Ł", "ế", "−", "→", "≤", "τ²", "10⁻³", "中", "д", "🙂", "\u202e", "\ue000",
    "\ue004", "\ue011x", "{{7*7}}", "**b**", "<b>", "a", "PHQ-9", "\x00", "„", "\u200b", "ﬁ",
)  # fmt: skip


COMMANDS = {
    "multicolumn", "raggedright", "raggedleft", "centering", "arraybackslash", "dimexpr",
    "linewidth", "tabcolsep", "relax", "cmidrule", "midrule", "addlinespace", "endhead", "textbf",
    "textit", "textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater",
    "allowbreak", "ensuremath", "rightarrow", "leq", "tau", "textsuperscript", "texttt", "fbox",
    "quotedblbase", "ss", "L",
}  # fmt: skip


def nasty_table(n=200):
    rng = random.Random(20261127)
    labels = ["".join(rng.choices(PIECES, k=rng.randint(1, 5))) for _ in range(n)]
    fields = [Field("x.json", f"/{k}", label) for k, label in enumerate(labels)]
    table = Table("nasty", "Nasty labels", [heading("", numeric=False), heading("b")])
    table.columns += [heading("c")]
    table.spanners = [Spanner(cell(fields[0]), 1, 2)]
    for k, field in enumerate(fields):
        row = Row((cell(field), cell(fields[-k]), words("b")))
        table.rows.append(group_row(Part(field)) if k % 9 == 0 else row)
    table.notes = [(Part(fields[3]),)]
    return table


def test_nasty_labels_are_inert_in_latex():
    table = nasty_table()
    latex = table_latex(table)
    assert latex.isascii()
    body = latex.split(r"\toprule")[1].split(r"\bottomrule")[0]
    assert set(re.findall(r"\\([A-Za-z]+)", body)) <= COMMANDS
    assert not re.search(r"(?<!\\)[$#%]|(?<![\\\w])_", body)
    rows = [line for line in body.split(r"\endhead")[1].split("\n") if line.endswith(r" \\")]
    assert len(rows) == len(table.rows)
    assert not [row for row in rows if row.lstrip().startswith(("*", "["))]
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", body.replace(r"\\", "")):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0


def test_nasty_labels_are_text_in_word():
    data = write_word(Document("Nasty", [nasty_table(60)]), Findings())
    texts = "".join(text_of(p) for p in body_of(data).iter(f"{W}p"))
    assert "\\input{/etc/passwd}" in texts
    assert "\u202e" not in texts


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_pdflatex_sets_every_table_and_nasty_labels(otherwise, tmp_path):
    fragments = {name: latex_of(otherwise, name) for name in table_names()}
    fragments["nasty"] = table_latex(nasty_table())
    for name, latex in fragments.items():
        files.write_text(latex, tmp_path / f"{name}.tex")
    inputs = "\n".join(rf"\input{{{name}}}\clearpage" for name in fragments)
    packages = "array,booktabs,longtable,amssymb,pdflscape,caption"
    files.write_text(
        "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage[utf8]{inputenc}\n"
        f"\\usepackage{{{packages}}}\n\\begin{{document}}\n{inputs}\n\\end{{document}}\n",
        tmp_path / "all.tex",
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-no-shell-escape", "all.tex"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    log = (tmp_path / "all.log").read_text(encoding="latin-1")
    assert re.findall(r"(?m)^! .*", log) == []
    assert "Output written" in log
