"""Separation: predictors that foretell the outcome without error, so that no estimate exists.

If some combination d of the predictors has x'd >= 0 in every row with outcome 1 and x'd <= 0 in
every row with outcome 0, and not always 0, the likelihood grows for ever along d (Albert & Anderson
1984). That holds with random intercepts too, since it holds given every value of them.

Looked for from cheap to thorough: single columns and single categories; then, only where a logistic
regression without random effects runs off, any combination, by linear programming (Konis 2007).
A logistic regression that ends at a finite point proves that there is none.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from alliance.errors import FitError
from alliance.mixed.logit.laplace import BinaryRows
from alliance.mixed.logit.prepare import PreparedBinary

LARGEST_PROGRAM = 50_000
"""Different rows up to which the linear program is solved (seconds)."""

LARGEST_SEARCH = 5_000
"""Rows up to which the fewest columns that separate are searched for, by one program each."""

TOLERANCE = 1e-7


def check_separation(prepared: PreparedBinary) -> None:
    """Refuse single columns and categories that separate the outcomes.

    Raises
    ------
    FitError
        Names every such column.
    """
    told: dict[str, str] = {}
    for column, text in [*_categories(prepared), *_single_columns(prepared)]:
        told.setdefault(column, text)
    if told:
        raise FitError("\n".join(told.values()))


def _categories(prepared: PreparedBinary) -> list[tuple[str, str]]:
    """Categories in which all rows have one outcome."""
    outcome = prepared.specification.outcome
    found = []
    for product in prepared.fixed:
        if len(product) != 1 or product[0].atom.column not in prepared.vocabulary.categories:
            continue
        name = product[0].atom.column
        levels = prepared.vocabulary.categories[name]
        codes = prepared.vocabulary.codes(name, prepared.used[name])
        count = np.bincount(codes, minlength=len(levels))
        ones = np.bincount(codes, weights=prepared.outcome, minlength=len(levels))
        one_sided = [
            f"'{levels[k]}' (always {1 if ones[k] else 0})"
            for k in range(len(levels))
            if ones[k] in (0, count[k])
        ]
        if one_sided:
            found.append(
                (
                    name,
                    f"Column '{name}' separates the outcome '{outcome}': it never varies in "
                    f"category {', '.join(one_sided)}, so that no finite effect can be estimated. "
                    "Join categories, or leave these rows or the column out.",
                )
            )
    return found


def _single_columns(prepared: PreparedBinary) -> list[tuple[str, str]]:
    """Numeric columns that split the outcomes at one value."""
    rows = prepared.binary_rows(prepared.outcome)
    ones, zeros = rows.successes > 0, rows.successes < rows.trials
    outcome = prepared.specification.outcome
    shifted = () in prepared.fixed
    found = []
    for number, (product, name) in enumerate(prepared.fixed.items()):
        column = rows.x[number]
        low, high = float(column.min()), float(column.max())
        if not product or low == high:
            continue
        categorical = any(f.atom.column in prepared.vocabulary.categories for f in product)
        if len(product) == 1 and categorical:
            continue  # said by category
        of_ones, of_zeros = column[ones], column[zeros]
        if shifted:
            above = of_ones.min() >= of_zeros.max()
            below = of_ones.max() <= of_zeros.min()
        else:
            above = of_ones.min() >= 0.0 >= of_zeros.max()
            below = of_ones.max() <= 0.0 <= of_zeros.min()
        if above or below:
            side = "above" if above else "below"
            found.append(
                (
                    name,
                    f"'{name}' separates the outcome '{outcome}': {side} one value of it the "
                    "outcome is always 1, on the other side always 0 (or only one of the two at "
                    "that value), so that no finite effect can be estimated. Leave "
                    f"'{name}' out, or use a coarser form of it.",
                )
            )
    return found


def check_combination(prepared: PreparedBinary, rows: BinaryRows, hint: np.ndarray) -> None:
    """Refuse a combination of columns that separates the outcomes.

    Parameters
    ----------
    prepared : PreparedBinary
    rows : BinaryRows
    hint : array (p,)
        Direction in which a regression ran off, internal scale; tried first.

    Raises
    ------
    FitError
        Names the columns of the combination.
    """
    signed = signed_rows(rows)
    direction = hint if separates(signed, hint) else None
    if direction is None and len(signed) <= LARGEST_PROGRAM:
        direction = separating_direction(signed)
    if direction is None:
        return
    names = prepared.fixed_names
    constant = {k for k, product in enumerate(prepared.fixed) if not product}
    heavy = [k for k in needed_columns(signed, direction, constant) if k not in constant]
    listed = ", ".join(f"'{names[k]}'" for k in heavy)
    raise FitError(
        f"Together the fixed terms {listed} separate the outcome "
        f"'{prepared.specification.outcome}': a combination of them foretells 0 or 1 without error "
        "in part of the rows, so that no finite effects can be estimated. Leave some of them out, "
        "join rare categories, or use coarser forms."
    )


def needed_columns(signed: np.ndarray, direction: np.ndarray, constant: set[int]) -> list[int]:
    """Columns of a separating combination, without those that it can do without.

    Parameters
    ----------
    signed : array (rows, p)
    direction : array (p,)
        A separating combination.
    constant : set of int
        The intercept, which always stays.
    """
    size = np.abs(direction) * np.sqrt(np.mean(signed**2, axis=0))
    kept = [k for k in range(len(direction)) if k in constant or size[k] > 1e-5 * size.max()]
    if len(signed) > LARGEST_SEARCH:
        return kept
    for k in [k for k in reversed(kept) if k not in constant]:
        fewer = [other for other in kept if other != k]
        if fewer and separating_direction(signed[:, fewer]) is not None:
            kept = fewer
    return kept


def signed_rows(rows: BinaryRows) -> np.ndarray:
    """Rows x with outcome 1 and rows -x with outcome 0; rows with both appear twice."""
    ones, zeros = rows.successes > 0, rows.successes < rows.trials
    return np.concatenate([rows.x[:, ones].T, -rows.x[:, zeros].T])


def separates(signed: np.ndarray, direction: np.ndarray) -> bool:
    """Whether the direction is never wrong and sometimes right."""
    length = float(np.abs(direction).max())
    if not length > 0:
        return False
    side = signed @ (direction / length)
    return bool(side.min() >= -TOLERANCE and side.max() > 1e3 * TOLERANCE)


def separating_direction(signed: np.ndarray) -> np.ndarray | None:
    """Solve max sum_i z_i'd subject to z_i'd >= 0, |d_k| <= 1; None if the maximum is 0."""
    unique = np.unique(signed, axis=0)
    result = linprog(
        -unique.sum(axis=0),
        A_ub=-unique,
        b_ub=np.zeros(len(unique)),
        bounds=[(-1.0, 1.0)] * unique.shape[1],
        method="highs",
    )
    if result.x is None or not separates(unique, np.asarray(result.x)):
        return None
    return np.asarray(result.x)
