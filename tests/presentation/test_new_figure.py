"""A figure of the cohort as a whole takes two new files and two that are touched."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from alliance import files

ROOT = Path(__file__).resolve().parents[2]
NEW = {
    "clients_by_site.py": "alliance/figures/clients_by_site.py",
    "clients_by_site.html": "alliance/report/templates/figures/clients_by_site.html",
}
BEFORE = '{% include "figures/flow.html" %}'
PUBLISH = """
import json, sys
from pathlib import Path
from alliance.figures import painters, style
from alliance.figures.data import write_data
from alliance.families.family import load
from alliance.findings.results import read_results
from alliance.report import write_report

call = json.load(open(sys.argv[1]))
inputs = {key: call[key] for key in ("fits", "description", "further")}
with style.in_house_style():
    drawn = load(painters()["clients_by_site"])(read_results(**inputs))
    style.save(drawn, Path(call["figures_folder"]) / "clients_by_site")
    write_data(drawn, call["figures_folder"] + "/clients_by_site.csv")
write_report(**call)
"""


def write_figure(package):
    """Follow the walk of docs/contributing.md in a copy of the package."""
    for name, place in NEW.items():
        shutil.copy(ROOT / "tests" / "dummy_figure" / name, package / place)
    lists = package / "alliance" / "figures" / "__init__.py"
    line = '        "flow",\n'
    text = lists.read_text(encoding="utf-8")
    assert text.count(line) == 1
    lists.write_text(text.replace(line, f'{line}        "clients_by_site",\n'), encoding="utf-8")
    (section,) = [
        path
        for path in (package / "alliance" / "report" / "templates").rglob("*.html")
        if BEFORE in path.read_text(encoding="utf-8")
    ]
    text = section.read_text(encoding="utf-8")
    own = BEFORE.replace("flow", "clients_by_site")
    section.write_text(text.replace(BEFORE, f"{BEFORE}\n{own}"), encoding="utf-8")


@pytest.mark.slow
def test_a_figure_is_two_files_and_two_lines(results_of, tmp_path):
    package = tmp_path / "src"
    shutil.copytree(ROOT / "src", package, ignore=shutil.ignore_patterns("__pycache__"))
    write_figure(package)
    changed = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*")
        if path.is_file()
        and (
            not (ROOT / "src" / path.relative_to(package)).is_file()
            or path.read_bytes() != (ROOT / "src" / path.relative_to(package)).read_bytes()
        )
    }
    assert set(NEW.values()) < changed
    assert len(changed) == 4

    results = results_of(tmp_path / "cohort").publish(figures=False)
    call = tmp_path / "call.json"
    results.write_report(lambda **given: files.write_json(as_text(given), call))
    run = subprocess.run(
        [sys.executable, "-c", PUBLISH, str(call)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(package), "PATH": "", "MPLCONFIGDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    page = results.html()
    assert 'id="figure-clients_by_site"' in page
    clients = [row for row in rows_of(results) if row["site"] != "all"]
    assert clients and all(f"{row['clients']:,}" in page for row in clients)
    assert (results.folder / "figures" / "clients_by_site.csv").is_file()
    assert results.differences() == []


def rows_of(results):
    return files.read_json(results.inputs["description"])["flow"]


def as_text(given):
    """Return the call with paths as text."""
    if isinstance(given, dict):
        return {key: as_text(value) for key, value in given.items()}
    if isinstance(given, list | tuple):
        return [as_text(value) for value in given]
    return str(given) if isinstance(given, Path) else given
