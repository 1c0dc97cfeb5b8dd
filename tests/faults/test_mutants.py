"""A sample of the mutation study: no traceback, no leak, nothing lost, nothing changed in silence.

The whole study is `make faults`; its last figures stand in docs/guarantees.md.
"""

import importlib.util
import sys
from pathlib import Path

import pytest

N_SAMPLE = 64
HERE = Path(__file__).parent


def beside(name):
    """Import a module of this folder."""
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


mutants = beside("mutants")


@pytest.fixture(scope="module")
def oracle(made, make_keys, tmp_path_factory):
    return mutants.Oracle(made, tmp_path_factory.mktemp("mutants"), make_keys())


def test_a_sample_of_broken_variants(oracle, made, tmp_path):
    found = mutants.study(oracle, made, tmp_path, range(N_SAMPLE))
    wrong = found[found["kind"].isin(mutants.WRONG)]
    assert wrong.empty, wrong.to_string()
    assert (found["kind"] == "told").sum() > N_SAMPLE / 2


def test_the_oracle_sees_what_is_wrong(oracle):
    """A reader that kept silent, told a value or lost rows would not pass."""
    export = oracle.exports["csv"]
    lines = export.files["data.csv"].decode().splitlines(keepends=True)
    header, rows = export.cells
    dropped = mutants.Mutant(export, {"data.csv": "".join(lines[:-1]).encode()}, [])
    dropped.changed = "data.csv"
    assert oracle.judge(dropped).kind in ("unseen", "told")  # rows that went whole
    assert oracle.evidence(dropped) == ""
    for change, evidence in (
        ({"nr": "10001"}, "id or session"),
        ({"day": "2091-01-01"}, "date in the future"),
        ({"wai1": "9"}, "answer"),
        ({"sex": "x"}, "category"),
    ):
        row = [change.get(name, cell) for name, cell in zip(header, rows[0], strict=True)]
        broken = mutants.Mutant(export, {}, [], cells=(header, [row, *rows[1:]]))
        broken.changed, broken.files = "data.csv", {"data.csv": b""}
        assert oracle.evidence(broken) == evidence
