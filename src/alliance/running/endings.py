"""How anything that goes wrong ends: one sentence for the user, whoever's fault it is.

Three kinds: what the user can mend (`AllianceError`, told as it is), what the machine refuses (a
full disk, a folder that may not be read, no memory: told with what to do), and a defect of the
program (told with a code and the place of the log). The log of a defect holds lines of code, never
the text of the exception: that could quote a client's value.
"""

from __future__ import annotations

import errno
import hashlib
import os
import traceback
from pathlib import Path

from alliance.errors import AllianceError

AGAIN = "then run the same command again: it goes on where this run stopped."
STOPPED = f"Stopped. To go on, {AGAIN.removeprefix('then ')}"

_NO_SPACE = "The disk is full, or your share of it is used up ({path}). Make room, " + AGAIN
_NOT_ALLOWED = (
    "You may not read or write {path}. Ask whoever looks after this machine for the right to, or "
    "move the project to a folder of your own, " + AGAIN
)
_READ_ONLY = (
    "{path} lies on a disk that can only be read. Move the project to a disk that can be written "
    "to, " + AGAIN
)
_IN_THE_WAY = (
    "{path}: a file stands where a folder has to be, or a folder where a file has to be. Move it "
    "away or rename it, " + AGAIN
)
_NAME_TOO_LONG = "The name {path} is longer than the disk allows. Give it a shorter one, " + AGAIN
_GONE = (
    "{path} was there and is gone: it was moved or deleted during the run. Put it back, " + AGAIN
)
_FAULTY = (
    "The disk could not read or write {path}. Look after the disk (is it still plugged in, is the "
    "network there?), " + AGAIN
)
_BUSY = "{path} is open in another program, such as a spreadsheet program. Close it there, " + AGAIN
_TOO_MUCH_OPEN = "The machine allows no more open files or processes. Close some programs, " + AGAIN
_NO_MEMORY = (
    "The memory is used up. Close other programs, or allow one step at a time (--cores 1), " + AGAIN
)
_NOT_READ = "Nobody reads any more what this command says (as after `| head`), so it ended. " + (
    STOPPED.removeprefix("Stopped. ")
)
_REFUSALS = {
    errno.EPIPE: _NOT_READ,
    errno.ENOSPC: _NO_SPACE, errno.EDQUOT: _NO_SPACE, errno.EFBIG: _NO_SPACE,
    errno.EACCES: _NOT_ALLOWED, errno.EPERM: _NOT_ALLOWED, errno.EROFS: _READ_ONLY,
    errno.EEXIST: _IN_THE_WAY, errno.ENOTDIR: _IN_THE_WAY, errno.EISDIR: _IN_THE_WAY,
    errno.ENOTEMPTY: _IN_THE_WAY, errno.ELOOP: _IN_THE_WAY,
    errno.ENAMETOOLONG: _NAME_TOO_LONG, errno.ENOENT: _GONE, errno.ESTALE: _GONE,
    errno.EIO: _FAULTY, errno.ENXIO: _FAULTY, errno.ENODEV: _FAULTY, errno.ETIMEDOUT: _FAULTY,
    errno.EBUSY: _BUSY, errno.ETXTBSY: _BUSY,
    errno.EMFILE: _TOO_MUCH_OPEN, errno.ENFILE: _TOO_MUCH_OPEN, errno.EAGAIN: _TOO_MUCH_OPEN,
    errno.ENOMEM: _NO_MEMORY,
}  # fmt: skip


def plain_reason(error: BaseException) -> str | None:
    """Return one sentence on an error that is none of ours; None for a defect of the program."""
    if isinstance(error, AllianceError):
        return str(error)
    if isinstance(error, MemoryError):
        return _NO_MEMORY
    if isinstance(error, KeyboardInterrupt):
        return STOPPED
    if isinstance(error, OSError) and error.errno in _REFUSALS:
        return _REFUSALS[error.errno].format(path=_shown(error))
    return None


def defect_code(error: BaseException) -> str:
    """Return a short code of a defect: the same for the same place and kind, whatever the data."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{Path(frame.filename).name}:{frame.name}:{frame.lineno}" for frame in frames]
    told = "\n".join([type(error).__name__, *places])
    return f"D-{hashlib.sha256(told.encode()).hexdigest()[:6].upper()}"


def defect_message(error: BaseException, log: str | Path) -> str:
    """Return the sentence on a defect of the program."""
    return (
        f"This is a defect of the program, not of your data (code {defect_code(error)}). The log "
        f"is {log}; please report it. It holds no client's data."
    )


def defect_log(error: BaseException) -> str:
    """Return what the log says of a defect: lines of code, not the exception's text."""
    frames = traceback.format_list(traceback.extract_tb(error.__traceback__))
    return f"{defect_code(error)}: {type(error).__name__} at\n{''.join(frames)}"


def _shown(error: OSError) -> str:
    """Return the path of an error as the user knows it: from the project's folder on."""
    # of a rename the second name is the one that is meant
    named = error.filename2 or error.filename
    if not isinstance(named, str | bytes | Path):
        return "a file of this run"
    path = os.fsdecode(named)
    within = os.path.relpath(path)
    return path if within.startswith("..") else within
