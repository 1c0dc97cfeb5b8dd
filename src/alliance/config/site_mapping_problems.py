"""What a site's mapping must fulfil beyond its schema: keys that agree, patterns with a place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from alliance.config.formats import DELIMITED
from alliance.config.site_mapping import (
    END_STATUS,
    completed_fact,
    completed_measure,
    declared_format,
)
from alliance.config.strict_yaml import Document, KeyPath, Problem

# Which keys of a table's file go with some formats only, and what is said of the others.
_KEYS_BY_FORMAT = {
    "sheet": (("excel",), "only a workbook has sheets"),
    "header_row": ((*DELIMITED, "excel"), "this kind of file has no header row"),
    "skip_after_header": (("csv", "excel"), "only a CSV file or a workbook has this"),
    "delimiter": (DELIMITED, "only a CSV file has this"),
    "quote": (DELIMITED, "only a CSV file has this"),
    "encoding": (
        (*DELIMITED, "sav", "stata", "sas"),
        "only a CSV file and a file of SPSS, Stata or SAS has this",
    ),
    "dictionary": (("redcap",), "goes with format: redcap only"),
    "header": (("redcap", "limesurvey"), "goes with format: redcap or limesurvey only"),
    "cells": (("redcap",), "goes with format: redcap only"),
}
_HEADERS = {"redcap": ("names", "labels"), "limesurvey": ("names", "names_and_labels")}
_OWN_NAMES = ("site", "client", "session", "attended", "weeks_since_intake", "log_weeks",
              "sqrt_weeks", "days_since_intake", "log_session", "sqrt_session", "after_knot",
              "last_session", "dropout_event", "end_cause")  # fmt: skip
_OWN_BEGINNING = "dropout_by_"  # of a column for each definition of dropout
_BRACES = re.compile(r"\{([^{}]*)\}")


def mapping_problems(mapping: Document) -> list[Problem]:
    """Return what the schema cannot see: keys that do not go together, patterns without a place."""
    problems: list[Problem] = []
    tables = mapping.content["tables"]
    for i, table in enumerate(tables):
        found = [
            *_source_problems(table),
            *_join_problems(table),
            *_row_problems(table),
            *_pattern_problems(table),
            *_fact_problems(table),
        ]
        problems += [mapping.problem(("tables", i, *place), text) for place, text in found]
    types: dict[str, str] = {}
    for i, table in enumerate(tables):
        for name, fact in table.get("client_facts", {}).items():
            kind = completed_fact(name, fact)["type"]
            if types.setdefault(name, kind) != kind:
                place = ("tables", i, "client_facts", name)
                problems.append(mapping.problem(place, f"is a {types[name]} in another table"))
    problems += [mapping.problem(place, text) for place, text in _therapist_problems(tables)]
    same_as = mapping.content.get("same_as", {})
    problems += [mapping.problem(place, text) for place, text in _spelling_problems(same_as)]
    return problems


Found = Iterator[tuple[KeyPath, str]]


def _source_problems(table: Mapping[str, Any]) -> Found:
    for key in ("file", "dictionary"):
        if any(part.startswith(".") for part in table.get(key, "").split("/")):
            yield (key,), "must lie in the site's own folder"
    kind = declared_format(table)
    if kind is None:
        told = "the ending does not tell the format; add format: csv, excel, sav, stata, sas,"
        yield ("file",), f"{told} parquet, redcap, qualtrics or limesurvey"
        return
    for key, (kinds, told) in _KEYS_BY_FORMAT.items():
        if key in table and kind not in kinds:
            yield (key,), told
    if kind not in DELIMITED and (
        table.get("encoding") == "utf-16"
        or ("encoding" in table and ".por" in table["file"].lower())
    ):
        yield ("encoding",), "this kind of file cannot have it"
    if "member" in table and not table["file"].lower().endswith(".zip"):
        yield ("member",), "only a zip file has members"
    yield from _label_problems(table, kind)
    if table.get("delimiter") in ('"', "'", "\n", "\r", " "):
        yield ("delimiter",), "this sign cannot stand between columns"


def _label_problems(table: Mapping[str, Any], kind: str) -> Found:
    header = table.get("header", "names")
    if header not in _HEADERS.get(kind, (header,)):
        yield ("header",), f"must be {' or '.join(_HEADERS[kind])} with format: {kind}"
    for key in ("header", "cells"):
        if kind == "redcap" and table.get(key) == "labels" and "dictionary" not in table:
            yield (key,), "labels need the key dictionary: the project's data dictionary"


def _join_problems(table: Mapping[str, Any]) -> Found:
    for i, joined in enumerate(table.get("join", [])):
        for place, text in _source_problems(joined):
            yield ("join", i, *place), text


def _therapist_problems(tables: list[Mapping[str, Any]]) -> Found:
    """Yield where a therapist is told twice: of the client, and of each session."""
    of_client = any("therapist" in table.get("client_facts", {}) for table in tables)
    for i, table in enumerate(tables):
        if of_client and "therapist" in table.get("session_facts", {}):
            told = "the therapist stands in client_facts too; say it once, of the client or of each"
            yield ("tables", i, "session_facts", "therapist"), f"{told} session"


def _spelling_problems(same_as: Mapping[str, Mapping[str, str]]) -> Found:
    """Yield spellings that are declared the same as one that is declared the same as a third."""
    for kind, spellings in same_as.items():
        for i, kept in enumerate(spellings.values(), 1):
            if kept in spellings:  # the ids themselves are not told
                told = f"the second spelling of line {i} stands before the colon in another line;"
                yield ("same_as", kind), f"{told} give the spelling that is kept in both"


def _row_problems(table: Mapping[str, Any]) -> Found:
    rows, measures = table["rows"], table.get("measures", {})
    if rows == "client" and "session" in table:
        yield ("session",), "with rows: client the session stands in the column names: {session}"
    if rows != "client" and "session" not in table:
        yield ("rows",), f"with rows: {rows} the key session is needed"
    if rows != "client" and table.get("rows_repeat"):
        yield ("rows_repeat",), "goes with rows: client only"
    if table.get("rows_repeat") and (measures or table.get("session_facts")):
        yield ("rows_repeat",), "a log of clients has no measures and no session_facts"
    if "every_client" in table and (rows != "client" or table.get("rows_repeat")):
        yield ("every_client",), "goes with rows: client only, and not with rows_repeat"
    yield from _answer_problems(table)
    yield from _session_problems(table.get("session"))
    times = [key for key in ("date", "day", "week") if key in table.get("session_facts", {})]
    if len(times) > 1:
        yield ("session_facts",), f"give one of {', '.join(times)}"


def _answer_problems(table: Mapping[str, Any]) -> Found:
    """What only a table with a row for each answer has and needs."""
    measures = table.get("measures", {})
    if table["rows"] != "answer":
        for key in ("form", "item", "answer", "ignore_forms"):
            if key in table:
                yield (key,), "goes with rows: answer only"
        return
    for key in ("item", "answer"):
        if key not in table:
            yield ("rows",), f"with rows: answer the key {key} is needed"
    if not measures:
        yield ("rows",), "with rows: answer the key measures is needed"
    if "form" not in table and len(measures) > 1:
        yield ("measures",), "several measures need the key form, to tell them apart"
    if isinstance(table.get("session"), dict) and "order_by" in table["session"]:
        told = "order_by does not go with rows: answer; number the sessions by_date"
        yield ("session",), told


def _session_problems(session: Any) -> Found:
    if not isinstance(session, dict):
        return
    if "pattern" in session and "codes" in session:
        yield ("session",), "give a pattern or codes, not both"
    if any(
        not float(number).is_integer() or number < 1 for number in session.get("codes", {}).values()
    ):
        yield ("session", "codes"), "session numbers are whole and count from 1"


def _pattern_problems(table: Mapping[str, Any]) -> Found:
    rows = table["rows"]
    session = table.get("session")
    if isinstance(session, dict) and "pattern" in session:
        yield from _braces(("session", "pattern"), session["pattern"], {"session"})
    for name, fact in table.get("session_facts", {}).items():
        column = fact["column"] if isinstance(fact, dict) else fact
        yield from _braces(
            ("session_facts", name), column, {"session"} if rows == "client" else set()
        )
    for name, measure in table.get("measures", {}).items():
        here: KeyPath = ("measures", name)
        if rows == "answer":
            yield from _measure_by_answers(here, completed_measure(measure), "form" in table)
        else:
            yield from _measure_in_columns(here, measure, rows)


def _measure_by_answers(here: KeyPath, full: Mapping[str, Any], several: bool) -> Found:
    """How a measure is told where every answer is a row; `several` forms stand in one table."""
    if full["items"] is not None or full["items_at"] is not None:
        yield here, "with rows: answer the items stand in the column that `item` names"
    if full["recorded_total"] is not None:
        yield here, "recorded_total does not go with rows: answer"
    if several and full["form"] is None:
        yield here, "the key form is missing: this measure's text in the form column"


def _measure_in_columns(here: KeyPath, measure: Mapping[str, Any], rows: str) -> Found:
    """How a measure is told where every item has a column."""
    full = completed_measure(measure)
    if full["codes"] and full["stored_as"]:
        yield (*here, "stored_as"), "give codes or stored_as: codes name the form's own numbers"
    if full["form"] is not None:
        yield here, "the key form goes with rows: answer only"
    if full["total"] is not None:
        yield from _total_problems(here, measure, rows)
        return
    if (full["items"] is None) == (full["items_at"] is None):
        yield here, "give one of items, items_at and total"
    if full["items_at"] is not None and rows != "session":
        yield (*here, "items_at"), "goes with rows: session only"
    if full["items_at"] is not None and len(set(full["items_at"])) < len(full["items_at"]):
        yield (*here, "items_at"), "a column stands twice in the list"
    yield from _item_problems((*here, "items"), full["items"], rows)
    if rows == "session" and full["sessions"] is not None:
        yield (*here, "sessions"), "goes with rows: client only"
    if full["recorded_total"] is not None:
        wanted = {"session"} if rows == "client" else set()
        yield from _braces((*here, "recorded_total"), full["recorded_total"], wanted)


def _total_problems(here: KeyPath, measure: Mapping[str, Any], rows: str) -> Found:
    total = measure["total"]
    for key in ("items", "items_at", "sessions", "codes", "recorded_total"):
        if key in measure:
            yield (*here, key), "does not go with total, which stands for a whole form"
    if isinstance(total, str):
        yield from _braces((*here, "total"), total, {"session"} if rows == "client" else set())
    elif rows == "session":
        yield (*here, "total"), "with rows: session give one column"
    else:
        for session in total:
            if not re.fullmatch(r"[1-9][0-9]{0,4}", session):
                yield (*here, "total", session), "must be a session number"


def _item_problems(here: KeyPath, items: Any, rows: str) -> Found:
    if isinstance(items, str):
        yield from _braces(here, items, {"session", "item"} if rows == "client" else {"item"})
    elif isinstance(items, list) and rows == "client":
        yield here, "with rows: client give a pattern, or the columns of each session number"
    elif isinstance(items, list) and len(set(items)) < len(items):
        yield here, "a column stands twice in the list"
    elif isinstance(items, dict) and rows == "session":
        yield here, "with rows: session give a pattern or one list of columns"
    elif isinstance(items, dict):
        for session, columns in items.items():
            if not re.fullmatch(r"[1-9][0-9]{0,4}", session):
                yield (*here, session), "must be a session number"
            if isinstance(columns, str):
                yield from _braces((*here, session), columns, {"item"})


def _braces(here: KeyPath, text: str, wanted: set[str]) -> Found:
    found = _BRACES.findall(text)
    if sorted(found) != sorted(wanted):
        places = " and ".join("{" + word + "}" for word in sorted(wanted)) or "no {...}"
        yield here, f"the column name must hold {places}, once each"


def _fact_problems(table: Mapping[str, Any]) -> Found:
    for name, fact in table.get("client_facts", {}).items():
        here: KeyPath = ("client_facts", name)
        full = completed_fact(name, fact)
        if name in _OWN_NAMES or name.startswith(_OWN_BEGINNING):
            yield here, "this name is used for a column of ours; choose another"
        kind = full["type"]
        yield from _box_problems(here, name, full)
        if isinstance(fact, dict) and fact.get("type", kind) != kind:
            yield (*here, "type"), f"{name} is always a {kind}"
        yield from _code_problems(here, name, full)
        if kind == "date" and name != "intake_date":
            yield (*here, "type"), "only intake_date is a date (dates never leave the intake)"


def _box_problems(here: KeyPath, name: str, full: Mapping[str, Any]) -> Found:
    if full["boxes"] and (full["type"] != "category" or name == "therapist"):
        yield (*here, "boxes"), "ticked boxes tell a category, nothing else"
    for box, word in (full["boxes"] or {}).items():
        if name == "end_status" and word not in END_STATUS:
            yield (*here, "boxes", box), f"must be one of {', '.join(END_STATUS)}"


def _code_problems(here: KeyPath, name: str, full: Mapping[str, Any]) -> Found:
    if full["codes"] and full["type"] == "date":
        yield (*here, "codes"), "a date has no codes"
    if full["others"] == "blank" and not full["codes"]:
        yield (*here, "others"), "goes with codes only"
    for text, word in (full["codes"] or {}).items():
        if full["type"] == "number" and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", word):
            yield (*here, "codes", text), "must be a number"
        if name == "end_status" and word not in END_STATUS:
            yield (*here, "codes", text), f"must be one of {', '.join(END_STATUS)}"
