"""Shares of therapists (intraclass correlations), with profile intervals and tests.

    outcome, alliance   y_ij = x b + v_j + e_ij                 tau2 / (tau2 + sigma2)
    change              y_ijt = ... + (v_j1 + u_i1) t + e_ijt   tau2 / (tau2 + clients'), of slopes
    dropout             logit P = x b + v_j                     tau2 / (tau2 + pi^2 / 3)

The first two by REML with intervals from the profile likelihood; change by REML, its interval by
the delta method on the log odds of the share; dropout by the Laplace approximation, its interval by
the delta method on log(tau) (Snijders & Bosker, 2012, sect. 17.3).
A variance is tested against zero by the mixture of chi-squared that holds at the boundary (Self &
Liang, 1987).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import brentq
from scipy.special import expit

from alliance.confidence import NORMAL_975
from alliance.errors import FitError
from alliance.families.common.levels import levels_of, site_terms
from alliance.mixed import MixedFit, compare, derived, fit_mixed, fit_mixed_logit
from alliance.mixed.dynamics import Point
from alliance.mixed.inference.derived import Quantity

LARGEST = 1e3
"""Ratio of standard deviations at which an interval is called open."""

Ends = tuple[float | None, float | None]
LOGISTIC_VARIANCE = float(np.pi**2 / 3)


@dataclass(frozen=True, slots=True)
class Share:
    """Part of a variance that lies between therapists.

    Attributes
    ----------
    value, low, high
        The share and its interval; None where there is none.
    statistic, df, p
        Likelihood ratio of the therapists' variance and its p by the mixture of chi-squared with
        df and df - 1, half and half: 1 for a variance, 2 for one that comes with a covariance.
    clients, therapists
        That it rests on.
    """

    value: float
    low: float | None
    high: float | None
    statistic: float | None
    df: float
    p: float | None
    clients: int
    therapists: int


def outcome_model(table: pd.DataFrame, outcome: str, adjusted: Sequence[str]) -> MixedFit:
    """Return the model of one value a client, therapists as a random level, sites as they are.

    Raises
    ------
    FitError
        Fewer than two therapists, or as many as clients.
    """
    rows = table.dropna(subset=[outcome, *adjusted])
    require_therapists(rows)
    fixed = ["1", *adjusted, *site_terms(rows, ["therapist"])]
    return fit_mixed(rows, outcome, fixed, {"therapist": ["1"]})


def share_of(fit: MixedFit) -> Share:
    """Return the share of therapists in the variance that the fixed part leaves.

    With theta = tau / sigma the model's one parameter, the share is theta^2 / (1 + theta^2), and
    its interval holds the shares whose -2 log L is within 1.96^2 of the least.
    """
    if not fit.convergence.converged:
        msg = "the search found no maximum."
        raise FitError(msg)
    theta = abs(float(fit.optimum.theta[0]))
    least = fit.criterion.value(np.array([theta]))

    def beyond(at: float) -> float:
        return float(fit.criterion.value(np.array([at])) - least - NORMAL_975**2)

    statistic = max(beyond(0.0) + NORMAL_975**2, 0.0)
    low = 0.0 if beyond(0.0) <= 0 else float(brentq(beyond, 0.0, theta))
    high = max(2 * theta, 0.1)
    while beyond(high) < 0 and high < LARGEST:
        high *= 2
    top = _part(float(brentq(beyond, theta, high))) if high < LARGEST else None
    n = fit.n_groups["therapist"]
    return Share(
        _part(theta), _part(low), top, statistic, 1.0, _at_boundary(statistic), fit.rows.used, n
    )


def _part(theta: float) -> float:
    return theta**2 / (1 + theta**2)


def _at_boundary(statistic: float) -> float:
    """Return p of one variance by the mixture of nothing and chi-squared with one df."""
    return 0.5 * float(stats.chi2.sf(statistic, 1)) if statistic > 0 else 1.0


def share_of_change(panel: pd.DataFrame, outcome: str, time: str, adjusted: Sequence[str]) -> Share:
    """Return the therapists' share in the variance of clients' slopes.

    Parameters
    ----------
    panel
        Sessions; those without outcome, time or therapist are left out.
    adjusted
        Covariates that level and slope may differ by.

    Raises
    ------
    FitError
        In the engine's words.
    """
    rows = panel.dropna(subset=[outcome, time, "therapist", *adjusted])
    require_therapists(rows.drop_duplicates("client"))
    fixed = ["1", time, *adjusted, *(f"{name}:{time}" for name in adjusted)]
    fixed += site_terms(rows, ["therapist"])
    slopes = ["1", time]
    smaller = fit_mixed(rows, outcome, fixed, {"therapist": ["1"], "client": slopes})
    fit = fit_mixed(rows, outcome, fixed, {"therapist": slopes, "client": slopes})
    if not fit.convergence.converged:
        msg = "the search found no maximum."
        raise FitError(msg)
    outer, inner = fit.depth_of("therapist"), fit.depth_of("client")

    def log_odds(point: Point) -> float:
        return float(np.log(point.level(outer)[1, 1] / point.level(inner)[1, 1]))

    variances = (Point.of(fit).level(depth)[1, 1] for depth in (outer, inner))
    between, within = (float(variance) for variance in variances)
    ends: Ends = (None, None)
    if between > 0 and within > 0:
        row = derived(fit, [Quantity("log odds of the share", log_odds)]).iloc[0]
        if np.isfinite(row["ci_low"]) and np.isfinite(row["ci_high"]):
            ends = (float(expit(row["ci_low"])), float(expit(row["ci_high"])))
    value = between / (between + within) if between + within > 0 else 0.0
    test, n = compare(smaller, fit), fit.n_groups
    ends = _from_zero(ends, test.statistic)
    return Share(value, *ends, test.statistic, test.df, test.p, n["client"], n["therapist"])


def share_of_dropout(table: pd.DataFrame, outcome: str, adjusted: Sequence[str]) -> Share:
    """Return the therapists' share in who leaves, on the latent scale.

    Raises
    ------
    FitError
        Everybody left or nobody did, or in the engine's words.
    """
    rows = table.dropna(subset=[outcome, *adjusted])
    require_therapists(rows)
    fixed = ["1", *adjusted, *site_terms(rows, ["therapist"])]
    fit = fit_mixed_logit(rows, outcome, fixed, {"therapist": ["1"]})
    smaller = fit_mixed_logit(rows, outcome, fixed, {})
    statistic = max(2.0 * (fit.log_likelihood - smaller.log_likelihood), 0.0)
    sd = float(fit.standard_deviations[-1])
    error = float(np.sqrt(fit.joint_covariance[-1, -1]))
    ends: Ends = (None, None)
    if sd > 0 and np.isfinite(error):
        reach = float(np.exp(NORMAL_975 * error / sd))
        ends = (_latent(sd / reach), _latent(sd * reach))
    n = fit.n_groups["therapist"]
    ends = _from_zero(ends, statistic)
    return Share(_latent(sd), *ends, statistic, 1.0, _at_boundary(statistic), len(rows), n)


def _from_zero(ends: Ends, statistic: float) -> Ends:
    """Return an interval by the delta method, from zero on where zero is as likely."""
    return (0.0 if ends[0] is not None and statistic <= NORMAL_975**2 else ends[0], ends[1])


def _latent(sd: float) -> float:
    return sd**2 / (sd**2 + LOGISTIC_VARIANCE)


def require_therapists(clients: pd.DataFrame) -> None:
    """Raise `FitError` where therapists and clients (one row each) cannot be told apart."""
    levels, notes = levels_of(clients, ["therapist"])
    if not levels:
        raise FitError(notes[0].text)
