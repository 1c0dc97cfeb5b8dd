"""Half-panel jackknife: client fixed effects without the first-order bias of short courses.

    b_J = 2 b - (b_1 + b_2) / 2

with b from whole courses and b_1, b_2 from their first and second halves (Dhaene & Jochmans, 2015):
a bias of size 1/T is twice as large in halves, and falls out. A course with an odd number of
sessions is cut before and after the middle one, and the mean of both is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from linearmodels.panel import PanelOLS

from alliance.errors import FitError

# ASSUME dynamics are the same in both halves of treatment: what differs between the halves would
# otherwise be taken for bias.
FEWEST_ROWS = 4
"""Rows of a client from which on each half has two."""


@dataclass(frozen=True, slots=True)
class Jackknifed:
    """Coefficients, their covariance (by regressor), and rows used."""

    coefficients: pd.Series
    covariance: pd.DataFrame
    n_rows: int


def half_panel(
    rows: pd.DataFrame, outcome: str, regressors: Sequence[str], clusters: np.ndarray
) -> Jackknifed:
    """Return the half-panel jackknife of client fixed effects.

    Parameters
    ----------
    rows
        Columns `client`, `session`, outcome and regressors, without missing values.
    outcome, regressors
        Columns.
    clusters
        Cluster per row. The estimate is a sum of terms, one a cluster; their squares give the
        covariance, times clusters / (clusters - 1).

    Raises
    ------
    FitError
        No client has four rows, or a regressor does not vary within the halves.
    """
    rows = rows.assign(_cluster=pd.factorize(clusters)[0]).sort_values(["client", "session"])
    size = rows.groupby("client")["session"].transform("size")
    rows = rows[size >= FEWEST_ROWS]
    if rows.empty:
        msg = f"no client has {FEWEST_ROWS} usable sessions."
        raise FitError(msg)
    size = rows.groupby("client")["session"].transform("size")
    place = rows.groupby("client").cumcount()
    terms = [(2.0, np.ones(len(rows), dtype=bool))]
    for cut in (size // 2, (size + 1) // 2):
        early = (place < cut).to_numpy()
        terms += [(-0.25, early), (-0.25, ~early)]
    names, n_clusters = list(regressors), int(rows["_cluster"].max()) + 1
    found = np.zeros(len(names))
    influence = np.zeros((n_clusters, len(names)))
    for weight, part in terms:
        coefficients, own = _within(rows[part], outcome, names, n_clusters)
        found += weight * coefficients
        influence += weight * own
    there = rows["_cluster"].nunique()
    covariance = influence.T @ influence * there / max(there - 1, 1)
    return Jackknifed(
        pd.Series(found, index=names), pd.DataFrame(covariance, names, names), len(rows)
    )


def _within(
    rows: pd.DataFrame, outcome: str, names: Sequence[str], n_clusters: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the fixed effects of some rows, and what each cluster adds to them."""
    indexed = rows.set_index(["client", "session"], drop=False)  # time may be the session
    x = indexed[list(names)].astype(float)
    try:
        model = PanelOLS(indexed[outcome].astype(float), x, entity_effects=True).fit()
    except ValueError as error:
        msg = "a regressor does not vary within the halves of the courses."
        raise FitError(msg) from error
    centred = (x - x.groupby(level=0).transform("mean")).to_numpy()
    residual = model.resids.reindex(x.index).to_numpy()
    sums = np.zeros((n_clusters, len(names)))
    np.add.at(sums, rows["_cluster"].to_numpy(), centred * residual[:, None])
    return model.params[list(names)].to_numpy(), sums @ np.linalg.inv(centred.T @ centred)
