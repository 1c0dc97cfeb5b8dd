"""What would fill the memory or run for minutes is refused or read at once, in words."""

import time
import zipfile

import openpyxl
import pytest

from alliance.config import strict_yaml
from alliance.config.strict_yaml import Problem
from alliance.ingest.problems import MOST_ROWS_OF_COLUMN

SECONDS = 2  # of the processor; without the bounds it would be minutes
TABLE = {
    "file": "toy.csv", "rows": "session", "client": "id", "session": "nr",
    "measures": {"alliance": "wai{item}"},
}  # fmt: skip
HEADER = "id,nr,wai1,wai2,wai3\n"
SOUND = "".join(f"P{i // 5},{i % 5 + 1},1,2,3\n" for i in range(20))


@pytest.fixture
def read(site):
    """Read a table within the time; return what came out."""

    def timed(table=TABLE):
        started = time.process_time()
        found = site.read(table)
        assert time.process_time() - started < SECONDS
        return found

    return timed


def rules(found):
    return set(found.quarantine["rule"])


def test_whole_sheets_merged_three_thousand_times(site, read):
    book = openpyxl.Workbook()
    for line in (HEADER + SOUND).splitlines():
        book.active.append([int(cell) if cell.isdigit() else cell for cell in line.split(",")])
    book.save(site.raw / "toy.xlsx")
    with zipfile.ZipFile(site.raw / "toy.xlsx") as given:
        parts = {name: given.read(name) for name in given.namelist()}
    blocks = "".join(f'<mergeCell ref="A{1 + i % 9}:XFD1048576"/>' for i in range(3000))
    sheet = "xl/worksheets/sheet1.xml"
    merged = f"</sheetData><mergeCells>{blocks}</mergeCells>".encode()
    parts[sheet] = parts[sheet].replace(b"</sheetData>", merged)
    with zipfile.ZipFile(site.raw / "toy.xlsx", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    assert "merged-cells" in rules(read(TABLE | {"file": "toy.xlsx"}))


@pytest.mark.parametrize("line", ["a,b\n", '"a",b\n', "a,b,c,d,e,f,g\n", "\n"], ids=repr)
def test_millions_of_rows_that_are_none(site, read, line):
    site.csv("toy.csv", HEADER + SOUND + line * 1_200_000)
    found = read()
    assert rules(found) == {"file-unreadable"}
    assert "rows" in found.quarantine["expected"][0] or "lines" in found.quarantine["expected"][0]


def test_bad_cells_are_told_by_row_up_to_a_number_and_counted_beyond(site, read):
    n = 40_000
    site.csv("toy.csv", HEADER + SOUND + "".join(f"Q{i},1,x,2,3\n" for i in range(n)))
    found = read()
    told = found.quarantine[found.quarantine["rule"] == "not-a-number"]
    assert len(told) == MOST_ROWS_OF_COLUMN + 1
    assert told["rows_affected"].sum() == n
    assert f"{n - MOST_ROWS_OF_COLUMN:,} further rows" in told.iloc[0]["expected"]
    ledger = found.ledger[found.ledger["reason"] == "not-a-number"]
    assert ledger["count"].tolist() == [n]


def test_twenty_thousand_columns(site, read):
    header = ["id", *(f"W_S{s:04}_{i}" for s in range(1, 6_700) for i in (1, 2, 3))]
    site.csv("toy.csv", f"{','.join(header)}\nP1,{','.join('1' for _ in header[1:])}\n")
    wide = {"file": "toy.csv", "rows": "client", "client": "id"}
    found = read(wide | {"measures": {"alliance": "W_S{session}_{item}"}})
    assert "20,098 of this file" in found.quarantine["expected"][0]


def test_missing_columns_are_told_by_name_up_to_a_number(site, read):
    site.csv("toy.csv", "id,a\nP1,1\nP2,1\n")
    items = {str(session): [f"a{session}_{i}" for i in (1, 2, 3)] for session in range(1, 300)}
    wide = {"file": "toy.csv", "rows": "client", "client": "id"}
    found = read(wide | {"measures": {"alliance": {"items": items}}})
    assert len(found.quarantine) == 101
    assert "797 more are missing" in " ".join(found.quarantine["expected"])


@pytest.mark.parametrize("sign", ["so long, ", 'she said ""no"", ', "line\n"])
def test_a_long_note_in_a_column_that_is_not_read_loses_no_row(site, read, sign):
    notes = ["short", f'"{sign * 40_000}"', "short", "short"]
    lines = [f"P1,{n + 1},{note},1,2,3\n" for n, note in enumerate(notes)]
    site.csv("toy.csv", "id,nr,note,wai1,wai2,wai3\n" + "".join(lines))
    found = read()
    assert rules(found) == set()
    assert len(found.responses) == 12


def test_a_message_on_a_config_names_the_first_problems_and_counts_the_rest():
    problems = [Problem((f"key{i}",), i, "is not known") for i in range(22_000)]
    told = strict_yaml.message_of([("mylab.yaml", problems)])
    assert len(told) < 5_000
    assert "22000 problems" in told.replace(",", "")
    assert "21,950 more" in told
