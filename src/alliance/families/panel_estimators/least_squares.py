"""Client fixed effects, Anderson-Hsiao, between and random effects, each from linearmodels.

Plain first differences have no place here: the lagged outcome is correlated with the differenced
shock whatever the number of sessions. The four answer different questions, so that they may differ;
two tests say whether they do: Hausman (1978), with the conventional covariances that it needs, and
Mundlak (1978), the Wald test of client means added to a random-intercept model, which keeps its
size where the rows of a therapist are alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from linearmodels.iv import IV2SLS
from linearmodels.panel import BetweenOLS, PanelOLS, RandomEffects
from scipy import stats

from alliance.errors import FitError
from alliance.families.common.clustered import how_clustered, robust_cr2, takes_cr2
from alliance.families.facts import Estimator, Fact
from alliance.families.panel_estimators.panel_estimate import (
    BETWEEN,
    BOTH,
    NAMES,
    WITHIN,
    PanelEstimate,
)
from alliance.mixed import fit_mixed


def panel_estimates(
    rows: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    clusters: np.ndarray | None = None,
    cluster_level: str = "client",
    exogenous: Sequence[str] = (),
    errors: str = "cr1",
) -> list[PanelEstimate]:
    """Return fixed effects, Anderson-Hsiao, between and random effects, in this order.

    Parameters
    ----------
    rows
        Columns `client`, `session`, `outcome` and the regressors, without missing values. A first
        difference is taken only between sessions whose numbers follow one another.
    outcome, regressors
        Columns.
    clusters
        Cluster per row; None for the conventional standard errors.
    cluster_level
        What a cluster is, for print.
    exogenous
        Regressors that answer to no shock (time). The others answer to earlier ones, so that their
        differences are instrumented by their levels one session before.
    errors
        `cr1`, `cr2` or `rule` (CR2 where clusters are few); for what is clustered.

    Returns
    -------
    list of PanelEstimate
        Of those that these rows can carry: a design with more rows than columns and full rank.

    Raises
    ------
    FitError
        No client has two rows, or a regressor never varies within a client.
    """
    indexed = rows.set_index(["client", "session"], drop=False)  # time may be the session
    y, x = indexed[outcome].astype(float), indexed[list(regressors)].astype(float)
    n_clients = rows["client"].nunique()
    if len(rows) == n_clients:
        msg = "no client has two usable sessions."
        raise FitError(msg)
    still = x.groupby(level=0).transform("std").fillna(0).max() == 0
    if still.any():
        msg = f"{', '.join(x.columns[still])} never varies within a client."
        raise FitError(msg)
    options: dict[str, Any] = {"cov_type": "unadjusted", "debiased": True}
    n_clusters, how, cr2 = 0, "conventional standard errors", False
    if clusters is not None:
        codes = pd.DataFrame({"cluster": clusters}, index=indexed.index)
        n_clusters = int(codes["cluster"].nunique())
        cr2 = takes_cr2(errors, n_clusters)
        how = how_clustered(cr2, cluster_level)
        options = {"cov_type": "clustered", "clusters": codes, "debiased": True}
        options["group_debias"] = True
    with_constant = x.assign(constant=1.0)
    several = y.groupby(level=0).transform("size") > 1
    differenced = _differenced(y, x, exogenous)
    pairs = differenced.rows
    means = with_constant.groupby(level=0).mean()
    within = x[several] - x[several].groupby(level=0).transform("mean")
    runs: list[tuple[Estimator, str, pd.DataFrame, Callable[[], Any], Mapping[str, Any]]] = [
        (
            Estimator.FIXED_EFFECTS,
            WITHIN,
            within,
            lambda: PanelOLS(y[several], x[several], entity_effects=True),
            _of(options, several),
        ),
        (
            Estimator.ANDERSON_HSIAO,
            WITHIN,
            differenced.instruments,
            differenced.model,
            {k: v for k, v in _of(options, pairs).items() if k != "group_debias"},
        ),
        (
            Estimator.BETWEEN,
            BETWEEN,
            means,
            lambda: BetweenOLS(y, with_constant),
            {"debiased": True},
        ),
        (
            Estimator.RANDOM_EFFECTS,
            BOTH,
            means,
            lambda: RandomEffects(y, with_constant),
            options,
        ),
    ]
    found = []
    for code, level, design, model, settings in runs:
        if not _carries(design):
            continue
        result = model().fit(**settings)
        clustered = settings.get("cov_type") == "clustered"
        told = how if clustered or clusters is None else "conventional standard errors"
        names, se = list(regressors), result.std_errors
        df = pd.Series(n_clusters - 1 if clustered else int(result.df_resid), index=names)
        if clustered and cr2:
            columns, residuals = _least_squares(code, y, with_constant, differenced, result)
            at = indexed.index.get_indexer(columns.index)
            robust = robust_cr2(columns, residuals, np.asarray(clusters)[at])
            se, df = robust.se, robust.df
        found.append(
            PanelEstimate(
                estimator=Fact(code, f"{NAMES[code]}, {told}"),
                level=level,
                coefficients=result.params[names],
                se=se[names],
                df=df[names],
                n_rows=int(result.nobs),
            )
        )
    return found


def _least_squares(
    code: Estimator, y: pd.Series, x: pd.DataFrame, differenced: _Differenced, result: Any
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the columns and residuals of the least squares that a clustered estimator is.

    Fixed effects: deviations from the client's means. Random effects: y - theta mean(y), theta by
    client. Anderson-Hsiao: columns as projected on the instruments, residuals with the columns.
    """
    if code == Estimator.ANDERSON_HSIAO:
        z, columns = differenced.instruments.to_numpy(float), differenced.columns
        projected = z @ np.linalg.lstsq(z, columns.to_numpy(float), rcond=None)[0]
        names = list(columns)
        left = differenced.change.to_numpy() - columns.to_numpy() @ result.params[names].to_numpy()
        return pd.DataFrame(projected, index=columns.index, columns=names), left
    clients = x.index.get_level_values(0)
    if code == Estimator.FIXED_EFFECTS:
        several = y.groupby(level=0).transform("size") > 1
        x, y, share = x.drop(columns="constant")[several], y[several], 1.0
    else:
        share = result.theta["theta"].reindex(clients).to_numpy()[:, None]
    both = x.assign(outcome=y)
    moved = both - share * both.groupby(level=0).transform("mean")
    names = list(x)
    left = moved["outcome"].to_numpy() - moved[names].to_numpy() @ result.params[names].to_numpy()
    return moved[names], left


def _carries(design: pd.DataFrame) -> bool:
    """Return whether a design has more rows than columns and no column that follows from others."""
    values = design.to_numpy(float)
    if len(values) <= values.shape[1]:
        return False
    scale = np.linalg.norm(values, axis=0)
    if not (scale > 0).all():
        return False
    return int(np.linalg.matrix_rank(values / scale)) == values.shape[1]


def _of(options: Mapping[str, Any], kept: pd.Series) -> dict[str, Any]:
    """Return the options with the clusters of the rows that are kept."""
    if "clusters" not in options:
        return dict(options)
    return {**options, "clusters": options["clusters"][kept]}


@dataclass(frozen=True, slots=True)
class _Differenced:
    """A regression in differences; `instruments` are all of them, `rows` a mask of its rows.

    `change` and `columns` are its two sides.
    """

    rows: pd.Series
    change: pd.Series
    columns: pd.DataFrame
    instruments: pd.DataFrame
    model: Callable[[], Any]


def _differenced(y: pd.Series, x: pd.DataFrame, exogenous: Sequence[str]) -> _Differenced:
    """Return the differenced regression of Anderson & Hsiao (1981), instruments in levels.

    The shock of session t stands in y_t, and in what answers to it, and with opposite sign in the
    differenced shock; the levels at t - 1 know nothing of it.
    """
    before = _before(x)
    dx, dy = x - before, y - _before(y)
    rows = dy.notna()
    own = [column for column in x if column in exogenous]
    answering = [column for column in x if column not in exogenous]
    lagged = before[answering].add_suffix("_before")
    return _Differenced(
        rows,
        dy[rows],
        dx.loc[rows, [*own, *answering]],
        pd.concat([dx[own], lagged], axis=1)[rows],
        lambda: IV2SLS(
            dy[rows].rename("change"),
            dx.loc[rows, own] if own else None,
            dx.loc[rows, answering],
            lagged[rows],
        ),
    )


def _before(values: Any) -> Any:
    """Return the values at the session before; missing where that session is not there."""
    return values.rename(index=lambda session: session + 1, level=1).reindex(values.index)


def hausman(rows: pd.DataFrame, outcome: str, regressors: Sequence[str]) -> dict[str, Any]:
    """Return statistic, df and p of fixed against random effects; None where it is not defined.

    H = d'(V_F - V_R)^-1 d, d = b_F - b_R (Hausman, 1978), conventional covariances with the
    residual variance of each estimator. In finite samples V_F - V_R need not be positive definite;
    then there is no test.
    """
    indexed = rows.set_index(["client", "session"], drop=False)  # time may be the session
    y, x = indexed[outcome].astype(float), indexed[list(regressors)].astype(float)
    fixed = PanelOLS(y, x, entity_effects=True).fit(cov_type="unadjusted", debiased=True)
    random = RandomEffects(y, x.assign(constant=1.0)).fit(cov_type="unadjusted", debiased=True)
    names = list(regressors)
    d = (fixed.params[names] - random.params[names]).to_numpy()
    v = (fixed.cov.loc[names, names] - random.cov.loc[names, names]).to_numpy()
    if np.linalg.eigvalsh(v)[0] <= 0:
        return {"statistic": None, "df": len(names), "p": None}
    statistic = float(d @ np.linalg.solve(v, d))
    return {"statistic": statistic, "df": len(names), "p": float(stats.chi2.sf(statistic, len(d)))}


def mundlak(rows: pd.DataFrame, outcome: str, regressors: Sequence[str]) -> dict[str, Any]:
    """Return F, df, df2 and p of the client means added to a random-intercept model (ML engine).

    Equal within and between coefficients are the null hypothesis (Mundlak, 1978).
    """
    means = rows.groupby("client")[list(regressors)].transform("mean").add_suffix("_mean")
    data = pd.concat([rows[["client", outcome, *regressors]], means], axis=1)
    try:
        fit = fit_mixed(data, outcome, ["1", *regressors, *means.columns], {"client": ["1"]})
    except FitError:  # the client means follow from one another: there is nothing to test
        return {"statistic": None, "df": len(regressors), "df2": None, "p": None}
    joint = fit.joint_test([{name: 1.0} for name in means.columns])
    return {
        "statistic": joint.statistic,
        "df": joint.df_numerator,
        "df2": joint.df_denominator,
        "p": joint.p,
    }
