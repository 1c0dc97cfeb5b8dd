"""From a data frame to merged rows, sorted by group."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed.columns import is_categorical, numeric
from alliance.mixed.compiling import compiled
from alliance.mixed.design import Columns, build_columns, internal_values
from alliance.mixed.logit.laplace import BinaryRows
from alliance.mixed.logit.tree import Tree, build_tree
from alliance.mixed.rows import Nesting, Rows, nest, select_rows
from alliance.mixed.specification import ParsedTerms, Specification
from alliance.mixed.terms import Atom, Product
from alliance.mixed.vocabulary import Vocabulary


@dataclass(slots=True)
class PreparedBinary:
    """Everything about a fit that does not depend on the parameters.

    Attributes
    ----------
    specification : Specification
    rows : Rows
    nesting : Nesting
    tree : Tree
    vocabulary : Vocabulary
    fixed : dict of Product to str
        Design columns of the fixed part and their names.
    columns : Columns
        Internal columns and their transform to the user's.
    used : pandas.DataFrame
        The used rows in the order given, needed columns only.
    outcome : numpy.ndarray
        0 or 1 per used row, in the order given.
    order : numpy.ndarray
        Positions of the used rows in sorted order, shape (used,).
    merged : numpy.ndarray
        Merged row that each sorted row belongs to, shape (used,).
    x : numpy.ndarray
        Internal fixed columns of the merged rows, shape (p, n).
    trials : numpy.ndarray
        Observations per merged row.
    pointer : numpy.ndarray
        First merged row of each innermost group plus the end.
    """

    specification: Specification
    rows: Rows
    nesting: Nesting
    tree: Tree
    vocabulary: Vocabulary
    fixed: dict[Product, str]
    columns: Columns
    used: pd.DataFrame = field(repr=False)
    outcome: np.ndarray = field(repr=False)
    order: np.ndarray = field(repr=False)
    merged: np.ndarray = field(repr=False)
    x: np.ndarray = field(repr=False)
    trials: np.ndarray = field(repr=False)
    pointer: np.ndarray = field(repr=False)

    @property
    def fixed_names(self) -> list[str]:
        """Names of the fixed coefficients."""
        return list(self.fixed.values())

    @property
    def levels(self) -> tuple[str, ...]:
        """Level names, outermost first."""
        return self.specification.levels

    def binary_rows(self, outcome: np.ndarray) -> BinaryRows:
        """Merge the rows with an outcome for the used rows in the order given."""
        successes = np.bincount(
            self.merged, weights=outcome[self.order], minlength=len(self.trials)
        )
        return BinaryRows(self.x, successes, self.trials, self.pointer)

    def design(self, data: pd.DataFrame) -> np.ndarray:
        """Build the fixed design matrix on the user's scale, shape (rows, p)."""
        matrix = np.ones((len(data), len(self.fixed)))
        for number, product in enumerate(self.fixed):
            for factor in product:
                matrix[:, number] *= self.vocabulary.evaluate(factor, data)
        return matrix


def prepare_binary(
    data: pd.DataFrame, specification: Specification, parsed: ParsedTerms
) -> PreparedBinary:
    """Select rows, learn transforms, choose internal columns, sort and merge.

    Raises
    ------
    FitError
        For every cause that can be named before the optimiser starts.
    """
    needed = [specification.outcome, *(a.column for a in parsed.atoms), *specification.id_columns]
    needed = list(dict.fromkeys(needed))
    rows = select_rows(data, needed, specification.id_columns)
    used = data[needed]
    if rows.used < rows.total:
        used = used.take(rows.used_positions)
    outcome = binary_outcome(used[specification.outcome], specification.outcome)
    nesting = _nest(used, specification, rows)
    vocabulary = Vocabulary()
    for atom in parsed.atoms:
        _learn(vocabulary, atom, used)
    fixed = vocabulary.products(parsed.fixed)
    factors = list(dict.fromkeys(factor for product in fixed for factor in product))
    given = np.empty((len(factors), len(used)))
    for number, factor in enumerate(factors):
        given[number] = vocabulary.evaluate(factor, used) + 0.0  # makes -0.0 an ordinary 0.0
    order = sort_rows(given, nesting)
    values = dict(zip(factors, np.take(given, order, axis=1), strict=True))
    columns = build_columns(list(fixed), [[()] for _ in nesting.levels], values.__getitem__)
    block = np.empty((len(fixed), len(used)))
    for number, place in enumerate(columns.fixed_index):
        internal = columns.internals[place]
        block[number] = internal_values(internal, values.__getitem__, columns.centres)
        block[number] /= columns.scales[place]
    merged, x, trials, pointer = merge_rows(block, nesting)
    return PreparedBinary(
        specification, rows, nesting, build_tree(nesting), vocabulary, fixed, columns, used,
        outcome, order, merged, x, trials, pointer,
    )  # fmt: skip


def _nest(used: pd.DataFrame, specification: Specification, rows: Rows) -> Nesting:
    if specification.levels:
        return nest(used, specification.level_columns, rows.used_positions)
    # no random effects: one group that holds every row, its standard deviation kept at zero
    everything = np.array([0, len(used)], dtype=np.int64)
    return Nesting(("all rows",), None, (everything,), (pd.Index([0]),))


def binary_outcome(column: pd.Series, name: str) -> np.ndarray:
    """Read the outcome as 0.0 and 1.0.

    Raises
    ------
    FitError
        Anything but 0 and 1 (or False and True), or one value only.
    """
    told = f"The outcome '{name}' must be 0 or 1 (or False or True) in every row"
    if is_categorical(column):
        raise FitError(
            f"{told}, but the column holds text or categories. Make a column that is 1 where the "
            "event happened and 0 where it did not."
        )
    values = numeric(column, name)
    other = (values != 0.0) & (values != 1.0)
    if other.any():
        raise FitError(
            f"{told}; {int(other.sum())} of {len(values)} rows hold another number. Recode it; for "
            "counts or scores this model is not the right one."
        )
    ones = int(values.sum())
    if ones in (0, len(values)):
        raise FitError(
            f"The outcome '{name}' is {1 if ones else 0} in all {len(values)} rows used; there is "
            "nothing to model."
        )
    return values


def _learn(vocabulary: Vocabulary, atom: Atom, used: pd.DataFrame) -> None:
    """Learn an atom; means from sorted values, so that they do not depend on the order of rows."""
    if atom.transform in ("center", "scale") and not is_categorical(used[atom.column]):
        vocabulary.learn(atom, used[[atom.column]].sort_values(atom.column))
    else:
        vocabulary.learn(atom, used)


def sort_rows(values: np.ndarray, nesting: Nesting) -> np.ndarray:
    """Sort the rows by group and content; returns positions in the order given.

    Within a group rows are ordered by a hash of their predictors: any fixed order of the contents
    makes the sums independent of the order of the rows given, and equal rows become neighbours. It
    takes one sort of whole numbers instead of one per column.

    Parameters
    ----------
    values : array (factors, used)
        Predictors in the order given.
    nesting : Nesting
    """
    grouped = np.arange(values.shape[1]) if nesting.order is None else nesting.order
    key = hash_rows(values.view(np.uint64))[grouped]
    return np.asarray(grouped[sort_within(key, nesting.starts[-1])])


def merge_rows(
    block: np.ndarray, nesting: Nesting
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Merge neighbours of equal content within the innermost groups.

    Parameters
    ----------
    block : array (p, used)
        Internal columns in sorted order.
    nesting : Nesting

    Returns
    -------
    merged, x, trials, pointer
        See `PreparedBinary`.
    """
    merged = np.empty(block.shape[1], dtype=np.int64)
    pointer = np.empty_like(nesting.starts[-1])
    n = merge_neighbours(block, nesting.starts[-1], merged, pointer)
    trials = np.bincount(merged, minlength=n).astype(float)
    if n == len(merged):
        return merged, block, trials, pointer
    first = np.flatnonzero(np.diff(merged, prepend=-1))
    return merged, np.take(block, first, axis=1), trials, pointer


@compiled
def hash_rows(bits: np.ndarray) -> np.ndarray:
    """Make a 64-bit hash of each row, with the multipliers of SplitMix64 (Steele et al. 2014)."""
    result = np.full(bits.shape[1], 0x9E3779B97F4A7C15, dtype=np.uint64)
    for k in range(bits.shape[0]):
        for i in range(bits.shape[1]):
            h = (result[i] ^ bits[k, i]) * np.uint64(0xBF58476D1CE4E5B9)
            h = (h ^ (h >> np.uint64(29))) * np.uint64(0x94D049BB133111EB)
            result[i] = h ^ (h >> np.uint64(32))
    return result


@compiled
def sort_within(key: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Positions that sort `key` within each group."""
    order = np.empty(len(key), dtype=np.int64)
    for g in range(len(starts) - 1):
        begin, end = starts[g], starts[g + 1]
        order[begin:end] = begin + np.argsort(key[begin:end], kind="mergesort")
    return order


@compiled
def merge_neighbours(
    block: np.ndarray, starts: np.ndarray, merged: np.ndarray, pointer: np.ndarray
) -> int:
    """Count and number the runs of equal rows within each group."""
    n = 0
    for g in range(len(starts) - 1):
        pointer[g] = n
        for i in range(starts[g], starts[g + 1]):
            same = i > starts[g]
            if same:
                for k in range(block.shape[0]):
                    if block[k, i] != block[k, i - 1]:
                        same = False
                        break
            if not same:
                n += 1
            merged[i] = n - 1
    pointer[len(starts) - 1] = n
    return n
