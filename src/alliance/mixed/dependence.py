"""Design columns that depend on others, said in the terms that a user can leave out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from alliance.mixed.terms import OUTCOME, Factor, Product

COLLINEAR = 1e-10
"""A column is collinear if the others leave less than this share of its sum of squares."""

ROUNDING = 1e-11
"""A combination that is met to this share of the largest number is exact up to rounding."""


@dataclass(frozen=True, slots=True)
class Dependence:
    """A design column that others determine: its place and theirs; no others if it is zero."""

    column: int
    others: tuple[int, ...]


def dependences(gram: np.ndarray) -> list[Dependence]:
    """Find columns that are zero or combinations of those before them.

    Parameters
    ----------
    gram : array (p, p)
        Cross-products of the columns.
    """
    size = np.sqrt(np.diag(gram))
    found = [Dependence(int(column), ()) for column in np.flatnonzero(size == 0)]
    unit = gram / np.outer(size, size) if not found else gram
    kept: list[int] = []
    for column in np.flatnonzero(size > 0) if not found else ():
        if kept:
            weights = np.linalg.solve(unit[np.ix_(kept, kept)], unit[kept, column])
            if 1.0 - weights @ unit[kept, column] < COLLINEAR:
                large = np.abs(weights) > 1e-6 * np.abs(weights).max()
                found.append(Dependence(int(column), tuple(kept[i] for i in np.flatnonzero(large))))
                continue
        kept.append(int(column))
    return found


def dependence_problems(
    gram: np.ndarray, fixed: dict[Product, str], design: Callable[[], np.ndarray]
) -> list[str]:
    """Say which fixed terms cannot be told apart, and what to leave out.

    Parameters
    ----------
    gram : array (p, p)
        Cross-products of the fixed columns, on whatever scale is numerically best.
    fixed : dict of Product to str
    design : callable
        Gives the columns on the user's scale, shape (rows, p); asked only if there is a problem.
    """
    found = dependences(gram)
    if not found:
        return []
    x, products, names = design(), list(fixed), list(fixed.values())
    by_term: dict[str, list[str]] = {}
    for own in found:
        told = _said(own, x, products, names)
        by_term.setdefault(_term(products[own.column]), []).append(told)
    return [_with_remedy(term, told, products, found) for term, told in by_term.items()]


def _said(own: Dependence, x: np.ndarray, products: list[Product], names: list[str]) -> str:
    """State one dependence: an empty cell, a zero column, a combination or nearly one."""
    cell = _empty_cell(products[own.column], products, x)
    if cell:
        return f"no row has {cell}"
    name = names[own.column]
    if not own.others:
        return f"'{name}' is zero in every row"
    others = ", ".join(f"'{names[other]}'" for other in own.others)
    column, rest = x[:, own.column], x[:, list(own.others)]
    with_one = np.column_stack([rest, np.ones(len(x))])
    scale = np.abs(with_one).max(axis=0)
    left = column - with_one / scale @ np.linalg.lstsq(with_one / scale, column, rcond=None)[0]
    if np.abs(left).max() <= ROUNDING * np.abs(column).max():
        return f"'{name}' is an exact combination of {others}"
    share = float(left @ left / np.square(column - column.mean()).sum())
    return (
        f"'{name}' is nearly a combination of {others}: only {share:.0e} of its variance is its own"
    )


def _with_remedy(
    term: str, told: list[str], products: list[Product], found: list[Dependence]
) -> str:
    """Put together what is wrong with a term and what can be done about it."""
    said = "; ".join(dict.fromkeys(told))
    own = [one for one in found if _term(products[one.column]) == term]
    product = products[own[0].column]
    if not _is_part(product):
        if not own[0].others:
            return f"The fixed terms {said}. Leave it out."
        return f"Collinear fixed terms: {said}; leave one of them out."
    others = {_term(products[other]) for one in own for other in one.others} - {term, "1"}
    apart = sorted(other for other in others if not set(other.split(":")) < set(term.split(":")))
    leave = f"leave '{term}' out" + "".join(f" or '{other}'" for other in apart)
    if len(_categories(product)) > 1:
        return (
            f"The term '{term}' cannot be estimated: {said}. Join categories, put the columns of "
            "the term into one column with a category per combination that occurs (and leave "
            f"their own terms out), or {leave}."
        )
    joined = "join categories, or " if _categories(product) else ""
    return f"Collinear fixed terms: {said}; {joined}{leave}."


def _term(product: Product) -> str:
    """Name the term that a design column belongs to."""
    return ":".join(factor.atom.label for factor in product if _is_named(factor)) or "1"


def _is_named(factor: Factor) -> bool:
    return factor.atom.transform != OUTCOME


def _is_part(product: Product) -> bool:
    """Whether a column is one of several of its term, so that it cannot be left out alone."""
    return any(factor.part >= 0 and _is_named(factor) for factor in product)


def _categories(product: Product) -> list[Factor]:
    return [factor for factor in product if factor.part >= 0 and not factor.atom.transform]


def _empty_cell(product: Product, products: list[Product], x: np.ndarray) -> str | None:
    """Name a combination of categories of the column's term that no row has.

    The column itself, or, where the reference category is concerned, the rest of a margin: all
    columns of the term that share the column's other categories fill their margin alone.
    """
    factors = _categories(product)
    if len(factors) < 2:
        return None
    place = products.index(product)
    if not x[:, place].any():
        return " together with ".join(f"'{factor.label}'" for factor in factors)
    for factor in factors:
        rest = tuple(other for other in product if other != factor)
        family = [
            column
            for column, other in enumerate(products)
            if set(rest) < set(other) and _term(other) == _term(product)
        ]
        if rest in products and np.array_equal(
            x[:, family].sum(axis=1), x[:, products.index(rest)]
        ):
            held = " and ".join(f"'{other.label}'" for other in _categories(rest))
            return f"{held} together with the reference category of '{factor.atom.label}'"
    return _empty_corner(factors, products, x)


def _empty_corner(factors: list[Factor], products: list[Product], x: np.ndarray) -> str | None:
    """Name the reference categories of all factors, where no row has them together."""
    at_reference = np.ones(len(x), dtype=bool)
    for factor in factors:
        own = [
            column
            for column, other in enumerate(products)
            if len(other) == 1 and other[0].atom == factor.atom
        ]
        if not own:
            return None
        at_reference &= ~x[:, own].any(axis=1)
    if at_reference.any():
        return None
    return " together with ".join(
        f"the reference category of '{factor.atom.label}'" for factor in factors
    )
