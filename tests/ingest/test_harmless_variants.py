"""What a spreadsheet program does to a file in passing changes nothing and raises no alarm."""

import csv
import io
import random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

HEADER = ["id", "nr", "day", "wai1", "wai2", "wai3", "note"]
TABLE = {
    "file": "toy.csv", "rows": "session", "client": "id", "session": "nr",
    "client_facts": {"therapist": "th"}, "session_facts": {"date": "day"},
    "measures": {"alliance": "wai{item}"},
}  # fmt: skip


def rows_of(seed=1):
    chance = random.Random(seed)
    rows = []
    for client in range(6):
        for session in range(1, 5):
            cells = [str(chance.choice([1, 2, 3, 4, 5, ""])) for _ in range(3)]
            day = f"2024-01-{session * 7:02}"
            rows.append(
                [f"P{client:03}", str(session), day, *cells, 'said "so", twice', f"T{client % 2}"]
            )
    return rows


def written(header, rows, *, line_end="\n", delimiter=",", quoting=csv.QUOTE_MINIMAL):
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


@pytest.fixture
def expected(site):
    site.csv("toy.csv", written([*HEADER, "th"], rows_of()))
    return site.read(TABLE)


def assert_same(read, expected, *, is_open=False):
    rules = ["last-line-open"] if is_open else []  # told: it may be all that a cut has left
    assert read.quarantine["rule"].tolist() == rules, read.quarantine
    for name in ("clients", "sessions", "responses"):
        assert_frame_equal(getattr(read, name), getattr(expected, name))


@settings(
    max_examples=60, deadline=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    chance=st.randoms(use_true_random=False),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    blank_columns=st.integers(0, 3),
    blank_rows=st.integers(0, 3),
    pads_cells=st.booleans(),
    note=st.sampled_from(["", "plain", "line\nbreak", 'a "quoted" word', "Grüße"]),
    last_line_end=st.booleans(),
)
def test_harmless_variants(
    site, expected, chance, encoding, line_end, delimiter, quoting, blank_columns, blank_rows,
    pads_cells, note, last_line_end,
):  # fmt: skip
    if line_end == "\r":  # Python's csv.writer then leaves a line break in a cell without quotes
        quoting = csv.QUOTE_ALL
    order = list(range(8))
    chance.shuffle(order)
    header = [[*HEADER, "th"][i] for i in order] + [""] * blank_columns
    rows = rows_of()
    chance.shuffle(rows)
    for row in rows:
        row[6] = note
        if pads_cells:  # not the ids: blanks in ids are told
            row[1:6] = [f" {cell} " for cell in row[1:6]]
    rows = [[row[i] for i in order] + [""] * blank_columns for row in rows]
    for _ in range(blank_rows):
        rows.insert(chance.randrange(len(rows) + 1), [""] * len(header))
    text = written(header, rows, line_end=line_end, delimiter=delimiter, quoting=quoting)
    if not last_line_end:
        text = text.removesuffix(line_end)
    site.csv("toy.csv", text.encode(encoding))
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    read = site.read({**TABLE, "delimiter": delimiter, "encoding": declared})
    assert_same(read, expected, is_open=not text.endswith(line_end))


def test_column_and_row_order_of_workbooks(site, expected):
    rows = [[int(c) if c.isdigit() else (c or None) for c in row] for row in reversed(rows_of())]
    order = [5, 7, 3, 0, 1, 6, 2, 4]
    cells = [[[*HEADER, "th"][i] for i in order], *([row[i] for i in order] for row in rows)]
    site.workbook("toy.xlsx", Data=[*cells, [], [None] * 8])
    assert_same(site.read({**TABLE, "file": "toy.xlsx"}), expected)


def test_ids_stay_text(site):
    ids = ["007", "7", "1e5", "100000", "NA", "None", "nan", "NO", "TRUE", "-", "1.0", "٣"]
    lines = "".join(f"{own},{n},1,1,1\n" for own in ids for n in (1, 2))
    site.csv("toy.csv", "id,nr,wai1,wai2,wai3\n" + lines)
    read = site.read(
        {"file": "toy.csv", "rows": "session", "client": "id", "session": "nr",
         "measures": {"alliance": "wai{item}"}}
    )  # fmt: skip
    assert len(read.clients) == len(ids)
    # 007 and 7 stay two, and are told
    assert read.quarantine["rule"].tolist() == ["look-alike-id"] * 2
