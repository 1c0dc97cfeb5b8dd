"""Turn texts of a file into numbers, dates and words: each distinct text once.

Columns of answers hold few distinct texts, so each is parsed once and spread by position; this is
fast for ten million answers and keeps the parsing itself plain.
"""

from __future__ import annotations

import datetime
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from alliance.likeness import TRIMMED, Words, plain_number

_NUMBER = {
    ".": re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"),
    ",": re.compile(r"[-+]?([0-9]+(,[0-9]*)?|,[0-9]+)"),
}
_DATE_TOKENS = {
    "yyyy": "%Y",
    "yy": "%y",
    "mmm": "%m",
    "mm": "%m",
    "dd": "%d",
    "HH": "%H",
    "MM": "%M",
    "SS": "%S",
    "AM": "%p",
}
_TOKEN = re.compile("yyyy|yy|mmm|mm|dd|HH|MM|SS|AM")
# First letters of the months, without accents, in English, German, French, Spanish, Italian, Dutch.
_MONTHS = {
    word: number
    for number, words in enumerate(
        ("jan ene gen", "feb fev", "mar maer mrt", "apr avr abr", "may mai mei mag", "jun juin giu",
         "jul juil lug", "aug aou ago", "sep set", "oct okt ott", "nov", "dec dez dic"), 1)
    for word in words.split()
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+\.?")
_SECOND_PARTS = re.compile(r"(?<=:[0-9]{2})\.[0-9]+")
# How readers write the real dates of their formats.
_REAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?)?")
_TIME = re.compile(r"([0-9]{1,3}):([0-9]{2})(?::([0-9]{2}(?:\.[0-9]+)?))?(?: ?([ap])\.?m\.?)?")
_SECONDS_A_DAY = 86_400

# ASSUME no session took place before 1900 or after 2100: such a year is a slip of the keyboard.
FIRST_YEAR, LAST_YEAR = 1900, 2100


def by_unique(column: pd.Series, parse: Callable[[str], float]) -> np.ndarray:
    """Return `parse` of each text as float64, shape (n,); missing cells become NaN."""
    positions, texts = pd.factorize(column)
    values = np.array([*(parse(str(text)) for text in texts), np.nan], dtype=float)
    return values[positions]  # position -1 (missing) finds the NaN at the end


def is_one_of(texts: pd.Series, words: Words) -> pd.Series:
    """Return whether each text is, or looks like, one of `words`; false where it is missing."""
    positions, distinct = pd.factorize(texts)
    found = np.array([*(words.find(str(text)) is not None for text in distinct), False])
    return pd.Series(found[positions], index=texts.index)


def words_by_unique(column: pd.Series, parse: Callable[[str], str | None]) -> pd.Series:
    """Return `parse` of each text as text, same index; None and missing cells become missing."""
    positions, texts = pd.factorize(column)
    words = np.array([*(parse(str(text)) for text in texts), None], dtype=object)
    return pd.Series(words[positions], index=column.index, dtype="str")


def number(text: str, decimal: str = ".") -> float:
    """Return the number that a text is, NaN if it is none (no exponents, no thousands signs)."""
    plain = plain_number(text)
    if not _NUMBER[decimal].fullmatch(plain):
        return math.nan
    return float(plain.replace(",", "."))


def number_parser(decimal: str, codes: Mapping[str, Any] | None = None) -> Callable[[str], float]:
    """Return the parser of a column of numbers, or of the texts that `codes` names."""
    if codes is None:
        return lambda text: number(text, decimal)
    known = {code: float(value) for code, value in codes.items()}
    words = Words(known)
    return lambda text: known.get(words.find(text) or "", math.nan)


def moment_parser(style: str) -> Callable[[str], float]:
    """Return the parser of dates written in `style` (dd.mm.yyyy): days since 1970-01-01, or NaN.

    The time of day, where `style` has one, is the fraction of the day.
    """
    with_noon, with_words = "AM" in style, "mmm" in style
    pattern = _TOKEN.sub(
        lambda token: "%I" if with_noon and token.group() == "HH" else _DATE_TOKENS[token.group()],
        style,
    )

    shape = _shape(style)

    def days(text: str) -> float:
        text = _with_month_numbered(text.strip()) if with_words else text.strip()
        if shape is not None and not shape.fullmatch(text):
            return math.nan
        part = _SECOND_PARTS.search(text)
        if part is not None:
            text = text[: part.start()] + text[part.end() :]
        try:
            found = datetime.datetime.strptime(text, pattern)
        except ValueError:
            return math.nan
        return _days_of(found) + (float(part.group()) / _SECONDS_A_DAY if part else 0.0)

    return days


def _with_month_numbered(text: str) -> str:
    """Return a date with the number of its month in place of the name or its first letters."""

    def number_of(word: re.Match[str]) -> str:
        letters = unicodedata.normalize("NFKD", word.group().casefold().replace("ä", "ae"))
        plain = "".join(letter for letter in letters if letter.isalpha() and letter.isascii())
        month = _MONTHS.get(plain[:4]) or _MONTHS.get(plain[:3])
        return f"{month:02}" if month else word.group()

    return _WORD.sub(number_of, text, count=1)


def _shape(style: str) -> re.Pattern[str] | None:
    """Return what dates look like whose parts touch one another; None where signs part them all.

    Where nothing stands between two parts each must have all its digits: 2024111 as yyyymmdd could
    be the 1st of November or the 11th of January.
    """
    tokens = list(_TOKEN.finditer(style))
    if all(one.end() < other.start() for one, other in pairwise(tokens)):
        return None
    told, end = "", 0
    for token in tokens:
        told += re.escape(style[end : token.start()])
        told += r"\w\w" if token.group() == "AM" else f"[0-9]{{{len(token.group())}}}"
        end = token.end()
    return re.compile(told + re.escape(style[end:]))


def _real_moment(text: str) -> float:
    """Return a real date as the readers write it, in days since 1970-01-01, or NaN."""
    try:
        found = datetime.datetime.fromisoformat(text) if _REAL.fullmatch(text) else None
    except ValueError:
        found = None
    return math.nan if found is None else _days_of(found)


def _days_of(found: datetime.datetime) -> float:
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        return math.nan
    return (found - datetime.datetime(1970, 1, 1)) / datetime.timedelta(days=1)


def moments(column: pd.Series, style: str, real: pd.Series | None) -> np.ndarray:
    """Return days since 1970-01-01 with the time of day as fraction, shape (n,); NaN for no date.

    Parameters
    ----------
    column
        Texts.
    style
        How the site writes dates.
    real
        True where a cell is a real date of the file format (then written as the readers write it),
        or None.
    """
    found = by_unique(column, moment_parser(style))
    if real is None or not real.any():
        return found
    return np.where(real, by_unique(column.where(real), _real_moment), found)


def dates(column: pd.Series, style: str, real: pd.Series | None) -> np.ndarray:
    """Return whole days since 1970-01-01, shape (n,); NaN where a cell is missing or no date.

    Parameters as of `moments`.
    """
    return np.asarray(np.floor(moments(column, style, real)))


def time_of_day(text: str) -> float:
    """Return the seconds of a time such as 9:05, 14:30:00 or 2:30 pm; NaN if the text is none."""
    found = _TIME.fullmatch(text.strip().lower())
    if found is None:
        return math.nan
    hours, minutes, seconds, half = found.groups()
    hour = int(hours) % 12 + 12 * (half == "p") if half else int(hours)
    return 3600.0 * hour + 60 * int(minutes) + float(seconds or 0)


def code_parser(
    codes: Mapping[str, str] | None, labels: Mapping[str, str] | None
) -> Callable[[str], str | None]:
    """Return the parser of a category.

    With `codes`: the word of the text, or of its value label; None if neither is named. Without:
    the value label if there is one, else the text itself, surrounding blanks removed.
    """
    labels = labels or {}
    words = Words(codes or ())

    def word(text: str) -> str | None:
        stripped = text.strip(TRIMMED)
        label = labels.get(stripped)
        if codes is None:
            return label or stripped
        named = words.find(stripped) or (words.find(label) if label else None)
        return None if named is None else codes[named]

    return word
