"""Mean courses that a growth model predicts, with pointwise or simultaneous bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from alliance.confidence import UPPER
from alliance.families.common.multilevel import fixed_design
from alliance.families.common.times import SESSION, base_of, times_of
from alliance.families.facts import ALL_SITES
from alliance.families.fit import Curve, Outcome
from alliance.families.terms import is_of_sites

GRID_POINTS = 41
KNOT = "after_knot"  # time beyond the knot of a course of two straight pieces
_DRAWS = 20_000
_SEED = 20_261_123  # of the simultaneous band: the same data give the same band


def mean_curves(
    fit: Any,
    rows: pd.DataFrame,
    *,
    outcome: Outcome,
    time: str,
    covariates: Sequence[str] = (),
    knot: float | None = None,
    simultaneous: bool = False,
    name: str = "course",
) -> list[Curve]:
    """Return the predicted mean course of every site and, equally weighted, of all.

    Parameters
    ----------
    fit
        The engine's fit.
    rows
        Rows that it used.
    outcome
        Its label and unit, for the axes.
    time
        Column that time is counted in.
    covariates
        Other columns that its terms name; held at their mean or most frequent category.
    knot
        Where the course bends, for models with the column `after_knot`.
    simultaneous
        True for a band that covers the whole course with 95 %, not each of its points.
    name
        Which picture the curves belong to.
    """
    grid, base = grid_of(rows, time), base_of(time)
    if knot is not None:
        grid[KNOT] = np.clip(grid[time] - knot, 0.0, None)
    fixed = {column: typical(rows[column]) for column in covariates if column not in grid}
    sites = sorted(rows["site"].unique())
    designs = [fixed_design(fit, pd.DataFrame({**grid, **fixed, "site": site})) for site in sites]
    differ = any(is_of_sites(term) for term in fit.coefficients["term"])
    lines = dict(zip(sites, designs, strict=True)) if differ else {}
    # ASSUME every site counts the same in the overall course, whatever its number of clients.
    lines[ALL_SITES] = np.mean(designs, axis=0)
    beta, covariance = fit.coefficients["estimate"].to_numpy(), fit.covariance.to_numpy()
    curves = []
    for group, design in lines.items():
        mean = design @ beta
        spread = design @ covariance @ design.T
        df = degrees_of_freedom(fit, design)
        reach = simultaneous_reach(spread, df.min()) if simultaneous else stats.t.ppf(UPPER, df)
        half = reach * np.sqrt(np.diag(spread))
        curves.append(
            Curve(
                name,
                group,
                "Session" if base == SESSION else "Weeks since intake",
                f"{outcome.label} ({outcome.unit})",
                grid[base],
                mean,
                mean - half,
                mean + half,
            )
        )
    return curves


def degrees_of_freedom(fit: Any, design: np.ndarray) -> np.ndarray:
    """Return those of each point of a curve, by the method of the fit's tables, shape (points,)."""
    return np.array([fit.degrees_of_freedom(point) for point in design])


def simultaneous_reach(covariance: np.ndarray, df: float) -> float:
    """Return the factor of the standard error that covers all points at once with 95 %.

    The 95th percentile of the largest |standardised deviation| along the curve, by simulation from
    the multivariate t with this covariance (Ruppert, Wand & Carroll, 2003, section 6.5); without
    end of `df` the multivariate normal.
    """
    # ASSUME one number of degrees of freedom for the whole curve: the caller gives the smallest of
    # its points, which makes the band rather too wide.
    sd = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(sd, sd)
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    # Directions of no variance add nothing; the sign of an eigenvector is arbitrary: fix it, so
    # that another linear algebra library draws the same curves.
    root = root[:, values > 1e-10 * values.max()]
    root *= np.where(root[np.abs(root).argmax(axis=0), np.arange(root.shape[1])] < 0, -1.0, 1.0)
    normal = np.random.default_rng(_SEED).standard_normal((_DRAWS, root.shape[1]))
    chance = np.random.default_rng(_SEED + 1)
    scale = np.sqrt(chance.chisquare(df, _DRAWS) / df) if np.isfinite(df) else 1.0
    return float(np.quantile(np.abs(normal @ root.T).max(axis=1) / scale, 0.95))


def grid_of(rows: pd.DataFrame, time: str) -> dict[str, np.ndarray]:
    """Return time columns from the first to the 95th percentile of observed time.

    The last stretch rests on few clients: a course drawn there would show the model, not data.
    """
    column = base_of(time)
    last = float(rows[column].quantile(0.95))
    first = max(0.0, float(rows[column].min()))
    points = np.linspace(first, last, GRID_POINTS)
    return {column: points, **times_of({column: points})}


def typical(values: pd.Series) -> Any:
    """Return the mean of a number, the most frequent of categories."""
    return values.mean() if pd.api.types.is_numeric_dtype(values) else values.mode().iat[0]
