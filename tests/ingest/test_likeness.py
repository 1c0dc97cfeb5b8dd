"""What looks alike is one notion: names and words are matched, ids are told and never merged."""

import pandas as pd
import pytest
import yaml

from alliance import likeness
from alliance.ingest import look_alikes
from alliance.ingest.site import ingest_site

TABLE = {
    "file": "toy.csv", "rows": "session", "client": "id", "session": "nr",
    "client_facts": {"therapist": "th"}, "measures": {"alliance": "wai{item}"},
}  # fmt: skip
HEADER = "id,nr,th,wai1,wai2,wai3\n"
# (what is folded, one spelling, another)
SPELLINGS = [
    ("invisible signs", "Ab7", "Ab\u200b7"), ("invisible signs", "Ab7", "\u200fAb7"),
    ("invisible signs", "Ab7", "Ab\u00ad7"), ("invisible signs", "Ab7", "Ab7\ufeff"),
    ("kinds of dashes", "A-7", "A\u20137"), ("kinds of dashes", "A-7", "A\u22127"),
    ("the way that letters are composed", "M\u00fcA7", "Mu\u0308A7"),
    ("blanks", "A b7", "A\u00a0b7"), ("blanks", "A b7", "A  b7"),
    ("capital letters", "Ab7", "AB7"), ("leading zeros or decimals", "7", "007"),
    ("leading zeros or decimals", "7", "7.0"), ("letters of another script", "Ab7", "\u0410b7"),
    ("letters of another script", "Ao7", "A\u03bf7"),
    ("kinds of quotation marks", "d'A", "d\u2019A"),
    ("digits of another script", "A7", "A\u0667"),
]  # fmt: skip


@pytest.mark.parametrize(("how", "one", "other"), SPELLINGS)
def test_what_differs_is_said(how, one, other):
    assert likeness.difference(one, other) == likeness.difference(other, one) == how
    assert likeness.like(one, ["x", other]) == [other]
    assert likeness.Words([one]).find(other) == one


def test_what_does_not_look_alike():
    for one, other in (("A7", "A8"), ("a_b", "a-b"), ("10", "1.0"), ("M\u00fc", "Mu"), ("-7", "7")):
        assert likeness.difference(one, other) == ""
        assert likeness.Words([one]).find(other) is None
    # two words of the mapping that look alike are told apart by their spelling only
    words = likeness.Words(["A", "a"])
    assert (words.find("A"), words.find("a"), words.find("\u0410")) == ("A", "a", "A")


def rows(client, therapist="T1", n=2):
    return "".join(f'"{client}",{i + 1},{therapist},1,2,3\n' for i in range(n))


@pytest.mark.parametrize(("how", "one", "other"), SPELLINGS)
def test_ids_are_told_and_kept_until_the_mapping_says_that_they_are_one(site, how, one, other):
    if one != one.strip() or "," in other:
        return
    text = HEADER + rows(one, one) + f'"{other}",3,"{other}",1,2,3\n"X",1,Y,1,1,1\n"X",2,Y,1,1,1\n'
    site.csv("toy.csv", text)
    read = site.read(TABLE)
    told = read.quarantine[read.quarantine["rule"] == "look-alike-id"]
    assert len(read.clients) == 3 and told["column"].tolist().count("th") == 2
    assert len(told) == 4 and told["expected"].str.contains(how).all()
    assert not told["expected"].str.contains(one, regex=False).any()
    same_as = {kind: {other: one} for kind in ("client", "therapist")}
    read = site.read(TABLE, same_as=same_as)
    assert len(read.clients) == 2 and read.quarantine.empty, read.quarantine
    assert read.clients["therapist"].nunique() == 2 and len(read.sessions) == 5


def test_look_alike_therapists_of_sessions_are_told(site):
    site.csv("toy.csv", HEADER + rows("A", "Dr M") + rows("B", "Dr\u00a0M"))
    facts = {"client_facts": {}, "session_facts": {"therapist": "th"}}
    read = site.read({**TABLE, **facts})
    assert read.quarantine["rule"].tolist() == ["look-alike-id"] * 2
    read = site.read({**TABLE, **facts}, same_as={"therapist": {"Dr\u00a0M": "Dr M"}})
    assert read.quarantine.empty and read.sessions["therapist"].nunique() == 1


def test_look_alike_sites_of_one_export_are_told(site):
    lines = [f"P{i},1,T,1,2,3,{s}\nP{i},2,T,1,2,3,{s}\n" for i, s in enumerate(["Bern", "bern"])]
    site.csv("toy.csv", HEADER.strip() + ",site\n" + "".join(lines))
    read = site.read({**TABLE, "site": "site"})
    assert read.quarantine["rule"].tolist() == ["look-alike-id"] * 2
    read = site.read({**TABLE, "site": "site"}, same_as={"site": {"bern": "Bern"}})
    assert read.quarantine.empty and set(read.clients["site"]) == {"Bern"}


def test_a_spelling_that_stands_nowhere_is_told(site):
    site.csv("toy.csv", HEADER + rows("A"))
    read = site.read(TABLE, same_as={"client": {"a7": "A"}})
    assert read.quarantine["rule"].tolist() == ["same-as-unused"]


def test_the_lines_to_copy_lie_in_the_private_folder(site, tmp_path):
    ids = {"client": [("s", "P7"), ("s", "P7\u200b"), ("s", "Q")], "therapist": [("s", "T")]}
    look_alikes.write_private_list(tmp_path, "s", ids)
    path = tmp_path / "look_alikes_s.yaml"
    assert yaml.safe_load(path.read_text()) == {"same_as": {"client": {"P7\u200b": "P7"}}}
    assert "\\u200B" in path.read_text() and path.stat().st_mode & 0o777 == 0o600
    look_alikes.write_private_list(tmp_path, "s", {"client": [("s", "P7")]})
    assert not path.exists()
    assert callable(ingest_site)


@pytest.mark.parametrize(
    "header",
    ["ID,NR,TH,WAI1,WAI2,WAI3", "id\u200b,nr,th,wai1,wai2\u00ad,wai3", "id,nr ,th,Wai1,wai2,wai3",
     "\u0456d,nr,th,w\u0430i1,wai2,wai3"],
)  # fmt: skip
def test_columns_are_found_by_what_they_look_like(site, header):
    site.csv("toy.csv", header + "\n" + rows("A") + rows("B"))
    read = site.read(TABLE)
    assert set(read.quarantine["rule"]) <= {"look-alike-name"}
    assert len(read.responses) == 12 and len(read.clients) == 2
    assert (read.quarantine["action"] == "noted").all()


def test_sessions_whose_columns_are_spelt_otherwise_are_not_lost(site):
    names = [f"S{s}_{i}" for s in (1, 2) for i in (1, 2, 3)] + [f"s3_{i}" for i in (1, 2, 3)]
    site.csv("toy.csv", ",".join(["id", *names]) + "\nA" + ",1" * 9 + "\n")
    table = {"file": "toy.csv", "rows": "client", "client": "id"}
    read = site.read({**table, "measures": {"alliance": "S{session}_{item}"}})
    assert len(read.sessions) == 3 and read.quarantine["rule"].tolist() == ["look-alike-name"]


def test_two_columns_that_look_alike(site):
    header = HEADER.strip()
    site.csv("toy.csv", header + ",wa\u0456 1,wai1\u2060x,w\u0430i1\n" + "A,1,T,1,2,3,4,5,5\n" * 1)
    read = site.read(TABLE)  # the exact one is read, the other told
    assert read.responses["value"].tolist() == [1, 2, 3]
    assert "not read" in read.quarantine["expected"].iloc[0]
    site.csv("toy.csv", header.replace("wai1", "WAI1") + ",Wai1\nA,1,T,1,2,3,4\n")
    assert "column-twice" in set(site.read(TABLE).quarantine["rule"])


def test_another_form_in_capitals_fills_no_gap(site):
    site.csv("toy.csv", "id,nr,wai1,wai2,WAI1,WAI2,WAI3\nA,1,1,2,3,4,5\nA,2,1,2,3,4,5\n")
    read = site.read({**TABLE, "client_facts": {}})
    assert "column-missing" in set(read.quarantine["rule"])
    assert set(read.responses["value"]) <= {1, 2}


def test_columns_that_differ_in_capitals_stay_two_where_both_are_meant(site):
    site.csv("toy.csv", "id,nr,wai1,wai2,wai3,WAI1,WAI2\nA,1,1,2,3,0,1\nA,2,1,2,3,0,1\n")
    table = {"file": "toy.csv", "rows": "session", "client": "id", "session": "nr"}
    read = site.read({**table, "measures": {"alliance": "wai{item}", "symptoms": "WAI{item}"}})
    assert read.quarantine.empty and len(read.responses) == 10
    site.csv("toy.csv", "id,nr,WAI1,WAI2\nA,1,0,1\nA,2,0,1\n")  # one of the two is gone
    read = site.read({**table, "measures": {"alliance": "wai{item}", "symptoms": "WAI{item}"}})
    assert "column-missing" in set(read.quarantine["rule"])


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("Scha\u0308fer.csv", "Sch\u00e4fer.csv"), ("Toy\u2013A.csv", "Toy-A.csv"),
     ("a\u00a0b.csv", "a b.csv"), ("TOY.csv", "toy.csv")],
)  # fmt: skip
def test_files_are_found_by_what_they_look_like(site, name, wanted):
    site.csv(name, HEADER + rows("A"))
    read = site.read({**TABLE, "file": wanted})
    assert len(read.clients) == 1 and read.quarantine["rule"].tolist() == ["look-alike-name"]


def test_of_two_files_that_look_alike_none_is_read(site):
    for name in ("Toy.csv", "TOY.csv"):
        site.csv(name, HEADER + rows("A"))
    assert site.read(TABLE).quarantine["rule"].tolist() == ["file-missing"]


def test_sheets_are_found_by_what_they_look_like(site):
    cells = [["id", "nr", "th", "wai1", "wai2", "wai3"], *(["A", i, "T", 1, 2, 3] for i in (1, 2))]
    site.workbook("toy.xlsx", **{"Data\u00a01": cells, "Other": cells})
    read = site.read({**TABLE, "file": "toy.xlsx", "sheet": "data 1"})
    assert len(read.responses) == 6 and read.quarantine["rule"].tolist() == ["look-alike-name"]


def test_words_are_found_by_what_they_look_like(site):
    head = "id,ev,sex,there,form,item,x,keep\n"
    site.csv("toy.csv", head + "".join(
        f"A,{event},{sex},{there},{form},{item},{answer},{keep}\n"
        for item in (1, 2)
        for event, sex, there, form, answer, keep in (
            ("Session 1", "m", "yes", "WAI", "Often", "Real\u00a0data"),
            ("session\u00a02", "M", "Yes", "wai", "often\u200b", "Real data"),
            ("Extra \u2013 3", "\uff4d", "YES ", "W\u0410I", "OFTEN", "Real data"),
        )
    ))  # fmt: skip
    table = {
        "file": "toy.csv",
        "rows": "answer",
        "client": "id",
        "form": "form",
        "item": "item",
        "answer": "x",
        "keep_rows": {"keep": ["Real data"]},
        "session": {"column": "ev", "codes": {"Session 1": 1, "Session 2": 2, "Extra - 3": 3}},
        "client_facts": {"gender": {"column": "sex", "codes": {"m": "male"}}},
        "session_facts": {"attended": {"column": "there", "attended": ["yes"]}},
        "measures": {
            "alliance": {
                "form": "WAI",
                "codes": {"Never": 1, "Rarely": 2, "Now": 3, "Often": 4, "Always": 5},
            }
        },
    }
    read = site.read(table)
    assert len(read.responses) == 6 and set(read.responses["value"]) == {4}
    assert read.clients["gender"].tolist() == ["male"] and read.sessions["attended"].all()
    assert set(read.quarantine["rule"]) == {"look-alike-word", "client-with-one-session"} - {
        "client-with-one-session"
    }


def test_rows_that_are_left_out_for_their_capitals_are_told(site):
    site.csv("toy.csv", "id,nr,k,wai1,wai2,wai3\nA,1,IP Address,1,2,3\nA,2,IP address,1,2,3\n")
    table = {**TABLE, "client_facts": {}, "keep_rows": {"k": ["IP Address"]}}
    read = site.read(table)
    assert (
        "1 rows were left out"
        in read.quarantine.set_index("rule").loc["look-alike-word", "expected"]
    )


def test_texts_for_missing_answers_and_blanks_that_cannot_be_seen(site):
    site.csv(
        "toy.csv", "id,nr,wai1,wai2,wai3\nA,1,\u22129,-9.0,\u200b\n009,2,\uff13,\u200b,n/a\u00a0\n"
    )
    read = site.read({**TABLE, "client_facts": {}, "missing": [-9, 9, "n/a"]})
    assert read.responses["value"].tolist() == [3]
    assert len(read.clients) == 2  # 009 is an id
    assert set(read.quarantine["rule"]) == {"client-with-one-session"}


def test_categories_that_look_alike_are_told(site):
    lines = "".join(f"P{i},{w},\n" for i, w in enumerate(["Female"] * 3 + ["female", "Male"]))
    site.csv("toy.csv", "id,sex,x\n" + lines)
    table = {"file": "toy.csv", "rows": "client", "client": "id"}
    read = site.read({**table, "client_facts": {"gender": "sex"}})
    (told,) = read.quarantine.query("rule == 'look-alike-category'").to_dict("records")
    assert told["row"] == 5 and "capital letters" in told["expected"]
    codes = {"Female": "f", "female": "f", "Male": "m"}
    read = site.read({**table, "client_facts": {"gender": {"column": "sex", "codes": codes}}})
    assert "look-alike-category" not in set(read.quarantine["rule"])


def test_a_chain_of_spellings_is_refused(site):
    site.csv("toy.csv", HEADER + rows("A"))
    with pytest.raises(Exception, match="line 2 stands before the colon"):
        site.read(TABLE, same_as={"client": {"a": "A", "b": "a"}})


def test_a_join_goes_by_the_declared_spelling(site):
    site.csv(
        "toy.csv", "id,nr,wai1,wai2,wai3\nP\u200b1,1,1,2,3\nP1,2,1,2,3\nP2,1,1,1,1\nP2,2,1,1,1\n"
    )
    site.csv("beside.csv", "own,th\nP1,T\nP2,U\n")
    join = [{"file": "beside.csv", "by": {"id": "own"}, "take": ["th"]}]
    told = site.read({**TABLE, "join": join}).quarantine.set_index("rule")
    assert "1 keys differ" in told.loc["key-unmatched", "expected"]
    assert "invisible signs" in told.loc["key-unmatched", "expected"]
    read = site.read({**TABLE, "join": join}, same_as={"client": {"P\u200b1": "P1"}})
    assert read.quarantine.empty and read.clients["therapist"].nunique() == 2


def test_words_of_two_sites_that_look_alike_are_told():
    clients = pd.DataFrame({
        "site": ["a", "a", "b", "b"], "client": list("1234"), "therapist": "t",
        "end_status": "dropout", "sessions_planned": 1, "age_years": [1.0, 2, 3, 4],
        "gender": ["female", "male", "Female", "male"],
    })  # fmt: skip
    told = look_alikes.between_sites(clients)
    assert told["rule"].tolist() == ["look-alike-category"] and told["site"].tolist() == ["a"]
    assert look_alikes.between_sites(clients.assign(gender="x")).empty
