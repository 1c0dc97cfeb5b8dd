"""Courses of single clients lie in the private folder and nowhere else."""

import re
import shutil
import stat
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.text import Text

from alliance import files
from alliance.families.family import module_of
from alliance.figures import painters, private_courses, style
from alliance.figures.private_courses import WARNING, draw_private_courses
from alliance.running.provenance import library

ROOT = Path(__file__).resolve().parents[2]
MEASURES = {"alliance": {"label": "Alliance <b>$x$"}, "symptoms": {"label": "Symptoms"}}


def panel(clients=30):
    """Return a panel of two sites; the second client drops out, with a rupture before."""
    rows = [
        {
            "site": "north" if client < clients - 2 else "south",
            "client": f"c{client:016x}", "session": session,
            "alliance": 40.0 + client % 7 + session if session != 3 else None,
            "symptoms": 14.0 - session, "alliance_rupture": float(client == 1 and session == 4),
            "end_cause": "dropout" if client == 1 else "completed" if client % 3 else None,
        }
        for client in range(clients)
        for session in range(1, 6)
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"end_cause": "string"})


def draw(folder, table, measures=MEASURES):
    files.write_parquet(table, folder / "panel.parquet")
    courses = folder / "private" / "demo" / "courses.pdf"
    draw_private_courses(panel=folder / "panel.parquet", measures=measures, courses=courses)
    return courses


def texts_of(table, labels=None):
    labels = {name: m["label"] for name, m in MEASURES.items()} if labels is None else labels
    with style.in_house_style():
        pages = list(private_courses._pages(table, labels))
    return pages, [[t.get_text() for t in page.findobj(match=Text)]
                   for page in pages]  # fmt: skip


def test_only_its_owner_may_read_it_and_nothing_else_is_written(tmp_path):
    courses = draw(tmp_path, panel())
    assert stat.S_IMODE(courses.stat().st_mode) == 0o600
    assert stat.S_IMODE(courses.parent.stat().st_mode) == 0o700
    written = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert written == {"panel.parquet", "private/demo/courses.pdf"}
    content = courses.read_bytes()
    assert content.startswith(b"%PDF-")
    for word in (b"CreationDate", b"matplotlib", b"/tmp/", b"/home/"):
        assert word not in content
    first = content
    courses.unlink()
    assert draw(tmp_path, panel()).read_bytes() == first


def test_every_page_says_that_it_must_not_be_shared_and_every_client_is_there():
    pages, texts = texts_of(panel())
    assert len(pages) == 2  # 28 clients of one site, 2 of the other
    assert all(WARNING in words for words in texts)
    shown = {word for words in texts for word in words if re.fullmatch("c[0-9a-f]{16}", word)}
    assert shown == set(panel()["client"])
    assert any("dropped out, 5 sessions" in words for words in texts)
    assert any("end not known, 5 sessions" in words for words in texts)
    axes = pages[0].axes[0]
    marks = [line for line in axes.lines if line.get_marker() == "v" and len(line.get_xdata())]
    assert len(marks) == 1  # the one rupture


def test_a_cohort_without_scores_gets_one_page_that_says_so(tmp_path):
    for table, labels in ((panel().iloc[:0], None), (panel(), {})):
        pages, texts = texts_of(table, labels)
        assert len(pages) == 1
        assert any("Nothing to show here" in word for word in texts[0])
    assert draw(tmp_path, panel(3), measures={}).is_file()


def test_no_other_figure_reads_rows_of_persons():
    modules = library("figures", *map(module_of, painters().values()))
    behind = {Path(path) for path in modules if "figure" in path}
    assert behind
    for path in behind:
        assert "parquet" not in path.read_text(encoding="utf-8"), path.name
    assert not any(path.name == "private_courses.py" for path in behind)


@pytest.mark.slow
def test_nobody_of_the_demo_stands_in_its_results():
    """No pseudonym in any file of the results, the text of PDF included."""
    processed, results = ROOT / "data/processed/demo/panel.parquet", ROOT / "results/demo"
    if not (processed.is_file() and results.is_dir()):
        pytest.skip("the demo was not run here")
    clients = set(files.read_parquet(processed)["client"])
    assert len(clients) > 100
    for path in (p for p in results.rglob("*") if p.is_file()):
        content = path.read_bytes().decode("latin-1")
        if path.suffix == ".pdf" and shutil.which("pdftotext"):
            read = subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True)
            content += read.stdout.decode("utf-8", "replace")
        found = clients & set(re.findall(r"c[0-9a-f]{16}", content))
        assert not found, path.name
