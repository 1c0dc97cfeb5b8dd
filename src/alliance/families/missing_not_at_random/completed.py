"""The growth model fitted to completed courses, under every assumption, and pooled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alliance.errors import FitError
from alliance.families.common.multilevel import Fitted
from alliance.families.facts import Estimator
from alliance.families.missing_not_at_random.courses import Courses
from alliance.families.missing_not_at_random.imputation import Imputer, Parameters
from alliance.families.missing_not_at_random.rubin import Pooled, pooled
from alliance.families.missing_not_at_random.scenarios import Scenario
from alliance.mixed import MixedFit, fit_mixed
from alliance.mixed.refitting import Refitter
from alliance.mixed.simulation import sorted_order

Found = dict[tuple[Estimator, float], list[Pooled]]


@dataclass(frozen=True, slots=True)
class Completed:
    """What imputation gives.

    Attributes
    ----------
    found
        By assumption (code, how far): the main effects.
    imputed
        Scores drawn at random at every row, one row an imputation; those seen as they are.
    """

    found: Found
    imputed: np.ndarray


class Analysis:
    """The growth model of completed courses, fitted again for every completed outcome."""

    def __init__(
        self, fitted: Fitted, courses: Courses, outcome: str, y: np.ndarray, terms: Sequence[str]
    ) -> None:
        asked = fitted.fit.prepared.specification
        self.fit = fit_mixed(
            courses.rows.assign(**{outcome: y}), outcome=outcome, fixed=fitted.fixed,
            random=fitted.random, residual=asked.residual, residual_time=asked.residual_time,
            method=asked.method, df="satterthwaite",
        )  # fmt: skip
        self._refit = Refitter(self.fit)
        names = self.fit.prepared.fixed_names
        self.places = [names.index(term) for term in terms]
        self.df = [float(self.fit.degrees_of_freedom(np.eye(len(names))[k])) for k in self.places]

    def __call__(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the main effects and their variances."""
        again: MixedFit | None = self._refit(sorted_order(self.fit, y))
        if again is None or not again.convergence.converged:
            again = self.fit.refit(y)
        at = again.estimate
        return at.coefficients[self.places], np.diag(at.covariance)[self.places]


def completed(
    fitted: Fitted, courses: Courses, outcome: str, terms: Sequence[str], imputer: Imputer,
    draws: Sequence[Parameters], assumed: Sequence[Scenario], seed: int,
) -> Completed:  # fmt: skip
    """Impute, fit and pool.

    Parameters
    ----------
    fitted, courses, outcome
        The growth model, its completed courses, and the column of the scores.
    terms
        The main effects.
    imputer, draws
        Of the scores; one draw of the parameters an imputation.
    assumed
        The assumptions; all shift the same draws.
    seed
        Of the scores drawn, each imputation with a stream of its own.

    Raises
    ------
    FitError
        A completed course cannot be fitted.
    """
    imputed = np.array(
        [imputer.draw(at, np.random.default_rng([seed, k])) for k, at in enumerate(draws)]
    )
    analysis = Analysis(fitted, courses, outcome, imputed[0], terms)
    found: Found = {}
    for one in assumed:
        each = [analysis(y + one.shift(at)) for y, at in zip(imputed, draws, strict=True)]
        estimates, variances = (np.array(part) for part in zip(*each, strict=True))
        if not np.isfinite(variances).all() or (variances <= 0).any():
            msg = "A main effect of the completed courses has no standard error."
            raise FitError(msg)
        found[one.code, one.x] = [
            pooled(estimates[:, k], variances[:, k], df) for k, df in enumerate(analysis.df)
        ]
    return Completed(found, imputed)
