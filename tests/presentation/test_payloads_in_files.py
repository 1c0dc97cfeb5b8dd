"""A thousand texts that would like to be code, as names of columns and files and as cells.

What the intake tells of such files is written into a configuration, a page and lists to be opened
in a spreadsheet program: there they are text.
"""

import csv
import io
import re
import shutil
import subprocess

import pandas as pd
import pytest

from alliance import files
from alliance.config import strict_yaml
from alliance.intake_page import write_intake_page
from alliance.newcohort import propose
from tests.ingest.conftest import Site, instrument

N_PAYLOADS, N_ITEMS = 1_000, 100
FURTHER = [
    "!!python/object/apply:os.system ['touch ran']", "!!python/name:os.system", "&a [*a, *a]",
    "{{ 7*7 }}", "{{ cycler.__init__.__globals__.os.popen('touch ran').read() }}", "{% raw %}",
    "{% include '/etc/passwd' %}", "$(touch ran)", "`touch ran`", "; touch ran #", "| touch ran",
    "&& touch ran", "$HOME", "%PATH%", "../../ran", "..\\..\\ran", "/etc/passwd", "C:\\ran",
    "~/ran", "file:///etc/passwd", "__import__('os').system('touch ran')", "exec('1')",
    "os.system('x')",
    "@import os", "I(__import__('os').system('x'))", "Q('x')", "\\input{/etc/passwd}",
    "\\write18{touch ran}", "\\immediate\\openout1=ran", "$$\\def\\x{\\x}\\x$$", "# heading",
    "[x](javascript:document.title=1)", "![x](https://payload.invalid/x.png)", "<!-- x -->", "---",
    "=cmd|'/c calc'!A1", "=HYPERLINK(\"https://payload.invalid\")", "+1+1", "-1+1", "@SUM(1)",
    "\t=1+1", "\r=1+1", "=1+1", "＝1+1", "DDE(\"cmd\";\"/c calc\";\"x\")", "{item}", "{session}",
    "{0.__class__}", "%s%n", "{{{}}}", "null", "yes", "- a", "? b", "key: value", "# comment",
    "'", '"', "\\", "a: &x b", "*x", "[", "]", "{", "}", "|", ">", "%TAG ! x", "\u2028", "\u202e",
]  # fmt: skip


def thousand(payloads):
    """Return a thousand different texts: those of the list, alone and within others."""
    plain = list(dict.fromkeys(map(str.strip, [*FURTHER, *payloads.payloads()])))
    around = ("{}", "Item {}", "{}: 1", '"{}"', "a\n{}")
    found = [
        shape.replace("{}", text) for shape in around for text in plain if text and "\0" not in text
    ]
    return list(dict.fromkeys(map(str.strip, found)))[:N_PAYLOADS]


@pytest.fixture(scope="module")
def texts(sibling):
    found = thousand(sibling("payloads"))
    assert len(found) == N_PAYLOADS
    return found


def table(rows):
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return stream.getvalue()


def test_a_proposed_configuration_holds_them_as_text(texts, tmp_path, monkeypatch):
    """As names of columns, and as words of a category that the configuration must name."""
    monkeypatch.chdir(tmp_path)
    raw = tmp_path / "data" / "raw" / "mylab" / "one"
    raw.mkdir(parents=True)
    words = texts[::37]
    head = ["client", "session", "end", *texts]
    rows = [[f"p{c}", s, words[c % len(words)], *["1"] * len(texts)]
            for c in range(4 * len(words)) for s in (1, 2)]  # fmt: skip
    (raw / "a.csv").write_text(table([head, *rows]), encoding="utf-8")
    made = propose(cohort="mylab", raw_folder=raw.parent, config_folder=tmp_path / "config")
    config, site = (strict_yaml.parse(path.read_text("utf-8"), path.name) for path in made.written)
    assert not {"cohort", "title", "sites"} - set(config.content)
    assert set(site.content) <= {"site", "title", "tables", "therapist_of_client", "same_as"}
    assert {p.relative_to(tmp_path).parts[0] for p in tmp_path.iterdir()} == {"data", "config"}


@pytest.mark.parametrize("end", ["\n", "\r", "\x85", "\u2028", "\u2029"])
def test_the_name_of_a_file_that_cannot_be_read_stays_a_comment(end, tmp_path):
    raw = tmp_path / "raw" / "one"
    raw.mkdir(parents=True)
    (raw / f"a{end}simulated: true{end}.csv").write_bytes(b"\x00")
    made = propose(cohort="mylab", raw_folder=raw.parent, config_folder=tmp_path / "config")
    assert made.unread
    for path in made.written:
        assert "simulated" not in strict_yaml.parse(path.read_text("utf-8"), path.name).content


@pytest.mark.slow
def test_the_data_page_and_the_lists_hold_them_as_text(texts, tmp_path, browser, opened, sibling):
    site = Site(tmp_path)
    names = [f"{text}.csv" for text in texts[:60] if not set(text) & set("/\\\0\n")]
    by_session, tables = {"rows": "session", "client": "id", "session": "nr"}, []
    for at, name in enumerate(names):
        own, missing = texts[at * N_ITEMS : (at + 1) * N_ITEMS], at * N_ITEMS >= N_PAYLOADS
        measures = {"alliance": {"items": "wai{item}" if missing else own}}
        tables.append({"file": name, **by_session, "measures": measures})
        if not missing:
            rows = [["P1", n, *["x"] * N_ITEMS] for n in (1, 2)]
            site.csv(name, table([["id", "nr", *own], *rows]))
    read = site.read(*tables, keys={"alliance": instrument("wai", N_ITEMS)})
    assert set(read.quarantine["rule"]) >= {"file-missing", "not-a-number"}
    folder, results = tmp_path / "tables", tmp_path / "results"
    for name in ("clients", "sessions", "responses", "quarantine", "ledger", "places"):
        files.write_parquet(getattr(read, name), folder / f"{name}.parquet")
    queries = results / "checks" / "queries_toy.csv"
    write_intake_page(
        cohort="toy", title=texts[0], simulated=False,
        measures={"alliance": {"instrument": "wai-sr-c", "label": texts[1]}},
        site_folders={"toy": folder}, description=results / "intake.json",
        page=results / "intake.html", findings=results / "audit" / "findings.json",
        queries=[queries],
    )  # fmt: skip
    with opened(browser, results / "intake.html", bypass_csp=True) as seen:
        seen.page.wait_for_timeout(500)
        assert seen.page.evaluate(sibling("test_payloads").INERT) == []
    assert seen.noise() == []
    with queries.open(encoding="utf-8-sig", newline="") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert not [cell for cell in cells if cell[:1] in set("=+-@\t\r\n")]
    assert not list(tmp_path.rglob("ran"))


def formulas_in(path, folder):
    """Return the formulas that LibreOffice sees in a CSV."""
    subprocess.run(
        ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/office", "--convert-to",
         "fods", "--outdir", str(folder), str(path)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    sheet = (folder / f"{path.stem}.fods").read_text(encoding="utf-8")
    return re.findall(r'table:formula="[^"]*"', sheet)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_sees_no_formula_in_a_list(texts, tmp_path):
    """As the program writes it none; as plain pandas would write it, some: so it looks."""
    frame = pd.DataFrame({text: [text, f" {text}", f"a\n{text}"] for text in texts})
    files.write_csv(frame, tmp_path / "ours.csv")
    frame.to_csv(tmp_path / "plain.csv", index=False)
    assert formulas_in(tmp_path / "plain.csv", tmp_path)
    assert not formulas_in(tmp_path / "ours.csv", tmp_path)
