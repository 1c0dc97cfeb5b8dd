"""Several outcomes as rows: one row per measured outcome of a session.

The table given has one row per session and a column per outcome. The engine's rows are its measured
cells, session by session, with the place of the outcome in an added column. A cell is used if its
outcome and everything that the outcome's own terms need are there; a session is used if any of its
cells is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed.columns import is_categorical, numeric
from alliance.mixed.courses_in_rows import course_covariance
from alliance.mixed.outcomes import Outcomes, outcome_atom, outcome_factor
from alliance.mixed.residual_course import Residual
from alliance.mixed.residual_session import SessionCovariance
from alliance.mixed.rows import Nesting, Rows, nest, reasons_of, row_order, select_rows
from alliance.mixed.specification import ParsedTerms, Specification
from alliance.mixed.terms import OUTCOME, Atom, Product
from alliance.mixed.vocabulary import Vocabulary

FEWEST_TOGETHER = 2
"""Sessions where two outcomes are measured together that a residual covariance needs at least."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The measured cells of the sessions, sorted by group.

    Attributes
    ----------
    rows : Rows
        Sessions used and left out.
    nesting : Nesting
        Groups over the cells.
    sessions : pandas.DataFrame
        The used sessions, sorted.
    cells : pandas.DataFrame
        One row per measured cell: its session's columns and the place of its outcome.
    order : numpy.ndarray
        Place of each cell's session among the used rows in the order given.
    values : numpy.ndarray
        Outcome of each cell.
    outcomes : Outcomes
    residual : Residual
    """

    rows: Rows
    nesting: Nesting
    sessions: pd.DataFrame
    cells: pd.DataFrame
    order: np.ndarray
    values: np.ndarray
    outcomes: Outcomes
    residual: Residual


def stack(data: pd.DataFrame, specification: Specification, parsed: ParsedTerms) -> Stack:
    """Select sessions and cells, sort them and put the cells below each other.

    Raises
    ------
    FitError
        An outcome without numbers or usable rows, outcomes that are never measured together.
    """
    names = specification.outcomes
    problems = [
        f"The outcome '{name}' holds categories; the model needs numbers."
        for name in names
        if is_categorical(data[name])
    ]
    if problems:
        raise FitError("\n".join(problems))
    needed = _needed_by_outcome(specification, parsed)
    rows = _select_sessions(data, needed, specification.id_columns)
    columns = list(dict.fromkeys(name for own in needed for name in own))
    used = data[columns].take(rows.used_positions)
    nesting = nest(used, specification.level_columns, rows.used_positions)
    atoms = [atom.column for atom in parsed.atoms if atom.transform != OUTCOME]
    first = [specification.residual_time] if specification.residual_time else []
    order = row_order(used, nesting, list(dict.fromkeys([*first, *atoms, *names])))
    measured = _measured(rows)
    if order is None:
        order = np.arange(rows.used)
    else:
        used, measured = used.take(order), measured[order]
    _check_together(names, measured)
    session, outcome = np.nonzero(measured)
    cells = used.take(session)
    cells.insert(0, OUTCOME, outcome)
    residual: Residual
    if specification.residual == "iid":
        residual = SessionCovariance.from_measured(names, measured)
    else:
        residual = course_covariance(specification, used, nesting, measured, order, rows)
    values = np.column_stack([numeric(used[name], name) for name in names])
    before = np.concatenate(([0], np.cumsum(measured.sum(axis=1))))
    return Stack(
        rows,
        replace(nesting, order=None, starts=tuple(before[start] for start in nesting.starts)),
        used,
        cells,
        order[session],
        values[session, outcome],
        Outcomes(names, outcome),
        residual,
    )


def learn_from_sessions(vocabulary: Vocabulary, atom: Atom, sessions: pd.DataFrame) -> None:
    """Learn an atom from the sessions that have its column, each counted once."""
    if atom.transform == OUTCOME:
        return
    column = sessions[atom.column]
    present = column.notna().to_numpy()
    vocabulary.learn(atom, sessions if present.all() else sessions[present])


def stacked_products(
    terms: list[tuple[Atom, ...]], vocabulary: Vocabulary, names: tuple[str, ...]
) -> dict[Product, str]:
    """Design columns of every outcome's terms, named ``outcome: term``."""
    columns: dict[Product, str] = {}
    for place, name in enumerate(names):
        own = [term[1:] for term in terms if term[0] == outcome_atom(place)]
        for product, label in vocabulary.products(own).items():
            columns[tuple(sorted((outcome_factor(names, place), *product)))] = f"{name}: {label}"
    return columns


def own_products(products: dict[Product, str], place: int) -> dict[Product, str]:
    """Design columns of one outcome without the factor that picks it."""
    pick = outcome_atom(place)
    return {
        tuple(factor for factor in product if factor.atom != pick): name
        for product, name in products.items()
        if any(factor.atom == pick for factor in product)
    }


def _needed_by_outcome(specification: Specification, parsed: ParsedTerms) -> list[list[str]]:
    """Columns that each outcome's own model needs, the outcome first."""
    needed = []
    serial = [name for name in (specification.residual_time, specification.residual_by) if name]
    for place, name in enumerate(specification.outcomes):
        columns = [
            atom.column
            for terms in (*parsed.random, parsed.fixed)
            for term in terms
            if term[0] == outcome_atom(place)
            for atom in term[1:]
        ]
        needed.append(list(dict.fromkeys([name, *columns, *serial, *specification.id_columns])))
    return needed


def _select_sessions(data: pd.DataFrame, needed: list[list[str]], ids: list[str]) -> Rows:
    """Keep the sessions where at least one outcome can be used."""
    problems: list[str] = []
    by_outcome: dict[str, Rows] = {}
    for columns in needed:
        try:
            by_outcome[columns[0]] = select_rows(data, columns, ids)
        except FitError as error:
            problems.append(f"Outcome '{columns[0]}': {error}")
    if problems:
        raise FitError("\n".join(problems))
    # ASSUME cells with a missing value are left out: unbiased if missing at random given the model.
    keep = np.zeros(len(data), dtype=bool)
    for rows in by_outcome.values():
        keep[rows.used_positions] = True
    lacking = data.loc[~keep]
    missing = {
        name: lacking[name].isna().to_numpy()
        for name in dict.fromkeys(name for columns in needed for name in columns)
    }
    left_out = reasons_of({k: v for k, v in missing.items() if v.any()}, len(lacking))
    return Rows(len(data), int(keep.sum()), left_out, np.flatnonzero(keep), by_outcome)


def _measured(rows: Rows) -> np.ndarray:
    """Which cells of the used rows are used, shape (rows.used, outcomes)."""
    measured = np.zeros((rows.used, len(rows.by_outcome)), dtype=bool)
    for place, own in enumerate(rows.by_outcome.values()):
        measured[np.searchsorted(rows.used_positions, own.used_positions), place] = True
    return measured


def _check_together(names: tuple[str, ...], measured: np.ndarray) -> None:
    """Refuse outcomes that are not measured in the same rows."""
    together = measured.astype(np.int64).T @ measured
    problems = [
        f"Only {together[a, b]} rows have both '{names[a]}' and '{names[b]}', so the covariance of "
        "their residuals within a row cannot be estimated. Put values of one session into one "
        "row, or fit each outcome on its own."
        for a in range(len(names))
        for b in range(a + 1, len(names))
        if together[a, b] < FEWEST_TOGETHER
    ]
    if problems:
        raise FitError("\n".join(problems))
