"""A copy of the project in a temporary folder, to run, edit and break."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import alliance  # noqa: F401  before openpyxl: it says how openpyxl writes

ROOT = Path(__file__).resolve().parents[1]
PARTS = ["Snakefile", "workflow", "profiles", "src", "config", "requirements.lock"]


class Project:
    """The copied project; `run` is `make demo`, `would_run` a dry run's rules."""

    def __init__(self, folder, made=False):
        self.folder = folder
        if made:
            return
        folder.mkdir(parents=True)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                # machine code of the kernels goes along: compiling it anew takes half a minute
                ignored = shutil.ignore_patterns("*.pyc")
                shutil.copytree(source, folder / part, ignore=ignored)
            else:
                shutil.copy2(source, folder / part)

    def copy_demo_data(self):
        shutil.copytree(ROOT / "data" / "raw" / "demo", self.folder / "data" / "raw" / "demo")

    def _call(self, *arguments, **environment):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder / "src")} | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *arguments, **environment):
        which = () if {"--cohort", "--config"} & {*arguments} else ("--cohort", "demo")
        return self._call("-m", "alliance", "run", *which, *arguments, **environment)

    def check(self, *arguments, **environment):
        which = () if {"--cohort", "--config"} & {*arguments} else ("--cohort", "demo")
        return self._call("-m", "alliance", "check", *which, *arguments, **environment)

    def alliance(self, *arguments, **environment):
        """Run a command of the program."""
        return self._call("-m", "alliance", *arguments, **environment)

    def would_run(self, config="config/config.yaml"):
        """Return the rules of a dry run with how many jobs each has."""
        result = self._call(
            "-m", "snakemake", "--dry-run", "--quiet", "rules", "--nolock",
            "--profile", "profiles/default",
            "--config", f"cohort_config={config}",
        )  # fmt: skip
        assert result.returncode == 0, result.stdout + result.stderr
        jobs = re.findall(r"^(\w+) +(\d+)$", result.stdout + result.stderr, flags=re.MULTILINE)
        return {rule: int(n) for rule, n in jobs if rule not in ("total", "all")}


def pytest_collection_modifyitems(items):
    """Mark as slow what runs the whole demo, and the studies that simulate and fit many times."""
    for item in items:
        needs_the_demo = "finished_demo" in getattr(item, "fixturenames", ())
        is_study = (ROOT / "tests" / "recovery") in item.path.parents
        if needs_the_demo or is_study or item.get_closest_marker("exhaustive"):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project")


@pytest.fixture(scope="session")
def project_copy():
    """Return what copies the project into a folder."""
    return Project


@pytest.fixture(scope="session")
def finished_demo(tmp_path_factory, worker_id):
    """The demo cohort, run once for all tests of all workers.

    Another worker may look at it at any time: a test that changes a file puts it back, and one that
    makes results anew takes a `project` of its own.
    """
    if os.environ.get("AUDIT_DEMO"):
        return Project(Path(os.environ["AUDIT_DEMO"]), made=True)
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent  # what the workers share
    folder, finished = base / "demo" / "project", base / "demo.finished"
    with open(base / "demo.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        project = Project(folder, made=folder.is_dir())
        if not finished.exists():
            project.copy_demo_data()
            result = project.run()
            finished.write_text(result.stdout + result.stderr if result.returncode else "")
        assert not finished.read_text(), finished.read_text()
    return project
