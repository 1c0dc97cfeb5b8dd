"""The guards of the house find what is planted: an arrow that runs back, a branch on prose."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import house_rules  # noqa: E402


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("families/specifications/model.py", "from alliance.report import SECTIONS"),
        ("measures/change.py", "from alliance.panel.build import panel_of"),
        ("mixed/fit.py", "from alliance.config.score_columns import TOTAL"),
    ],
)
def test_an_import_against_the_arrows_is_caught(tmp_path, module, line):
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    program = Path(sys.executable).with_name("lint-imports")

    def lint():
        environment = os.environ | {"PYTHONPATH": str(tmp_path / "src")}
        return subprocess.run([program, "--no-cache"], cwd=tmp_path, env=environment,
                              capture_output=True, text=True, check=False)  # fmt: skip

    planted = tmp_path / "src" / "alliance" / module
    planted.write_text(planted.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    found = lint()
    assert found.returncode == 1, found.stdout
    package, imported = module.split("/")[0], line.split()[1].split(".")[1]
    assert f"alliance.{package}" in found.stdout
    assert f"alliance.{imported}" in found.stdout


@pytest.mark.parametrize(
    "line",
    [
        'if "missing at random" in text: pass',
        'x = text == "the model was not fitted"',
        'x = text.startswith("Singular fit:")',
        'x = re.match("client fixed effects", text)',
        'x = text in ("client fixed effects", "first differences")',
    ],
)
def test_a_branch_on_prose_is_caught(line):
    assert house_rules.branches_on_prose(f"import re\n{line}\n") == [2]


@pytest.mark.parametrize(
    "line",
    [
        'x = code == "missing_at_random"',
        'x = f"{n} sessions of one client"',
        'x = text.startswith("et al")  # words of others',
        'x = {"a b": 1}[text]',
    ],
)
def test_codes_and_print_are_left_alone(line):
    assert house_rules.branches_on_prose(line) == []


def test_the_package_has_no_branch_on_prose():
    found = {
        path.relative_to(ROOT).as_posix(): lines
        for path in (ROOT / "src").rglob("*.py")
        if (lines := house_rules.branches_on_prose(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_a_module_of_more_than_one_concept_is_caught(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = Path("src/alliance/much.py")
    module.parent.mkdir(parents=True)
    module.write_text("a = 1\n" * house_rules.MOST_LINES, encoding="utf-8")
    assert house_rules.problems_of(module) == []
    module.write_text("a = 1\n" * (house_rules.MOST_LINES + 1), encoding="utf-8")
    assert house_rules.problems_of(module) == ["more than 400 lines: more than one concept"]


def test_no_module_of_the_package_is_longer():
    long = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "src").rglob("*.py")
        if path.read_text(encoding="utf-8").count("\n") > house_rules.MOST_LINES
    ]
    assert long == []
