"""A damaged results folder is found by `verify`; a clean one gives no alarm."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from alliance import files
from alliance.audit.certificate import checks_of
from alliance.audit.whole import wholeness
from alliance.running.steps import read_steps

DAMAGES, SEED = 1000, 23
TEXTS = (".json", ".csv", ".html", ".svg", ".tex", ".md", ".yaml")
RECORD = "audit/outputs.json"


@pytest.fixture(scope="module")
def results(finished_tiny, tmp_path_factory):
    """A copy of the results alone, as somebody else would be given it."""
    folder = tmp_path_factory.mktemp("given") / "results" / "tiny"
    shutil.copytree(finished_tiny.folder / "results" / "tiny", folder)
    return folder


@pytest.fixture(scope="module")
def hashed(results):
    """Return the hash of a file, read again only where a test has written it."""
    known = {}

    def sha256_of(path):
        state = path.stat()
        key = (path, state.st_mtime_ns, state.st_size)
        if key not in known:
            known[key] = files.sha256_of(path)
        return known[key]

    return sha256_of


def of_the_run(results):
    """Return the files that a run vouches for, and its list."""
    listed = files.read_json(results / RECORD)
    here = [results / place.removeprefix("results/tiny/") for place in listed]
    return [path for path in here if path.is_file()] + [results / RECORD]


def byte(content, chance):
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :]


def number(content, chance):
    digits = list(re.finditer(rb"[0-9]", content))
    at = chance.choice(digits).start()
    other = chance.choice([d for d in b"0123456789" if d != content[at]])
    return content[:at] + bytes([other]) + content[at + 1 :]


def row(content, chance):
    lines = content.splitlines(keepends=True)
    del lines[chance.randrange(len(lines))]
    return b"".join(lines)


def damaged(kind, path, chance, every):
    content = path.read_bytes()
    if kind == "swapped":
        alike = [p for p in every if p.suffix == path.suffix and p.read_bytes() != content]
        return chance.choice(alike or [p for p in every if p != path]).read_bytes()
    return {"byte": byte, "number": number, "row": row}[kind](content, chance)


@pytest.mark.slow
def test_a_clean_folder_gives_no_alarm(results):
    checks = checks_of(results)
    assert [told for check in checks for told in check.wrong] == []
    assert {check.name for check in checks} == {
        "files", "configuration", "printed numbers", "tests", "fits"
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["byte", "number", "row", "swapped", "older"])
def test_every_damaged_file_is_found(results, hashed, kind):
    """`older`: a file that a later step reads is put back with its record and that of its step.

    What no step reads (checks/*.csv, run_config.yaml) cannot be found then: the seal tells of it.
    """
    every, chance = of_the_run(results), random.Random(f"{SEED}{kind}")
    texts = [p for p in every if p.suffix in TEXTS and re.search(rb"[0-9]", p.read_bytes())]
    read = {path for step in read_steps(results) for path in step.inputs}
    texts_read = [p for p in texts if f"results/tiny/{p.relative_to(results).as_posix()}" in read]
    missed = []
    for n in range(DAMAGES // 5):
        path = chance.choice(every if kind in ("byte", "swapped") else texts)
        before = {path: path.read_bytes()}
        if kind == "older":
            path = chance.choice(texts_read)
            before = put_back(results, path, number(path.read_bytes(), chance))
        else:
            path.write_bytes(damaged(kind, path, chance, every))
        if not wholeness(results, hashed).wrong:
            missed.append((n, path.relative_to(results)))
        for place, content in before.items():
            place.write_bytes(content)
    assert missed == []


def put_back(results, path, content):
    """Write a file with records that fit it, as an older run left them; return what was there."""
    place = f"results/tiny/{path.relative_to(results).as_posix()}"
    record = results / RECORD
    for step_file in (results / "audit" / "steps").glob("*.json"):
        step = files.read_json(step_file)
        if place in step["outputs"]:
            break
    before = {one: one.read_bytes() for one in (path, record, step_file)}
    path.write_bytes(content)
    step["outputs"][place] = files.sha256_of(path)
    files.write_json(step, step_file)
    listed = files.read_json(record)
    listed[place] = files.sha256_of(path)
    listed[f"results/tiny/audit/steps/{step_file.name}"] = files.sha256_of(step_file)
    files.write_json(listed, record)
    return before


@pytest.mark.slow
@pytest.mark.parametrize("how", ["gone", "added", "no record"])
def test_files_gone_added_and_unrecorded_are_found(results, tmp_path, how):
    copy = tmp_path / "results" / "tiny"
    shutil.copytree(results, copy)
    if how == "gone":
        (copy / "tables" / "scores.html").unlink()
    elif how == "added":
        (copy / "tables" / "better.html").write_text("<p>p = .001</p>")
    else:
        (copy / RECORD).unlink()
    assert wholeness(copy).wrong


@pytest.mark.slow
def test_a_number_changed_with_all_its_records_is_found_by_what_prints_and_recomputes_it(
    results, tmp_path
):
    copy = tmp_path / "results" / "tiny"
    shutil.copytree(results, copy)
    fit = copy / "fits" / "symptom_growth.json"
    content = json.loads(fit.read_text())
    content["estimates"][1]["p"] = 0.049
    files.write_json(content, fit)
    by_name = {check.name: check.wrong for check in checks_of(copy)}
    assert any("p is 0.049" in told for told in by_name["tests"])
    assert any("report.html" in told for told in by_name["printed numbers"])


@pytest.mark.slow
def test_it_runs_without_any_library_of_the_project(results):
    """`-S`: no site-packages, so that nothing but the standard library can be imported."""
    source = Path(__file__).parents[2] / "src"
    found = subprocess.run(
        [sys.executable, "-S", "-m", "alliance", "verify", str(results)],
        env=os.environ | {"PYTHONPATH": str(source)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout + found.stderr
    assert "nothing that was checked is wrong" in found.stdout
