"""What factors are worth on data: numbers, transforms, categories, and what they remember.

A transform such as ``center(x)`` and the categories of a text column are learnt from the rows of a
fit and used unchanged for new data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed.columns import is_categorical, numeric
from alliance.mixed.terms import OUTCOME, Atom, Factor, Product, product_label


@dataclass(slots=True)
class Vocabulary:
    """What the transforms and categories remember of the data that they were first seen in.

    Attributes
    ----------
    categories : dict of str to list
        Per categorical column its categories, reference first.
    references : dict of Atom to tuple of float
        Mean for ``center``, mean and standard deviation for ``scale``, knots for ``spline``.
    """

    categories: dict[str, list[Any]] = field(default_factory=dict)
    references: dict[Atom, tuple[float, ...]] = field(default_factory=dict)

    def products(self, terms: list[tuple[Atom, ...]]) -> dict[Product, str]:
        """Design columns of the terms and their names; contrasts where the margin is present.

        A category is coded by contrasts if the term without it is in the list, and by one
        indicator per category otherwise (so that ``t:site`` without ``t`` has one slope per site);
        this is the rule of R's ``model.matrix``.
        """
        present = {tuple(sorted(term)) for term in terms}
        columns: dict[Product, str] = {}
        for term in terms:
            choices: list[list[Factor]] = []
            for position, atom in enumerate(term):
                margin = tuple(sorted(term[:position] + term[position + 1 :]))
                choices.append(self._factors(atom, contrasts=margin in present))
            products: list[list[Factor]] = [[]]
            for choice in choices:
                products = [[*left, right] for right in choice for left in products]
            for product in products:
                columns.setdefault(tuple(sorted(product)), product_label(tuple(product)))
        return columns

    def _factors(self, atom: Atom, *, contrasts: bool) -> list[Factor]:
        if atom.column in self.categories and not atom.transform:
            levels = self.categories[atom.column]
            return [
                Factor(atom, part, f"{atom.label}[{levels[part]}]")
                for part in range(1 if contrasts else 0, len(levels))
            ]
        if atom.transform == "spline":
            return [Factor(atom, part, f"{atom.label}[{part + 1}]") for part in range(atom.degrees)]
        # An indicator (part 0) is never centred, a number (part -1) may be.
        return [Factor(atom, 0 if atom.transform == OUTCOME else -1, atom.label)]

    def learn(self, atom: Atom, data: pd.DataFrame) -> None:
        """Remember the categories, mean, scale or knots of an atom.

        Raises
        ------
        FitError
            A transform of a text column, or a logarithm or root outside its domain.
        """
        column = data[atom.column]
        if is_categorical(column):
            if atom.transform:
                raise FitError(
                    f"'{atom.label}': column '{atom.column}' holds categories, and "
                    f"{atom.transform} needs numbers."
                )
            self.categories[atom.column] = _categories(column)
            return
        values = numeric(column, atom.column)
        check_domain(atom, values)
        if atom.transform == "center":
            self.references[atom] = (float(np.mean(values)),)
        elif atom.transform == "scale":
            deviation = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
            if not deviation > 0:
                raise FitError(f"'{atom.label}': column '{atom.column}' is constant.")
            self.references[atom] = (float(np.mean(values)), deviation)
        elif atom.transform == "spline":
            self.references[atom] = _knots(atom, values)

    def evaluate(self, factor: Factor, data: pd.DataFrame) -> np.ndarray:
        """Values of a factor, shape (rows,), on the data that it was learnt from or on new data.

        Raises
        ------
        FitError
            New data hold a category that the fit has not seen.
        """
        atom = factor.atom
        column = data[atom.column]
        if atom.column in self.categories and not atom.transform:
            return np.asarray((self.codes(atom.column, column) == factor.part).astype(float))
        values = numeric(column, atom.column)
        if atom.transform == OUTCOME:
            return np.asarray((values == atom.degrees).astype(float))
        check_domain(atom, values)
        if atom.transform == "log":
            return np.asarray(np.log(values))
        if atom.transform == "log1p":
            return np.asarray(np.log1p(values))
        if atom.transform == "sqrt":
            return np.asarray(np.sqrt(values))
        if atom.transform == "center":
            return values - self.references[atom][0]
        if atom.transform == "scale":
            mean, deviation = self.references[atom]
            return (values - mean) / deviation
        if atom.transform == "spline":
            return _spline_column(values, np.array(self.references[atom]), factor.part)
        return values

    def codes(self, name: str, column: pd.Series) -> np.ndarray:
        """Index of each row's category, shape (rows,)."""
        levels = self.categories[name]
        index = pd.Index(levels)
        if isinstance(column.dtype, pd.CategoricalDtype):
            lookup = index.get_indexer(column.cat.categories)
            raw = column.cat.codes.to_numpy()
            codes = np.where(raw >= 0, lookup[raw] if len(lookup) else -1, -1)
        else:
            codes = index.get_indexer(pd.Index(column))
        if (codes < 0).any():
            raise FitError(
                f"Column '{name}': {int((codes < 0).sum())} rows hold a category that the fit has "
                "not seen. Predict only for categories in the data of the fit."
            )
        return codes


def check_domain(atom: Atom, values: np.ndarray) -> None:
    """Refuse a logarithm or root of values outside its domain, by count and not by value."""
    lowest = {"log": 0.0, "log1p": -1.0, "sqrt": 0.0}.get(atom.transform)
    if lowest is None:
        return
    bad = values < lowest if atom.transform == "sqrt" else values <= lowest
    if bad.any():
        word = "below" if atom.transform == "sqrt" else "at or below"
        raise FitError(
            f"'{atom.label}': {int(bad.sum())} rows of column '{atom.column}' are {word} "
            f"{lowest:g}, where {atom.transform} is not defined."
        )


def _categories(column: pd.Series) -> list[Any]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        used = column.cat.remove_unused_categories().cat.categories
        return list(used) if column.cat.ordered else _sorted(list(used))
    return _sorted(list(pd.unique(column.dropna())))


def _sorted(values: list[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=lambda value: (type(value).__name__, str(value)))


def _knots(atom: Atom, values: np.ndarray) -> tuple[float, ...]:
    """Boundary knots at the extremes, inner knots at equally spaced quantiles (as R's ``ns``)."""
    knots = np.quantile(values, np.linspace(0.0, 1.0, atom.degrees + 1))
    if len(np.unique(knots)) < len(knots):
        raise FitError(
            f"'{atom.label}': column '{atom.column}' has too few different values for a spline "
            f"with {atom.degrees} degrees of freedom. Lower the number or use the column itself."
        )
    return tuple(float(knot) for knot in knots)


def _spline_column(values: np.ndarray, knots: np.ndarray, part: int) -> np.ndarray:
    """Column of the natural cubic spline basis in truncated power form.

    Harrell (2015), Regression Modeling Strategies, eq. 2.24 and 2.25: linear beyond the boundary
    knots; the first column is x itself. The span is that of R's ``ns(x, df)`` with an intercept.
    """
    if part == 0:
        return values
    span = (knots[-1] - knots[0]) ** 2
    last, before, own = knots[-1], knots[-2], knots[part - 1]

    def cube(knot: float) -> np.ndarray:
        return np.maximum(values - knot, 0.0) ** 3

    weight_before = (last - own) / (last - before)
    weight_last = (before - own) / (last - before)
    return np.asarray((cube(own) - cube(before) * weight_before + cube(last) * weight_last) / span)
