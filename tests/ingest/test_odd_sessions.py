"""What is odd about sessions is noted, kept, and nothing is lost in silence."""

TABLE = {
    "file": "toy.csv", "rows": "session", "client": "id", "session": "nr",
    "session_facts": {"date": "day"}, "measures": {"alliance": "wai{item}"},
}  # fmt: skip
HEADER = "id,nr,day,wai1,wai2,wai3"


def told(read):
    quarantine = read.quarantine.astype(object).where(read.quarantine.notna(), None)
    return [tuple(row) for row in quarantine[["row", "column", "rule"]].to_numpy()]


def weeks(read):
    return read.sessions["weeks_since_intake"].round(3).tolist()


def test_forms_at_missed_sessions(site):
    site.csv(
        "toy.csv",
        "id,nr,came,wai1,wai2,wai3\na,1,yes,1,2,3\na,2,no,1,2,3\na,3,no,,,\na,4,,1,1,1\n",
    )
    came = {"attended": {"column": "came", "attended": ["yes"]}}
    read = site.read({**TABLE, "session_facts": came})
    assert told(read) == [(3, "wai1", "form-at-a-missed-session")]
    assert read.quarantine["action"].tolist() == ["noted"]
    assert len(read.responses) == 9 and len(read.sessions) == 4


def test_forms_at_missed_sessions_of_another_file(site):
    site.csv("visits.csv", "id,nr,came\na,1,yes\na,2,no\n")
    site.csv("answers.csv", "id,nr,item,x\n" + "".join(f"a,2,{i},1\n" for i in (1, 2, 3)))
    read = site.read(
        {"file": "visits.csv", "rows": "session", "client": "id", "session": "nr",
         "session_facts": {"attended": {"column": "came", "attended": ["yes"]}}},
        {"file": "answers.csv", "rows": "answer", "client": "id", "session": "nr", "item": "item",
         "answer": "x", "measures": {"alliance": {}}},
    )  # fmt: skip
    assert told(read) == [(2, "x", "form-at-a-missed-session")]


def test_a_session_before_intake(site):
    site.csv("toy.csv", f"{HEADER},start\na,1,2024-01-01,1,1,1,2024-01-08\n"
             "a,2,2024-01-15,1,1,1,2024-01-08\n")  # fmt: skip
    intake = {"intake_date": {"column": "start"}}
    read = site.read({**TABLE, "client_facts": intake})
    assert told(read) == [(2, "day", "session-before-intake")]
    assert weeks(read) == [-1, 1]


def test_an_impossible_pause(site):
    site.csv("toy.csv", f"{HEADER}\na,1,2014-01-01,1,1,1\na,2,2024-01-08,1,1,1\n"
             "a,3,2026-12-31,1,1,1\n")  # fmt: skip
    assert told(site.read(TABLE)) == [(3, "day", "long-pause")]


def test_a_first_session_without_date(site):
    site.csv("toy.csv", f"{HEADER},start\na,1,,1,1,1,\na,2,2024-01-08,1,1,1,\n"
             "b,1,,1,1,1,2024-01-01\nb,2,2024-01-08,1,1,1,2024-01-01\n"
             "c,1,,1,1,1,\nc,2,,1,1,1,\n")  # fmt: skip
    read = site.read(TABLE)
    assert told(read) == [
        (2, "day", "first-session-undated"), (4, "day", "first-session-undated")
    ]  # fmt: skip
    read = site.read({**TABLE, "client_facts": {"intake_date": {"column": "start"}}})
    assert told(read) == [(2, "day", "first-session-undated")]  # b's intake is known


def test_a_client_whom_two_sites_claim(site):
    site.csv("where.csv", "id,clinic\na,one\nb,one\nb,two\nc,two\n")
    lines = "".join(f"{own},{n},1,1,1\n" for own in "abcd" for n in (1, 2))
    site.csv("toy.csv", "id,nr,wai1,wai2,wai3\n" + lines)
    read = site.read(
        {"file": "where.csv", "rows": "client", "client": "id", "site": "clinic"},
        {**TABLE, "session_facts": {}},
    )
    of_sessions = [(row, rule) for row, _, rule in told(read) if "site" in rule and row > 3]
    assert of_sessions == [
        (4, "client-at-two-sites"), (5, "client-at-two-sites"), (8, "no-site"), (9, "no-site"),
    ]  # fmt: skip
