"""The tiny cohort of the fault tests, run once for all tests of the audit."""

import importlib.util
from pathlib import Path

import pytest

_PATH = Path(__file__).parents[1] / "faults" / "tiny.py"
_SPEC = importlib.util.spec_from_file_location("tiny_cohort", _PATH)
tiny = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tiny)


PLANNED, RUN = "outcome: alliance, time: log_weeks", "outcome: alliance, time: session"


@pytest.fixture(scope="session")
def rerun_tiny(tmp_path_factory, project_copy):
    """A project whose plan was frozen, then run, then run with another choice; and both reports."""
    project = project_copy(tmp_path_factory.mktemp("audit") / "project")
    tiny.write(project.folder)
    frozen = project._call("-m", "alliance", "freeze", "--cohort", "tiny")
    assert frozen.returncode == 0, frozen.stdout + frozen.stderr
    config = project.folder / "config" / "tiny.yaml"
    reports = []
    for choice in (PLANNED, RUN):
        config.write_text(config.read_text().replace(PLANNED, choice))
        result = project.run("--cohort", "tiny", "--cores", "1")
        assert result.returncode == 0, result.stdout + result.stderr
        reports.append((project.folder / "results/tiny/report.html").read_text(encoding="utf-8"))
    return project, reports


@pytest.fixture(scope="session")
def finished_tiny(rerun_tiny):
    """The project after its last run; nothing in it may be changed."""
    return rerun_tiny[0]
