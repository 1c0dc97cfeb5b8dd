"""Several keys of a row as one whole number: ten million rows are sorted and compared as integers.

Sorting or grouping tables by columns of text costs minutes at ten million rows; codes packed into
one 64-bit number cost seconds, and a table that is in order already costs one pass.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

_MOST = 2**62


def packed(keys: Sequence[np.ndarray]) -> np.ndarray:
    """Return one int64 for each row, in the order of the keys (the first counts most), shape (n,).

    Parameters
    ----------
    keys
        Arrays of shape (n,): whole numbers, or anything that can be ordered (then it is replaced by
        its rank). -1, NaN and missing texts come first and are equal to themselves.
    """
    code, span = np.zeros(len(keys[0]) if keys else 0, dtype=np.int64), 1
    for key in keys:
        own = np.asarray(key)
        if own.dtype.kind not in "iub":
            own = pd.factorize(own, sort=True)[0]
        own = own.astype(np.int64, copy=False)
        lowest, highest = (int(own.min()), int(own.max())) if len(own) else (0, 0)
        width = highest - lowest + 1
        if width > 2**31 or span * width > _MOST:  # ranks take less room than numbers
            own = pd.factorize(own, sort=True)[0].astype(np.int64)
            lowest, width = 0, int(own.max()) + 1 if len(own) else 1
        if span * width > _MOST:
            code = pd.factorize(code, sort=True)[0].astype(np.int64)
            span = int(code.max()) + 1
        code = code * width + (own - lowest)
        span *= width
    return code


def order_of(code: np.ndarray) -> np.ndarray | None:
    """Return the stable order of packed keys, None where they are in order already."""
    if bool(np.all(code[1:] >= code[:-1])):
        return None
    return np.argsort(code, kind="stable")


def is_repeated(code: np.ndarray) -> np.ndarray:
    """Return which packed keys stand in more than one row, shape (n,)."""
    if bool(np.all(code[1:] > code[:-1])):
        return np.zeros(len(code), dtype=bool)
    return np.asarray(pd.Series(code).duplicated(keep=False))


def first_of_each(code: np.ndarray) -> np.ndarray:
    """Return which rows are the first with their packed key, shape (n,)."""
    return ~np.asarray(pd.Series(code).duplicated())


def text_codes(texts: pd.Series) -> np.ndarray:
    """Return the rank of each text among the distinct ones, -1 where missing, shape (n,)."""
    codes, distinct = pd.factorize(texts)
    rank = np.empty(len(distinct) + 1, dtype=np.int64)
    rank[np.argsort(np.asarray(distinct, dtype=object).astype(str), kind="stable")] = np.arange(
        len(distinct)
    )
    rank[-1] = -1
    return rank[codes]
