"""The tiny cohort of the fault tests, run once for all tests of the audit."""

import importlib.util
from pathlib import Path

import pytest

_PATH = Path(__file__).parents[1] / "faults" / "tiny.py"
_SPEC = importlib.util.spec_from_file_location("tiny_cohort", _PATH)
tiny = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(tiny)


@pytest.fixture(scope="session")
def finished_tiny(tmp_path_factory, project_copy):
    """A project in which the tiny cohort was run; nothing in it may be changed."""
    project = project_copy(tmp_path_factory.mktemp("audit") / "project")
    tiny.write(project.folder)
    result = project.run("--cohort", "tiny", "--cores", "1")
    assert result.returncode == 0, result.stdout + result.stderr
    return project
