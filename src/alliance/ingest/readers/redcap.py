"""Read a REDCap export (CSV): a delimited file with REDCap's habits.

Events, repeating instruments and checkboxes are plain columns (`redcap_event_name`,
`redcap_repeat_instance`, `symptom___1`), which the mapping names like any other. What needs help is
the export with labels: with the project's data dictionary (`dictionary`), labels in the header
become field names again and labels in the cells become codes. In a raw export the dictionary gives
the codes their words.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from alliance.ingest.parse import words_by_unique
from alliance.ingest.raw import RawTable, UnreadableError
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


@dataclass(slots=True)
class Dictionary:
    """A project's fields as its exports show them, in the order of the forms.

    Attributes
    ----------
    names
        By label in the header: the columns that have it, in order.
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
        table.header = _names_of(table.header, dictionary)
    for name, choices in dictionary.choices.items():
        if name not in table.header:
            continue
        if source["cells"] == "labels":
            position = table.header.index(name)
            table.columns[position] = _codes_of(table.columns[position], choices)
        table.labels[name] = choices
    return table


def _names_of(header: list[str], dictionary: Dictionary) -> list[str]:
    """Return the field names of labels; a label that stands twice goes by the order of the form."""
    left = {label: list(names) for label, names in dictionary.names.items()}
    found = []
    for label in header:
        names = left.get(plain_label(label), [])
        found.append(names.pop(0) if names else OWN_LABELS.get(label, label))
    return found


def _codes_of(column: pd.Series, choices: Mapping[str, str]) -> pd.Series:
    """Return labels as codes; a text that is no label stays, and is judged as it stands."""
    codes: dict[str, str] = {}
    for code, label in choices.items():
        codes.setdefault(label, code)
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
    dictionary = Dictionary()
    for row in rows:
        _add_field(dictionary, *(str(row[column] or "").strip() for column in _COLUMNS))
    return dictionary


def _add_field(dictionary: Dictionary, name: str, kind: str, label: str, choices: str) -> None:
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
