"""Two outcomes drawn from a known truth, fitted together, and the truth found again.

Fixed seeds: a test either always passes or always fails. The bands are Monte Carlo bands: a
coverage of 95 % over n intervals has a standard error of sqrt(.95 * .05 / n), wider where the
intervals of one fit hang together.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alliance.mixed import fit_mixed

BOTH = ["alliance", "symptoms"]
FIXED = {"alliance: 1": 5.0, "alliance: t": 0.2, "symptoms: 1": 20.0, "symptoms: t": -0.7}
CLIENT = np.array(
    [[1.0, 0.1, -0.8, -0.1], [0.1, 0.2, -0.1, -0.2], [-0.8, -0.1, 4.0, 0.3], [-0.1, -0.2, 0.3, 0.5]]
)
RESIDUAL = np.array([[1.0, -0.6], [-0.6, 2.0]])
REPLICATIONS = 100


def simulate(
    seed: int, *, clients: int = 80, sessions: int = 6, missing: float = 0.2
) -> pd.DataFrame:
    """Sessions in clients; symptoms are missing more often where the alliance is low."""
    rng = np.random.default_rng([20240305, seed])
    client = np.repeat(np.arange(clients), sessions)
    t = np.tile(np.arange(sessions, dtype=float), clients)
    u = rng.multivariate_normal(np.zeros(4), CLIENT, clients)[client]
    e = rng.multivariate_normal(np.zeros(2), RESIDUAL, len(client))
    alliance = 5.0 + u[:, 0] + (0.2 + u[:, 1]) * t + e[:, 0]
    symptoms = 20.0 + u[:, 2] + (u[:, 3] - 0.7) * t + e[:, 1]
    symptoms[rng.random(len(t)) < np.where(alliance < 5.0, 2.0 * missing, missing / 2.0)] = np.nan
    return pd.DataFrame({"client": client, "t": t, "alliance": alliance, "symptoms": symptoms})


def correlations_of(sigma: np.ndarray) -> list[float]:
    sd = np.sqrt(np.diag(sigma))
    return list((sigma / np.outer(sd, sd))[np.triu_indices(len(sd), 1)])


def lower(sigma: np.ndarray) -> list[float]:
    return list(sigma[np.tril_indices(len(sigma))])


def fit_of(data: pd.DataFrame, **options):
    return fit_mixed(data, BOTH, ["1", "t"], {"client": ["1", "t"]}, **options)


@pytest.mark.exhaustive
def test_estimates_have_no_bias_and_intervals_cover():
    truth = np.array(list(FIXED.values()))
    between = np.array([*correlations_of(CLIENT), *correlations_of(RESIDUAL)])
    coefficients, covariances, fixed_hits, hits = [], [], [], []
    for seed in range(REPLICATIONS):
        fit = fit_of(simulate(seed))
        assert fit.convergence.converged
        table = fit.coefficients
        coefficients.append(table["estimate"])
        fixed_hits.append((table["ci_low"] < truth) & (truth < table["ci_high"]))
        between_clients, within = fit.estimate.level_covariances[0], fit.residual.covariance
        covariances.append(lower(between_clients) + lower(within.to_numpy()))
        pairs = fit.correlations()
        hits.append((pairs["ci_low"] < between) & (between < pairs["ci_high"]))
    for found, expected in (
        (coefficients, truth),
        (covariances, lower(CLIENT) + lower(RESIDUAL)),
    ):
        found = np.array(found)
        error = found.std(axis=0, ddof=1) / np.sqrt(REPLICATIONS)
        z = (found.mean(axis=0) - np.array(expected)) / error
        assert np.abs(z).max() < 3.2
    assert np.mean(fixed_hits) == pytest.approx(0.95, abs=0.03)
    assert np.mean(hits) == pytest.approx(0.95, abs=0.03)
    assert np.min(np.mean(hits, axis=0)) > 0.88


@pytest.mark.exhaustive
def test_together_is_right_where_each_outcome_on_its_own_is_not():
    """Symptoms that are missing where the alliance is low: the joint fit uses the alliance.

    Missing at random given both outcomes, not given the symptoms alone.
    """

    def gap(seed: int) -> tuple[float, float]:
        data = simulate(seed, clients=1500, missing=0.4)
        together = fit_of(data, df="none").coefficients.set_index("term")["estimate"]
        alone = fit_mixed(data, "symptoms", ["1", "t"], {"client": ["1", "t"]}, df="none")
        own = alone.coefficients.set_index("term")["estimate"]
        return together["symptoms: 1"] - 20.0, own["1"] - 20.0

    gaps = np.array([gap(seed) for seed in range(4)])
    assert np.abs(gaps[:, 0].mean()) < 0.06
    assert gaps[:, 1].mean() < -0.15
