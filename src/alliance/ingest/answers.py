"""Judge every answer: blank, valid, or set aside by a rule; nothing is lost on the way.

Only valid answers become rows of `responses`; all others are counted in the ledger, and those that
break a rule are problems with file, row and column.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd

from alliance.config.instruments import Instrument
from alliance.ingest import parse
from alliance.ingest.layouts import LAYOUTS
from alliance.ingest.layouts.cells import AnswerCells
from alliance.ingest.ledger import Ledger
from alliance.ingest.mapping_faults import ScaleTally, note_codes
from alliance.ingest.packed import is_repeated, packed
from alliance.ingest.partners import others
from alliance.ingest.reading import Reading, counted
from alliance.ingest.rules import BLANK, KEPT, NOT_SELECTED, READ
from alliance.ingest.stored import Stored, how_stored, of_items

_KINDS = {
    **{"client": "int64", "session": "int64", "measure": "int16", "item": "int16"},
    **{"at": "int32", "column": "int32", "reading": "int16", "value": "float64"},
}
# How programs and people write that there is no answer, in small letters.
NO_ANSWER = frozenset(
    ("na", "n/a", "n.a.", "#n/a", "#na", "nan", "null", "#null!", "none", "nil", "missing", "<na>",
     "blank", "-", "--", "---", ".", "..", "?", "k.a.", "k. a.", "keine angabe", "fehlt", "leer",
     "s/d", "nd", "n/d", "refused", "prefer not to say", "not applicable", "no answer")
)  # fmt: skip
KEY = ["client", "session", "measure", "item"]
_VERDICTS = (KEPT, BLANK, "not-a-number", "unknown-code", "out-of-range", "not-on-scale")
_STEP_TOLERANCE = 1e-9  # of a step: answers such as 0.3 are not exact in binary


def responses(
    readings: list[Reading], keys: Mapping[str, Instrument], ledger: Ledger
) -> pd.DataFrame:
    """Return the valid answers of all tables, and account for every cell.

    Returns
    -------
    DataFrame
        client (number), session, measure (position in `keys`), item, value, and where it stands:
        reading (position in `readings`), at (row of its raw table), column; in no set order.
    """
    parts: list[dict[str, np.ndarray]] = []
    accounts: list[Counter[str]] = []
    for at, reading in enumerate(readings):
        counts: Counter[str] = Counter()
        tally = ScaleTally()
        for cells in LAYOUTS[reading.table["rows"]].answers(reading):
            part = _valid_answers(reading, cells, keys, counts, tally)
            part["reading"] = np.full(len(part["value"]), at, dtype=np.int16)
            parts.append(part)
        tally.note(reading, keys)
        note_codes(reading, keys)
        accounts.append(counts + _cells_of_lost_rows(reading))
    table = _table(parts)
    if len(readings) > 1:
        table = _without_contradictions(table, readings, accounts)
    for reading, counts in zip(readings, accounts, strict=True):
        if reading.table["measures"]:
            total = {READ: sum(counts.values()), **counts}
            ledger.count(reading.place("responses"), "answers", total)
    return table


def _table(parts: list[dict[str, np.ndarray]]) -> pd.DataFrame:
    # Ten million answers: whole numbers as small as they may be, each column let go once joined.
    table = {}
    for name, kind in _KINDS.items():
        columns = [np.array([], dtype=kind)]
        columns += [part.pop(name).astype(kind, copy=False) for part in parts]
        table[name] = np.concatenate(columns) if len(columns) != 2 else columns[1]
    return pd.DataFrame(table, copy=False)


def _valid_answers(
    reading: Reading,
    cells: AnswerCells,
    keys: Mapping[str, Instrument],
    counts: Counter[str],
    tally: ScaleTally,
) -> dict[str, np.ndarray]:
    """Return the valid answers among `cells`, count all of them and note the broken ones."""
    instrument = keys[cells.measure]
    given = reading.table["measures"][cells.measure]
    stored = how_stored(given, instrument, reading.table["decimal"])
    texts = reading.cells(cells.column).iloc[cells.at]
    values = _on_whole_steps(stored.answers(texts, cells.item), instrument)
    verdict = verdicts(values, texts.isna().to_numpy(), instrument, cells.item, stored.coded)
    for number, count in enumerate(np.bincount(verdict, minlength=len(_VERDICTS))):
        counts[_VERDICTS[number]] += int(count)
        if number > 1 and count:
            broken = verdict == number
            remedy = _missing_words(texts[broken]) if _VERDICTS[number] == "not-a-number" else None
            _note(reading, _VERDICTS[number], cells, broken, stored, remedy)
    _note_declared_missing(reading, cells, stored)
    kept = verdict == 0
    highest = _highest(instrument, cells.item)
    void = values == of_items(instrument, Instrument.not_applicable_answer, cells.item)
    tally.add(cells, np.where(void, np.nan, values), kept & ~void, instrument, highest)
    at = cells.at[kept]
    constant = {
        "measure": list(keys).index(cells.measure),
        "column": (reading.raw.position(cells.column) or 0) if len(at) else 0,
    }
    return {
        "client": reading.client[at],
        "session": _of_each(cells.session, kept),
        "item": _of_each(cells.item, kept),
        "value": values[kept],
        "at": at,
        **{name: np.full(len(at), n, dtype=np.int32) for name, n in constant.items()},
    }


def _on_whole_steps(values: np.ndarray, instrument: Instrument) -> np.ndarray:
    """Return answers in whole steps without the noise of a spreadsheet's sums (3.0000000000001)."""
    if instrument.step != 1 or instrument.minimum % 1:
        return values
    whole = np.round(values)
    return np.where(np.abs(values - whole) <= _STEP_TOLERANCE, whole, values)


def verdicts(
    values: np.ndarray,
    is_blank: np.ndarray,
    instrument: Instrument,
    item: np.ndarray | int,
    coded: bool,
) -> np.ndarray:
    """Return for each answer its position in the list of verdicts (0: kept, 1: blank, ...).

    Parameters
    ----------
    values
        Shape (m,): the numbers, NaN where a cell is blank or no number.
    is_blank
        Shape (m,): true where a cell is blank.
    instrument
        The form's scale.
    item
        Item number of each, or of all.
    coded
        Whether texts stood for numbers (then a text without number is an unknown code).
    """
    lowest, highest = instrument.minimum, _highest(instrument, item)
    steps = (values - lowest) / (instrument.step or np.inf)  # no step: any number in the range
    with np.errstate(invalid="ignore"):
        on_scale = np.abs(steps - np.round(steps)) <= _STEP_TOLERANCE
        in_range = (values >= lowest) & (values <= highest)
    not_a_number = 3 if coded else 2
    void = values == of_items(instrument, Instrument.not_applicable_answer, item)
    return np.select(
        [is_blank, np.isnan(values), void, ~in_range, ~on_scale],
        [1, not_a_number, 0, 4, 5],
        default=0,
    )


def _highest(instrument: Instrument, item: np.ndarray | int) -> np.ndarray | float:
    return of_items(instrument, lambda own, number: own.range_of(number)[1], item)


def _of_each(numbers: np.ndarray | int, kept: np.ndarray) -> np.ndarray:
    if isinstance(numbers, int):
        return np.full(int(kept.sum()), numbers)
    return np.asarray(numbers[kept])


def _missing_words(texts: pd.Series) -> str | None:
    """Return what to do where most of the texts are words for no answer; they are no client's."""
    counts = texts.str.strip().value_counts()
    words = [str(word) for word in counts.index if str(word).casefold() in NO_ANSWER]
    if counts[words].sum() <= len(texts) / 2:
        return None
    listed = ", ".join(json.dumps(word, ensure_ascii=False) for word in sorted(words))
    return f"if they mean “no answer”, set `missing: [{listed}]` for this table in the site mapping"


def _note(
    reading: Reading,
    rule: str,
    cells: AnswerCells,
    broken: np.ndarray,
    stored: Stored,
    remedy: str | None,
) -> None:
    expected, instrument = None, stored.instrument
    if rule in ("out-of-range", "not-on-scale"):
        item = cells.item if isinstance(cells.item, int) else None
        lowest, highest = stored.range_in_file(item or 1)
        if item is not None or not instrument.item_maximum:
            expected = f"a number from {lowest:g} to {highest:g}"
            expected += f" in steps of {instrument.step:g}" if instrument.step else ""
    reading.problems.add(
        rule,
        reading.place("responses"),
        rows=[int(row) for row in reading.raw.rows[cells.at[broken]]],
        column=cells.column,
        expected=expected,
        remedy=remedy,
    )


def _note_declared_missing(reading: Reading, cells: AnswerCells, stored: Stored) -> None:
    """Note a column whose file calls a value missing that is an answer on the form's scale."""
    ranges = reading.raw.declared_missing.get(cells.column)
    step = stored.instrument.step
    if not ranges or not step:
        return
    if stored.codes is None:
        lowest, highest = stored.range_in_file(cells.item if isinstance(cells.item, int) else 1)
        answers = np.arange(lowest, highest + step / 2, step)
    else:
        answers = np.array([parse.number(code) for code in stored.codes])
    covered = [a for a in answers if any(low <= a <= high for low, high in ranges)]
    if covered:
        reading.problems.add_finding(
            "missing-on-scale",
            reading.place("responses"),
            cells.column,
            f"the file calls {', '.join(f'{answer:g}' for answer in covered)} missing here",
            rows_affected=int(reading.alive.sum()),
        )


def _cells_of_lost_rows(reading: Reading) -> Counter[str]:
    """Count the answer cells of rows that are no session rows, under the reason of the row."""
    if reading.kind == "responses":
        lost = counted(reading.reason[~reading.alive])
        lost[NOT_SELECTED] += int((reading.alive & reading.about_client).sum())
        return +(lost + reading.count_unread())
    columns = [e.column for listed in reading.columns.items.values() for e in listed]
    counts: Counter[str] = Counter()
    for reason, rows in (counted(reading.reason[~reading.alive]) + reading.count_unread()).items():
        counts[reason] += rows * len(columns)
    if reading.kind == "sessions":
        about = reading.alive & reading.about_client
        for column in columns:
            filled = int(reading.cells(column)[about].notna().sum())
            counts[NOT_SELECTED] += filled
            counts[BLANK] += int(about.sum()) - filled
    return +counts


def _without_contradictions(
    table: pd.DataFrame, readings: list[Reading], accounts: list[Counter[str]]
) -> pd.DataFrame:
    """Leave out answers that stand in two files: copies but for the first, contradictions all."""
    twice = is_repeated(packed([table[name].to_numpy() for name in KEY]))
    if not twice.any():
        return table
    shared = table[twice]
    differs = shared.groupby(KEY)["value"].transform("nunique") > 1
    rule = np.where(differs, "conflicting-duplicate", "exact-duplicate")
    places = [
        f"row {readings[at].raw.rows[row]} of {readings[at].table['file']}"
        for at, row in zip(shared["reading"], shared["at"], strict=True)
    ]
    chosen = (differs | shared.duplicated(KEY, keep="first")).to_numpy()
    out = shared.assign(rule=rule)[chosen]
    groups = list(shared.groupby(KEY).ngroup())
    told = others(groups, places, np.flatnonzero(chosen))
    out = out.assign(told=told)
    for _, cells in out.groupby(["reading", "column", "rule"]):
        first = cells.iloc[0]
        at, broken = int(first["reading"]), str(first["rule"])
        reading = readings[at]
        rows = [int(row) for row in reading.raw.rows[cells["at"].to_numpy()]]
        column = reading.raw.header[int(first["column"])]
        words = "{} says the same" if broken == "exact-duplicate" else "{} says otherwise"
        against = [words.format(each) for each in cells["told"]]
        place = reading.place("responses")
        reading.problems.add(broken, place, rows=rows, column=column, against=against)
        accounts[at][KEPT] -= len(cells)
        accounts[at][broken] += len(cells)
    return table.drop(index=out.index)
