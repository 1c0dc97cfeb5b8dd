"""A raw file as the readers see it: its bytes, unpacked where it lies in a gzip or a zip.

What is packed is unpacked in memory, never beside the file: no copy of clients' data is left behind
by a run that is killed. A file that grows beyond all measure is refused while it grows.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from alliance.ingest.raw import UnreadableError
from alliance.likeness import difference, file_like, like

MAX_BYTES = 4_000_000_000
# What is packed may unpack to 50 MB, or to 200 times its size: tables of answers shrink to a tenth
# or a fiftieth, bombs to a thousandth.
FREE_BYTES = 50_000_000
MAX_EXPANSION = 200
_BLOCK = 8_000_000
# What git-annex and Git LFS put in the place of a file whose content is kept elsewhere.
_POINTERS = (b"/annex/objects/", b"version https://git-lfs.github.com/")
POINTER_BYTES = 32_768
_GET = "fetch it: run `datalad get {name}`, `git annex get {name}` or `git lfs pull` in its folder"
_DAMAGED = "the compressed file is damaged or ends too early"


@dataclass(slots=True)
class RawFile:
    """One raw file, unpacked.

    Attributes
    ----------
    folder
        The site's raw folder.
    name
        The file's name in it; for a member of a zip the member's own name.
    path
        Where it lies, if it is not packed.
    alike
        In what its name differs from the mapping's, which it only looks like ("": in nothing).
    """

    folder: Path
    name: str
    path: Path | None
    _unpacked: bytes = field(default=b"", repr=False)
    alike: str = ""

    def head(self, n_bytes: int) -> bytes:
        """Return the first bytes."""
        with self.stream() as stream:
            return stream.read(n_bytes)

    def bytes(self) -> bytes:
        """Return all bytes."""
        return self._unpacked if self.path is None else self.path.read_bytes()

    def stream(self) -> BinaryIO:
        """Return the bytes as an open file."""
        return io.BytesIO(self._unpacked) if self.path is None else self.path.open("rb")

    @property
    def size(self) -> int:
        """Number of bytes."""
        return len(self._unpacked) if self.path is None else self.path.stat().st_size


def open_raw(folder: Path, name: str, source: Mapping[str, Any]) -> RawFile:
    """Return a file of the raw folder; `source["member"]` names the one meant within a zip.

    Raises
    ------
    UnreadableError
        It is not there, lies outside the folder, is empty, damaged or a bomb.
    """
    folder = folder.resolve()
    path = file_like(folder, name)
    if not path.is_file():
        raise _missing(path, name)
    if not path.resolve().is_relative_to(folder):
        raise _outside(path)
    size = path.stat().st_size
    if size == 0:
        raise UnreadableError("file-empty", "the file is empty (0 bytes)")
    if size > MAX_BYTES:
        raise UnreadableError("file-unreadable", "the file is larger than 4 GB")
    if size <= POINTER_BYTES and path.read_bytes().startswith(_POINTERS):
        found = "this is a pointer of git-annex or Git LFS; the data itself is not here"
        raise UnreadableError("file-unreadable", found, remedy=_GET.format(name=path.name))
    small = name.lower()
    alike = difference(path.relative_to(folder).as_posix(), name)
    if small.endswith(".gz"):
        return _filled(RawFile(folder, name[:-3], None, _gunzipped(path), alike))
    if small.endswith(".zip"):
        return _filled(_member(folder, path, source.get("member"), alike))
    return RawFile(folder, name, path, alike=alike)


def _missing(path: Path, name: str) -> UnreadableError:
    """Return why there is no file: no name, a link that leads nowhere, or still in a cloud."""
    if path.is_symlink():
        found = f"{name} is a link whose content is not here"
        return UnreadableError("file-missing", found, remedy=_GET.format(name=path.name))
    if (path.parent / f".{path.name}.icloud").exists():
        found = f"{name} is in the cloud, and its content is not on this computer"
        remedy = "open the folder in the Finder and download the file (or copy it to another place)"
        return UnreadableError("file-missing", found, remedy=remedy)
    if path.is_dir():
        found = f"{name} is a folder, not a file"
        remedy = "name the file within it in the site mapping, such as `file: folder/file.csv`"
        return UnreadableError("file-missing", found, remedy=remedy)
    return UnreadableError("file-missing", f"there is no file {name}")


def _outside(path: Path) -> UnreadableError:
    """Return the problem of a link that leads out of the raw folder."""
    found = "the file is a link to a place outside the site's raw folder"
    remedy = "put the file itself in place of the link"
    if "annex" in path.resolve().parts:
        remedy += f": run `git annex unlock {path.name}` (or `datalad unlock {path.name}`) there"
    return UnreadableError("file-unreadable", found, remedy=remedy)


def _filled(file: RawFile) -> RawFile:
    if not file.size:
        raise UnreadableError("file-empty", "the compressed file holds nothing (0 bytes)")
    return file


def _gunzipped(path: Path) -> bytes:
    try:
        with path.open("rb") as packed, gzip.GzipFile(fileobj=packed) as stream:
            return _bounded(stream, packed, 0)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise UnreadableError("file-unreadable", _DAMAGED) from None


def _member(folder: Path, path: Path, wanted: str | None, alike: str) -> RawFile:
    try:
        with path.open("rb") as packed, zipfile.ZipFile(packed) as archive:
            entry = _entry(archive, wanted)
            if entry.flag_bits & 1:
                found = "the zip file is protected by a password"
                remedy = "unpack it, or pack it again without a password"
                raise UnreadableError("file-unreadable", found, remedy=remedy)
            with archive.open(entry) as stream:
                data = _bounded(stream, packed, entry.header_offset)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError):
        raise UnreadableError("file-unreadable", _DAMAGED) from None
    alike = alike or (difference(entry.filename, wanted) if wanted is not None else "")
    return RawFile(folder, entry.filename, None, data, alike)


def _entry(archive: zipfile.ZipFile, wanted: str | None) -> zipfile.ZipInfo:
    """Return the one file in a zip, or the one that the mapping names."""
    # What a Mac packs beside each file, and folders, are no files of the site's.
    entries = [
        entry
        for entry in archive.infolist()
        if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")
    ]
    if wanted is not None:
        close = like(wanted, [entry.filename for entry in entries])
        entries = [entry for entry in entries if entry.filename in close]
        if not entries:
            found = f"the zip file holds no file {wanted}"
            raise UnreadableError("file-missing", found, remedy="mend `member` of this table")
    if len(entries) != 1:
        found = f"the zip file holds {len(entries)} files"
        remedy = "name the one that is meant in the site mapping (`member`)"
        raise UnreadableError("file-unreadable", found, remedy=remedy)
    return entries[0]


def _bounded(stream: Any, packed: BinaryIO, start: int) -> bytes:
    """Return all bytes of a stream that unpacks `packed` from `start`, refusing a bomb early."""
    blocks, size = [], 0
    while block := stream.read(_BLOCK):
        size += len(block)
        if size > min(MAX_BYTES, max(FREE_BYTES, MAX_EXPANSION * (packed.tell() - start))):
            found = "the compressed file grows beyond all measure"
            raise UnreadableError("file-unreadable", found)
        blocks.append(block)
    return b"".join(blocks)
