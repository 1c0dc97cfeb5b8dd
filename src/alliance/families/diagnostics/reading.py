"""How the main effects of a model are read off a fit, or off a refit without some clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from alliance.mixed.inference.correlations import correlations_near
from alliance.mixed.tables import t_quantile

Weights = Mapping[str, Mapping[str, float]]


class Effect(NamedTuple):
    """An effect as a fit gives it."""

    estimate: float
    se: float
    low: float
    high: float


class Reader(Protocol):
    """Reads effects."""

    def of(self, fit: Any) -> dict[str, Effect]:
        """Return the effects by term; one that the fit lacks is not there."""


class NearReader(Reader, Protocol):
    """Reads effects without a refit, too."""

    def near(self, fit: Any, points: Any) -> tuple[list[str], np.ndarray]:
        """Return terms, and their effects at points near the fit, shape (points, terms, 4).

        The last axis is that of `Effect`; what has no interval is NaN.
        """


@dataclass(frozen=True, slots=True)
class Contrasts:
    """Effects that are linear combinations of the fixed effects.

    Attributes
    ----------
    weights
        From the coefficients' names to each effect's weights. A function, because a fit without a
        site has other coefficients: the mean of the sites is another combination then.
    """

    weights: Callable[[Sequence[str]], Weights]

    def of(self, fit: Any) -> dict[str, Effect]:
        """Return the effects of a fit of the engine."""
        found = self.weights(fit.prepared.fixed_names)
        return _effects(fit.contrast(found)) if found else {}

    def near(self, fit: Any, points: Any) -> tuple[list[str], np.ndarray]:
        """Return the effects at points near a fit."""
        terms, matrix = self.matrix(fit.prepared.fixed_names)
        return terms, _near(fit, points, matrix)

    def matrix(self, names: Sequence[str]) -> tuple[list[str], np.ndarray]:
        """Return the effects' names and weights, shape (effects, coefficients)."""
        found = self.weights(names)
        rows = [[float(weights.get(name, 0.0)) for name in names] for weights in found.values()]
        return list(found), np.array(rows).reshape(len(rows), len(names))


@dataclass(frozen=True, slots=True)
class Correlations:
    """Effects that are correlations of random effects or residuals (intervals: delta method)."""

    terms: tuple[str, ...]

    def of(self, fit: Any) -> dict[str, Effect]:
        """Return the correlations of a fit of the engine; those at a boundary are not there."""
        table = fit.correlations("delta").rename(columns={"correlation": "estimate"})
        term = table["level"] + ": " + table["effect_1"] + " ~ " + table["effect_2"]
        known = term.isin(self.terms) & np.isfinite(table["se"])
        return _effects(table.assign(term=term)[known])

    def near(self, fit: Any, points: Any) -> tuple[list[str], np.ndarray]:
        """Return the correlations at points near a fit."""
        terms, numbers = correlations_near(fit, points)
        known = [place for place, term in enumerate(terms) if term in self.terms]
        return [terms[place] for place in known], numbers[:, known]


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Effects that are coefficients as they stand."""

    terms: tuple[str, ...]

    def of(self, fit: Any) -> dict[str, Effect]:
        """Return the coefficients of a fit of either engine."""
        table = fit.coefficients
        return _effects(table[table["term"].isin(self.terms)])

    def near(self, fit: Any, points: Any) -> tuple[list[str], np.ndarray]:
        """Return the coefficients at points near a fit."""
        names = fit.prepared.fixed_names
        places = [place for place, name in enumerate(names) if name in self.terms]
        return [names[place] for place in places], _near(fit, points, np.eye(len(names))[places])


def _near(fit: Any, points: Any, matrix: np.ndarray) -> np.ndarray:
    values, se, df = points.contrasts(fit, matrix)
    half = se * t_quantile(0.975, df)
    return np.stack([values, se, values - half, values + half], axis=-1)


def _effects(table: pd.DataFrame) -> dict[str, Effect]:
    columns = (table[name].to_numpy() for name in ("estimate", "se", "ci_low", "ci_high"))
    return {
        str(term): Effect(*numbers) for term, *numbers in zip(table["term"], *columns, strict=True)
    }


def plain_terms(terms: Sequence[str]) -> Contrasts:
    """Return the reader of coefficients as they stand."""
    return Contrasts(lambda names: {term: {term: 1.0} for term in terms if term in names})
