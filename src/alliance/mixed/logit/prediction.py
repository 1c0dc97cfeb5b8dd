"""Probabilities for the rows of a fit or for new data, and new outcomes drawn from a fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.polynomial.hermite_e import hermegauss

from alliance.errors import FitError
from alliance.mixed.columns import is_categorical
from alliance.mixed.logit.links import probability, probability_slope
from alliance.mixed.logit.products import per_row
from alliance.mixed.tables import t_quantile

if TYPE_CHECKING:
    from alliance.mixed.logit.result import LogitFit


def predict(
    fit: LogitFit,
    new_data: pd.DataFrame | None,
    levels: Literal["all", "none"] | Sequence[str],
    interval: Literal["confidence"] | None,
    confidence: float,
    scale: Literal["probability", "link"],
    population: bool,
) -> pd.Series | pd.DataFrame:
    """See `alliance.mixed.logit.result.LogitFit.predict`."""
    if scale not in ("probability", "link"):
        raise FitError("scale must be 'probability' or 'link'.")
    if population and (interval is not None or scale == "link"):
        raise FitError(
            "population=True averages probabilities and goes with scale='probability' and without "
            "an interval; average_marginal_effects gives population effects with intervals."
        )
    data = fit.prepared.used if new_data is None else new_data
    x, complete = design_of_complete(fit, data)
    if interval is not None:
        if interval != "confidence":
            raise FitError("interval must be 'confidence' (of the fixed part) or left out.")
        return _with_interval(fit, data, x, complete, confidence, scale)
    eta = np.full(len(data), np.nan)
    eta[complete] = per_row(x, fit.estimates)
    variance = np.full(len(data), float(np.sum(fit.standard_deviations**2)))
    for level in _chosen(fit, levels):
        intercepts, seen = _group_part(fit, level, data)
        eta += intercepts
        depth = fit.prepared.levels.index(level)
        variance[seen] -= fit.standard_deviations[depth] ** 2
    name = fit.prepared.specification.outcome
    if scale == "link":
        return pd.Series(eta, index=data.index, name=name)
    if population:
        left = np.sqrt(np.maximum(variance, 0.0))
        averaged = average_over_groups(lambda e: probability(fit.link, e), eta, left)
        return pd.Series(averaged, index=data.index, name=name)
    return pd.Series(probability(fit.link, eta), index=data.index, name=name)


def average_over_groups(
    f: Callable[[np.ndarray], np.ndarray],
    eta: np.ndarray,
    sd: np.ndarray | float,
    weight: Callable[[float], float] | None = None,
) -> np.ndarray:
    """Mean of ``weight(t) f(eta + sd t)`` over a standard normal t, by Gauss-Hermite quadrature."""
    nodes, weights = hermegauss(points_for(float(np.max(sd, initial=0.0))))
    total = np.zeros_like(eta)
    for node, share in zip(nodes, weights / weights.sum(), strict=True):
        factor = share if weight is None else share * weight(float(node))
        total += factor * f(eta + sd * node)
    return total


def points_for(sd: float) -> int:
    """Points that integrate a probability over this standard deviation to about 1e-9."""
    for limit, points in ((0.0, 1), (0.5, 15), (1.0, 31), (2.0, 101)):
        if sd <= limit:
            return points
    return 181


def _with_interval(
    fit: LogitFit,
    data: pd.DataFrame,
    x: np.ndarray,
    complete: np.ndarray,
    confidence: float,
    scale: str,
) -> pd.DataFrame:
    covariance = fit.covariance.to_numpy()
    mean, se = np.full(len(data), np.nan), np.full(len(data), np.nan)
    mean[complete] = per_row(x, fit.estimates)
    se[complete] = np.sqrt(np.maximum(np.einsum("ia,ab,ib->i", x, covariance, x), 0.0))
    half = se * float(t_quantile(0.5 + confidence / 2, np.array(np.inf)))
    table = {"mean": mean, "se": se, "ci_low": mean - half, "ci_high": mean + half}
    if scale == "probability":
        table["se"] = se * probability_slope(fit.link, mean)
        for name in ("mean", "ci_low", "ci_high"):
            table[name] = probability(fit.link, table[name])
    return pd.DataFrame(table, index=data.index)


def _chosen(fit: LogitFit, levels: str | Sequence[str]) -> list[str]:
    known = list(fit.prepared.levels)
    if levels == "all":
        return known
    if levels == "none":
        return []
    wanted = [levels] if isinstance(levels, str) else list(levels)
    unknown = [level for level in wanted if level not in known]
    if unknown:
        raise FitError(f"There is no level {unknown[0]!r}; the levels are {', '.join(known)}.")
    return wanted


def design_of_complete(fit: LogitFit, data: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Design matrix of the rows that have every predictor, and which rows these are."""
    names = dict.fromkeys(f.atom.column for product in fit.prepared.fixed for f in product)
    absent = [name for name in names if name not in data.columns]
    if absent:
        raise FitError(f"The new data have no column {', '.join(repr(name) for name in absent)}.")
    complete = np.ones(len(data), dtype=bool)
    for name in names:
        column = data[name]
        complete &= ~column.isna().to_numpy()
        if not is_categorical(column):
            complete &= np.isfinite(column.to_numpy(dtype=float, na_value=np.nan))
    return fit.prepared.design(data if complete.all() else data[complete]), complete


def _group_part(fit: LogitFit, level: str, data: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Random intercept of one level for each row, 0 where the fit has not seen the group."""
    depth = fit.prepared.levels.index(level)
    path = list(fit.prepared.nesting.id_columns(depth))
    absent = [name for name in path if name not in data.columns]
    if absent:
        raise FitError(
            f"To add the random intercepts of '{level}' the new data need the column "
            f'{", ".join(repr(name) for name in absent)}; or predict with levels="none".'
        )
    effects = fit.random_effects(level)
    if len(path) == 1:
        known = pd.Index(effects[path[0]])
        place = known.get_indexer(pd.Index(data[path[0]]))
    else:
        known = pd.MultiIndex.from_frame(effects[path].astype(object))
        place = known.get_indexer(pd.MultiIndex.from_frame(data[path].astype(object)))
    seen = place >= 0
    return np.where(seen, effects["1"].to_numpy()[np.maximum(place, 0)], 0.0), seen


def simulate(fit: LogitFit, rng: np.random.Generator) -> np.ndarray:
    """See `alliance.mixed.logit.result.LogitFit.simulate`."""
    prepared = fit.prepared
    eta = per_row(prepared.design(prepared.used), fit.estimates)
    sorted_part = np.zeros(len(eta))
    for depth, sd in enumerate(fit.standard_deviations):
        length = np.diff(prepared.nesting.starts[depth])
        sorted_part += np.repeat(sd * rng.standard_normal(len(length)), length)
    eta[prepared.order] += sorted_part
    return (rng.random(len(eta)) < probability(fit.link, eta)).astype(float)
