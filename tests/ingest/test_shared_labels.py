"""A label that two fields or two answers share tells neither; where it is needed the run stops."""

import csv
import io

import pandas as pd
import pyreadstat
import pytest

DICTIONARY = ["Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
              "Choices, Calculations, OR Slider Labels", "Field Note"]  # fmt: skip
STEPS = "1, Never | 2, Rarely | 3, Sometimes | 4, Often | 5, Always"
SAME = "1, Never | 2, - | 3, - | 4, - | 5, Always"
LABELS = {"format": "redcap", "dictionary": "dictionary.csv", "header": "labels", "cells": "labels"}


def text_of(rows):
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()


def dictionary(*fields):
    rows = [[name, "form", "", kind, label, choices, ""] for name, kind, label, choices in fields]
    return text_of([DICTIONARY, ["rid", "form", "", "text", "Record ID", "", ""], *rows])


def two_views(site, columns, labels=("We agree", "I trust", "We like"), choices=STEPS):
    """A project in which client and therapist answer forms that are worded alike."""
    fields = [("nr", "text", "Session", "")]
    fields += [(f"wai_{i + 1}", "radio", label, choices) for i, label in enumerate(labels)]
    fields += [(f"wat_{i + 1}", "radio", label, choices) for i, label in enumerate(labels)]
    fields += [("hint", "descriptive", labels[0], "")]
    site.csv("dictionary.csv", dictionary(*fields))
    rows = [["Record ID", "Session", *columns]]
    rows += [[f"P{i}", n, *(["Often"] * len(columns))] for i in range(4) for n in (1, 2)]
    site.csv("toy.csv", text_of(rows))


TABLE = {"file": "toy.csv", **LABELS, "rows": "session", "client": "rid", "session": "nr"}


def stops(read):
    found = read.quarantine
    return found[(found["rule"] == "label-shared") & (found["action"] == "stopped")]


@pytest.mark.parametrize("n_forms", [1, 2])
def test_fields_that_share_their_label_stop(site, n_forms):
    two_views(site, ["We agree", "I trust", "We like"] * n_forms)
    read = site.read({**TABLE, "measures": {"alliance": "wai_{item}"}})
    (told,) = stops(read).to_dict("records")
    assert "wai_1 = wat_1" in told["expected"] and "raw data" in told["remedy"]
    assert len(read.responses) == 0


def test_a_shared_label_that_nobody_reads_is_no_problem(site):
    two_views(site, ["We agree", "I trust", "We like"], labels=("A", "B", "C"))
    site.csv(
        "dictionary.csv",
        dictionary(
            ("nr", "text", "Session", ""),
            *((f"wai_{i + 1}", "radio", f"Own {i + 1}", STEPS) for i in range(3)),
            ("x", "text", "Note", ""), ("y", "text", "Note", ""), ("z", "descriptive", "Own 1", ""),
        ),
    )  # fmt: skip
    rows = [["Record ID", "Session", "Note", "Own 1", "Own 2", "Own 3", "Note"]]
    rows += [["P1", n, "a", "Never", "Often", "Always", "b"] for n in (1, 2)]
    site.csv("toy.csv", text_of(rows))
    read = site.read({**TABLE, "measures": {"alliance": "wai_{item}"}})
    assert read.quarantine.empty
    assert read.responses["value"].tolist() == [1, 4, 5] * 2


def test_a_field_that_is_called_like_a_column_of_redcap_stops(site):
    site.csv("dictionary.csv", dictionary(("ev", "text", "Event Name", "")))
    site.csv("toy.csv", "Record ID,Event Name\nP1,Session 1\n")
    session = {"column": "redcap_event_name", "pattern": "Session {session}"}
    assert len(stops(site.read({**TABLE, "session": session}))) == 1


def test_answers_that_share_their_label_stop_where_they_occur(site):
    two_views(site, ["A", "B", "C"], labels=("A", "B", "C"), choices=SAME)
    fields = [("nr", "text", "Session", "")]
    fields += [(f"wai_{i + 1}", "radio", "ABC"[i], SAME) for i in range(3)]
    site.csv("dictionary.csv", dictionary(*fields))
    for cells, n in ((["Never", "-", "Always"], 1), (["Never", "Always", "Never"], 0)):
        rows = [["Record ID", "Session", "A", "B", "C"]]
        rows += [[f"P{i}", n, *cells] for i in range(4) for n in (1, 2)]
        site.csv("toy.csv", text_of(rows))
        read = site.read({**TABLE, "measures": {"alliance": "wai_{item}"}})
        told = stops(read)
        assert told["column"].tolist() == ["wai_2"] * n
        assert told["rows_affected"].tolist() == [8] * n
        assert all("2, 3, 4" in text for text in told["expected"])


def test_boxes_that_share_their_label_stop(site):
    site.csv("dictionary.csv", dictionary(("g", "checkbox", "Arm", "1, Other | 2, Other | 3, CBT")))
    site.csv("toy.csv", "Record ID,Arm (choice=Other),Arm (choice=CBT)\nP1,Checked,Unchecked\n")
    boxes = {"arm": {"boxes": {"g___1": "waiting", "g___3": "cbt"}}}
    table = {"file": "toy.csv", **LABELS, "rows": "client", "client": "rid", "client_facts": boxes}
    assert "g___1 = g___2" in stops(site.read(table))["expected"].item()


@pytest.mark.parametrize("ending", ["sav", "dta"])
def test_value_labels_that_are_shared_stop_unless_codes_name_the_numbers(site, ending):
    frame = pd.DataFrame({"id": [f"P{i}" for i in range(6)], "arm": [1.0, 2, 3] * 2})
    labels = {"arm": {1: "Therapy", 2: "Therapy", 3: "Waiting list"}}
    write = {"sav": pyreadstat.write_sav, "dta": pyreadstat.write_dta}[ending]
    write(frame, str(site.raw / f"toy.{ending}"), variable_value_labels=labels)
    table = {"file": f"toy.{ending}", "rows": "client", "client": "id"}
    for codes in (None, {"Therapy": "t", "Waiting list": "w"}):
        fact = {"column": "arm"} | ({"codes": codes} if codes else {})
        told = stops(site.read({**table, "client_facts": {"arm": fact}}))
        assert "the codes 1, 2" in told["expected"].item() and "{1:" in told["remedy"].item()
    fact = {"column": "arm", "codes": {1: "a", 2: "b", 3: "w"}}
    read = site.read({**table, "client_facts": {"arm": fact}})
    assert stops(read).empty and sorted(read.clients["arm"]) == ["a", "a", "b", "b", "w", "w"]


def test_a_sign_that_stands_for_several_answers_stops(site):
    """Qualtrics, exported with choice texts, of a scale that has words at its ends only."""
    site.csv("toy.csv", "id,nr,wai1,wai2,wai3\n" + "P1,1,Never,-,Always\nP1,2,-,-,Always\n")
    codes = {"Never": 1, "-": 2, "Always": 5}
    table = {"file": "toy.csv", "rows": "session", "client": "id", "session": "nr"}
    read = site.read({**table, "measures": {"alliance": {"items": "wai{item}", "codes": codes}}})
    assert "3 of the 5 answers" in stops(read)["expected"].item()
    site.csv(
        "toy.csv", "id,nr,wai1,wai2,wai3\n" + "P1,1,Never,Often,Often\nP1,2,Often,Never,Never\n"
    )
    codes = {"Never": 1, "Often": 4}
    read = site.read({**table, "measures": {"alliance": {"items": "wai{item}", "codes": codes}}})
    assert read.quarantine["rule"].tolist() == ["codes-leave-gaps"]
