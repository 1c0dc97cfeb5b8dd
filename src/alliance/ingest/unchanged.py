"""A file that is written while it is read gives neither the old export nor the new one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alliance import files
from alliance.errors import DataError


@contextmanager
def unchanged(paths: Iterable[str | Path]) -> Iterator[None]:
    """Raise `DataError` if a file is another one after the body than before."""
    listed = [Path(path) for path in paths]
    before = [_fingerprint(path) for path in listed]
    yield
    now = [_fingerprint(path) for path in listed]
    changed = [path for path, old, new in zip(listed, before, now, strict=True) if old != new]
    if changed:
        msg = (
            f"{', '.join(path.as_posix() for path in changed)} changed while it was read. Wait "
            "until whatever writes there has ended (an export, a cloud folder that is brought up "
            "to date), then run the same command again."
        )
        raise DataError(msg)


def _fingerprint(path: Path) -> str | None:
    """Return a file's hash; None where it cannot be read (the intake tells that)."""
    try:
        return files.sha256_of(path)
    except OSError:
        return None
