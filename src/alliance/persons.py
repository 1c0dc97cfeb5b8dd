"""Persons by their place in the tables, so that no computation can depend on pseudonyms.

Whatever sorts or groups by pseudonym puts persons into an order that changes with the key, and with
it last digits of sums, draws of a bootstrap and folds. The rows of processed tables stand in an
order that the key does not touch (`alliance.ingest.content_order`): every stage that reads them
works with the places that persons have there, and writes pseudonyms again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

KINDS = ("client", "therapist")
_DIGITS = 9


class Persons:
    """The clients and therapists of one stage, in the order in which its tables first name them."""

    def __init__(self) -> None:
        self._names = {kind: pd.Index([], dtype=object) for kind in KINDS}

    def numbered(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table with places (`c000000017`), which sort as the rows do, for pseudonyms."""
        return _with_each(table, self._places)

    def named(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table made from numbered ones with pseudonyms again."""
        return _with_each(table, self._pseudonyms)

    def _places(self, column: pd.Series) -> pd.Series:
        codes, distinct = pd.factorize(column)
        known = self._names[str(column.name)]
        known = known.append(pd.Index(distinct, dtype=object).difference(known, sort=False))
        self._names[str(column.name)] = known
        letter = str(column.name)[0]
        places = [f"{letter}{at:0{_DIGITS}d}" for at in known.get_indexer(distinct)]
        return _spread(places, codes, column)

    def _pseudonyms(self, column: pd.Series) -> pd.Series:
        codes, distinct = pd.factorize(column)
        at = np.array([int(place[1:]) for place in distinct], dtype=np.int64)
        return _spread(self._names[str(column.name)][at], codes, column)


def _with_each(table: pd.DataFrame, of: Callable[[pd.Series], pd.Series]) -> pd.DataFrame:
    return table.assign(**{kind: of(table[kind]) for kind in KINDS if kind in table})


def _spread(texts: Iterable[str], codes: np.ndarray, column: pd.Series) -> pd.Series:
    """Return the text of each code (-1: missing) in the form of `column`."""
    every = pd.Series([*texts, None], dtype=column.dtype)
    return every.take(codes % len(every)).set_axis(column.index)
