"""Dynamic panels by the generalised method of moments: in differences, or with levels beside them.

    y_it = a_i + b'x_it + e_it,   x among them answering to earlier shocks of y (and y's own past)

First differences take a_i out; what an earlier session knew is no part of the differenced shock and
serves as instrument (Arellano & Bond, 1991). The system adds the equations in levels, instrumented
by earlier differences (Blundell & Bond, 1998). Collapsed, an instrument is one column a lag and not
one a lag and session (Roodman, 2009). The estimation is linearmodels' `IVGMM`; here are the
instruments, the first weights, the correction of two-step standard errors (Windmeijer, 2005) and
the test of autocorrelation (Arellano & Bond, 1991, eq. 8-10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from linearmodels.iv import IVGMM
from scipy import stats

from alliance.errors import FitError

CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class DynamicPanel:
    """What is regressed on what, and by which instruments.

    Attributes
    ----------
    outcome
        Column.
    regressors
        Columns; lags are columns of their own.
    instrumented
        Column to the nearest lag, counted from the row's session, whose level is no part of the
        differenced shock: 2 for the outcome of the row itself.
    exogenous
        Regressors that answer to no shock: their changes are instruments of themselves.
    deepest
        Farthest lag that is an instrument; None for all.
    collapsed
        One column a lag, not one a lag and session.
    levels
        Whether equations in levels stand beside those in differences (system).
    sessions_apart
        Whether each session has an intercept of its own.
    """

    outcome: str
    regressors: Sequence[str]
    instrumented: Mapping[str, int]
    exogenous: Sequence[str] = ()
    deepest: int | None = None
    collapsed: bool = True
    levels: bool = False
    sessions_apart: bool = False


@dataclass(frozen=True, slots=True)
class Statistic:
    """A test: its statistic, degrees of freedom (None for z) and p."""

    statistic: float
    df: int | None
    p: float


@dataclass(frozen=True, slots=True)
class GmmFit:
    """Coefficients with their covariance, and what speaks for the instruments.

    Attributes
    ----------
    coefficients, covariance
        By regressor; robust to whatever goes on within a client, two-step ones after Windmeijer.
    hansen
        Over-identifying restrictions, by the weights of the second step; None where there are none.
    autocorrelation
        Order to the test of the differenced residuals: the first is there by construction, the
        second speaks against the instruments. Orders that the courses are too short for are absent.
    n_rows, n_clients, n_instruments
        Equations (those in differences), clients, columns of instruments.
    """

    coefficients: pd.Series
    covariance: pd.DataFrame
    hansen: Statistic | None
    autocorrelation: Mapping[int, Statistic] = field(default_factory=dict)
    n_rows: int = 0
    n_clients: int = 0
    n_instruments: int = 0

    @property
    def se(self) -> pd.Series:
        """Standard errors."""
        return pd.Series(np.sqrt(np.diag(self.covariance)), index=self.coefficients.index)


@dataclass(frozen=True, slots=True)
class Equations:
    """Stacked equations: rows in differences first, then, in a system, those in levels.

    Attributes
    ----------
    y, x, z
        Outcome (n,), regressors (n, k) with their names, instruments (n, q).
    client, session
        Codes of each row.
    differenced
        Which rows are in differences.
    """

    y: np.ndarray
    x: pd.DataFrame
    z: np.ndarray
    client: np.ndarray
    session: np.ndarray
    differenced: np.ndarray

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return the sums over each client's rows, (clients, columns)."""
        found = np.zeros((self.client.max() + 1, values.shape[1]))
        np.add.at(found, self.client, values)
        return found


def fit_gmm(data: pd.DataFrame, panel: DynamicPanel, *, steps: int = 2) -> GmmFit:
    """Return the one-step or two-step estimates.

    Parameters
    ----------
    data
        Columns `client`, `session` (whole numbers) and those of the panel; NaN where missing. Rows
        are used where all of outcome and regressors are there, differences between successive
        sessions only; a missing instrument is zero.
    panel
        The question.
    steps
        1: weights as if shocks were independent and of one variance. 2: weights from its residuals.

    Raises
    ------
    FitError
        The rows cannot carry it: none, too few clients for the instruments, or no full rank.
    """
    of = equations(data, panel)
    first = _first_weights(of)
    try:
        model: Any = IVGMM(of.y, None, of.x, of.z, weight_type="clustered", clusters=of.client)
        options = {"initial_weight": first, "cov_type": "clustered", "clusters": of.client}
        one = model.fit(iter_limit=1, **options)
        two = model.fit(iter_limit=2, tol=0.0, **options)
    except (ValueError, np.linalg.LinAlgError) as error:
        msg = "too few clients or too little variation for the instruments."
        raise FitError(msg) from error
    last, n = (one, two)[steps - 1], len(of.y)
    names = list(of.x)
    xz, weights = of.x.to_numpy().T @ of.z, np.asarray(last.weight_matrix) / n
    bread = np.linalg.inv(xz @ weights @ xz.T)
    covariance = one.cov.to_numpy()
    if steps == 2:
        residual = of.y - of.x.to_numpy() @ one.params.to_numpy()
        after = of.y - of.x.to_numpy() @ two.params.to_numpy()
        covariance = _windmeijer(of, residual, after, bread @ xz @ weights, weights, covariance)
    free = of.z.shape[1] - len(names)
    j = float(two.j_stat.stat)
    return GmmFit(
        pd.Series(last.params.to_numpy(), index=names),
        pd.DataFrame(covariance, names, names),
        Statistic(j, free, float(stats.chi2.sf(j, free))) if free else None,
        _autocorrelation(of, last.params.to_numpy(), covariance, bread @ xz @ weights),
        int(of.differenced.sum()),
        len(np.unique(of.client)),
        of.z.shape[1],
    )


# ------------------------------------------------------------------ equations and instruments


def equations(data: pd.DataFrame, panel: DynamicPanel) -> Equations:
    """Return the equations and their instruments.

    Raises
    ------
    FitError
        No client has two successive complete sessions.
    """
    client, _ = pd.factorize(data["client"])
    session = (data["session"] - data["session"].min()).to_numpy(int)
    shape = (client.max(initial=-1) + 1, session.max(initial=-1) + 1)
    wide = {
        name: _wide(data[name], client, session, shape)
        for name in {panel.outcome, *panel.regressors, *panel.instrumented}
    }
    own = [panel.outcome, *panel.regressors]
    complete = np.all([~np.isnan(wide[name]) for name in own], axis=0)
    follows = complete[:, 1:] & complete[:, :-1]
    if not follows.any():
        msg = "no client has two successive complete sessions."
        raise FitError(msg)
    who, when = (part + place for part, place in zip(np.nonzero(follows), (0, 1), strict=True))
    changes = _columns(wide, own, who, when) - _columns(wide, own, who, when - 1)
    blocks = [_lags(wide, panel, who, when), changes[:, _places(own, panel.exogenous)]]
    differenced = np.ones(len(who), dtype=bool)
    if panel.levels:
        at, then = np.nonzero(complete)
        levels = _columns(wide, own, at, then)
        # ASSUME an exogenous regressor (time) may still go with who is seen how long, and so with
        # the client's constant: only its changes are instruments.
        below = _earlier_changes(wide, panel, at, then)
        changes, blocks = np.vstack([changes, levels]), [_stacked(np.column_stack(blocks), below)]
        differenced = np.append(differenced, np.zeros(len(at), dtype=bool))
        who, when = np.append(who, at), np.append(when, then)
    x = pd.DataFrame(changes[:, 1:], columns=list(panel.regressors))
    extra = _intercepts(panel, when, differenced)
    x, z = pd.concat([x, extra], axis=1), np.column_stack(blocks)
    # In a system the intercepts are instrumented by the equations in levels alone.
    own_instruments = extra.to_numpy() * (~differenced if panel.levels else differenced)[:, None]
    z = np.column_stack([z, own_instruments])
    return Equations(changes[:, 0], x, z[:, (z != 0).any(axis=0)], pd.factorize(who)[0], when,
                     differenced)  # fmt: skip


def _wide(
    values: pd.Series, client: np.ndarray, session: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    table = np.full(shape, np.nan)
    table[client, session] = values.to_numpy(float)
    return table


def _columns(
    wide: Mapping[str, np.ndarray], names: Sequence[str], who: np.ndarray, when: np.ndarray
) -> np.ndarray:
    return np.column_stack([wide[name][who, when] for name in names])


def _places(own: Sequence[str], names: Sequence[str]) -> list[int]:
    return [own.index(name) for name in names]


def _at(table: np.ndarray, who: np.ndarray, when: np.ndarray) -> np.ndarray:
    """Return values of a clients by sessions table, NaN before the first session."""
    return np.where(when >= 0, table[who, np.maximum(when, 0)], np.nan)


def _lags(
    wide: Mapping[str, np.ndarray], panel: DynamicPanel, who: np.ndarray, when: np.ndarray
) -> np.ndarray:
    """Return the levels of earlier sessions, zero where there is none."""
    found = []
    for name, nearest in panel.instrumented.items():
        farthest = min(when.max(), panel.deepest if panel.deepest is not None else when.max())
        for lag in range(nearest, farthest + 1):
            found += _spread(panel, _at(wide[name], who, when - lag), when)
    return np.column_stack(found) if found else np.zeros((len(who), 0))


def _earlier_changes(
    wide: Mapping[str, np.ndarray], panel: DynamicPanel, who: np.ndarray, when: np.ndarray
) -> np.ndarray:
    """Return the latest change that is no part of the shock of an equation in levels."""
    found = []
    for name, nearest in panel.instrumented.items():
        now, before = when - nearest + 1, when - nearest
        found += _spread(panel, _at(wide[name], who, now) - _at(wide[name], who, before), when)
    return np.column_stack(found)


def _spread(panel: DynamicPanel, values: np.ndarray, when: np.ndarray) -> list[np.ndarray]:
    known = np.nan_to_num(values)
    if panel.collapsed:
        return [known]
    return [known * (when == session) for session in np.unique(when)]


def _stacked(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Return the instruments of differences and of levels, each zero in the other's rows."""
    return np.block(
        [
            [top, np.zeros((len(top), bottom.shape[1]))],
            [np.zeros((len(bottom), top.shape[1])), bottom],
        ]
    )


def _intercepts(panel: DynamicPanel, when: np.ndarray, differenced: np.ndarray) -> pd.DataFrame:
    """Return the constant (levels) and the sessions' own intercepts, differenced where rows are."""
    found = {CONSTANT: (~differenced).astype(float)} if panel.levels else {}
    if panel.sessions_apart:
        for session in np.unique(when)[1 if panel.levels else 0 :]:
            before = differenced & (when - 1 == session)
            found[f"session {session}"] = (when == session).astype(float) - before
    return pd.DataFrame(found, index=range(len(when)))


# ------------------------------------------------------------------ weights, errors, tests


def _first_weights(of: Equations) -> np.ndarray:
    """Return the inverse of Z'HZ / n, H the covariance of the rows' shocks if e is white.

    A row in differences holds e of its session, and with opposite sign that of the one before; a
    row in levels holds e of its session. So Z'HZ is the sum over single shocks of their
    instruments' squares.
    """
    width = of.session.max() + 1
    shocks = np.zeros(((of.client.max() + 1) * width, of.z.shape[1]))
    np.add.at(shocks, of.client * width + of.session, of.z)
    moved = of.differenced
    np.subtract.at(shocks, of.client[moved] * width + of.session[moved] - 1, of.z[moved])
    return np.linalg.pinv(shocks.T @ shocks / len(of.y), hermitian=True)


def _windmeijer(
    of: Equations,
    residual: np.ndarray,
    after: np.ndarray,
    projection: np.ndarray,
    weights: np.ndarray,
    one_step: np.ndarray,
) -> np.ndarray:
    """Return the covariance of two-step estimates, allowing for estimated weights.

    B + D B + B D' + D V1 D' (Windmeijer, 2005, eq. 3.4), D the derivative of the estimates with
    respect to the first step's, through the weights.

    Parameters
    ----------
    residual, after
        Of the first and the second step.
    projection
        B X'Z W, (k, q).
    weights
        W of the second step, (q, q).
    one_step
        V1, robust.
    """
    x = of.x.to_numpy()
    bread = projection @ np.linalg.inv(weights) @ projection.T
    scores, moment = of.sums(of.z * residual[:, None]), weights @ (of.z.T @ after)
    columns = []
    for k in range(x.shape[1]):
        own = of.sums(of.z * x[:, [k]])
        columns.append(projection @ (own.T @ (scores @ moment) + scores.T @ (own @ moment)))
    d = np.column_stack(columns)
    found: np.ndarray = bread + d @ bread + bread @ d.T + d @ one_step @ d.T
    return found


def _autocorrelation(
    of: Equations, params: np.ndarray, covariance: np.ndarray, projection: np.ndarray
) -> dict[int, Statistic]:
    """Return the tests of first and second order of the differenced residuals."""
    x = of.x.to_numpy()
    residual = (of.y - x @ params) * of.differenced
    table = np.zeros((of.client.max() + 1, of.session.max() + 1))
    moved = of.differenced
    table[of.client[moved], of.session[moved]] = residual[moved]
    scores = of.sums(of.z * (of.y - x @ params)[:, None])
    found = {}
    for order in (1, 2):
        earlier = np.nan_to_num(_at(table, of.client, of.session - order)) * moved
        products = of.sums((residual * earlier)[:, None])[:, 0]
        slope = earlier @ x
        variance = (
            products @ products
            - 2 * slope @ projection @ (scores.T @ products)
            + slope @ covariance @ slope
        )
        if variance > 0:
            z = float(products.sum() / np.sqrt(variance))
            found[order] = Statistic(z, None, float(2 * stats.norm.sf(abs(z))))
    return found
