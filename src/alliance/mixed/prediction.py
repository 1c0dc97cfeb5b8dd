"""Predictions for the rows of a fit or for new data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed.tables import t_quantile
from alliance.mixed.terms import Product
from alliance.mixed.vocabulary import is_categorical

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
    x, complete = _matrix(fit, prepared.fixed, data)
    mean = np.full(len(data), np.nan)
    mean[complete] = x @ fit.estimate.coefficients
    if interval is not None:
        if interval != "confidence":
            raise FitError("interval must be 'confidence' (of the fixed part) or left out.")
        covariance = fit.covariance.to_numpy()
        se = np.full(len(data), np.nan)
        se[complete] = np.sqrt(np.maximum(np.einsum("ia,ab,ib->i", x, covariance, x), 0.0))
        df = np.full(len(data), np.nan)
        if complete.any():
            unique, inverse = np.unique(x, axis=0, return_inverse=True)
            df[complete] = np.array([fit.degrees_of_freedom(row) for row in unique])[inverse]
        half = se * t_quantile(0.5 + confidence / 2, df)
        table = {"mean": mean, "se": se, "df": df, "ci_low": mean - half, "ci_high": mean + half}
        return pd.DataFrame(table, index=data.index)
    for level in _chosen(fit, levels):
        mean += _group_part(fit, level, data)
    return pd.Series(mean, index=data.index, name=prepared.specification.outcome)


def used_in_given_order(fit: MixedFit) -> pd.DataFrame:
    """Put the used rows back into the order of the data given."""
    prepared = fit.prepared
    if prepared.order is None:
        return prepared.sorted_data
    return prepared.sorted_data.take(np.argsort(prepared.order, kind="stable"))


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


def _group_part(fit: MixedFit, level: str, data: pd.DataFrame) -> np.ndarray:
    """Random effects of one level for each row; 0 for groups that the fit has not seen."""
    depth = fit.prepared.specification.levels.index(level)
    path = list(fit.prepared.specification.levels[: depth + 1])
    absent = [name for name in path if name not in data.columns]
    if absent:
        raise FitError(
            f"To add the random effects of '{level}' the new data need the column "
            f'{", ".join(repr(name) for name in absent)}; or predict with levels="none".'
        )
    effects = fit.random_effects(level)
    names = fit.prepared.random_names(depth)
    if len(path) == 1:
        known = pd.Index(effects[path[0]])
        place = known.get_indexer(pd.Index(data[path[0]]))
    else:
        known = pd.MultiIndex.from_frame(effects[path].astype(object))
        place = known.get_indexer(pd.MultiIndex.from_frame(data[path].astype(object)))
    z, complete = _matrix(fit, fit.prepared.random[depth], data)
    part = np.full(len(data), np.nan)
    modes = effects[names].to_numpy()
    own = np.where((place >= 0)[:, None], modes[np.maximum(place, 0)], 0.0)
    part[complete] = np.einsum("ij,ij->i", z, own[complete])
    return part
