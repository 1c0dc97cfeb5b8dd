"""Drawing new outcomes from a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit


class Simulator:
    """Draws outcomes for the sorted rows: fixed part, new random effects, new residuals."""

    def __init__(self, fit: MixedFit) -> None:
        prepared = fit.prepared
        self.fit = fit
        self.fixed = prepared.user_matrix(prepared.fixed, None) @ fit.estimate.coefficients
        self.levels = []
        for depth, sigma in enumerate(fit.estimate.level_covariances):
            start = prepared.nesting.starts[depth]
            self.levels.append(
                (
                    _root(sigma),
                    prepared.user_matrix(prepared.random[depth], None),
                    np.diff(start),
                )
            )

    def outcome(self, rng: np.random.Generator) -> np.ndarray:
        """Draw one outcome for every sorted row, shape (n,)."""
        outcome = self.fixed + _residuals(self.fit, rng)
        for root, z, sizes in self.levels:
            draws = rng.standard_normal((len(sizes), len(root))) @ root.T
            for effect in range(len(root)):
                outcome += z[:, effect] * np.repeat(draws[:, effect], sizes)
        return np.asarray(outcome)


def simulate(fit: MixedFit, rng: np.random.Generator) -> np.ndarray:
    """See `alliance.mixed.result.MixedFit.simulate`."""
    return given_order(fit, Simulator(fit).outcome(rng))


def _root(sigma: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(sigma)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _residuals(fit: MixedFit, rng: np.random.Generator) -> np.ndarray:
    structure = fit.prepared.residual
    noise = structure.noise(rng, fit.optimum.theta[: structure.n_parameters])
    outcomes, sigma = fit.prepared.outcomes, np.sqrt(fit.optimum.expansion.profile.sigma2)
    scales = outcomes.scales[0] if outcomes.row is None else outcomes.scales[outcomes.row]
    return np.asarray(noise * (sigma * scales))


def given_order(fit: MixedFit, values: np.ndarray) -> np.ndarray:
    """Sorted rows back to the order of the data given, a column per outcome of several."""
    order, outcome = fit.prepared.order, fit.prepared.outcomes.row
    if outcome is not None:
        table = np.full((fit.rows.used, len(fit.prepared.outcomes)), np.nan)
        table[order, outcome] = values
        return table
    if order is None:
        return values
    given = np.empty_like(values)
    given[order] = values
    return given


def sorted_order(fit: MixedFit, values: np.ndarray) -> np.ndarray:
    """Sort values that stand in the order of the data given, a column per outcome of several."""
    outcome = fit.prepared.outcomes.row
    if outcome is not None:
        return values[fit.prepared.order, outcome]
    return values if fit.prepared.order is None else values[fit.prepared.order]
