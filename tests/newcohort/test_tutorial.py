"""docs/new-cohort.md, followed to the letter: every file written, every command run, in its order.

The public data is not part of the project: it is looked for in ALLIANCE_SHARED_DATA, else in
`../shared/data` beside the repository.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from alliance.config.cohort import PROJECT

SHARED = Path(os.environ.get("ALLIANCE_SHARED_DATA", PROJECT.parent / "shared" / "data"))
TUTORIAL = PROJECT / "docs" / "new-cohort.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
FOLDERS = {"suddengains": "suddengains", "lee2024": "lee2024_simulated", "ctn0094": "ctn0094"}


def chapter(name):
    """Return the blocks (kind, text) of the chapter about a cohort."""
    chapters = re.split(r"^## ", TUTORIAL.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (own,) = [text for text in chapters if f"make new-cohort COHORT={name}\n" in text]
    return BLOCK.findall(own)


def as_called(line):
    """Return a command of the tutorial as the Makefile runs it (make itself needs the lock)."""
    made = re.fullmatch(r"make ([a-z-]+) COHORT=(\w+)", line)
    if not made:
        return shlex.split(line.replace("../shared/data", str(SHARED)))
    command, name = made.groups()
    return [sys.executable, "-m", "alliance", command, "--cohort", name]


def follow(project, name):
    """Do what the chapter says; return the path of the panel."""
    environment = os.environ | {"PYTHONPATH": str(project.folder / "src")}
    said, ran = "", []
    for kind, text in chapter(name):
        if kind == "yaml":
            path = re.match(r"# (config/\S+\.yaml)\n", text).group(1)
            (project.folder / path).write_text(text, encoding="utf-8")
        elif kind == "sh":
            said = ""
            for line in text.strip().split("\n"):
                result = subprocess.run(
                    as_called(line), cwd=project.folder, env=environment, capture_output=True,
                    text=True, check=False,
                )  # fmt: skip
                said += result.stdout + result.stderr
                assert "Traceback" not in said, said
                ran.append((line, result.returncode))
        else:
            missing = [line for line in text.strip().split("\n") if line not in said]
            assert not missing, f"not said: {missing}\n{said}"
    assert ran[-1] == (f"make results COHORT={name}", 0), said
    return project.folder / "data" / "processed" / name / "panel.parquet"


@pytest.fixture
def panel_of(project):
    def run(name):
        if not (SHARED / FOLDERS[name]).is_dir():
            pytest.skip(f"the public data set {name} is not here ({SHARED.as_posix()})")
        return pd.read_parquet(follow(project, name))

    return run


def test_every_command_stands_in_the_makefile():
    targets = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), flags=re.MULTILINE)
    for command in re.findall(r"\bmake ([a-z-]+) [A-Z]+=", TUTORIAL.read_text(encoding="utf-8")):
        assert command in targets


@pytest.mark.slow
def test_suddengains(panel_of):
    """The inconsistently named file gives the panel of the consistently named one."""
    panel = panel_of("suddengains")
    right = pd.read_csv(SHARED / "suddengains" / "sgdata.csv")
    assert panel["client"].nunique() == len(right) == 43
    for measure, own in (("depression", "bdi"), ("rumination", "rq")):
        for session in range(13):
            wanted = right[f"{own}_s{session}"].dropna().sort_values().tolist()
            found = panel.loc[panel["session"] == session + 1, measure].dropna()
            assert found.sort_values().tolist() == wanted


@pytest.mark.slow
def test_lee2024(panel_of):
    panel = panel_of("lee2024")
    assert len(panel) == 80 and panel["client"].nunique() == 8
    assert panel["alliance"].between(12, 60).all()
    assert {"alliance_goal", "distress_depression"} <= set(panel.columns)


@pytest.mark.slow
def test_ctn0094(panel_of):
    panel = panel_of("ctn0094")
    assert len(panel) == 41002 and panel["site"].nunique() == 32
    assert panel["dropout_event"].sum() > 100
