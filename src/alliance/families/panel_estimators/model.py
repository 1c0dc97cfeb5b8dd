"""Panel estimators: the coupling of two measures without any distribution for clients.

    y_i,t+1 = a_i + b x_it + phi y_it + c f(t) + e

by client fixed effects, their half-panel jackknife, differences with instruments (Anderson-Hsiao,
difference and system GMM), structural models in wide form (dynamic panel, random-intercept
cross-lagged), the regression of client means (between) and random effects (Swamy-Arora). They
assume different things, so that they may differ: each says what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import linearmodels
import numpy as np
import pandas as pd
from scipy import stats

from alliance.errors import FitError
from alliance.families.cohort import Cohort, require_scores
from alliance.families.common.asked import in_the_session, stated_order, with_predictor_in_order
from alliance.families.common.clustered import BY_CR2, takes_cr2
from alliance.families.common.levels import FEWEST_CLUSTERS, clusters_of
from alliance.families.common.usable_rows import time_not_known
from alliance.families.diagnostics import none_of
from alliance.families.facts import (
    Assumption,
    DfMethod,
    Estimator,
    Fact,
    Reason,
    Tested,
    Warned,
)
from alliance.families.fit import (
    Asked,
    Convergence,
    Engine,
    Estimate,
    Fit,
    Kept,
    Outcome,
    Test,
    data_of,
    estimate,
    kept_rows,
    refused,
)
from alliance.families.panel_estimators.dynamic import Question, dynamic_estimates
from alliance.families.panel_estimators.least_squares import hausman, mundlak, panel_estimates
from alliance.families.panel_estimators.panel_estimate import (
    ASSUMED,
    BOTH,
    NAMES,
    PanelEstimate,
    sentence,
)

OF_LEAST_SQUARES = (
    Estimator.FIXED_EFFECTS,
    Estimator.ANDERSON_HSIAO,
    Estimator.BETWEEN,
    Estimator.RANDOM_EFFECTS,
)
# ASSUME the regressors do not answer to earlier shocks of the outcome beyond one session
# (strict exogeneity); the lagged outcome breaks it, by about (1 + phi)/(T - 1).
ASSUMPTIONS = (
    Fact(
        Assumption.CLIENT_CONSTANTS,
        "Every estimator but “between” removes or models what is constant in a client.",
    ),
    Fact(
        Assumption.SHORT_COURSE_BIAS,
        "The outcome now is among the regressors: with few sessions its coefficient is too low by "
        "fixed effects (Nickell, 1981), too high by random effects; estimators made for it are "
        "neither, at the price of wider intervals.",
    ),
)
NO_DIAGNOSTICS = (
    "Panel estimators assume no distribution of residuals or clients, and their standard "
    "errors are robust to clustering: no diagnostics are computed for them."
)


def panel_estimators_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Fit:
    """Return the fit of one direction by every panel estimator."""
    base = entry["entry"]
    predictor, outcome, time = base["predictor"], base["outcome"], base["time"]
    x, y = cohort.label(predictor), cohort.label(outcome)
    at_once = in_the_session(cohort, predictor, outcome)
    when = "after the same session" if at_once else "at the next session"
    assumptions = [*ASSUMPTIONS, *stated_order(cohort, [predictor, outcome])]
    cohort = with_predictor_in_order(cohort, predictor, outcome)
    following, regressors = f"{outcome}_next", [predictor, outcome, time]
    asked = Asked(
        name,
        "panel_estimators",
        f"{x} → {y} {when}: panel estimators",
        f"Does the effect of “{x}” on “{y}” {when} hold if every client has "
        "a level of their own, whatever that level is?",
        Outcome(following, f"{y} {when}", cohort.unit(outcome)),
        about=entry["model"],
    )
    try:
        kept = _pairs(cohort, predictor, outcome, time)
        rows = cohort.panel[kept.used]
        clusters, level = clusters_of(rows)
        errors = base.get("cluster_errors", "rule")
        cr2 = takes_cr2(errors, len(np.unique(clusters)))
        plain = panel_estimates(rows, following, regressors, clusters, level, [time], errors)
    except FitError as error:
        why = f"The panel estimators cannot be computed: {error}"
        return refused(asked, _engine(""), cohort, why)
    question = Question(
        cohort.panel, rows, predictor, outcome, time, following, clusters, level,
        entry["most_sessions"],
    )  # fmt: skip
    dynamic = dynamic_estimates(question)
    warnings = [*_without(plain), *dynamic.warnings]
    order = [str(code) for code in NAMES]
    found = sorted(
        [*plain, *dynamic.estimates], key=lambda one: order.index(str(one.estimator.code))
    )
    if not found:
        why = "No panel estimator can be computed from these sessions."
        return refused(asked, _engine(""), cohort, why, warnings=warnings)
    tests = _tests(rows, following, regressors)
    if tests[0].statistic is None:
        words = (
            "Hausman's test is not defined here (the difference of the covariances is not positive "
            "definite): read Mundlak's."
        )
        warnings.append(Fact(Warned.TEST_NOT_DEFINED, words))
    if len(np.unique(clusters)) < FEWEST_CLUSTERS and not cr2:
        words = "Fewer than ten clusters: clustered standard errors are too small."
        warnings.append(Fact(Warned.FEW_CLUSTERS, words))
    return Fit(
        asked,
        _engine(level, cr2),
        data_of(cohort, kept, ["site", "client"]),
        status="converged",
        equation=f"{following} ~ client constant + {predictor} + {outcome} + {time}  (client "
        "constants: free, differenced away, averaged, or random)",
        estimates=[_row(one, predictor, x) for one in found],
        tests=[*tests, *dynamic.tests],
        convergence=Convergence(converged=True, optimiser="closed form"),
        diagnostics=none_of(NO_DIAGNOSTICS),
        warnings=warnings,
        assumptions=[*assumptions, *([BY_CR2] if cr2 else [])],
    )


def _engine(clustered_by: str, cr2: bool = False) -> Engine:
    code = DfMethod.CLUSTERS_SATTERTHWAITE if cr2 else DfMethod.CLUSTERS
    how = "Satterthwaite, CR2" if cr2 else "clusters − 1"
    how += f" (clustered by {clustered_by})" if clustered_by else ""
    return Engine(
        "linearmodels",
        linearmodels.__version__,
        Fact(Estimator.LEAST_SQUARES, "least squares"),
        Fact(code, how),
    )


def _pairs(cohort: Cohort, predictor: str, outcome: str, time: str) -> Kept:
    """Return the sessions that have all, and a next one.

    Raises
    ------
    FitError
        Fewer than two clients have such a session, or a measure has no scores.
    """
    require_scores(cohort, predictor)
    require_scores(cohort, outcome)
    panel, x, y = cohort.panel, cohort.label(predictor), cohort.label(outcome)
    needed = {
        f"{outcome}_next": Fact(Reason.NO_NEXT_SCORE, f"no next session with a score of {y}"),
        outcome: Fact(Reason.NO_SCORE, f"no score of {y} at this session"),
        predictor: Fact(Reason.NO_SCORE, f"no score of {x} at this session"),
        time: time_not_known(time),
    }
    kept = kept_rows(panel, {why: panel[column].isna() for column, why in needed.items()})
    if panel.loc[kept.used, "client"].nunique() < 2:
        msg = "fewer than two clients have a pair of successive sessions."
        raise FitError(msg)
    return kept


def _without(found: Sequence[PanelEstimate]) -> list[Fact]:
    """Return a warning for each estimator that these sessions cannot carry."""
    there = {one.estimator.code for one in found}
    return [
        Fact(
            Warned.ESTIMATOR_NOT_COMPUTED,
            f"{sentence(NAMES[code].partition(',')[0])}: not computed, the sessions that there "
            "are cannot carry it.",
        )
        for code in OF_LEAST_SQUARES
        if code not in there
    ]


def _tests(rows: pd.DataFrame, outcome: str, regressors: Sequence[str]) -> list[Test]:
    return [
        Test(
            Tested.HAUSMAN,
            "Hausman: fixed against random effects",
            **hausman(rows, outcome, regressors),
        ),
        Test(
            Tested.MUNDLAK,
            "Mundlak: within against between coefficients",
            kind="F",
            **mundlak(rows, outcome, regressors),
        ),
    ]


def _row(found: PanelEstimate, term: str, label: str) -> Estimate:
    value, se = float(found.coefficients[term]), float(found.se[term])
    df = None if found.df is None else float(found.df[term])
    around = stats.norm if df is None else stats.t(df)
    half = float(around.ppf(0.975)) * se
    return estimate(
        term,
        label=f"{label}, {'within and between clients' if found.level == BOTH else found.level}",
        role="main" if found.estimator.code == Estimator.FIXED_EFFECTS else "adjustment",
        level=found.level,
        estimator=found.estimator,
        unit="points per point",
        assumes=ASSUMED[Estimator(found.estimator.code)],
        numbers={
            "estimate": value,
            "se": se,
            "df": df,
            "statistic": value / se,
            "p": float(2 * around.sf(abs(value / se))),
            "ci_low": value - half,
            "ci_high": value + half,
        },
    )
