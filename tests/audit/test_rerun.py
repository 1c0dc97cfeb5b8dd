"""A crate that was unpacked elsewhere runs again to the same bytes, by one command."""

import zipfile
from pathlib import Path

import pytest

from alliance.audit.whole import NO_RESULTS
from alliance.running.steps import read_steps

from .conftest import tiny

pytestmark = pytest.mark.slow


def results_of(folder):
    """Return the bytes of each result; logs and times are none."""
    return {
        within: path.read_bytes()
        for path in Path(folder).rglob("*")
        if path.is_file()
        and not (within := path.relative_to(folder).as_posix()).startswith(NO_RESULTS)
    }


def test_a_stranger_gets_the_same_bytes(project_copy, tmp_path):
    project = project_copy(tmp_path / "project")
    tiny.write(project.folder)
    (project.folder / "data" / "raw" / "tiny" / "truth.json").write_text('{"simulated": true}')
    run = project.run("--cohort", "tiny")
    assert run.returncode == 0, run.stdout + run.stderr
    packed = project.alliance("crate", "--cohort", "tiny")
    assert packed.returncode == 0, packed.stdout + packed.stderr

    elsewhere = tmp_path / "elsewhere"
    with zipfile.ZipFile(project.folder / "crates" / "tiny.zip") as archive:
        archive.extractall(elsewhere)
    assert "make rerun COHORT=tiny" in (elsewhere / "README.md").read_text()
    again = project_copy(elsewhere, made=True).alliance("rerun", "--cohort", "tiny")
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stdout.endswith("Nothing differs: no file, estimate or word.\n")
    before, after = (results_of(f / "results" / "tiny") for f in (project.folder, elsewhere))
    assert len(read_steps(elsewhere / "results" / "tiny")) > 20
    assert before == after
