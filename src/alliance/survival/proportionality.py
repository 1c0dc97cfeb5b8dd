"""The test of proportional hazards: a score test of a coefficient that changes with g(t).

Grambsch & Therneau (1994), computed exactly rather than from rescaled residuals, as R's `cox.zph`
since its version 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from alliance.survival.cox import CoxFit, moments, solve
from alliance.survival.risk_sets import Rows


@dataclass(frozen=True, slots=True)
class ScoreTest:
    """A test of proportional hazards: statistic (chi squared), degrees of freedom, p."""

    statistic: float
    df: int
    p: float


def proportionality_test(
    rows: Rows,
    fit: CoxFit,
    transform: Callable[[np.ndarray], np.ndarray] = lambda t: t,
    terms: Sequence[Sequence[int]] | None = None,
) -> tuple[list[ScoreTest], ScoreTest]:
    """Test for every term, and for all, whether its effect changes with `transform`(time).

    Parameters
    ----------
    rows, fit
        A Cox regression.
    transform
        Of time.
    terms
        Columns of each term, tested together (a factor of several categories); by default every
        column is a term.
    """
    p = rows.x.shape[1]
    found = moments(rows, fit.coefficients * rows.scale, fit.ties)
    clock = transform(rows.times.astype(float))
    deaths = np.array([len(died) for died in rows.died])
    clock = clock - float(clock @ deaths) / deaths.sum()
    change, across, within = np.zeros(p), np.zeros((p, p)), np.zeros((p, p))
    for g, (residual, information) in zip(clock, found.at_times, strict=True):
        change += g * residual
        across += g * information
        within += g * g * information
    whole = np.block([[found.information, across], [across.T, within]])
    score = np.r_[np.zeros(p), change]

    def test(terms: list[int]) -> ScoreTest:
        kept = [*range(p), *(p + term for term in terms)]
        statistic = float(score[kept] @ solve(whole[np.ix_(kept, kept)], score[kept]))
        return ScoreTest(statistic, len(terms), float(stats.chi2.sf(statistic, len(terms))))

    each = [[term] for term in range(p)] if terms is None else [list(term) for term in terms]
    return [test(term) for term in each], test(list(range(p)))
