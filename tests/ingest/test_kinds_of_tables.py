"""Tables as programs and people leave them: each gives the true panel, or says what is wrong."""

import datetime

import openpyxl
import pandas as pd
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.table import Table
from pandas.testing import assert_frame_equal

HEADER = ["id", "nr", "day", "th", "wai1", "wai2", "wai3"]
ROWS = [
    [f"P{i}", n, datetime.date(2024, n, 10 + i), f"T{i % 2}", 1 + (i + n) % 5, 1 + (i * n) % 5, n]
    for i in range(6)
    for n in (1, 2, 3)
]
TABLE = {
    "rows": "session", "client": "id", "session": "nr", "client_facts": {"therapist": "th"},
    "session_facts": {"date": "day"}, "measures": {"alliance": "wai{item}"},
}  # fmt: skip


def text(rows=None, header=None, sep=",", end="\n"):
    return end.join(sep.join(map(str, r)) for r in [header or HEADER, *(rows or ROWS)]) + end


def answers(change):
    """Return the rows with each answer changed."""
    return [[*row[:4], *map(change, row[4:])] for row in ROWS]


def each_line(change):
    first, *lines = text().splitlines()
    return "\n".join([first, *map(change, lines)]) + "\n"


def mixed_ends():
    return "".join(line + ("\r\n" if i % 2 else "\n") for i, line in enumerate(text().split()))


# name: text or bytes of a CSV file, keys of the mapping, rules that are told
SAME = {
    "UTF-16 without its mark": (text().encode("utf-16-le"), {"encoding": "utf-16"}, set()),
    "UTF-16, big end first": (text().encode("utf-16-be"), {"encoding": "utf-16"}, set()),
    "line ends of two systems": (mixed_ends(), {}, set()),
    "line ends doubled": (text(end="\r\r\n"), {}, set()),
    "line ends of old Macs": (text(end="\r"), {}, set()),
    "a DOS end of file": (text() + "\x1a", {}, set()),
    "Excel's line sep=": ("sep=;\n" + text(sep=";"), {"delimiter": ";", "header_row": 2}, set()),
    "a title above": ("Clinic\n\n" + text(), {"header_row": 3}, set()),
    "a row of totals": (text() + "Total,18,,,54,50,44\n", {}, {"summary-row"}),
    "totals in German, and means": (
        text() + "Gesamt:,18,,,54,50,44\nMittelwert,2,,,3,3,3\n", {}, {"summary-row"}),
    "a row of means without a name": (text() + ",,,,3.1,2.9,2.4\n", {}, {"no-client-id"}),
    "footnotes": (text() + "\n* on paper\nSource: clinic\n", {}, {"row-too-short"}),
    "footnotes with delimiters": (text() + "* on paper,,,,,,\n", {}, {"no-session-number"}),
    "two exports, each with its mark": (
        b"\xef\xbb\xbf" + text(ROWS[:9]).encode() + b"\xef\xbb\xbf" + text(ROWS[9:]).encode(),
        {}, {"bad-session-number"}),
    "an index of pandas": (
        text([[i, *r] for i, r in enumerate(ROWS)], ["", *HEADER]), {}, set()),
    "a doubled column that is not read": (
        text([[*r, "a", "b"] for r in ROWS], [*HEADER, "note", "note"]), {}, set()),
    "a doubled column that pandas renamed": (
        text([[*r, 3] for r in ROWS], [*HEADER, "wai1.1"]), {}, set()),
    "decimal commas": (
        text(answers(lambda x: f"{x},0"), sep=";"), {"delimiter": ";", "decimal": ","}, set()),
    "numbers marked as text": (text(answers(lambda x: f"'{x}")), {}, set()),
    'texts as ="formulas"': (
        text([[f'="{r[0]}"', *r[1:4], *(f'="{x}"' for x in r[4:])] for r in ROWS]), {}, set()),
    'quoted texts as "=""formulas"""': (
        text([[f'"=""{r[0]}"""', *r[1:]] for r in ROWS]), {}, set()),
    "signs of plus": (text(answers(lambda x: f"+{x}")), {}, set()),
    "noise of sums": (text(answers(lambda x: x + 1e-13)), {}, set()),
    "delimiters at the end": (text().replace("\n", ",\n"), {}, set()),
    "delimiters at the end of rows": (each_line(lambda line: line + ","), {}, set()),
    "months in letters": (
        text([[*r[:2], r[2].strftime("%d-%b-%Y"), *r[3:]] for r in ROWS]),
        {"dates": "dd-mmm-yyyy"}, set()),
    "months in German, short years": (
        text([[*r[:2], f"{r[2].day}. {('Januar', 'Feb.', 'März')[r[2].month - 1]} 24", *r[3:]]
              for r in ROWS]), {"dates": "dd. mmm yy"}, set()),
    "line separators of Unicode in a note": (
        text([[*r, "a\u2028b\u0085c"] for r in ROWS], [*HEADER, "note"]), {}, set()),
    "very many empty rows": (text() + ",,,,,,\n" * 50, {}, set()),
}  # fmt: skip
TOLD = {
    "zeros at the end": (text().encode() + bytes(512), {}, "file-unreadable", "NUL signs"),
    "UTF-16 that is called UTF-8": (text().encode("utf-16-le"), {}, "wrong-encoding", "utf-16"),
    "another delimiter": (text(sep=";"), {}, "column-missing", "a single column"),
    "a title that is not declared": ("Clinic\n\n" + text(), {}, "column-missing", "row 1"),
    "R's row names": (
        text([[i, *r] for i, r in enumerate(ROWS)]), {}, "nearly-all-set-aside", "row.names"),
    "quotation marks behind a backslash": (
        text([[*r, r'"he said \"no\", and left"'] for r in ROWS], [*HEADER, "note"]), {},
        "nearly-all-set-aside", "backslash"),
    "columns of equal width": (
        "\n".join("".join(f"{c!s:<12}" for c in r) for r in [HEADER, *ROWS]), {},
        "column-missing", "delimiter"),
    "percent": (text(answers(lambda x: f"{x}00%")), {}, "column-unreadable", "not so"),
    "ids that were rounded": (
        text([[f"1.23E+1{r[0][1]}", *r[1:]] for r in ROWS]), {}, "id-is-rounded", "as text"),
}  # fmt: skip


@pytest.fixture
def true(site):
    site.csv("true.csv", text())
    return site.read({"file": "true.csv", **TABLE})


def assert_same(read, true, told):
    assert set(read.quarantine["rule"]) == told, read.quarantine[["row", "rule", "expected"]]
    for name in ("clients", "sessions", "responses"):
        assert_frame_equal(getattr(read, name), getattr(true, name))


@pytest.mark.parametrize("name", SAME)
def test_a_text_file_gives_the_true_panel(site, true, name):
    content, keys, told = SAME[name]
    site.csv("toy.csv", content)
    assert_same(site.read({"file": "toy.csv", **TABLE, **keys}), true, told)


@pytest.mark.parametrize("name", TOLD)
def test_a_text_file_that_cannot_be_read_right_says_why(site, name):
    content, keys, rule, words = TOLD[name]
    site.csv("toy.csv", content)
    found = site.read({"file": "toy.csv", **TABLE, **keys}).quarantine
    said = found.loc[found["rule"] == rule, ["expected", "remedy"]].to_numpy().tolist()
    assert said and words in f"{said}", found[["rule", "expected", "remedy"]]


def formats(column, style):
    def change(sheet, book):
        for row in range(2, len(ROWS) + 2):
            sheet.cell(row, column).number_format = style

    return change


def merged_title(sheet, book):
    sheet.insert_rows(1)
    sheet["E1"] = "WAI"
    sheet.merge_cells("E1:G1")


def moved(sheet, book):
    sheet.insert_cols(1)
    sheet.insert_rows(1)


def filtered(sheet, book):
    sheet.add_table(Table(displayName="Sessions", ref=f"A1:G{len(ROWS) + 1}"))
    sheet.row_dimensions[4].hidden = True


def totals(sheet, book):
    sheet.append(["Total", 18, None, None, 54, 55, 41])


def beside(sheet, book):
    sheet["J1"], sheet["J2"], sheet["K2"] = "Summary", "mean", 3.2


def below(sheet, book):
    for row in ([], ["therapist", "mean"], ["T0", 3.1]):
        sheet.append(row)


def some_dates_as_text(sheet, book):
    for row in range(2, len(ROWS) + 2, 2):
        sheet.cell(row, 3).value = sheet.cell(row, 3).value.strftime("%d.%m.%Y")


def dates_of_macs(sheet, book):
    book.epoch = CALENDAR_MAC_1904


@pytest.mark.parametrize(
    ("change", "keys", "told"),
    [
        (merged_title, {"header_row": 2}, set()),
        (moved, {"header_row": 2}, set()),
        (dates_of_macs, {}, set()),
        (some_dates_as_text, {"dates": "dd.mm.yyyy"}, set()),
        (formats(5, "0%"), {}, set()),
        (formats(5, '"€"#,##0.00'), {}, set()),
        (filtered, {}, {"hidden-row"}),
        (totals, {}, {"summary-row"}),
        (beside, {}, set()),
        (below, {}, {"bad-session-number"}),
    ],
)
def test_a_workbook_gives_the_true_panel(site, true, change, keys, told):
    book = openpyxl.Workbook()
    for row in [HEADER, *ROWS]:
        book.active.append(row)
    change(book.active, book)
    book.save(site.raw / "toy.xlsx")
    assert_same(site.read({"file": "toy.xlsx", **TABLE, **keys}), true, told)


def test_a_workbook_whose_table_begins_further_down_says_where_to_look(site):
    book = openpyxl.Workbook()
    for row in [HEADER, *ROWS]:
        book.active.append(row)
    moved(book.active, book)
    book.save(site.raw / "toy.xlsx")
    (remedy,) = site.read({"file": "toy.xlsx", **TABLE}).quarantine["remedy"]
    assert "header_row" in remedy


def test_sheets_by_site_are_tables_of_their_own(site, true):
    site.workbook("toy.xlsx", North=[HEADER, *ROWS[:9]], South=[HEADER, *ROWS[9:]])
    sheets = [{"file": "toy.xlsx", "sheet": name, **TABLE} for name in ("North", "South")]
    assert_same(site.read(*sheets), true, set())


@pytest.mark.parametrize("kind", ["categories", "a zone of time", "an index"])
def test_a_table_of_pandas_gives_the_true_panel(site, true, kind):
    table = pd.DataFrame(ROWS, columns=HEADER)
    if kind == "categories":
        table = table.astype({"id": "category", "wai1": "category"})
    elif kind == "an index":
        table = table.set_index("id")
    else:
        table["day"] = pd.to_datetime(table["day"]).dt.tz_localize("Europe/Berlin")
    table.to_parquet(site.raw / "toy.parquet")
    assert_same(site.read({"file": "toy.parquet", **TABLE}), true, set())


def test_an_id_called_like_a_total_within_the_table_stays(site):
    rows = [["Total", *r[1:]] if r[0] == "P2" else r for r in ROWS]
    site.csv("toy.csv", text(rows))
    read = site.read({"file": "toy.csv", **TABLE})
    assert read.quarantine.empty and len(read.clients) == 6
