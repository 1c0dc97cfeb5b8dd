"""Typed cells (of a workbook, of SPSS) as the text that a person would see."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

MS_A_SECOND, MS_A_DAY = 1000, 86_400_000
_EPOCH = datetime.datetime(1970, 1, 1)
_MOST_MS = 3_000_000 * MS_A_DAY  # within 8,000 years of 1970


def number_text(value: float, decimal: str = ".") -> str:
    """Return a number as text: 7 for 7.0, the site's decimal sign, no exponent."""
    if float(value).is_integer():
        return str(int(value))
    text = repr(float(value))
    if "e" in text or "E" in text:
        text = f"{value:.17f}".rstrip("0")
    return text.replace(".", decimal)


def cell_text(cell: object, decimal: str = ".") -> str:
    """Return a workbook's cell as text; a date as yyyy-mm-dd, with its time unless midnight."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        return number_text(cell, decimal)
    if isinstance(cell, datetime.datetime):
        return moment_text(round((cell - _EPOCH) / datetime.timedelta(milliseconds=1)))
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    if isinstance(cell, datetime.time):
        cell = datetime.datetime.combine(_EPOCH, cell) - _EPOCH
    if isinstance(cell, datetime.timedelta):
        return time_text(round(cell / datetime.timedelta(milliseconds=1)))
    return str(cell)


def moment_text(ms: int) -> str:
    """Return milliseconds since 1970-01-01 as yyyy-mm-dd, with HH:MM:SS unless it is midnight.

    Whole milliseconds: workbooks store times as parts of a day, which are not exact in binary.
    """
    days, rest = divmod(ms, MS_A_DAY)
    date = str(np.datetime64(days, "D"))
    return f"{date} {time_text(rest)}" if rest else date


def is_possible(ms: float) -> bool:
    """Whether milliseconds since 1970-01-01 can be a date at all."""
    return bool(np.isfinite(ms) and abs(ms) < _MOST_MS)


def time_text(ms: int) -> str:
    """Return milliseconds as HH:MM:SS, with a fraction only where there is one."""
    sign, ms = ("-", -ms) if ms < 0 else ("", ms)
    minutes, rest = divmod(ms, 60 * MS_A_SECOND)
    seconds = f"{rest // MS_A_SECOND:02}"
    if rest % MS_A_SECOND:
        seconds += f".{rest % MS_A_SECOND:03}"
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}:{seconds}"


def texts_by_unique(values: Iterable[float], text: Callable[[float], str | None]) -> pd.Series:
    """Return `text` of each number as text; missing where the number is, or where it is None."""
    positions, distinct = pd.factorize(np.asarray(values, dtype=float))
    found = [text(value) if np.isfinite(value) else None for value in distinct]
    return pd.Series(np.array([*found, None], dtype=object)[positions], dtype="str")
