"""One row per answer (long): client, session, form, item and answer are columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from alliance.ingest import parse
from alliance.ingest.layouts.cells import AnswerCells, session_part
from alliance.ingest.packed import first_of_each, packed, text_codes
from alliance.ingest.reading import Reading
from alliance.ingest.rules import NOT_SELECTED
from alliance.likeness import Words


def find_items(reading: Reading, n_items: Mapping[str, int]) -> None:
    """Read which item of which form each row answers; rows of neither are set aside."""
    table = reading.table
    n = len(reading.raw)
    measures = list(table["measures"])
    reading.measure = np.zeros(n, dtype=np.int64)
    if table["form"] is not None:
        forms = reading.cells(table["form"])
        number_of = {table["measures"][name]["form"]: i for i, name in enumerate(measures)}
        words = Words([*number_of, *table["ignore_forms"]])
        ignored = parse.words_by_unique(forms, words.find).isin(table["ignore_forms"])
        reading.set_aside(NOT_SELECTED, ignored.to_numpy())
        found = parse.by_unique(forms, parse.number_parser(".", number_of))
        reading.set_aside("unknown-form", np.isnan(found), column=table["form"])
        reading.measure = np.where(np.isnan(found), -1, found).astype(np.int64)
    numbers = parse.by_unique(reading.cells(table["item"]), lambda text: parse.number(text))
    last = np.array([*(n_items[name] for name in measures), 0])[reading.measure]
    with np.errstate(invalid="ignore"):
        known = (numbers >= 1) & (numbers <= last) & (numbers % 1 == 0)
    reading.set_aside("unknown-item", ~known, column=table["item"])
    reading.item = np.where(known, numbers, 0).astype(np.int64)


def answers(reading: Reading) -> Iterator[AnswerCells]:
    """Yield the answers of each measure."""
    for number, measure in enumerate(reading.table["measures"]):
        at = np.flatnonzero(reading.alive & ~reading.about_client & (reading.measure == number))
        column = reading.table["answer"]
        yield AnswerCells(measure, column, at, reading.session[at], reading.item[at])


def sessions(reading: Reading) -> Iterator[pd.DataFrame]:
    """Yield the sessions of which any answer stands here, once for each statement about them."""
    at = np.flatnonzero(reading.alive & ~reading.about_client)
    told = [reading.client[at], reading.session[at]]
    for by_session in reading.columns.session_facts.values():
        told += [text_codes(reading.cells(column).iloc[at]) for column in by_session.values()]
    at = at[first_of_each(packed(told))]
    yield session_part(reading, at, reading.session[at], None)
