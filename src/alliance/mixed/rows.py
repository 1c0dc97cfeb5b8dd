"""Which rows a fit uses, in which order, and how they nest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed.columns import column_problems, is_categorical, numeric

MOST_REASONS = 60
"""Columns whose missing values are told apart by name."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a fit.

    Attributes
    ----------
    total : int
        Rows of the data given.
    used : int
        Rows that the fit rests on.
    left_out : dict of str to int
        Number of rows left out, by reason; ``used + sum(left_out.values()) == total``.
    used_positions : numpy.ndarray
        Positions (from 0) of the used rows in the data given, ascending, shape (used,).
    by_outcome : dict of str to Rows
        With several outcomes the same per outcome: a row is used if one of its outcomes is.
    """

    total: int
    used: int
    left_out: dict[str, int]
    used_positions: np.ndarray = field(repr=False)
    by_outcome: dict[str, Rows] = field(default_factory=dict, repr=False)

    @property
    def values(self) -> int:
        """Values of outcomes that the fit rests on: the used rows, added up over the outcomes."""
        return sum(rows.used for rows in self.by_outcome.values()) or self.used


def select_rows(data: pd.DataFrame, needed: Sequence[str], ids: Sequence[str]) -> Rows:
    """Keep the rows that are complete in the needed columns, `ids` of groups among them.

    Raises
    ------
    FitError
        No row left, columns that cannot be read (see `alliance.mixed.columns`), or infinite values
        (with the number of rows per column).
    """
    problems = column_problems(data, needed, ids)
    # ASSUME rows with a missing value are left out: unbiased if missing at random given the model.
    keep = np.ones(len(data), dtype=bool)
    missing: dict[str, np.ndarray] = {}
    infinite: list[str] = []
    for name in needed:
        column = data[name]
        if column.dtype == object and not is_categorical(column):
            column = pd.Series(numeric(column, name))
        if not is_categorical(column) and column.dtype.kind == "f":
            values = column.to_numpy(dtype=float, na_value=np.nan)
            finite = np.isfinite(values)
            if finite.all():
                continue
            absent = np.isnan(values)
            if (~finite & ~absent).any():
                infinite.append(f"'{name}' ({_rows_text(~finite & ~absent)})")
        else:
            absent = column.isna().to_numpy()
        if absent.any():
            missing[name] = absent
            keep &= ~absent
    if infinite:
        problems.append(
            f"Infinite values in column {', '.join(infinite)}. Replace them by a number or leave "
            "them empty."
        )
    if problems:
        raise FitError("\n".join(problems))
    left_out = reasons_of(missing, len(data))
    if not keep.any():
        worst = "; ".join(f"{count} rows: {reason}" for reason, count in left_out.items())
        raise FitError(f"No complete row is left to fit. {worst or 'The data have no rows'}.")
    positions = np.flatnonzero(keep)
    return Rows(len(data), len(positions), left_out, positions)


def reasons_of(missing: dict[str, np.ndarray], count: int) -> dict[str, int]:
    """Count rows by the set of columns that they lack."""
    if not missing:
        return {}
    names = list(missing)
    combination = np.zeros(count, dtype=np.int64)
    for bit, name in enumerate(names[:MOST_REASONS]):
        combination |= missing[name].astype(np.int64) << bit
    for name in names[MOST_REASONS:]:
        combination[missing[name] & (combination == 0)] = 1 << MOST_REASONS
    reasons: dict[str, int] = {}
    for code, number in zip(
        *np.unique(combination[combination > 0], return_counts=True), strict=True
    ):
        parts = [name for bit, name in enumerate(names[:MOST_REASONS]) if int(code) >> bit & 1]
        reasons["missing " + (", ".join(parts) or "another column")] = int(number)
    return reasons


def _rows_text(mask: np.ndarray) -> str:
    """``3 rows: 5, 8, 9`` with rows counted from 1."""
    positions = np.flatnonzero(mask) + 1
    shown = ", ".join(str(position) for position in positions[:5])
    more = ", ..." if len(positions) > 5 else ""
    return f"{len(positions)} row{'s' if len(positions) > 1 else ''}: {shown}{more}"


@dataclass(frozen=True, slots=True)
class Nesting:
    """The tree of groups over the sorted rows, outermost level first.

    Attributes
    ----------
    levels : tuple of str
        Level names, outermost first.
    order : numpy.ndarray or None
        Positions that sort the used rows by group; None if they are sorted already.
    starts : tuple of numpy.ndarray
        Per level, first sorted row of each group plus the end, shape (groups + 1,).
    labels : tuple of pandas.Index
        Per level, the id of each group in sorted order; a MultiIndex where the level joins columns.
    """

    levels: tuple[str, ...]
    order: np.ndarray | None
    starts: tuple[np.ndarray, ...]
    labels: tuple[pd.Index, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Number of groups per level."""
        return {
            level: len(start) - 1 for level, start in zip(self.levels, self.starts, strict=True)
        }

    def parents(self, depth: int) -> np.ndarray:
        """Index of the group one level up that holds each group of level `depth` (>= 1)."""
        return self.holders(depth, depth - 1)

    def holders(self, depth: int, outer: int) -> np.ndarray:
        """Index of the group of level `outer` that holds each group of level `depth`."""
        return np.searchsorted(self.starts[outer], self.starts[depth][:-1], side="right") - 1

    def id_columns(self, depth: int) -> dict[str, pd.Index]:
        """Id columns of a level and of those above it, one value per group of the level."""
        columns: dict[str, pd.Index] = {}
        for outer, level in enumerate(self.levels[: depth + 1]):
            ids = self.labels[outer].take(self.holders(depth, outer))
            if isinstance(ids, pd.MultiIndex):
                columns |= {
                    str(name): ids.get_level_values(place) for place, name in enumerate(ids.names)
                }
            else:
                columns[level] = ids
        return columns


def nest(
    data: pd.DataFrame,
    levels: Mapping[str, tuple[str, ...]],
    positions: np.ndarray | None = None,
) -> Nesting:
    """Build the tree of groups.

    Parameters
    ----------
    data : pandas.DataFrame
        The used rows.
    levels : mapping of str to tuple of str
        Per level, outermost first, the columns whose values together are the id of its groups.
    positions : numpy.ndarray, optional
        Positions of the used rows in the user's data, for messages.

    Raises
    ------
    FitError
        A group under two parents.
    """
    # Whole numbers in sorted order, the usual case, stand for their own codes.
    single = [data[columns[0]] for columns in levels.values() if len(columns) == 1]
    codes = [code for column in single if (code := _integers(column)) is not None]
    labels: list[pd.Index | None] = [None] * len(levels)
    order = None
    if len(codes) < len(levels) or not _is_sorted(codes):
        pairs = [encode_together(data, columns) for columns in levels.values()]
        codes, labels = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        if not _is_sorted(codes):
            order = np.lexsort(tuple(reversed(codes)))
            codes = [code[order] for code in codes]
    starts: list[np.ndarray] = []
    new = np.zeros(len(data) - 1, dtype=bool)
    for code in codes:
        new |= code[1:] != code[:-1]
        inner = np.flatnonzero(new) + 1
        starts.append(np.concatenate(([0], inner, [len(data)])).astype(np.int64))
    firsts = [code[start[:-1]] for code, start in zip(codes, starts, strict=True)]
    nesting = Nesting(
        tuple(levels),
        order,
        tuple(starts),
        tuple(
            pd.Index(first) if label is None else label.take(first)
            for label, first in zip(labels, firsts, strict=True)
        ),
    )
    check_nested(nesting, positions)
    return nesting


def encode_together(data: pd.DataFrame, columns: Sequence[str]) -> tuple[np.ndarray, pd.Index]:
    """Code the values of several columns together, sorted by the first, then the second, ..."""
    if len(columns) == 1:
        return encode(data[columns[0]])
    pairs = [encode(data[name]) for name in columns]
    joined = np.zeros(len(data), dtype=np.int64)
    for codes, ids in pairs:
        joined = joined * len(ids) + codes
    _, first, together = np.unique(joined, return_index=True, return_inverse=True)
    parts = [ids.take(codes[first]) for codes, ids in pairs]
    return together, pd.MultiIndex.from_arrays(parts, names=list(columns))


def _integers(column: pd.Series) -> np.ndarray | None:
    """Give the values of a plain integer column, which can stand for their own codes."""
    return (
        column.to_numpy()
        if getattr(column.dtype, "kind", "") in "iu" and isinstance(column.dtype, np.dtype)
        else None
    )


def encode(column: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Code a column of ids so that codes follow the sorted ids."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.cat.remove_unused_categories()
        categories = column.cat.categories
        rank = np.argsort(np.argsort(categories.to_numpy(), kind="stable"), kind="stable")
        codes = rank[column.cat.codes.to_numpy()]
        return codes, categories[np.argsort(rank, kind="stable")]
    codes, uniques = pd.factorize(column, sort=False)
    uniques = pd.Index(uniques)
    try:
        order = np.argsort(uniques.to_numpy(), kind="stable")
    except TypeError:
        order = np.argsort([f"{type(value).__name__} {value}" for value in uniques], kind="stable")
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[codes], uniques.take(order)


def row_order(used: pd.DataFrame, nesting: Nesting, keys: Sequence[str]) -> np.ndarray | None:
    """Total order of the rows: by group, then by the key columns one after the other.

    Sums then run in the same order whatever the order of the rows given, so that results agree to
    the last bit. None if the rows are in that order already.
    """
    starts = nesting.starts[-1]
    # A row is tied with the one before it in the same client until a column tells them apart.
    tied = np.ones(len(used) - 1, dtype=bool)
    tied[starts[1:-1] - 1] = False
    in_order = nesting.order is None
    columns: list[np.ndarray] = []
    for key in keys:
        values = _sortable(used[key])
        if nesting.order is not None:
            values = values[nesting.order]
        columns.append(values)
        if (tied & (values[1:] < values[:-1])).any():
            in_order = False
            break
        tied &= values[1:] == values[:-1]
        if not tied.any():
            break
    if in_order:
        return None
    if len(columns) < len(keys):
        for key in keys[len(columns) :]:
            values = _sortable(used[key])
            columns.append(values if nesting.order is None else values[nesting.order])
    group = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    inner = np.lexsort((*reversed(columns), group))
    return inner if nesting.order is None else nesting.order[inner]


def _sortable(column: pd.Series) -> np.ndarray:
    if is_categorical(column):
        codes, uniques = pd.factorize(column.astype(str), sort=True)
        del uniques
        return codes.astype(float)
    if column.hasnans:
        # Only with several outcomes, where a cell that is missing is not used: it sorts last.
        return column.fillna(np.inf).to_numpy(dtype=float)
    plain = isinstance(column.dtype, np.dtype) and column.dtype != object
    return column.to_numpy() if plain else column.to_numpy(dtype=float)


def _is_sorted(codes: Sequence[np.ndarray]) -> bool:
    tied = None
    for code in codes:
        falls = code[1:] < code[:-1]
        if (falls if tied is None else falls & tied).any():
            return False
        same = code[1:] == code[:-1]
        tied = same if tied is None else tied & same
    return True


def check_nested(nesting: Nesting, positions: np.ndarray | None) -> None:
    """Refuse ids of a level that occur under several groups of the level above it.

    Whether they are the same persons (crossed effects), other persons with the same number (nested)
    or persons who moved cannot be seen from the data, and the three are different models. As in
    lme4, ids that are numbered within the level above are said to be so: ``"outer:inner"``.

    Raises
    ------
    FitError
        Names every such level with the number of ids, examples of rows and the remedies.
    """
    problems: list[str] = []
    full = nesting.levels[0]
    for depth in range(1, len(nesting.levels)):
        level, parent = nesting.levels[depth], nesting.levels[depth - 1]
        codes, unique = nesting.labels[depth].factorize()
        shared = np.bincount(codes, minlength=len(unique)) > 1
        if not shared.any():
            full = level
            continue
        full = f"{full}:{level}"
        if len(nesting.labels[depth]) == len(nesting.labels[depth - 1]):
            problems.append(
                f"Every {parent} has one {level}, but a {level} has several: levels are given "
                f"outermost first, so '{level}' belongs before '{parent}'."
            )
            continue
        problems.append(
            f"Level '{level}' is not nested in '{parent}': {int(shared.sum())} of {len(unique)} "
            f"ids of '{level}' occur under more than one {parent} (for example rows "
            f"{_example_rows(nesting, depth, shared[codes], positions)}). If the same id under "
            f"another {parent} is somebody else, name the level '{full}'. If somebody changed "
            f"their {parent}, keep one {parent} per {level} (for example the first). If a {level} "
            f"belongs to several {parent}s by design, the two are crossed, which this engine does "
            "not fit: use lme4 or MixedModels.jl."
        )
    if problems:
        raise FitError("\n".join(problems))


def _example_rows(
    nesting: Nesting, depth: int, chosen: np.ndarray, positions: np.ndarray | None
) -> str:
    """Name a few rows, counted from 1, of the chosen groups."""
    starts = nesting.starts[depth]
    groups = np.flatnonzero(chosen)[:6]
    rows = np.concatenate([np.arange(starts[g], starts[g + 1]) for g in groups])
    if nesting.order is not None:
        rows = nesting.order[rows]
    if positions is not None:
        rows = positions[rows]
    return ", ".join(str(row + 1) for row in np.sort(rows)[:6])
