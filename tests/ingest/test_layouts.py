"""One small cohort in six habits leads to the same tables."""

import datetime

import pandas as pd
import pyreadstat
import pytest
from pandas.testing import assert_frame_equal

FACTS = {
    "therapist": "th",
    "end_status": {"column": "end", "codes": {"1": "dropout", "2": "completed"}},
    "age_years": {"column": "age", "type": "number"},
}
BY_SESSION = {
    "file": "toy.csv", "rows": "session", "client": "id", "session": "nr",
    "client_facts": FACTS, "session_facts": {"date": "day"},
    "measures": {"alliance": "wai{item}", "symptoms": "phq{item}"},
}  # fmt: skip
PEOPLE = {"007": ("T1", 1, 34.5), "1e5": ("T2", 2, 40), "NA": ("T1", 2, 51)}
SESSIONS = [  # id, session, date, wai 1-3, phq 1-2
    ("007", 1, "2024-03-04", 1, 2, 3, 0, 1),
    ("007", 2, "2024-03-11", 2, "", 5, 1, 3),
    ("007", 4, "2024-04-01", 4, 4, 4, "", ""),
    ("1e5", 1, "2023-12-30", 5, 5, 5, 3, 3),
    ("1e5", 2, "2024-01-02", 1, 1, 2, 2, 2),
    ("NA", 1, "2024-02-29", 3, 3, 3, 0, 0),
    ("NA", 2, "2024-03-07", 3, 2, 3, 0, 0),
]


def text(rows, separator=","):
    return "".join(separator.join(str(cell) for cell in row) + "\n" for row in rows)


HEADER = ["id", "nr", "day", "wai1", "wai2", "wai3", "phq1", "phq2", "th", "end", "age"]
LONG = [HEADER, *([*row, *PEOPLE[row[0]]] for row in SESSIONS)]


@pytest.fixture
def expected(site):
    site.csv("toy.csv", text(LONG))
    return site.read(BY_SESSION)


def assert_same(read, expected):
    assert read.quarantine.empty, read.quarantine
    for name in ("clients", "sessions", "responses"):
        assert_frame_equal(getattr(read, name), getattr(expected, name))


def test_tables_by_hand(expected):
    assert expected.quarantine.empty
    assert len(expected.clients) == 3
    ages = dict(zip(expected.clients["age_years"], expected.clients["end_status"], strict=True))
    assert ages == {34.5: "dropout", 40.0: "completed", 51.0: "completed"}
    assert expected.clients["therapist"].nunique() == 2
    own = expected.clients.loc[expected.clients["age_years"] == 34.5, "client"].item()
    sessions = expected.sessions[expected.sessions["client"] == own]
    assert sessions["session"].tolist() == [1, 2, 4]
    assert sessions["weeks_since_intake"].tolist() == [0.0, 1.0, 4.0]
    answers = expected.responses[expected.responses["client"] == own]
    second = answers[(answers["session"] == 2) & (answers["measure"] == "alliance")]
    assert second[["item", "value"]].to_numpy().tolist() == [[1, 2], [3, 5]]
    assert len(expected.responses) == 7 * 5 - 3


def test_column_types(expected):
    kinds = {
        name: {column: str(kind) for column, kind in getattr(expected, name).dtypes.items()}
        for name in ("clients", "sessions", "responses")
    }
    assert kinds["clients"] == {
        "site": "str", "client": "str", "therapist": "str", "end_status": "str",
        "sessions_planned": "Int64", "age_years": "float64",
    }  # fmt: skip
    assert kinds["sessions"] == {
        "site": "str", "client": "str", "session": "int64", "weeks_since_intake": "float64",
        "attended": "bool",
    }  # fmt: skip
    assert kinds["responses"] == {
        "site": "str", "client": "str", "session": "int64", "measure": "str", "item": "int64",
        "value": "float64",
    }  # fmt: skip


def test_one_row_per_client(site, expected):
    header = ["Nr", "Th", "Ende", "Alter"]
    for session in (1, 2, 3, 4):
        header += [f"D_S{session:02}", *(f"WAI_S{session:02}_{i}" for i in (1, 2, 3))]
        header += [f"PHQ_S{session:02}_{i}" for i in (1, 2)]
    rows = [header]
    for own, (therapist, end, age) in PEOPLE.items():
        row = [own, therapist, end, str(age).replace(".", ",")]
        for session in (1, 2, 3, 4):
            found = [s for s in SESSIONS if s[:2] == (own, session)]
            if found:
                year, month, day = found[0][2].split("-")
                row += [f"{day}.{month}.{year}", *found[0][3:]]
            else:
                row += [""] * 6
        rows.append(row)
    site.csv("wide.csv", text(rows, ";").replace("\n", "\r\n"), "latin-1")
    read = site.read(
        {
            "file": "wide.csv", "delimiter": ";", "decimal": ",", "dates": "dd.mm.yyyy",
            "encoding": "latin-1", "rows": "client", "client": "Nr",
            "client_facts": {
                "therapist": "Th",
                "end_status": {"column": "Ende", "codes": {"1": "dropout", "2": "completed"}},
                "age_years": {"column": "Alter", "type": "number"},
            },
            "session_facts": {"date": "D_S{session}"},
            "measures": {
                "alliance": "WAI_S{session}_{item}",
                "symptoms": {"items": {"1": "PHQ_S01_{item}", "2": ["PHQ_S02_1", "PHQ_S02_2"]}},
            },
        }
    )  # fmt: skip
    assert_same(read, expected)


def test_one_row_per_answer(site, expected):
    rows = [["id", "nr", "form", "item", "answer"]]
    for own, session, _, *cells in SESSIONS:
        forms = [("W", 1), ("W", 2), ("W", 3), ("P", 1), ("P", 2)]
        rows += [
            [own, session, form, item, cell]
            for (form, item), cell in zip(forms, cells, strict=True)
        ]
    rows.append(["007", 1, "OTHER", 1, 9])
    site.csv("answers.csv.gz", __import__("gzip").compress(text(rows).encode()))
    site.csv(
        "people.tsv",
        text([["id", "th", "end", "age"], *([k, *v] for k, v in PEOPLE.items())], "\t"),
    )
    site.csv("days.txt", text([["id", "nr", "day"], *(row[:3] for row in SESSIONS)]))
    read = site.read(
        {"file": "people.tsv", "rows": "client", "client": "id", "client_facts": FACTS},
        {"file": "days.txt", "rows": "session", "client": "id", "session": "nr",
         "session_facts": {"date": "day"}},
        {"file": "answers.csv.gz", "rows": "answer", "client": "id", "session": "nr",
         "form": "form", "item": "item", "answer": "answer", "ignore_forms": ["OTHER"],
         "measures": {"alliance": {"form": "W"}, "symptoms": {"form": "P"}}},
    )  # fmt: skip
    assert_same(read, expected)


def test_redcap_events(site, expected):
    header = ["record_id", "event", "th", "age", *HEADER[2:8], "wai_complete"]
    rows = [header]
    for own, (therapist, _, age) in PEOPLE.items():
        rows.append([own, "intake_arm_1", therapist, age, *[""] * 6, ""])
        rows += [
            [own, f"session_{row[1]}_arm_1", "", "", *row[2:], 2]
            for row in SESSIONS
            if row[0] == own
        ]
    site.csv("redcap.csv", text(rows))
    site.csv("discharge.csv", text([["record_id", "end"], *([k, v[1]] for k, v in PEOPLE.items())]))
    facts = {"therapist": "th", "age_years": {"column": "age", "type": "number"}}
    read = site.read(
        {**BY_SESSION, "file": "redcap.csv", "client": "record_id", "client_facts": facts,
         "session": {"column": "event", "pattern": "session_{session}_arm_1",
                     "about_client": ["intake_arm_1"]}},
        {"file": "discharge.csv", "rows": "client", "client": "record_id",
         "client_facts": {"end_status": FACTS["end_status"]}},
    )  # fmt: skip
    assert_same(read, expected)


def test_workbook(site, expected):
    rows = [HEADER]
    for row in LONG[1:]:
        cells = [None if cell == "" else cell for cell in row]
        cells[2] = datetime.date.fromisoformat(row[2])
        rows.append(cells)
    site.workbook("toy.xlsx", Data=rows, Notes=[["nothing"]])
    assert_same(site.read({**BY_SESSION, "file": "toy.xlsx", "sheet": "Data"}), expected)


def test_workbook_below_a_title_with_decimal_comma_declared(site, expected):
    rows = [["Export of the clinic"], [], HEADER]
    for row in LONG[1:]:
        rows.append([None if cell == "" else cell for cell in row])
    site.workbook("toy.xlsx", Data=rows)
    table = {**BY_SESSION, "file": "toy.xlsx", "header_row": 3, "decimal": ","}
    assert_same(site.read(table), expected)


def test_spss(site, expected):
    frame = pd.DataFrame(LONG[1:], columns=HEADER).replace("", -9)
    frame["day"] = pd.to_datetime(frame["day"]).dt.date
    numbers = [name for name in HEADER if name not in ("id", "day", "th")]
    frame[numbers] = frame[numbers].astype(float)
    pyreadstat.write_sav(
        frame, str(site.raw / "toy.sav"),
        missing_ranges={name: [-9] for name in HEADER[3:8]},
        variable_value_labels={"end": {1: "dropout", 2: "completed"}},
    )  # fmt: skip
    facts = {**FACTS, "end_status": "end"}  # by value labels
    assert_same(site.read({**BY_SESSION, "file": "toy.sav", "client_facts": facts}), expected)


def test_items_by_letters_and_texts_for_answers(site, expected):
    words = {1: "nie", 2: "selten", 3: "manchmal", 4: "oft", 5: "immer"}
    rows = [["id", "nr", "day", "Frage A", "Frage B", "Achtung", "Frage C", "phq1", "phq2", "th",
             "end", "age"]]  # fmt: skip
    for row in LONG[1:]:
        said = [words.get(cell, "") for cell in row[3:6]]
        rows.append([*row[:3], said[0], said[1], "ja", said[2], *row[6:]])
    site.csv("toy.csv", text(rows))
    codes = {word: number for number, word in words.items()}
    measures = {
        "alliance": {"items_at": ["D-E", "G"], "codes": codes},
        "symptoms": {"items": ["phq1", "phq2"]},
    }
    assert_same(site.read({**BY_SESSION, "measures": measures}), expected)


def test_sessions_numbered_by_date(site):
    rows = [["id", "day", "visit", "wai1", "wai2", "wai3"],
            ["a", "12.01.2024", "V3", 3, 3, 3], ["a", "03.01.2024", "V1", 1, 1, 1],
            ["a", "03.01.2024", "V2", 2, 2, 2], ["b", "01.02.2024", "V1", 4, 4, 4],
            ["b", "", "V2", 4, 4, 4], ["b", "08.02.2024", "V3", 5, 5, 5]]  # fmt: skip
    site.csv("toy.csv", text(rows))
    read = site.read(
        {"file": "toy.csv", "dates": "dd.mm.yyyy", "rows": "session", "client": "id",
         "session": {"order_by": ["day", "visit"]}, "session_facts": {"date": "day"},
         "measures": {"alliance": "wai{item}"}}
    )  # fmt: skip
    values = read.responses[read.responses["item"] == 1].groupby("client")["value"].apply(list)
    assert sorted(values) == [[1, 2, 3], [4, 5]]
    assert read.quarantine[["row", "column", "rule"]].to_numpy().tolist() == [
        [6, "day", "no-session-number"]
    ]


def test_one_export_with_several_sites(site):
    site.csv("sites.csv", "who,where\n1,A\n2,B\n3,B\n4,\n5,in valid\n")
    site.csv(
        "visits.csv",
        "who,nr,wai1,wai2,wai3\n1,1,1,1,1\n1,2,1,1,1\n2,1,2,2,2\n2,2,2,2,2\n6,1,3,3,3\n",
    )
    read = site.read(
        {"file": "sites.csv", "rows": "client", "client": "who",
         "site": {"column": "where", "prefix": "site-"}},
        {"file": "visits.csv", "rows": "session", "client": "who", "session": "nr",
         "measures": {"alliance": "wai{item}"}},
    )  # fmt: skip
    assert read.clients["site"].tolist() == ["site-A", "site-B", "site-B"]
    assert set(read.responses["site"]) == {"site-A", "site-B"}
    found = read.quarantine[["file", "row", "rule"]].to_numpy().tolist()
    assert found == [
        ["sites.csv", 4, "client-without-sessions"],
        ["sites.csv", 5, "no-site"],
        ["sites.csv", 6, "bad-site"],
        ["visits.csv", 6, "no-site"],
    ]


def test_the_same_id_at_two_sites_is_two_people(site):
    rows = "where,who,nr,wai1,wai2,wai3\nA,1,1,1,1,1\nB,1,1,5,5,5\nA,1,2,1,1,1\nB,1,2,5,5,5\n"
    site.csv("visits.csv", rows)
    read = site.read(
        {"file": "visits.csv", "rows": "session", "site": "where", "client": "who",
         "session": "nr", "measures": {"alliance": "wai{item}"}}
    )  # fmt: skip
    assert read.quarantine.empty
    assert read.clients["client"].nunique() == 2


def test_attendance_days_and_logs(site):
    site.csv("visits.csv", "id,nr,came,day\n1,1,yes,0\n1,2,no,\n1,3,yes,10.5\n")
    site.csv("log.csv", "id,left\n1,\n1,x\n1,x\n1,note\n")
    read = site.read(
        {"file": "visits.csv", "rows": "session", "client": "id", "session": "nr",
         "session_facts": {"day": "day", "attended": {"column": "came", "attended": ["yes"]}}},
        {"file": "log.csv", "rows": "client", "rows_repeat": True, "client": "id",
         "client_facts": {"end_status": {"column": "left", "codes": {"x": "dropout"},
                                         "others": "blank"}}},
    )  # fmt: skip
    assert read.quarantine.empty
    assert read.sessions["attended"].tolist() == [True, False, True]
    assert read.sessions["weeks_since_intake"].tolist()[::2] == [0.0, 1.5]
    assert read.clients["end_status"].tolist() == ["dropout"]


def test_weeks_since_a_declared_intake(site):
    site.csv("toy.csv", "id,nr,day,intake\n1,1,2024-01-15,2024-01-01\n1,2,2024-01-22,2024-01-01\n")
    read = site.read(
        {"file": "toy.csv", "rows": "session", "client": "id", "session": "nr",
         "client_facts": {"intake_date": "intake"}, "session_facts": {"date": "day"}}
    )  # fmt: skip
    assert read.sessions["weeks_since_intake"].tolist() == [2.0, 3.0]
    assert "intake_date" not in read.clients
