"""`fit_sem`: the public way into the engine for one or several groups of independent rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from alliance.errors import FitError
from alliance.sem.checks import check_identified, data_faults
from alliance.sem.comparison import compare, independence
from alliance.sem.description import Model
from alliance.sem.indices import FitIndices, srmr
from alliance.sem.likelihood import EXPECTED, GroupLikelihood, Moments, Objective
from alliance.sem.optimise import FLAT, MAX_ITERATIONS, Optimum, minimise
from alliance.sem.result import Convergence, SemFit, heywood_cases
from alliance.sem.robust import sandwich
from alliance.sem.sample import Sample, sample
from alliance.sem.saturated import Saturated
from alliance.sem.start import start_values
from alliance.sem.structure import structures

Rows = np.ndarray

NO_SATURATED = (
    "The means and covariances of all variables cannot be estimated without a model from these "
    "data (too few rows for what is missing), so the model's fit cannot be judged."
)


def fit_sem(
    model: Model | Mapping[str, Model],
    data: Rows | Sample | Mapping[str, Rows | Sample],
    *,
    robust: bool = True,
    fit_measures: bool = True,
    start: Mapping[str, float] | None = None,
    like: SemFit | None = None,
) -> SemFit:
    """Fit a Gaussian structural model by full information maximum likelihood.

    ASSUME values are missing at random given the observed ones, and rows are independent (or, with
    clusters in the sample, clusters are).

    Parameters
    ----------
    model
        One model, or one per group; parameters of one label are equal across groups.
    data
        Rows in the order of `model.observed`, shape (n, p), NaN where missing; or what `sample` or
        `sample_of_moments` made of them; per group if the model is.
    robust
        Also the sandwich and the scaled statistic (not for moments alone).
    fit_measures
        Also chi-square against the saturated model and the fit indices.
    start
        Start values by parameter name.
    like
        Another fit to the very same samples, whose saturated model is taken over.

    Returns
    -------
    SemFit

    Raises
    ------
    FitError
        The data or the model make the estimates impossible; all reasons in one message.
    """
    models = dict(model) if isinstance(model, Mapping) else {"": model}
    tables = dict(data) if isinstance(data, Mapping) else {"": data}
    if set(models) != set(tables):
        raise FitError("Models and data must be for the same groups.")
    samples = [_sample_of(tables[group], models[group]) for group in models]
    _check_data(models, samples)
    top = _saturated(samples, like)
    likelihood = top.likelihood
    objective, optimum, names = _maximise(models, likelihood, start)
    bread, expected, unclear = inverses(objective, optimum, names)
    has_rows = all(s.rows is not None for s in samples)
    meat = objective.first_order_information(optimum.theta) if robust and has_rows else None
    implied = tuple((i.mu.copy(), i.sigma.copy()) for i in objective.implied(optimum.theta) or ())
    indices: FitIndices | None = None
    warnings: tuple[str, ...] = ()
    if fit_measures and not top.found:
        warnings = (NO_SATURATED,)
    elif fit_measures:
        available = [s.available() for s in samples]
        indices = compare(
            objective,
            optimum,
            bread,
            meat,
            top=top,
            baseline=independence(likelihood, models, available),
            residual=srmr(top.moments, implied, [s.n for s in samples]),
            n=likelihood.n,
            n_groups=len(samples),
            means=[True] * len(samples),
        )
    return SemFit(
        models=models,
        names=names,
        theta=optimum.theta,
        covariance=bread,
        covariance_expected=expected,
        covariance_robust=None if meat is None else sandwich(bread, meat),
        indices=indices,
        convergence=convergence(objective, optimum, unclear),
        warnings=warnings,
        n=likelihood.n,
        n_groups=len(samples),
        implied=implied,
        structures=objective.structures,
        likelihood=likelihood,
        top=top,
    )


def _saturated(samples: Sequence[Sample], like: SemFit | None) -> Saturated:
    """Return the saturated model of the samples, from another fit where that has the same ones."""
    if like is not None and isinstance(like.top, Saturated):
        known = like.top.likelihood.samples
        if len(known) == len(samples) and all(a is b for a, b in zip(known, samples, strict=True)):
            return like.top
    return Saturated(GroupLikelihood(samples))


def _maximise(
    models: Mapping[str, Model], likelihood: GroupLikelihood, start: Mapping[str, float] | None
) -> tuple[Objective, Optimum, tuple[str, ...]]:
    names, blocks = structures(list(models.items()))
    rough = [_rough(own) for own in likelihood.samples]
    begin = start_values(blocks, rough)
    for index, name in enumerate(names.names):
        if start is not None and name in start:
            begin[index] = start[name]
    seen = [own.pairs_observed() for own in likelihood.samples]
    check_identified(blocks, names.names, begin, seen, means=[True] * len(blocks))
    objective = Objective(blocks, likelihood)
    return objective, search(objective, begin, rough), names.names


def _sample_of(table: Rows | Sample, model: Model) -> Sample:
    if isinstance(table, Sample):
        if table.names != model.observed:
            raise FitError("The sample's columns are not the model's observed variables.")
        return table
    rows = np.asarray(table, dtype=float)
    if rows.ndim != 2 or rows.shape[1] != len(model.observed):
        raise FitError(
            f"The data need {len(model.observed)} columns, one for each observed variable."
        )
    return sample(rows, model.observed)


def _check_data(models: Mapping[str, Model], samples: Sequence[Sample]) -> None:
    faults = []
    for group, own in zip(models, samples, strict=True):
        faults += data_faults(own, f" in group '{group}'" if len(models) > 1 else "")
    if faults:
        raise FitError("The model cannot be fitted: " + "; ".join(faults) + ".")


def _rough(own: Sample) -> Moments:
    """Means and covariances of what was observed together: rough, for the start only."""
    mean, variance = own.available()
    total, count = np.zeros((own.p, own.p)), np.zeros((own.p, own.p))
    for k in range(own.n_patterns):
        columns, centre, cov = own.pattern(k)
        apart = centre - mean[columns]
        at = np.ix_(columns, columns)
        total[at] += own.count[k] * (cov + np.outer(apart, apart))
        count[at] += own.count[k]
    most = np.sqrt(np.outer(variance, variance))
    return mean, np.clip(total / np.maximum(count, 1.0), -most, most)


def search(
    objective: Objective,
    begin: np.ndarray,
    rough: Sequence[Moments],
    max_iterations: int = MAX_ITERATIONS,
) -> Optimum:
    """Minimise from the start values; from a damped start where they are impossible."""
    optimum = minimise(objective, begin, max_iterations=max_iterations)
    if optimum is None:
        # Only the variances keep their start: a diagonal covariance matrix is always possible.
        damped = begin.copy()
        for block, (_, cov) in zip(objective.structures, rough, strict=True):
            for kind, i, j, index in zip(
                block.kind, block.row, block.column, block.theta, strict=True
            ):
                if kind == 0 or (kind == 1 and i != j):
                    damped[index] *= 0.1
                elif kind == 1 and i < block.p:
                    damped[index] = cov[i, i]
        optimum = minimise(objective, damped, max_iterations=max_iterations)
    if optimum is None:
        raise FitError(
            "The model cannot be fitted: its start values imply an impossible covariance matrix. "
            "Give start values, or check the fixed values."
        )
    return optimum


def inverses(
    objective: Objective, optimum: Optimum, names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return inverse observed and expected information, and the parameters left undetermined."""
    observed, unclear = _inverse(optimum.expansion.hessian, names)
    at = objective.expand(optimum.theta, EXPECTED)
    assert at is not None
    return observed, _inverse(at.hessian, names)[0], unclear


def _inverse(matrix: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    size = np.sqrt(np.maximum(np.abs(np.diag(matrix)), 1e-300))
    values, vectors = np.linalg.eigh(matrix / np.outer(size, size))
    flat = values < FLAT * values[-1]
    if not flat.any():
        return (vectors / values) @ vectors.T / np.outer(size, size), ()
    part = np.sqrt(np.square(vectors[:, flat]).sum(axis=1))
    unclear = tuple(name for name, share in zip(names, part, strict=True) if share > 0.05)
    return np.full_like(matrix, np.nan), unclear


def convergence(objective: Objective, optimum: Optimum, unclear: tuple[str, ...]) -> Convergence:
    """Put together how a fit ended."""
    size = np.sqrt(np.maximum(np.abs(np.diag(optimum.expansion.hessian)), 1e-300))
    return Convergence(
        converged=optimum.converged and not unclear,
        objective=2.0 * (optimum.expansion.value + objective.likelihood.constant),
        gradient_norm=float(np.abs(optimum.expansion.gradient / size).max(initial=0.0)),
        decrement=optimum.decrement,
        hessian_eigenvalues=tuple(optimum.eigenvalues.tolist()),
        iterations=optimum.iterations,
        evaluations=optimum.evaluations,
        heywood=heywood_cases(objective.structures, optimum.theta),
        not_identified=unclear,
    )
