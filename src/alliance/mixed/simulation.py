"""Drawing new outcomes from a fit, and fitting the same model to another outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alliance.errors import FitError

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit


def simulate(fit: MixedFit, rng: np.random.Generator) -> np.ndarray:
    """See `alliance.mixed.result.MixedFit.simulate`."""
    return given_order(fit, simulate_sorted(fit, rng))


def simulate_sorted(fit: MixedFit, rng: np.random.Generator) -> np.ndarray:
    """A new outcome for the sorted rows: fixed part, new random effects, new residuals."""
    prepared, estimate = fit.prepared, fit.estimate
    outcome = prepared.user_matrix(prepared.fixed, None) @ estimate.coefficients
    for depth, sigma in enumerate(estimate.level_covariances):
        start = prepared.nesting.starts[depth]
        draws = rng.standard_normal((len(start) - 1, len(sigma))) @ _root(sigma).T
        z = prepared.user_matrix(prepared.random[depth], None)
        group = np.repeat(np.arange(len(start) - 1), np.diff(start))
        outcome += np.einsum("ij,ij->i", z, draws[group])
    return outcome + _residuals(fit, rng)


def _root(sigma: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(sigma)
    return vectors * np.sqrt(np.maximum(values, 0.0))


def _residuals(fit: MixedFit, rng: np.random.Generator) -> np.ndarray:
    structure = fit.prepared.residual
    rho = fit.optimum.theta[: structure.n_parameters]
    noise = rng.standard_normal(fit.rows.used)
    if structure.serial:
        from alliance.mixed.crossproducts import autoregress

        phi = structure.phi(rho)
        assert phi is not None
        autoregress(noise, structure.row_lag, phi**structure.lags)
    deviation = np.sqrt(fit.estimate.sigma2 * np.exp(structure.log_variances(rho)))
    return noise * deviation[structure.row_group]


def given_order(fit: MixedFit, values: np.ndarray) -> np.ndarray:
    """Sorted rows back to the order of the data given."""
    order = fit.prepared.order
    if order is None:
        return values
    given = np.empty_like(values)
    given[order] = values
    return given


def refit(fit: MixedFit, y: np.ndarray | pd.Series) -> MixedFit:
    """See `alliance.mixed.result.MixedFit.refit`."""
    from alliance.mixed.fit import estimate_refit

    values = np.asarray(y, dtype=float)
    if values.shape != (fit.rows.used,):
        raise FitError(
            f"The new outcome must have one value per row of the fit: {fit.rows.used}, not "
            f"{values.shape[0] if values.ndim else 0}."
        )
    if not np.isfinite(values).all():
        raise FitError("The new outcome has missing or infinite values.")
    if fit.prepared.order is not None:
        values = values[fit.prepared.order]
    return estimate_refit(fit, values)
