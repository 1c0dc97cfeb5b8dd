"""Let one run at a time write into a results folder, and never need unlocking by hand.

The lock is the operating system's on an open file: it is gone with the process that holds it,
however that ends (kill -9, power cut), so a plain rerun always works.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from alliance.errors import AllianceError

try:
    import fcntl
except ImportError:  # Windows
    import msvcrt


@contextmanager
def one_run_at_a_time(folder: str | Path) -> Iterator[None]:
    """Hold the lock of `folder` while the body runs.

    Raises
    ------
    AllianceError
        If another run holds it; names that run's process number.
    """
    path = Path(folder) / ".run"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="ascii") as stream:
        if not _locked(stream):
            stream.seek(0)
            other = stream.read().strip() or "unknown"
            msg = (
                f"Another run (process {other}) is writing into {folder}. Wait until it has ended, "
                "or stop it, then start again."
            )
            raise AllianceError(msg)
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield


def _locked(stream: IO[str]) -> bool:
    """Return whether the lock could be taken."""
    try:
        if "fcntl" in globals():
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            stream.seek(1 << 20)  # a byte far behind the content: Windows locks bytes, not files
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError:
        return False
    return True
