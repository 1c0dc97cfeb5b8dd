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
from dataclasses import dataclass

from alliance.errors import FitError

TRANSFORMS = ("log", "log1p", "sqrt", "square", "center", "scale", "spline")

OUTCOME = "(outcome)"
"""Column that tells which of several outcomes a row holds, and the transform that picks one."""

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
        atoms), or `OUTCOME` for the indicator of one of several outcomes, which no term can name.
    degrees : int
        Number of columns of a spline, place of the outcome for `OUTCOME`, else 0.
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
