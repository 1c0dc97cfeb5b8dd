"""From a data frame to a compressed problem."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed.columns import is_categorical, numeric
from alliance.mixed.design import Columns, build_columns
from alliance.mixed.outcomes import Outcomes
from alliance.mixed.residual import ResidualStructure
from alliance.mixed.residual_course import Residual
from alliance.mixed.rows import Nesting, Rows, nest, row_order, select_rows
from alliance.mixed.specification import ParsedTerms, Specification
from alliance.mixed.stacking import learn_from_sessions, stack, stacked_products
from alliance.mixed.terms import Factor, Product
from alliance.mixed.vocabulary import Vocabulary

SAME_TIME = 1e-12
"""Times closer than this share of the largest one differ by rounding alone."""

SHORTEST_LAG = (1e-12, 1e12)
"""Range of the shortest distance of two times, in the unit of time given."""

NO_COLUMNS = Columns([], 0, np.empty(0), np.empty(0), [], [])
"""Stands in until the columns are chosen."""


@dataclass(slots=True)
class Prepared:
    """Everything about a fit that does not depend on the covariance parameters.

    Attributes
    ----------
    specification : Specification
    rows : Rows
    nesting : Nesting
    vocabulary : Vocabulary
    fixed : dict of Product to str
        Design columns of the fixed part and their names.
    random : list of dict of Product to str
        The same per level, outermost first.
    columns : Columns
    residual : Residual
    outcomes : Outcomes
        Units in which the outcome, or each of several, enters.
    sorted_data : pandas.DataFrame
        The used rows in sorted order, needed columns only; with several outcomes one row per
        measured value (see `alliance.mixed.stacking`).
    order : numpy.ndarray or None
        Place of each sorted row among the used rows in the order given; None if they are the same.
    outcome : numpy.ndarray
        Outcome on the user's scale, sorted, shape (n,).
    """

    specification: Specification
    rows: Rows
    nesting: Nesting
    vocabulary: Vocabulary
    fixed: dict[Product, str]
    random: list[dict[Product, str]]
    columns: Columns
    residual: Residual
    outcomes: Outcomes
    sorted_data: pd.DataFrame = field(repr=False)
    order: np.ndarray | None = field(repr=False)
    outcome: np.ndarray = field(repr=False)
    cache: dict[Factor, np.ndarray] = field(repr=False, default_factory=dict)

    @property
    def fixed_names(self) -> list[str]:
        """Names of the fixed coefficients."""
        return list(self.fixed.values())

    def random_names(self, depth: int) -> list[str]:
        """Names of a level's random effects."""
        return list(self.random[depth].values())

    def factor_values(self, factor: Factor) -> np.ndarray:
        """Vector of a factor over the sorted rows."""
        if factor not in self.cache:
            self.cache[factor] = self._evaluate(factor)
        return self.cache[factor]

    def _evaluate(self, factor: Factor) -> np.ndarray:
        column = self.sorted_data[factor.atom.column]
        if not (self.specification.outcomes and column.hasnans):
            return self.vocabulary.evaluate(factor, self.sorted_data)
        # A value missing here belongs to terms of another outcome, which are zero in this row.
        values = np.zeros(len(column))
        present = column.notna().to_numpy()
        values[present] = self.vocabulary.evaluate(factor, self.sorted_data[present])
        return values

    def user_matrix(self, products: dict[Product, str], data: pd.DataFrame | None) -> np.ndarray:
        """Design matrix on the user's scale, for the sorted rows or for new data."""
        source = self.sorted_data if data is None else data
        matrix = np.ones((len(source), len(products)))
        for number, product in enumerate(products):
            for factor in product:
                values = (
                    self.factor_values(factor)
                    if data is None
                    else self.vocabulary.evaluate(factor, source)
                )
                matrix[:, number] *= values
        return matrix

    @property
    def fixed_transform(self) -> np.ndarray:
        """A with X / outcome's scale = X_internal A, shape (p, p)."""
        return np.asarray(self.columns.fixed_transform / self.outcomes.scales_of(self.fixed))

    def level_transform(self, depth: int) -> np.ndarray:
        """A with Z / outcome's scale = Z_internal A, for one level, shape (q, q)."""
        scales = self.outcomes.scales_of(self.random[depth])
        return np.asarray(self.columns.level_transform[depth] / scales)


def prepare(data: pd.DataFrame, specification: Specification, parsed: ParsedTerms) -> Prepared:
    """Select and sort rows, learn transforms, choose internal columns.

    Raises
    ------
    FitError
        For every cause that can be named before the optimiser starts.
    """
    vocabulary = Vocabulary()
    if specification.outcomes:
        cells = stack(data, specification, parsed)
        for atom in parsed.atoms:
            learn_from_sessions(vocabulary, atom, cells.sessions)
        names = specification.outcomes
        prepared = Prepared(
            specification,
            cells.rows,
            cells.nesting,
            vocabulary,
            stacked_products(parsed.fixed, vocabulary, names),
            [stacked_products(terms, vocabulary, names) for terms in parsed.random],
            NO_COLUMNS,
            cells.residual,
            cells.outcomes,
            cells.cells,
            cells.order,
            cells.values,
        )
    else:
        prepared = _prepare_rows(data, specification, parsed, vocabulary)
    check_outcome(prepared, prepared.outcome)
    prepared.columns = build_columns(
        list(prepared.fixed),
        [list(products) for products in prepared.random],
        prepared.factor_values,
    )
    return with_outcome(prepared, prepared.outcome)


def _prepare_rows(
    data: pd.DataFrame, specification: Specification, parsed: ParsedTerms, vocabulary: Vocabulary
) -> Prepared:
    """Select and sort the rows of one outcome."""
    needed = _needed(specification, parsed)
    rows = select_rows(data, needed, specification.id_columns)
    used = pd.DataFrame({name: data[name] for name in needed}, copy=False)
    if rows.used < rows.total:
        used = used.take(rows.used_positions)
    if specification.outcome in used and is_categorical(used[specification.outcome]):
        raise FitError(
            f"The outcome '{specification.outcome}' holds categories; the model needs numbers."
        )
    nesting = nest(used, specification.level_columns, rows.used_positions)
    order = row_order(used, nesting, _sort_keys(specification, parsed))
    if order is not None:
        used = used.take(order)
    outcome = numeric(used[specification.outcome], specification.outcome)
    for atom in parsed.atoms:
        vocabulary.learn(atom, used)
    return Prepared(
        specification,
        rows,
        nesting,
        vocabulary,
        vocabulary.products(parsed.fixed),
        [vocabulary.products(terms) for terms in parsed.random],
        NO_COLUMNS,
        _residual(used, nesting, specification, order, rows),
        Outcomes((specification.outcome,)),
        used,
        order,
        outcome,
    )


def with_outcome(prepared: Prepared, outcome: np.ndarray) -> Prepared:
    """Give the same design another outcome (user's scale, sorted rows)."""
    outcomes = prepared.outcomes.fitted_to(outcome, prepared.fixed)
    return replace(prepared, outcome=outcome, outcomes=outcomes)


def _needed(specification: Specification, parsed: ParsedTerms) -> list[str]:
    names = [specification.outcome, *(atom.column for atom in parsed.atoms)]
    names += specification.id_columns
    names += [name for name in (specification.residual_time, specification.residual_by) if name]
    return list(dict.fromkeys(names))


def _sort_keys(specification: Specification, parsed: ParsedTerms) -> list[str]:
    """Columns that order the rows within a group: time, the other columns, the outcome."""
    keys: list[str] = [specification.residual_time] if specification.residual_time else []
    keys += [atom.column for atom in parsed.atoms]
    keys += [specification.residual_by] if specification.residual_by else []
    return list(dict.fromkeys([*keys, specification.outcome]))


def check_outcome(prepared: Prepared, outcome: np.ndarray) -> None:
    """Refuse an outcome that never varies (sorted rows)."""
    problems = [
        f"The outcome '{name}' has the same value in all {len(own)} rows; there is nothing to "
        "model."
        for name, own in zip(prepared.outcomes.names, prepared.outcomes.split(outcome), strict=True)
        if np.ptp(own) == 0
    ]
    if problems:
        raise FitError("\n".join(problems))


def _residual(
    used: pd.DataFrame,
    nesting: Nesting,
    specification: Specification,
    order: np.ndarray | None,
    rows: Rows,
) -> ResidualStructure:
    n = len(used)
    if specification.residual == "iid" and specification.residual_by is None:
        nobody = np.empty(0, dtype=np.int64)
        return ResidualStructure(
            "iid", [], np.empty(0), np.empty(0), np.array([float(n)]), nobody, nobody
        )
    row_group = np.zeros(n, dtype=np.int64)
    groups: list[Any] = []
    if specification.residual_by is not None:
        codes, uniques = pd.factorize(used[specification.residual_by], sort=True)
        groups, row_group = list(uniques), codes.astype(np.int64)
        if len(groups) == 1:
            raise FitError(
                f"residual_by='{specification.residual_by}' has one value only; leave it out."
            )
    counts = np.bincount(row_group, minlength=max(len(groups), 1)).astype(float)
    alone = int((counts < 2).sum())
    if alone:
        raise FitError(
            f"{alone} of the {len(groups)} groups of residual_by='{specification.residual_by}' "
            "have one row only, which says nothing about a variance. Join small groups or leave "
            "residual_by out."
        )
    row_lag = np.full(n, -1, dtype=np.int64)
    lags, lag_counts = np.empty(0), np.empty(0)
    if specification.residual != "iid":
        row_lag, lags, lag_counts = _lags(used, nesting, specification, order, rows)
    return ResidualStructure(
        specification.residual, groups, lags, lag_counts, counts, row_lag, row_group
    )


def _lags(
    used: pd.DataFrame,
    nesting: Nesting,
    specification: Specification,
    order: np.ndarray | None,
    rows: Rows,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    name = str(specification.residual_time)
    client = nesting.levels[-1]
    time = numeric(used[name], name)
    rounding = SAME_TIME * float(np.abs(time).max())
    if specification.residual == "ar1":
        if (np.abs(time - np.round(time)) > rounding).any():
            raise FitError(
                f"residual='ar1' needs whole numbers in '{name}' (session 1, 2, 3, ...); for real "
                "time use residual='car1'."
            )
        time = np.round(time)
    step = np.diff(time, prepend=time[0])
    step[step <= rounding] = 0.0
    first = np.zeros(len(time), dtype=bool)
    first[nesting.starts[-1][:-1]] = True
    same = ~first & (step == 0)
    if same.any():
        positions = np.flatnonzero(same)
        if order is not None:
            positions = order[positions]
        shown = ", ".join(str(row + 1) for row in np.sort(rows.used_positions[positions])[:5])
        raise FitError(
            f"{int(same.sum())} rows repeat a '{name}' of the same {client} (rows {shown}"
            f"{', ...' if same.sum() > 5 else ''}). {specification.residual} needs one row per "
            f"{client} and time: remove or average the repetitions."
        )
    if first.all():
        raise FitError(
            f"Every {client} has one row only, so a correlation between neighbouring rows cannot "
            "be estimated. Use residual='iid'."
        )
    lags, inverse = _distinct(step[~first], rounding)
    if not SHORTEST_LAG[0] < lags[0] < SHORTEST_LAG[1]:
        raise FitError(
            f"The smallest distance of two times in '{name}' is {lags[0]:.0e}: the autocorrelation "
            "per unit of time cannot be told from 0 or 1. Use a unit of time near this distance."
        )
    row_lag = np.full(len(time), -1, dtype=np.int64)
    row_lag[~first] = inverse
    return row_lag, lags, np.bincount(inverse).astype(float)


def _distinct(values: np.ndarray, rounding: float) -> tuple[np.ndarray, np.ndarray]:
    """Distinct values, those that differ by rounding alone as one, and the place of each value."""
    unique, inverse = np.unique(values, return_inverse=True)
    is_new = np.diff(unique, prepend=-np.inf) > rounding
    return unique[is_new], (np.cumsum(is_new) - 1)[inverse]
