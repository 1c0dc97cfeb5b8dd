"""What a site's mapping must fulfil beyond its schema, and its full form.

The full form (`completed_mapping`) is what `alliance.ingest` reads: every default in its place,
every shorthand spelt out, texts of the file as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from alliance.strict_yaml import Document, KeyPath, Problem

END_STATUS = ("dropout", "completed", "transferred", "ongoing")
FORMAT_BY_ENDING = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv",
    ".xlsx": "excel", ".xls": "excel", ".xlsm": "excel", ".ods": "excel",
    ".sav": "sav", ".zsav": "sav", ".por": "sav", ".dta": "stata",
    ".sas7bdat": "sas", ".xpt": "sas", ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip
PACKED = (".gz", ".zip")
# Formats that are delimited text, with or without the habits of a program.
DELIMITED = ("csv", "redcap", "qualtrics", "limesurvey")
# Which keys of a table's file go with some formats only, and what is said of the others.
_KEYS_BY_FORMAT = {
    "sheet": (("excel",), "only a workbook has sheets"),
    "header_row": ((*DELIMITED, "excel"), "this kind of file has no header row"),
    "skip_after_header": (("csv", "excel"), "only a CSV file or a workbook has this"),
    "delimiter": (DELIMITED, "only a CSV file has this"),
    "quote": (DELIMITED, "only a CSV file has this"),
    "encoding": (DELIMITED, "only a CSV file has this"),
    "dictionary": (("redcap",), "goes with format: redcap only"),
    "header": (("redcap", "limesurvey"), "goes with format: redcap or limesurvey only"),
    "cells": (("redcap",), "goes with format: redcap only"),
}
_HEADERS = {"redcap": ("names", "labels"), "limesurvey": ("names", "names_and_labels")}
FACT_TYPES = {"sessions_planned": "number", "intake_date": "date"}
_OWN_NAMES = ("site", "client", "session", "attended", "weeks_since_intake", "log_weeks",
              "last_session", "dropout_event")  # fmt: skip
_BRACES = re.compile(r"\{([^{}]*)\}")


def format_of(file: str) -> str | None:
    """Return the format that a file's ending tells (`.gz` and `.zip` aside), or None."""
    return FORMAT_BY_ENDING.get(PurePosixPath(_unpacked_name(file)).suffix)


def _unpacked_name(file: str) -> str:
    name = file.lower()
    for ending in PACKED:
        name = name.removesuffix(ending)
    return name


def _format(table: Mapping[str, Any]) -> str | None:
    """Return a table's format: declared, or told by the ending of the file or the zip's member."""
    given: str | None = table.get("format")
    return given or format_of(table["file"]) or format_of(table.get("member", ""))


def completed_mapping(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with every default filled in and every shorthand spelt out."""
    return {
        "site": content["site"],
        "title": content.get("title", content["site"]),
        "tables": [_completed_table(table) for table in content["tables"]],
    }


def _completed_table(table: Mapping[str, Any]) -> dict[str, Any]:
    rows = table["rows"]
    site = table.get("site")
    return {
        **_completed_source(table),
        "rows": rows,
        "rows_repeat": table.get("rows_repeat", False),
        "keep_rows": {column: _texts(kept) for column, kept in table.get("keep_rows", {}).items()},
        "site": {"prefix": "", **({"column": site} if isinstance(site, str) else site)}
        if site
        else None,
        "client": table["client"],
        "session": _completed_session(table.get("session")),
        "form": table.get("form"),
        "item": table.get("item"),
        "answer": table.get("answer"),
        "ignore_forms": _texts(table.get("ignore_forms", [])),
        "client_facts": {
            name: _completed_fact(name, fact)
            for name, fact in table.get("client_facts", {}).items()
        },
        "session_facts": _completed_session_facts(table.get("session_facts", {})),
        "measures": {
            name: _completed_measure(measure) for name, measure in table.get("measures", {}).items()
        },
    }


def _completed_source(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a table's entry says of its file."""
    file = table["file"]
    is_tsv = any(_unpacked_name(name).endswith(".tsv") for name in (file, table.get("member", "")))
    return {
        "file": file,
        "member": table.get("member"),
        "format": _format(table),
        "sheet": table.get("sheet"),
        "header_row": table.get("header_row", 1),
        "skip_after_header": table.get("skip_after_header", 0),
        "n_rows": table.get("n_rows"),
        "delimiter": table.get("delimiter", "\t" if is_tsv else ","),
        "quote": table.get("quote", '"'),
        "encoding": table.get("encoding", "utf-8"),
        "decimal": table.get("decimal", "."),
        "dates": table.get("dates", "yyyy-mm-dd"),
        "missing": _texts(table.get("missing", [])),
        "dictionary": table.get("dictionary"),
        "header": table.get("header", "names"),
        "cells": table.get("cells", "codes"),
    }


def _completed_session(session: Any) -> dict[str, Any] | None:
    if session is None:
        return None
    given: Mapping[str, Any] = {"column": session} if isinstance(session, str) else session
    return {
        "column": given.get("column"),
        "pattern": given.get("pattern"),
        "codes": given.get("codes"),
        "about_client": _texts(given.get("about_client", [])),
        "ignore": _texts(given.get("ignore", [])),
        "order_by": given.get("order_by", []),
    }


def _completed_fact(name: str, fact: Any) -> dict[str, Any]:
    given: Mapping[str, Any] = {"column": fact} if isinstance(fact, str) else fact
    codes = given.get("codes")
    return {
        "column": given["column"],
        "type": FACT_TYPES.get(name) or given.get("type", "category"),
        "codes": {text: _text(word) for text, word in codes.items()} if codes else None,
        "others": given.get("others", "problem"),
    }


def _completed_session_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    completed: dict[str, Any] = dict(facts)
    if "attended" in facts:
        attended = facts["attended"]
        completed["attended"] = {**attended, "attended": _texts(attended["attended"])}
    return completed


def _completed_measure(measure: Any) -> dict[str, Any]:
    given: Mapping[str, Any] = {"items": measure} if isinstance(measure, str) else measure
    form = given.get("form")
    return {
        "items": given.get("items"),
        "items_at": letter_positions(given["items_at"]) if "items_at" in given else None,
        "sessions": given.get("sessions"),
        "codes": given.get("codes"),
        "form": None if form is None else _text(form),
        "recorded_total": given.get("recorded_total"),
    }


def letter_positions(ranges: list[str]) -> list[int]:
    """Return the positions from 0 of columns given by spreadsheet letters: ["A", "C-E"]."""
    positions: list[int] = []
    for letters in ranges:
        first, _, last = letters.partition("-")
        start = _position(first)
        positions += range(start, _position(last or first) + 1)
    return positions


def _position(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def letters_of(position: int) -> str:
    """Return the spreadsheet letters of a column's position from 0."""
    letters, number = "", position + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _texts(values: list[Any]) -> list[str]:
    return [_text(value) for value in values]


def _text(value: Any) -> str:
    """Return a YAML number as it stands in a file (`-9`, not `-9.0`)."""
    return str(value)


def mapping_problems(mapping: Document) -> list[Problem]:
    """Return what the schema cannot see: keys that do not go together, patterns without a place."""
    problems: list[Problem] = []
    tables = mapping.content["tables"]
    for i, table in enumerate(tables):
        found = [
            *_source_problems(table),
            *_row_problems(table),
            *_pattern_problems(table),
            *_fact_problems(table),
        ]
        problems += [mapping.problem(("tables", i, *place), text) for place, text in found]
    types: dict[str, str] = {}
    for i, table in enumerate(tables):
        for name, fact in table.get("client_facts", {}).items():
            kind = _completed_fact(name, fact)["type"]
            if types.setdefault(name, kind) != kind:
                place = ("tables", i, "client_facts", name)
                problems.append(mapping.problem(place, f"is a {types[name]} in another table"))
    return problems


Found = Iterator[tuple[KeyPath, str]]


def _source_problems(table: Mapping[str, Any]) -> Found:
    for key in ("file", "dictionary"):
        if any(part.startswith(".") for part in table.get(key, "").split("/")):
            yield (key,), "must lie in the site's own folder"
    kind = _format(table)
    if kind is None:
        told = "the ending does not tell the format; add format: csv, excel, sav, stata, sas,"
        yield ("file",), f"{told} parquet, redcap, qualtrics or limesurvey"
        return
    for key, (kinds, told) in _KEYS_BY_FORMAT.items():
        if key in table and kind not in kinds:
            yield (key,), told
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
    for key in ("form", "item", "answer", "ignore_forms"):
        if rows != "answer" and key in table:
            yield (key,), "goes with rows: answer only"
    if rows == "answer":
        for key in ("item", "answer"):
            if key not in table:
                yield ("rows",), f"with rows: answer the key {key} is needed"
        if not measures:
            yield ("rows",), "with rows: answer the key measures is needed"
        if "form" not in table and len(measures) > 1:
            yield ("measures",), "several measures need the key form, to tell them apart"
        if isinstance(table.get("session"), dict) and "order_by" in table["session"]:
            yield ("session",), "order_by does not go with rows: answer"
    session = table.get("session")
    if isinstance(session, dict) and "pattern" in session and "codes" in session:
        yield ("session",), "give a pattern or codes, not both"
    if isinstance(session, dict) and any(
        not float(number).is_integer() or number < 1 for number in session.get("codes", {}).values()
    ):
        yield ("session", "codes"), "session numbers are whole and count from 1"
    times = [key for key in ("date", "day", "week") if key in table.get("session_facts", {})]
    if len(times) > 1:
        yield ("session_facts",), f"give one of {', '.join(times)}"


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
        full = _completed_measure(measure)
        if rows == "answer":
            if full["items"] is not None or full["items_at"] is not None:
                yield here, "with rows: answer the items stand in the column that `item` names"
            if full["recorded_total"] is not None:
                yield here, "recorded_total does not go with rows: answer"
            if "form" in table and full["form"] is None:
                yield here, "the key form is missing: this measure's text in the form column"
            continue
        if full["form"] is not None:
            yield here, "the key form goes with rows: answer only"
        if (full["items"] is None) == (full["items_at"] is None):
            yield here, "give one of items and items_at"
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
        full = _completed_fact(name, fact)
        if name in _OWN_NAMES:
            yield here, "this name is used for a column of ours; choose another"
        kind = full["type"]
        if isinstance(fact, dict) and fact.get("type", kind) != kind:
            yield (*here, "type"), f"{name} is always a {kind}"
        if full["codes"] and kind == "date":
            yield (*here, "codes"), "a date has no codes"
        if full["others"] == "blank" and not full["codes"]:
            yield (*here, "others"), "goes with codes only"
        if kind == "date" and name != "intake_date":
            yield (*here, "type"), "only intake_date is a date (dates never leave the intake)"
        if kind == "number" and full["codes"]:
            for text, word in full["codes"].items():
                if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", word):
                    yield (*here, "codes", text), "must be a number"
        if name == "end_status" and full["codes"]:
            for text, word in full["codes"].items():
                if word not in END_STATUS:
                    yield (*here, "codes", text), f"must be one of {', '.join(END_STATUS)}"
