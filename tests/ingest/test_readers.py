"""Each reader by itself: what it reads, and what it tells of files that are not what they seem."""

import datetime
import gzip
import io
import os
import tracemalloc
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from alliance.config.site_mapping import completed_mapping
from alliance.ingest.raw import UnreadableError
from alliance.ingest.readers import read_table

FILES = Path(__file__).parent / "files"
HEADER = ["id", "nr", "day", "wai1"]
ROWS = [["007", 1, datetime.date(2024, 1, 12), 3], ["NA", 2, datetime.date(2023, 12, 31), 4.5]]
TEXTS = [["007", "NA"], ["1", "2"], ["2024-01-12", "2023-12-31"], ["3", "4.5"]]


@pytest.fixture
def read(tmp_path):
    """Read a file of the temporary folder; `keys` are those of a table's mapping."""

    def run(file, data=None, **keys):
        if data is not None:
            (tmp_path / file).write_bytes(data)
        table = {"file": file, "rows": "client", "client": "id", **keys}
        return read_table(
            tmp_path, completed_mapping({"site": "x", "tables": [table]})["tables"][0]
        )

    return run


def refused(read, file, data=None, **keys):
    """Return rule, what was found and remedy of a file that cannot be read."""
    with pytest.raises(UnreadableError) as error:
        read(file, data, **keys)
    return error.value.rule, error.value.found, error.value.remedy


def texts(table):
    return [[None if pd.isna(cell) else cell for cell in column] for column in table.columns]


def marks(table):
    return [(mark.rule, mark.row, mark.column, mark.rows_affected) for mark in table.marks]


# --------------------------------------------------------------------------------------------------
# every format gives the same texts


@pytest.mark.parametrize("ending", ["xlsx", "ods", "sav", "zsav", "dta", "xpt", "parquet"])
def test_typed_cells_become_the_texts_that_a_person_sees(read, made, tmp_path, ending):
    made.write(tmp_path / f"toy.{ending}", HEADER, ROWS)
    table = read(f"toy.{ending}")
    assert table.header == HEADER
    assert texts(table) == TEXTS
    assert list(table.dates) == ["day"] and table.dates["day"].all()
    first = 2 if ending in ("xlsx", "ods") else 1  # case numbers where there is no header row
    assert table.rows.tolist() == [first, first + 1]


def test_a_decimal_comma_is_written_where_the_mapping_says_so(read, made, tmp_path):
    for ending in ("xlsx", "sav", "parquet"):
        made.write(tmp_path / f"toy.{ending}", HEADER, ROWS)
        assert texts(read(f"toy.{ending}", decimal=","))[3] == ["3", "4,5"]


def test_a_sas7bdat_file(read, tmp_path):
    # The one of R's package haven (Fisher's iris data); nothing in Python writes this format.
    table = read("iris.sas7bdat", (FILES / "iris.sas7bdat").read_bytes())
    assert len(table) == 150
    assert table.header == ["Sepal_Length", "Sepal_Width", "Petal_Length", "Petal_Width", "Species"]
    assert [column[0] for column in texts(table)] == ["5.1", "3.5", "1.4", "0.2", "setosa"]


def test_an_xls_file(read):
    # Made with xlwt (see files/README.md): three rows, row 3 hidden, A4:A5 merged, real dates.
    table = read("old.xls", (FILES / "old.xls").read_bytes())
    assert table.header == HEADER
    assert texts(table)[2] == ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]
    assert texts(table)[0] == ["P1", "P2", "P3", None]
    assert marks(table) == [("merged-cells", 4, 0, 2), ("hidden-row", 3, None, 1)]


def test_value_labels_go_with_the_table(read, tmp_path):
    frame = pd.DataFrame({"id": ["a", "b"], "sex": [1.0, 2.0]})
    labels = {"sex": {1: "female", 2: "male"}}
    pyreadstat.write_sav(frame, str(tmp_path / "toy.sav"), variable_value_labels=labels)
    pyreadstat.write_dta(frame, str(tmp_path / "toy.dta"), variable_value_labels=labels)
    for file in ("toy.sav", "toy.dta"):
        assert read(file).labels["sex"] == {"1": "female", "2": "male"}


def test_user_missing_values_are_blank(read, tmp_path):
    frame = pd.DataFrame({"id": ["a", "b", "c", "d"], "wai1": [1.0, -9, 98, 99]})
    ranges = {"wai1": [-9, {"lo": 98, "hi": 99}]}
    pyreadstat.write_sav(frame, str(tmp_path / "toy.sav"), missing_ranges=ranges)
    assert texts(read("toy.sav"))[1] == ["1", None, None, None]
    # Stata's .a to .z: pyreadstat writes them for letters that are declared missing.
    frame = pd.DataFrame({"id": ["a", "b"], "wai1": pd.Series([1, "a"], dtype=object)})
    pyreadstat.write_dta(frame, str(tmp_path / "toy.dta"), missing_user_values={"wai1": ["a"]})
    assert texts(read("toy.dta"))[1] == ["1", None]


def test_a_statistics_file_with_times(read, tmp_path):
    times = pd.DataFrame({"id": ["a"], "day": pd.to_datetime(["2024-02-29 23:59:59"])})
    pyreadstat.write_sav(times, str(tmp_path / "toy.sav"))
    pyreadstat.write_dta(times, str(tmp_path / "toy.dta"), variable_format={"day": "%tc"})
    formats = {"day": "DATETIME20."}
    pyreadstat.write_xport(times, str(tmp_path / "toy.xpt"), variable_format=formats)
    times.to_parquet(tmp_path / "toy.parquet")
    for file in ("toy.sav", "toy.dta", "toy.xpt", "toy.parquet"):
        assert texts(read(file))[1] == ["2024-02-29 23:59:59"]


def test_parquet_types(read, tmp_path):
    columns = {
        "category": pa.array(["x", None, "y"]).dictionary_encode(),
        "whole": pa.array([1, None, 2**53 + 1]),
        "truth": pa.array([True, False, None]),
        "decimal": pa.array([1.5, 2.0, None]).cast(pa.decimal128(5, 2)),
        "nothing": pa.nulls(3),
        "time": pa.array([datetime.datetime(2024, 1, 12, 10), None, None]),
        "when": pa.array([datetime.datetime(2024, 1, 12, 23, 30)] * 3).cast(
            pa.timestamp("us", tz="Europe/Berlin")
        ),
    }
    pq.write_table(pa.table(columns), tmp_path / "toy.parquet")
    table = read("toy.parquet")
    assert texts(table) == [
        ["x", None, "y"], ["1", None, "9007199254740993"], ["TRUE", "FALSE", None],
        ["1.5", "2", None], [None] * 3, ["2024-01-12 10:00:00", None, None],
        ["2024-01-13 00:30:00"] * 3,
    ]  # fmt: skip
    assert list(table.dates) == ["time", "when"]
    pq.write_table(pa.table({"id": ["a"], "lists": [[1, 2]]}), tmp_path / "toy.parquet")
    assert "holds lists or records" in refused(read, "toy.parquet")[1]


# --------------------------------------------------------------------------------------------------
# delimited files


def test_quotation_marks_as_declared(read):
    data = b"id,note\n1,'a, b'\n2,it's\n"
    assert texts(read("toy.csv", data, quote="'"))[1][0] == "a, b"
    data = b'id,note\n1,6" ruler\n2,"open\n'
    assert texts(read("toy.csv", data, quote="none"))[1] == ['6" ruler', '"open']


def test_rows_under_the_header_that_are_no_data(read, made, tmp_path):
    table = read("toy.csv", b"id,wai1\nIdentifier,Item 1\n1,3\n", skip_after_header=1)
    assert texts(table) == [["1"], ["3"]] and table.rows.tolist() == [3]
    rows = [["id", "wai1"], ["Identifier", "Item 1"], ["1", 3]]
    made.write_xlsx(tmp_path / "toy.xlsx", {"Data": rows})
    table = read("toy.xlsx", skip_after_header=1)
    assert texts(table) == [["1"], ["3"]] and table.rows.tolist() == [3]


def test_a_qualtrics_file_without_its_header_rows_is_refused(read):
    data = b"id,Q1_1\n1,3\n2,4\n3,5\n"
    rule, found, remedy = refused(read, "toy.csv", data, format="qualtrics")
    assert rule == "file-unreadable" and "import ids" in found and "format: csv" in remedy


def test_a_qualtrics_file_in_utf_16_with_tabs(read):
    lines = 'id\tQ1\nId\t"How, ""often""\n?"\n{"ImportId":"a"}\t{"ImportId":"b"}\n1\t3\n'
    lines = lines.replace('{"ImportId":"a"}', '"{""ImportId"":""a""}"')
    lines = lines.replace('{"ImportId":"b"}', '"{""ImportId"":""b""}"')
    table = read("toy.tsv", lines.encode("utf-16"), format="qualtrics", encoding="utf-16")
    assert texts(table) == [["1"], ["3"]] and table.rows.tolist() == [4]


def test_limesurvey_marks_of_nothing_are_blank(read):
    data = b"id,submitdate,wai[SQ001]\n1,1980-01-01 00:00:00,N/A\n2,2024-01-01 10:00:00,A3\n"
    table = read("toy.csv", data, format="limesurvey")
    assert texts(table) == [["1", "2"], [None, "2024-01-01 10:00:00"], [None, "A3"]]


# --------------------------------------------------------------------------------------------------
# REDCap


def redcap(read, made, tmp_path, data, **keys):
    (tmp_path / "dictionary.csv").write_text(made.redcap_dictionary(), encoding="utf-8")
    return read("toy.csv", data.encode(), format="redcap", dictionary="dictionary.csv", **keys)


def test_a_raw_redcap_export_gets_the_words_of_its_codes(read, made, tmp_path):
    table = redcap(read, made, tmp_path, "record_id,wai1,sex___2\n1,3,1\n")
    assert texts(table) == [["1"], ["3"], ["1"]]
    assert table.labels["wai1"]["3"] == "Fairly often"
    assert table.labels["sex___2"] == {"1": "Checked", "0": "Unchecked"}


def test_redcap_labels_become_names_and_codes(read, made, tmp_path):
    labels = {"header": "labels", "cells": "labels"}
    data = 'Record ID,Age in years,Alliance 1,Gender (choice=Male),Mood 1,"Event Name",Odd\n'
    data += "1,30,Fairly often,Checked,Several days,Baseline,Fairly often\n2,30,Fairly,,,,\n"
    table = redcap(read, made, tmp_path, data, **labels)
    assert table.header == [
        "record_id", "age", "wai1", "sex___2", "phq1", "redcap_event_name", "Odd",
    ]  # fmt: skip
    rows = list(zip(*texts(table), strict=True))
    assert rows[0] == ("1", "30", "3", "1", "1", "Baseline", "Fairly often")
    assert rows[1][2] == "Fairly"  # no label: left for the checks to tell


def test_what_is_no_data_dictionary_is_told(read, tmp_path):
    (tmp_path / "dictionary.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    keys = {"format": "redcap", "dictionary": "dictionary.csv"}
    _, found, remedy = refused(read, "toy.csv", b"id,x\n1,2\n", **keys)
    assert "dictionary.csv is no data dictionary" in found and "download" in remedy
    rule, found, _ = refused(read, "toy.csv", **{**keys, "dictionary": "none.csv"})
    assert (rule, found) == ("file-missing", "there is no file none.csv")


# --------------------------------------------------------------------------------------------------
# workbooks


def book_of(rows, change=lambda sheet: None, epoch=None):
    book = openpyxl.Workbook()
    if epoch is not None:
        book.epoch = epoch
    for row in rows:
        book.active.append(row)
    change(book.active)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize("epoch", [1900, 1904])
def test_both_date_systems(read, epoch):
    from openpyxl.utils import datetime as dates

    system = dates.CALENDAR_WINDOWS_1900 if epoch == 1900 else dates.CALENDAR_MAC_1904
    data = book_of([HEADER, *ROWS], epoch=system)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        serial = {1900: "45303", 1904: "43841"}[epoch]  # 2024-01-12; 1,462 days between them
        assert f"<v>{serial}</v>".encode() in archive.read("xl/worksheets/sheet1.xml")
    assert texts(read("toy.xlsx", data)) == TEXTS


def test_hidden_rows_are_read_and_marked(read):
    def hide(sheet):
        sheet.row_dimensions[3].hidden = True

    table = read("toy.xlsx", book_of([HEADER, *ROWS], hide))
    assert texts(table) == TEXTS
    assert marks(table) == [("hidden-row", 3, None, 1)]


def test_merged_cells_are_marked_in_each_column(read):
    table = read("toy.xlsx", book_of([HEADER, *ROWS], lambda sheet: sheet.merge_cells("A2:B3")))
    assert texts(table)[0] == ["007", None]
    assert marks(table) == [("merged-cells", 2, 0, 2), ("merged-cells", 2, 1, 2)]


def test_a_merged_title_above_the_header_is_no_matter(read):
    rows = [["Export"], HEADER, *ROWS]
    data = book_of(rows, lambda sheet: sheet.merge_cells("A1:D1"))
    assert marks(read("toy.xlsx", data, header_row=2)) == []


def test_formulas_without_result_are_told_once_a_column(read):
    rows = [[*HEADER, "sum"], *([*row, f"=B{i}+1"] for i, row in enumerate(ROWS, start=2))]
    assert marks(read("toy.xlsx", book_of(rows))) == [("formula-without-value", 2, 4, 2)]


@pytest.mark.parametrize(
    ("cell", "text", "told"),
    [
        (b'<c r="D2"><f>1+2</f><v>3</v></c>', "3", []),
        (b'<c r="D2" t="str"><f>IF(1=2,1,"")</f><v></v></c>', None, []),
        (b'<c r="D2" t="str"><f>"x"</f><v>x</v></c>', "x", []),
        (b'<c r="D2"><f>1+2</f></c>', None, [("formula-without-value", 2, 3, 1)]),
        (b'<c r="D2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', None, [("error-in-cell", 2, 3, 1)]),
        (b'<c r="D2" t="e"><v>#N/A</v></c>', None, [("error-in-cell", 2, 3, 1)]),
    ],
)  # fmt: skip
def test_formulas_and_errors(read, cell, text, told):
    plain = b'<c r="D2" t="n"><v>3</v></c>'
    assert plain in zipfile.ZipFile(io.BytesIO(WORKBOOK)).read("xl/worksheets/sheet1.xml")
    data = changed_book("xl/worksheets/sheet1.xml", lambda content: content.replace(plain, cell))
    table = read("toy.xlsx", data)
    assert texts(table)[3][0] == text
    assert marks(table) == told


def test_what_an_ods_file_holds_beside_its_cells(read, made, tmp_path):
    cell = made.Raw
    hidden = '<table:table-row table:visibility="{}">{}</table:table-row>'
    rows = [
        HEADER,
        [cell('<table:table-cell office:value-type="string" table:number-rows-spanned="2">'
              "<text:p>007</text:p></table:table-cell>"), 1, ROWS[0][2], 3],
        [cell("<table:covered-table-cell/>"), 2, ROWS[1][2],
         cell('<table:table-cell table:formula="of:=[.B2]"/>')],
        made.Raw(hidden.format("filter", "".join(map(made.ods_cell, ["NA", 1, ROWS[0][2], 4])))),
        made.Raw('<table:table-row table:number-rows-repeated="1048000">'
                 '<table:table-cell table:number-columns-repeated="1024"/></table:table-row>'),
    ]  # fmt: skip
    made.write_ods(tmp_path / "toy.ods", {"Other": [["x"]], "Data": rows})
    table = read("toy.ods", sheet="Data")
    assert texts(table)[0] == ["007", None, "NA"]
    assert sorted(marks(table), key=str) == [
        ("formula-without-value", 3, 3, 1), ("hidden-row", 4, None, 1), ("merged-cells", 2, 0, 2),
    ]  # fmt: skip


def test_a_stray_cell_far_down_an_ods_sheet_is_told(read, made, tmp_path):
    desert = '<table:table-row table:number-rows-repeated="1048500"><table:table-cell/>'
    far = '<table:table-row><table:table-cell table:number-columns-repeated="1000"/>'
    far += '<table:table-cell office:value-type="float" office:value="1"/></table:table-row>'
    rows = [HEADER, *ROWS, made.Raw(f"{desert}</table:table-row>{far}")]
    made.write_ods(tmp_path / "toy.ods", {"Data": rows})
    assert "a stray cell makes the sheet" in refused(read, "toy.ods")[1]


def test_a_missing_sheet_in_an_ods_file(read, made, tmp_path):
    made.write_ods(tmp_path / "toy.ods", {"Data": [HEADER], "Notes": [["x"]]})
    assert refused(read, "toy.ods", sheet="Dat")[:2] == (
        "sheet-missing",
        "the site mapping asks for the sheet Dat, the workbook has 2 sheets, of like name: Data",
    )


# --------------------------------------------------------------------------------------------------
# files that are not what they seem


def zipped(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return stream.getvalue()


WORKBOOK = book_of([HEADER, *ROWS])
HTML = b"\xef\xbb\xbf  <html><table><tr><td>id</td></tr></table></html>"
NOT_WHAT_THEY_SEEM = [
    ("a.csv", WORKBOOK, {}, "Excel workbook (.xlsx), no CSV file", "`format: excel`"),
    ("a.csv", (FILES / "old.xls").read_bytes(), {}, "Excel workbook (.xls)", "`format: excel`"),
    ("a.sav", WORKBOOK, {}, "Excel workbook (.xlsx), no sav file", "`format: excel`"),
    ("a.csv", b"$FL2 and more", {}, "an SPSS file", "`format: sav`"),
    ("a.csv", b"<stata_dta><header>", {}, "a Stata file", "`format: stata`"),
    ("a.csv", b"PAR1....PAR1", {}, "a Parquet file", "`format: parquet`"),
    ("a.csv", b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!", {}, "a SAS file", "sas"),
    ("a.csv", HTML, {}, "a web page, no CSV file", "log in and export it again"),
    ("a.csv", b"%PDF-1.7", {}, "a PDF document", None),
    ("a.csv", gzip.compress(b"id,x\n"), {}, "a gzip file", "end in .gz"),
    ("a.csv", zipped(x__csv="id\n"), {}, "zip file", "end in .zip"),
    ("a.xlsx", zipped(x__csv="id\n"), {}, "zip file or damaged workbook", "export the file again"),
    ("a.xls", HTML, {}, "a web page, no workbook", "save it as .xlsx"),
    ("a.xls", b"id\tnr\tday\n1\t2\t3\n", {}, "a text file with the ending of one", "format: csv"),
    ("a.xlsx", b"id;nr;day\n1;2;3\n", {}, "a text file with the ending of one", "save it as"),
    ("a.xlsx", bytes(100), {}, "no workbook, or a damaged one", None),
    ("a.xlsx", (FILES / "password.xlsx").read_bytes(), {}, "protected by a password", "without"),
    ("a.dta", b"hello", {}, "no Stata file", None),
    ("a.sas7bdat", b"hello", {}, "no SAS file", None),
    ("a.xpt", b"hello", {}, "no SAS file", None),
    ("a.por", b"hello", {}, "no SPSS file", None),
    ("a.parquet", b"hello", {}, "no Parquet file", None),
    ("a.csv.zip", zipped(x__csv="id\n", y__csv="id\n"), {}, "holds 2 files", "`member`"),
    ("a.csv.zip", zipped(x__csv="id\n"), {"member": "y.csv"}, "holds no file y.csv", "`member`"),
    ("a.csv.zip", zipped(), {}, "holds 0 files", "`member`"),
    ("a.csv.zip", zipped(x__csv=""), {}, "holds nothing", None),
    ("a.csv.zip", zipped(x__csv="id,x\n" * 999)[:-30], {}, "damaged or ends too early", None),
    ("a.csv.gz", gzip.compress(b""), {}, "holds nothing", None),
    ("a.csv.gz", b"id,nr\n1,2\n", {}, "damaged", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "data", "keys", "found", "remedy"), NOT_WHAT_THEY_SEEM,
    ids=[f"{case[0]}: {case[3]}" for case in NOT_WHAT_THEY_SEEM],
)  # fmt: skip
def test_files_that_are_not_what_they_seem(read, file, data, keys, found, remedy):
    rule, told, what_to_do = refused(read, file, data, **keys)
    assert rule in ("file-unreadable", "file-empty", "file-missing")
    assert found in told
    assert remedy is None or remedy in what_to_do


def test_the_file_meant_in_a_zip(read):
    data = zipped(one__csv="id,x\n1,2\n", two__csv="id,x\n3,4\n", __MACOSX="")
    assert texts(read("toy.zip", data, member="two.csv")) == [["3"], ["4"]]


def test_a_zip_from_a_mac_holds_one_file(read):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("data/", "")
        archive.writestr("data/toy.csv", "id,x\n1,2\n")
        archive.writestr("__MACOSX/data/._toy.csv", "x")
    assert texts(read("toy.csv.zip", stream.getvalue())) == [["1"], ["2"]]


# --------------------------------------------------------------------------------------------------
# bombs


def bomb_of_zip():
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("bomb.csv", "w", force_zip64=True) as member,
    ):
        for _ in range(40):
            member.write(bytes(8_000_000))
    return stream.getvalue()


def bomb_of_xlsx():
    desert = b" " * 250_000_000 + b"</sheetData>"
    return changed_book("xl/worksheets/sheet1.xml", lambda c: c.replace(b"</sheetData>", desert))


def changed_book(part, change, data=WORKBOOK):
    """Return a workbook with one part of it changed."""
    stream = io.BytesIO()
    style = {"compression": zipfile.ZIP_DEFLATED, "compresslevel": 1}
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(stream, "w", **style) as new:
        for name in given.namelist():
            content = given.read(name)
            new.writestr(name, change(content) if name == part else content)
    return stream.getvalue()


ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(8)
) + b"]>"  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "bomb"),
    [
        ("toy.csv.gz", lambda: gzip.compress(bytes(320_000_000), 1)),
        ("toy.csv.zip", bomb_of_zip),
        ("toy.xlsx", bomb_of_xlsx),
    ],
)
def test_bombs_are_refused_within_2_seconds_and_500_megabytes(read, tmp_path, file, bomb):
    (tmp_path / file).write_bytes(bomb())
    tracemalloc.start()
    before = os.times()
    told = refused(read, file)[1]
    used = os.times()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "beyond all measure" in told
    assert used.user + used.system - before.user - before.system < 2
    assert most < 500_000_000


def test_a_parquet_bomb_is_refused(read, tmp_path):
    column = pa.array([None] * 1_000_000, type=pa.float64())
    pq.write_table(pa.table({f"c{i}": column for i in range(60)}), tmp_path / "ok.parquet")
    big = pa.chunked_array([column] * 100)
    pq.write_table(pa.table({"id": big}), tmp_path / "toy.parquet", compression="zstd")
    assert "beyond all measure" in refused(read, "toy.parquet")[1]


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml"])
def test_entities_are_refused(read, part):
    data = changed_book(part, lambda content: ENTITIES + content)
    assert "entities" in refused(read, "toy.xlsx", data)[1]


def test_a_statistics_file_that_promises_more_than_it_can_hold(read, tmp_path):
    frame = pd.DataFrame({f"v{i}": [1.0] * 10 for i in range(40)})
    pyreadstat.write_sav(frame, str(tmp_path / "toy.sav"))
    data = bytearray((tmp_path / "toy.sav").read_bytes())
    assert data[80:84] == (10).to_bytes(4, "little")  # the number of cases
    data[80:84] = (30_000_000).to_bytes(4, "little")
    assert "beyond all measure" in refused(read, "toy.sav", bytes(data))[1]


def test_a_statistics_file_cut_off_between_two_rows(read, tmp_path):
    frame = pd.DataFrame({f"v{i}": [1.0] * 10 for i in range(40)})
    pyreadstat.write_sav(frame, str(tmp_path / "toy.sav"))
    data = (tmp_path / "toy.sav").read_bytes()
    assert "damaged" in refused(read, "toy.sav", data[: -3 * 40 * 8])[1]
    pyreadstat.write_dta(frame, str(tmp_path / "toy.dta"))
    data = (tmp_path / "toy.dta").read_bytes()
    end = data.index(b"</data>")
    assert "damaged" in refused(read, "toy.dta", data[: end - 3 * 40 * 8])[1]


# --------------------------------------------------------------------------------------------------
# what is odd in a workbook is told with its place where the mapping reads it, without a value


def test_what_is_odd_in_a_workbook_has_a_place(site, date):
    header = ["id", "nr", "day", "wai1", "wai2", "wai3", "mean", "note"]
    rows = [["Zebulon", n, date(2024, 1, n), 3, 3, 3, f"=AVERAGE(D{n + 1}:F{n + 1})", "=1"]
            for n in range(1, 9)]  # fmt: skip
    rows[4][5] = "#N/A"

    def odd(sheet):
        sheet.row_dimensions[4].hidden = True
        sheet.merge_cells("D7:D8")
        sheet.merge_cells("H2:H9")  # no column of the mapping

    (site.raw / "toy.xlsx").write_bytes(book_of([header, *rows], odd))
    table = {"file": "toy.xlsx", "rows": "session", "client": "id", "session": "nr",
             "session_facts": {"date": "day"}, "measures": {"alliance": "wai{item}"}}  # fmt: skip
    read = site.read(table)
    quarantine = read.quarantine.astype(object).where(read.quarantine.notna(), None)
    told = [tuple(row) for row in quarantine[["row", "column", "rule", "action"]].to_numpy()]
    assert told == [
        (4, None, "hidden-row", "noted"), (6, "wai3", "error-in-cell", "noted"),
        (7, "wai1", "merged-cells", "noted"),
    ]  # fmt: skip
    assert len(read.sessions) == 8 and len(read.responses) == 24 - 2
    with_mean = {**table, "client_facts": {"mean_score": {"column": "mean", "type": "number"}}}
    stopped = site.read(with_mean).quarantine
    stopped = stopped[stopped["action"] == "stopped"]
    assert stopped[["row", "column", "rule", "rows_affected"]].to_numpy().tolist() == [
        [2, "mean", "formula-without-value", 8]
    ]
    assert "Zebulon" not in stopped.to_csv()


def test_ids_that_a_spreadsheet_turned_into_dates_are_told(site, date):
    site.workbook("toy.xlsx", Data=[["id", "nr"], [date(2024, 2, 1), 1], [date(2024, 2, 1), 2]])
    read = site.read({"file": "toy.xlsx", "rows": "session", "client": "id", "session": "nr"})
    assert read.quarantine["rule"].tolist() == ["id-is-a-date"] * 2
    assert "2024" not in read.quarantine.to_csv()
