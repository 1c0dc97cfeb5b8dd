"""The notebooks run on a finished demo."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(finished_demo, path):
    place = finished_demo.folder / "notebooks" / path.name
    place.parent.mkdir(exist_ok=True)
    shutil.copy(path, place)
    notebook = nbformat.read(place, as_version=4)
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": place.parent}})
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert len(outputs) >= 4
    assert not any(output.output_type == "error" for output in outputs)
