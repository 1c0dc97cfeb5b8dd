"""The small parts of the intake, each by itself."""

import math
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from alliance.config.site import load_site
from alliance.config.site_mapping import letter_positions, letters_of
from alliance.errors import DataError
from alliance.ingest import columns, parse, people, pseudonyms
from alliance.ingest.ledger import Ledger, assert_balanced
from alliance.ingest.problems import Place, Problems
from alliance.ingest.readers.cells import cell_text, number_text
from alliance.ingest.rules import RULES

# --------------------------------------------------------------------------------------------------
# texts to numbers, dates, words


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [("3", ".", 3), (" 3 ", ".", 3), ("-2", ".", -2), ("+2", ".", 2), ("2.50", ".", 2.5),
     ("2,5", ",", 2.5), (".5", ".", 0.5), ("3.", ".", 3)],
)  # fmt: skip
def test_numbers(text, decimal, value):
    assert parse.number(text, decimal) == value


@pytest.mark.parametrize(
    ("text", "decimal"),
    [("2,5", "."), ("2.5", ","), ("1.000", ","), ("1e5", "."), ("0x1", "."), ("inf", "."),
     ("nan", "."), ("", "."), ("1 2", "."), ("--1", "."), ("1_0", "."), ("٣", "."), ("½", ".")],
)  # fmt: skip
def test_what_is_no_number(text, decimal):
    assert math.isnan(parse.number(text, decimal))


@pytest.mark.parametrize(
    ("text", "style", "day"),
    [("1970-01-02", "yyyy-mm-dd", 1), ("02.01.1970", "dd.mm.yyyy", 1),
     ("2.1.1970", "dd.mm.yyyy", 1), ("01/02/1970", "mm/dd/yyyy", 1),
     ("1970-01-02 23:59", "yyyy-mm-dd HH:MM", 1), ("19700102", "yyyymmdd", 1),
     ("02.01.70", "dd.mm.yy", 1), (" 1970-01-02 ", "yyyy-mm-dd", 1)],
)  # fmt: skip
def test_dates(text, style, day):
    assert parse.dates(pd.Series([text]), style, None) == day


@pytest.mark.parametrize(
    ("text", "style"),
    [("2024-01-12", "dd.mm.yyyy"), ("12.01.24", "dd.mm.yyyy"), ("31.02.2024", "dd.mm.yyyy"),
     ("0024-01-01", "yyyy-mm-dd"), ("2924-01-01", "yyyy-mm-dd"), ("2024-1-1x", "yyyy-mm-dd"),
     ("45292", "yyyy-mm-dd"), ("13/13/2024", "mm/dd/yyyy")],
)  # fmt: skip
def test_what_is_no_date(text, style):
    assert math.isnan(parse.moment_parser(style)(text))


def test_real_dates_of_a_workbook_are_read_beside_texts():
    column = pd.Series(["1970-01-03", "02.01.1970", None], dtype="str")
    real = pd.Series([True, False, False])
    found = parse.dates(column, "dd.mm.yyyy", real)
    assert found[:2].tolist() == [2, 1] and math.isnan(found[2])


def test_each_distinct_text_is_parsed_once():
    seen = []
    column = pd.Series(["1", "2", "1", None, "2"], dtype="str")
    found = parse.by_unique(column, lambda text: seen.append(text) or float(text))
    assert seen == ["1", "2"]
    np.testing.assert_array_equal(found, [1, 2, 1, np.nan, 2])


def test_codes_and_labels():
    labels = {"1": "female"}
    assert parse.code_parser({"1": "a"}, labels)("1") == "a"
    assert parse.code_parser({"female": "b"}, labels)("1") == "b"
    assert parse.code_parser({"2": "c"}, labels)("1") is None
    assert parse.code_parser(None, labels)("1") == "female"
    assert parse.code_parser(None, None)(" x ") == "x"


@pytest.mark.parametrize(
    ("value", "text"),
    [(7.0, "7"), (34.5, "34.5"), (-9.0, "-9"), (0.1, "0.1"), (1e-7, "0.0000001"),
     (1e15, "1000000000000000")],
)  # fmt: skip
def test_numbers_as_texts(value, text):
    assert number_text(value) == text
    assert number_text(value, ",") == text.replace(".", ",")


def test_cells_as_texts(tmp_path):
    import datetime

    assert cell_text(datetime.datetime(2024, 1, 12, 10, 30)) == "2024-01-12 10:30:00"
    assert cell_text(datetime.date(2024, 1, 12)) == "2024-01-12"
    assert cell_text(True) == "TRUE"
    assert cell_text("007") == "007"


# --------------------------------------------------------------------------------------------------
# columns


@pytest.fixture
def resolve(tmp_path):
    def run(header, n_items=2, **table):
        lines = ["site: a", "tables:", "  - file: a.csv", "    client: id"]
        lines += [f"    {key}: {value}" for key, value in table.items()]
        (tmp_path / "a.yaml").write_text("\n".join(lines), encoding="utf-8")
        mapping = load_site(tmp_path / "a.yaml")["tables"][0]
        return columns.resolve(mapping, header, {"wai": n_items})

    return run


def test_columns_of_a_wide_file(resolve):
    header = ["id", "W_S02_1", "W_S01_1", "W_S01_2", "W_S02_2", "W_S01_3", "W_Sxx_1", "D01", "D02"]
    found = resolve(
        header,
        rows="client",
        measures="{wai: 'W_S{session}_{item}'}",
        session_facts="{date: 'D{session}'}",
    )
    assert found.items["wai"] == [
        (1, 1, "W_S01_1"), (1, 2, "W_S01_2"), (2, 1, "W_S02_1"), (2, 2, "W_S02_2"),
    ]  # fmt: skip
    assert found.session_facts == {"date": {1: "D01", 2: "D02"}}
    assert found.missing == [] and found.twice == []


def test_missing_columns_are_named_as_the_others_are_written(resolve):
    found = resolve(
        ["id", "W_S01_1", "W_S01_2", "W_S02_1", "D01"], rows="client",
        measures="{wai: 'W_S{session}_{item}'}", session_facts="{date: 'D{session}'}",
    )  # fmt: skip
    assert found.missing == ["W_S02_2", "D02"]


def test_declared_sessions_must_have_columns(resolve):
    measures = "{wai: {items: 'W{session}_{item}', sessions: [1, 2]}}"
    found = resolve(["id", "W1_1", "W1_2", "W3_1", "W3_2"], rows="client", measures=measures)
    assert found.missing == ["W2_1", "W2_2"]
    assert found.sessions == [1, 2]


def test_a_pattern_that_fits_no_column_is_missing(resolve):
    found = resolve(["id", "x"], rows="client", measures="{wai: 'W{session}_{item}'}")
    assert found.missing == ["W{session}_{item}"]


def test_two_columns_for_one_item(resolve):
    header = ["id", "nr", "w1", "w01", "w2"]
    found = resolve(header, rows="session", session="nr", measures="{wai: 'w{item}'}")
    assert found.twice == ["w01"]


def test_columns_by_letters_lose_their_names():
    table = {"client": "id", "site": None, "session": None, "form": None, "item": None}
    table |= {"answer": None, "keep_rows": {}, "client_facts": {}}
    table["measures"] = {"wai": {"items_at": [1, 2]}, "phq": {"items_at": None}}
    assert columns.lettered(table, ["id", "3", "3", "note"]) == ["id", "(B)", "(C)", "note"]


@pytest.mark.parametrize("name", [".x", "-x", "..", "", "a/b"])
def test_names_that_no_site_may_have(name):
    assert not people.is_site_name(name)


def test_columns_by_letters(resolve):
    header = ["id", "nr", "first", "check", "second"]
    given = {"rows": "session", "session": "nr", "measures": "{wai: {items_at: [C, E]}}"}
    assert [entry.column for entry in resolve(header, **given).items["wai"]] == ["first", "second"]
    assert resolve(header[:4], **given).missing == ["(E)"]


def test_letters():
    assert letter_positions(["A", "C-E", "AA"]) == [0, 2, 3, 4, 26]
    assert [letters_of(i) for i in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_near_names_are_near():
    assert columns.near("wai_3", ["wai3", "wai_13", "Erika Mustermann"]) == ["wai_13", "wai3"]
    assert columns.near("Patient", ["Erika Mustermann", "12.3.1970"]) == []


# --------------------------------------------------------------------------------------------------
# people and pseudonyms


def test_people_are_numbered_by_site_and_id():
    known, numbers = people.number_people(
        [pd.Series(["b", "a", None], dtype="str"), pd.Series(["a", "b"], dtype="str")],
        [pd.Series(["1", "1", "1"], dtype="str"), pd.Series(["2", None], dtype="str")],
    )
    pairs = list(zip(known.sites, known.ids, strict=True))
    assert pairs == [("a", "1"), ("a", "2"), ("b", "1")]
    assert [list(n) for n in numbers] == [[2, 0, -1], [1, -1]]


@pytest.mark.parametrize(
    "alike",
    [["A1", "a1"], ["A1", "A1 "], ["A 1", "A1"], ["AO1", "A01"], ["Al1", "AI1"], ["7", "007"],
     ["P07", "P7"], ["\u0410B", "AB"], ["\uff21B", "AB"], ["P7", "P7\u200b"], ["P\u00ad7", "P7"],
     ["7", "7.0"], ["A-1", "A\u20111"], ["M\u00fc", "Mu\u0308"], ["A B", "A\u00a0B"],
     ["\u03bdx", "vx"], ["\u0391\u03bd1", "\u03b1\u03bd1"], ["ID1", "id1"], ["7", "\u0667"]],
)  # fmt: skip
def test_look_alike_ids(alike):
    ids = [("s", own_id) for own_id in (*alike, "other")]
    assert people.look_alikes(ids) == [sorted(ids[:2])]


def test_ids_that_a_third_ties_together_are_one_group():
    ids = [("s", own_id) for own_id in ("AO1", "ao1", "A01", "B")]
    assert people.look_alikes(ids) == [sorted(ids[:3])]


def test_different_ids_do_not_look_alike():
    ids = [f"N{i:03}" for i in range(300)] + [f"{i}" for i in range(20001, 20300)]
    ids += ["A-1", "A1", "A_1", "10", "100", "1e5", "E001", "E0010"]
    assert people.look_alikes(("s", own_id) for own_id in ids) == []
    assert people.look_alikes([("s", "a"), ("t", "A")]) == []


def test_pseudonyms_depend_on_site_kind_and_key():
    pairs = [("s", "1"), ("t", "1"), ("s", "2")]
    made = pseudonyms.pseudonyms(pairs, "client", b"k" * 32)
    assert len(set(made.values())) == 3
    assert all(name.startswith("c") and len(name) == 17 for name in made.values())
    assert made != pseudonyms.pseudonyms(pairs, "client", b"l" * 32)
    therapists = pseudonyms.pseudonyms(pairs, "therapist", b"k" * 32)
    assert not {name[1:] for name in made.values()} & {name[1:] for name in therapists.values()}
    # joined site and id must not be mistaken for another pair
    odd = pseudonyms.pseudonyms([("s1", "1"), ("s", "11")], "client", b"k" * 32)
    assert len(set(odd.values())) == 2


def test_pseudonyms_are_hmac_sha256():
    # printf 'client\x1fs\x1f1' | openssl dgst -sha256 -mac HMAC -macopt hexkey:<6b, 32 times>
    by_openssl = "6964bd6b9312c81bbdac74c2faf5b7c354e4ac661f69de17a2087803ec68699c"
    made = pseudonyms.pseudonyms([("s", "1")], "client", b"k" * 32)
    assert made["s", "1"] == "c" + by_openssl[:16]


def test_a_key_is_made_once_and_is_private(tmp_path):
    folder = tmp_path / "private" / "toy"
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: pseudonyms.key_of(folder, False), range(16)))
    assert len(set(found)) == 1 and len(found[0]) == 32
    assert stat.S_IMODE(os.stat(folder / "pseudonym.key").st_mode) == 0o600
    assert [file.name for file in folder.iterdir()] == ["pseudonym.key"]
    other = pseudonyms.key_of(tmp_path / "other", False)
    assert other != found[0]


def test_a_damaged_key_is_told(tmp_path):
    (tmp_path / "pseudonym.key").write_text("abc", encoding="utf-8")
    with pytest.raises(DataError, match="does not hold a key"):
        pseudonyms.key_of(tmp_path, False)


def test_a_simulated_cohort_needs_no_key_file(tmp_path):
    assert pseudonyms.key_of(tmp_path / "p", True) == pseudonyms.SIMULATED_KEY
    assert not (tmp_path / "p").exists()


def test_the_list_of_ids_is_private_and_inert(tmp_path):
    made = {("s", "=1+1"): "c1", ("s", "007"): "c2"}
    pseudonyms.write_lookup(tmp_path / "p", "s", {"client": made})
    file = tmp_path / "p" / "ids_s.csv"
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert file.read_text(encoding="utf-8").splitlines() == [
        "kind,site,id,pseudonym", "client,s,007,c2", "client,s,'=1+1,c1",
    ]  # fmt: skip


# --------------------------------------------------------------------------------------------------
# problems and ledger


def test_every_rule_has_words():
    for name, rule in RULES.items():
        assert name == name.lower() and "_" not in name
        assert rule.action in ("stopped", "row set aside", "cell set aside", "noted")
        assert len(rule.expected) > 10 and len(rule.remedy) > 8


def test_problems_are_sorted_and_told_once():
    problems = Problems("s")
    place = Place("a.csv", None, "responses")
    problems.add("out-of-range", place, rows=[5, 3], column="x")
    problems.add("out-of-range", place, rows=[3], column="x")
    problems.add("file-missing", Place("0.csv", None, "clients"))
    problems.add("bad-date", place, rows=[], column="x")
    table = problems.table()
    assert table["rule"].tolist() == ["file-missing", "out-of-range", "out-of-range"]
    assert table["row"].tolist() == [pd.NA, 3, 5]
    assert problems.stopped
    assert str(table["row"].dtype) == "Int64" and str(table["column"].dtype) == "str"
    assert list(Problems("s").table().dtypes) == list(table.dtypes)


def test_a_ledger_that_does_not_balance_is_a_fault():
    ledger = Ledger("s")
    place = Place("a.csv", None, "clients")
    ledger.count(place, "rows", {"read": 3, "kept": 2, "blank": 1})
    assert_balanced(ledger.table())
    ledger.count(place, "rows", {"read": 1})
    with pytest.raises(AssertionError, match="fault of the program"):
        ledger.table()
