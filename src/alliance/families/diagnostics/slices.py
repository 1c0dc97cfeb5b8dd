"""Many values as a few means, none of which rests on fewer than `FEWEST` people."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtri

from alliance.confidence import NORMAL_975

FEWEST = 8
"""Fewest people (or groups) behind anything that is shown."""

SLICES = 41
"""Most points of a normal quantile-quantile plot."""

BINS = 15
"""Most bins along an axis."""


def normal_pairs(values: np.ndarray, people: np.ndarray) -> dict[str, list[float]]:
    """Return the pairs of a normal quantile-quantile plot, each a mean over a slice.

    The sorted values are cut into slices of equal size; a point is the mean of a slice against the
    mean of the normal quantiles at (i - 1/2) / n. So the two ends are means over many values too,
    and nobody's value can be read off.

    Parameters
    ----------
    values
        Standardised, shape (n,).
    people
        Whose each value is, shape (n,). A slice with values of fewer than `FEWEST` is not shown.
    """
    n = len(values)
    order = np.argsort(values, kind="stable")
    expected = ndtri((np.arange(n) + 0.5) / n)
    pairs: dict[str, list[float]] = {"expected": [], "observed": []}
    for slice_ in np.array_split(np.arange(n), max(1, min(SLICES, n // FEWEST))):
        here = order[slice_]
        if len(np.unique(people[here])) >= FEWEST:
            pairs["expected"].append(float(expected[slice_].mean()))
            pairs["observed"].append(float(values[here].mean()))
    return pairs


def bins_of(x: np.ndarray, people: np.ndarray, most: int = BINS) -> list[np.ndarray]:
    """Return the rows of bins along x: about equally many, of `FEWEST` people at least.

    Equal values of x stay together. What is left at the end joins the last bin.
    """
    order = np.argsort(x, kind="stable")
    target = max(FEWEST, len(x) / most)
    bins: list[list[int]] = [[]]
    rises = np.append(np.diff(x[order]) > 0, False)
    for row, ends in zip(order, rises, strict=True):
        bins[-1].append(int(row))
        if ends and len(bins[-1]) >= target and _enough(people, bins[-1]):
            bins.append([])
    if len(bins) > 1 and (len(bins[-1]) < 0.5 * target or not _enough(people, bins[-1])):
        rest = bins.pop()
        bins[-1] += rest
    return [np.array(rows, dtype=np.int64) for rows in bins if _enough(people, rows)]


def _enough(people: np.ndarray, rows: list[int]) -> bool:
    """Say whether these rows are of enough people to be shown."""
    return len(np.unique(people[rows])) >= FEWEST


def binned(x: np.ndarray, values: np.ndarray, people: np.ndarray) -> dict[str, list[float]]:
    """Return mean of x, number of rows, mean, its interval, and SD of `values` in each bin along x.

    The interval is that of a mean of independent values: mean -+ 1.96 SD / sqrt(n).
    """
    columns: dict[str, list[float]] = {
        key: [] for key in ("x", "rows", "mean", "mean_low", "mean_high", "sd")
    }
    for rows in bins_of(x, people):
        mean, sd = float(values[rows].mean()), float(values[rows].std(ddof=1))
        half = NORMAL_975 * sd / np.sqrt(len(rows))
        numbers: dict[str, Any] = {
            "x": float(x[rows].mean()),
            "rows": len(rows),
            "mean": mean,
            "mean_low": mean - half,
            "mean_high": mean + half,
            "sd": sd,
        }
        for key, number in numbers.items():
            columns[key].append(number)
    return columns
