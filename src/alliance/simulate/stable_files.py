"""File formats that usually hold the time of writing, made to hold the same time always.

A ZIP archive (an .xlsx is one) holds times of its members, a .sav the moment of writing in its
header. What a ZIP unpacks to is then the same on any machine; its packed bytes are the same where
the build of zlib is (zlib, zlib-ng and Apple's pack differently).
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile

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
    """Return an .xlsx file whose document properties and archive times are fixed."""
    stamp = FIXED_TIME.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    fixed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as archive,
        zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as written,
    ):
        for name in archive.namelist():
            content = archive.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp, content)
            member = zipfile.ZipInfo(name)  # stamped 1980-01-01, the first day that there is
            member.create_system = 3
            written.writestr(member, content, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
