"""Coarse margins: all that is taken from single columns of a cohort's tables.

ASSUME a count of eight or more gives nobody away, as for what is shared (docs/sharing.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

SMALLEST = 8  # people behind anything that is told of a category
SHARE_DIGITS = 2
ROUNDED_TO = 5  # numbers of people


@dataclass(frozen=True, slots=True)
class Categories:
    """Shares of the values of a column; `missing` is the share of those of whom it is not told."""

    values: tuple[Any, ...]
    shares: tuple[float, ...]
    missing: float

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return n values (object), None where it is not told."""
        drawn = np.full(n, None, dtype=object)
        if self.values:
            shares = np.array(self.shares) / sum(self.shares)
            drawn[:] = np.array(self.values, dtype=object)[rng.choice(len(shares), n, p=shares)]
        drawn[rng.random(n) < self.missing] = None
        return drawn


@dataclass(frozen=True, slots=True)
class Number:
    """Mean and SD of a column of numbers, whether they are whole, the share that is missing."""

    mean: float
    sd: float
    whole: bool
    missing: float

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return n numbers within two SDs of the mean (object), None where it is not told."""
        drawn = np.clip(rng.normal(self.mean, self.sd, n), *self._bounds())
        drawn = (np.rint(drawn) if self.whole else np.round(drawn, 2)).astype(object)
        drawn[rng.random(n) < self.missing] = None
        return drawn

    def _bounds(self) -> tuple[float, float]:
        return self.mean - 2 * self.sd, self.mean + 2 * self.sd


def categories(column: pd.Series) -> Categories:
    """Return the margin of a column of words or whole numbers.

    Values that fewer than eight people have are pooled and share the pool evenly; a pool of fewer
    than eight is left out.
    """
    counts = column.value_counts().sort_index()
    small = counts[counts < SMALLEST]
    kept = counts[counts >= SMALLEST].astype(float)
    if small.sum() >= SMALLEST:
        kept = pd.concat([kept, pd.Series(small.sum() / len(small), index=small.index)])
    shares = (kept / kept.sum()).round(SHARE_DIGITS)
    shares = shares[shares > 0]
    return Categories(tuple(shares.index), tuple(map(float, shares)), missing_share(column))


def numbers(column: pd.Series) -> Number:
    """Return the margin of a column of numbers; of fewer than eight people nothing is told."""
    told = column.dropna().astype(float)
    if len(told) < SMALLEST:
        return Number(0.0, 0.0, whole=True, missing=1.0)
    whole = bool((told % 1 == 0).all())
    return Number(three_digits(told.mean()), three_digits(told.std()), whole, missing_share(column))


def missing_share(column: pd.Series) -> float:
    """Return the share of a column that is missing: 0 or 1 where fewer than eight are otherwise."""
    n_missing = int(column.isna().sum())
    if n_missing < SMALLEST:
        return 0.0
    if len(column) - n_missing < SMALLEST:
        return 1.0
    return share(n_missing, len(column))


def share(part: float, whole: float) -> float:
    """Return a share, rounded."""
    return round(float(part) / float(whole), SHARE_DIGITS) if whole else 0.0


def about(n: int) -> int:
    """Return a number of people to the nearest five, at least five."""
    return max(ROUNDED_TO, round(n / ROUNDED_TO) * ROUNDED_TO)


def three_digits(value: float) -> float:
    """Return a number with three significant digits."""
    return float(f"{value:.3g}")


def in_bands(counts: Sequence[int]) -> list[range]:
    """Return runs of positions that hold eight or more each; the last may take what is left.

    Before the first count that is not zero there is no run: a zero gives nobody away.
    """
    first = next((n for n, count in enumerate(counts) if count), 0)
    bands, start, total = [], first, 0
    for n in range(first, len(counts)):
        total += counts[n]
        if total >= SMALLEST:
            bands.append(range(start, n + 1))
            start, total = n + 1, 0
    if bands and start < len(counts):
        bands[-1] = range(bands[-1].start, len(counts))
    return bands
