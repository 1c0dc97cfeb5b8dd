"""`fit_sem`: the public way into the engine for one or several groups of independent rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from alliance.errors import FitError
from alliance.sem.checks import check_identified, data_faults
from alliance.sem.corrected import Corrector
from alliance.sem.description import Model, independence_model
from alliance.sem.indices import FitIndices, ModelTest, fit_indices, p_of, srmr
from alliance.sem.likelihood import EXPECTED, VALUE, GroupLikelihood, Likelihood, Moments, Objective
from alliance.sem.optimise import FLAT, MAX_ITERATIONS, Optimum, minimise
from alliance.sem.result import Convergence, SemFit, heywood_cases
from alliance.sem.robust import sandwich, saturated_trace, scaling_factor
from alliance.sem.sample import Sample, sample
from alliance.sem.saturated import saturated_moments
from alliance.sem.start import start_values
from alliance.sem.structure import Structure, structures

Rows = np.ndarray


def fit_sem(
    model: Model | Mapping[str, Model],
    data: Rows | Sample | Mapping[str, Rows | Sample],
    *,
    robust: bool = True,
    fit_measures: bool = True,
    start: Mapping[str, float] | None = None,
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
        Start values by parameter name, for instance from a nested fit.

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
    names, blocks = structures(list(models.items()))
    likelihood = GroupLikelihood(samples)
    available = [s.available() for s in samples]
    rough = [
        (mean, _pairwise(s, mean, variance))
        for s, (mean, variance) in zip(samples, available, strict=True)
    ]
    begin = _begin(blocks, names.names, rough, start)
    check_identified(
        blocks,
        names.names,
        begin,
        [s.pairs_observed() for s in samples],
        means=[True] * len(blocks),
    )
    objective = Objective(blocks, likelihood)
    optimum = search(objective, begin, rough)
    has_rows = all(s.rows is not None for s in samples)
    saturated = None
    indices = None
    meat = objective.first_order_information(optimum.theta) if robust and has_rows else None
    implied = tuple((i.mu.copy(), i.sigma.copy()) for i in objective.implied(optimum.theta) or ())
    bread, expected, unclear = inverses(objective, optimum, names.names)
    if fit_measures:
        moments = [saturated_moments(s) for s in samples]
        saturated = tuple((mean, cov) for mean, cov, _ in moments)
        indices = measures(
            objective,
            optimum,
            bread,
            meat,
            saturated,
            independence=_independence(likelihood, models, available),
            residual=srmr(saturated, implied, [s.n for s in samples]),
            n=likelihood.n,
            means=[True] * len(blocks),
            n_groups=len(samples),
            corrector=None
            if meat is None or all(s.complete for s in samples)
            else Corrector(likelihood, saturated),
        )
    return SemFit(
        models=models,
        names=names.names,
        theta=optimum.theta,
        covariance=bread,
        covariance_expected=expected,
        covariance_robust=None if meat is None else sandwich(bread, meat),
        indices=indices,
        convergence=convergence(objective, optimum, unclear),
        n=likelihood.n,
        n_groups=len(samples),
        saturated=saturated,
        implied=implied,
        structures=tuple(blocks),
        likelihood=likelihood,
    )


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


def _pairwise(own: Sample, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Covariances of the pairs that were observed together: rough, for the start only."""
    total, count = np.zeros((own.p, own.p)), np.zeros((own.p, own.p))
    for k in range(own.n_patterns):
        columns, centre, cov = own.pattern(k)
        apart = centre - mean[columns]
        at = np.ix_(columns, columns)
        total[at] += own.count[k] * (cov + np.outer(apart, apart))
        count[at] += own.count[k]
    size = np.sqrt(variance)
    return np.clip(total / np.maximum(count, 1.0), -np.outer(size, size), np.outer(size, size))


def _begin(
    blocks: Sequence[Structure],
    names: Sequence[str],
    rough: Sequence[Moments],
    start: Mapping[str, float] | None,
) -> np.ndarray:
    begin = start_values(blocks, rough)
    for index, name in enumerate(names):
        if start is not None and name in start:
            begin[index] = start[name]
    return begin


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


def _independence(
    likelihood: GroupLikelihood,
    models: Mapping[str, Model],
    available: Sequence[tuple[np.ndarray, np.ndarray]],
) -> tuple[Objective, np.ndarray]:
    """Return the baseline's objective and its maximum, known in closed form."""
    _, blocks = structures([(g, independence_model(m.observed)) for g, m in models.items()])
    theta = np.empty(blocks[0].n_theta)
    for block, (mean, variance) in zip(blocks, available, strict=True):
        theta[block.theta] = np.concatenate([variance, mean])
    return Objective(blocks, likelihood), theta


def measures(
    objective: Objective,
    optimum: Optimum,
    bread: np.ndarray,
    meat: np.ndarray | None,
    saturated: Sequence[Moments],
    *,
    independence: tuple[Objective, np.ndarray],
    residual: float,
    n: int,
    n_groups: int,
    corrector: Corrector | None,
    means: Sequence[bool],
) -> FitIndices:
    """Return the fit indices of an optimum against the saturated and the independence model.

    Parameters
    ----------
    objective, optimum
        The model and its maximum.
    bread, meat
        Inverse observed and first-order information there; no `meat`, no scaled statistics.
    saturated
        Moments of the saturated model, per block.
    independence
        The baseline model and its maximum.
    residual
        The standardised root mean square residual.
    n, n_groups
        Rows and groups.
    corrector
        Corrects the indices for missing values; None if nothing is missing.
    means
        Whether a block has means.
    """
    likelihood: Likelihood = objective.likelihood
    top = likelihood.expand(saturated, VALUE).value
    moments = sum(
        st.p * (st.p + 1) // 2 + (st.p if mean else 0)
        for st, mean in zip(objective.structures, means, strict=True)
    )
    trace = saturated_trace(likelihood, saturated, means=means) if meat is not None else np.nan
    test = _test(
        2.0 * (optimum.expansion.value - top), moments - objective.n_theta, trace, bread, meat
    )
    base, theta = independence
    at = base.expand(theta, 2)
    assert at is not None
    own = base.first_order_information(theta) if meat is not None else None
    baseline = _test(
        2.0 * (at.value - top), moments - base.n_theta, trace, np.linalg.inv(at.hessian), own
    )
    return fit_indices(
        test=test,
        baseline=baseline,
        n=n,
        n_groups=n_groups,
        log_likelihood=-(optimum.expansion.value + likelihood.constant),
        n_parameters=objective.n_theta,
        residual=residual,
        distances=None
        if corrector is None
        else (
            corrector.distance(objective, optimum.theta, test.df),
            corrector.distance(base, theta, baseline.df),
        ),
    )


def _test(
    chi2: float, df: int, trace: float, bread: np.ndarray, meat: np.ndarray | None
) -> ModelTest:
    # A saturated model reaches the top but for rounding.
    chi2 = max(float(chi2), 0.0)
    if meat is None:
        return ModelTest(chi2, df, p_of(chi2, df))
    return ModelTest(
        chi2, df, p_of(chi2, df), scaling_factor(trace, float(np.sum(bread * meat)), df)
    )
