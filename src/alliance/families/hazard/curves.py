"""Predicted staying in treatment at the mean of a predictor and one SD around it.

S(t) = E_u prod_{s<=t} (1 - h_s(u)), averaged over the normal distribution of the random intercepts
(Gauss-Hermite) and over sites with equal weight; covariates at their mean. The band is the delta
method on log(-log S), the uncertainty of the variances included, back on the scale of S.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.polynomial.hermite_e import hermegauss

from alliance.confidence import NORMAL_975
from alliance.families.fit import Curve
from alliance.mixed import LogitFit
from alliance.mixed.logit.links import probability, probability_slope
from alliance.mixed.logit.prediction import points_for

STEPS = ((-1, "1 SD below the mean"), (0, "at the mean"), (1, "1 SD above the mean"))
TIME = ("session", "session_interval")


def survival_curves(
    fit: LogitFit, rows: pd.DataFrame, focal: str, spread: float, label: str
) -> list[Curve]:
    """Return the curves of a hazard fit.

    Parameters
    ----------
    fit
        The hazard.
    rows
        What it was fitted to.
    focal
        Column that is set to -`spread`, 0 and `spread`.
    spread
        One standard deviation of it.
    label
        How the measure is called in print.
    """
    sessions = np.arange(1, int(rows["session"].quantile(0.99)) + 1)
    curves = []
    for step, words in STEPS:
        designs = _designs(fit, rows, sessions, {focal: step * spread})
        survival, gradient = _survival(fit, designs)
        variance = np.einsum("ij,jk,ik->i", gradient, fit.joint_covariance, gradient)
        log_minus_log = np.log(-np.log(survival))
        half = NORMAL_975 * np.sqrt(variance) / np.abs(survival * np.log(survival))
        curves.append(
            Curve(
                "survival",
                f"{label}: {words}",
                "Session",
                "Share still in treatment (no dropout)",
                np.r_[0, sessions],
                np.r_[1.0, survival],
                np.r_[1.0, np.exp(-np.exp(log_minus_log + half))],
                np.r_[1.0, np.exp(-np.exp(log_minus_log - half))],
            )
        )
    return curves


def _designs(
    fit: LogitFit, rows: pd.DataFrame, sessions: np.ndarray, held: dict[str, float]
) -> list[np.ndarray]:
    """Return a design (n_sessions, n_terms) for each site; other columns at their mean."""
    used = fit.prepared.used
    names = [[factor.atom.column for factor in product] for product in fit.prepared.fixed]
    own = np.array([all(n in (*TIME, "site", *held) for n in product) for product in names])
    mean = fit.prepared.design(used).mean(axis=0)
    at_session = rows.drop_duplicates("session").set_index("session").reindex(sessions).ffill()
    grid = used.iloc[np.zeros(len(sessions), dtype=int)].reset_index(drop=True)
    grid["session"] = sessions
    if "session_interval" in grid:
        grid["session_interval"] = at_session["session_interval"].to_numpy()
    for column, value in held.items():
        grid[column] = value
    sites = sorted(used["site"].unique()) if "site" in used else [None]
    designs = []
    for site in sites:
        here = grid if site is None else grid.assign(site=site)
        designs.append(np.where(own, fit.prepared.design(here), mean))
    return designs


def _survival(fit: LogitFit, designs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return S(t) and its derivatives in the coefficients and standard deviations."""
    sds = fit.standard_deviations
    total = float(np.sqrt(np.sum(sds**2)))
    nodes, weights = hermegauss(points_for(total))
    weights = weights / weights.sum() / len(designs)
    n, p = designs[0].shape
    survival, gradient = np.zeros(n), np.zeros((n, p + len(sds)))
    for design in designs:
        eta = design @ fit.estimates
        for node, weight in zip(nodes, weights, strict=True):
            here = eta + total * node
            hazard = probability(fit.link, here)
            stay = np.cumprod(1 - hazard)
            slope = probability_slope(fit.link, here) / (1 - hazard)
            towards = [design, np.outer(np.full(n, node), sds / total if total else sds)]
            log_slope = -np.cumsum(slope[:, None] * np.hstack(towards), axis=0)
            survival += weight * stay
            gradient += weight * stay[:, None] * log_slope
    return survival, gradient
