"""File formats that usually hold the time of writing, made to give the same bytes always.

A ZIP archive (an .xlsx is one) holds times, and its compressed bytes differ between builds of
zlib; a .sav holds the moment of writing in its header. Here the times are fixed and the ZIP is
compressed by a small encoder of our own, so that the demo cohort's files are the same on any
machine.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import struct
import zipfile
import zlib

from alliance.simulate.deflate import deflate

FIXED_TIME = dt.datetime(2024, 12, 2, 12, 0, 0)
SAV_DATE_AT, SAV_TIME_AT = slice(92, 101), slice(101, 109)


def fix_sav_times(data: bytes) -> bytes:
    """Return a .sav file with creation date and time in its header set to `FIXED_TIME`.

    The header's layout: 4 bytes record type, 60 product name, five 4-byte integers, one 8-byte
    bias, then `dd mmm yy` and `hh:mm:ss` in ASCII (PSPP developers' guide, system file format).
    """
    header = bytearray(data)
    if not re.fullmatch(rb"\d\d [A-Za-z]{3} \d\d\d\d:\d\d:\d\d", bytes(header[92:109])):
        msg = "the .sav header does not hold its date where the format says"
        raise ValueError(msg)
    header[SAV_DATE_AT] = b"02 Dec 24"
    header[SAV_TIME_AT] = b"12:00:00"
    return bytes(header)


def fix_xlsx_times(data: bytes) -> bytes:
    """Return an .xlsx file whose document properties and archive times are `FIXED_TIME`."""
    stamp = FIXED_TIME.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    fixed = [
        (name, re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp, content))
        if name == "docProps/core.xml"
        else (name, content)
        for name, content in members
    ]
    return zip_archive(fixed)


def zip_archive(members: list[tuple[str, bytes]]) -> bytes:
    """Return a ZIP archive of the named contents, all stamped 1980-01-01 (PKWARE APPNOTE 4.3)."""
    body, directory = io.BytesIO(), io.BytesIO()
    for name, content in members:
        packed, label = deflate(content), name.encode("utf-8")
        sizes = (zlib.crc32(content), len(packed), len(content), len(label))
        # version 2.0, no flags, deflate, 00:00:00 on 1980-01-01
        common = (20, 0, 8, 0, 0x21, *sizes, 0)
        directory.write(struct.pack("<I6H3I5H2I", 0x02014B50, 20, *common, 0, 0, 0, 0, body.tell()))
        directory.write(label)
        body.write(struct.pack("<I5H3I2H", 0x04034B50, *common) + label + packed)
    start, entries = body.tell(), directory.getvalue()
    end = struct.pack(
        "<I4H2IH", 0x06054B50, 0, 0, len(members), len(members), len(entries), start, 0
    )
    return body.getvalue() + entries + end
