"""What a file really is, told from its first bytes: endings lie, and so do mappings."""

from __future__ import annotations

import zipfile
import zlib

from alliance.config.formats import DELIMITED
from alliance.ingest.raw import UnreadableError
from alliance.ingest.readers.opened import RawFile

DAMAGED_ZIP = "zip file or damaged workbook"
WEB_PAGE, GZIP = "web page", "gzip file"
# What the content is -> the format that a mapping would call it (None: we have no reader for it).
FORMATS = {
    "Excel workbook (.xlsx)": "excel",
    "Excel workbook (.xls)": "excel",
    "OpenDocument sheet (.ods)": "excel",
    "SPSS file": "sav",
    "Stata file": "stata",
    "SAS file": "sas",
    "Parquet file": "parquet",
    WEB_PAGE: None,
    "XML file": None,
    DAMAGED_ZIP: None,
    GZIP: None,
    "PDF document": None,
    "Word document": None,
}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SAS7BDAT = bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011")
_STARTS = (
    (b"$FL2", "SPSS file"),
    (b"$FL3", "SPSS file"),
    (b"<stata_dta>", "Stata file"),
    (b"HEADER RECORD*******LIB", "SAS file"),
    (b"PAR1", "Parquet file"),
    (b"\x1f\x8b", GZIP),
    (b"%PDF", "PDF document"),
)
_HEAD_BYTES = 4096


def check(file: RawFile, declared: str) -> None:
    """Make sure that a file can be of the format that the mapping declares.

    Raises
    ------
    UnreadableError
        It is plainly something else; the words say what, and which key to set.
    """
    found = content_of(file)
    if declared in DELIMITED:
        if found is not None:
            raise _mismatch(found, "no CSV file")
        return
    if declared == "excel" and found is None:
        raise _no_workbook(file)
    if found is not None and FORMATS[found] != declared:
        raise _mismatch(found, "no workbook" if declared == "excel" else f"no {declared} file")


def content_of(file: RawFile) -> str | None:
    """Return what a file is, as a key of `FORMATS`; None for text and for what is not known."""
    head = file.head(_HEAD_BYTES)
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_zip(file)
    if head.startswith(_OLE):
        return _kind_of_ole(file)
    if head[12:32] == _SAS7BDAT:
        return "SAS file"
    if b"SPSS PORT FILE" in head[:500]:
        return "SPSS file"
    if len(head) > 4 and 104 <= head[0] <= 115 and head[1] in (1, 2) and head[2] == 1:
        return "Stata file"  # of Stata 12 and older: release, byte order, file type
    opening = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if opening.startswith((b"<!doctype html", b"<html", b"<table", b"<head", b"<meta")):
        return WEB_PAGE
    return "XML file" if opening.startswith(b"<?xml") else None


def _kind_of_zip(file: RawFile) -> str:
    try:
        with file.stream() as stream, zipfile.ZipFile(stream) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError):
        return DAMAGED_ZIP
    if any(name.startswith("xl/") for name in names):
        return "Excel workbook (.xlsx)"
    if any(name.startswith("word/") for name in names):
        return "Word document"
    return "OpenDocument sheet (.ods)" if "content.xml" in names else DAMAGED_ZIP


def _kind_of_ole(file: RawFile) -> str:
    """Tell old Office files apart by the names in their table of contents."""
    data = file.bytes()
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise password_error()
    return (
        "Word document" if "WordDocument".encode("utf-16-le") in data else "Excel workbook (.xls)"
    )


def password_error() -> UnreadableError:
    """Return the error of a workbook that nobody but its owner can open."""
    found = "the workbook is protected by a password"
    return UnreadableError("file-unreadable", found, remedy="save it without a password")


def _mismatch(found: str, expected: str) -> UnreadableError:
    kind = FORMATS[found]
    article = "an" if found.startswith(("Excel", "Open", "SPSS", "XML")) else "a"
    remedy = f"set `format: {kind}` for this table in the site mapping" if kind else None
    if found == WEB_PAGE:
        remedy = "open the file in a spreadsheet program and save it as .xlsx; if it holds a login"
        remedy += " page instead of data, log in and export it again"
    elif found == DAMAGED_ZIP:
        remedy = "export the file again; if it is a whole zip file, let its name end in .zip"
    elif found == GZIP:
        remedy = "let the file's name end in .gz"
    told = f"by its content this is {article} {found}, {expected}"
    return UnreadableError("file-unreadable", told, remedy=remedy)


def _no_workbook(file: RawFile) -> UnreadableError:
    looks_like_text = b"\x00" not in file.head(_HEAD_BYTES)
    if looks_like_text:
        remedy = "set `format: csv` and its `delimiter` for this table in the site mapping, or open"
        remedy += " the file in a spreadsheet program and save it as .xlsx"
        found = "this is no workbook but a text file with the ending of one"
        return UnreadableError("file-unreadable", found, remedy=remedy)
    return UnreadableError("file-unreadable", "this is no workbook, or a damaged one")
