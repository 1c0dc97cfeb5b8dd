"""A fitted model beside the saturated and the independence model: tests and indices of fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from alliance.sem.corrected import Corrector
from alliance.sem.description import Model, independence_model
from alliance.sem.indices import FitIndices, ModelTest, fit_indices, p_of
from alliance.sem.likelihood import OBSERVED, VALUE, GroupLikelihood, Moments, Objective
from alliance.sem.optimise import Optimum
from alliance.sem.robust import scaling_factor
from alliance.sem.structure import structures


class Top(Protocol):
    """The saturated model."""

    @property
    def moments(self) -> tuple[Moments, ...]:
        """Means and covariance of each block."""

    @property
    def trace(self) -> float:
        """tr(B A^-1): first-order against observed information."""

    @property
    def corrector(self) -> Corrector | None:
        """What corrects the indices for missing values; None if nothing is missing."""


def independence(
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


def compare(
    objective: Objective,
    optimum: Optimum,
    bread: np.ndarray,
    meat: np.ndarray | None,
    *,
    top: Top,
    baseline: tuple[Objective, np.ndarray],
    residual: float,
    n: int,
    n_groups: int,
    means: Sequence[bool],
) -> FitIndices:
    """Return the fit indices of a model.

    Parameters
    ----------
    objective, optimum
        The model and its maximum.
    bread, meat
        Inverse observed and first-order information there; no `meat`, no scaled statistics.
    top
        The saturated model.
    baseline
        The independence model and its maximum.
    residual
        The standardised root mean square residual.
    n, n_groups
        Rows and groups.
    means
        Whether a block has means.
    """
    likelihood = objective.likelihood
    highest = likelihood.expand(top.moments, VALUE).value
    moments = sum(
        st.p * (st.p + 1) // 2 + (st.p if mean else 0)
        for st, mean in zip(objective.structures, means, strict=True)
    )
    trace = float("nan") if meat is None else top.trace
    gap = 2.0 * (optimum.expansion.value - highest)
    test = _test(gap, moments - objective.n_theta, trace, bread, meat)
    base, theta = baseline
    at = base.expand(theta, OBSERVED)
    assert at is not None
    own = None if meat is None else base.first_order_information(theta)
    gap = 2.0 * (at.value - highest)
    lowest = _test(gap, moments - base.n_theta, trace, np.linalg.inv(at.hessian), own)
    corrector = None if meat is None else top.corrector
    return fit_indices(
        test=test,
        baseline=lowest,
        n=n,
        n_groups=n_groups,
        log_likelihood=-(optimum.expansion.value + likelihood.constant),
        n_parameters=objective.n_theta,
        residual=residual,
        distances=None
        if corrector is None
        else (
            corrector.distance(objective, optimum.theta, test.df),
            corrector.distance(base, theta, lowest.df),
        ),
    )


def _test(
    chi2: float, df: int, trace: float, bread: np.ndarray, meat: np.ndarray | None
) -> ModelTest:
    # A saturated model reaches the top but for rounding.
    chi2 = max(float(chi2), 0.0)
    if meat is None:
        return ModelTest(chi2, df, p_of(chi2, df))
    scaling = scaling_factor(trace, float(np.sum(bread * meat)), df)
    return ModelTest(chi2, df, p_of(chi2, df), scaling)
