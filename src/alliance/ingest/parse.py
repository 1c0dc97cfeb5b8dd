"""Turn texts of a file into numbers, dates and words: each distinct text once.

Columns of answers hold few distinct texts, so each is parsed once and spread by position; this is
fast for ten million answers and keeps the parsing itself plain.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

_NUMBER = {
    ".": re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"),
    ",": re.compile(r"[-+]?([0-9]+(,[0-9]*)?|,[0-9]+)"),
}
_DATE_TOKENS = {
    "yyyy": "%Y",
    "yy": "%y",
    "mm": "%m",
    "dd": "%d",
    "HH": "%H",
    "MM": "%M",
    "SS": "%S",
}
_TOKEN = re.compile("yyyy|yy|mm|dd|HH|MM|SS")

# ASSUME no session took place before 1900 or after 2100: such a year is a slip of the keyboard.
FIRST_YEAR, LAST_YEAR = 1900, 2100


def by_unique(column: pd.Series, parse: Callable[[str], float]) -> np.ndarray:
    """Return `parse` of each text as float64, shape (n,); missing cells become NaN."""
    positions, texts = pd.factorize(column)
    values = np.array([*(parse(str(text)) for text in texts), np.nan], dtype=float)
    return values[positions]  # position -1 (missing) finds the NaN at the end


def words_by_unique(column: pd.Series, parse: Callable[[str], str | None]) -> pd.Series:
    """Return `parse` of each text as text, same index; None and missing cells become missing."""
    positions, texts = pd.factorize(column)
    words = np.array([*(parse(str(text)) for text in texts), None], dtype=object)
    return pd.Series(words[positions], index=column.index, dtype="str")


def number(text: str, decimal: str = ".") -> float:
    """Return the number that a text is, NaN if it is none (no exponents, no thousands signs)."""
    stripped = text.strip()
    if not _NUMBER[decimal].fullmatch(stripped):
        return math.nan
    return float(stripped.replace(",", "."))


def number_parser(decimal: str, codes: Mapping[str, Any] | None = None) -> Callable[[str], float]:
    """Return the parser of a column of numbers, or of the texts that `codes` names."""
    if codes is None:
        return lambda text: number(text, decimal)
    known = {code: float(value) for code, value in codes.items()}
    return lambda text: known.get(text.strip(), math.nan)


def date_parser(style: str) -> Callable[[str], float]:
    """Return the parser of dates written in `style` (dd.mm.yyyy): days since 1970-01-01, or NaN."""
    pattern = _TOKEN.sub(lambda token: _DATE_TOKENS[token.group()], style)

    def days(text: str) -> float:
        try:
            found = datetime.datetime.strptime(text.strip(), pattern)
        except ValueError:
            return math.nan
        if not FIRST_YEAR <= found.year <= LAST_YEAR:
            return math.nan
        return float((found.date() - datetime.date(1970, 1, 1)).days)

    return days


def dates(column: pd.Series, style: str, real: pd.Series | None) -> np.ndarray:
    """Return days since 1970-01-01, shape (n,); NaN where a cell is missing or no date.

    Parameters
    ----------
    column
        Texts.
    style
        How the site writes dates.
    real
        True where a cell is a real date of the file format (then written yyyy-mm-dd), or None.
    """
    found = by_unique(column, date_parser(style))
    if real is None or not real.any():
        return found
    return np.where(real, by_unique(column.where(real), date_parser("yyyy-mm-dd")), found)


def code_parser(
    codes: Mapping[str, str] | None, labels: Mapping[str, str] | None
) -> Callable[[str], str | None]:
    """Return the parser of a category.

    With `codes`: the word of the text, or of its value label; None if neither is named. Without:
    the value label if there is one, else the text itself, surrounding blanks removed.
    """
    labels = labels or {}

    def word(text: str) -> str | None:
        stripped = text.strip()
        label = labels.get(stripped)
        if codes is None:
            return label or stripped
        return codes.get(stripped, codes.get(label) if label else None)

    return word
