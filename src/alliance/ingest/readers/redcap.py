"""Read a REDCap export (CSV): a delimited file with REDCap's habits.

Events, repeating instruments and checkboxes are plain columns (`redcap_event_name`,
`redcap_repeat_instance`, `symptom___1`), which the mapping names like any other. What needs help is
the export with labels: with the project's data dictionary (`dictionary`), labels in the header
become field names again and labels in the cells become codes. In a raw export the dictionary gives
the codes their words.

A label is only as good as it is unique: fields that share one, and answers of one field that share
one, cannot be told apart from it, and are not guessed from their order.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from alliance.ingest.parse import words_by_unique
from alliance.ingest.raw import Mark, RawTable, UnreadableError
from alliance.ingest.readers import delimited
from alliance.ingest.readers.opened import RawFile, open_raw

# What REDCap calls its own columns in an export with labels.
OWN_LABELS = {
    "Event Name": "redcap_event_name",
    "Repeat Instrument": "redcap_repeat_instrument",
    "Repeat Instance": "redcap_repeat_instance",
    "Data Access Group": "redcap_data_access_group",
    "Survey Identifier": "redcap_survey_identifier",
}
_COLUMNS = ("Variable / Field Name", "Field Type", "Field Label",
            "Choices, Calculations, OR Slider Labels")  # fmt: skip
_YES_NO = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}
_TICKED = {"1": "Checked", "0": "Unchecked"}
_TAG = re.compile(r"<[^>]*>")
SHARED = "label-shared"


@dataclass(slots=True)
class Dictionary:
    """A project's fields as its exports show them.

    Attributes
    ----------
    names
        By label in the header: the columns that have it.
    choices
        By column: {code: label}.
    """

    names: dict[str, list[str]] = field(default_factory=dict)
    choices: dict[str, dict[str, str]] = field(default_factory=dict)


def read(file: RawFile, source: Mapping[str, Any]) -> RawTable:
    """Read a REDCap export; see `alliance.ingest.readers`."""
    table = delimited.read(file, source)
    if source["dictionary"] is None:
        return table
    dictionary = _read_dictionary(open_raw(file.folder, source["dictionary"], {}))
    if source["header"] == "labels":
        _name_columns(table, dictionary)
    for name, choices in dictionary.choices.items():
        if name not in table.header:
            continue
        table.labels[name] = choices
        if source["cells"] == "labels":
            position = table.header.index(name)
            shared = _shared_labels(table.columns[position], choices)
            if shared is not None:
                table.marks.append(replace(shared, column=position))
            table.columns[position] = _codes_of(table.columns[position], choices)
    return table


def _name_columns(table: RawTable, dictionary: Dictionary) -> None:
    """Put field names for labels; fields that share their label keep it, and are told as such."""
    for position, label in enumerate(table.header):
        names = dictionary.names.get(plain_label(label), [])
        if len(names) == 1:
            table.header[position] = names[0]
        table.untold |= {name: names for name in names if len(names) > 1}


def _shared_labels(column: pd.Series, choices: Mapping[str, str]) -> Mark | None:
    """Return a mark where cells hold a label that several codes of the field have."""
    labels = list(choices.values())
    shared = {label for label in labels if labels.count(label) > 1}
    is_shared = column.dropna().map(plain_label).isin(shared) if shared else None
    if is_shared is None or not is_shared.any():
        return None
    codes = [code for code, label in choices.items() if label in shared]
    found = f"the codes {', '.join(codes)} of this field do not all have one of their own"
    return Mark(SHARED, None, rows_affected=int(is_shared.sum()), found=found)


def _codes_of(column: pd.Series, choices: Mapping[str, str]) -> pd.Series:
    """Return labels as codes; a text that is no label stays, and is judged as it stands."""
    codes = {label: code for code, label in choices.items()}
    return words_by_unique(column, lambda text: codes.get(plain_label(text), text))


def plain_label(label: str) -> str:
    """Return a label without the formatting that an export leaves out."""
    return " ".join(html.unescape(_TAG.sub("", label)).split())


def _read_dictionary(file: RawFile) -> Dictionary:
    name = file.name
    try:
        text = file.bytes().decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        rows = []
    if not rows or not set(_COLUMNS) <= set(rows[0]):
        found = f"{name} is no data dictionary of REDCap"
        remedy = "download it in REDCap (Designer or Project Setup, Download the Data Dictionary)"
        raise UnreadableError("file-unreadable", found, remedy=f"{remedy} as CSV")
    dictionary = Dictionary({label: [own] for label, own in OWN_LABELS.items()})
    for row in rows:
        _add_field(dictionary, *(str(row[column] or "").strip() for column in _COLUMNS))
    return dictionary


def _add_field(dictionary: Dictionary, name: str, kind: str, label: str, choices: str) -> None:
    if kind == "descriptive":
        return  # a text on the form: no export has a column of it
    label = plain_label(label)
    named = _YES_NO.get(kind, {})
    if kind in ("radio", "dropdown", "checkbox"):
        named = dict(_choice(choice) for choice in choices.split("|") if "," in choice)
    if kind == "checkbox":
        for code, word in named.items():
            # REDCap writes a minus in a code as an underscore, and capitals small.
            column = f"{name}___{code.lower().replace('-', '_')}"
            shown = f"{label} (choice={word})"
            dictionary.names.setdefault(shown, []).append(column)
            dictionary.choices[column] = dict(_TICKED)
        return
    dictionary.names.setdefault(label, []).append(name)
    if named:
        dictionary.choices[name] = named


def _choice(text: str) -> tuple[str, str]:
    code, _, word = text.partition(",")
    return code.strip(), plain_label(word)
