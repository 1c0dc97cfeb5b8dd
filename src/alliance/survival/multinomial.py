"""Multinomial logit: several ways to leave against none of them, fitted together.

log P(y = k) / P(y = 0) = x'b_k, k = 1, ..., K. With one row per session at risk these are the
cause-specific hazards of competing ends in discrete time (Singer & Willett, 2003, ch. 15). Newton's
method; covariance summed over clusters with the factor of `statsmodels` and Stata,
G / (G - 1) (N - 1) / (N - p K).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alliance.errors import FitError
from alliance.survival.cox import NO_GAIN, RAN_OFF, inverse, solve
from alliance.survival.risk_sets import check_dependence, check_predictors

MOST_ITERATIONS = 60


@dataclass(frozen=True, slots=True, eq=False)
class MultinomialFit:
    """A fitted multinomial logit.

    Attributes
    ----------
    coefficients
        Shape (K, p): a row for each outcome but the first.
    covariance, robust_covariance
        Of the coefficients row by row, shape (K p, K p): model-based, and by clusters.
    log_likelihood
        At the end.
    iterations, gradient_norm, converged
        How Newton's method ended.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    robust_covariance: np.ndarray
    log_likelihood: float
    iterations: int
    gradient_norm: float
    converged: bool


def fit_multinomial(outcome: np.ndarray, x: np.ndarray, clusters: np.ndarray) -> MultinomialFit:
    """Fit by maximum likelihood.

    Parameters
    ----------
    outcome
        0 for none of them, 1, 2, ... for the ends, shape (n,).
    x
        Design with an intercept column of ones first, shape (n, p).
    clusters
        Codes 0, 1, ... per row.

    Raises
    ------
    FitError
        A coefficient has no finite estimate, predictors determine each other, never vary, are
        missing or too large to compute with; an end without anybody; fewer than two clusters.
    """
    x = np.asarray(x, dtype=float)
    n, p = x.shape
    check_predictors(x)
    if (np.ptp(x[:, 1:], axis=0) == 0).any():
        msg = "A predictor has the same value in every row: it cannot explain how somebody leaves."
        raise FitError(msg)
    check_dependence(x[:, 1:])
    if (np.bincount(outcome) == 0).any():
        msg = "An end that nobody had cannot be modelled: number the ends that there are."
        raise FitError(msg)
    if clusters.max() < 1:
        msg = "Errors by cluster need at least two clusters."
        raise FitError(msg)
    ends = int(outcome.max())
    # Newton on centred and scaled columns; mapped back by a triangular transform.
    centre, scale = x.mean(axis=0), x.std(axis=0)
    centre[0], scale[0] = 0.0, 1.0
    z = (x - centre) / scale
    y = (outcome[:, None] == np.arange(1, ends + 1)).astype(float)
    b = np.zeros((ends, p))
    b[:, 0] = np.log(y.mean(axis=0) / np.mean(outcome == 0))
    value, residual, information = _parts(b, z, y)
    converged, iterations = False, 0
    while not converged and iterations < MOST_ITERATIONS:
        iterations += 1
        score = (residual.T @ z).ravel()
        step = solve(information, score)
        promised = float(step @ score)
        for _ in range(30):
            new = _parts(b + step.reshape(b.shape), z, y)
            if new[0] >= value - 1e-9 * abs(value):
                break
            step = step / 2
        b = b + step.reshape(b.shape)
        value, residual, information = new
        if np.abs(b[:, 1:]).max(initial=0.0) > RAN_OFF:
            msg = "A predictor or a sum of them foretells an end without error: no finite estimate."
            raise FitError(msg)
        converged = promised <= NO_GAIN
    scores = (residual[:, :, None] * z[:, None, :]).reshape(n, ends * p)
    by_cluster = np.zeros((int(clusters.max()) + 1, ends * p))
    np.add.at(by_cluster, clusters, scores)
    groups = len(by_cluster)
    bread = inverse(information)
    factor = groups / (groups - 1) * (n - 1) / (n - ends * p)
    robust = factor * bread @ (by_cluster.T @ by_cluster) @ bread
    back = np.diag(1 / scale)
    back[0] = np.r_[1.0, -centre[1:] / scale[1:]]
    back[0, 0] = 1.0
    whole = np.kron(np.eye(ends), back)
    return MultinomialFit(
        coefficients=b @ back.T,
        covariance=whole @ bread @ whole.T,
        robust_covariance=whole @ robust @ whole.T,
        log_likelihood=value,
        iterations=iterations,
        gradient_norm=float(np.abs(scores.sum(axis=0)).max()),
        converged=converged,
    )


def _parts(b: np.ndarray, z: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the log-likelihood, residuals (n, K) and the information at `b`."""
    eta = z @ b.T
    top = np.maximum(eta.max(axis=1), 0.0)
    log_total = top + np.log(np.exp(-top) + np.exp(eta - top[:, None]).sum(axis=1))
    probability = np.exp(eta - log_total[:, None])
    value = float((y * eta).sum() - log_total.sum())
    ends, p = b.shape
    information = np.zeros((ends * p, ends * p))
    for j in range(ends):
        for k in range(ends):
            weight = probability[:, j] * ((j == k) - probability[:, k])
            block = z.T @ (weight[:, None] * z)
            information[j * p : (j + 1) * p, k * p : (k + 1) * p] = block
    return value, y - probability, information
