"""From a data frame to a compressed problem."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed.design import Columns, build_columns, centre_of, scale_of
from alliance.mixed.residual import ResidualStructure
from alliance.mixed.rows import Nesting, Rows, nest, select_rows
from alliance.mixed.specification import ParsedTerms, Specification
from alliance.mixed.terms import Factor, Product
from alliance.mixed.vocabulary import Vocabulary, is_categorical, numeric


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
    residual : ResidualStructure
    outcome_centre, outcome_scale : float
        The outcome enters as (y - centre) / scale.
    sorted_data : pandas.DataFrame
        The used rows in sorted order, needed columns only.
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
    residual: ResidualStructure
    outcome_centre: float
    outcome_scale: float
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
            self.cache[factor] = self.vocabulary.evaluate(factor, self.sorted_data)
        return self.cache[factor]

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

    def internal_outcome(self, outcome: np.ndarray) -> np.ndarray:
        """Put the outcome on the engine's scale."""
        return (outcome - self.outcome_centre) / self.outcome_scale


def prepare(data: pd.DataFrame, specification: Specification, parsed: ParsedTerms) -> Prepared:
    """Select and sort rows, learn transforms, choose internal columns.

    Raises
    ------
    FitError
        For every cause that can be named before the optimiser starts.
    """
    needed = _needed(specification, parsed)
    rows = select_rows(data, needed)
    used = pd.DataFrame({name: data[name] for name in needed}, copy=False)
    if rows.used < rows.total:
        used = used.take(rows.used_positions)
    if specification.outcome in used and is_categorical(used[specification.outcome]):
        raise FitError(
            f"The outcome '{specification.outcome}' holds categories; the model needs numbers."
        )
    nesting = nest(used, specification.levels, specification.ids, rows.used_positions)
    order = _row_order(used, nesting, specification, parsed)
    if order is not None:
        used = used.take(order)
    outcome = numeric(used[specification.outcome], specification.outcome)
    vocabulary = Vocabulary()
    for atom in parsed.atoms:
        vocabulary.learn(atom, used)
    prepared = Prepared(
        specification,
        rows,
        nesting,
        vocabulary,
        vocabulary.products(parsed.fixed),
        [vocabulary.products(terms) for terms in parsed.random],
        Columns([], 0, np.empty(0), np.empty(0), [], []),
        _residual(used, nesting, specification, order, rows),
        0.0,
        1.0,
        used,
        order,
        outcome,
    )
    check_outcome(outcome, specification.outcome)
    prepared.columns = build_columns(
        list(prepared.fixed),
        [list(products) for products in prepared.random],
        prepared.factor_values,
    )
    return with_outcome(prepared, outcome)


def with_outcome(prepared: Prepared, outcome: np.ndarray) -> Prepared:
    """Give the same design another outcome (user's scale, sorted rows)."""
    centre = centre_of(outcome) if () in prepared.fixed else 0.0
    scale = scale_of(outcome, centre)
    return replace(prepared, outcome=outcome, outcome_centre=centre, outcome_scale=scale)


def _needed(specification: Specification, parsed: ParsedTerms) -> list[str]:
    names = [specification.outcome, *(atom.column for atom in parsed.atoms)]
    names += specification.levels
    names += [name for name in (specification.residual_time, specification.residual_by) if name]
    return list(dict.fromkeys(names))


def _row_order(
    used: pd.DataFrame, nesting: Nesting, specification: Specification, parsed: ParsedTerms
) -> np.ndarray | None:
    """Total order of the rows: by group, then by time and the other columns.

    Sums then run in the same order whatever the order of the rows given, so that results agree to
    the last bit. None if the rows are in that order already.
    """
    keys: list[str] = [specification.residual_time] if specification.residual_time else []
    keys += [atom.column for atom in parsed.atoms]
    keys += [specification.residual_by] if specification.residual_by else []
    keys.append(specification.outcome)
    keys = list(dict.fromkeys(keys))
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
    return column.to_numpy() if isinstance(column.dtype, np.dtype) else column.to_numpy(dtype=float)


def check_outcome(outcome: np.ndarray, name: str) -> None:
    """Refuse an outcome that never varies."""
    if np.ptp(outcome) == 0:
        raise FitError(
            f"The outcome '{name}' has the same value in all {len(outcome)} rows; there is nothing "
            "to model."
        )


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
    groups: list = []
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
    if specification.residual == "ar1" and (time != np.round(time)).any():
        raise FitError(
            f"residual='ar1' needs whole numbers in '{name}' (session 1, 2, 3, ...); for real time "
            "use residual='car1'."
        )
    step = np.diff(time, prepend=time[0])
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
    lags, inverse = np.unique(step[~first], return_inverse=True)
    row_lag = np.full(len(time), -1, dtype=np.int64)
    row_lag[~first] = inverse
    return row_lag, lags, np.bincount(inverse).astype(float)
