"""The closed grammar of model terms: names, ``:``, ``*`` and a few named transforms.

A term is text such as ``"1"``, ``"t"``, ``"t:site"``, ``"t*site"``, ``"log1p(days)"`` or
``"spline(t, 3)"``. It is read by the small parser below and never executed. A column whose name
holds blanks or odd characters is written in backticks; text that equals a column's name exactly is
that column.

The unit of the design is the *factor*: one vector over the rows, such as a numeric column, a
transform of it, or the indicator of one category. A design column is a product of factors; the
intercept is the empty product. ``square(x)`` is the product of ``x`` with itself.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from alliance.errors import FitError

TRANSFORMS = ("log", "log1p", "sqrt", "square", "center", "scale", "spline")

_TOKEN = re.compile(r"\s*(?:`([^`]+)`|([^\W\d][\w.]*)|(\d+)|([:*(),]))")


@dataclass(frozen=True, slots=True, order=True)
class Atom:
    """One name in a term: a column, or a named transform of a column.

    Attributes
    ----------
    column : str
        Column of the data frame.
    transform : str
        ``""`` for the column itself, else one of `TRANSFORMS` (``square`` never appears: it is two
        atoms).
    degrees : int
        Number of columns of a spline, else 0.
    """

    column: str
    transform: str = ""
    degrees: int = 0

    @property
    def label(self) -> str:
        """The atom as a reader writes it."""
        if self.transform == "spline":
            return f"spline({self.column}, {self.degrees})"
        return f"{self.transform}({self.column})" if self.transform else self.column


@dataclass(frozen=True, slots=True, order=True)
class Factor:
    """One vector over the rows: an atom, or one category or basis column of it.

    Attributes
    ----------
    atom : Atom
        Where the vector comes from.
    part : int
        Index of the category or of the spline's basis column, -1 for a plain numeric vector.
    label : str
        Name in the table of coefficients, for example ``site[south]``.
    """

    atom: Atom
    part: int
    label: str


Product = tuple[Factor, ...]
"""A design column: the product of its factors, sorted; ``()`` is the intercept."""


def product_label(product: Product) -> str:
    """Name of a design column: ``1``, ``t``, ``t:site[south]``, ``square(t)``."""
    if not product:
        return "1"
    parts: list[str] = []
    for factor in dict.fromkeys(product):
        times = product.count(factor)
        parts.append({1: factor.label, 2: f"square({factor.label})"}.get(times, ""))
        if times > 2:
            parts[-1] = ":".join([factor.label] * times)
    return ":".join(parts)


# ----------------------------------------------------------------------------------------------
# Reading
# ----------------------------------------------------------------------------------------------


def parse_terms(texts: Iterable[str], columns: Sequence[str]) -> list[tuple[Atom, ...]]:
    """Read a list of terms.

    Parameters
    ----------
    texts : iterable of str
        Terms as the user wrote them.
    columns : sequence of str
        Names of the columns of the data.

    Returns
    -------
    list of tuple of Atom
        One tuple per term in the order given, ``()`` for the intercept, without repetitions.

    Raises
    ------
    FitError
        Lists every term that cannot be read, with the nearest valid name.
    """
    terms: dict[tuple[Atom, ...], None] = {}
    problems: list[str] = []
    for text in texts:
        try:
            for term in _parse_term(text, columns):
                terms.setdefault(term, None)
        except FitError as error:
            problems.append(str(error))
    if problems:
        raise FitError("\n".join(problems))
    return list(terms)


def _parse_term(text: str, columns: Sequence[str]) -> list[tuple[Atom, ...]]:
    if not isinstance(text, str):
        raise FitError(
            f"A model term must be text such as 't' or 't:site', not {type(text).__name__}."
        )
    if text in columns:
        return [(Atom(text),)]
    if text.strip() == "1":
        return [()]
    crossed: list[list[tuple[Atom, ...]]] = [[]]
    tokens = _tokens(text)
    position = 0
    current: tuple[Atom, ...] = ()
    while True:
        atoms, position = _parse_atom(text, tokens, position, columns)
        current = (*current, *atoms)
        mark = tokens[position] if position < len(tokens) else ""
        if mark == ":":
            position += 1
            continue
        crossed[0].append(current)
        current = ()
        if mark == "*":
            position += 1
            continue
        if mark:
            raise FitError(f"Term {text!r}: '{mark}' is not expected there. {_GRAMMAR}")
        break
    return _expand(crossed[0])


_GRAMMAR = (
    "Write terms as column names joined by ':' or '*', or one of "
    + ", ".join(f"{name}(column)" for name in TRANSFORMS[:-1])
    + ", spline(column, 3); put names with blanks in backticks."
)


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise FitError(f"Term {text!r} cannot be read. {_GRAMMAR}")
        quoted, name, number, mark = match.groups()
        tokens.append(f"`{quoted}" if quoted else (name or number or mark))
        position = match.end()
    return tokens


def _parse_atom(
    text: str, tokens: list[str], position: int, columns: Sequence[str]
) -> tuple[tuple[Atom, ...], int]:
    if position >= len(tokens) or tokens[position] in ":*(),":
        raise FitError(f"Term {text!r} is incomplete. {_GRAMMAR}")
    name = tokens[position]
    if position + 1 >= len(tokens) or tokens[position + 1] != "(":
        return (Atom(_column(text, name, columns)),), position + 1
    if name not in TRANSFORMS:
        near = difflib.get_close_matches(name, TRANSFORMS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise FitError(f"Term {text!r}: there is no transform '{name}'.{hint} {_GRAMMAR}")
    inner = tokens[position + 2 : position + 6]
    if name == "spline":
        if len(inner) < 4 or inner[1] != "," or not inner[2].isdigit() or inner[3] != ")":
            raise FitError(f"Term {text!r}: a spline is written spline(column, 3).")
        degrees = int(inner[2])
        if not 2 <= degrees <= 10:
            raise FitError(f"Term {text!r}: a spline has 2 to 10 degrees of freedom.")
        return (Atom(_column(text, inner[0], columns), "spline", degrees),), position + 6
    if len(inner) < 2 or inner[1] != ")":
        raise FitError(f"Term {text!r}: a transform is written {name}(column).")
    column = _column(text, inner[0], columns)
    if name == "square":
        return (Atom(column), Atom(column)), position + 4
    return (Atom(column, name),), position + 4


def _column(text: str, token: str, columns: Sequence[str]) -> str:
    name = token.removeprefix("`")
    if name in columns:
        return name
    near = difflib.get_close_matches(name, [str(column) for column in columns], n=1)
    hint = f" The nearest name is '{near[0]}'." if near else ""
    raise FitError(f"Term {text!r}: the data have no column '{name}'.{hint}")


def _expand(parts: list[tuple[Atom, ...]]) -> list[tuple[Atom, ...]]:
    """``a*b`` is ``a``, ``b``, ``a:b``; main effects first, as in R."""
    terms: list[tuple[Atom, ...]] = []
    for chosen in sorted(range(1, 2 ** len(parts)), key=lambda bits: (bits.bit_count(), bits)):
        joined: tuple[Atom, ...] = ()
        for index, part in enumerate(parts):
            if chosen >> index & 1:
                joined = (*joined, *part)
        terms.append(tuple(joined))
    return terms


# ----------------------------------------------------------------------------------------------
# Evaluating
# ----------------------------------------------------------------------------------------------


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

    categories: dict[str, list] = field(default_factory=dict)
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
        return [Factor(atom, -1, atom.label)]

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
            return (self.codes(atom.column, column) == factor.part).astype(float)
        values = numeric(column, atom.column)
        check_domain(atom, values)
        if atom.transform == "log":
            return np.log(values)
        if atom.transform == "log1p":
            return np.log1p(values)
        if atom.transform == "sqrt":
            return np.sqrt(values)
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


def is_categorical(column: pd.Series) -> bool:
    """Whether a column holds categories (text, pandas categories) rather than numbers."""
    return isinstance(column.dtype, pd.CategoricalDtype) or not (
        pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)
    )


def numeric(column: pd.Series, name: str) -> np.ndarray:
    """A column as contiguous float64, missing as NaN.

    Raises
    ------
    FitError
        Complex numbers, dates or objects.
    """
    if pd.api.types.is_complex_dtype(column) or is_categorical(column):
        raise FitError(f"Column '{name}' must hold plain numbers.")
    return np.ascontiguousarray(column.to_numpy(dtype=float, na_value=np.nan))


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


def _categories(column: pd.Series) -> list:
    if isinstance(column.dtype, pd.CategoricalDtype):
        used = column.cat.remove_unused_categories().cat.categories
        return list(used) if column.cat.ordered else _sorted(list(used))
    return _sorted(list(pd.unique(column.dropna())))


def _sorted(values: list) -> list:
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
    return (cube(own) - cube(before) * weight_before + cube(last) * weight_last) / span
