"""Cox regression on rows (start, stop], with tied times, weights and clusters.

Efron's or Breslow's handling of ties; a row is at risk at t if start < t <= stop, so that a value
that changes over time is several rows of one person (Andersen & Gill, 1982). The robust variance
sums each cluster's influence (dfbeta) on the coefficients (Lin & Wei, 1989).

Groups may have coefficients of their own (`groups`), with a penalty handed in: frailties.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from alliance.errors import FitError
from alliance.survival.risk_sets import Rows

Ties = Literal["efron", "breslow"]
Penalty = Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]]
"""Group effects -> penalty, its slope and its (diagonal) curvature."""

MOST_ITERATIONS = 60
NO_GAIN = 1e-13
"""In log-likelihood: a Newton step that promises less is the last one."""
RAN_OFF = 25.0
"""A standardised coefficient beyond this has no finite estimate: exp(25) is 7e10."""


@dataclass(frozen=True, slots=True, eq=False)
class CoxFit:
    """A fitted Cox regression.

    Attributes
    ----------
    coefficients
        Log hazard ratios, shape (p,).
    covariance
        Inverse of the observed information, shape (p, p).
    robust_covariance
        By clusters; None where none were given.
    log_likelihood, null_log_likelihood
        Partial, at the estimate and at zero.
    events
        Rows with the event.
    iterations, gradient_norm, converged
        How Newton's method ended (the gradient in units of one SD of the predictors).
    ties
        How ties were handled.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    robust_covariance: np.ndarray | None
    log_likelihood: float
    null_log_likelihood: float
    events: int
    iterations: int
    gradient_norm: float
    converged: bool
    ties: Ties


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """The partial likelihood with its derivatives at one set of coefficients, group effects last.

    `at_times`: for each event time the sum of Schoenfeld residuals and its information.
    """

    log_likelihood: float
    score: np.ndarray
    information: np.ndarray
    at_times: list[tuple[np.ndarray, np.ndarray]]


def fit_cox(rows: Rows, clusters: np.ndarray | None = None, ties: Ties = "efron") -> CoxFit:
    """Maximise the partial likelihood; `clusters` (codes per row) give the robust covariance.

    Raises
    ------
    FitError
        The estimate is not finite (separation), or predictors determine each other.
    """
    b, here, iterations, converged = newton(rows, np.zeros(rows.x.shape[1]), ties)
    if np.abs(b).max(initial=0.0) > RAN_OFF:
        msg = (
            "A predictor or a sum of predictors tells at every time who leaves: there is no finite "
            "estimate."
        )
        raise FitError(msg)
    covariance = inverse(here.information)
    robust = None
    if clusters is not None:
        influence = score_residuals(rows, b, ties) @ covariance
        by_cluster = np.zeros((int(clusters.max()) + 1, len(b)))
        np.add.at(by_cluster, clusters, influence)
        robust = by_cluster.T @ by_cluster / np.outer(rows.scale, rows.scale)
    return CoxFit(
        coefficients=b / rows.scale,
        covariance=covariance / np.outer(rows.scale, rows.scale),
        robust_covariance=robust,
        log_likelihood=here.log_likelihood,
        null_log_likelihood=moments(rows, np.zeros(len(b)), ties).log_likelihood,
        events=sum(map(len, rows.died)),
        iterations=iterations,
        gradient_norm=float(np.abs(here.score).max(initial=0.0)),
        converged=converged,
        ties=ties,
    )


def newton(
    rows: Rows, start: np.ndarray, ties: Ties, penalty: Penalty | None = None
) -> tuple[np.ndarray, Moments, int, bool]:
    """Maximise the (penalised) partial likelihood; group effects are the last of the parameters.

    Returns the parameters, the moments there (penalised), the iterations, and whether the last
    step gained nothing.
    """
    b = start
    here = _penalised(rows, b, ties, penalty)
    for iteration in range(1, MOST_ITERATIONS + 1):
        step = solve(here.information, here.score)
        promised = float(step @ here.score)  # twice the gain, free of cancellation
        for _ in range(30):
            there = _penalised(rows, b + step, ties, penalty)
            if there.log_likelihood >= here.log_likelihood - 1e-9 * abs(here.log_likelihood):
                break
            step = step / 2
        b, here = b + step, there
        if promised <= NO_GAIN:
            return b, here, iteration, True
    return b, here, MOST_ITERATIONS, False


def _penalised(rows: Rows, b: np.ndarray, ties: Ties, penalty: Penalty | None) -> Moments:
    found = moments(rows, b, ties)
    if penalty is None:
        return found
    p = rows.x.shape[1]
    value, slope, curvature = penalty(b[p:])
    score, information = found.score.copy(), found.information.copy()
    score[p:] -= slope
    place = np.arange(p, len(b))
    information[place, place] += curvature
    return Moments(found.log_likelihood - value, score, information, found.at_times)


def moments(rows: Rows, b: np.ndarray, ties: Ties) -> Moments:
    """Return the partial log-likelihood, its gradient and information at `b`."""
    p, q = rows.x.shape[1], rows.n_groups
    eta = rows.x @ b[:p]
    if rows.group is not None:
        eta = eta + b[p:][rows.group]
    eta = eta - eta.max(initial=0.0)  # a constant that the partial likelihood does not see
    hazard = rows.weight * np.exp(eta)
    log_likelihood, score = 0.0, np.zeros(p + q)
    information, at_times = np.zeros((p + q, p + q)), []
    for risk, died in zip(rows.risk, rows.died, strict=True):
        residual, here = np.zeros(p + q), np.zeros((p + q, p + q))
        sums, tied = _sums(rows, hazard, risk), _sums(rows, hazard, died)
        weight = rows.weight[died]
        log_likelihood += float(weight @ eta[died])
        residual += _first(rows, weight, died)
        mean_weight = float(weight.mean())
        for k in range(len(died)):
            share = k / len(died) if ties == "efron" else 0.0
            s0 = sums[0] - share * tied[0]
            s1, s2 = sums[1] - share * tied[1], sums[2] - share * tied[2]
            mean = s1 / s0
            log_likelihood -= mean_weight * float(np.log(s0))
            residual -= mean_weight * mean
            here += mean_weight * (s2 / s0 - np.outer(mean, mean))
        score += residual
        information += here
        at_times.append((residual, here))
    return Moments(log_likelihood, score, information, at_times)


def _first(rows: Rows, weight: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the weighted sum of predictors and group indicators over the chosen rows."""
    total = weight @ rows.x[chosen]
    if rows.group is None:
        return np.asarray(total)
    return np.asarray(
        np.r_[total, np.bincount(rows.group[chosen], weight, minlength=rows.n_groups)]
    )


def _sums(
    rows: Rows, hazard: np.ndarray, chosen: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the sums of hazard, hazard z and hazard z z' over rows, z = (x, group indicators)."""
    h, x = hazard[chosen], rows.x[chosen]
    weighted = h[:, None] * x
    s0, s1, s2 = float(h.sum()), weighted.sum(axis=0), x.T @ weighted
    if rows.group is None:
        return s0, s1, s2
    p, q, group = x.shape[1], rows.n_groups, rows.group[chosen]
    by_group = np.bincount(group, h, minlength=q)
    full = np.zeros((p + q, p + q))
    full[:p, :p] = s2
    for column in range(p):
        full[column, p:] = np.bincount(group, weighted[:, column], minlength=q)
    full[p:, :p] = full[:p, p:].T
    full[np.arange(p, p + q), np.arange(p, p + q)] = by_group
    return s0, np.r_[s1, by_group], full


def score_residuals(rows: Rows, b: np.ndarray, ties: Ties) -> np.ndarray:
    """Return each row's part of the score, times its weight, shape (n_rows, p).

    A row's residual is what it adds at its event, less what it is expected to add over the times at
    which it is at risk; with Efron's ties, averaged over the order of those who leave together.
    """
    eta = rows.x @ b
    exponential = np.exp(eta - eta.max(initial=0.0))
    hazard = rows.weight * exponential
    residuals = np.zeros_like(rows.x)
    for risk, died in zip(rows.risk, rows.died, strict=True):
        sums, tied = _sums(rows, hazard, risk), _sums(rows, hazard, died)
        mean_weight = float(rows.weight[died].mean())
        for k in range(len(died)):
            share = k / len(died) if ties == "efron" else 0.0
            s0, s1 = sums[0] - share * tied[0], sums[1] - share * tied[1]
            mean = s1 / s0
            rate = mean_weight / s0
            residuals[risk] -= rate * exponential[risk, None] * (rows.x[risk] - mean)
            back = share * rate * exponential[died, None] * (rows.x[died] - mean)
            residuals[died] += back + (rows.x[died] - mean) / len(died)
    return np.asarray(residuals * rows.weight[:, None])


def solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve a positive definite system; `FitError` where predictors determine each other."""
    try:
        factor = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        msg = "These predictors determine each other, or leave nothing to estimate: use fewer."
        raise FitError(msg) from None
    return np.asarray(np.linalg.solve(factor.T, np.linalg.solve(factor, right)))


def inverse(matrix: np.ndarray) -> np.ndarray:
    """Return the inverse of a positive definite matrix."""
    return solve(matrix, np.eye(len(matrix)))
