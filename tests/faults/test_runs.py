"""A run that was killed, and results that were damaged: a plain rerun ends with the same bytes.

A sample of what `make faults` does at length (docs/guarantees.md).
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def beside(name):
    """Import a module of this folder."""
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


runs, tiny = beside("runs"), beside("tiny")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]
ONE_OF_A_KIND = [
    "results/tiny/fits/alliance_growth.json", "results/tiny/figures/flow.svg",
    "results/tiny/tables/sample.csv", "results/tiny/description.json",
    "results/tiny/audit/run.json", "results/tiny/report.html",
    "data/processed/tiny/sites/clinic/responses.parquet", "data/processed/tiny/panel.parquet",
    "private/tiny/ids_clinic.csv", "private/tiny/outputs.json",
]  # fmt: skip


def test_damaged_and_killed_runs_end_with_the_same_bytes(tmp_path, project_copy):
    project = project_copy(tmp_path / "Größe & 'Co', project #1")
    tiny.write(project.folder)
    status, said = runs.run(project.folder)
    assert status == 0, said
    whole = runs.bytes_made(project.folder)
    assert runs.shared_files_with(project.folder, tiny.raw_values()) == []
    # damaged in every place, and the run that mends it is killed as well
    chance = runs.seeded(1)
    runs.damage_some(project.folder, [name for name in ONE_OF_A_KIND if name in whole], chance)
    said, _, left = runs.killed_run(project.folder, "launcher", after_s=12)
    assert left == {}
    # however far the killed run came, the next one has to read the files again
    (project.folder / "data/processed/tiny/sites/clinic/responses.parquet").unlink(missing_ok=True)
    first = subprocess.Popen(**runs.command(project.folder))
    while "Read and check" not in first.stdout.readline():
        assert first.poll() is None, "ended without reading"
    status, said = runs.run(project.folder)
    assert status != 0
    assert f"process {first.pid} on" in said
    said = first.communicate()[0]
    assert first.returncode == 0, said
    assert "Traceback" not in said
    assert runs.bytes_made(project.folder) == whole
