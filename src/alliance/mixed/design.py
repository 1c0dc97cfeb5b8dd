"""From terms to well-conditioned columns, and back to the user's scale.

Cross-products square the condition number, so a predictor such as ``t + 1e6`` would lose all its
digits. The engine therefore works with *internal* columns: numeric factors are centred wherever
the terms without them are in the same list (so that the span stays the same), and every column is
scaled. Both constants are rounded to few binary digits, so that centring whole numbers is exact
and sums over them do not depend on the order of the rows.

The user's columns are a linear transform of the internal ones: ``X = X_internal A``, and likewise
``Z_l = Z_internal_l A_l`` at each level, so that

    b = A^-1 b_internal,    Sigma_l = A_l^-1 Sigma_internal_l A_l^-T.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from alliance.mixed.terms import Factor, Product

MOST_ROWS = 100_000
"""Rows that centres and scales are taken from."""

Internal = tuple[tuple[Factor, bool], ...]
"""A product of factors, each with a flag: centred or not."""


@dataclass(slots=True)
class Columns:
    """The internal columns shared by the fixed part and all levels.

    Attributes
    ----------
    internals : list of Internal
        Columns of the random parts first, then those that only the fixed part has.
    n_random : int
        Number of internal columns that some level uses (the first ones).
    fixed_index : numpy.ndarray
        Internal column of each fixed coefficient, shape (p,).
    fixed_transform : numpy.ndarray
        A with X = X_internal A, shape (p, p).
    level_index : list of numpy.ndarray
        Per level, internal column of each random effect, shape (q,).
    level_transform : list of numpy.ndarray
        Per level, A_l, shape (q, q).
    centres : dict of Factor to float
        Constant subtracted from each numeric factor where it is centred.
    scales : numpy.ndarray
        Divisor of each internal column.
    """

    internals: list[Internal]
    n_random: int
    fixed_index: np.ndarray
    fixed_transform: np.ndarray
    level_index: list[np.ndarray]
    level_transform: list[np.ndarray]
    centres: dict[Factor, float] = field(default_factory=dict)
    scales: np.ndarray = field(default_factory=lambda: np.empty(0))


def round_binary(value: float, unit: float) -> float:
    """Round `value` to a multiple of the power of two next below `unit`."""
    if not (np.isfinite(unit) and unit > 0):
        return value
    step = 2.0 ** np.floor(np.log2(unit))
    return float(np.round(value / step) * step)


def power_of_two(value: float) -> float:
    """Round a positive `value` to the next power of two; 1 for zero."""
    if not (np.isfinite(value) and value > 0):
        return 1.0
    return float(2.0 ** np.round(np.log2(value)))


def thinned(values: np.ndarray) -> np.ndarray:
    """At most `MOST_ROWS` evenly spread values: centres and scales need not be exact."""
    return values[:: -(-len(values) // MOST_ROWS)] if len(values) > MOST_ROWS else values


def centre_of(values: np.ndarray) -> float:
    """Mean of a column, rounded to an eighth of its standard deviation."""
    some = thinned(values)
    mean = float(np.mean(some))
    deviation = _size(some - mean)
    return round_binary(mean, deviation / 8.0) if deviation > 0 else mean


def scale_of(values: np.ndarray | float, centre: float = 0.0) -> float:
    """Root mean square about a centre, rounded to a power of two."""
    some = np.atleast_1d(values) if isinstance(values, float) else thinned(values)
    return power_of_two(_size(some - centre))


def _size(values: np.ndarray) -> float:
    """Root mean square, also of values whose squares overflow."""
    largest = float(np.abs(values).max())
    if not largest > 0:
        return 0.0
    return largest * float(np.sqrt(np.mean(np.square(values / largest))))


def build_columns(
    fixed: list[Product],
    levels: list[list[Product]],
    values: Callable[[Factor], np.ndarray],
) -> Columns:
    """Choose the internal columns for the fixed part and every level.

    Parameters
    ----------
    fixed : list of Product
        Design columns of the fixed part.
    levels : list of list of Product
        Design columns of each level's random effects, outermost first.
    values : callable
        Gives the vector of a factor over the sorted rows.
    """
    level_flags = [_centring(products) for products in levels]
    fixed_flags = _centring(fixed)
    place: dict[Internal, int] = {}
    for flags in level_flags:
        for internal in flags.values():
            place.setdefault(internal, len(place))
    n_random = len(place)
    for internal in fixed_flags.values():
        place.setdefault(internal, len(place))
    columns = Columns(list(place), n_random, np.empty(0), np.empty(0), [], [])
    for internal in place:
        for factor, centred in internal:
            if centred and factor not in columns.centres:
                columns.centres[factor] = centre_of(values(factor))
    columns.scales = np.array(
        [scale_of(internal_values(internal, values, columns.centres)) for internal in place]
    )
    columns.fixed_index, columns.fixed_transform = _transform(fixed, fixed_flags, place, columns)
    for products, flags in zip(levels, level_flags, strict=True):
        index, transform = _transform(products, flags, place, columns)
        columns.level_index.append(index)
        columns.level_transform.append(transform)
    return columns


def internal_values(
    internal: Internal, values: Callable[[Factor], np.ndarray], centres: dict[Factor, float]
) -> np.ndarray | float:
    """Vector of an internal column before scaling; 1.0 for the intercept."""
    product: np.ndarray | float = 1.0
    for factor, centred in internal:
        vector = values(factor)
        if centred and centres[factor] != 0.0:
            vector = vector - centres[factor]
        product = vector if isinstance(product, float) else product * vector
    return product


def _centring(products: list[Product]) -> dict[Product, Internal]:
    """For each column, which of its factors can be centred without changing the span.

    A set of factors can be centred if the columns without any part of that set are all present.
    """
    present = set(products)
    chosen: dict[Product, Internal] = {}
    for product in products:
        candidates = [
            position
            for position, factor in enumerate(product)
            if _is_numeric(factor) and _without(product, (position,)) in present
        ]
        while candidates and not all(
            _without(product, _subset(candidates, bits)) in present
            for bits in range(1, 2 ** len(candidates))
        ):
            candidates.pop()
        chosen[product] = tuple(
            (factor, position in candidates) for position, factor in enumerate(product)
        )
    return chosen


def _is_numeric(factor: Factor) -> bool:
    return factor.part < 0 or factor.atom.transform == "spline"


def _without(product: Product, positions: tuple[int, ...]) -> Product:
    return tuple(factor for index, factor in enumerate(product) if index not in positions)


def _subset(items: list[int], bits: int) -> tuple[int, ...]:
    return tuple(item for index, item in enumerate(items) if bits >> index & 1)


def _transform(
    products: list[Product],
    flags: dict[Product, Internal],
    place: dict[Internal, int],
    columns: Columns,
) -> tuple[np.ndarray, np.ndarray]:
    """Index of the internal columns and the matrix A with user columns = internal columns A."""
    index = np.array([place[flags[product]] for product in products], dtype=np.int64)
    slot = {flags[product]: number for number, product in enumerate(products)}
    matrix = np.zeros((len(products), len(products)))
    for number, product in enumerate(products):
        raw = tuple((factor, False) for factor in product)
        for internal, coefficient in _express(raw, flags, columns.centres).items():
            row = slot[internal]
            matrix[row, number] = coefficient * columns.scales[place[internal]]
    return index, matrix


def _express(
    product: Internal, flags: dict[Product, Internal], centres: dict[Factor, float]
) -> dict[Internal, float]:
    """Write a product of raw and centred factors as a combination of internal columns."""
    bare = tuple(factor for factor, _ in product)
    wanted = flags[bare]
    if product == wanted:
        return {product: 1.0}
    for position, ((factor, is_centred), (_, want)) in enumerate(zip(product, wanted, strict=True)):
        if is_centred == want:
            continue
        swapped = (*product[:position], (factor, want), *product[position + 1 :])
        dropped = (*product[:position], *product[position + 1 :])
        # raw = centred + centre, and centred = raw - centre
        shift = centres[factor] if want else -centres[factor]
        total = dict(_express(swapped, flags, centres))
        if shift != 0.0:
            for internal, coefficient in _express(dropped, flags, centres).items():
                total[internal] = total.get(internal, 0.0) + shift * coefficient
        return total
    raise AssertionError("unreachable: the flags differ somewhere")
