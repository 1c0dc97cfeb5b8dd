"""Compare totals that the site wrote down with the sums of the items beside them.

A wrong item or a wrong total is one of the commonest slips in questionnaire data, and one that only
the file itself can show. What disagrees is noted, never changed: the scores are always computed
from the items.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from alliance.config.instruments import Instrument
from alliance.ingest import parse
from alliance.ingest.problems import rows_where
from alliance.ingest.reading import Reading
from alliance.ingest.stored import how_stored

_TOLERANCE = 1e-6  # sums of answers in steps of 0.1 are not exact in binary


def note_disagreements(reading: Reading, keys: Mapping[str, Instrument]) -> None:
    """Note every complete form whose recorded total is not the sum of its items.

    The sum is taken as a person would: reversed items reversed, items without score left out, and
    with the numbers as they stand in the file, also those that are out of range (they are the
    likeliest cause). Forms with an unanswered item, and blank totals, are passed over.
    """
    for measure, by_session in reading.columns.totals.items():
        for session, column in by_session.items():
            sums = _sums(reading, measure, session, keys[measure])
            texts = reading.cells(column)
            recorded = parse.by_unique(texts, parse.number_parser(reading.table["decimal"]))
            agrees = np.abs(recorded - sums) <= _TOLERANCE
            rows = reading.alive & ~np.isnan(sums) & texts.notna().to_numpy() & ~agrees
            if reading.kind == "sessions":
                rows &= ~reading.about_client
            reading.problems.add(
                "total-disagrees",
                reading.place("responses"),
                rows=rows_where(rows, reading.raw.rows),
                column=column,
            )


def _sums(
    reading: Reading, measure: str, session: int | None, instrument: Instrument
) -> np.ndarray:
    """Return the sum of a form's items in each row, NaN where one is blank or no number."""
    given = reading.table["measures"][measure]
    stored = how_stored(given, instrument, reading.table["decimal"])
    sums = np.zeros(len(reading.raw))
    for entry in reading.columns.items[measure]:
        if entry.session != session or entry.item in instrument.unscored:
            continue
        values = stored.answers(reading.cells(entry.column), entry.item)
        void = values == instrument.not_applicable_answer(entry.item)
        if entry.item in instrument.reverse:
            lowest, highest = instrument.range_of(entry.item)
            values = lowest + highest - values
        if instrument.not_applicable is not None:
            counts_as = instrument.not_applicable.counts_as
            values = np.where(void, np.nan if counts_as is None else counts_as, values)
        sums += values
    return sums
