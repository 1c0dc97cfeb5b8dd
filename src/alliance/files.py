"""Write files so that a reader sees either the old one or the whole new one, always the same bytes.

Every output of the project goes through these functions: the content is written beside its place,
flushed to the disk and renamed (a rename is atomic), so that a crash or a full disk never leaves a
file that looks finished. Nothing written here holds a date, a user name or a path. Files follow the
umask, private ones are their owner's alone.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


HALF_WRITTEN = ".*.part"  # what is being written, or was when the process was killed
OWNER_ONLY = 0o600

_published: dict[Path, str] | None = None


@contextmanager
def noting_published() -> Iterator[dict[Path, str]]:
    """Note the SHA-256 of every file that the body publishes, by its path."""
    global _published
    before, _published = _published, {}
    try:
        yield _published
    finally:
        _published = before


def write_bytes(data: bytes, path: str | Path, mode: int = 0o666) -> None:
    """Publish `data` at `path` in one step; missing folders are made.

    Parameters
    ----------
    data
        The whole content.
    path
        Its place.
    mode
        Permissions, less what the umask takes away.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Its name is short whatever the file's own name is: together they could be too long.
    beside = path.with_name(HALF_WRITTEN.replace("*", secrets.token_hex(6)))
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    descriptor = os.open(beside, flags, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    if _published is not None:
        _published[path] = hashlib.sha256(data).hexdigest()


def write_text(text: str, path: str | Path, mode: int = 0o666) -> None:
    """Publish `text` at `path` as UTF-8 with plain line ends."""
    write_bytes(text.encode("utf-8"), path, mode)


def write_json(content: Any, path: str | Path, mode: int = 0o666) -> None:
    """Publish `content` as JSON; not-a-number becomes null, keys keep their order."""
    text = json.dumps(plain(content), indent=1, ensure_ascii=False, allow_nan=False)
    write_text(f"{text}\n", path, mode)


def read_json(path: str | Path) -> Any:
    """Return the content of a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_parquet(frame: pd.DataFrame, path: str | Path) -> None:
    """Publish a table as Parquet (zstd, no index)."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False, compression="zstd")
    write_bytes(buffer.getvalue(), path)


def read_parquet(path: str | Path) -> pd.DataFrame:
    """Return the table in a Parquet file."""
    import pandas as pd

    return pd.read_parquet(path)


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """Publish a table as CSV (UTF-8, comma, full precision), text cells inert in a spreadsheet."""
    write_text(_csv(frame), path)


def _csv(frame: pd.DataFrame) -> str:
    inert = frame.rename(columns=inert_text)
    for column in inert.select_dtypes(["object", "string"]).columns:
        inert[column] = inert[column].map(inert_text, na_action="ignore")
    return inert.to_csv(index=False, lineterminator="\n")


def write_private_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """Publish such a table for its owner alone, in a folder of the same kind."""
    write_private_bytes(_csv(frame).encode("utf-8"), path)


def write_private_bytes(data: bytes, path: str | Path) -> None:
    """Publish a file that its owner alone may read, in a folder of the same kind."""
    folder = Path(path).parent
    folder.mkdir(parents=True, exist_ok=True)
    os.chmod(folder, 0o700)
    write_bytes(data, path, OWNER_ONLY)


def make_personal_folder(folder: str | Path) -> None:
    """Make a folder for data of persons, open to its owner alone (one that is there stays)."""
    folder = Path(folder)
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)


def inert_text(cell: object) -> object:
    """Return a text cell that no spreadsheet takes for a formula (others unchanged).

    A carriage return becomes a line feed: the writers of CSV put cells with line feeds in quotation
    marks, but leave a carriage return bare, and what follows it would begin a row of its own.
    """
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r\n", "\n").replace("\r", "\n")
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\n") else text


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def plain(content: Any) -> Any:
    """Return `content` in types that JSON knows: numpy scalars and arrays, NaN and paths turned."""
    if isinstance(content, Mapping):
        return {str(key): plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple | set):
        return [plain(value) for value in content]
    if hasattr(content, "tolist"):  # numpy scalars and arrays
        return plain(content.tolist())
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if content is None or isinstance(content, str | int | bool):
        return content
    if isinstance(content, Path):
        return content.as_posix()
    if repr(content) in ("<NA>", "NaT"):
        return None
    msg = f"a {type(content).__name__} cannot be written as JSON"
    raise TypeError(msg)
