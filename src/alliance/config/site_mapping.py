"""A site's mapping in full: every default in place, every shorthand spelt out, texts as text.

`completed_mapping` is what `alliance.ingest` reads; `alliance.config.site_mapping_problems` says
beforehand what is wrong with a mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from alliance.config.formats import DELIMITED, FORMAT_BY_ENDING

END_STATUS = ("dropout", "completed", "transferred", "ongoing")
PACKED = (".gz", ".zip")
KINDS_OF_IDS = ("client", "therapist", "site")
FACT_TYPES = {"sessions_planned": "number", "intake_date": "date"}


def format_of(file: str) -> str | None:
    """Return the format that a file's ending tells (`.gz` and `.zip` aside), or None."""
    return FORMAT_BY_ENDING.get(PurePosixPath(_unpacked_name(file)).suffix)


def _unpacked_name(file: str) -> str:
    name = file.lower()
    for ending in PACKED:
        name = name.removesuffix(ending)
    return name


def declared_format(table: Mapping[str, Any]) -> str | None:
    """Return a table's format: declared, or told by the ending of the file or the zip's member."""
    given: str | None = table.get("format")
    return given or format_of(table["file"]) or format_of(table.get("member", ""))


def completed_mapping(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with every default filled in and every shorthand spelt out."""
    same_as = {kind: dict(content.get("same_as", {}).get(kind, {})) for kind in KINDS_OF_IDS}
    return {
        "site": content["site"],
        "title": content.get("title", content["site"]),
        "therapist_of_client": content.get("therapist_of_client", "most_sessions"),
        "tables": [{**_completed_table(table), "same_as": same_as} for table in content["tables"]],
    }


def _completed_table(table: Mapping[str, Any]) -> dict[str, Any]:
    rows = table["rows"]
    site = table.get("site")
    return {
        **_completed_source(table),
        "rows": rows,
        "rows_repeat": table.get("rows_repeat", False),
        "every_client": rows == "client"
        and not table.get("rows_repeat", False)
        and table.get("every_client", True),
        "join": [_completed_join(joined, table) for joined in table.get("join", [])],
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
            name: completed_fact(name, fact) for name, fact in table.get("client_facts", {}).items()
        },
        "session_facts": _completed_session_facts(table),
        "measures": {
            name: completed_measure(measure) for name, measure in table.get("measures", {}).items()
        },
    }


def _completed_source(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a table's entry says of its file."""
    file = table["file"]
    is_tsv = any(_unpacked_name(name).endswith(".tsv") for name in (file, table.get("member", "")))
    return {
        "file": file,
        "member": table.get("member"),
        "format": declared_format(table),
        "sheet": table.get("sheet"),
        "header_row": table.get("header_row", 1),
        "skip_after_header": table.get("skip_after_header", 0),
        "n_rows": table.get("n_rows"),
        "delimiter": table.get("delimiter", "\t" if is_tsv else ","),
        "quote": table.get("quote", '"'),
        # A file of a statistics program says itself how its letters are stored.
        "encoding": table.get("encoding", "utf-8" if declared_format(table) in DELIMITED else None),
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
        "by_date": given.get("by_date"),
    }


def _completed_join(joined: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file that is joined on, read as the table's own file unless it says otherwise."""
    habits = ("delimiter", "quote", "encoding", "decimal", "dates", "missing")
    kinds = (declared_format(joined), declared_format(table))
    inherited = {key: table[key] for key in habits if key in table} if len(set(kinds)) == 1 else {}
    by = joined["by"]
    return {
        **_completed_source({**inherited, **joined}),
        "by": {by: by} if isinstance(by, str) else dict(by),
        "take": list(joined["take"]),
    }


def completed_fact(name: str, fact: Any) -> dict[str, Any]:
    """Return a client's fact in full; ticked boxes stand in a column that their names make up."""
    given: Mapping[str, Any] = {"column": fact} if isinstance(fact, str) else fact
    codes, boxes = given.get("codes"), given.get("boxes")
    return {
        "column": given["column"] if boxes is None else " | ".join(boxes),
        "boxes": None if boxes is None else {box: _text(word) for box, word in boxes.items()},
        "type": FACT_TYPES.get(name) or given.get("type", "category"),
        "codes": {text: _text(word) for text, word in codes.items()} if codes else None,
        "others": given.get("others", "problem"),
    }


def _completed_session_facts(table: Mapping[str, Any]) -> dict[str, Any]:
    facts = table.get("session_facts", {})
    completed: dict[str, Any] = dict(facts)
    session = table.get("session")
    by_date = session.get("by_date") if isinstance(session, dict) else None
    if by_date is not None and not {"date", "day", "week"} & set(facts):
        completed["date"] = by_date
    if "attended" in facts:
        attended = facts["attended"]
        completed["attended"] = {**attended, "attended": _texts(attended["attended"])}
    return completed


def completed_measure(measure: Any) -> dict[str, Any]:
    """Return where a measure's answers stand, in full."""
    given: Mapping[str, Any] = {"items": measure} if isinstance(measure, str) else measure
    form = given.get("form")
    return {
        "items": given.get("items") or _items_of_total(given.get("total")),
        "total": given.get("total"),
        "items_at": letter_positions(given["items_at"]) if "items_at" in given else None,
        "sessions": given.get("sessions"),
        "codes": given.get("codes"),
        "codes_by_item": {
            int(item): codes for item, codes in given.get("codes_by_item", {}).items()
        },
        "stored_as": given.get("stored_as"),
        "already_reversed": given.get("already_reversed"),
        "form": None if form is None else _text(form),
        "recorded_total": given.get("recorded_total"),
    }


def _items_of_total(total: Any) -> Any:
    """Return a total as the one item of a form, which `items: none` in the config makes it."""
    if isinstance(total, dict):
        return {session: [column] for session, column in total.items()}
    return [total] if isinstance(total, str) and "{session}" not in total else total


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
