"""Any file in, no traceback out: a site's faults end as places, rules and remedies."""

import gzip
import random
import time
from pathlib import Path

import openpyxl
import pandas as pd
import pyreadstat
import pytest
import yaml

from alliance.config.cohort import PROJECT
from alliance.errors import DataError
from alliance.ingest.pool import pool_sites
from alliance.ingest.site import ingest_site

HEADER = ["Patient", "nr", "day", "name", *(f"wai{i}" for i in range(1, 13))]
# Values that must never be told: an id, a name, a date, an answer out of range.
SECRETS = ["Zebulon", "Quixotica", "1987", "4711"]
MEASURES = {"alliance": {"instrument": "wai-sr-c"}}


def rows():
    made = []
    for client in ("Zebulon-1", "Zebulon-2", "Zebulon-3"):
        for session in range(1, 5):
            cells = ["4711" if session == 4 else "3"] + ["2"] * 11
            made.append([client, str(session), f"1987-05-{session:02}", "Quixotica", *cells])
    return made


def text(separator=",", header=HEADER):
    return "".join(separator.join(row) + "\n" for row in [header, *rows()])


@pytest.fixture
def ingest(tmp_path):
    """Ingest one site's raw files, pool, and return its quarantine and the message of a stop."""

    def run(files, **table):
        raw, out = tmp_path / "raw", tmp_path / "out"
        raw.mkdir(exist_ok=True)
        for name, data in files.items():
            (raw / name).write_bytes(data if isinstance(data, bytes) else data.encode())
        mapping = {
            "site": "toy",
            "tables": [
                {"file": "toy.csv", "rows": "session", "client": "Patient", "session": "nr",
                 "session_facts": {"date": "day"}, "measures": {"alliance": "wai{item}"}, **table}
            ],
        }  # fmt: skip
        (tmp_path / "toy.yaml").write_text(yaml.safe_dump(mapping), encoding="utf-8")
        ingest_site(
            cohort="toy", site="toy", mapping=tmp_path / "toy.yaml", raw_folder=raw,
            measures=MEASURES, instruments=[PROJECT / "config" / "instruments" / "wai-sr-c.yaml"],
            private_folder=tmp_path / "private", simulated=False, out_folder=out,
        )  # fmt: skip
        message = ""
        try:
            pool_sites(
                site_folders=[out],
                out_folder=tmp_path / "pooled",
                checks_folder=tmp_path / "checks",
            )
        except DataError as error:
            message = str(error)
        quarantine = pd.read_parquet(out / "quarantine.parquet")
        told = message + (tmp_path / "checks" / "problems.csv").read_text(encoding="utf-8")
        assert not [secret for secret in SECRETS if secret in told]
        return quarantine, message

    return run


def test_sound_file(ingest):
    quarantine, message = ingest({"toy.csv": text()})
    assert message == ""
    assert set(quarantine["rule"]) == {"out-of-range"}


STOPPED = [
    # name of the fault, the file, its bytes, keys of the mapping, the rule, words of the message
    ("missing file", {}, {}, "file-missing", "put the file into"),
    ("empty file", {"toy.csv": ""}, {}, "file-empty", "0 bytes"),
    ("blank file", {"toy.csv": "\n \n"}, {}, "file-empty", "blanks"),
    ("removed column", {"toy.csv": text(header=[*HEADER[:9], "x", *HEADER[10:]])}, {},
     "column-missing", "column wai6"),
    ("renamed column", {"toy.csv": text(header=["Patients", *HEADER[1:]])}, {}, "column-missing",
     "the file has: Patients"),
    ("column twice", {"toy.csv": text(header=[*HEADER[:3], "nr", *HEADER[4:]])}, {}, "column-twice",
     "column nr"),
    ("wrong delimiter", {"toy.csv": text(";")}, {}, "column-missing", "set the right `delimiter`"),
    ("wrong encoding", {"toy.csv": text(header=["Größe", *HEADER[1:]]).encode("latin-1")}, {},
     "wrong-encoding", "row 1"),
    ("utf-8 as latin-1", {"toy.csv": text(header=["Größe", *HEADER[1:]])}, {"encoding": "latin-1"},
     "wrong-encoding", "the file is utf-8"),
    ("cp1252 as latin-1", {"toy.csv": text(header=["“i”", *HEADER[1:]]).encode("cp1252")},
     {"encoding": "latin-1"}, "wrong-encoding", "cp1252"),
    ("utf-16", {"toy.csv": text().encode("utf-16")}, {}, "wrong-encoding", "utf-16"),
    ("not utf-16", {"toy.csv": text()}, {"encoding": "utf-16"}, "wrong-encoding", "not utf-16"),
    ("binary", {"toy.csv": b"PK\x03\x04" + bytes(range(256))}, {}, "file-unreadable", "workbook"),
    ("NUL", {"toy.csv": text().replace("wai1,", "wai1\0,")}, {}, "file-unreadable", "NUL"),
    ("header row beyond", {"toy.csv": text()}, {"header_row": 99}, "file-empty", "no row 99"),
    ("damaged gzip", {"toy.csv.gz": gzip.compress(text().encode())[:-20]}, {"file": "toy.csv.gz"},
     "file-unreadable", "ends too early"),
    ("gzip bomb", {"toy.csv.gz": gzip.compress(bytes(80_000_000))}, {"file": "toy.csv.gz"},
     "file-unreadable", "beyond all measure"),
    ("no workbook", {"toy.xlsx": b"hello"}, {"file": "toy.xlsx"}, "file-unreadable", "no workbook"),
    ("no spss", {"toy.sav": b"$FL2" + b"x" * 500}, {"file": "toy.sav"}, "file-unreadable", "SPSS"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "table", "rule", "words"), [case[1:] for case in STOPPED], ids=[c[0] for c in STOPPED]
)
def test_faults_that_stop_the_run(ingest, tmp_path, files, table, rule, words):
    quarantine, message = ingest(files, **table)
    stopped = quarantine[quarantine["action"] == "stopped"]
    assert set(stopped["rule"]) == {rule}
    assert words in message
    assert "toy/toy." in message
    full = pd.read_csv(tmp_path / "checks" / "blocking_problems.csv")
    assert full["action"].tolist()[: len(stopped)] == ["stopped"] * len(stopped)
    assert len(full) == len(quarantine)  # the whole list, the blocking ones first
    assert not (tmp_path / "pooled" / "clients.parquet").exists()


def test_damaged_workbooks(ingest, tmp_path):
    book = openpyxl.Workbook()
    for row in [HEADER, *rows()]:
        book.active.append(row)
    book.create_sheet("Zebulon")
    book.save(tmp_path / "whole.xlsx")
    data = (tmp_path / "whole.xlsx").read_bytes()
    _, message = ingest({"toy.xlsx": data[: len(data) // 2]}, file="toy.xlsx")
    assert "damaged" in message
    _, message = ingest({"toy.xlsx": data}, file="toy.xlsx")
    assert "has 2 sheets; name one" in message
    _, message = ingest({"toy.xlsx": data}, file="toy.xlsx", sheet="Sheet1")
    assert "asks for the sheet Sheet1, the workbook has 2 sheets, of like name: Sheet" in message
    _, message = ingest({"toy.xlsx": data}, file="toy.xlsx", sheet="Sheet")
    assert message == ""


@pytest.mark.parametrize("stray", ["XFD1048576", "AB1048576", "XFD2000"])
def test_a_stray_cell_far_away_is_told_quickly(ingest, tmp_path, stray):
    book = openpyxl.Workbook()
    for row in [HEADER, *rows()]:
        book.active.append(row)
    book.active[stray] = 1
    book.save(tmp_path / "whole.xlsx")
    started = time.monotonic()
    quarantine, message = ingest(
        {"toy.xlsx": (tmp_path / "whole.xlsx").read_bytes()}, file="toy.xlsx"
    )
    assert time.monotonic() - started < 2
    assert "a stray cell makes the sheet" in message
    row = stray.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert quarantine["row"].tolist() == [int(row)]


def test_damaged_spss_files(ingest, tmp_path):
    frame = pd.DataFrame(rows(), columns=HEADER)
    pyreadstat.write_sav(frame, str(tmp_path / "whole.sav"))
    data = (tmp_path / "whole.sav").read_bytes()
    _, message = ingest({"toy.sav": data}, file="toy.sav")
    assert message == ""
    for part in (4, 100, len(data) // 2, len(data) - 40):
        _, message = ingest({"toy.sav": data[:part]}, file="toy.sav")
        assert "damaged" in message, part


def test_all_problems_of_all_sites_in_one_message(tmp_path):
    folders = []
    for site in ("one", "two"):
        mapping = {"site": site, "tables": [
            {"file": f"{n}.csv", "rows": "session", "client": "id", "session": "nr"} for n in "ab"
        ]}  # fmt: skip
        (tmp_path / f"{site}.yaml").write_text(yaml.safe_dump(mapping), encoding="utf-8")
        ingest_site(
            cohort="toy", site=site, mapping=tmp_path / f"{site}.yaml", raw_folder=tmp_path / site,
            measures={}, instruments=[], private_folder=tmp_path / "private", simulated=True,
            out_folder=tmp_path / "out" / site,
        )  # fmt: skip
        folders.append(tmp_path / "out" / site)
    with pytest.raises(DataError) as error:
        pool_sites(site_folders=folders, out_folder=tmp_path, checks_folder=tmp_path / "checks")
    message = str(error.value)
    assert "4 problems" in message
    for place in ("one/a.csv", "one/b.csv", "two/a.csv", "two/b.csv"):
        assert place in message


def test_a_long_list_is_cut_in_the_message_and_whole_in_the_file(ingest, tmp_path):
    columns = [f"c{i}" for i in range(60)]
    facts = {f"fact_{i}": column for i, column in enumerate(columns)}
    _, message = ingest({"toy.csv": text()}, client_facts=facts)
    assert "60 problems" in message and "and 30 more" in message
    assert len(message.splitlines()) < 40
    assert len(pd.read_csv(tmp_path / "checks" / "blocking_problems.csv")) == 60 + 3


def test_a_mended_run_leaves_no_list_of_blocking_problems(ingest, tmp_path):
    ingest({"toy.csv": ""})
    assert (tmp_path / "checks" / "blocking_problems.csv").exists()
    ingest({"toy.csv": text()})
    assert not (tmp_path / "checks" / "blocking_problems.csv").exists()


def test_header_only(ingest):
    quarantine, message = ingest({"toy.csv": ",".join(HEADER) + "\n"})
    assert message == ""
    assert quarantine["rule"].tolist() == ["file-without-rows"]


def test_a_file_outside_the_site_folder_is_not_read(ingest, tmp_path):
    (tmp_path / "elsewhere.csv").write_text(text(), encoding="utf-8")
    (tmp_path / "raw").mkdir()
    Path(tmp_path / "raw" / "toy.csv").symlink_to(tmp_path / "elsewhere.csv")
    _, message = ingest({})
    assert "outside" in message


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return the bytes of a file after one to three accidents."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data) + 1)
        to = min(len(data), at + chance.randint(1, 30))
        accident = chance.randrange(6)
        if accident == 0:
            data = data[:at]
        elif accident == 1:
            data = data[:at] + data[to:]
        elif accident == 2:
            data = data[:to] + data[at:]
        elif accident == 3:
            sign = chance.choice([b'"', b",", b"\n", b"\r", b";", b"\t", b" ", b"-", b"'"])
            data = data[:at] + sign + data[at:]
        elif accident == 4:
            data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
        else:
            lines = data.splitlines(keepends=True)
            chance.shuffle(lines)
            data = b"".join(lines)
        if not data:
            break
    return data


@pytest.mark.parametrize("seed", range(150))
def test_any_accident_ends_in_words(ingest, seed):
    # ingest_site balances the ledger itself; here: no exception whatever, no value told.
    ingest({"toy.csv": mutated(text().encode(), random.Random(seed))})


@pytest.mark.parametrize("seed", range(20))
def test_any_accident_to_a_workbook_ends_in_words(ingest, tmp_path, seed):
    book = openpyxl.Workbook()
    for row in [HEADER, *rows()]:
        book.active.append(row)
    book.save(tmp_path / "whole.xlsx")
    data = (tmp_path / "whole.xlsx").read_bytes()
    ingest({"toy.xlsx": mutated(data, random.Random(seed))}, file="toy.xlsx")
