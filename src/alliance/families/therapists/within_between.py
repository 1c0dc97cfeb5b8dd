"""Alliance and outcome within and between therapists, therapists' means latent.

    alliance_ij = x b_A + v_Aj + e_Aij,   last_ij = x b_S + v_Sj + e_Sij

Cov(v) and Cov(e) are free, so that the effect between therapists is Cov(v_A, v_S) / Var(v_A), the
one within therapists Cov(e_A, e_S) / Var(e_A), and the contextual effect their difference. It is
the model of Baldwin, Wampold & Imel (2007) without their observed therapist means, which hold the
deviations of a few clients and draw the effect between therapists towards the one within (Lüdtke
et al., 2008). REML; intervals by the delta method within, by Fieller's between therapists, where
the denominator is a variance that may be zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alliance.confidence import NORMAL_975
from alliance.families.common.levels import site_terms
from alliance.families.therapists.clients import EARLY, LAST
from alliance.families.therapists.shares import require_therapists
from alliance.mixed import MixedFit, derived, fit_mixed
from alliance.mixed.dynamics import Point
from alliance.mixed.estimate import residual_covariance
from alliance.mixed.inference.derived import Quantity

WITHIN, BETWEEN, CONTEXTUAL = "within therapists", "between therapists", "contextual"


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect in points of the outcome per point of alliance.

    Attributes
    ----------
    name
        Which one.
    value
        None where therapists do not differ in alliance.
    low, high
        None where the data leave it open.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None


def within_between_model(table: pd.DataFrame, adjusted: Sequence[str]) -> MixedFit:
    """Return the model of early alliance and last score; clients with one of both stay in.

    Raises
    ------
    FitError
        In the engine's words.
    """
    rows = table.dropna(subset=list(adjusted))
    rows = rows[rows[[EARLY, LAST]].notna().any(axis=1)]
    require_therapists(rows)
    fixed = ["1", *adjusted, *site_terms(rows, ["therapist"])]
    return fit_mixed(rows, [EARLY, LAST], {EARLY: fixed, LAST: fixed}, {"therapist": ["1"]})


def effects(fit: MixedFit) -> list[Effect]:
    """Return the effects within and between therapists, and their difference."""
    x, y = f"{EARLY}: 1", f"{LAST}: 1"
    names, depth = fit.prepared.random_names(fit.depth_of("therapist")), fit.depth_of("therapist")
    a, b = names.index(x), names.index(y)
    spread = Quantity("variance", lambda point: float(point.level(depth)[a, a]))
    both = Quantity("covariance", lambda point: float(point.level(depth)[a, b]))
    excess = Quantity(
        "excess", lambda point: both.at(point) - _within(fit, point) * spread.at(point)
    )
    within = derived(fit, [Quantity(WITHIN, lambda point: _within(fit, point))]).iloc[0]
    return [
        Effect(WITHIN, *(float(within[key]) for key in ("estimate", "ci_low", "ci_high"))),
        _ratio(fit, BETWEEN, both, spread),
        _ratio(fit, CONTEXTUAL, excess, spread),
    ]


def _ratio(fit: MixedFit, name: str, top: Quantity, bottom: Quantity) -> Effect:
    """Return a ratio with the interval of Fieller (1954).

    It holds every c for which top - c bottom is within 1.96 of its standard errors from zero; where
    bottom itself may be zero that is no interval, and there is none.
    """
    table = derived(fit, [top, bottom, top - bottom])
    (t, b), (v_top, v_bottom, v_gap) = table["estimate"][:2], table["se"] ** 2
    shared = (v_top + v_bottom - v_gap) / 2
    # A value this small beside the within part is a variance of zero.
    if not b > 1e-8 * fit.residual.sigma**2:
        return Effect(name, None, None, None)
    square, middle = b**2 - NORMAL_975**2 * v_bottom, t * b - NORMAL_975**2 * shared
    inside = middle**2 - square * (t**2 - NORMAL_975**2 * v_top)
    if not (square > 0 and inside >= 0):
        return Effect(name, float(t / b), None, None)
    reach = float(np.sqrt(inside))
    return Effect(name, float(t / b), (middle - reach) / square, (middle + reach) / square)


def _within(fit: MixedFit, point: Point) -> float:
    covariance = residual_covariance(fit.prepared, point.theta, float(np.exp(point.tau)))
    assert covariance is not None
    return float(covariance[0, 1] / covariance[0, 0])
