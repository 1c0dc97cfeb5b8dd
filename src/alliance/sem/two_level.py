"""Two-level models: rows in clusters of any size, one structure within and one between clusters.

    y_ij = v_j + w_ij,   v_j ~ N(mu, Sigma_b),   w_ij ~ N(0, Sigma_w)

For complete rows the likelihood needs the pooled within-cluster covariance and, per cluster size n,
the mean and covariance of the cluster means (McDonald & Goldstein 1989; Muthen 1990, exact for
unbalanced clusters): with Sigma_n = Sigma_w + n Sigma_b,

    -2 log L = (N - J) [log|Sigma_w| + tr(Sigma_w^-1 S_pw)]
             + sum over clusters [log|Sigma_n| + n (ybar - mu)' Sigma_n^-1 (ybar - mu)] + const.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alliance.errors import FitError
from alliance.sem import kernels
from alliance.sem.checks import check_identified
from alliance.sem.clusters import Clusters, check_clusters
from alliance.sem.comparison import compare
from alliance.sem.description import Model, independence_model, saturated_model
from alliance.sem.fit import convergence, inverses, search
from alliance.sem.incomplete_clusters import IncompleteClusters
from alliance.sem.incomplete_likelihood import IncompleteLikelihood
from alliance.sem.likelihood import OBSERVED, Dense, MomentExpansion, Moments, Objective
from alliance.sem.optimise import MAX_ITERATIONS, Optimum
from alliance.sem.result import SemFit
from alliance.sem.robust import sandwich, saturated_trace
from alliance.sem.sample import sample_of_moments
from alliance.sem.start import start_values
from alliance.sem.structure import structures

MEANS = (False, True)
"""The means belong to the level between clusters."""


class TwoLevelLikelihood:
    """-log L of clusters in the moments within (block 0) and between (block 1)."""

    def __init__(self, data: Clusters) -> None:
        self.data = data
        p = len(data.names)
        freedom = data.n_rows - data.n_clusters
        pooled = data.scatter.sum(axis=0) / freedom
        self.within = sample_of_moments(np.zeros(p), pooled, freedom, data.names)
        self.between = []
        for n in np.unique(data.size):
            means = data.mean[data.size == n]
            centre = means.mean(axis=0)
            cov = (means - centre).T @ (means - centre) / len(means)
            moments = sample_of_moments(np.sqrt(n) * centre, n * cov, len(means), data.names)
            self.between.append((float(n), moments))

    @property
    def n(self) -> int:
        """Clusters: the independent units."""
        return self.data.n_clusters

    @property
    def constant(self) -> float:
        """Values / 2 log 2 pi."""
        return 0.5 * self.data.n_rows * len(self.data.names) * float(np.log(2.0 * np.pi))

    def expand(self, moments: Sequence[Moments], order: int) -> MomentExpansion:
        """Expand -log L (without the constant) at the moments."""
        (_, sigma_w), (mu, sigma_b) = moments
        p = len(mu)
        zero = np.zeros(p)
        value, _, by_w, second = kernels.expand(
            zero, np.ascontiguousarray(sigma_w), self.within.patterns(), order
        )
        by_mu, by_b = np.zeros(p), np.zeros((p, p))
        m = p + p * (p + 1) // 2
        whole = np.zeros((2 * m, 2 * m))
        if order >= OBSERVED:
            whole[p:m, p:m] = second[p:, p:]
        for n, group in self.between:
            root = np.sqrt(n)
            own, slope_mu, slope, second = kernels.expand(
                root * mu, np.ascontiguousarray(sigma_w + n * sigma_b), group.patterns(), order
            )
            value += own
            by_mu += root * slope_mu
            by_w += slope
            by_b += n * slope
            if order >= OBSERVED:
                # mu of the size = root n mu, Sigma of the size = Sigma_w + n Sigma_b.
                chain = np.zeros((m, 2 * m))
                chain[:p, m : m + p] = root * np.eye(p)
                chain[p:, p:m] = np.eye(m - p)
                chain[p:, m + p :] = n * np.eye(m - p)
                whole += chain.T @ second @ chain
        return MomentExpansion(
            float(value), [(zero, by_w), (by_mu, by_b)], [((0, 1), Dense(whole))]
        )

    def scores(self, moments: Sequence[Moments]) -> list[tuple[tuple[int, ...], np.ndarray]]:
        """Score of every cluster by (mu_w, vech Sigma_w, mu, vech Sigma_b)."""
        (_, sigma_w), (mu, sigma_b) = moments
        data, p = self.data, len(mu)
        low = np.tril_indices(p)
        twice = np.where(low[0] == low[1], 0.5, 1.0)
        m = p + len(twice)
        precision = np.linalg.inv(sigma_w)
        out = np.zeros((data.n_clusters, 2 * m))
        inverse = {n: np.linalg.inv(sigma_w + n * sigma_b) for n in np.unique(data.size)}
        for j, n in enumerate(data.size):
            tilt = np.sqrt(n) * inverse[n] @ (data.mean[j] - mu)
            between = np.outer(tilt, tilt) - inverse[n]
            within = precision @ data.scatter[j] @ precision - (n - 1) * precision
            out[j, p:m] = twice * (within + between)[low]
            out[j, m : m + p] = np.sqrt(n) * tilt
            out[j, m + p :] = n * twice * between[low]
        return [((0, 1), out)]


def fit_two_level(
    within: Model,
    between: Model,
    data: Clusters | IncompleteClusters,
    *,
    robust: bool = True,
    fit_measures: bool = True,
    max_iterations: int = MAX_ITERATIONS,
) -> SemFit:
    """Fit a two-level structural model by maximum likelihood, clusters of any size.

    Parameters
    ----------
    within, between
        Models of the same observed variables; means (intercepts) belong to `between`. Equal labels
        hold across the levels.
    data
        What `clustered` or `clustered_incomplete` made of the rows.
    robust
        Also the sandwich (over clusters) and the scaled statistic.
    fit_measures
        Also chi-square against the saturated model and the fit indices; their SRMR is the sum of
        that within and that between, of correlations (as in lavaan).

    max_iterations
        The search for the model itself is given up after so many steps.

    Returns
    -------
    SemFit
        With blocks 'within' and 'between'.

    Raises
    ------
    FitError
        The data or the model make the estimates impossible; all reasons in one message.
    """
    if within.observed != between.observed or within.observed != data.names:
        raise FitError("Both levels and the data must have the same observed variables.")
    check_clusters(data)
    likelihood = (
        TwoLevelLikelihood(data) if isinstance(data, Clusters) else IncompleteLikelihood(data)
    )
    objective, optimum, names = _maximise(within, between, likelihood, max_iterations)
    bread, expected, unclear = inverses(objective, optimum, names)
    meat = objective.first_order_information(optimum.theta) if robust else None
    implied = _implied(objective, optimum)
    top, indices = None, None
    if fit_measures:
        top = _saturated(likelihood)
        base, lowest, _ = _maximise(
            independence_model(data.names, means=False), independence_model(data.names), likelihood
        )
        residual = sum(
            correlation_residual(cov, sigma)
            for (_, cov), (_, sigma) in zip(top.moments, implied, strict=True)
        )
        indices = compare(
            objective,
            optimum,
            bread,
            meat,
            top=top,
            baseline=(base, lowest.theta),
            residual=residual,
            n=data.n_rows,
            n_groups=1,
            means=MEANS,
        )
    return SemFit(
        models={"within": within, "between": between},
        names=names,
        theta=optimum.theta,
        covariance=bread,
        covariance_expected=expected,
        covariance_robust=None if meat is None else sandwich(bread, meat),
        indices=indices,
        convergence=convergence(objective, optimum, unclear),
        warnings=(),
        n=data.n_rows,
        n_groups=1,
        implied=implied,
        structures=objective.structures,
        likelihood=likelihood,
        top=top,
    )


def _maximise(
    within: Model,
    between: Model,
    likelihood: TwoLevelLikelihood | IncompleteLikelihood,
    max_iterations: int = MAX_ITERATIONS,
) -> tuple[Objective, Optimum, tuple[str, ...]]:
    names, blocks = structures([("within", within), ("between", between)])
    data = likelihood.data
    moments = data.rough()
    centre, pooled = moments.mean, moments.within
    cov_b = moments.means - pooled / data.harmonic_mean_size
    # A variance between clusters that is zero or below cannot be a start.
    least = 0.05 * np.diag(pooled)
    size = np.sqrt(np.maximum(np.diag(cov_b), least))
    cov_b = np.clip(cov_b, -0.9 * np.outer(size, size), 0.9 * np.outer(size, size))
    np.fill_diagonal(cov_b, size**2)
    rough = [(np.zeros(len(centre)), pooled), (centre, cov_b)]
    begin = start_values(blocks, rough)
    seen = np.ones((len(centre), len(centre)))
    check_identified(blocks, names.names, begin, [seen, seen], means=MEANS)
    objective = Objective(blocks, likelihood)
    return objective, search(objective, begin, rough, max_iterations), names.names


def _implied(objective: Objective, optimum: Optimum) -> tuple[Moments, ...]:
    blocks = objective.implied(optimum.theta)
    assert blocks is not None
    return tuple((block.mu.copy(), block.sigma.copy()) for block in blocks)


@dataclass(frozen=True, slots=True)
class _Top:
    """The saturated two-level model; values missing at two levels are not corrected for."""

    likelihood: TwoLevelLikelihood | IncompleteLikelihood
    moments: tuple[Moments, ...]
    corrector: None = None

    @property
    def trace(self) -> float:
        return saturated_trace(self.likelihood, self.moments, means=MEANS)


def _saturated(likelihood: TwoLevelLikelihood | IncompleteLikelihood) -> _Top:
    names = likelihood.data.names
    objective, optimum, _ = _maximise(
        saturated_model(names, means=False), saturated_model(names), likelihood
    )
    return _Top(likelihood, _implied(objective, optimum))


def correlation_residual(cov: np.ndarray, sigma: np.ndarray) -> float:
    """Root mean square difference of correlations; NaN where a variance is not positive."""
    if (np.diag(cov) <= 0).any() or (np.diag(sigma) <= 0).any():
        return float("nan")
    low = np.tril_indices(len(cov))

    def correlation(matrix: np.ndarray) -> np.ndarray:
        size = np.sqrt(np.diag(matrix))
        return np.asarray((matrix / np.outer(size, size))[low])

    return float(np.sqrt(np.mean((correlation(cov) - correlation(sigma)) ** 2)))
