"""How the main effects of a model are read off a fit, or off a refit without some clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

NUMBERS = ["estimate", "se", "ci_low", "ci_high"]
Weights = Mapping[str, Mapping[str, float]]


class Reader(Protocol):
    """Reads effects."""

    def of(self, fit: Any) -> pd.DataFrame:
        """Return estimate, se, ci_low, ci_high by term; terms that the fit lacks have no row."""


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

    def of(self, fit: Any) -> pd.DataFrame:
        """Return the effects of a fit of the engine."""
        found = self.weights(list(fit.coefficients["term"]))
        if not found:
            return pd.DataFrame(columns=NUMBERS, dtype=float)
        return fit.contrast(found).set_index("term")[NUMBERS]

    def matrix(self, names: Sequence[str]) -> tuple[list[str], np.ndarray]:
        """Return the effects' names and weights, shape (effects, coefficients)."""
        found = self.weights(names)
        rows = [[float(weights.get(name, 0.0)) for name in names] for weights in found.values()]
        return list(found), np.array(rows).reshape(len(rows), len(names))


@dataclass(frozen=True, slots=True)
class Correlations:
    """Effects that are correlations of random effects or residuals (intervals: delta method)."""

    terms: tuple[str, ...]

    def of(self, fit: Any) -> pd.DataFrame:
        """Return the correlations of a fit of the engine."""
        table = fit.correlations("delta")
        table.index = table["level"] + ": " + table["effect_1"] + " ~ " + table["effect_2"]
        table = table.rename(columns={"correlation": "estimate"})[NUMBERS]
        return table[table.index.isin(self.terms) & np.isfinite(table["se"])]


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Effects that are coefficients as they stand."""

    terms: tuple[str, ...]

    def of(self, fit: Any) -> pd.DataFrame:
        """Return the coefficients of a fit of either engine."""
        table = fit.coefficients.set_index("term")[NUMBERS]
        return table[table.index.isin(self.terms)]


def plain_terms(terms: Sequence[str]) -> Contrasts:
    """Return the reader of coefficients as they stand."""
    return Contrasts(lambda names: {term: {term: 1.0} for term in terms if term in names})
