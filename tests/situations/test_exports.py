"""Situations of real exports (docs/situations.md): each is a row of that table."""

import csv
import datetime
import io

import openpyxl
import pandas as pd
import pyreadstat
import pytest

from alliance.config.instruments import load_instruments

KEYS = load_instruments()
BY_SESSION = {"rows": "session", "client": "id", "session": "nr"}
TOY = {"file": "toy.csv", **BY_SESSION, "measures": {"alliance": "wai{item}"}}
HEADER = "id,nr,wai1,wai2,wai3\n"
DICTIONARY = ["Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
              "Choices, Calculations, OR Slider Labels", "Field Note"]  # fmt: skip
LABELS = {"format": "redcap", "dictionary": "dictionary.csv", "header": "labels", "cells": "labels"}
STEPS = "1, Never | 2, Rarely | 3, Sometimes | 4, Often | 5, Always"


def text_of(rows):
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()


def redcap(site, fields, rows):
    """Write a REDCap project: fields as (name, type, label, choices), rows as they are exported."""
    told = [[name, "form", "", kind, label, choices, ""] for name, kind, label, choices in fields]
    site.csv("dictionary.csv", text_of([DICTIONARY, *told]))
    site.csv("toy.csv", text_of(rows))


def rules(read):
    return set(read.quarantine["rule"])


def stopped(read):
    return set(read.quarantine.loc[read.quarantine["action"] == "stopped", "rule"])


def twice(*cells):
    """Return two sessions of one client with these cells."""
    return "".join(f"P1,{n},{','.join(map(str, cells))}\n" for n in (1, 2))


# REDCap


RID = ("id", "text", "Record ID", "")
NUMBER = ("nr", "text", "Session", "")


def test_forms_worded_alike(site):
    items = [
        (f"{who}{i}", "radio", f"Item {i}", STEPS) for who in ("wai", "wat") for i in (1, 2, 3)
    ]
    rows = [["Record ID", "Session", *(f"Item {i}" for i in (1, 2, 3, 1, 2, 3))]]
    redcap(site, [RID, NUMBER, *items], [*rows, *(["P", n, *["Often"] * 6] for n in (1, 2))])
    assert "label-shared" in stopped(site.read({**TOY, **LABELS}))


def test_a_report_with_one_of_two_forms_worded_alike(site):
    items = [
        (f"{who}{i}", "radio", f"Item {i}", STEPS) for who in ("wai", "wat") for i in (1, 2, 3)
    ]
    rows = [["Record ID", "Session", *(f"Item {i}" for i in (1, 2, 3))]]
    redcap(site, [RID, NUMBER, *items], [*rows, *(["P", n, *["Often"] * 3] for n in (1, 2))])
    assert "label-shared" in stopped(site.read({**TOY, **LABELS}))


def test_two_choices_with_one_label(site):
    steps = "1, Never | 2, - | 3, - | 4, - | 5, Always"
    items = [(f"wai{i}", "radio", f"Item {i}", steps) for i in (1, 2, 3)]
    rows = [["Record ID", "Session", "Item 1", "Item 2", "Item 3"]]
    rows += [["P", n, "Never", "-", "Always"] for n in (1, 2)]
    redcap(site, [RID, NUMBER, *items], rows)
    read = site.read({**TOY, **LABELS})
    assert stopped(read) == {"label-shared"}
    assert read.quarantine["column"].tolist() == ["wai2"]


def test_labels_in_the_header(site):
    items = [(f"wai{i}", "radio", f"<b>Item {i}</b>", STEPS) for i in (1, 2, 3)]
    rows = [["Record ID", "Session", "Item 3", "Item 1", "Item 2"]]
    redcap(
        site, [RID, NUMBER, *items], rows + [["P", n, "Often", "Never", "Rarely"] for n in (1, 2)]
    )
    read = site.read({**TOY, **LABELS})
    assert read.quarantine.empty and read.responses["value"].tolist() == [1, 2, 4] * 2


def test_choices_that_are_their_own_code(site):
    redcap(
        site,
        [RID, ("title", "dropdown", "Title", "Mr. | Mrs. | Dr.")],
        [["id", "title"], ["P1", "Mrs."], ["P2", "Dr."]],
    )
    table = {
        "file": "toy.csv",
        "format": "redcap",
        "dictionary": "dictionary.csv",
        "rows": "client",
    }
    read = site.read({**table, "client": "id", "client_facts": {"title_of": "title"}})
    assert sorted(read.clients["title_of"]) == ["Dr.", "Mrs."]


def test_boxes_of_a_form_that_was_never_opened(site):
    site.csv("toy.csv", "id,nr,g___1,g___2,wai1,wai2,wai3\nP1,1,1,0,1,1,1\nP1,2,0,0,1,1,1\n")
    boxes = {"gender": {"boxes": {"g___1": "female", "g___2": "male"}}}
    read = site.read({**TOY, "format": "redcap", "client_facts": boxes})
    assert read.clients["gender"].tolist() == ["female"] and read.quarantine.empty


def test_rows_of_events_that_nobody_asked_for(site):
    site.csv("toy.csv", "id,ev,wai1,wai2,wai3\nP1,s_1,1,2,3\nP1,s_2,1,2,3\nP1,baby_born_arm_1,,,\n")
    session = {"column": "ev", "pattern": "s_{session}", "ignore": ["baby_born_arm_1"]}
    read = site.read({**TOY, "session": session})
    assert read.quarantine.empty and len(read.sessions) == 2
    assert read.ledger.set_index("reason").loc["not-selected", "count"].max() > 0


def test_a_repeating_instrument(site):
    head = "id,redcap_repeat_instrument,redcap_repeat_instance,th,wai1,wai2,wai3\n"
    site.csv("toy.csv", head + "P1,,,T,,,\nP1,wai,1,,1,2,3\nP1,wai,2,,3,2,1\n")
    own = {"file": "toy.csv", "format": "redcap", "client": "id"}
    read = site.read(
        {**own, "rows": "client", "keep_rows": {"redcap_repeat_instrument": [""]},
         "client_facts": {"therapist": "th"}},
        {**own, "rows": "session", "keep_rows": {"redcap_repeat_instrument": ["wai"]},
         "session": "redcap_repeat_instance", "measures": {"alliance": "wai{item}"}},
    )  # fmt: skip
    assert read.quarantine.empty and len(read.responses) == 6


# Qualtrics and LimeSurvey


def qualtrics(site, names, *rows):
    ids = [f'{{"ImportId":"QID{i}"}}' for i in range(len(names))]
    site.csv("toy.csv", text_of([names, [f"Text of {n}" for n in names], ids, *rows]))


def test_three_header_rows(site):
    names = ["id", "nr", "Q1_1", "Q1_2", "Q1_3"]
    qualtrics(site, names, *(["P1", n, 1, 2, 3] for n in (1, 2)))
    table = {**TOY, "format": "qualtrics", "measures": {"alliance": "Q1_{item}"}}
    read = site.read(table)
    assert read.quarantine.empty and len(read.responses) == 6
    site.csv("toy.csv", text_of([names, *(["P1", n, 1, 2, 3] for n in (1, 2))]))
    assert stopped(site.read(table)) == {"file-unreadable"}  # two sessions would be lost else


def test_choice_texts_for_numbers(site):
    names = ["id", "nr", "Q1_1", "Q1_2", "Q1_3"]
    qualtrics(site, names, *(["P1", n, "Never", "Often", "Always"] for n in (1, 2)))
    table = {**TOY, "format": "qualtrics", "measures": {"alliance": "Q1_{item}"}}
    assert "column-unreadable" in stopped(site.read(table)) or "not-a-number" in rules(
        site.read(table)
    )
    codes = {"Never": 1, "Rarely": 2, "Sometimes": 3, "Often": 4, "Always": 5}
    table["measures"] = {"alliance": {"items": "Q1_{item}", "codes": codes}}
    assert site.read(table).responses["value"].tolist() == [1, 4, 5] * 2


def test_a_scale_with_words_at_its_ends_only(site):
    names = ["id", "nr", "Q1_1", "Q1_2", "Q1_3"]
    qualtrics(site, names, *(["P1", n, "Never", "-", "Always"] for n in (1, 2)))
    codes = {"Never": 1, "-": 2, "Always": 5}
    measures = {"alliance": {"items": "Q1_{item}", "codes": codes}}
    assert stopped(site.read({**TOY, "format": "qualtrics", "measures": measures})) == {
        "label-shared"
    }


def test_two_questions_under_one_name(site):
    names = ["id", "nr", "Q1_1", "Q1_1", "Q1_2", "Q1_3"]
    qualtrics(site, names, *(["P1", n, 1, 2, 2, 3] for n in (1, 2)))
    read = site.read({**TOY, "format": "qualtrics", "measures": {"alliance": "Q1_{item}"}})
    assert stopped(read) == {"column-twice"}


def test_two_questions_with_one_code(site):
    head = ["id. Id", "nr. Session", *(f"q[SQ{i}]. Text {i}" for i in (1, 2, 2, 3))]
    site.csv("toy.csv", text_of([head, *(["P1", n, 1, 2, 3, 4] for n in (1, 2))]))
    table = {**TOY, "format": "limesurvey", "header": "names_and_labels"}
    assert stopped(site.read({**table, "measures": {"alliance": "q[SQ{item}]"}})) == {
        "column-twice"
    }


# SPSS, Stata, SAS


def write(site, ending, frame, change=lambda data: data, **keys):
    path = site.raw / f"toy.{ending}"
    kinds = {
        "sav": pyreadstat.write_sav,
        "dta": pyreadstat.write_dta,
        "xpt": pyreadstat.write_xport,
    }
    kinds[ending](frame, str(path), **keys)
    path.write_bytes(change(path.read_bytes()))


def people(ending, **keys):
    facts = {"therapist": "th", "arm": "arm"}
    return {
        "file": f"toy.{ending}",
        "rows": "client",
        "client": "id",
        "client_facts": facts,
        **keys,
    }


FRAME = pd.DataFrame({"id": ["P1", "P2"], "th": ["Dr Müller", "Dr Müller"], "arm": [1.0, 2.0]})


def in_cp1252(data):
    return data.replace("Müller".encode(), "Müller".encode("cp1252") + b" ")


@pytest.mark.parametrize("ending", ["sav", "dta", "xpt"])
def test_letters_that_are_not_stored_as_the_file_says(site, ending):
    write(site, ending, FRAME, in_cp1252)
    (told,) = site.read(people(ending)).quarantine.to_dict("records")
    assert told["rule"] == "wrong-encoding" and "`encoding`" in told["remedy"]
    read = site.read(people(ending, encoding="cp1252"))
    assert read.clients["therapist"].nunique() == 1 and not stopped(read)


def test_a_latin_1_file_of_sas(site):
    write(site, "xpt", FRAME, in_cp1252)
    read = site.read(people("xpt", encoding="latin-1"))
    assert len(read.clients) == 2 and not stopped(read)


def test_an_apostrophe_of_windows_in_a_file_of_sas(site):
    frame = FRAME.assign(th=["O'Hara", "O'Hara"])
    write(site, "xpt", frame, lambda data: data.replace(b"O'Hara", b"O\x92Hara"))
    assert stopped(site.read(people("xpt"))) == {"wrong-encoding"}
    assert not stopped(site.read(people("xpt", encoding="cp1252")))


def test_value_labels_in_another_encoding(site):
    labels = {"arm": {1: "Müller", 2: "other"}}
    write(site, "sav", FRAME.assign(th="T"), in_cp1252, variable_value_labels=labels)
    assert stopped(site.read(people("sav"))) == {"wrong-encoding"}
    read = site.read(people("sav", encoding="cp1252"))
    assert "Müller" in {text.strip() for text in read.clients["arm"]}


def test_utf8_that_was_read_as_windows(site):
    write(site, "dta", FRAME)
    (told,) = site.read(people("dta", encoding="cp1252")).quarantine.to_dict("records")
    assert told["rule"] == "wrong-encoding" and "utf-8" in told["remedy"]


def test_several_declared_missing_values(site):
    frame = pd.DataFrame({"id": ["P1"] * 4, "nr": [1.0, 2, 3, 4], "wai1": [1.0, 97, 98, 99]})
    frame = frame.assign(wai2=2.0, wai3=3.0)
    ranges = {"wai1": [97, 98, 99]}
    write(site, "sav", frame, missing_ranges=ranges)
    read = site.read({**TOY, "file": "toy.sav"})
    assert read.quarantine.empty and len(read.responses) == 9


def test_negative_codes_that_nobody_declared_missing(site):
    codes = [-5.0, -2, -1, -5, -2, -1, -2, -1]
    frame = pd.DataFrame({"id": [f"P{i // 2}" for i in range(80)], "nr": [1.0, 2] * 40})
    frame = frame.assign(wai1=[*codes, *([1.0, 3, 5, 2] * 18)], wai2=2.0, wai3=[1.0, 5] * 40)
    write(site, "dta", frame)
    found = site.read({**TOY, "file": "toy.dta", "missing": [-5, -2, -1]})
    assert found.quarantine.empty
    told = site.read({**TOY, "file": "toy.dta"})
    assert rules(told) & {"missing-code", "out-of-range"}


def test_a_letter_for_a_missing_value(site):
    frame = pd.DataFrame({"id": ["P1", "P1"], "nr": [1.0, 2], "wai2": 2.0, "wai3": 3.0})
    frame["wai1"] = pd.Series([1, "a"], dtype=object)
    write(site, "dta", frame, missing_user_values={"wai1": ["a"]})
    assert len(site.read({**TOY, "file": "toy.dta"}).responses) == 5


def test_a_time_late_at_night_stays_on_its_day(site):
    moments = pd.to_datetime(["2024-03-01 23:30:00", "2024-03-08 00:15:00"])
    frame = pd.DataFrame(
        {"id": ["P1", "P1"], "day": moments, "wai1": 1.0, "wai2": 2.0, "wai3": 3.0}
    )
    write(site, "sav", frame)
    table = {**TOY, "file": "toy.sav", "session": {"order_by": ["day"]}}
    read = site.read({**table, "session_facts": {"date": "day"}})
    assert read.sessions["weeks_since_intake"].tolist() == [0, 1]


def test_codes_with_one_value_label(site):
    labels = {"arm": {1: "Therapy", 2: "Therapy"}}
    write(site, "sav", FRAME.assign(th="T"), variable_value_labels=labels)
    assert stopped(site.read(people("sav"))) == {"label-shared"}


# Workbooks


def book(site, rows, change=lambda sheet: None):
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    change(workbook.active)
    workbook.save(site.raw / "toy.xlsx")


HEAD = ["id", "nr", "wai1", "wai2", "wai3"]


def test_a_code_of_text_keeps_its_zero(site):
    book(site, [HEAD, *([own, n, 1, 2, 3] for own in ("02", 2) for n in (1, 2))])
    read = site.read({**TOY, "file": "toy.xlsx"})
    assert len(read.clients) == 2 and rules(read) == {"look-alike-id"}


def test_a_row_that_is_hidden(site):
    def hide(sheet):
        sheet.row_dimensions[2].hidden = True

    book(site, [HEAD, ["P1", 1, 1, 2, 3], ["P1", 2, 1, 2, 3]], hide)
    read = site.read({**TOY, "file": "toy.xlsx"})
    assert rules(read) == {"hidden-row"} and len(read.responses) == 6


def test_a_formula_that_was_never_worked_out(site):
    book(site, [HEAD, ["P1", 1, "=1+1", 2, 3], ["P1", 2, 1, 2, 3]])
    assert stopped(site.read({**TOY, "file": "toy.xlsx"})) == {"formula-without-value"}


def test_times_without_a_day(site):
    times = [datetime.time(14, 30), datetime.time(9, 5), datetime.time(23, 59, 59)]
    rows = [["P1", datetime.date(2024, 3, 1), t, i, 1, 1] for i, t in enumerate(times, 1)]
    book(site, [["id", "day", "clock", "wai1", "wai2", "wai3"], *rows])
    read = site.read({**TOY, "file": "toy.xlsx", "session": {"order_by": ["day", "clock"]}})
    assert read.responses.query("item == 1")["value"].tolist() == [2, 1, 3]


def test_a_column_whose_name_is_a_date(site):
    book(site, [[*HEAD, datetime.datetime(2024, 1, 12)], *(["P1", n, 1, 2, 3, 4] for n in (1, 2))])
    read = site.read({**TOY, "file": "toy.xlsx", "keep_rows": {"2024-01-12": [4]}})
    assert len(read.responses) == 6


def test_a_blank_that_does_not_break(site):
    book(site, [HEAD, *(["P1", n, "1\u00a0", "2\u00a0", 3] for n in (1, 2))])
    read = site.read({**TOY, "file": "toy.xlsx"})
    assert read.quarantine.empty and read.responses["value"].tolist() == [1, 2, 3] * 2


# Delimited text: ids, dates, keys


def test_ids_that_a_program_turns_into_something_else(site):
    ids = ["1-1-19", "T00370201", "None", "001", "1e5", "NA"]
    site.csv("toy.csv", HEADER + "".join(f'"{own}",{n},1,2,3\n' for own in ids for n in (1, 2)))
    read = site.read(TOY)
    assert len(read.clients) == len(ids) and read.quarantine.empty


def test_a_join_on_codes_with_leading_zeros(site):
    site.csv("toy.csv", "visit,wai1,wai2,wai3\n01001,1,2,3\n01002,1,2,3\n")
    site.csv("visits.csv", 'v,id,nr\n"01001",P1,1\n"01002",P1,2\n')
    join = [{"file": "visits.csv", "by": {"visit": "v"}, "take": ["id", "nr"]}]
    read = site.read({**TOY, "join": join})
    assert read.quarantine.empty and len(read.sessions) == 2


def test_a_join_on_keys_with_blanks(site):
    site.csv("toy.csv", "visit,wai1,wai2,wai3\n v1,1,2,3\nv2 ,1,2,3\n")
    site.csv("visits.csv", "v,id,nr\nv1,P1,1\nv2,P1,2\n")
    join = [{"file": "visits.csv", "by": {"visit": "v"}, "take": ["id", "nr"]}]
    assert site.read({**TOY, "join": join}).quarantine.empty


@pytest.mark.parametrize("style", ["dd/mm/yyyy", "mm/dd/yyyy"])
def test_day_and_month_go_by_what_the_site_says(site, style):
    days = [f"{d:02}/01/2024" for d in (1, 8, 15, 22, 29)] * 8
    lines = [f"P{i // 5},{i % 5 + 1},1,2,3,{day}\n" for i, day in enumerate(days)]
    site.csv("toy.csv", HEADER.strip() + ",day\n" + "".join(lines))
    read = site.read({**TOY, "dates": style, "session_facts": {"date": "day"}})
    if style == "dd/mm/yyyy":
        assert read.quarantine.empty and read.sessions["weeks_since_intake"].max() == 4
    else:
        assert "column-unreadable" in stopped(read)


def test_an_id_with_a_blank_at_its_end(site):
    site.csv("toy.csv", HEADER + twice(1, 2, 3) + "P1 ,3,1,2,3\nP1 ,4,1,2,3\n")
    read = site.read(TOY)
    assert len(read.clients) == 2 and rules(read) == {"look-alike-id"}
    assert len(site.read(TOY, same_as={"client": {"P1 ": "P1"}}).clients) == 1


def test_ids_with_a_sign_that_nobody_sees(site):
    lines = [
        f"P{i}{odd},{n},T{odd},1,2,3\n" for i in range(10) for n, odd in ((1, ""), (2, "\u200b"))
    ]
    site.csv("toy.csv", "id,nr,th,wai1,wai2,wai3\n" + "".join(lines))
    read = site.read({**TOY, "client_facts": {"therapist": "th"}})
    told = read.quarantine.query("rule == 'look-alike-id'")
    assert len(read.clients) == 20 and set(told["column"]) == {"id", "th"}
    assert told["expected"].str.contains("invisible signs").all()


def test_a_name_that_a_mac_decomposed(site):
    site.csv("Scha\u0308fer.csv", HEADER + twice(1, 2, 3))
    read = site.read({**TOY, "file": "Sch\u00e4fer.csv"})
    assert len(read.responses) == 6 and rules(read) <= {"look-alike-name"}


def test_a_link_whose_content_is_not_here(site):
    (site.raw / "toy.csv").symlink_to("../.git/annex/objects/qF/8V/MD5E-s1896--4.csv")
    (told,) = site.read(TOY).quarantine.to_dict("records")
    assert "a link whose content is not here" in told["expected"] and "get" in told["remedy"]


# How answers are stored


def form(site, key, measure, rows):
    names = [f"x{i + 1}" for i in range(KEYS[key].n_items)]
    lines = [["id", "nr", *names], *rows]
    site.csv("toy.csv", text_of(lines))
    measures = {"symptoms": {"items": "x{item}", **measure}}
    return site.read({**TOY, "measures": measures}, keys={"symptoms": KEYS[key]})


def test_the_printed_options_of_two_items(site):
    answers = ["1"] * 21
    answers[15], answers[17] = "2b", "3a"
    read = form(site, "bdi-ii", {}, [["P1", n, *answers] for n in (1, 2)])
    values = read.responses.set_index("item")["value"]
    assert read.quarantine.empty and (values[16] == 2).all() and (values[18] == 3).all()


def test_the_numbered_options_of_two_items(site):
    rows = [[f"P{i}", n, *[(i + k) % 4 for k in range(15)], i % 7, 1, i % 7, 0, 1, 2]
            for i in range(14) for n in (1, 2)]  # fmt: skip
    assert "item-on-another-scale" in stopped(form(site, "bdi-ii", {}, rows))
    codes = {str(n): (n + 1) // 2 for n in range(7)}
    read = form(site, "bdi-ii", {"codes_by_item": {"16": codes, "18": codes}}, rows)
    assert read.quarantine.empty and read.responses["value"].max() == 3


def test_a_form_counted_from_one(site):
    rows = [[f"P{i}", n, *[1 + (i + k) % 4 for k in range(9)]] for i in range(12) for n in (1, 2)]
    assert "scale-shifted" in stopped(form(site, "phq-9", {}, rows))
    read = form(site, "phq-9", {"stored_as": [1, 4]}, rows)
    assert read.quarantine.empty and set(read.responses["value"]) == {0, 1, 2, 3}


def test_a_form_that_was_reversed_before_the_export(site):
    key = KEYS["wai-s-c"]
    low, high = key.range_of(1)
    read = form(
        site, "wai-s-c", {"already_reversed": True}, [["P1", n, *[low] * 12] for n in (1, 2)]
    )
    values = read.responses.set_index("item")["value"]
    assert (values[list(key.reverse)] == high).all() and values.drop(list(key.reverse)).eq(
        low
    ).all()


def test_numbers_for_missing_that_nobody_declared(site):
    lines = [f"P{i},{n},{[-99, -77, 1, 2, 3][(i + n) % 5]},2,{1 + i % 5}\n"
             for i in range(20) for n in (1, 2)]  # fmt: skip
    site.csv("toy.csv", HEADER + "".join(lines))
    told = site.read(TOY).quarantine.query("rule == 'missing-code'")
    assert "`missing: [-99, -77]`" in told["remedy"].item()
    assert site.read({**TOY, "missing": [-99, -77]}).quarantine.empty
