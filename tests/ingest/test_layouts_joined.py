"""Files joined by key, sessions numbered by date, therapists who change, ticked boxes."""

import pytest

from alliance.config.site import load_site
from alliance.errors import ConfigError

VISITS = "visit_id,who,nr\nv1,a,1\nv2,a,2\nv3,b,1\nv4,b,2\n"
ANSWERS = {
    "file": "answers.csv", "rows": "session", "client": "who", "session": "nr",
    "join": [{"file": "visits.csv", "by": {"visit": "visit_id"}, "take": ["who", "nr"]}],
    "measures": {"alliance": "wai{item}"},
}  # fmt: skip


def answers(*visits):
    return "visit,wai1,wai2,wai3\n" + "".join(f"{visit},1,2,3\n" for visit in visits)


def told(read, *columns):
    quarantine = read.quarantine.astype(object).where(read.quarantine.notna(), None)
    wanted = columns or ("file", "row", "column", "rule")
    return [tuple(row) for row in quarantine[list(wanted)].to_numpy()]


def account(read, file, table="sessions"):
    ledger = read.ledger[(read.ledger["file"] == file) & (read.ledger["table"] == table)]
    return dict(zip(ledger["reason"], ledger["count"], strict=True))


# --------------------------------------------------------------------------------------------------
# files joined by key


def test_a_file_joined_by_key(site):
    site.csv("visits.csv", VISITS)
    site.csv("answers.csv", answers("v1", "v2", "v3", "v4"))
    read = site.read(ANSWERS)
    assert read.quarantine.empty
    assert read.sessions["session"].tolist() == [1, 2, 1, 2]
    assert len(read.clients) == 2
    assert account(read, "visits.csv") == {"read": 4, "kept": 4}


def test_keys_without_partner_are_told_on_both_sides(site):
    site.csv("visits.csv", VISITS + "v5,c,1\n,c,2\n")
    site.csv("answers.csv", answers("v1", "v2", "v3", "v4", "V4", ""))
    read = site.read(ANSWERS)
    assert told(read) == [
        ("answers.csv", 6, "visit", "key-unmatched"), ("answers.csv", 6, "who", "no-client-id"),
        ("answers.csv", 7, "visit", "key-unmatched"), ("answers.csv", 7, "who", "no-client-id"),
        ("visits.csv", 6, "visit_id", "key-unused"), ("visits.csv", 7, "visit_id", "no-key"),
    ]  # fmt: skip
    assert "visits.csv" in read.quarantine["expected"][0]
    assert account(read, "visits.csv") == {"read": 6, "kept": 4, "key-unused": 1, "no-key": 1}
    rows = read.ledger[(read.ledger["file"] == "answers.csv") & (read.ledger["unit"] == "rows")]
    assert dict(zip(rows["reason"], rows["count"], strict=True)) == {
        "read": 6, "kept": 4, "no-client-id": 2,
    }  # fmt: skip


def test_a_key_that_stands_twice_serves_only_if_both_rows_agree(site):
    site.csv("visits.csv", VISITS + "v1,a,1\nv4,b,3\n")
    site.csv("answers.csv", answers("v1", "v2", "v3", "v4"))
    read = site.read(ANSWERS)
    assert [t for t in told(read) if t[1] == 5 and t[0] == "answers.csv"] == [
        ("answers.csv", 5, "visit", "key-unmatched"), ("answers.csv", 5, "who", "no-client-id"),
    ]  # fmt: skip
    assert [t for t in told(read) if t[0] == "visits.csv"] == [
        ("visits.csv", 5, "visit_id", "key-twice"), ("visits.csv", 7, "visit_id", "key-twice"),
    ]  # fmt: skip


def test_a_wrong_key_stops_the_run(site):
    site.csv("visits.csv", VISITS)
    site.csv("answers.csv", answers("1", "2", "v3", "4"))
    stopped = [t for t in told(site.read(ANSWERS), "file", "rule", "action") if t[2] == "stopped"]
    assert ("answers.csv", "keys-disagree", "stopped") in stopped


def test_a_joined_file_that_is_not_there_or_lacks_a_column(site):
    site.csv("answers.csv", answers("v1"))
    read = site.read(ANSWERS)
    assert ("visits.csv", None, None, "file-missing") in told(read)
    site.csv("visits.csv", VISITS.replace("nr", "number"))
    assert ("visits.csv", None, "nr", "column-missing") in told(site.read(ANSWERS))


def test_a_taken_column_must_not_be_there_already(site):
    site.csv("visits.csv", VISITS)
    site.csv("answers.csv", answers("v1").replace("wai3\n", "wai3,nr\n").replace("3\n", "3,1\n"))
    assert ("answers.csv", None, "nr", "column-twice") in told(site.read(ANSWERS))


def test_one_file_may_serve_two_tables_by_several_columns(site):
    site.csv("days.csv", "who,day,nr\na,2024-01-01,1\na,2024-01-08,2\nb,2024-01-01,1\n")
    site.csv("wai.csv", "who,day,wai1,wai2,wai3\na,2024-01-01,1,1,1\nb,2024-01-01,1,1,1\n")
    site.csv("phq.csv", "who,day,phq1,phq2\na,2024-01-08,1,1\n")
    join = [{"file": "days.csv", "by": {"who": "who", "day": "day"}, "take": ["nr"]}]
    table = {"rows": "session", "client": "who", "session": "nr", "join": join}
    read = site.read(
        {**table, "file": "wai.csv", "measures": {"alliance": "wai{item}"}},
        {**table, "file": "phq.csv", "measures": {"symptoms": "phq{item}"}},
    )
    assert told(read) == [("wai.csv", 3, None, "client-with-one-session")]
    assert account(read, "days.csv") == {"read": 3, "kept": 3}


def test_dates_and_labels_come_along(site, date):
    visits = [
        ["visit", "who", "day"],
        ["v1", "a", date(2024, 1, 1)],
        ["v2", "a", date(2024, 1, 15)],
    ]
    site.workbook("visits.xlsx", Visits=visits)
    site.csv("toy.csv", "visit,nr\nv1,1\nv2,2\n")
    read = site.read(
        {"file": "toy.csv", "rows": "session", "client": "who", "session": "nr",
         "join": [{"file": "visits.xlsx", "by": "visit", "take": ["who", "day"]}],
         "session_facts": {"date": "day"}}
    )  # fmt: skip
    assert read.quarantine.empty
    assert read.sessions["weeks_since_intake"].tolist() == [0.0, 2.0]


# --------------------------------------------------------------------------------------------------
# who stands in which file


def test_clients_who_are_missing_from_a_file_are_noted(site):
    site.csv("people.csv", "id,age\na,30\nb,40\n")
    site.csv("visits.csv", "id,nr\na,1\na,2\nb,1\nb,2\nc,1\nc,2\n")
    people = {"file": "people.csv", "rows": "client", "client": "id",
              "client_facts": {"age_years": {"column": "age", "type": "number"}}}  # fmt: skip
    visits = {"file": "visits.csv", "rows": "session", "client": "id", "session": "nr"}
    read = site.read(people, visits)
    assert told(read) == [("visits.csv", 6, None, "client-not-in-file")]
    assert "people.csv" in read.quarantine["expected"][0]
    assert site.read({**people, "every_client": False}, visits).quarantine.empty


def test_rows_that_a_cut_off_file_has_lost(site):
    site.csv("toy.csv", "id,nr\na,1\na,2\n\n")
    table = {"file": "toy.csv", "rows": "session", "client": "id", "session": "nr"}
    assert site.read({**table, "n_rows": 2}).quarantine.empty
    read = site.read({**table, "n_rows": 5})
    assert told(read, "rule", "action", "rows_affected") == [("rows-missing", "stopped", 3)]


def test_two_exports_put_together_repeat_the_header(site):
    site.csv("toy.csv", "id,nr,day\na,1,\na,2,\nid,nr,day\nb,1,\nb,2,\n")
    table = {"file": "toy.csv", "rows": "session", "client": "id", "session": "nr"}
    read = site.read(table)
    assert told(read) == [("toy.csv", 4, None, "header-again")]
    assert account(read, "toy.csv") == {"read": 5, "kept": 4, "header-again": 1}


# --------------------------------------------------------------------------------------------------
# sessions numbered by date


def test_sessions_numbered_by_date_over_two_files(site):
    site.csv("wai.csv", "id,day,wai1,wai2,wai3\na,15.01.2024,2,2,2\na,01.01.2024,1,1,1\n"
                        "b,02.02.2024,5,5,5\nb,32.01.2024,5,5,5\n")  # fmt: skip
    site.csv("phq.csv", "id,day,form,item,answer\na,08.01.2024,P,1,3\na,15.01.2024,P,1,2\n"
                        "b,02.02.2024,P,2,1\nb,,P,2,1\n")  # fmt: skip
    table = {"client": "id", "session": {"by_date": "day"}, "dates": "dd.mm.yyyy"}
    read = site.read(
        {**table, "file": "wai.csv", "rows": "session", "measures": {"alliance": "wai{item}"}},
        {**table, "file": "phq.csv", "rows": "answer", "form": "form", "item": "item",
         "answer": "answer", "measures": {"symptoms": {"form": "P"}}},
    )  # fmt: skip
    assert told(read) == [
        ("phq.csv", 5, "day", "no-session-number"),
        ("wai.csv", 4, None, "client-with-one-session"),
        ("wai.csv", 5, "day", "bad-session-number"),
    ]
    first = read.responses[read.responses["item"] < 3]
    wai = first[(first["measure"] == "alliance") & (first["item"] == 1)]
    assert sorted(zip(wai["session"], wai["value"], strict=True)) == [(1, 1), (1, 5), (3, 2)]
    phq = first[first["measure"] == "symptoms"]
    assert sorted(zip(phq["session"], phq["value"], strict=True)) == [(1, 1), (2, 3), (3, 2)]
    three = read.sessions.groupby("client")["weeks_since_intake"].apply(list)
    assert sorted(three) == [[0.0], [0.0, 1.0, 2.0]]


def test_two_rows_of_one_day_contradict_each_other(site):
    site.csv("wai.csv", "id,day,wai1,wai2,wai3\na,2024-01-01,1,1,1\na,2024-01-01,2,1,1\n")
    read = site.read(
        {"file": "wai.csv", "rows": "session", "client": "id", "session": {"by_date": "day"},
         "measures": {"alliance": "wai{item}"}}
    )  # fmt: skip
    assert [t[1] for t in told(read) if t[3] == "conflicting-duplicate"] == [2, 3]


# --------------------------------------------------------------------------------------------------
# therapists who change during treatment

CHANGES = "id,nr,th,came\n" + "".join(
    f"{row}\n"
    for row in (
        "a,1,T1,1", "a,2,T2,1", "a,3,T2,1",  # most sessions with T2
        "b,1,T1,1", "b,2,T2,1",  # as many with each: T1 came first
        "c,1,T3,0", "c,2,T1,1", "c,3,,1",  # T3 held no session
        "d,1,T2,1", "d,2,T1,1", "d,3,T2,1",
    )
)  # fmt: skip
CHANGING = {
    "file": "toy.csv", "rows": "session", "client": "id", "session": "nr",
    "session_facts": {"therapist": "th", "attended": {"column": "came", "attended": [1]}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "of_clients"),
    [("most_sessions", ["T2", "T1", "T1", "T2"]), ("first", ["T1", "T1", "T1", "T2"])],
)
def test_whose_client_a_client_is(site, rule, of_clients):
    site.csv("plain.csv", "id,nr,th,key\n" + "".join(f"{i},1,{t},{t}\n" for i, t in
             zip("abcd", ["T1", "T2", "T3", "T1"], strict=True)))  # fmt: skip
    table = {"file": "plain.csv", "rows": "session", "client": "id", "session": "nr",
             "client_facts": {"therapist": "th", "key": "key"}}  # fmt: skip
    known = site.read(table).clients
    pseudonym = dict(zip(known["key"], known["therapist"], strict=True))
    order = dict(zip("abcd", known.set_index("key").index, strict=True))
    assert len(order) == 4

    site.csv("toy.csv", CHANGES)
    read = site.read(CHANGING, therapist_of_client=rule)
    assert told(read) == [("toy.csv", row, "th", "therapist-changed") for row in (3, 6, 11, 12)]
    by_client = read.sessions.groupby("client", sort=False)["therapist"].apply(
        lambda held: tuple(name if isinstance(name, str) else None for name in held)
    )
    own = {code: t for t, code in pseudonym.items()}
    found = {
        tuple(own.get(name) for name in by_client[client]): own[therapist]
        for client, therapist in zip(read.clients["client"], read.clients["therapist"], strict=True)
    }
    held = [("T1", "T2", "T2"), ("T1", "T2"), ("T3", "T1", None), ("T2", "T1", "T2")]
    assert found == dict(zip(held, of_clients, strict=True))


def test_therapists_of_sessions_in_a_wide_file_make_no_sessions(site):
    site.csv(
        "wide.csv",
        "id,th_1,th_2,th_3,d_1,d_2,d_3\na,T1,T1,T1,2024-01-01,2024-01-08,\n",
    )
    read = site.read(
        {"file": "wide.csv", "rows": "client", "client": "id",
         "session_facts": {"therapist": "th_{session}", "date": "d_{session}"}}
    )  # fmt: skip
    assert read.sessions["session"].tolist() == [1, 2]
    assert read.clients["therapist"].notna().all()


def test_sessions_without_any_therapist_name_nobody(site):
    site.csv("toy.csv", "id,nr,th,came\na,1,,1\na,2,,1\n")
    read = site.read(CHANGING)
    assert "therapist" not in read.sessions
    assert read.clients["therapist"].isna().all()


def test_a_client_whose_sessions_name_nobody_is_noted(site):
    site.csv("toy.csv", CHANGES + "e,1,,1\ne,2,,1\n")
    found = [t for t in told(site.read(CHANGING)) if t[3] == "no-therapist"]
    assert found == [("toy.csv", 13, "th", "no-therapist")]


# --------------------------------------------------------------------------------------------------
# ticked boxes


def test_one_ticked_box_is_a_fact(site):
    site.csv(
        "toy.csv",
        "id,nr,g___1,g___2\na,1,1,0\na,2,0,0\nb,1,Unchecked,Checked\nb,2,,\nc,1,1,1\nc,2,0,0\n",
    )
    read = site.read(
        {"file": "toy.csv", "rows": "session", "client": "id", "session": "nr",
         "client_facts": {"gender": {"boxes": {"g___1": "female", "g___2": "male"}}}}
    )  # fmt: skip
    assert sorted(read.clients["gender"].fillna("")) == ["", "female", "male"]
    assert told(read) == [("toy.csv", 6, "g___1", "two-boxes-ticked")]


def test_a_missing_box_is_told(site):
    site.csv("toy.csv", "id,nr,g___1\na,1,1\na,2,0\n")
    read = site.read(
        {"file": "toy.csv", "rows": "session", "client": "id", "session": "nr",
         "client_facts": {"gender": {"boxes": {"g___1": "female", "g___2": "male"}}}}
    )  # fmt: skip
    assert ("toy.csv", None, "g___2", "column-missing") in told(read)


# --------------------------------------------------------------------------------------------------
# mappings that contradict themselves


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("rows: client, every_client: false, rows_repeat: true", "not with rows_repeat"),
        ("rows: session, session: nr, every_client: true", "goes with rows: client only"),
        ("rows: session, session: nr, client_facts: {therapist: t}, session_facts: {therapist: t}",
         "say it once"),
        ("rows: client, format: redcap, cells: labels", "need the key dictionary"),
        ("rows: client, format: redcap, header: names_and_labels", "must be names or labels"),
        ("rows: client, dictionary: d.csv", "goes with format: redcap only"),
        ("rows: client, member: a.csv", "only a zip file has members"),
        ("rows: client, format: sav, quote: none", "only a CSV file has this"),
        ("rows: client, format: parquet, header_row: 2", "has no header row"),
        ("rows: client, format: qualtrics, skip_after_header: 2", "only a CSV file or a workbook"),
        ("rows: client, join: [{file: ../b.csv, by: id, take: [x]}]", "own folder"),
        ("rows: client, join: [{file: b.doc, by: id, take: [x]}]", "does not tell the format"),
        ("rows: client, client_facts: {end_status: {boxes: {a: left}}}", "must be one of dropout"),
        ("rows: client, client_facts: {therapist: {boxes: {a: left}}}", "tell a category"),
        ("rows: client, client_facts: {gender: {boxes: {a: b}, codes: {a: b}}}", "codes"),
    ],
)  # fmt: skip
def test_contradictions_are_told(tmp_path, keys, words):
    path = tmp_path / "toy.yaml"
    path.write_text(f"site: toy\ntables: [{{file: a.csv, client: id, {keys}}}]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        load_site(path)
