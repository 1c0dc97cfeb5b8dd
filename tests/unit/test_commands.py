"""The commands behind make: every target is one, a cohort is always named, nothing else runs."""

import re
import shutil
import subprocess
import sys

import pytest

from alliance.__main__ import COMMANDS, main
from alliance.config.cohort import PROJECT
from alliance.running.former import put_former_aside
from alliance.running.raw_folders import unread_places
from alliance.running.tools import TOOLS

MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
ANOTHER_NAME = {"demo-data": "simulate"}


def made(*arguments):
    if shutil.which("make") is None:
        pytest.skip("make is not here")
    return subprocess.run(
        ["make", "--dry-run", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False
    )


def test_every_target_is_a_command():
    targets = re.findall(r"^([a-z-]+):(?=.*##)", MAKEFILE, flags=re.MULTILINE)
    assert {ANOTHER_NAME.get(target, target) for target in targets} - {"help"} <= set(COMMANDS)
    assert {*TOOLS, "demo", "check", "results", "courses", "share", "new-cohort", "setup"} <= set(
        targets
    )


@pytest.mark.parametrize(
    "command", ["check", "results", "run", "courses", "share", "twin", "explain"]
)
def test_a_cohort_that_is_not_named_runs_nothing(command, capsys):
    assert main([command]) == 1
    told = capsys.readouterr().err
    assert "Which cohort?" in told and "COHORT=mylab" in told and "demo" in told


def test_a_cohort_that_is_misspelt_runs_nothing(capsys):
    assert main(["check", "--cohort", "demoo"]) == 1
    assert "There is no config for a cohort “demoo”" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["NAME=x", "COHROT=x", "cohort=x"])
def test_a_variable_that_is_misspelt_runs_nothing(given):
    result = made("check", given)
    assert result.returncode != 0
    assert "the cohort is named by COHORT" in result.stderr


def test_the_command_line_needs_nothing_but_python_to_set_up():
    """Before the environment is made there is no package to import."""
    code = (
        "import sys; sys.path.insert(0, 'src'); before = {*sys.modules}; import alliance.__main__;"
        "print(*sorted({n.partition('.')[0] for n in {*sys.modules} - before}"
        " - {*sys.stdlib_module_names}))"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=PROJECT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert result.stdout.split() == ["alliance"]


def test_folders_and_files_that_no_site_names_are_told(tmp_path):
    for name in ("north", "old_export", ".git"):
        (tmp_path / name).mkdir()
    for name in ("README.md", "loose.csv", "north/~$scores.xlsx", "north/scores.xlsx"):
        (tmp_path / name).touch()
    told = list(unread_places(tmp_path, ["north", "south"]))
    assert len(told) == 3
    assert "loose.csv lies beside the sites' folders" in told[0]
    assert "old_export is a folder that no site of the config names" in told[1]
    assert "the workbook scores.xlsx is open in Excel" in told[2] and "close Excel" in told[2]
    assert list(unread_places(tmp_path / "nowhere", ["north"])) == []


def test_results_of_models_that_are_no_longer_there_are_put_aside(tmp_path):
    names = ["fits/a.json", "fits/old.json", "figures/diagnostics_old.png", "figures/effects.png",
             "figures/diagnostics_a.svg", "tables/tests.csv"]  # fmt: skip
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("made", encoding="utf-8")
    assert put_former_aside(tmp_path, ["a", "new"]) == ["old"]
    left = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    aside = {"fits/old.json", "figures/diagnostics_old.png"}
    assert left == {*names} - aside | {f"former/{name}" for name in aside}
    assert put_former_aside(tmp_path, ["a"]) == []
