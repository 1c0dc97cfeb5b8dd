"""What a column holds: numbers, categories, or what no model can read.

Columns of Python objects are judged by their values, not by their type: numbers among objects are
numbers, text is categories. Numbers and text in one column are refused: 3 and "3" would count as
two, and which is meant cannot be seen.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from alliance.errors import FitError

LARGEST = 1e50
"""Beyond this size (or its inverse) squares and products of numbers leave their range."""

NUMBERS = ("floating", "integer", "mixed-integer-float", "boolean", "decimal")
"""What pandas calls objects that are all numbers, with or without gaps."""

LABELS = ("string", "empty")


def is_categorical(column: pd.Series) -> bool:
    """Whether a column holds categories (text, pandas categories) rather than numbers."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return True
    if column.dtype == object:
        return pd.api.types.infer_dtype(column, skipna=True) not in NUMBERS
    return not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column))


def numeric(column: pd.Series, name: str) -> np.ndarray:
    """Read a column as contiguous float64, missing as NaN.

    Raises
    ------
    FitError
        Complex numbers, dates or text.
    """
    if pd.api.types.is_complex_dtype(column) or is_categorical(column):
        raise FitError(f"Column '{name}' must hold plain numbers.")
    return np.ascontiguousarray(column.to_numpy(dtype=float, na_value=np.nan))


def column_problems(data: pd.DataFrame, names: Iterable[str], ids: Iterable[str]) -> list[str]:
    """Say what is wrong with the columns of a model before it is fitted.

    Parameters
    ----------
    data : pandas.DataFrame
    names : iterable of str
        Every column that the model needs.
    ids : iterable of str
        Those that hold ids of groups, which only have to be told apart.
    """
    ids = set(ids)
    problems = []
    for name in names:
        told = _problem(data[name], is_id=name in ids)
        if told:
            problems.append(f"Column '{name}' {told}")
    return problems


def _problem(column: pd.Series, *, is_id: bool) -> str | None:
    if isinstance(column.dtype, pd.CategoricalDtype):
        used = pd.Series(column.cat.remove_unused_categories().cat.categories)
        return None if pd.api.types.is_numeric_dtype(used) else _label_problem(used)
    if not is_id and _is_date(column):
        return (
            "holds dates or durations, and the model needs numbers. Use a number with a unit, such "
            "as weeks since the first session."
        )
    if is_categorical(column):
        return _label_problem(column) or (None if is_id else _number_problem(column))
    if pd.api.types.is_complex_dtype(column):
        return "holds complex numbers; the model needs plain ones."
    return None if is_id else _size_problem(column)


def _is_date(column: pd.Series) -> bool:
    if column.dtype == object:
        kind = pd.api.types.infer_dtype(column, skipna=True)
        return kind in ("datetime", "datetime64", "date", "time", "timedelta", "period")
    return column.dtype.kind in "mM" or isinstance(column.dtype, pd.PeriodDtype)


def _label_problem(column: pd.Series) -> str | None:
    """Labels of several kinds, or labels that differ only by blanks around them."""
    if column.dtype == object and not _is_date(column):
        kind = pd.api.types.infer_dtype(column, skipna=True)
        if kind not in (*NUMBERS, *LABELS):
            text = int(column.map(lambda value: isinstance(value, str)).sum())
            other = int(column.notna().sum()) - text
            if not text:
                return "holds objects that are neither numbers nor text."
            return (
                f"holds {text} texts and {other} values of another kind, so that the same thing "
                "may be there in two ways (3 and '3'). Make all text or all numbers."
            )
    if not pd.api.types.is_string_dtype(column):
        return None
    labels = pd.Series(pd.unique(column.dropna()), dtype=object)
    bare = labels.str.strip()
    doubled = len(labels) - bare.nunique()
    if doubled:
        return (
            f"holds {doubled} labels that differ from another one only by blanks around them. Take "
            "the blanks away."
        )
    return None


def _number_problem(column: pd.Series) -> str | None:
    """Decimal numbers that came as text; whole numbers in text are codes, hence categories."""
    labels = pd.Series(pd.unique(column.dropna()), dtype=object)
    if labels.str.isdigit().all() or pd.to_numeric(labels, errors="coerce").isna().any():
        return None
    return (
        "holds numbers written as text, which would become one category each. Make them numbers "
        "(pandas.to_numeric), or a categorical column if categories are meant."
    )


def _size_problem(column: pd.Series) -> str | None:
    size = np.abs(column.to_numpy(dtype=float, na_value=np.nan))
    size = size[np.isfinite(size)]
    largest = float(size.max(initial=0.0))
    if largest and not 1 / LARGEST < largest < LARGEST:
        return (
            f"holds numbers that are too {'large' if largest > 1 else 'small'} to compute with "
            f"(beyond {LARGEST:g} or all below {1 / LARGEST:g}). Use another unit."
        )
    return None
