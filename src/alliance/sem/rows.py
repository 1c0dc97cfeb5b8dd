"""Rows and clusters as they are given, read or refused before anything is computed from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from alliance.errors import FitError

LARGEST = 1e50
"""Beyond this size squares of numbers and their products leave the range of numbers."""


NUMBERS = ("floating", "integer", "mixed-integer-float", "boolean", "decimal", "empty")
"""What pandas calls values that are all numbers, with or without gaps."""


def read_rows(rows: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return the rows as float, shape (n, p), missing as NaN.

    Raises
    ------
    FitError
        Names every column with text, infinite values or numbers too large to compute with.
    """
    given = np.asarray(rows)
    if given.dtype.kind not in "biufO":
        raise FitError("The model cannot be fitted: the rows must be numbers.")
    problems = []
    columns = []
    for name, own in zip(names, given.T, strict=True):
        if pd.api.types.infer_dtype(own, skipna=True) not in NUMBERS:
            problems.append(f"'{name}' holds something else than numbers")
            continue
        column = pd.Series(own).to_numpy(dtype=float, na_value=np.nan)
        columns.append(column)
        if np.isinf(column).any():
            problems.append(f"'{name}' has infinite values")
        elif np.abs(column[~np.isnan(column)]).max(initial=0.0) > LARGEST:
            problems.append(f"'{name}' has numbers beyond {LARGEST:g}: use another unit")
    if problems:
        raise FitError("The model cannot be fitted: " + "; ".join(problems) + ".")
    return np.column_stack(columns)


def cluster_codes(clusters: Sequence[object] | np.ndarray) -> np.ndarray:
    """Return codes 0, 1, ... of the clusters, sorted by their ids, shape (n,).

    Raises
    ------
    FitError
        A missing id, or numbers and text among the ids (3 and "3" would be two clusters).
    """
    # Through an object array: a list of 3 and "3" would become text without a word.
    ids = pd.Series(
        clusters if isinstance(clusters, np.ndarray) else np.array([*clusters, None], object)[:-1]
    )
    if ids.isna().any():
        raise FitError(f"{int(ids.isna().sum())} rows have no cluster. Leave them out.")
    kind = pd.api.types.infer_dtype(ids)
    if kind.startswith("mixed") and kind != "mixed-integer-float":
        raise FitError(
            "The ids of the clusters are numbers in some rows and text in others (3 and '3' would "
            "be two clusters). Make all text or all numbers."
        )
    return pd.factorize(ids, sort=True)[0]
