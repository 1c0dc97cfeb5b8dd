"""Predictions for the rows of a fit or for new data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed.columns import is_categorical
from alliance.mixed.stacking import own_products
from alliance.mixed.tables import t_quantile
from alliance.mixed.terms import Product

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit


def predict(
    fit: MixedFit,
    new_data: pd.DataFrame | None,
    levels: Literal["all", "none"] | Sequence[str],
    interval: Literal["confidence"] | None,
    confidence: float,
) -> pd.Series | pd.DataFrame:
    """See `alliance.mixed.result.MixedFit.predict`."""
    prepared = fit.prepared
    data = used_in_given_order(fit) if new_data is None else new_data
    if interval not in (None, "confidence"):
        raise FitError("interval must be 'confidence' (of the fixed part) or left out.")
    tables: dict[str, pd.Series | pd.DataFrame] = {}
    for place, name in enumerate(prepared.outcomes.names):
        own = np.array([prepared.outcomes.place_of(p) == place for p in prepared.fixed])
        x, complete = _matrix(fit, _own(fit, prepared.fixed, place), data)
        mean = np.full(len(data), np.nan)
        mean[complete] = x @ fit.estimate.coefficients[own]
        if interval is not None:
            tables[name] = _confidence(fit, x, own, complete, mean, data.index, confidence)
            continue
        for level in _chosen(fit, levels):
            mean += _group_part(fit, level, place, data)
        tables[name] = pd.Series(mean, index=data.index, name=name)
    if not prepared.specification.outcomes:
        return next(iter(tables.values()))
    return pd.concat(tables, axis=1)


def _confidence(
    fit: MixedFit, x: np.ndarray, own: np.ndarray, complete: np.ndarray, mean: np.ndarray,
    index: pd.Index, confidence: float,
) -> pd.DataFrame:  # fmt: skip
    """Mean, se, df and interval of the fixed part of one outcome."""
    covariance = fit.covariance.to_numpy()[np.ix_(own, own)]
    se = np.full(len(mean), np.nan)
    se[complete] = np.sqrt(np.maximum(np.einsum("ia,ab,ib->i", x, covariance, x), 0.0))
    df = np.full(len(mean), np.nan)
    if complete.any():
        unique, inverse = np.unique(x, axis=0, return_inverse=True)
        weights = np.zeros((len(unique), len(own)))
        weights[:, own] = unique
        df[complete] = np.array([fit.degrees_of_freedom(row) for row in weights])[inverse]
    half = se * t_quantile(0.5 + confidence / 2, df)
    table = {"mean": mean, "se": se, "df": df, "ci_low": mean - half, "ci_high": mean + half}
    return pd.DataFrame(table, index=index)


def _own(fit: MixedFit, products: dict[Product, str], place: int) -> dict[Product, str]:
    """Design columns of one outcome, as the data hold them."""
    return own_products(products, place) if fit.prepared.specification.outcomes else products


def used_in_given_order(fit: MixedFit) -> pd.DataFrame:
    """Put the used rows back into the order of the data given."""
    prepared = fit.prepared
    if prepared.order is None:
        return prepared.sorted_data
    # With several outcomes a row stands there once per value: take the first of them.
    return prepared.sorted_data.take(np.unique(prepared.order, return_index=True)[1])


def _chosen(fit: MixedFit, levels: str | Sequence[str]) -> list[str]:
    known = list(fit.prepared.specification.levels)
    if levels == "all":
        return known
    if levels == "none":
        return []
    wanted = [levels] if isinstance(levels, str) else list(levels)
    unknown = [level for level in wanted if level not in known]
    if unknown:
        raise FitError(f"There is no level {unknown[0]!r}; the levels are {', '.join(known)}.")
    return wanted


def _matrix(
    fit: MixedFit, products: dict[Product, str], data: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Design matrix of the rows that have every predictor, and which rows these are."""
    names = dict.fromkeys(factor.atom.column for product in products for factor in product)
    absent = [name for name in names if name not in data.columns]
    if absent:
        raise FitError(f"The new data have no column {', '.join(repr(name) for name in absent)}.")
    complete = np.ones(len(data), dtype=bool)
    for name in names:
        column = data[name]
        complete &= ~column.isna().to_numpy()
        if not is_categorical(column):
            complete &= np.isfinite(column.to_numpy(dtype=float, na_value=np.nan))
    return fit.prepared.user_matrix(products, data[complete]), complete


def _group_part(fit: MixedFit, level: str, place: int, data: pd.DataFrame) -> np.ndarray:
    """Random effects of one level on one outcome; 0 for groups that the fit has not seen."""
    depth = fit.prepared.specification.levels.index(level)
    path = list(fit.prepared.nesting.id_columns(depth))
    absent = [name for name in path if name not in data.columns]
    if absent:
        raise FitError(
            f"To add the random effects of '{level}' the new data need the column "
            f'{", ".join(repr(name) for name in absent)}; or predict with levels="none".'
        )
    effects = fit.random_effects(level)
    products = _own(fit, fit.prepared.random[depth], place)
    if not products:
        return np.zeros(len(data))
    if len(path) == 1:
        known = pd.Index(effects[path[0]])
        found = known.get_indexer(pd.Index(data[path[0]]))
    else:
        known = pd.MultiIndex.from_frame(effects[path].astype(object))
        found = known.get_indexer(pd.MultiIndex.from_frame(data[path].astype(object)))
    z, complete = _matrix(fit, products, data)
    part = np.full(len(data), np.nan)
    modes = effects[list(products.values())].to_numpy()
    own = np.where((found >= 0)[:, None], modes[np.maximum(found, 0)], 0.0)
    part[complete] = np.einsum("ij,ij->i", z, own[complete])
    return part
