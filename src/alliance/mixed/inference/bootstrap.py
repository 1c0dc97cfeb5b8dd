"""Parametric bootstrap: refit the model to outcomes drawn from it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alliance.errors import FitError

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Estimates of many refits.

    Attributes
    ----------
    coefficients : pandas.DataFrame
        One row per refit, one column per fixed effect.
    components : pandas.DataFrame
        One row per refit: standard deviations and correlations of the random effects
        (``level: name`` and ``level: name, name``), ``sigma`` and, if there is one, ``phi``; with
        several outcomes ``residual: outcome`` and ``residual: outcome, outcome`` instead.
    n_singular, n_failed : int
        Refits at a boundary, and refits that did not converge (left out of the tables).
    seed : int
    """

    coefficients: pd.DataFrame = field(repr=False)
    components: pd.DataFrame = field(repr=False)
    n_singular: int
    n_failed: int
    seed: int

    def intervals(self, confidence: float = 0.95) -> pd.DataFrame:
        """Percentile intervals: parameter, ci_low, ci_high, bootstrap_se."""
        draws = pd.concat([self.coefficients, self.components], axis=1)
        tail = (1.0 - confidence) / 2.0
        return pd.DataFrame(
            {
                "parameter": draws.columns,
                "ci_low": draws.quantile(tail).to_numpy(),
                "ci_high": draws.quantile(1.0 - tail).to_numpy(),
                "bootstrap_se": draws.std(ddof=1).to_numpy(),
            }
        )


def parametric_bootstrap(fit: MixedFit, n: int = 1000, seed: int = 1) -> Bootstrap:
    """Draw `n` outcomes from a fit and refit the model to each.

    Parameters
    ----------
    fit : MixedFit
    n : int
        Number of refits.
    seed : int
        Seed of the random numbers; the same seed gives the same draws.

    Returns
    -------
    Bootstrap
    """
    coefficients, components = [], []
    n_singular = n_failed = 0
    for again in refits(fit, n, seed):
        if again is None:
            n_failed += 1
            continue
        n_singular += again.convergence.is_singular
        coefficients.append(again.estimate.coefficients)
        components.append(component_values(again))
    return Bootstrap(
        pd.DataFrame(coefficients, columns=fit.prepared.fixed_names),
        pd.DataFrame(components, columns=component_names(fit)),
        n_singular,
        n_failed,
        seed,
    )


def refits(fit: MixedFit, n: int, seed: int) -> Iterator[MixedFit | None]:
    """Refit a model to `n` outcomes drawn from it; None where a refit did not converge."""
    from alliance.mixed.refitting import Refitter
    from alliance.mixed.simulation import Simulator

    if n < 1:
        raise FitError("The number of bootstrap draws must be at least 1.")
    rng = np.random.default_rng(seed)
    draw, refit = Simulator(fit), Refitter(fit)
    for _ in range(n):
        again = refit(draw.outcome(rng))
        yield again if again is not None and again.convergence.converged else None


def component_names(fit: MixedFit) -> list[str]:
    """Names of standard deviations, correlations, sigma and phi."""
    names: list[str] = []
    for depth, level in enumerate(fit.prepared.specification.levels):
        labels = fit.prepared.random_names(depth)
        names += [f"{level}: {label}" for label in labels]
        names += [
            f"{level}: {labels[i]}, {labels[j]}"
            for i in range(len(labels))
            for j in range(i + 1, len(labels))
        ]
    outcomes = fit.prepared.specification.outcomes
    if outcomes:
        names += [f"residual: {name}" for name in outcomes]
        pairs = itertools.combinations(outcomes, 2)
        return [*names, *(f"residual: {one}, {other}" for one, other in pairs)]
    return [*names, "sigma", *(["phi"] if fit.prepared.residual.serial else [])]


def component_values(fit: MixedFit) -> list[float]:
    """List standard deviations, correlations, sigma and phi as `component_names` does."""
    values: list[float] = []
    within = fit.estimate.residual_covariance
    blocks = [*fit.estimate.level_covariances, *([] if within is None else [within])]
    for sigma in blocks:
        sd = np.sqrt(np.maximum(np.diag(sigma), 0.0))
        values += list(sd)
        both = np.outer(sd, sd)
        upper = np.triu_indices(len(sd), 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            values += list(np.where(both[upper] > 0, sigma[upper] / both[upper], np.nan))
    if within is not None:
        return values
    values.append(fit.residual.sigma)
    if fit.residual.phi is not None:
        values.append(fit.residual.phi)
    return values


@dataclass(frozen=True, slots=True)
class BootstrapComparison:
    """Bootstrap likelihood-ratio test.

    Attributes
    ----------
    statistic : float
        Observed twice the difference of log-likelihoods.
    p : float
        (1 + draws at least as large) / (1 + draws).
    draws : numpy.ndarray
        Statistic under the smaller model.
    """

    statistic: float
    p: float
    draws: np.ndarray = field(repr=False)


def bootstrap_comparison(
    smaller: MixedFit, larger: MixedFit, n: int = 1000, seed: int = 1
) -> BootstrapComparison:
    """Likelihood-ratio test whose distribution is simulated from the smaller model.

    Right also where several variances are at their boundary at once.

    Raises
    ------
    FitError
        As `alliance.mixed.inference.comparison.compare`.
    """
    from alliance.mixed.inference.comparison import compare
    from alliance.mixed.refitting import Refitter
    from alliance.mixed.simulation import Simulator, given_order, sorted_order

    observed = compare(smaller, larger).statistic
    rng = np.random.default_rng(seed)
    draw, refit_small, refit_large = Simulator(smaller), Refitter(smaller), Refitter(larger)
    draws = []
    for _ in range(n):
        outcome = draw.outcome(rng)
        small = refit_small(outcome)
        large = refit_large(sorted_order(larger, given_order(smaller, outcome)))
        if small is None or large is None:
            continue
        draws.append(max(2.0 * (large.log_likelihood - small.log_likelihood), 0.0))
    values = np.array(draws)
    p = (1 + int((values >= observed).sum())) / (1 + len(values))
    return BootstrapComparison(observed, p, values)
