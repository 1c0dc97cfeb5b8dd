"""Let one run at a time write into a results folder, and never need unlocking by hand.

The lock is the operating system's on an open file: it is gone with the processes that hold it,
however they end (kill -9, power cut), so a plain rerun always works. The scheduler inherits it
(`Lock.fileno`), so that no second run begins while the first one's jobs are still ending.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from alliance.errors import AllianceError

try:
    import fcntl
except ImportError:  # Windows
    import msvcrt

PATIENCE_S = 5.0  # for the jobs of a run whose launcher was killed to be gone too


@dataclass(frozen=True, slots=True)
class Lock:
    """The lock's file descriptor, and whether the run before was stopped before its end."""

    fileno: int
    stopped_before: bool


@contextmanager
def one_run_at_a_time(folder: str | Path) -> Iterator[Lock]:
    """Hold the lock of `folder` while the body runs.

    Raises
    ------
    AllianceError
        If another run holds it; names that run's process number and machine.
    """
    path = Path(folder) / ".run"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8", errors="replace") as stream:
        if not _locked(stream) and not _freed(stream):
            process, host = _holder(stream)
            msg = (
                f"Another run (process {process} on {host}) is writing into {folder}. Wait until "
                "it has ended, or stop it, then start again."
            )
            raise AllianceError(msg)
        stream.seek(0)
        stopped_before = bool(stream.read())
        stream.truncate(0)
        stream.write(f"{os.getpid()} {socket.gethostname()}")
        stream.flush()
        yield Lock(stream.fileno(), stopped_before)
        stream.truncate(0)  # the same bytes after every run that came to its end


@contextmanager
def waiting_for_lock(path: Path) -> Iterator[None]:
    """Hold the lock on a file while the body runs, after whoever has it now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as stream:
        while not _locked(stream):
            time.sleep(0.02)
        yield


def _holder(stream: IO[str]) -> tuple[str, str]:
    """Return process number and machine of the run that holds the lock."""
    stream.seek(0)
    process, _, host = stream.read().strip().partition(" ")
    return process or "unknown", host or "this machine"


def _freed(stream: IO[str]) -> bool:
    """Return whether the lock came free: its holder was killed, and its jobs are just ending."""
    process, host = _holder(stream)
    end = time.monotonic() + PATIENCE_S
    while host == socket.gethostname() and not _is_alive(process) and time.monotonic() < end:
        time.sleep(0.05)
        if _locked(stream):
            return True
    return False


def _is_alive(process: str) -> bool:
    if os.name == "nt":  # no signal 0 there
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (ValueError, OSError):
        return True
    return True


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
