"""Correlations of random effects, and of the residuals of several outcomes, with intervals.

delta      se of Fisher's z by the delta method from the exact Hessian; the interval is made on z
           and carried back, se on the correlation's own scale is (1 - r^2) se(z).
profile    ends of the profile likelihood of the fit (REML or ML), `alliance.mixed.inference.held`;
           se as for delta.
bootstrap  percentiles and standard deviation over refits to outcomes drawn from the fit.

A level with a component at the boundary (a variance of zero, a correlation of 1 or -1) gets no
interval by any of them: z is infinite there, and neither the quadratic nor the percentile
approximation holds. The note says which component it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import chdtri, ndtri

from alliance.errors import FitError
from alliance.mixed.inference.bootstrap import parametric_bootstrap
from alliance.mixed.inference.natural import RESIDUAL, Natural, natural_parameters
from alliance.mixed.inference.profile import natural_ends
from alliance.mixed.inference.wald import STEP, free_scale_errors
from alliance.mixed.residual_session import SessionCovariance

if TYPE_CHECKING:
    from alliance.mixed.points import Points
    from alliance.mixed.result import MixedFit

AT_BOUND = 1e-6
"""A refit whose correlation is this near to 1 or -1 is at the boundary."""

COLUMNS = ["level", "effect_1", "effect_2", "correlation", "se", "ci_low", "ci_high", "note"]


def correlations(
    fit: MixedFit, interval: str, confidence: float, draws: int, seed: int
) -> pd.DataFrame:
    """See `alliance.mixed.result.MixedFit.correlations`."""
    if interval not in ("delta", "profile", "bootstrap"):
        raise FitError("interval must be 'delta', 'profile' or 'bootstrap'.")
    if not 0.0 < confidence < 1.0:
        raise FitError("confidence must lie between 0 and 1.")
    naturals = [n for n in natural_parameters(fit) if n.kind == "correlation"]
    notes = [_boundary_note(fit, natural.level) for natural in naturals]
    ask = [natural for natural, note in zip(naturals, notes, strict=True) if not note]
    if interval == "bootstrap":
        answers = _bootstrap(fit, ask, confidence, draws, seed)
    else:
        answers = _likelihood(fit, ask, interval, confidence)
    told = iter(answers)
    nothing = (np.nan, np.nan, np.nan)
    rows = [
        (n.level, n.name_1, n.name_2, n.estimate, *((*nothing, note) if note else next(told)))
        for n, note in zip(naturals, notes, strict=True)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _boundary_note(fit: MixedFit, level: str) -> str:
    """Which components of a level are at the boundary, empty if none is."""
    found = [c for c in fit.convergence.singular_components if c.startswith(f"{level}: ")]
    return f"no interval at the boundary: {'; '.join(found)}" if found else ""


def _likelihood(
    fit: MixedFit, naturals: list[Natural], interval: str, confidence: float
) -> list[tuple[float, float, float, str]]:
    """Se, ends and note by the delta method or from the profile likelihood."""
    z = float(ndtri(0.5 + confidence / 2))
    target = float(np.sqrt(chdtri(1, 1.0 - confidence)))
    answers = []
    for natural, (centre, error) in zip(naturals, free_scale_errors(fit, naturals), strict=True):
        se = (1.0 - natural.estimate**2) * error
        if interval == "delta":
            low, high = np.tanh(centre - z * error), np.tanh(centre + z * error)
            answers.append((se, float(low), float(high), ""))
            continue
        low, high = natural_ends(fit, natural, target)
        reached = [f"{bound:g}" for bound in (-1.0, 1.0) if bound in (low, high)]
        note = f"the interval reaches {' and '.join(reached)}" if reached else ""
        answers.append((se, low, high, note))
    return answers


def correlations_near(fit: MixedFit, points: Points) -> tuple[list[str], np.ndarray]:
    """Correlations at points near a fit, with the delta method.

    Returns
    -------
    terms : list of str
        ``"level: effect_1 ~ effect_2"``.
    numbers : numpy.ndarray
        Estimate, se and 95 % limits, shape (points, terms, 4); NaN at a boundary.
    """
    naturals = [n for n in natural_parameters(fit) if n.kind == "correlation"]
    n, m = points.theta.shape
    steps = STEP * np.vstack([np.eye(m), -np.eye(m)])
    moved = (points.theta + steps[:, None]).reshape(-1, m)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = _fishers_z(fit, naturals, points.theta)
        high, low = _fishers_z(fit, naturals, moved).reshape(2, m, n, len(naturals))
        slope = np.moveaxis((high - low) / (2.0 * STEP), 0, -1)
        covariance = points.parameter_covariance[:, :m, :m]
        error = np.sqrt(np.einsum("nci,nij,ncj->nc", slope, covariance, slope))
        ends = [np.tanh(centre + sign * float(ndtri(0.975)) * error) for sign in (-1.0, 1.0)]
        se = (1.0 - np.tanh(centre) ** 2) * error
    terms = [f"{n.level}: {n.name_1} ~ {n.name_2}" for n in naturals]
    return terms, np.stack([np.tanh(centre), se, *ends], axis=-1)


def _fishers_z(fit: MixedFit, naturals: list[Natural], theta: np.ndarray) -> np.ndarray:
    """Fisher's z of correlations at other parameters, shape (n, correlations)."""
    layout, residual = fit.criterion.problem.layout, fit.prepared.residual
    factors, found = layout.factors(theta), np.empty((len(theta), len(naturals)))
    sigmas: dict[int, np.ndarray] = {}
    for place, natural in enumerate(naturals):
        depth = natural.depth
        if depth not in sigmas and depth == RESIDUAL:
            assert isinstance(residual, SessionCovariance)
            sigmas[depth] = residual.relative(theta[:, : layout.n_residual])
        elif depth not in sigmas:
            half = np.linalg.solve(fit.prepared.level_transform(depth), factors[depth])
            sigmas[depth] = half @ half.swapaxes(1, 2)
        sigma, i, j = sigmas[depth], natural.first, natural.second
        found[:, place] = np.arctanh(sigma[:, i, j] / np.sqrt(sigma[:, i, i] * sigma[:, j, j]))
    return found


def _bootstrap(
    fit: MixedFit, naturals: list[Natural], confidence: float, draws: int, seed: int
) -> list[tuple[float, float, float, str]]:
    """Se, ends and note over refits; draws without the correlation are left out and counted."""
    if not naturals:
        return []
    table = parametric_bootstrap(fit, draws, seed)
    tail = (1.0 - confidence) / 2.0
    answers = []
    for natural in naturals:
        column = table.components[f"{natural.level}: {natural.name_1}, {natural.name_2}"]
        values = column.dropna()
        parts = [
            f"{count} of {draws} refits {text}"
            for count, text in (
                (table.n_failed, "failed"),
                (int((values.abs() > 1.0 - AT_BOUND).sum()), "at 1 or -1"),
                (len(column) - len(values), "without this correlation"),
            )
            if count
        ]
        if len(values) < 2:
            answers.append((np.nan, np.nan, np.nan, "; ".join(parts)))
            continue
        low, high = values.quantile([tail, 1.0 - tail])
        answers.append((float(values.std(ddof=1)), float(low), float(high), "; ".join(parts)))
    return answers
