"""The demo cohort's raw files: the same bytes always, the planted faults and no other.

The readers here are the formats' own (csv, pyreadstat, openpyxl) and share nothing with
`alliance.ingest`; what counts as a fault is written down anew.
"""

import csv
import datetime as dt
import json
import os
import re
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import openpyxl
import pyreadstat
import pytest

from alliance.errors import ConfigError
from alliance.simulate import write_demo
from alliance.simulate.stable_files import fix_sav_times

PROJECT = Path(__file__).parents[2]
DEMO = PROJECT / "data" / "raw" / "demo"
FILES = [
    "north/verlauf.csv",
    "east/sessions.sav",
    "south/redcap_export.csv",
    "south/discharge.csv",
    "west/sessions.xlsx",
    "truth.json",
]
SEED = 20261123
RANGES = {"WAI": (1, 5), "PHQ": (0, 3), "WAIT": (1, 7)}


@pytest.fixture(scope="module")
def truth():
    return json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))


# ------------------------------------------------------------------------ bytes


def content(path):
    """Return a file's bytes; of a workbook its members', which builds of zlib pack differently."""
    if path.suffix != ".xlsx":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return [(i.filename, i.date_time, archive.read(i)) for i in archive.infolist()]


def test_the_committed_files_are_those_of_the_seed(tmp_path):
    write_demo(SEED, tmp_path)
    for name in FILES:
        assert content(tmp_path / name) == content(DEMO / name), name
    written = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert written == set(FILES)


@pytest.mark.slow
def test_hash_seed_time_zone_and_locale_change_nothing(tmp_path):
    command = (
        "import sys; from alliance.simulate import write_demo; write_demo(20261123, sys.argv[1])"
    )
    odd = {"PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland", "LC_ALL": "C", "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", command, str(tmp_path)], env=os.environ | odd, check=True)
    for name in FILES:
        assert content(tmp_path / name) == content(DEMO / name), name


def test_the_folder_is_small():
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file()) < 3_000_000


def test_nothing_is_written_among_data_that_nobody_simulated(tmp_path):
    (tmp_path / "north").mkdir()
    (tmp_path / "north" / "verlauf.csv").write_text("real data")
    with pytest.raises(ConfigError, match="not simulated"):
        write_demo(SEED, tmp_path)
    assert (tmp_path / "north" / "verlauf.csv").read_text() == "real data"


def test_a_header_that_is_no_sav_is_refused():
    with pytest.raises(ValueError, match="header"):
        fix_sav_times(b"$FL2" + b" " * 200)


def test_headers_hold_the_fixed_date():
    _, meta = pyreadstat.read_sav(DEMO / "east/sessions.sav", metadataonly=True)
    assert meta.creation_time == dt.datetime(2024, 12, 2, 12, 0)
    book = openpyxl.load_workbook(DEMO / "west/sessions.xlsx", read_only=True)
    assert book.properties.created == book.properties.modified == dt.datetime(2024, 12, 2, 12, 0)
    with zipfile.ZipFile(DEMO / "west/sessions.xlsx") as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


# ------------------------------------------------------------------------ faults


def answer_fault(text, scale):
    """Return the rule that an answer breaks, if any; empty cells break none."""
    lowest, highest = RANGES[scale]
    if text in ("", None):
        return None
    if not re.fullmatch(r"-?\d+(\.0)?", str(text)):
        return "not-a-number"
    return None if lowest <= float(text) <= highest else "out-of-range"


def date_fault(text, pattern):
    try:
        day = dt.datetime.strptime(text, pattern).date()
    except ValueError:
        return "bad-date"
    return None if dt.date(2023, 1, 1) <= day <= dt.date(2024, 12, 31) else "bad-date"


def repeats(rows, keys):
    """Yield (row number, rule) of rows whose key was seen elsewhere; rows are (number, cells)."""
    by_key = {}
    for number, row in rows:
        key = tuple(row[k] for k in keys)
        by_key.setdefault(key, []).append((number, row))
    for key, same in by_key.items():
        if len(same) == 1 or not key[0]:
            continue
        if all(row == same[0][1] for _, row in same):
            yield from ((number, "exact-duplicate") for number, _ in same[1:])
        else:
            yield from ((number, "conflicting-duplicate") for number, _ in same)


def spreadsheet(name, **how):
    """Return header and (row number, cells by column) of a delimited file."""
    delimiter = how.pop("delimiter")
    with open(DEMO / name, newline="", **how) as stream:
        rows = list(csv.reader(stream, delimiter=delimiter))
    assert all(len(row) == len(rows[0]) for row in rows)
    return rows[0], [
        (number, dict(zip(rows[0], row, strict=True))) for number, row in enumerate(rows[1:], 2)
    ]


def faults_of_north():
    header, rows = spreadsheet("north/verlauf.csv", delimiter=";", encoding="latin-1")
    for number, row in rows:
        if not row["Patient"]:
            yield number, "Patient", "no-client-id"
        for column in header:
            kind, _, _ = column.partition("_S")
            if kind in RANGES:
                rule = answer_fault(row[column], kind)
                if rule:
                    yield number, column, rule
            elif kind == "Datum" and row[column] and date_fault(row[column], "%d.%m.%Y"):
                yield number, column, "bad-date"
        dates = [row[column] for column in header if column.startswith("Datum") and row[column]]
        explained = row["Therapieende"] in ("Abbruch", "Wechsel")
        if len(dates) == 1 and row["Patient"] and not explained:
            yield number, None, "client-with-one-session"
        assert re.fullmatch(r"\d\d,\d", row["Alter"])
        assert row["Geschlecht"] in ("w", "m", "d")
        assert row["Therapieende"] in ("Abbruch", "regulär", "Wechsel", "laufend")
    yield from ((number, None, rule) for number, rule in repeats(rows, ["Patient"]))


EXPLAIN_ONE_SESSION, ENDED = (1, 3), ("dropout", "transferred")  # as two codes, as words


def faults_of_east():
    frame, _ = pyreadstat.read_sav(DEMO / "east/sessions.sav", user_missing=True)
    rows = list(enumerate(frame.astype(object).where(frame.notna(), "").to_dict("records"), 1))
    scales = {"wai": "WAI", "phq": "PHQ", "wait": "WAIT"}
    sessions = Counter(pair for pair in {(r["pat_id"], r["sess_no"]) for _, r in rows})
    per_client = Counter(client for client, _ in sessions)
    for number, row in rows:
        if not row["pat_id"]:
            yield number, "pat_id", "no-client-id"
        elif per_client[row["pat_id"]] == 1 and row["end_reason"] not in EXPLAIN_ONE_SESSION:
            yield number, None, "client-with-one-session"
        for column, value in row.items():
            kind = column.rstrip("0123456789")
            if kind in scales and value != -9:
                rule = answer_fault(value, scales[kind])
                if rule:
                    yield number, column, rule
        assert dt.date(2023, 1, 1) <= row["sess_date"] <= dt.date(2024, 12, 31)
        assert row["sex"] in (1, 2, 3)
        assert row["end_reason"] in (1, 2, 3, 4)
    yield from ((number, None, rule) for number, rule in repeats(rows, ["pat_id", "sess_no"]))


def faults_of_south():
    header, rows = spreadsheet("south/redcap_export.csv", delimiter=",", encoding="utf-8")
    scales = {"wai": "WAI", "phq": "PHQ", "wait": "WAIT"}
    events = {(row["record_id"], row["redcap_event_name"]) for _, row in rows}
    per_client = Counter(client for client, event in events if event.startswith("session_"))
    _, discharged = spreadsheet("south/discharge.csv", delimiter=",", encoding="utf-8")
    ends = {row["record_id"]: row["discharge_reason"] for _, row in discharged}
    for number, row in rows:
        if not row["record_id"]:
            yield number, "record_id", "no-client-id"
        if row["redcap_event_name"] == "intake_arm_1":
            assert row["session_date"] == ""
            continue
        assert re.fullmatch(r"session_\d+_arm_1", row["redcap_event_name"])
        if date_fault(row["session_date"], "%Y-%m-%d"):
            yield number, "session_date", "bad-date"
        for column in header:
            kind, _, item = column.partition("_")
            if kind in scales and item.isdigit():
                rule = answer_fault(row[column], scales[kind])
                if rule:
                    yield number, column, rule
        ended = ends.get(row["record_id"])
        if per_client[row["record_id"]] == 1 and ended and int(ended) not in EXPLAIN_ONE_SESSION:
            yield number, None, "client-with-one-session"
    yield from (
        (number, None, rule) for number, rule in repeats(rows, ["record_id", "redcap_event_name"])
    )
    assert {row["record_id"] for _, row in discharged} == set(per_client) - {""}
    assert {row["discharge_reason"] for _, row in discharged} <= {"1", "2", "3", "4"}


def sheet_rows(book, name):
    values = book[name].iter_rows(values_only=True)
    header = next(values)
    return [(number, dict(zip(header, row, strict=True))) for number, row in enumerate(values, 2)]


def faults_of_west():
    book = openpyxl.load_workbook(DEMO / "west/sessions.xlsx", read_only=True)
    clients = sheet_rows(book, "Clients")
    sessions = sheet_rows(book, "Sessions")
    answers = sheet_rows(book, "Answers")
    per_client = Counter(row["client"] for _, row in sessions)
    ends = {row["client"]: row["end_status"] for _, row in clients}
    assert {row["client"] for _, row in clients} == set(per_client)
    attended = {(row["client"], row["session"]) for _, row in sessions}
    for number, row in sessions:
        if not isinstance(row["date"], dt.datetime):
            yield "Sessions", number, "date", "bad-date"
        if per_client[row["client"]] == 1 and ends[row["client"]] not in ENDED:
            yield "Sessions", number, None, "client-with-one-session"
    scales = {"WAI-SR": ("WAI", 12), "PHQ-9": ("PHQ", 9), "WAI-S-T": ("WAIT", 12)}
    for number, row in answers:
        scale, n_items = scales[row["form"]]
        assert 1 <= row["item"] <= n_items
        assert (row["client"], row["session"]) in attended
        rule = answer_fault(row["answer"], scale)
        if rule:
            yield "Answers", number, "answer", rule
    for name, rows, key in (
        ("Clients", clients, ["client"]),
        ("Sessions", sessions, ["client", "session"]),
        ("Answers", answers, ["client", "session", "form", "item"]),
    ):
        yield from ((name, number, None, rule) for number, rule in repeats(rows, key))


@pytest.mark.parametrize("site", ["north", "east", "south", "west"])
def test_each_planted_fault_is_there_and_none_else(site, truth):
    planted = {
        (f["sheet"], f["row"], f["column"], f["rule"])
        for f in truth["planted_faults"]
        if f["site"] == site
    }
    if site == "west":
        found = set(faults_of_west())
    else:
        scan = {"north": faults_of_north, "east": faults_of_east, "south": faults_of_south}[site]
        found = {(None, *fault) for fault in scan()}
    assert found == planted


def test_each_kind_of_fault_is_planted_two_or_three_times(truth):
    counts = Counter(fault["rule"] for fault in truth["planted_faults"])
    counts.pop("client-with-one-session", 0)  # of those whose end does not explain it
    assert counts.pop("conflicting-duplicate") == 4  # two pairs of rows
    assert counts == dict.fromkeys(
        ["out-of-range", "not-a-number", "bad-date", "no-client-id", "exact-duplicate"], 3
    )
    assert {fault["site"] for fault in truth["planted_faults"]} == {
        "north", "east", "south", "west",
    }  # fmt: skip


def test_truth_says_what_it_is(truth):
    assert truth["simulated"] is True
    assert truth["seed"] == SEED
    assert {"value", "unit", "source"} == set(truth["parameters"]["alliance_to_symptoms"])
    assert 0.20 <= truth["cohort"]["share_dropout"] <= 0.30
