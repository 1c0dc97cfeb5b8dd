"""Machine code of the kernels is kept only while the sources are the same."""

import ast
import importlib
import shutil
import warnings
from pathlib import Path

import pytest

from alliance.mixed import compiling
from alliance.running import compile_kernels


def test_edited_source_forgets_all_kernels(tmp_path, monkeypatch):
    package = tmp_path / "mixed"
    cache = package / "__pycache__"
    cache.mkdir(parents=True)
    (package / "elimination.py").write_text("import numba\none = 1\n")
    (package / "tables.py").write_text("one = 1\n")
    monkeypatch.setattr(compiling, "PACKAGE", package)
    monkeypatch.setattr(compiling, "STAMP", cache / "kernels.sha256")
    kernels = [cache / "patterns.f-1.py311.nbi", cache / "patterns.f-1.py311.1.nbc"]

    def left():
        compiling.forget_stale_kernels.cache_clear()
        compiling.forget_stale_kernels()
        return [path for path in kernels if path.exists()]

    left()
    for path in kernels:
        path.write_bytes(b"code")
    assert left() == kernels  # nothing changed
    (package / "tables.py").write_text("one = 2\n")
    assert left() == kernels  # no kernel there
    (package / "elimination.py").write_text("import numba\none = 2\n")
    assert left() == []
    compiling.forget_stale_kernels.cache_clear()


def test_a_package_without_write_access_is_no_error(tmp_path, monkeypatch):
    package = tmp_path / "gone"
    monkeypatch.setattr(compiling, "PACKAGE", package)
    monkeypatch.setattr(compiling, "STAMP", package / "__pycache__" / "kernels.sha256")
    shutil.rmtree(package, ignore_errors=True)
    compiling.forget_stale_kernels.cache_clear()
    compiling.forget_stale_kernels()
    assert not package.exists()
    compiling.forget_stale_kernels.cache_clear()


def test_kernels_use_nothing_from_files_without_kernels():
    """Else machine code would be kept that holds an old number or function."""
    root = compiling.PACKAGE.parent.parent
    files = {path.relative_to(root).with_suffix("") for path in compiling.kernel_files()}
    modules = {".".join(path.parts) for path in files}
    assert "alliance.mixed.elimination" in modules
    assert "alliance.mixed.logit.kernels" in modules
    for name in modules - {compiling.__name__}:
        module = importlib.import_module(name)
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        foreign = {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("alliance")
            and node.module not in modules
            for alias in node.names
        }  # fmt: skip
        for value in vars(module).values():
            python = getattr(value, "py_func", None)
            if python is not None:
                assert not foreign & set(python.__code__.co_names), (name, python.__name__)


@pytest.mark.parametrize("engine", compile_kernels.ENGINES)
def test_what_setup_compiles_can_be_fitted(engine):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # noise fits badly
        compile_kernels.ENGINES[engine]()
