"""CFI, TLI and RMSEA of the complete-data population when values are missing.

Under missing data the usual indices estimate a distance that the missing values have blurred. Zhang
& Savalei (2022) measure the distance between the model's moments and the saturated ones as if the
data were complete, and correct for its sampling bias: FIML-C, their version 3 (robust to
non-normality), as in lavaan 0.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alliance.sem.likelihood import EXPECTED, OBSERVED, GroupLikelihood, Moments, Objective
from alliance.sem.sample import sample_of_moments


@dataclass(frozen=True, slots=True)
class Distance:
    """A model's distance from the saturated moments.

    Attributes
    ----------
    chi2 : float
        n times the complete-data discrepancy.
    bias : float
        Expected chi2 of a true model divided by its degrees of freedom; NaN without any.
    """

    chi2: float
    bias: float


class Corrector:
    """What all models of the same data share: three information matrices per group."""

    def __init__(self, likelihood: GroupLikelihood, saturated: Sequence[Moments]) -> None:
        self.saturated = saturated
        self.observed = [h.matrix() for _, h in likelihood.expand(saturated, OBSERVED).second]
        self.first = [score.T @ score for _, score in likelihood.scores(saturated)]
        self.complete = GroupLikelihood(
            [
                sample_of_moments(mean, cov, own.n, own.names)
                for own, (mean, cov) in zip(likelihood.samples, saturated, strict=True)
            ]
        )
        self.expected = [h.matrix() for _, h in self.complete.expand(saturated, EXPECTED).second]

    def distance(self, objective: Objective, theta: np.ndarray, df: int) -> Distance:
        """Return a model's distance at its full information estimates."""
        implied = objective.implied(theta)
        assert implied is not None
        moments = [(i.mu, i.sigma) for i in implied]
        chi2 = 2.0 * (
            self.complete.expand(moments, 0).value - self.complete.expand(self.saturated, 0).value
        )
        if df <= 0:
            return Distance(chi2, float("nan"))
        jacobians = [i.jacobian() for i in implied]
        information = sum(j.T @ w @ j for j, w in zip(jacobians, self.observed, strict=True))
        inverse = np.linalg.inv(information)
        # tr(U W^-1 Wc W^-1 U Gamma) with U = W - W J (J'WJ)^-1 J'W and Gamma = W^-1 B W^-1 is
        # tr(H' Wc H B) with H = W^-1 - J (J'WJ)^-1 J', group by group with its cross terms.
        total = 0.0
        for g, (own, w) in enumerate(zip(jacobians, self.observed, strict=True)):
            for h, (other, first) in enumerate(zip(jacobians, self.first, strict=True)):
                projector = -own @ inverse @ other.T
                if g == h:
                    projector = projector + np.linalg.inv(w)
                total += float(np.sum((self.expected[g] @ projector @ first) * projector))
        return Distance(chi2, total / df)
