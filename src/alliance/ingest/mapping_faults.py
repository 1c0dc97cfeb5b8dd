"""Notice when the mapping is wrong, not the data: a rule that hits nearly everything.

A thousand times "mend the date" means that `dates` is not what the file holds. Such a run would end
well and report on what is left, so it is stopped, with one problem that names the mapping's key.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from alliance.config.instruments import Instrument
from alliance.ingest import parse
from alliance.ingest.layouts.cells import AnswerCells
from alliance.ingest.odd_values import MISSING_CODES
from alliance.ingest.problems import Problems
from alliance.ingest.reading import Reading
from alliance.ingest.rule import CELL_SET_ASIDE
from alliance.ingest.rules import BLANK, NOT_SELECTED, RULES

# ASSUME no sound export has half of its rows, or half of the filled-in cells of a column, set aside
# by one and the same rule.
MOST_SET_ASIDE = 0.5
JUDGED_FROM = 20  # below this many rows or cells set aside ...
JUDGED_FROM_IF_ALL = 5  # ... (cells; rows: from the first) only where not one is left

# ASSUME answers one beyond the scale, and none at its other end, come from a form that was coded
# from another number; fewer than these may be slips of the keyboard and chance.
SHIFTED_LEAST = 5
VALID_LEAST = 20
# ASSUME so large a share of answers beyond the scale, spread over half of the items, is no slip of
# the keyboard: the form had other answers.
LONGER_SHARE = 0.03
# ASSUME one number among those beyond the scale is a code for "no answer" if it makes up most of
# them.
MISSING_LEAST, MISSING_SHARE = 3, 0.8

# ASSUME a fifth of the answers to an item beyond its scale are no slips either; for an item whose
# options the form prints otherwise (1a, 1b) a few are enough.
ITEM_SHARE, PRINTED_LEAST = 0.2, 3
# ASSUME items on a scale of their own hold so much of all answers beyond the scale; where others
# have them too, the whole form was on another scale.
OWN_SCALE_SHARE = 0.9

# A copied row costs nothing: its first copy is kept.
_HARMLESS = {"exact-duplicate"}
REMEDIES = {
    "summary-row": "look whether `client` of this table names the column with the ids",
    "no-client-id": "look whether `client` of this table names the column with the ids",
    "no-site": "look whether `site` of this table names the column with the sites",
    "bad-site": "look whether `site` of this table names the column with the sites",
    "client-at-two-sites": "look whether `site` and `client` of this table name the right columns",
    "no-session-number": "look whether `session` of this table names the right column",
    "bad-session-number": "look whether `session` of this table names the right column, or give"
    " `pattern` or `codes`",
    "unknown-event": "mend `pattern` or `codes` of `session` of this table",
    "unknown-form": "mend `form` of the measures of this table, or add to `ignore_forms`",
    "unknown-item": "look whether `item` of this table names the column with the item numbers",
    "conflicting-duplicate": "look whether `rows`, `client` and `session` of this table say what"
    " one row is",
    "row-too-long": "mend `delimiter` or `header_row` of this table; where R wrote the file, its"
    " row names have no column name: export it with row.names = FALSE",
    "row-too-short": "mend `delimiter` or `header_row` of this table",
    "quote-astray": "mend `delimiter` or `quote` of this table, or export the file again, with"
    ' quotation marks within a text doubled ("") and not behind a backslash',
    "header-again": "export the file again: nearly every row repeats the column names",
    "two-boxes-ticked": "look whether `boxes` of this fact names boxes of which one can be ticked",
    "not-a-number": "mend `decimal` of this table, the column's name, or give `codes`",
    "out-of-range": "look whether the columns are those of this measure, whether its `instrument`"
    " in the config is the form that was used, and whether `missing` or `codes` are needed",
    "not-on-scale": "look whether the measure's `instrument` in the config is the form that was"
    " used, and mend `decimal` of this table",
    "bad-date": "mend `dates` of this table: the file writes its dates in another order or with"
    " other signs",
    "unknown-code": "mend `codes` of this column",
    "client-conflict": "look whether the column tells about the client at all: `client_facts` say"
    " the same in all rows of a client",
}


class _Part(NamedTuple):
    """An item or a fact: its broken and its filled-in cells, and the columns they stand in."""

    broken: int
    filled: int
    columns: list[str]


def note_sweeping_rules(readings: list[Reading], problems: Problems) -> None:
    """Stop the run where one rule sets aside nearly all rows of a file or cells of a column."""
    found = problems.table()
    for reading in readings:
        if reading.columns.missing or reading.columns.twice:
            continue  # told already, and the cause of whatever follows
        sheet = reading.table["sheet"]
        of_file = found["sheet"].isna() if sheet is None else found["sheet"] == sheet
        own = found[(found["file"] == reading.table["file"]) & of_file]
        _note_rows(reading, own)
        _note_cells(reading, own[own["column"].notna() & (own["action"] == CELL_SET_ASIDE)])


def _note_rows(reading: Reading, own: pd.DataFrame) -> None:
    reasons = reading.counted_rows() + reading.count_unread()
    n_rows = sum(reasons.values()) - reasons[BLANK] - reasons[NOT_SELECTED]
    for rule, count in sorted(reasons.items()):
        if rule not in RULES or rule in _HARMLESS or not _is_sweeping(count, n_rows, 1):
            continue
        columns = own.loc[own["rule"] == rule, "column"].dropna().unique()
        reading.problems.add(
            "nearly-all-set-aside",
            reading.place(),
            column=str(columns[0]) if len(columns) == 1 else None,
            expected=f"{RULES[rule].expected}; {count:,} of {n_rows:,} rows are not so",
            remedy=REMEDIES.get(rule),
        )


def _note_cells(reading: Reading, own: pd.DataFrame) -> None:
    """Judge columns; those of one item or fact at several sessions count as one."""
    broken: defaultdict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    meaning = dict(_meanings(reading))
    for (rule, column), problems in own.groupby(["rule", "column"], sort=False):
        told = (str(rule), *meaning.get(str(column), ("", str(column))))
        broken[told][str(column)] += int(problems["rows_affected"].sum())
    sweeping: defaultdict[tuple[str, str], list[_Part]] = defaultdict(list)
    for (rule, what, part), counts in broken.items():
        columns = [c for c, known in meaning.items() if known == (what, part)] or list(counts)
        filled = sum(_filled(reading, column) for column in columns)
        is_swapped = rule == "bad-date" and counts.total() >= JUDGED_FROM_IF_ALL
        is_swapped = is_swapped and _reads_with_month_and_day_swapped(reading, columns)
        if is_swapped or _is_sweeping(counts.total(), filled, JUDGED_FROM_IF_ALL):
            sweeping[rule, what or part].append(_Part(counts.total(), filled, columns))
    for (rule, _), parts in sweeping.items():
        count, filled = sum(p.broken for p in parts), sum(p.filled for p in parts)
        columns = [column for p in parts for column in p.columns]
        more = f" (this column and {len(columns) - 1} more)" if len(columns) > 1 else ""
        reading.problems.add(
            "column-unreadable",
            reading.place(),
            column=columns[0],
            expected=f"{RULES[rule].expected}; {count:,} of {filled:,} filled-in cells are not so"
            f"{more}",
            remedy=_missing_codes_remedy(reading, rule) or REMEDIES.get(rule),
        )


def _missing_codes_remedy(reading: Reading, rule: str) -> str | None:
    """Return what was said of codes for missing answers in this file, where they broke `rule`."""
    found = reading.problems.table()
    own = (found["rule"] == "missing-code") & (found["file"] == reading.table["file"])
    remedies = found.loc[own & (found["table"] == "responses"), "remedy"]
    return str(remedies.iloc[0]) if rule == "out-of-range" and len(remedies) else None


def _meanings(reading: Reading) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield (column, (measure or fact, item)) of the columns that may stand for many sessions."""
    for measure, entries in reading.columns.items.items():
        for entry in entries:
            yield entry.column, (measure, str(entry.item))
    for fact, by_session in reading.columns.session_facts.items():
        for column in by_session.values():
            yield column, (fact, "")


def _filled(reading: Reading, column: str) -> int:
    """Return how many kept cells of a column are filled in (once a session, of a fact)."""
    filled = reading.alive & reading.cells(column).notna().to_numpy()
    facts = reading.columns.session_facts.values()
    if reading.kind == "responses" and any(column in by.values() for by in facts):
        told = pd.DataFrame({"client": reading.client, "session": reading.session})
        told["text"] = reading.cells(column).to_numpy()
        return int((~told[filled].duplicated()).sum())
    return int(filled.sum())


def _reads_with_month_and_day_swapped(reading: Reading, columns: list[str]) -> bool:
    """Whether every date can be read once month and day change places in `dates`.

    Then the dates that can be read as they are declared are wrong as well, and nobody would see.
    """
    swap = {"mm": "dd", "dd": "mm"}
    swapped = re.sub("mm|dd", lambda token: swap[token.group()], reading.table["dates"])
    for column in columns:
        texts = reading.cells(column)[reading.alive]
        days = parse.dates(texts, swapped, None)
        if np.isnan(days[texts.notna().to_numpy()]).any():
            return False
    return True


def _is_sweeping(count: int, of: int, least_if_all: int) -> bool:
    if count >= of:
        return count >= least_if_all
    return count >= JUDGED_FROM and count >= MOST_SET_ASIDE * of


def _options_remedy(items: list[int], instrument: Instrument) -> str | None:
    """Return the codes that turn numbered options of a form (0 to 6) into its answers."""
    printed = [instrument.stored.codes_by_item.get(item) for item in items]
    if not printed[0] or any(codes != printed[0] for codes in printed):
        return None
    answers = [instrument.minimum, *printed[0].values()]
    codes = ", ".join(f"{number}: {answer:g}" for number, answer in enumerate(answers))
    listed = ", ".join(f"{item}: {{{codes}}}" for item in items)
    told = f"if the file numbers their options from 0, set `codes_by_item: {{{listed}}}` for this"
    return f"{told} measure in the site mapping"


def note_codes(reading: Reading, keys: Mapping[str, Instrument]) -> None:
    """Judge texts that stand for answers where they leave answers of the form without a text.

    A text without letter or digit ("-") can be nobody's wording of one answer: it stands for
    several, and the run is stopped. Words may be fewer because nobody gave the others: noted.
    """
    for measure, given in reading.table["measures"].items():
        codes, instrument = given["codes"], keys[measure]
        if not codes or not instrument.step or all(_is_number(text) for text in codes):
            continue
        n_steps = round((instrument.maximum - instrument.minimum) / instrument.step) + 1
        n_named = len(set(codes.values()))
        if n_named >= n_steps:
            continue
        columns = dict.fromkeys(e.column for e in reading.columns.items.get(measure, []))
        columns = columns or {reading.table["answer"]: None}
        bare = {text for text in codes if not any(sign.isalnum() for sign in text)}
        n_bare = sum(
            int(reading.cells(column).str.strip().isin(bare).sum()) for column in columns if bare
        )
        told = f"`codes` name {n_named} of the {n_steps} answers to {measure}"
        reading.problems.add_finding(
            "label-shared" if n_bare else "codes-leave-gaps",
            reading.place("responses"),
            next(iter(columns)),
            f"{told}, and {n_bare:,} cells hold a mere sign" if n_bare else told,
            remedy="export the numbers of the answers instead of their texts, or give each answer a"
            " text of its own in the survey and export again"
            if n_bare
            else None,
            rows_affected=max(n_bare, 1),
        )


def _is_number(text: str) -> bool:
    return not np.isnan(parse.number(text.replace(",", ".")))


class ScaleTally:
    """Counts where the answers to each measure of a table stand on its scale."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._column: dict[str, str] = {}
        self._beyond: defaultdict[str, Counter[float]] = defaultdict(Counter)
        self._items: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self._answered: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def add(
        self,
        cells: AnswerCells,
        values: np.ndarray,
        is_valid: np.ndarray,
        instrument: Instrument,
        highest: np.ndarray | float,
    ) -> None:
        """Count the answers of one column, shape (m,); `highest` is the top of each one's scale."""
        # Where any number is an answer there is no next step beyond the range.
        lowest, step, measure = instrument.minimum, instrument.step or np.nan, cells.measure
        with np.errstate(invalid="ignore"):
            out = (values < lowest) | (values > highest)
            marks = {
                "valid": is_valid,
                "lowest": is_valid & (values == lowest),
                "highest": is_valid & (values == highest),
                "out": out,
                "above": np.isclose(values, highest + step, rtol=0, atol=1e-9),
                "below": np.isclose(values, lowest - step, rtol=0, atol=1e-9),
            }
        self._counts[measure].update({name: int(mark.sum()) for name, mark in marks.items()})
        self._column.setdefault(measure, cells.column)
        if not out.any():
            return
        beyond, counts = np.unique(values[out], return_counts=True)
        self._beyond[measure].update(dict(zip(beyond.tolist(), counts.tolist(), strict=True)))
        asked = np.broadcast_to(cells.item, len(out))
        for counted, which in ((self._items, out), (self._answered, out | is_valid)):
            items, counts = np.unique(asked[which], return_counts=True)
            counted[measure].update(dict(zip(items.tolist(), counts.tolist(), strict=True)))

    def note(self, reading: Reading, keys: Mapping[str, Instrument]) -> None:
        """Note what the answers beyond a scale have in common; most of it stops the run."""
        for measure, n in self._counts.items():
            codes = self._codes(measure)
            if self._note_shift(reading, measure, n, codes, keys[measure]):
                continue
            if codes:
                count = sum(codes.values())
                listed = ", ".join(f"{code:g}" for code in sorted(codes))
                reading.problems.add_finding(
                    "missing-code",
                    reading.place("responses"),
                    self._column[measure],
                    f"{count:,} of the {n['out']:,} answers to {measure} that are out of range are"
                    f" {listed}",
                    remedy=f"if they mean “no answer”, set `missing: [{listed}]` for this table in"
                    " the site mapping",
                    rows_affected=count,
                )
            elif not self._note_items(reading, measure, keys[measure]):
                self._note_length(reading, measure, n, keys[measure])

    def _codes(self, measure: str) -> dict[float, int]:
        """Return the numbers beyond the scale that mean a missing answer, if they are most."""
        beyond = self._beyond[measure]
        codes = {
            number: count
            for number, count in beyond.items()
            if number in MISSING_CODES and count >= MISSING_LEAST
        }
        return codes if sum(codes.values()) >= MISSING_SHARE * max(beyond.total(), 1) else {}

    def _note_shift(
        self,
        reading: Reading,
        measure: str,
        n: Counter[str],
        codes: Mapping[float, int],
        instrument: Instrument,
    ) -> bool:
        """Stop the run where a form was coded one step above or below its scale."""
        step = instrument.step
        n_out = n["out"] - sum(
            count
            for code, count in codes.items()
            if code not in (instrument.minimum - step, instrument.maximum + step)
        )
        if n_out < SHIFTED_LEAST or n["valid"] < VALID_LEAST:
            return False
        for beyond, end, by in (("above", "lowest", step), ("below", "highest", -step)):
            if n_out == n[beyond] and n[end] == 0:
                ends = f"[{instrument.minimum + by:g}, {instrument.maximum + by:g}]"
                reading.problems.add(
                    "scale-shifted",
                    reading.place("responses"),
                    column=self._column[measure],
                    expected=f"answers to {measure} on the form's own scale; {n_out:,} stand"
                    f" one step {beyond} it and not one at its {end} answer",
                    remedy=f"if the form was entered from {ends}, set `stored_as: {ends}` for this"
                    " measure in the site mapping",
                )
                return True
        return False

    def _note_items(self, reading: Reading, measure: str, instrument: Instrument) -> bool:
        """Stop the run where single items are stored on another scale than their form."""
        odd = []
        for item, n_out in sorted(self._items[measure].items()):
            answered = self._answered[measure][item]
            if _is_sweeping(n_out, answered, JUDGED_FROM_IF_ALL):
                continue  # told of the whole column
            is_printed = item in instrument.stored.codes_by_item and n_out >= PRINTED_LEAST
            if is_printed or (n_out >= SHIFTED_LEAST and n_out >= ITEM_SHARE * answered):
                odd.append(item)
        beyond = sum(self._items[measure].values())
        of_these = sum(self._items[measure][item] for item in odd)
        # where the other items have such answers too, it is the form that has another scale
        if not odd or 2 * len(odd) >= instrument.n_items or of_these < OWN_SCALE_SHARE * beyond:
            return False
        told = ", ".join(map(str, odd))
        reading.problems.add_finding(
            "item-on-another-scale",
            reading.place("responses"),
            self._column[measure],
            f"many answers to item {told} of {measure} lie beyond their scale",
            remedy=_options_remedy(odd, instrument),
            rows_affected=of_these,
        )
        return True

    def _note_length(
        self, reading: Reading, measure: str, n: Counter[str], instrument: Instrument
    ) -> None:
        """Stop the run where answers to most items lie beyond the scale: it was another one."""
        n_items = sum(1 for count in self._items[measure].values() if count >= 2)
        share = n["out"] / max(n["out"] + n["valid"], 1)
        if n["out"] < JUDGED_FROM or share < LONGER_SHARE or 2 * n_items < instrument.n_items:
            return
        reading.problems.add(
            "scale-of-another-length",
            reading.place("responses"),
            column=self._column[measure],
            expected=f"answers to {measure} from {instrument.minimum:g} to {instrument.maximum:g};"
            f" {share:.0%} of them, to {n_items} of {instrument.n_items} items, lie beyond",
        )
