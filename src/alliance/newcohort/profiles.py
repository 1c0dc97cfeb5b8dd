"""What a column holds, told without any value: range of numbers, dates, few or many texts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alliance.ingest import parse
from alliance.ingest.raw import RawTable

# Ways to write a date, the longer ones first where one begins like another.
STYLES = tuple(
    f"{date}{time}"
    for date in (
        "yyyy-mm-dd", "yyyy/mm/dd", "dd.mm.yyyy", "dd.mm.yy", "dd/mm/yyyy", "mm/dd/yyyy",
        "dd-mm-yyyy", "mm-dd-yyyy", "dd/mm/yy", "mm/dd/yy", "dd-mmm-yyyy", "dd-mmm-yy",
        "dd mmm yyyy",
    )
    for time in ("", " HH:MM", " HH:MM:SS")
)  # fmt: skip
MOST_TEXTS = 60  # more distinct texts than these are no set of codes or events
LEAST_ROWS = 3  # a text of fewer rows is not written down: it may point to a person
SLIPS = 0.003  # share of cells
_MOST_LOOKED_AT = 5000
_MISSING_CODES = (-1.0, -9.0, -8.0, -99.0, -999.0, 99.0, 999.0)


@dataclass(frozen=True, slots=True)
class Profile:
    """A column.

    Attributes
    ----------
    name
        Its name.
    n_filled, n_distinct
        Cells that are not blank, and how many texts differ.
    numeric
        Share of the distinct texts that are numbers.
    low, high
        Range of the numbers, codes for missing answers left out; NaN without numbers.
    whole
        Whether all of them are whole.
    missing_codes
        Numbers far off the others that usually stand for a missing answer.
    styles
        Ways in which every text can be read as a date; `real` where the file says they are dates.
    texts
        The distinct texts, if they are few and each stands in several rows; else empty.
    labels
        Value labels of the file: code to label.
    counts
        How often each number stands there, codes for missing answers left out.
    text_counts
        How often each text stands there, if there are few: to be pooled over columns, not told.
    """

    name: str
    n_filled: int
    n_distinct: int
    numeric: float
    low: float
    high: float
    whole: bool
    missing_codes: tuple[str, ...]
    styles: tuple[str, ...]
    texts: tuple[str, ...]
    labels: dict[str, str]
    counts: dict[float, int]
    text_counts: dict[str, int]

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers, a slip or two aside."""
        return self.numeric >= 0.8 and not math.isnan(self.low)


def profiles(raw: RawTable, decimal: str) -> list[Profile]:
    """Return a profile of every column that has a name."""
    return [
        _profile(name, column, raw, decimal)
        for name, column in zip(raw.header, raw.columns, strict=True)
        if name
    ]


def _profile(name: str, column: pd.Series, raw: RawTable, decimal: str) -> Profile:
    counts = column.dropna().str.strip().value_counts()
    distinct = [str(text) for text in counts.index[:_MOST_LOOKED_AT]]
    numbers = np.array([parse.number(text, decimal) for text in distinct], dtype=float)
    values = numbers[np.isfinite(numbers)]
    codes, kept = _without_codes(values)
    few = len(counts) <= MOST_TEXTS
    shared = tuple(sorted(str(t) for t, n in counts.items() if n >= LEAST_ROWS)) if few else ()
    real = raw.dates.get(name)
    styles: tuple[str, ...] = ("real",) if real is not None else _styles(distinct)
    return Profile(
        name=name,
        n_filled=int(counts.sum()),
        n_distinct=len(counts),
        numeric=len(values) / len(distinct) if distinct else 0.0,
        low=float(kept.min()) if len(kept) else math.nan,
        high=float(kept.max()) if len(kept) else math.nan,
        whole=bool(np.all(kept == np.round(kept))) if len(kept) else False,
        missing_codes=tuple(f"{code:g}" for code in codes),
        styles=styles,
        texts=shared,
        labels=dict(raw.labels.get(name, {})),
        counts={
            float(number): int(n)
            for number, n in zip(numbers, counts.to_numpy(), strict=False)
            if number in kept
        },
        text_counts={str(text): int(n) for text, n in counts.items()} if few else {},
    )


def usual_range(profiles: Iterable[Profile]) -> tuple[float, float, bool]:
    """Return lowest and highest number of several columns, and whether slips lie beyond.

    ASSUME what stands at an end of the range in fewer than 3 of 1,000 cells is a slip of the hand.
    """
    pooled: Counter[float] = Counter()
    for profile in profiles:
        pooled.update(profile.counts)
    if not pooled:
        return math.nan, math.nan, False
    few = SLIPS * sum(pooled.values())
    numbers = sorted(pooled)
    low, high = 0, len(numbers) - 1
    while low < high and pooled[numbers[low]] < few:
        low += 1
    while high > low and pooled[numbers[high]] < few:
        high -= 1
    return numbers[low], numbers[high], (low, high) != (0, len(numbers) - 1)


def shared_texts(profiles: Iterable[Profile]) -> tuple[str, ...]:
    """Return the texts of several columns together that stand in `LEAST_ROWS` cells or more."""
    pooled: Counter[str] = Counter()
    for profile in profiles:
        pooled.update(profile.text_counts)
    return tuple(sorted(text for text, n in pooled.items() if n >= LEAST_ROWS))


def _without_codes(values: np.ndarray) -> tuple[list[float], np.ndarray]:
    """Tell codes for missing answers from answers: usual ones, and far from all other numbers."""
    kept, codes = values, []
    for code in _MISSING_CODES:
        others = kept[kept != code]
        if code not in kept or not len(others):
            continue
        gap = others.min() - code if code < 0 else code - others.max()
        span = others.max() - others.min()
        # ASSUME an answer lies within half the span of the others; -9 beside 0 to 3 does not.
        if (code < 0 <= others.min()) or (code > 0 and gap > max(20.0, 3 * span)):
            codes.append(code)
            kept = others
    return sorted(codes), kept


def _styles(distinct: list[str]) -> tuple[str, ...]:
    """Return the ways in which all texts (but a slip in twenty) can be read as dates."""
    if not distinct or not any(sign in distinct[0] for sign in "./-"):
        return ()
    found = []
    for style in STYLES:
        read = parse.moment_parser(style)
        failed = sum(math.isnan(read(text)) for text in distinct)
        if failed <= 0.05 * len(distinct):
            found.append(style)
    return tuple(found)
