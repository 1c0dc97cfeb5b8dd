"""Typed cells (of a workbook, of SPSS) as the text that a person would see."""

from __future__ import annotations

import datetime


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
        return cell.date().isoformat()
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    return str(cell)
