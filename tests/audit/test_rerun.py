"""A crate that was unpacked elsewhere runs again to the same bytes, by one command."""

import shutil
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


@pytest.fixture(scope="module")
def project(finished_tiny, project_copy, tmp_path_factory):
    """The tiny cohort, which may not leave the lab, and its twin, both run."""
    folder = tmp_path_factory.mktemp("rerun") / "project"
    shutil.copytree(finished_tiny.folder, folder)
    made = project_copy(folder, made=True)
    for command in ("twin", "results"):
        cohort = "tiny" if command == "twin" else "tiny_twin"
        done = made.alliance(command, "--cohort", cohort)
        assert done.returncode == 0, done.stdout + done.stderr
    return made


def unpacked(project, cohort, folder):
    packed = project.alliance("crate", "--cohort", cohort)
    assert packed.returncode == 0, packed.stdout + packed.stderr
    with zipfile.ZipFile(project.folder / "crates" / f"{cohort}.zip") as archive:
        archive.extractall(folder)
    return (folder / "README.md").read_text()


def test_a_stranger_gets_the_same_bytes_from_the_twin(project, project_copy, tmp_path):
    readme = unpacked(project, "tiny", tmp_path)
    assert "make rerun COHORT=tiny_twin" in readme
    assert not (tmp_path / "data" / "raw" / "tiny").exists()
    assert not (tmp_path / "private").exists()
    told = tiny.raw_values()
    parts = [*(tmp_path / "config").rglob("*tiny*"), *(tmp_path / "data").rglob("*")]
    for path in filter(Path.is_file, [*parts, *(tmp_path / "results").rglob("*")]):
        content = path.read_bytes().decode("latin-1")
        assert [value for value in told if value in content] == [], path
    again = project_copy(tmp_path, made=True).alliance("rerun", "--cohort", "tiny_twin")
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stdout.endswith("Nothing differs: no file, estimate or word.\n")
    before, after = (results_of(f / "results" / "tiny_twin") for f in (project.folder, tmp_path))
    assert len(read_steps(tmp_path / "results" / "tiny_twin")) > 20
    assert before == after


def test_a_simulated_cohort_goes_along_with_its_data(project, tmp_path):
    readme = unpacked(project, "tiny_twin", tmp_path)
    assert "make rerun COHORT=tiny_twin\n" in readme and "not in the crate" not in readme
    one, other = (f / "data" / "raw" / "tiny_twin" for f in (project.folder, tmp_path))
    assert results_of(one) == results_of(other) != {}


def test_a_twin_that_was_changed_stays_at_home(project, tmp_path):
    table = next((project.folder / "results" / "tiny_twin" / "tables").glob("*.csv"))
    content = table.read_bytes()
    table.write_bytes(content + b"1")
    try:
        readme = unpacked(project, "tiny", tmp_path)
    finally:
        table.write_bytes(content)
    assert "twin" not in readme
    assert not (tmp_path / "results" / "tiny_twin").exists()
