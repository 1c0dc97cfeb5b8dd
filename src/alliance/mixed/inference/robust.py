"""Cluster-robust covariance of the fixed effects with the CR2 small-sample correction.

Bell & McCaffrey (2002), Pustejovsky & Tipton (2018). With V the fitted covariance, W = V^-1 as
working weights, M = (X' W X)^-1, clusters c of a level that V does not cross, residuals e_c:

    V_CR2 = M [sum over c of X_c' W_c A_c e_c e_c' A_c W_c X_c] M,
    A_c = D_c' (D_c (V_c - X_c M X_c') D_c')^(+1/2) D_c,   V_c = D_c' D_c .

As in clubSandwich with the inverse variance as weights. Degrees of freedom: Satterthwaite's of
sum over c of (p_c' e)^2 under the working model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed.columns import column_problems
from alliance.mixed.residual import ResidualStructure
from alliance.mixed.residual_course import CourseCovariance
from alliance.mixed.tables import coefficient_table

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit

LARGEST_CLUSTER = 5000
"""Rows of the largest cluster that is still worked on (its matrices are dense)."""


@dataclass(frozen=True, slots=True, eq=False)
class RobustEstimate:
    """Least squares with CR2 standard errors.

    Attributes
    ----------
    coefficients : numpy.ndarray
        Shape (p,).
    covariance : numpy.ndarray
        CR2, shape (p, p).
    df : numpy.ndarray
        Satterthwaite's, of each coefficient, shape (p,).
    n_clusters : int
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    df: np.ndarray
    n_clusters: int


def least_squares_cr2(x: np.ndarray, y: np.ndarray, clusters: np.ndarray) -> RobustEstimate:
    """Ordinary least squares with CR2 and Satterthwaite, for few clusters.

    With few clusters the usual sandwich (CR1 with G - 1 degrees of freedom) is too narrow; here the
    working model is independence with equal variances, as clubSandwich has it for `lm`.

    Parameters
    ----------
    x : array (n, p)
        Predictors, the intercept among them.
    y : array (n,)
    clusters : array (n,)
        Codes 0, 1, ... of the clusters.

    Raises
    ------
    FitError
        Predictors determine each other, or there is one cluster only.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    _check_several(len(np.unique(clusters)), "the clusters given")
    if np.linalg.matrix_rank(x / np.abs(x).max(axis=0)) < x.shape[1]:
        raise FitError("Predictors determine each other: leave one of them out.")
    q, r = np.linalg.qr(x)
    b = np.linalg.solve(r, q.T @ y)
    return RobustEstimate(b, *sandwich_cr2(x, y - x @ b, clusters), len(np.unique(clusters)))


def sandwich_cr2(
    x: np.ndarray,
    residuals: np.ndarray,
    clusters: np.ndarray,
    variances: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """CR2 and Satterthwaite's df of coefficients under a working model of independent rows.

    Whatever comes down to least squares comes here: within clients and quasi-demeaned (the columns
    as transformed), instruments (`x` as projected on them, residuals with the columns themselves);
    and generalised linear models (`x` times the derivative of the mean, residuals of the response,
    `variances` of the mean). Where variances are equal, with X_c = Q R, M = (X'X)^-1 and
    R M R' = U diag(l) U',

        A_c X_c M = Q U diag(1 - l)^(+1/2) U' R M,

    so that no matrix of the size of a cluster is needed; otherwise one is.

    Parameters
    ----------
    x : array (n, p)
        Columns of full rank.
    residuals : array (n,)
    clusters : array (n,)
    variances : array (n,), optional
        Of the rows under the working model, where they are not equal.

    Returns
    -------
    covariance, df
        Shapes (p, p) and (p,).

    Raises
    ------
    FitError
        There is one cluster only, or (with `variances`) a cluster is too large.
    """
    x, residuals = np.asarray(x, dtype=float), np.asarray(residuals, dtype=float)
    codes = np.unique(clusters, return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    starts = np.append(np.flatnonzero(np.diff(codes[order], prepend=-1)), len(order))
    if variances is None:
        _check_several(len(starts) - 1, "the clusters given")
        scores, spread = _equal_scores(x, residuals, starts, order)
    else:
        _check_clusters(np.diff(starts), "the clusters given")
        triangle = np.linalg.qr(x / np.sqrt(variances)[:, None])[1]
        m = np.linalg.inv(triangle.T @ triangle)
        scores, spread = _scores(
            x, residuals, m, lambda rows: np.diag(variances[rows]), starts, order
        )
    return scores.T @ scores, np.array([_df(column) for column in spread])


def _equal_scores(
    x: np.ndarray, e: np.ndarray, starts: np.ndarray, order: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    """As `_scores`, for rows of equal variance."""
    n_clusters, p = len(starts) - 1, x.shape[1]
    triangle = np.linalg.qr(x)[1]
    m = np.linalg.inv(triangle.T @ triangle)
    scores, own = np.empty((n_clusters, p)), np.empty((n_clusters, p))
    crossed = np.empty((n_clusters, p, p))
    for c in range(n_clusters):
        rows = order[starts[c] : starts[c + 1]]
        q, r = np.linalg.qr(x[rows])
        shares, u = np.linalg.eigh(r @ m @ r.T)
        left = 1 - shares  # of the variance of a residual, along these directions
        root = np.where(left > 1e-12, 1 / np.sqrt(np.maximum(left, 1e-12)), 0.0)
        g = q @ (u * root) @ u.T @ r @ m
        scores[c] = g.T @ e[rows]
        own[c] = (g**2).sum(axis=0)
        crossed[c] = x[rows].T @ g
    return scores, _spread(own, crossed, m)


def cluster_robust(
    fit: MixedFit, level: str | np.ndarray | pd.Series, confidence: float
) -> pd.DataFrame:
    """CR2 table; see `alliance.mixed.result.MixedFit.cluster_robust`."""
    starts, order, name = _clusters(fit, level)
    _check_clusters(np.diff(starts), name)
    x = fit.prepared.user_matrix(fit.prepared.fixed, None)
    e = fit.prepared.outcome - x @ fit.estimate.coefficients
    scores, spread = _scores(
        x, e, fit.estimate.covariance, partial(marginal_covariance, fit), starts, order
    )
    matrix = scores.T @ scores
    df = np.array([_df(column) for column in spread])
    return coefficient_table(
        fit.prepared.fixed_names,
        fit.estimate.coefficients,
        np.sqrt(np.diag(matrix)),
        df,
        confidence,
    )


def _check_several(n_clusters: int, name: str) -> None:
    if n_clusters < 2:
        raise FitError(f"Cluster-robust errors need at least two groups of {name}.")


def _check_clusters(sizes: np.ndarray, name: str) -> None:
    _check_several(len(sizes), name)
    if sizes.max() > LARGEST_CLUSTER:
        raise FitError(
            f"A group of {name} has more than {LARGEST_CLUSTER} rows; cluster-robust errors at "
            "this level are not available."
        )


def _clusters(
    fit: MixedFit, level: str | np.ndarray | pd.Series
) -> tuple[np.ndarray, np.ndarray, str]:
    """First row of each cluster, the sorted rows in cluster order, and a name for messages."""
    prepared = fit.prepared
    outermost = prepared.specification.levels[0]
    identity = np.arange(len(prepared.outcome))
    if isinstance(level, str):
        if fit.depth_of(level) == 0:
            return prepared.nesting.starts[0], identity, f"'{level}'"
        raise FitError(
            f"Rows of different groups of '{level}' are correlated through '{outermost}' in this "
            f"model, so '{level}' cannot be the cluster. Cluster at '{outermost}' or above it, or "
            "fit the model without the levels above."
        )
    ids = np.asarray(level)
    if len(ids) == prepared.rows.total:
        ids = ids[prepared.rows.used_positions]
    if len(ids) != prepared.rows.used:
        raise FitError("The clusters must have one value per row of the data.")
    if prepared.order is not None:
        ids = ids[prepared.order]
    told = column_problems(pd.DataFrame({"clusters": ids}), ["clusters"], ["clusters"])
    if told:
        raise FitError(told[0])
    codes = pd.factorize(ids, sort=True)[0]
    firsts = prepared.nesting.starts[0][:-1]
    if (codes < 0).any() or (
        np.repeat(codes[firsts], np.diff(prepared.nesting.starts[0])) != codes
    ).any():
        raise FitError(
            f"Every group of '{outermost}' must lie in one cluster, without missing ids."
        )
    order = np.argsort(codes, kind="stable")
    starts = np.append(np.flatnonzero(np.diff(codes[order], prepend=-1)), len(order))
    return starts, order, "the clusters given"


def _scores(
    x: np.ndarray,
    e: np.ndarray,
    m: np.ndarray,
    working: Callable[[np.ndarray], np.ndarray],
    starts: np.ndarray,
    order: np.ndarray,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Scores M X_c' W_c A_c e_c, shape (clusters, p), and inner products per coefficient.

    With P the matrix of the vectors p_c = (I - H)_c' A_c W_c X_c M l over all rows, the df need
    P' V P = diag(g_c' V_c g_c) - (X' g_c)' M (X' g_d), where g_c = A_c W_c X_c M l.
    """
    n_clusters, p = len(starts) - 1, x.shape[1]
    scores = np.empty((n_clusters, p))
    own = np.empty((n_clusters, p))
    crossed = np.empty((n_clusters, p, p))
    for c in range(n_clusters):
        rows = order[starts[c] : starts[c + 1]]
        v = working(rows)
        x_c = x[rows]
        d = np.linalg.cholesky(v).T
        middle = d @ (v - x_c @ m @ x_c.T) @ d.T
        a = d.T @ _inverse_root(middle) @ d
        g = a @ np.linalg.solve(v, x_c) @ m
        scores[c] = g.T @ e[rows]
        own[c] = np.einsum("ik,ij,jk->k", g, v, g)
        crossed[c] = x_c.T @ g
    return scores, _spread(own, crossed, m)


def _spread(own: np.ndarray, crossed: np.ndarray, m: np.ndarray) -> list[np.ndarray]:
    """P' V P of each coefficient, shape (clusters, clusters)."""
    return [
        np.diag(own[:, k]) - crossed[:, :, k] @ m @ crossed[:, :, k].T for k in range(own.shape[1])
    ]


def _df(omega: np.ndarray) -> float:
    """Satterthwaite: trace^2 over the sum of squares."""
    return float(np.trace(omega) ** 2 / np.sum(omega**2))


def _inverse_root(matrix: np.ndarray) -> np.ndarray:
    """Symmetric inverse square root, generalised where an eigenvalue is zero."""
    values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
    keep = values > 1e-12 * values.max()
    return np.asarray((vectors[:, keep] / np.sqrt(values[keep])) @ vectors[:, keep].T)


def marginal_covariance(fit: MixedFit, rows: np.ndarray) -> np.ndarray:
    """Fitted covariance matrix of some sorted rows, shape (rows, rows)."""
    prepared = fit.prepared
    v = _residual_covariance(fit, rows)
    for depth in range(len(prepared.specification.levels)):
        z = np.ones((len(rows), len(prepared.random[depth])))
        for number, product in enumerate(prepared.random[depth]):
            for factor in product:
                z[:, number] *= prepared.factor_values(factor)[rows]
        group = np.searchsorted(prepared.nesting.starts[depth], rows, side="right")
        same = group[:, None] == group[None, :]
        v += same * (z @ fit.estimate.level_covariances[depth] @ z.T)
    return v


def _residual_covariance(fit: MixedFit, rows: np.ndarray) -> np.ndarray:
    """Covariance matrix of the residuals of some sorted rows."""
    prepared, residual = fit.prepared, fit.prepared.residual
    within, outcome = fit.estimate.residual_covariance, prepared.outcomes.row
    if isinstance(residual, CourseCovariance) and outcome is not None:
        rho, scales = fit.optimum.theta[: residual.n_parameters], prepared.outcomes.scales
        size = scales[outcome[rows]] * np.sqrt(fit.optimum.expansion.profile.sigma2)
        return residual.dense(rho, rows) * np.outer(size, size)
    if within is not None and outcome is not None and prepared.order is not None:
        session, own = prepared.order[rows], outcome[rows]
        return np.asarray(
            (session[:, None] == session[None, :]) * within[own[:, None], own[None, :]]
        )
    assert isinstance(residual, ResidualStructure)
    rho = fit.optimum.theta[: residual.n_parameters]
    deviation = np.sqrt(fit.estimate.sigma2 * np.exp(residual.log_variances(rho)))
    d = (
        deviation[residual.row_group[rows]]
        if residual.n_groups > 1
        else np.full(len(rows), deviation[0])
    )
    if residual.serial:
        assert prepared.specification.residual_time is not None
        time = prepared.sorted_data[prepared.specification.residual_time].to_numpy(float)[rows]
        phi = residual.phi(rho)
        assert phi is not None
        client = np.searchsorted(prepared.nesting.starts[-1], rows, side="right")
        same = client[:, None] == client[None, :]
        lag = np.where(same, np.abs(time[:, None] - time[None, :]), 0.0)
        return np.where(same, np.float_power(phi, lag), 0.0) * np.outer(d, d)
    return np.diag(d**2)
