"""What the models in continuous time say of themselves, and a Cox regression as a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from scipy import stats

from alliance import __version__
from alliance.confidence import NORMAL_975
from alliance.families.cohort import Cohort
from alliance.families.continuous_time.design import (
    UNIT,
    Design,
)
from alliance.families.diagnostics import none_of
from alliance.families.facts import (
    Assumption,
    DfMethod,
    Estimator,
    Fact,
    Tested,
    Warned,
)
from alliance.families.fit import (
    Asked,
    Convergence,
    Engine,
    Estimate,
    Fit,
    Outcome,
    Test,
    estimate,
)
from alliance.families.hazard.rows import (
    ONLY_WHAT_WAS_KNOWN,
)
from alliance.survival import (
    CoxFit,
    Rows,
    proportionality_test,
)

TITLES = {
    "cox": "Dropout in continuous time (Cox)",
    "gamma-frailty": "Dropout in continuous time, therapists with a gamma frailty",
    "gaussian-frailty": "Dropout in continuous time, therapists with a log-normal frailty",
    "fine-gray": "Share who ever drop out (Fine and Gray)",
}


ESTIMATORS = {
    "cox": Fact(Estimator.COX, "Cox partial likelihood, ties by Efron"),
    "gamma-frailty": Fact(
        Estimator.GAMMA_FRAILTY, "Cox with gamma frailty, marginal likelihood, ties by Efron"
    ),
    "gaussian-frailty": Fact(
        Estimator.GAUSSIAN_FRAILTY,
        "Cox with log-normal frailty, restricted maximum likelihood, ties by Efron",
    ),
    "fine-gray": Fact(
        Estimator.FINE_GRAY, "subdistribution hazard, weighted partial likelihood, ties by Efron"
    ),
}


FRAILTY: dict[str, Literal["gamma", "gaussian"]] = {
    "gamma-frailty": "gamma",
    "gaussian-frailty": "gaussian",
}


NO_DIAGNOSTICS = (
    "A model in continuous time has no risk of single sessions to compare with what happened; "
    "the discrete-time hazard of the same end has diagnostics."
)


def asked_of(cohort: Cohort, name: str, method: str, predictors: Sequence[str]) -> Asked:
    """Return what a model by this method asks."""
    labels = " and ".join(f"“{cohort.label(measure)}”" for measure in predictors)
    return Asked(
        name,
        "continuous_time",
        TITLES[method],
        "Do clients leave earlier "
        + (f"the weaker or stronger {labels}" if predictors else "in some groups than in others")
        + (", and do more of them ever drop out?" if method == "fine-gray" else "?"),
        Outcome("dropout_event", "dropout", UNIT),
    )


def engine_of(method: str, code: DfMethod, words: str) -> Engine:
    """Return what computes it, with the kind of standard error."""
    return Engine("alliance.survival", __version__, ESTIMATORS[method], Fact(code, words))


AT_FIRST_SCORE = Fact(
    Assumption.PREDICTORS_AT_FIRST_SCORE,
    "Predictors stand as they were at the client's first score, within the first sessions.",
)


def assumptions_of(method: str, has_scores: bool) -> list[Fact]:
    """Return what a model by this method takes for granted; of scores only where some enter."""
    if method == "fine-gray":
        return [
            Fact(
                Assumption.PROPORTIONAL_HAZARDS,
                "The ratio of subdistribution hazards for one more point is the same throughout.",
            ),
            Fact(
                Assumption.NON_INFORMATIVE_CENSORING,
                "Clients still in treatment are no others than those who have ended (censoring "
                "does not depend on the predictors).",
            ),
            *([AT_FIRST_SCORE] if has_scores else []),
        ]
    return [
        Fact(
            Assumption.NON_INFORMATIVE_CENSORING,
            "Everybody who came to a session is at risk after it (cause-specific hazard); other "
            "ends, and treatment still running, say nothing about dropout (non-informative "
            "censoring).",
        ),
        Fact(
            Assumption.PROPORTIONAL_HAZARDS,
            "The ratio of hazards for one more point is the same at every session.",
        ),
        *([ONLY_WHAT_WAS_KNOWN] if has_scores else []),
        *([_about_frailty(FRAILTY[method])] if method in FRAILTY else []),
    ]


def _about_frailty(distribution: str) -> Fact:
    shape = "gamma" if distribution == "gamma" else "log-normal"
    return Fact(
        Assumption.THERAPISTS_DIFFER_RANDOMLY,
        f"Given the predictors, therapists differ by independent frailties, {shape} distributed.",
    )


def cox_result(
    asked: Asked,
    method: str,
    fit: CoxFit,
    design: Design,
    cluster_name: str,
    *,
    statistics: Mapping[str, float] | None = None,
    **more: Any,
) -> Fit:
    """Return a Cox regression with robust errors in the form of a fit; `more` are further parts."""
    assert fit.robust_covariance is not None
    robust = f"robust to clustering by {cluster_name}, normal approximation"
    return Fit(
        asked,
        engine_of(method, DfMethod.CLUSTER_ROBUST, robust),
        status="converged" if fit.converged else "failed",
        message="" if fit.converged else "Newton's method did not reach a maximum.",
        equation="log hazard of dropout(t) = baseline(t) + " + " + ".join(design.terms),
        estimates=estimates_of(fit.coefficients, fit.robust_covariance, design, ESTIMATORS[method]),
        fit_statistics={
            "log_likelihood": fit.log_likelihood,
            "log_likelihood_without_predictors": fit.null_log_likelihood,
            "n_parameters": len(design.terms),
            "events": fit.events,
            **(statistics or {}),
        },
        convergence=Convergence(
            fit.converged, "Newton with exact Hessian", fit.iterations, fit.gradient_norm
        ),
        diagnostics=none_of(NO_DIAGNOSTICS),
        assumptions=assumptions_of(method, design.has_scores),
        **more,
    )


def estimates_of(
    values: np.ndarray, covariance: np.ndarray, design: Design, estimator: Fact
) -> list[Estimate]:
    """Return the log hazard ratios with normal intervals."""
    found = []
    for place, (value, se) in enumerate(zip(values, np.sqrt(np.diag(covariance)), strict=True)):
        half = NORMAL_975 * se
        found.append(
            estimate(
                design.terms[place],
                label=design.labels[place],
                role=design.roles[place],
                level=design.levels[place],
                estimator=estimator,
                unit=design.units[place],
                numbers={
                    "estimate": float(value),
                    "se": float(se),
                    "df": None,
                    "statistic": float(value / se),
                    "p": float(2 * stats.norm.sf(abs(value / se))),
                    "ci_low": float(value - half),
                    "ci_high": float(value + half),
                },
                as_ratio=True,
            )
        )
    return found


def proportionality(rows: Rows, fit: CoxFit, design: Design) -> tuple[list[Test], list[Fact]]:
    """Test whether effects change with the session, each term and all terms together."""
    each, together = proportionality_test(rows, fit)
    tests = [
        _test(term, label, test)
        for test, term, label in zip(each, design.terms, design.labels, strict=True)
    ]
    words = (
        "Hazards are not proportional (test over all terms): a hazard ratio is then an average "
        "over the sessions. Compare the curves."
    )
    warnings = [Fact(Warned.HAZARDS_NOT_PROPORTIONAL, words)] if together.p < 0.05 else []
    return [*tests, _test("", "all terms together", together)], warnings


def _test(term: str, label: str, found: Any) -> Test:
    return Test(
        Tested.PROPORTIONAL_HAZARDS,
        f"proportional hazards: {label}",
        found.statistic,
        found.df,
        found.p,
        term=term,
        label=label,
    )
