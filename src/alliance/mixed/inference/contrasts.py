"""Linear combinations of the fixed effects, one at a time or jointly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import chdtrc, fdtrc

from alliance.errors import FitError
from alliance.mixed.tables import coefficient_table

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit


@dataclass(frozen=True, slots=True)
class JointTest:
    """A joint test of several linear combinations being zero.

    Attributes
    ----------
    statistic : float
        F statistic (scaled, with Kenward-Roger), or chi-squared / df_numerator without degrees of
        freedom.
    df_numerator, df_denominator : float
    p : float
    """

    statistic: float
    df_numerator: int
    df_denominator: float
    p: float


def weights_of(fit: MixedFit, weights: Mapping[str, float]) -> np.ndarray:
    """Weights per coefficient from weights by term name.

    Raises
    ------
    FitError
        An unknown term.
    """
    names = fit.prepared.fixed_names
    unknown = [term for term in weights if term not in names]
    if unknown:
        raise FitError(
            f"There is no coefficient {unknown[0]!r}; the coefficients are {', '.join(names)}."
        )
    return np.array([float(weights.get(name, 0.0)) for name in names])


def contrast(
    fit: MixedFit, contrasts: Mapping[str, Mapping[str, float]], confidence: float
) -> pd.DataFrame:
    """Table of linear combinations; see `alliance.mixed.result.MixedFit.contrast`."""
    matrix = np.array([weights_of(fit, weights) for weights in contrasts.values()])
    if not len(matrix) or not matrix.any(axis=1).all():
        raise FitError("A contrast needs at least one weight that is not zero.")
    covariance = fit.covariance.to_numpy()
    se = np.sqrt(np.einsum("ij,jk,ik->i", matrix, covariance, matrix))
    df = np.array([fit.degrees_of_freedom(row) for row in matrix])
    return coefficient_table(
        list(contrasts), matrix @ fit.estimate.coefficients, se, df, confidence
    )


def joint_test(fit: MixedFit, contrasts: Sequence[Mapping[str, float]]) -> JointTest:
    """Joint test; see `alliance.mixed.result.MixedFit.joint_test`."""
    matrix = np.array([weights_of(fit, weights) for weights in contrasts])
    q = len(matrix)
    if not q or np.linalg.matrix_rank(matrix) < q:
        raise FitError("The contrasts of a joint test must be linearly independent.")
    covariance = fit.covariance.to_numpy()
    value = matrix @ fit.estimate.coefficients
    f = float(value @ np.linalg.solve(matrix @ covariance @ matrix.T, value)) / q
    df, scale = fit.joint_degrees_of_freedom(matrix)
    f *= scale
    p = float(fdtrc(q, df, f)) if np.isfinite(df) else float(chdtrc(q, q * f))
    return JointTest(f, q, df, p)


def fai_cornelius(fit: MixedFit, matrix: np.ndarray) -> float:
    """Denominator df of a joint test from Satterthwaite's df of its orthogonal parts.

    Fai & Cornelius (1996), as lmerTest: with the contrasts rotated to be independent and nu_k their
    df, E = sum of nu_k / (nu_k - 2) over nu_k > 2, df = 2 E / (E - q).
    """
    values, vectors = np.linalg.eigh(matrix @ fit.covariance.to_numpy() @ matrix.T)
    keep = values > 1e-10 * values.max()
    nu = np.array([fit.degrees_of_freedom(row) for row in vectors[:, keep].T @ matrix])
    q = len(nu)
    if q == 1 or np.ptp(nu) < 1e-8 * nu.mean():
        return float(nu.mean())
    if not (nu > 2).all():
        return 2.0
    expectation = float((nu / (nu - 2)).sum())
    return 2.0 * expectation / (expectation - q)
