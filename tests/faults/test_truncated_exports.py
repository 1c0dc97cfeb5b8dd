"""An export that was cut off is noticed wherever the file itself holds evidence."""

import zipfile

import pyreadstat
import pytest

HEADER = ["id", "nr", "wai1", "wai2", "wai3"]
ROWS = [[f"P{i:03}", n, 1, 2, 3] for i in range(12) for n in (1, 2, 3)]
TABLE = {
    "rows": "session", "client": "id", "session": "nr", "measures": {"alliance": "wai{item}"},
}  # fmt: skip


def rules(read):
    return set(read.quarantine["rule"])


@pytest.mark.parametrize("version", [5, 8])
def test_a_transport_file_cut_anywhere_is_refused(site, made, version):
    path = site.raw / "toy.xpt"
    frame = made.frame_of(HEADER, ROWS)
    pyreadstat.write_xport(frame, str(path), file_format_version=version)
    data, bytes_a_row = path.read_bytes(), 4 + 4 * 8
    assert rules(site.read({"file": "toy.xpt", **TABLE})) == set()
    start = data.rindex(b"HEADER RECORD*******OBS") + 80
    cuts = [start + 13 * 80, start + 5 * bytes_a_row, *range(start + 1, len(data), 37)]
    for cut in cuts:
        # an old file that ends between two observations and two records cannot be told from whole
        if version == 5 and (cut - start) % bytes_a_row == 0 and (cut - start) % 80 == 0:
            continue
        path.write_bytes(data[:cut])
        assert "file-unreadable" in rules(site.read({"file": "toy.xpt", **TABLE})), cut


@pytest.mark.parametrize("quoting", ["", '"'])
def test_a_text_file_cut_in_its_last_cell_or_at_a_row_is_told(site, quoting):
    lines = [",".join(f"{quoting}{cell}{quoting}" for cell in row) for row in [HEADER, *ROWS]]
    whole = "\n".join(lines) + "\n"
    table = {"file": "toy.csv", **TABLE}
    site.csv("toy.csv", whole)
    assert rules(site.read(table)) == set()
    for text in (whole[:-1], "\n".join(lines[:20]), "\n".join(lines[:20]) + ","):
        site.csv("toy.csv", text)
        assert "last-line-open" in rules(site.read(table))


@pytest.mark.parametrize("ending", ["ods", "xlsx"])
def test_a_workbook_with_broken_xml_is_refused(site, made, ending):
    path = site.raw / f"toy.{ending}"
    made.write(path, HEADER, ROWS)
    part = "content.xml" if ending == "ods" else "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(path) as given:
        parts = {name: given.read(name) for name in given.namelist()}
    for broken in (parts[part][: len(parts[part]) // 2], parts[part].replace(b"P007", b"P0<7", 1)):
        with zipfile.ZipFile(path, "w") as packed:
            for name, content in parts.items():
                packed.writestr(name, broken if name == part else content)
        if broken != parts[part]:
            read = site.read({"file": path.name, **TABLE})
            assert "file-unreadable" in rules(read)
            assert read.responses.empty


def test_a_stata_variable_without_a_name_ends_in_words(site, made):
    path = site.raw / "toy.dta"
    made.write(path, HEADER, ROWS)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"wai3\0", b"\0\0\0\0\0", 1))
    read = site.read({"file": "toy.dta", **TABLE})
    assert "column-missing" in rules(read)
