"""Values that cannot be, and what is hidden in a file, are told."""

import openpyxl
import pandas as pd
import pyreadstat
import pytest

from alliance.ingest.parse import moment_parser

TABLE = {
    "rows": "session", "client": "id", "session": "nr", "session_facts": {"date": "day"},
    "measures": {"alliance": "wai{item}"},
}  # fmt: skip
HEADER = ["id", "nr", "day", "wai1", "wai2", "wai3"]


def rows(n_clients=6, last=12):
    return [
        [f"P{i:03}", n, f"2024-{1 + n // 4:02}-{1 + 7 * (n % 4):02}", 1 + n % 4, 2, 3]
        for i in range(n_clients)
        for n in range(1, last + 1)
    ]


def text(table):
    return "\n".join(",".join(map(str, row)) for row in [HEADER, *table]) + "\n"


def told(read):
    found = read.quarantine[["row", "column", "rule"]]
    return [tuple(None if pd.isna(cell) else cell for cell in row) for row in found.to_numpy()]


@pytest.mark.parametrize(
    ("style", "good", "bad"),
    [
        ("yyyymmdd", "20241101", ["2024111", "202411 1", "2024-11-01", "020241101"]),
        ("ddmmyyyy", "01112024", ["1112024", "112024"]),
        ("yyyymmdd HHMM", "20241101 0930", ["2024111 930", "20241101 930"]),
        ("dd.mm.yyyy", "1.11.2024", ["1112024"]),
    ],
)
def test_dates_without_signs_between_need_all_their_digits(style, good, bad):
    parse = moment_parser(style)
    assert int(parse(good)) == 20028
    assert all(parse(other) != parse(other) for other in bad)


@pytest.mark.parametrize("number", [112, 10001])
def test_a_session_number_far_beyond_the_others_is_told(site, number):
    table = rows()
    table[11][1] = number
    site.csv("toy.csv", text(table))
    assert (13, None, "session-jump") in told(site.read({"file": "toy.csv", **TABLE}))


def test_forms_at_every_tenth_session_are_no_jumps(site):
    table = [[row[0], row[1] * 25, *row[2:]] for row in rows()]
    site.csv("toy.csv", text(table))
    assert told(site.read({"file": "toy.csv", **TABLE})) == []


@pytest.mark.parametrize("year", ["2091", "1924"])
def test_a_client_in_another_century_is_told(site, year):
    table = rows()
    for row in table[:12]:
        row[2] = row[2].replace("2024", year)
    site.csv("toy.csv", text(table))
    found = told(site.read({"file": "toy.csv", **TABLE}))
    assert found == [(row, "day", "date-far-off") for row in range(2, 14)]


def test_declared_missing_values_on_the_scale_are_told(site, made):
    frame = made.frame_of(HEADER, rows())
    for ranges, column in (({"wai1": [5, 9]}, "wai1"), ({"wai2": [{"lo": 2, "hi": 3}]}, "wai2")):
        pyreadstat.write_sav(frame, str(site.raw / "toy.sav"), missing_ranges=ranges)
        assert (None, column, "missing-on-scale") in told(site.read({"file": "toy.sav", **TABLE}))
    pyreadstat.write_sav(frame, str(site.raw / "toy.sav"), missing_ranges={"wai1": [9, 99]})
    assert told(site.read({"file": "toy.sav", **TABLE})) == []


def test_hidden_columns_and_sheets_of_a_workbook_are_told(site):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Data"
    for row in [[*HEADER, "note"], *rows()]:
        sheet.append(row)
    sheet.column_dimensions["E"].hidden = True
    sheet.column_dimensions["G"].hidden = True  # read by nobody
    book.create_sheet("Start")
    book.save(site.raw / "toy.xlsx")
    table = {"file": "toy.xlsx", "sheet": "Data", **TABLE}
    assert told(site.read(table)) == [(None, "wai2", "hidden-column")]
    sheet.sheet_state = "hidden"
    book.save(site.raw / "toy.xlsx")
    assert (None, None, "hidden-sheet") in told(site.read(table))


def test_hidden_columns_and_sheets_of_an_open_document_are_told(site, made):
    made.write(site.raw / "toy.ods", HEADER, rows())
    data = made.zipfile.ZipFile(site.raw / "toy.ods")
    parts = {name: data.read(name) for name in data.namelist()}
    content = parts["content.xml"].decode()
    names = ' xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"'
    style = (
        '<office:automatic-styles><style:style style:name="ta2" style:family="table">'
        '<style:table-properties table:display="false"/></style:style></office:automatic-styles>'
    )
    columns = (
        '<table:table-column table:number-columns-repeated="3"/>'
        '<table:table-column table:visibility="collapse"/>'
    )
    content = content.replace("<office:body>", f"{style}<office:body>", 1)
    content = content.replace(' office:version="1.2"', f'{names} office:version="1.2"', 1)
    content = content.replace(
        'table:name="Data">', f'table:name="Data" table:style-name="ta2">{columns}', 1
    )
    with made.zipfile.ZipFile(site.raw / "toy.ods", "w") as packed:
        for name, part in (parts | {"content.xml": content.encode()}).items():
            packed.writestr(name, part)
    found = told(site.read({"file": "toy.ods", **TABLE}))
    assert found == [(None, None, "hidden-sheet"), (None, "wai1", "hidden-column")]
