"""Likelihood-ratio tests that know where the boundary is, and that refuse the wrong question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import chdtrc

from alliance.errors import FitError

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit


@dataclass(frozen=True, slots=True)
class Comparison:
    """A likelihood-ratio test of a smaller against a larger model.

    Attributes
    ----------
    statistic : float
        Twice the difference of the log-likelihoods.
    df : int
        Difference in the number of parameters.
    p : float
        From the mixture where a variance lies on the boundary, else from chi-squared.
    p_naive : float
        From chi-squared with `df` degrees of freedom, without regard to the boundary.
    mixture : tuple of (weight, df)
        Reference distribution.
    is_exact_mixture : bool
        False where several variances are tested at once: then p is the naive one, which is too
        large (conservative), and a parametric bootstrap is the better answer.
    """

    statistic: float
    df: int
    p: float
    p_naive: float
    mixture: tuple[tuple[float, int], ...]
    is_exact_mixture: bool


def compare(smaller: MixedFit, larger: MixedFit) -> Comparison:
    """Test a smaller model against a larger one.

    One more random effect, correlated with the q that are there, adds q covariances and a variance
    that is zero under the smaller model: p = 1/2 P(chi2_q > LR) + 1/2 P(chi2_(q+1) > LR)
    (Self & Liang 1987; Stram & Lee 1994). Other parameters (fixed effects, an autocorrelation,
    variance ratios) are inside their space and add to the degrees of freedom.

    Raises
    ------
    FitError
        The fits do not share outcome and rows, are not nested, mix REML and ML, are REML fits with
        different fixed effects, or have not converged.
    """
    problems = [*_different_data(smaller, larger), *_not_nested(smaller, larger)]
    if smaller.method != larger.method:
        problems.append("One fit is REML and the other ML; fit both with the same method.")
    elif smaller.method == "REML" and set(smaller.prepared.fixed) != set(larger.prepared.fixed):
        problems.append(
            "REML likelihoods of models with different fixed effects are not comparable; fit both "
            "with method='ML'."
        )
    for name, fit in (("smaller", smaller), ("larger", larger)):
        if not fit.convergence.converged:
            problems.append(f"The {name} model has not converged.")
    df = larger.n_parameters - smaller.n_parameters
    if not problems and df < 1:
        problems.append("The two models have the same parameters; there is nothing to test.")
    if problems:
        raise FitError("\n".join(problems))
    statistic = max(2.0 * (larger.log_likelihood - smaller.log_likelihood), 0.0)
    mixture, exact = _mixture(smaller, larger, df)
    p = sum(weight * _tail(k, statistic) for weight, k in mixture)
    return Comparison(statistic, df, p, _tail(df, statistic), mixture, exact)


def _tail(df: int, statistic: float) -> float:
    if df == 0:
        return 1.0 if statistic <= 0 else 0.0
    return float(chdtrc(df, statistic))


def _mixture(
    smaller: MixedFit, larger: MixedFit, df: int
) -> tuple[tuple[tuple[float, int], ...], bool]:
    before, after = _effects_by_level(smaller), _effects_by_level(larger)
    added = [len(after[level] - before.get(level, set())) for level in after]
    added.append(_error_variances(larger) - _error_variances(smaller))
    if sum(added) == 0:
        return ((1.0, df),), True
    if sum(added) == 1:
        return ((0.5, df - 1), (0.5, df)), True
    return ((1.0, df),), False


def _error_variances(fit: MixedFit) -> int:
    """Free variances of errors of measurement."""
    free = fit.prepared.specification.reliability == "free"
    return len(fit.prepared.specification.outcomes) if free else 0


def _effects_by_level(fit: MixedFit) -> dict[str, set[Any]]:
    levels = fit.prepared.specification.levels
    return {level: set(fit.prepared.random[depth]) for depth, level in enumerate(levels)}


def _different_data(smaller: MixedFit, larger: MixedFit) -> list[str]:
    one, other = smaller.prepared, larger.prepared
    if one.specification.outcome != other.specification.outcome:
        return ["The two models have different outcomes."]
    if not np.array_equal(one.rows.used_positions, other.rows.used_positions):
        return [
            f"The two models rest on different rows ({one.rows.used} and {other.rows.used}); fit "
            "both to the rows that are complete for the larger one."
        ]
    if not np.array_equal(np.sort(one.outcome), np.sort(other.outcome)):
        return ["The outcome differs between the two fits."]
    return []


def _not_nested(smaller: MixedFit, larger: MixedFit) -> list[str]:
    problems: list[str] = []
    extra = set(smaller.prepared.fixed) - set(larger.prepared.fixed)
    if extra:
        names = ", ".join(repr(smaller.prepared.fixed[product]) for product in extra)
        problems.append(f"Not nested: the larger model lacks the fixed terms {names}.")
    before, after = _effects_by_level(smaller), _effects_by_level(larger)
    for level, effects in before.items():
        if not effects <= after.get(level, set()):
            problems.append(f"Not nested: the larger model lacks random terms of '{level}'.")
    one, other = smaller.prepared.specification, larger.prepared.specification
    if one.residual != "iid" and (one.residual, one.residual_time) != (
        other.residual,
        other.residual_time,
    ):
        problems.append("Not nested: the residual correlations are of different kinds.")
    if one.reliability is not None and one.reliability != other.reliability:
        problems.append("Not nested: the errors of measurement are of different kinds.")
    if one.residual_by is not None and one.residual_by != other.residual_by:
        problems.append("Not nested: the residual variances are grouped differently.")
    return problems
