"""When clients leave, in continuous time: a check on the session-by-session hazard.

    cox               h_i(t) = h0(t) exp(b_w (x_it - x̄_i,<t) + b_b (x̄_i,<t - x̄) + ...), start-stop
                      rows, Efron's ties, robust to clustering by therapist; with the test of
                      proportional hazards
    gamma-frailty     the same times a therapist's frailty w_j, gamma or log-normal, given which
    gaussian-frailty  clients are independent
    fine-gray         the hazard of the subdistribution: who has left by another way stays in the
                      risk set, so that exp(b) speaks of the share who ever drop out; predictors as
                      they stood at the first score

Time is the number of the session: a row is (t - 1, t], with what was known at session t, for the
sessions at risk of `alliance.families.hazard.rows`. Nothing looks ahead. Estimators:
`alliance.survival`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.cohort import Cohort, require_scores
from alliance.families.common.levels import clusters_of
from alliance.families.common.second_engine import (
    compared,
    disagreement,
    no_comparison,
    no_second_engine,
)
from alliance.families.continuous_time.design import (
    Design,
    start_stop_design,
)
from alliance.families.continuous_time.fine_gray import fine_gray_fit
from alliance.families.continuous_time.results import (
    ESTIMATORS,
    FRAILTY,
    NO_DIAGNOSTICS,
    asked_of,
    assumptions_of,
    cox_result,
    engine_of,
    estimates_of,
    proportionality,
)
from alliance.families.diagnostics import none_of
from alliance.families.facts import (
    DfMethod,
    Fact,
    Warned,
)
from alliance.families.fit import (
    Asked,
    Component,
    Convergence,
    Fit,
    SecondEngine,
    data_of,
    refused,
)
from alliance.families.hazard.rows import (
    AtRisk,
    rows_at_risk,
)
from alliance.survival import (
    CoxFit,
    FrailtyFit,
    Rows,
    cox_rows,
    fit_cox,
    fit_frailty,
)


def continuous_time_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Fit:
    """Return the fit of one model; never raises for what the data cannot give."""
    method, predictors = entry.get("method", "cox"), list(entry.get("predictors", []))
    extra = list(entry.get("fixed", []))
    asked = asked_of(cohort, name, method, predictors)
    try:
        for measure in predictors:
            require_scores(cohort, measure)
        if not predictors and not extra:
            msg = "The model names neither predictors nor other columns: there is nothing to ask."
            raise FitError(msg)
        if method == "fine-gray":
            return fine_gray_fit(asked, cohort, predictors, extra)
        risk = rows_at_risk(cohort, predictors, extra, None if method in FRAILTY else [])
        design = start_stop_design(cohort, risk, predictors, extra)
        if method in FRAILTY:
            return _frailty(asked, cohort, risk, design, method)
        return _cox(asked, cohort, risk, design)
    except FitError as error:
        engine = engine_of(method, DfMethod.NONE, "")
        assumptions = assumptions_of(method, bool(predictors))
        return refused(asked, engine, cohort, str(error), assumptions=assumptions)


def _prepared(risk: AtRisk, design: Design, group: np.ndarray | None = None) -> Rows:
    stop = risk.rows["session"].to_numpy(float)
    event = risk.rows["dropout_event"].to_numpy()
    return cox_rows(stop - 1, stop, event, design.x, group=group)


def _about_sites(risk: AtRisk) -> list[Fact]:
    words = "Many sites: differences between them are not adjusted for here."
    return [Fact(Warned.SITES_NOT_ADJUSTED_FOR, words)] if "site" in risk.random else []


def _cox(asked: Asked, cohort: Cohort, risk: AtRisk, design: Design) -> Fit:
    prepared = _prepared(risk, design)
    clusters, cluster_name = clusters_of(risk.rows)
    fit = fit_cox(prepared, clusters)
    second = _phreg(risk.rows, design, fit)
    tests, about_tests = proportionality(prepared, fit, design)
    return cox_result(
        asked,
        "cox",
        fit,
        design,
        cluster_name,
        data=data_of(cohort, risk.kept, ["site", "client"]),
        tests=tests,
        second_engine=second,
        warnings=[*risk.warnings, *_about_sites(risk), *about_tests, *disagreement(second)],
    )


def _frailty(asked: Asked, cohort: Cohort, risk: AtRisk, design: Design, method: str) -> Fit:
    if "therapist" not in risk.random:
        msg = "A frailty of therapists needs a cohort that tells therapists apart."
        raise FitError(msg)
    distribution = FRAILTY[method]
    group = pd.factorize(risk.rows["therapist"])[0]
    fit = fit_frailty(_prepared(risk, design, group), distribution)
    convergence = Convergence(
        fit.converged,
        "Newton within a search for the variance",
        fit.iterations,
        fit.gradient_norm,
        fit.is_singular,
        ("therapist: variance of the frailty is 0",) if fit.is_singular else (),
    )
    name = "frailty" if distribution == "gamma" else "log_frailty"
    return Fit(
        asked,
        engine_of(method, DfMethod.NORMAL, "normal approximation"),
        data_of(cohort, risk.kept, ["site", "therapist", "client"]),
        status=convergence.status,
        message="" if fit.converged else "The search for the variance of the frailty did not end.",
        equation="log hazard of dropout(t) = baseline(t) + "
        + " + ".join(design.terms)
        + f" + log frailty of the therapist ({distribution})",
        estimates=estimates_of(fit.coefficients, fit.covariance, design, ESTIMATORS[method]),
        variance_components=[
            Component("therapist", name, name, fit.variance, float(np.sqrt(fit.variance)))
        ],
        fit_statistics={
            "log_likelihood": fit.log_likelihood,
            "log_likelihood_without_frailty": fit.null_log_likelihood,
            "n_parameters": len(design.terms) + 1,
            "events": int(risk.rows["dropout_event"].sum()),
        },
        convergence=convergence,
        diagnostics=none_of(NO_DIAGNOSTICS),
        warnings=[
            *risk.warnings,
            *_about_sites(risk),
            *_singular(fit),
            no_second_engine("statsmodels has no frailty."),
        ],
        assumptions=assumptions_of(method, design.has_scores),
    )


def _singular(fit: FrailtyFit) -> list[Fact]:
    words = (
        "Singular fit: estimated as zero: therapist: variance of the frailty. These data do "
        "not tell therapists apart; the model is the Cox regression without frailty."
    )
    return [Fact(Warned.SINGULAR, words)] if fit.is_singular else []


def _phreg(rows: pd.DataFrame, design: Design, fit: CoxFit) -> SecondEngine:
    """Fit the same model by statsmodels' PHReg; it knows ties by Efron, and rows that start late.

    PHReg counts a row at risk at its own start, so its rows start half a session later.
    """
    from statsmodels.duration.hazard_regression import PHReg

    stop = rows["session"].to_numpy(float)
    model = PHReg(
        stop,
        design.x - design.x.mean(axis=0),
        status=rows["dropout_event"].to_numpy(),
        entry=stop - 0.5,
        ties="efron",
    )
    nothing = no_comparison("PHReg", "broke down")
    try:
        theirs = model.fit()
    except (np.linalg.LinAlgError, ValueError):
        return nothing
    errors = np.sqrt(np.diag(fit.covariance))
    difference = np.abs(np.asarray(theirs.params) - fit.coefficients) / errors
    if not np.isfinite(difference).all():
        return nothing
    return compared("PHReg", float(theirs.llf - fit.log_likelihood), float(difference.max()))
