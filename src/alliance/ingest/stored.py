"""How a site's export stores the answers to a form, and back to what was ticked.

Answers may stand as texts (`codes`, `codes_by_item`), counted from another number or with the scale
turned round (`stored_as`), or with the form's reversed items reversed already (`already_reversed`).
The site's mapping says so, else the scoring key; either way an answer leaves here as it was ticked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from alliance.config.instruments import Instrument
from alliance.ingest import parse


@dataclass(frozen=True, slots=True)
class Stored:
    """How the answers to one measure are stored.

    Attributes
    ----------
    instrument
        The form.
    decimal
        Decimal sign of numbers.
    codes
        Text to answer, for all items; None where answers are numbers.
    codes_by_item
        The same for single items.
    texts_by_item
        Texts that the form itself prints for answers of an item, beside their numbers (1a, 1b).
    ends
        What stands for the form's lowest and highest answer; None where these themselves do.
    turned
        Items that the file holds reversed already.
    """

    instrument: Instrument
    decimal: str
    codes: Mapping[str, float] | None
    codes_by_item: Mapping[int, Mapping[str, float]]
    texts_by_item: Mapping[int, Mapping[str, float]]
    ends: tuple[float, float] | None
    turned: frozenset[int]

    @property
    def coded(self) -> bool:
        """Whether texts stand for all answers."""
        return self.codes is not None

    def answers(self, texts: pd.Series, item: np.ndarray | int) -> np.ndarray:
        """Return the answers as they were ticked, shape (m,); NaN for a blank or what is none.

        Parameters
        ----------
        texts
            Shape (m,): the cells.
        item
            Shape (m,), or one number: which items they answer.
        """
        values = parse.by_unique(texts, parse.number_parser(self.decimal, self.codes))
        own = self._coded_items(item)
        for number in own:
            here = np.broadcast_to(np.asarray(item) == number, len(values))
            if here.any():
                values[here] = parse.by_unique(texts[here], self._parser(number))
        if self.ends is not None and not self.coded:
            coded = np.isin(np.broadcast_to(item, len(values)), list(self.codes_by_item))
            values = np.where(coded, values, self._on_the_form(values, item))
        if self.turned:
            highest = of_items(self.instrument, _highest, item)
            with np.errstate(invalid="ignore"):
                is_answer = (values >= self._lowest) & (values <= highest)
            is_turned = is_answer & np.isin(item, list(self.turned))
            values = np.where(is_turned, self._round(values, item), values)
        return values

    def range_in_file(self, item: int) -> tuple[float, float]:
        """Return the lowest and highest number that the file may hold for an item."""
        lowest, highest = self.instrument.range_of(item)
        if self.ends is None or self.coded or item in self.codes_by_item:
            return lowest, highest
        return min(self.ends), min(self.ends) + highest - lowest

    def _coded_items(self, item: np.ndarray | int) -> list[int]:
        known = {*self.codes_by_item, *(() if self.coded else self.texts_by_item)}
        return sorted(known & set(np.unique(item).tolist()))

    def _parser(self, item: int) -> Any:
        if item in self.codes_by_item:
            return parse.number_parser(self.decimal, self.codes_by_item[item])
        number = parse.number_parser(self.decimal)
        printed = parse.number_parser(self.decimal, self.texts_by_item[item])

        def value(text: str) -> float:
            found = number(text)
            return printed(text) if np.isnan(found) else found

        return value

    def _on_the_form(self, values: np.ndarray, item: np.ndarray | int) -> np.ndarray:
        assert self.ends is not None
        first, last = self.ends
        shifted = values - min(self.ends) + self.instrument.minimum
        if first > last:
            shifted = self._round(shifted, item)
        highest = of_items(self.instrument, _highest, item)
        with np.errstate(invalid="ignore"):
            # What neither scale knows (-99) stays as it stands, so that it can be told.
            beyond = (values < min(self.ends)) | (values > min(self.ends) + highest - self._lowest)
            beyond &= (values < self._lowest) | (values > highest)
        return np.where(beyond | self._void(values, item), values, shifted)

    @property
    def _lowest(self) -> float:
        return self.instrument.minimum

    def _round(self, values: np.ndarray, item: np.ndarray | int) -> np.ndarray:
        return self.instrument.minimum + of_items(self.instrument, _highest, item) - values

    def _void(self, values: np.ndarray, item: np.ndarray | int) -> np.ndarray:
        """Return which values say that the item does not apply; they stay as they are."""
        void = of_items(self.instrument, Instrument.not_applicable_answer, item)
        return np.asarray(values == void)


def _highest(instrument: Instrument, item: int) -> float:
    return instrument.range_of(item)[1]


def of_items(instrument: Instrument, fact: Any, item: np.ndarray | int) -> np.ndarray | float:
    """Return a fact of one item, or of each of several."""
    if isinstance(item, int | np.integer):
        return float(fact(instrument, int(item)))
    numbers = [np.nan, *(fact(instrument, i) for i in range(1, instrument.n_items + 1))]
    return np.asarray(np.array(numbers, dtype=float)[item])


def how_stored(given: Mapping[str, Any], instrument: Instrument, decimal: str) -> Stored:
    """Return how a measure is stored: as its entry in the completed mapping says, else the key."""
    key = instrument.stored
    ends = given["stored_as"] or key.stored_as
    turned = (
        key.already_reversed if given["already_reversed"] is None else given["already_reversed"]
    )
    items = instrument.reverse if turned is True else turned or ()
    return Stored(
        instrument=instrument,
        decimal=decimal,
        codes=given["codes"],
        codes_by_item=given["codes_by_item"],
        texts_by_item=key.codes_by_item,
        ends=None if ends is None else (float(ends[0]), float(ends[1])),
        turned=frozenset(items),
    )
