"""Each rule: what breaks it, where it is told, and that the ledger accounts for it."""

import pytest

from alliance.ingest.partners import others
from alliance.ingest.rules import RULES

TABLE = {
    "file": "toy.csv", "rows": "session", "client": "id", "session": "nr",
    "client_facts": {"therapist": "th", "sexe": {"column": "sex", "codes": {"f": "female"}},
                     "age_years": {"column": "age", "type": "number"}},
    "session_facts": {"date": "day"},
    "measures": {"alliance": "wai{item}"},
}  # fmt: skip
HEADER = "id,nr,day,th,sex,age,wai1,wai2,wai3\n"
GOOD = [
    "a,1,2024-01-01,T1,f,30,1,2,3", "a,2,2024-01-08,T1,f,30,1,2,3",
    "b,1,2024-01-01,T2,f,40,5,5,5", "b,2,2024-01-08,T2,f,40,4,4,4",
]  # fmt: skip


def told(read):
    quarantine = read.quarantine.astype(object).where(read.quarantine.notna(), None)
    return [tuple(row) for row in quarantine[["row", "column", "rule"]].to_numpy()]


CASES = [
    # rows that are put in place of row 4 (`b,1`), and what is told
    (["b,1,2024-01-01,T2,f,40,6,5,5"], [(4, "wai1", "out-of-range")]),
    (["b,1,2024-01-01,T2,f,40,-1,5,5"], [(4, "wai1", "out-of-range")]),
    (["b,1,2024-01-01,T2,f,40,2.5,5,5"], [(4, "wai1", "not-on-scale")]),
    (["b,1,2024-01-01,T2,f,40,five,5,1e0"],
     [(4, "wai1", "not-a-number"), (4, "wai3", "not-a-number")]),
    (["b,1,2024-01-01,T2,f,40,\"5,0\",5,5"], [(4, "wai1", "not-a-number")]),
    (["b,1,31.12.2023,T2,f,40,5,5,5"],
     [(4, "day", "bad-date"), (4, "day", "first-session-undated")]),
    (["b,1,2024-02-30,T2,f,40,5,5,5"],
     [(4, "day", "bad-date"), (4, "day", "first-session-undated")]),
    (["b,1,0024-01-01,T2,f,40,5,5,5"],
     [(4, "day", "bad-date"), (4, "day", "first-session-undated")]),
    (["b,1,2024-01-01,T2,x,40,5,5,5"], [(4, "sex", "unknown-code")]),
    (["b,1,2024-01-01,T2,f,old,5,5,5"], [(4, "age", "not-a-number")]),
    (["b,1,2024-01-01,T2,f,41,5,5,5"], [(5, "age", "client-conflict")]),
    (["b,1,2024-01-01,T3,f,40,5,5,5"], [(5, "th", "client-conflict"), (4, "th", "no-therapist")]),
    ([",1,2024-01-01,T2,f,40,5,5,5", "b,1,2024-01-01,T2,f,40,5,5,5"], [(4, "id", "no-client-id")]),
    ([" ,1,2024-01-01,T2,f,40,5,5,5", "b,1,2024-01-01,T2,f,40,5,5,5"], [(4, "id", "no-client-id")]),
    (["b,,2024-01-01,T2,f,40,5,5,5", "b,1,2024-01-01,T2,f,40,5,5,5"],
     [(4, "nr", "no-session-number")]),
    (["b,0,2024-01-01,T2,f,40,5,5,5", "b,1.5,,T2,f,40,5,5,5", "b,1,2024-01-01,T2,f,40,5,5,5"],
     [(4, "nr", "bad-session-number"), (5, "nr", "bad-session-number")]),
    (["b,1,2024-01-01,T2,f,40,5,5,5"] * 3,
     [(5, None, "exact-duplicate"), (6, None, "exact-duplicate")]),
    (["b,1,2024-01-01,T2,f,40,5,5,5", "b,1,2024-01-01,T2,f,40,5,5,4", "b,3,,T2,f,40,5,5,5"],
     [(4, None, "conflicting-duplicate"), (5, None, "conflicting-duplicate")]),
    (["b,1,2024-01-09,T2,f,40,5,5,5"], [(5, "day", "dates-against-sessions")]),
    (["b,1,2024-01-01,,f,40,5,5,5"], []),  # told in the other row
    (["b,1,2024-01-01,T2,f,40,5,5"],
     [(4, None, "row-too-short"), (5, None, "client-with-one-session")]),
    (["b,1,2024-01-01,T2,f,40,5,5,5,5"],
     [(4, None, "row-too-long"), (5, None, "client-with-one-session")]),
    (['b,1,"2024-01-01,T2,f,40,5,5,5'],
     [(4, None, "quote-astray"), (5, None, "client-with-one-session")]),
    (["b,1,2024-01-01,T2,f,40,5,5,5", "B,1,,T2,f,40,1,1,1", "B,2,,T2,f,40,1,1,1"],
     [(4, "id", "look-alike-id"), (5, "id", "look-alike-id")]),
    (["b,1,2024-01-01,T2,f,40,5,5,5", "c,1,,T2,f,40,1,1,1"],
     [(5, None, "client-with-one-session")]),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "expected"), CASES)
def test_each_rule_at_its_place_and_none_else(site, rows, expected):
    site.csv("toy.csv", HEADER + "\n".join([*GOOD[:2], *rows, GOOD[3]]) + "\n")
    read = site.read(TABLE)
    assert sorted(told(read), key=str) == sorted(expected, key=str)
    for _, problem in read.quarantine.iterrows():
        assert problem["action"] == RULES[problem["rule"]].action
        assert problem["expected"] and problem["remedy"]
    # Reading has balanced the ledger; here, that it agrees with the tables.
    ledger = read.ledger.set_index(["table", "unit", "reason"])["count"]
    assert ledger["sessions", "rows", "kept"] == len(read.sessions)
    assert ledger["responses", "answers", "kept"] == len(read.responses)
    assert ledger["sessions", "rows", "read"] == len(rows) + 3


def test_a_torn_row_costs_no_other_row(site):
    rows = [f"a,{n},2024-01-{n:02},T1,f,30,1,2,3" for n in range(1, 29)]
    rows[4] = rows[4].replace(",T1", ',"T1')
    rows[19] = rows[19].replace(",f", ',"f')
    site.csv("toy.csv", HEADER + "\n".join(rows) + "\n")
    read = site.read(TABLE)
    assert told(read) == [(6, None, "quote-astray"), (21, None, "quote-astray")]
    assert len(read.sessions) == 26


def test_a_swallowed_stretch_that_ends_in_the_same_column_is_seen(site):
    rows = [f"a,{n},2024-01-{n:02},T1,f,30,1,2,3" for n in range(1, 10)]
    rows[3] = rows[3].replace(",T1", ',"T1')
    rows[6] = rows[6].replace("T1,", 'T1",')
    site.csv("toy.csv", HEADER + "\n".join(rows) + "\n")
    read = site.read(TABLE)
    assert (5, None, "quote-astray") in told(read)
    assert len(read.sessions) >= 7


def test_notes_with_line_breaks_are_one_row(site):
    table = {**TABLE, "client_facts": {}}
    site.csv(
        "toy.csv", 'id,nr,day,wai1,wai2,wai3,note\na,1,,1,2,3,"one\n\ntwo, three"\na,2,,9,2,3,\n'
    )
    read = site.read(table)
    assert told(read) == [(3, "wai1", "out-of-range")]


def test_a_file_cut_off_within_a_row(site):
    site.csv("toy.csv", HEADER + "\n".join(GOOD)[:-6])
    assert (5, None, "file-cut-off") in told(site.read(TABLE))


def test_unknown_events_forms_and_items(site):
    site.csv(
        "events.csv",
        "id,event,wai1,wai2,wai3\na,session_1_arm_1,1,1,1\na,session_2_arm_1,1,1,1\n"
        "a,follow_up_arm_1,1,1,1\na,skip_arm_1,1,1,1\na,,1,1,1\na,intake_arm_1,,,5\n",
    )
    site.csv(
        "answers.csv", "id,nr,form,item,x\na,1,P,1,0\na,1,Q,1,0\na,1,P,3,0\na,1,P,,0\na,2,P,2,9\n"
    )
    read = site.read(
        {"file": "events.csv", "rows": "session", "client": "id",
         "session": {"column": "event", "pattern": "session_{session}_arm_1",
                     "about_client": ["intake_arm_1"], "ignore": ["skip_arm_1"]},
         "measures": {"alliance": "wai{item}"}},
        {"file": "answers.csv", "rows": "answer", "client": "id", "session": "nr", "form": "form",
         "item": "item", "answer": "x", "measures": {"symptoms": {"form": "P"}}},
    )  # fmt: skip
    assert told(read) == [
        (3, "form", "unknown-form"), (4, "item", "unknown-item"), (5, "item", "unknown-item"),
        (6, "x", "out-of-range"), (4, "event", "unknown-event"), (6, "event", "no-session-number"),
    ]  # fmt: skip
    ledger = read.ledger.set_index(["file", "unit", "reason"])["count"]
    assert ledger["events.csv", "answers", "read"] == 6 * 3
    assert ledger["events.csv", "answers", "not-selected"] == 3 + 1  # left out, and in the intake
    assert ledger["answers.csv", "answers", "read"] == 5


def test_answers_in_two_files(site):
    site.csv("one.csv", "id,nr,wai1,wai2,wai3\na,1,1,2,3\na,2,1,2,3\n")
    site.csv("two.csv", "id,nr,wai1,wai2,wai3\na,1,1,2,4\na,3,1,2,3\n")
    table = {
        "rows": "session",
        "client": "id",
        "session": "nr",
        "measures": {"alliance": "wai{item}"},
    }
    read = site.read({**table, "file": "one.csv"}, {**table, "file": "two.csv"})
    first = read.responses[read.responses["session"] == 1]
    assert first["item"].tolist() == [1, 2]
    found = read.quarantine[["file", "row", "column", "rule"]].to_numpy().tolist()
    assert found == [
        ["one.csv", 2, "wai3", "conflicting-duplicate"],
        ["two.csv", 2, "wai1", "exact-duplicate"],
        ["two.csv", 2, "wai2", "exact-duplicate"],
        ["two.csv", 2, "wai3", "conflicting-duplicate"],
    ]


def test_sessions_told_differently_in_two_files(site):
    site.csv("one.csv", "id,nr,day\na,1,2024-01-01\na,2,2024-01-08\n")
    site.csv("two.csv", "id,nr,day\na,1,2024-01-01\na,2,2024-01-09\n")
    table = {"rows": "session", "client": "id", "session": "nr", "session_facts": {"date": "day"}}
    read = site.read({**table, "file": "one.csv"}, {**table, "file": "two.csv"})
    assert read.quarantine[["file", "row", "rule"]].to_numpy().tolist() == [
        ["two.csv", 3, "session-conflict"]
    ]
    assert read.sessions["weeks_since_intake"].isna().tolist() == [False, True]


def test_clients_without_sessions(site):
    site.csv("people.csv", "id,th\na,T1\nb,T1\nc,\n")
    site.csv("visits.csv", "id,nr\na,1\na,2\nc,1\nc,2\n")
    read = site.read(
        {
            "file": "people.csv",
            "rows": "client",
            "client": "id",
            "client_facts": {"therapist": "th"},
        },
        {"file": "visits.csv", "rows": "session", "client": "id", "session": "nr"},
    )
    assert told(read) == [(3, None, "client-without-sessions"), (4, "th", "no-therapist")]


def test_recorded_totals(site, make_instrument):
    keys = {"alliance": make_instrument("wai", reverse=(2,), unscored=(3,))}
    # item 1 + (6 - item 2); item 3 enters no score
    site.csv(
        "toy.csv",
        "id,nr,wai1,wai2,wai3,sum\na,1,1,2,5,5\na,2,1,2,5,6\na,3,1,,5,9\na,4,1,2,,5\na,5,1,2,5,\n"
        "a,6,11,2,5,15\na,7,11,2,5,5\n",
    )
    table = {"file": "toy.csv", "rows": "session", "client": "id", "session": "nr",
             "measures": {"alliance": {"items": "wai{item}", "recorded_total": "sum"}}}  # fmt: skip
    assert told(site.read(table, keys=keys)) == [
        (3, "sum", "total-disagrees"), (7, "wai1", "out-of-range"),
        (8, "sum", "total-disagrees"), (8, "wai1", "out-of-range"),
    ]  # fmt: skip


def test_decimals_and_steps(site, make_instrument):
    keys = {"alliance": make_instrument("line", 3, 0, 10, 0.1)}
    site.csv("toy.csv", "id;nr;wai1;wai2;wai3\na;1;0,1;9,9;10\na;2;0,3;0,35;7,\n")
    table = {"file": "toy.csv", "delimiter": ";", "decimal": ",", "rows": "session", "client": "id",
             "session": "nr", "measures": {"alliance": "wai{item}"}}  # fmt: skip
    read = site.read(table, keys=keys)
    assert told(read) == [(3, "wai2", "not-on-scale")]
    assert read.responses["value"].tolist() == [0.1, 9.9, 10.0, 0.3, 7.0]


def test_missing_texts(site):
    site.csv(
        "toy.csv",
        "id,nr,th,wai1,wai2,wai3\na,1,-9,NA,-9,3\na,2,NA,.,1,2\nNA,1,T,1,1,1\n-9,1,T,1,1,1\n",
    )
    table = {"file": "toy.csv", "rows": "session", "client": "id", "session": "nr",
             "missing": ["NA", -9], "client_facts": {"therapist": "th"},
             "measures": {"alliance": "wai{item}"}}  # fmt: skip
    read = site.read(table)
    assert sorted(told(read)) == [
        (2, "th", "no-therapist"), (3, "wai1", "not-a-number"),
        (4, "id", "no-client-id"), (5, "id", "no-client-id"),
    ]  # fmt: skip
    assert len(read.clients) == 1 and read.clients["therapist"].isna().all()
    assert len(read.responses) == 3


def test_duplicates_and_contradictions_name_the_other_row(site):
    """Also in another file, and of what is told once a client or a session."""
    site.csv("a.csv", "id,nr,day,th,wai1,wai2,wai3\n"
             "P1,1,2024-01-01,T1,1,2,3\nP1,1,2024-01-01,T1,1,2,4\n"
             "P1,2,2024-01-08,T1,1,2,3\nP1,2,2024-01-08,T1,1,2,3\n"
             "P1,3,2024-01-15,T2,1,2,3\nP1,4,2024-01-22,T1,1,2,3\n")  # fmt: skip
    site.csv("b.csv", "id,nr,day,w1,w2,w3\nP1,3,2024-01-15,1,5,3\nP1,4,2024-01-23,1,2,3\n")
    keys = {"rows": "session", "client": "id", "session": "nr", "session_facts": {"date": "day"}}
    found = site.read(
        {"file": "a.csv", **keys, "client_facts": {"therapist": "th"},
         "measures": {"alliance": "wai{item}"}},
        {"file": "b.csv", **keys, "measures": {"alliance": "w{item}"}},
    ).quarantine  # fmt: skip
    found = found.astype(object).where(found.notna(), None)
    told = {(p.file, p.row, p.column, p.rule): p.expected for p in found.itertuples()}
    named = {
        ("a.csv", 2, None, "conflicting-duplicate"): "row 3 says otherwise",
        ("a.csv", 3, None, "conflicting-duplicate"): "row 2 says otherwise",
        ("a.csv", 5, None, "exact-duplicate"): "row 4 says the same",
        ("a.csv", 6, "th", "client-conflict"): "row 4 says otherwise",
        ("a.csv", 6, "wai2", "conflicting-duplicate"): "row 2 of b.csv says otherwise",
        ("b.csv", 2, "w2", "conflicting-duplicate"): "row 6 of a.csv says otherwise",
        ("b.csv", 2, "w1", "exact-duplicate"): "row 6 of a.csv says the same",
        ("b.csv", 3, None, "session-conflict"): "row 7 of a.csv says otherwise",
    }
    for place, words in named.items():
        assert told[place].endswith(f"({words})"), (place, told.get(place))


def test_one_session_is_no_question_where_the_end_explains_it(site):
    site.csv("a.csv", "id,nr,end,wai1,wai2,wai3\n" + "".join(
        f"P{i},1,{end},1,2,3\n" for i, end in enumerate(["1", "2", "3", "4", ""])))  # fmt: skip
    codes = {"1": "dropout", "2": "completed", "3": "transferred", "4": "ongoing"}
    found = site.read(
        {"file": "a.csv", "rows": "session", "client": "id", "session": "nr",
         "client_facts": {"end_status": {"column": "end", "codes": codes}},
         "measures": {"alliance": "wai{item}"}},
    ).quarantine  # fmt: skip
    assert found.loc[found["rule"] == "client-with-one-session", "row"].tolist() == [3, 5, 6]


def test_many_copies_name_a_few():
    rows = [f"row {i}" for i in range(2, 9)]
    assert others(["a"] * 7, rows, [6]) == ["row 2 and row 3 and row 4 and 3 more"]
    assert others(["a", "b", "a"], rows[:3], [0, 2]) == ["row 4", "row 2"]
