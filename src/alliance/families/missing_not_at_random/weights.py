"""Weights for who stays: each score counts for those like it who have left.

A discrete-time hazard of dropping out after a session, given the last known score and what the
course is adjusted for, foretells staying; stabilised weights are

    w_it = prod over s < t of (1 - h_is given baseline) / (1 - h_is given baseline and scores),

(Robins, Hernan & Brumback 2000; Cole & Hernan 2008). The mean course is then fitted by weighted
least squares, as generalised estimating equations with independent working correlation, which is
what weights that change over time ask for; standard errors are CR2, clustered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.common.levels import clusters_of
from alliance.families.common.multilevel import Fitted, fixed_design
from alliance.families.common.with_interval import with_interval
from alliance.families.hazard.rows import FEWEST_EVENTS
from alliance.mixed import fit_mixed_logit, sandwich_cr2

# ASSUME weights beyond the 1st and 99th percentile are set to these (Cole & Hernan 2008).
LOWEST, HIGHEST = 1.0, 99.0
WEIGHT = "weight"


@dataclass(frozen=True, slots=True)
class Weighted:
    """The mean course with weights.

    Attributes
    ----------
    effects
        The main effects, as an estimate of a fit states them.
    weights
        Of the scores, before they are cut off.
    cluster
        Level of the clusters.
    """

    effects: list[dict[str, Any]]
    weights: np.ndarray
    cluster: str


def weighted_course(
    panel: pd.DataFrame, fitted: Fitted, outcome: str, time: str, terms: Sequence[str]
) -> Weighted:
    """Return the main effects with weights for staying.

    Raises
    ------
    FitError
        Too few drop out, or the hazard cannot be fitted.
    """
    sessions = panel[panel["client"].isin(fitted.rows["client"])]
    weights = staying_weights(sessions, fitted, outcome, time)
    rows = fitted.rows
    raw = weights.reindex(rows.index).to_numpy(float)
    cut = np.clip(raw, *np.percentile(raw, [LOWEST, HIGHEST]))
    clusters, level = clusters_of(rows)
    b, covariance, df = weighted_least_squares(
        fixed_design(fitted.fit, rows), rows[outcome].to_numpy(float), cut, clusters
    )
    places = [fitted.fit.prepared.fixed_names.index(term) for term in terms]
    effects = [with_interval(b[k], np.sqrt(covariance[k, k]), df[k]) for k in places]
    return Weighted(effects, raw, level)


def weighted_least_squares(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray, clusters: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return coefficients, their CR2 covariance (weights as inverse variances), Satterthwaite's df.

    Parameters
    ----------
    x, y, weights, clusters
        Shapes (n, p), (n,), (n,), (n,).
    """
    root = np.sqrt(weights)
    b = np.linalg.lstsq(x * root[:, None], y * root, rcond=None)[0]
    return b, *sandwich_cr2(x, y - x @ b, clusters, 1.0 / weights)


def staying_weights(sessions: pd.DataFrame, fitted: Fitted, outcome: str, time: str) -> pd.Series:
    """Return the stabilised weight of every session, by the index of `sessions`.

    Parameters
    ----------
    sessions
        Rows of the panel of the clients in the model.
    """
    known = f"{outcome}_known"
    at_risk = sessions[sessions["dropout_event"].notna() & sessions[known].notna()]
    events = int(at_risk["dropout_event"].sum())
    if events < FEWEST_EVENTS:
        msg = f"only {events} dropout(s) with a score before: at least {FEWEST_EVENTS} are needed."
        raise FitError(msg)
    baseline = ["1", "log(session)", *_baseline(fitted, time, at_risk)]
    # ASSUME before its first score a client's leaving is foretold by nothing: weight one.
    by_baseline, by_score = (
        pd.Series(fit_mixed_logit(at_risk, "dropout_event", fixed, {}).predict().squeeze())
        for fixed in (baseline, [*baseline, known])
    )
    ratio = ((1.0 - by_baseline) / (1.0 - by_score)).reindex(sessions.index).fillna(1.0)
    in_order = sessions.assign(**{WEIGHT: ratio}).sort_values(["client", "session"])
    before = in_order.groupby("client")[WEIGHT].transform(lambda one: one.shift(fill_value=1.0))
    return before.groupby(in_order["client"]).cumprod().reindex(sessions.index)


def _baseline(fitted: Fitted, time: str, at_risk: pd.DataFrame) -> list[str]:
    """Return the columns that the course is adjusted for, sites where each has both outcomes."""
    columns = [factor.atom.column for product in fitted.fit.prepared.fixed for factor in product]
    rates = at_risk.groupby("site")["dropout_event"].mean()
    left_out = {time, *(["site"] if rates.isin([0.0, 1.0]).any() else [])}
    return [name for name in dict.fromkeys(columns) if name not in left_out]
