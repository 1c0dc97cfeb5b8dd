"""Machine code of the kernels is kept only while the sources are the same."""

import shutil

from alliance.mixed import compiling


def test_edited_source_forgets_all_kernels(tmp_path, monkeypatch):
    package = tmp_path / "mixed"
    cache = package / "__pycache__"
    cache.mkdir(parents=True)
    (package / "elimination.py").write_text("one = 1\n")
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
    (package / "elimination.py").write_text("one = 2\n")
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
