"""Cox regression with a random effect of the group: shared gamma or Gaussian (log-normal) frailty.

h_ij(t) = h0(t) w_j exp(x_ij'b). Gamma, mean 1, variance theta: for a given theta the penalised
partial likelihood l(b, log w) + (1/theta) sum (log w_j - w_j) has its maximum where the EM
algorithm ends, and with nu = 1/theta the marginal likelihood is that maximum plus

    sum_j { nu - (nu + d_j) log(nu + d_j) + nu log nu + log Gamma(nu + d_j) - log Gamma(nu) },

d_j events of group j (Therneau & Grambsch, 2000, ch. 9; Therneau, Grambsch & Pankratz, 2003).
Gaussian, log w_j ~ N(0, theta): the penalty is sum (log w_j)^2 / (2 theta), and theta the fixed
point of restricted maximum likelihood, theta = (sum (log w_j)^2 + tr V_ww) / q, V_ww the block of
the inverse information (McGilchrist & Aisbett, 1991; McGilchrist, 1993).

Standard errors are from the inverse of the penalised information at theta-hat; that theta is
estimated is not in them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from alliance.errors import FitError
from alliance.survival.cox import RAN_OFF, Moments, Ties, inverse, newton
from alliance.survival.risk_sets import Rows

Distribution = Literal["gamma", "gaussian"]

SMALLEST_VARIANCE, LARGEST_VARIANCE = 1e-6, 50.0
SINGULAR_BELOW = 1e-4
"""A variance below this is zero: groups do not differ."""
MOST_STEPS = 200


@dataclass(frozen=True, slots=True, eq=False)
class FrailtyFit:
    """A Cox regression with frailty.

    Attributes
    ----------
    coefficients, covariance
        Log hazard ratios given the group, shape (p,), and their covariance.
    variance
        Of the frailty (gamma) or of its logarithm (Gaussian).
    group_effects
        Log frailties, shape (n_groups,).
    log_likelihood
        Marginal (gamma), or partial given the group effects (Gaussian: no marginal one is formed).
    null_log_likelihood
        Of the model without frailty: the partial log-likelihood.
    converged, is_singular
        Whether the search for the variance ended within its bounds; whether it ended at zero.
    iterations
        Variances tried.
    gradient_norm
        At the end, in units of one SD of the predictors.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    variance: float
    group_effects: np.ndarray
    log_likelihood: float
    null_log_likelihood: float
    converged: bool
    is_singular: bool
    iterations: int
    gradient_norm: float


def fit_frailty(rows: Rows, distribution: Distribution, ties: Ties = "efron") -> FrailtyFit:
    """Fit by marginal likelihood (gamma) or restricted maximum likelihood (Gaussian).

    Parameters
    ----------
    rows
        From `cox_rows`, with groups.

    Raises
    ------
    FitError
        There are no groups, fewer than two, or a coefficient has no finite estimate.
    """
    if rows.group is None or rows.n_groups < 2:
        msg = "A frailty needs at least two groups."
        raise FitError(msg)
    search = _Search(rows, distribution, ties)
    variance, converged = search.gamma() if distribution == "gamma" else search.gaussian()
    p = rows.x.shape[1]
    plain, without, _, _ = newton(_without_groups(rows), np.zeros(p), ties)
    is_singular = variance < SINGULAR_BELOW
    if is_singular:  # no variance: the model without frailty
        variance, log_likelihood = 0.0, without.log_likelihood
        b, here = np.r_[plain, np.zeros(rows.n_groups)], without
    else:
        b, here = search.at(variance)
        log_likelihood = here.log_likelihood + (
            search.correction(variance)
            if distribution == "gamma"
            else float(np.sum(b[p:] ** 2)) / (2 * variance)
        )
    if np.abs(b[:p]).max(initial=0.0) > RAN_OFF:
        msg = "A predictor tells at every time who leaves: there is no finite estimate."
        raise FitError(msg)
    return FrailtyFit(
        coefficients=b[:p] / rows.scale,
        covariance=inverse(here.information)[:p, :p] / np.outer(rows.scale, rows.scale),
        variance=variance,
        group_effects=b[p:],
        log_likelihood=log_likelihood,
        null_log_likelihood=without.log_likelihood,
        converged=converged,
        is_singular=is_singular,
        iterations=search.tried,
        gradient_norm=float(np.abs(here.score).max()),
    )


class _Search:
    """The search for the variance; each step starts where the last one ended."""

    def __init__(self, rows: Rows, distribution: Distribution, ties: Ties) -> None:
        assert rows.group is not None
        self.rows, self.ties, self.distribution = rows, ties, distribution
        died = np.concatenate(rows.died)
        self.events = np.bincount(rows.group[died], rows.weight[died], minlength=rows.n_groups)
        self.start = np.zeros(rows.x.shape[1] + rows.n_groups)
        self.tried = 0

    def at(self, variance: float) -> tuple[np.ndarray, Moments]:
        """Return the parameters and penalised moments for one variance."""
        self.tried += 1
        b, here, _, converged = newton(
            self.rows, self.start, self.ties, lambda w: self._penalty(w, variance)
        )
        if not converged:
            msg = "The search for the frailties did not end: the model asks too much of these data."
            raise FitError(msg)
        self.start = b
        return b, here

    def _penalty(self, w: np.ndarray, variance: float) -> tuple[float, np.ndarray, np.ndarray]:
        if self.distribution == "gaussian":
            return float(w @ w) / (2 * variance), w / variance, np.full(len(w), 1 / variance)
        exponential = np.exp(np.minimum(w, 50.0))
        value = float(np.sum(exponential - w - 1)) / variance
        return value, (exponential - 1) / variance, exponential / variance

    def correction(self, variance: float) -> float:
        """Return what turns the penalised into the marginal log-likelihood (gamma)."""
        nu, d = 1 / variance, self.events
        # the penalty is counted from its smallest value, nu a group: nu - nu = 0 of the formula
        return float(
            np.sum(d - (nu + d) * np.log1p(d / nu) - d * np.log(nu) + gammaln(nu + d) - gammaln(nu))
        )

    def gamma(self) -> tuple[float, bool]:
        """Maximise the marginal likelihood over log(variance)."""

        def minus(log_variance: float) -> float:
            variance = float(np.exp(log_variance))
            return -(self.at(variance)[1].log_likelihood + self.correction(variance))

        bounds = (np.log(SMALLEST_VARIANCE), np.log(LARGEST_VARIANCE))
        found = minimize_scalar(minus, bounds=bounds, method="bounded", options={"xatol": 1e-8})
        variance = float(np.exp(found.x))
        return variance, bool(found.success) and variance < 0.9 * LARGEST_VARIANCE

    def gaussian(self) -> tuple[float, bool]:
        """Iterate the REML equation, with Aitken's acceleration."""
        p, variance, trail = self.rows.x.shape[1], 0.5, []
        for _ in range(MOST_STEPS):
            b, here = self.at(variance)
            spread = np.diag(inverse(here.information))[p:]
            new = float(np.sum(b[p:] ** 2) + spread.sum()) / len(spread)
            trail.append(new)
            if abs(new - variance) < 1e-9 * (variance + 1e-3) or new < SMALLEST_VARIANCE:
                return new, True
            variance = new
            if len(trail) == 3:
                one, two, three = trail
                bend = three - 2 * two + one
                if abs(bend) > 1e-14:
                    jump = one - (two - one) ** 2 / bend
                    variance = float(np.clip(jump, SMALLEST_VARIANCE, LARGEST_VARIANCE))
                trail = []
        return variance, False


def _without_groups(rows: Rows) -> Rows:
    return replace(rows, group=None, n_groups=0)
