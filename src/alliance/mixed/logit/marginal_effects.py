"""Average marginal effects: what a predictor changes in the probability itself.

With eta = x'b, total standard deviation s of the random intercepts and t standard normal, the
effect of a numeric column z, averaged over rows and groups, is (Bartus 2005; averaging over the
random effects: Neuhaus, Kalbfleisch & Hauck 1991)

    mean over rows of  E_t [ p'(eta + s t) ] (dx/dz)' b,

and that of category k against the reference r: mean of E_t [ p(eta_k + s t) - p(eta_r + s t) ].
Standard errors by the delta method with the joint covariance of b and the standard deviations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed.columns import is_categorical, numeric
from alliance.mixed.logit.links import (
    Link,
    probability,
    probability_curvature,
    probability_slope,
)
from alliance.mixed.logit.prediction import average_over_groups
from alliance.mixed.logit.products import per_row, row_sums
from alliance.mixed.tables import coefficient_table
from alliance.mixed.terms import Factor, Product
from alliance.mixed.vocabulary import Vocabulary

if TYPE_CHECKING:
    from alliance.mixed.logit.result import LogitFit


def average_marginal_effects(
    fit: LogitFit, columns: Sequence[str] | None, *, population: bool
) -> pd.DataFrame:
    """See `alliance.mixed.logit.result.LogitFit.average_marginal_effects`."""
    known = list(dict.fromkeys(f.atom.column for product in fit.prepared.fixed for f in product))
    chosen = known if columns is None else list(columns)
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise FitError(
            f"No fixed term holds the column '{unknown[0]}'; the columns are {', '.join(known)}."
        )
    data = fit.prepared.used
    sd = float(np.sqrt(np.sum(fit.standard_deviations**2))) if population else 0.0
    effects = [effect for name in chosen for effect in _effects_of(fit, data, name, sd)]
    if not effects:
        raise FitError("The fixed part has no predictor whose effect could be averaged.")
    estimates = np.array([effect[2] for effect in effects])
    slopes = np.array([effect[3] for effect in effects])
    se = np.sqrt(np.einsum("ka,ab,kb->k", slopes, fit.joint_covariance, slopes))
    table = coefficient_table(
        [effect[0] for effect in effects], estimates, se, np.full(len(se), np.inf)
    )
    table = table.rename(columns={"term": "column"}).drop(columns="df")
    table.insert(1, "change", [effect[1] for effect in effects])
    return table


Effect = tuple[str, str, float, np.ndarray]
"""Column, what changes, average effect, its derivatives in (b, standard deviations)."""


def _effects_of(fit: LogitFit, data: pd.DataFrame, name: str, sd: float) -> Iterator[Effect]:
    column = data[name]
    categories = fit.prepared.vocabulary.categories.get(name)
    if categories is not None:
        for category in categories[1:]:
            change = f"{category} instead of {categories[0]}"
            yield (name, change, *_difference(fit, data, name, categories[0], category, sd))
    elif _is_indicator(column):
        yield (name, "1 instead of 0", *_difference(fit, data, name, 0.0, 1.0, sd))
    else:
        yield (name, "slope", *_slope(fit, data, name, sd))


def _is_indicator(column: pd.Series) -> bool:
    return bool(column.isin([0, 1]).all())


def _slope(fit: LogitFit, data: pd.DataFrame, name: str, sd: float) -> tuple[float, np.ndarray]:
    """Average derivative, and its derivatives in the parameters."""
    x = fit.prepared.design(data)
    moved = design_derivative(fit.prepared.vocabulary, fit.prepared.fixed, name, data)
    eta, speed = per_row(x, fit.estimates), per_row(moved, fit.estimates)
    first, second, second_t = _averages(fit.link, eta, sd, (1, 2))
    n = len(data)
    gradient = np.concatenate(
        [
            (row_sums(second * speed, x) + row_sums(first, moved)) / n,
            _in_each_sd(fit, sd, float(row_sums(second_t, speed)) / n),
        ]
    )
    return float(row_sums(first, speed)) / n, gradient


def _difference(
    fit: LogitFit, data: pd.DataFrame, name: str, reference: object, category: object, sd: float
) -> tuple[float, np.ndarray]:
    """Average difference of two values of a column, and its derivatives in the parameters."""
    total, gradient = 0.0, np.zeros(fit.n_parameters)
    for value, sign in ((category, 1.0), (reference, -1.0)):
        x = fit.prepared.design(_with_value(data, name, value))
        level, first, first_t = _averages(fit.link, per_row(x, fit.estimates), sd, (0, 1))
        total += sign * float(level.mean())
        part = [row_sums(first, x) / len(x), _in_each_sd(fit, sd, float(first_t.mean()))]
        gradient += sign * np.concatenate(part)
    return total, gradient


def _averages(
    link: Link, eta: np.ndarray, sd: float, orders: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Averages over t of two neighbouring derivatives of p, and of the second one times t."""
    functions = (probability, probability_slope, probability_curvature)
    low, high = (functions[order] for order in orders)
    return (
        average_over_groups(lambda e: low(link, e), eta, sd),
        average_over_groups(lambda e: high(link, e), eta, sd),
        average_over_groups(lambda e: high(link, e), eta, sd, weight=lambda t: t),
    )


def _in_each_sd(fit: LogitFit, total_sd: float, slope: float) -> np.ndarray:
    """Chain rule from the total standard deviation to that of each level."""
    if total_sd == 0.0:
        return np.zeros(len(fit.standard_deviations))
    return slope * fit.standard_deviations / total_sd


def _with_value(data: pd.DataFrame, name: str, value: object) -> pd.DataFrame:
    """Set one column to one value in a copy of the data."""
    changed = data.copy(deep=False)
    column = data[name]
    if is_categorical(column):
        changed[name] = pd.Series([value] * len(data), index=data.index, dtype=object)
    else:
        changed[name] = np.full(len(data), value, dtype=float)
    return changed


def design_derivative(
    vocabulary: Vocabulary, fixed: dict[Product, str], name: str, data: pd.DataFrame
) -> np.ndarray:
    """Differentiate every design column in one numeric column, shape (rows, p)."""
    result = np.zeros((len(data), len(fixed)))
    for number, product in enumerate(fixed):
        for position, factor in enumerate(product):
            if factor.atom.column != name:
                continue
            part = factor_derivative(vocabulary, factor, data)
            for other in (*product[:position], *product[position + 1 :]):
                part = part * vocabulary.evaluate(other, data)
            result[:, number] += part
    return result


def factor_derivative(vocabulary: Vocabulary, factor: Factor, data: pd.DataFrame) -> np.ndarray:
    """Differentiate a transform at the values of its column, shape (rows,)."""
    atom = factor.atom
    values = numeric(data[atom.column], atom.column)
    if atom.transform == "log":
        return 1.0 / values
    if atom.transform == "log1p":
        return 1.0 / (1.0 + values)
    if atom.transform == "sqrt":
        if (values == 0.0).any():
            raise FitError(
                f"'{atom.label}' has an infinite slope where '{atom.column}' is 0, so it has no "
                "average marginal effect; compare predicted probabilities instead."
            )
        return np.asarray(0.5 / np.sqrt(values))
    if atom.transform == "scale":
        return np.full(len(values), 1.0 / vocabulary.references[atom][1])
    if atom.transform == "spline":
        return _spline_derivative(values, np.array(vocabulary.references[atom]), factor.part)
    return np.ones(len(values))


def _spline_derivative(values: np.ndarray, knots: np.ndarray, part: int) -> np.ndarray:
    """Differentiate a column of the natural cubic spline basis of `alliance.mixed.terms`."""
    if part == 0:
        return np.ones(len(values))
    span = (knots[-1] - knots[0]) ** 2
    last, before, own = knots[-1], knots[-2], knots[part - 1]

    def square(knot: float) -> np.ndarray:
        return 3.0 * np.maximum(values - knot, 0.0) ** 2

    weight_before = (last - own) / (last - before)
    weight_last = (before - own) / (last - before)
    return np.asarray(
        (square(own) - square(before) * weight_before + square(last) * weight_last) / span
    )
