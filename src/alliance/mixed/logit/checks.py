"""What cannot be fitted, found before the optimiser meets it and said in the user's terms."""

from __future__ import annotations

import numpy as np

from alliance.errors import FitError
from alliance.mixed.dependence import dependence_problems
from alliance.mixed.logit.prepare import PreparedBinary


def check_data(prepared: PreparedBinary) -> None:
    """Refuse groups and columns that leave nothing to estimate; all problems in one message.

    Raises
    ------
    FitError
    """
    problems = [*_group_problems(prepared), *_column_problems(prepared)]
    if problems:
        raise FitError("\n".join(problems))


def _group_problems(prepared: PreparedBinary) -> list[str]:
    counts = [(level, prepared.nesting.counts[level]) for level in prepared.levels]
    problems = []
    for depth, (level, count) in enumerate(counts):
        if count == 1:
            problems.append(
                f"There is only one {level}, so a variance between groups of '{level}' cannot be "
                "estimated. Leave the level out of random."
            )
        elif depth and count == counts[depth - 1][1]:
            problems.append(
                f"Every {counts[depth - 1][0]} has exactly one {level}: the two levels cannot be "
                f"told apart. Leave '{counts[depth - 1][0]}' or '{level}' out of random."
            )
    if counts and counts[-1][1] == prepared.rows.used > 1:
        level = counts[-1][0]
        problems.append(
            f"Every {level} has one row only: a single outcome of 0 or 1 says nothing about a "
            f"variance between groups of '{level}'. Leave '{level}' out of random or add sessions."
        )
    if not problems:
        problems += _never_both(prepared)
    return problems


def _never_both(prepared: PreparedBinary) -> list[str]:
    """Levels whose groups each have one outcome only: their variance has no upper limit."""
    sorted_outcome = prepared.outcome[prepared.order]
    for depth, level in enumerate(prepared.levels):
        starts = prepared.nesting.starts[depth]
        ones = np.add.reduceat(sorted_outcome, starts[:-1])
        if ((ones == 0) | (ones == np.diff(starts))).all():
            return [
                f"Within every {level} the outcome '{prepared.specification.outcome}' is always 0 "
                f"or always 1, so the variance between groups of '{level}' has no upper limit. "
                f"Leave '{level}' out of random, or model one row per {level}."
            ]
    return []


def _column_problems(prepared: PreparedBinary) -> list[str]:
    """Constant, empty and collinear fixed columns, and more coefficients than rows."""
    p = len(prepared.fixed)
    if p >= prepared.rows.used:
        return [
            f"There are {p} fixed coefficients but only {prepared.rows.used} rows. Use fewer terms."
        ]
    constant = _constant_columns(prepared)
    if constant:
        return [
            f"Column '{column}' has the same value in every row used, so it cannot explain "
            f"differences. Leave '{label}' out of the fixed terms."
            for column, label in constant
        ]
    gram = (prepared.x * prepared.trials) @ prepared.x.T
    return dependence_problems(gram, prepared.fixed, lambda: prepared.design(prepared.used))


def _constant_columns(prepared: PreparedBinary) -> list[tuple[str, str]]:
    found = []
    for atom in dict.fromkeys(factor.atom for product in prepared.fixed for factor in product):
        categories = prepared.vocabulary.categories.get(atom.column)
        if categories is not None:
            if len(categories) == 1:
                found.append((atom.column, atom.label))
            continue
        column = prepared.used[atom.column]
        if () in prepared.fixed and column.min() == column.max():
            found.append((atom.column, atom.label))
    return found
