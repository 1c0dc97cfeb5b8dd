"""From what is known of a drawn person back to the texts that a site's mapping reads as that."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from alliance.config.instruments import Instrument
from alliance.ingest import parse
from alliance.ingest.raw import RawTable
from alliance.ingest.readers.cells import number_text
from alliance.ingest.stored import Stored, how_stored

Cell = str | float | datetime.date | None
MOST_TEXTS = 10_000  # possible answers to an item that are tried


def words_to_texts(fact: Mapping[str, Any], raw: RawTable) -> dict[str, str]:
    """Return for each word that a fact's column can say the first text that says it."""
    codes = fact["codes"]
    if codes is None:
        labels = raw.labels.get(fact["column"], {})
        return {label: code for code, label in reversed(list(labels.items()))}
    labels = {label: code for code, label in raw.labels.get(fact["column"], {}).items()}
    return {str(word): labels.get(text, text) for text, word in reversed(list(codes.items()))}


def fact_cell(fact: Mapping[str, Any], value: Any, texts: Mapping[str, str]) -> Cell:
    """Return the cell for what is known of a client; None where it is not told."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    if fact["type"] == "number" and not fact["codes"]:
        return float(value)
    word = number_text(value) if isinstance(value, int | float) else str(value)
    if fact["codes"] is not None:
        return texts.get(word)  # a word that this site cannot say is not told
    return texts.get(word, word)


def answers_to_cells(
    given: Mapping[str, Any], key: Instrument, decimal: str, item: int
) -> dict[float, Cell]:
    """Return for each answer to an item, as ticked, the cell that says so.

    Found by trying: every text that could stand there is read as the intake reads it.
    """
    stored = how_stored(given, key, decimal)
    texts = list(_possible_texts(stored, key, item))
    values = stored.answers(pd.Series(texts, dtype="str"), item)
    found: dict[float, Cell] = {}
    for text, value in zip(texts, values, strict=True):
        if not np.isnan(value):
            number = parse.number(text, decimal)
            plain = not (stored.coded or item in stored.codes_by_item)
            found.setdefault(float(value), number if plain and not np.isnan(number) else text)
    return found


def _possible_texts(stored: Stored, key: Instrument, item: int) -> list[str]:
    if item in stored.codes_by_item:
        return list(stored.codes_by_item[item])
    if stored.codes is not None:
        return list(stored.codes)
    lowest, highest = stored.range_in_file(item)
    step = key.step or max((highest - lowest) / MOST_TEXTS, 0.001)
    n = min(round((highest - lowest) / step), MOST_TEXTS)
    return [number_text(round(lowest + i * step, 6), stored.decimal) for i in range(n + 1)]


def session_text(given: Mapping[str, Any], session: int) -> str | float | None:
    """Return how a column names a session; None where it has no name for it."""
    if given["pattern"]:
        return str(given["pattern"]).replace("{session}", str(session))
    if given["codes"]:
        by_number = {float(number): text for text, number in given["codes"].items()}
        return by_number.get(float(session))
    return float(session)


def date_text(day: datetime.date, style: str) -> str:
    """Return a date as a site writes it (`dd.mm.yyyy`), months in English, at midnight."""
    parts = {
        "yyyy": f"{day.year:04}", "yy": f"{day.year % 100:02}", "mmm": day.strftime("%b"),
        "mm": f"{day.month:02}", "dd": f"{day.day:02}", "HH": "12" if "AM" in style else "00",
        "MM": "00", "SS": "00", "AM": "AM",
    }  # fmt: skip
    return re.sub("yyyy|yy|mmm|mm|dd|HH|MM|SS|AM", lambda token: parts[token.group()], style)
