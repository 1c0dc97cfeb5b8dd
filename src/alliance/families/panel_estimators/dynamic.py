"""Estimators that allow for a lagged outcome in short courses, on the panel of a cohort.

Half-panel jackknife, difference and system GMM, the dynamic panel model and the random-intercept
cross-lagged panel model. One that the sessions cannot carry is a reason, not an end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

import numpy as np
import pandas as pd
from scipy import stats

from alliance.errors import FitError
from alliance.families.facts import Estimator, Fact, Tested, Warned
from alliance.families.fit import Test
from alliance.families.panel_estimators.gmm import DynamicPanel, GmmFit, fit_gmm
from alliance.families.panel_estimators.jackknife import half_panel
from alliance.families.panel_estimators.panel_estimate import (
    NAMES,
    WITHIN,
    PanelEstimate,
    sentence,
)
from alliance.families.panel_estimators.structural import (
    CARRIED,
    dynamic_panel_model,
    random_intercepts_model,
)
from alliance.sem import Model, SemFit, fit_sem, sample

# ASSUME more than this many lags add weak instruments and no information worth their bias.
DEEPEST_LAG = 4
# ASSUME a session that fewer clients than this have with both measures says too little for
# parameters of its own (means, variances) in the structural models.
FEWEST_AT_A_SESSION = 30
FEWEST_SESSIONS = 3


@dataclass(frozen=True, slots=True)
class Question:
    """The question in columns: rows of the panel that have all, the panel itself, and clusters.

    Attributes
    ----------
    panel
        Every session.
    rows
        Those with predictor, outcome, time and outcome next.
    predictor, outcome, time, following
        Columns.
    clusters, cluster_level
        Cluster of each of `rows`, and what it is.
    most_sessions
        The structural models use the first so many.
    """

    panel: pd.DataFrame
    rows: pd.DataFrame
    predictor: str
    outcome: str
    time: str
    following: str
    clusters: np.ndarray
    cluster_level: str
    most_sessions: int

    @property
    def regressors(self) -> list[str]:
        """What the next outcome is regressed on."""
        return [self.predictor, self.outcome, self.time]


@dataclass(frozen=True, slots=True)
class Found:
    """What the estimators gave: estimates, tests, and what a reader must know."""

    estimates: list[PanelEstimate] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)
    warnings: list[Fact] = field(default_factory=list)


def dynamic_estimates(asked: Question) -> Found:
    """Return every estimate that these sessions can carry."""
    found = Found()
    runs: dict[Estimator, Callable[[Question, Found], PanelEstimate]] = {
        Estimator.HALF_PANEL_JACKKNIFE: _jackknife,
        Estimator.DIFFERENCE_GMM: _difference_gmm,
        Estimator.SYSTEM_GMM: _system_gmm,
        Estimator.DYNAMIC_PANEL_MODEL: _dynamic_panel,
        Estimator.RANDOM_INTERCEPTS_MODEL: _random_intercepts,
    }
    for code, run in runs.items():
        try:
            found.estimates.append(run(asked, found))
        except FitError as error:
            words = f"{sentence(NAMES[code])}: not computed. {sentence(str(error))}"
            found.warnings.append(Fact(Warned.ESTIMATOR_NOT_COMPUTED, words))
    return found


def _jackknife(asked: Question, found: Found) -> PanelEstimate:
    rows = asked.rows
    fit = half_panel(rows, asked.following, asked.regressors, asked.clusters)
    return _estimate(
        Estimator.HALF_PANEL_JACKKNIFE,
        f"clustered by {asked.cluster_level}",
        fit.coefficients,
        fit.covariance,
        fit.n_rows,
        df=len(np.unique(asked.clusters)) - 1,
    )


def _difference_gmm(asked: Question, found: Found) -> PanelEstimate:
    return _gmm(asked, found, Estimator.DIFFERENCE_GMM)


def _system_gmm(asked: Question, found: Found) -> PanelEstimate:
    return _gmm(asked, found, Estimator.SYSTEM_GMM)


def _gmm(asked: Question, found: Found, code: Estimator) -> PanelEstimate:
    """Two steps; predictor and outcome of earlier sessions are the instruments.

    The differenced shock of the next session holds that of this one, which stands in this session's
    outcome and may stand in its predictor: levels from one session before on know nothing of it.
    """
    panel = DynamicPanel(
        asked.following,
        asked.regressors,
        {asked.predictor: 1, asked.outcome: 1},
        exogenous=[asked.time],
        deepest=DEEPEST_LAG,
        levels=code == Estimator.SYSTEM_GMM,
    )
    fit = fit_gmm(asked.panel, panel)
    found.tests.extend(_tests_of(fit, NAMES[code]))
    return _estimate(
        code,
        "two steps, clustered by client",
        fit.coefficients,
        fit.covariance,
        fit.n_rows,
    )


def _tests_of(fit: GmmFit, name: str) -> Iterator[Test]:
    if fit.hansen is not None:
        yield Test(
            Tested.HANSEN,
            f"Hansen, {name}: the {fit.n_instruments} instruments agree",
            fit.hansen.statistic,
            fit.hansen.df,
            fit.hansen.p,
        )
    if 2 in fit.autocorrelation:
        second = fit.autocorrelation[2]
        yield Test(
            Tested.SECOND_ORDER_AUTOCORRELATION,
            f"Second-order autocorrelation of changes, {name}",
            second.statistic,
            None,
            second.p,
            kind="z",
        )


# ------------------------------------------------------------------ structural models


def _dynamic_panel(asked: Question, found: Found) -> PanelEstimate:
    table, sessions = _wide(asked)
    x, y = (_names(name, sessions) for name in (asked.predictor, asked.outcome))
    model = dynamic_panel_model(y, {asked.predictor: x[:-1]})
    fit = _fitted(model, table, asked, found, Estimator.DYNAMIC_PANEL_MODEL)
    return _of_structural(
        Estimator.DYNAMIC_PANEL_MODEL, fit, {asked.predictor: asked.predictor,
                                             asked.outcome: CARRIED}, table, asked
    )  # fmt: skip


def _random_intercepts(asked: Question, found: Found) -> PanelEstimate:
    table, sessions = _wide(asked)
    measures = {name: _names(name, sessions) for name in (asked.predictor, asked.outcome)}
    code = Estimator.RANDOM_INTERCEPTS_MODEL
    fit = _fitted(random_intercepts_model(measures), table, asked, found, code)
    try:
        free = _searched(random_intercepts_model(measures, constant_effects=False), table, asked)
    except FitError:
        pass  # the test needs more sessions than the effects do
    else:
        statistic = fit.convergence.objective - free.convergence.objective
        df = len(free.names) - len(fit.names)
        words = f"{sentence(NAMES[code])}: the same effects from each session to the next"
        p = float(stats.chi2.sf(statistic, df))
        found.tests.append(Test(Tested.SAME_EFFECTS_THROUGHOUT, words, statistic, df, p))
    x, y = asked.predictor, asked.outcome
    return _of_structural(code, fit, {x: f"{x} -> {y}", y: f"{y} -> {y}"}, table, asked)


def _names(measure: str, sessions: list[int]) -> list[str]:
    return [f"{_prefix(measure)}{session}" for session in sessions]


def _prefix(measure: str) -> str:
    return f"{measure}, session "


def _wide(asked: Question) -> tuple[pd.DataFrame, list[int]]:
    """Return one row a client and one column a measure and session, from the first on.

    Raises
    ------
    FitError
        Fewer than three sessions that enough clients have.
    """
    own = [asked.predictor, asked.outcome]
    scores = asked.panel[["client", "session", *own]]
    both = scores.dropna().groupby("session")["client"].nunique()
    first = int(scores["session"].min())
    those = range(first, first + asked.most_sessions)
    sessions = list(takewhile(lambda session: both.get(session, 0) >= FEWEST_AT_A_SESSION, those))
    if len(sessions) < FEWEST_SESSIONS:
        msg = (
            f"fewer than {FEWEST_SESSIONS} successive sessions that {FEWEST_AT_A_SESSION} clients "
            "have with both measures."
        )
        raise FitError(msg)
    used = scores[scores["session"].isin(sessions)]
    wide = pd.concat(
        [
            used.pivot(index="client", columns="session", values=name).add_prefix(_prefix(name))
            for name in own
        ],
        axis=1,
    )
    return wide.dropna(how="all"), sessions


def _searched(model: Model, table: pd.DataFrame, asked: Question) -> SemFit:
    """Fit a structural model; its standard errors are robust, over therapists where there are ten.

    Raises
    ------
    FitError
        In the engine's words, or that there is no maximum.
    """
    clusters = None
    if asked.cluster_level != "client":
        of_client = pd.Series(asked.clusters, index=asked.rows["client"]).groupby(level=0).first()
        known = of_client.reindex(table.index)
        # A client without a complete pair of sessions is in no cluster yet: one of its own.
        clusters = known.where(known.notna(), -1 - np.arange(len(known))).to_numpy(int)
    data = sample(table[list(model.observed)].to_numpy(float), model.observed, clusters)
    fit = fit_sem(model, data, fit_measures=False)
    if not fit.convergence.converged:
        msg = "the search found no maximum."
        raise FitError(msg)
    return fit


def _fitted(
    model: Model, table: pd.DataFrame, asked: Question, found: Found, code: Estimator
) -> SemFit:
    fit = _searched(model, table, asked)
    if fit.convergence.heywood:
        words = (
            f"{sentence(NAMES[code])}: estimated a variance below zero or a correlation beyond "
            "1, which no population can have; with few sessions the client's level and what is "
            "carried over are hard to tell apart."
        )
        found.warnings.append(Fact(Warned.IMPROPER_SOLUTION, words))
    return fit


def _of_structural(
    code: Estimator, fit: SemFit, labels: Mapping[str, str], table: pd.DataFrame, asked: Question
) -> PanelEstimate:
    where = [fit.names.index(label) for label in labels.values()]
    columns = list(labels)
    covariance = fit.covariance_of("robust")[np.ix_(where, where)]
    return _estimate(
        code,
        f"clustered by {asked.cluster_level}",
        pd.Series(fit.theta[where], index=columns),
        pd.DataFrame(covariance, columns, columns),
        int(table.notna().to_numpy().sum()),
    )


def _estimate(
    code: Estimator,
    how: str,
    coefficients: pd.Series,
    covariance: pd.DataFrame,
    n_rows: int,
    df: int | None = None,
) -> PanelEstimate:
    variances = np.diag(covariance)
    if not (variances > 0).all():
        msg = "its standard errors do not exist."
        raise FitError(msg)
    se = pd.Series(np.sqrt(variances), index=coefficients.index)
    dfs = None if df is None else pd.Series(float(df), index=coefficients.index)
    return PanelEstimate(Fact(code, f"{NAMES[code]}, {how}"), WITHIN, coefficients, se, dfs, n_rows)
