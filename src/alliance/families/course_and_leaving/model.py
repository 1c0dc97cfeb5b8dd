"""Course and leaving: what a client's course has to do with who leaves, in one model.

    y_ti = b0 + b1 f(t) + sites + v_j + u0_i + u1_i f(t) + e_ti
    g(h_ti) = g0 + g1 log(t) + sites + a m_ti + w_j,    m_ti the course without its error

h_ti is the probability of leaving after session t. If leaving goes with the course (a is not 0),
the scores that are missing after it are not missing at random given those that there are, and the
course from those who stayed is not that of all (docs/missing.md). Beside the joint model stand the
models fitted apart, and how the mean change moves as the association is taken to be stronger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from alliance import __version__
from alliance.errors import FitError
from alliance.families.cohort import Cohort, require_scores
from alliance.families.common.multilevel import (
    INTERCEPT,
    NO_MAXIMUM,
    convergence_of,
    plain_name,
    singular_warning,
)
from alliance.families.common.second_engine import no_second_engine
from alliance.families.common.times import PER
from alliance.families.common.with_interval import with_interval
from alliance.families.course_and_leaving.apart import Apart, fitted_apart
from alliance.families.course_and_leaving.design import Design, designed
from alliance.families.course_and_leaving.sensitivity import (
    PLACE_OF_CHANGE,
    Worsening,
    spread_of_course,
    worsening,
)
from alliance.families.diagnostics import none_of
from alliance.families.facts import Assumption, DfMethod, Estimator, Fact
from alliance.families.fit import (
    Asked,
    Component,
    Curve,
    Engine,
    Estimate,
    Fit,
    Outcome,
    Residual,
    data_of,
    estimate,
    refused,
)
from alliance.families.hazard.printed import SCALE
from alliance.mixed.joint import JointFit, fit_joint

ENGINE = Engine(
    "alliance.mixed.joint",
    __version__,
    Fact(Estimator.COURSE_AND_LEAVING, "joint model, maximum likelihood by adaptive quadrature"),
    Fact(DfMethod.NORMAL, "normal approximation"),
)
TWO_STAGE = Fact(Estimator.TWO_STAGE, "in two stages: the course as predicted, taken as known")
LAST_SCORE = Fact(Estimator.LAST_SCORE, "the last known score in place of the course")
COURSE_ALONE = Fact(Estimator.COURSE_ALONE, "the course alone, missing at random")
NO_DIAGNOSTICS = (
    "The course and the hazard have diagnostics where they are fitted apart (family growth, "
    "family hazard)."
)
IN_WORDS = {
    "value": "the client's course at the session",
    "change": "the client's change per unit of time",
    "level": "the client's level against the mean course",
    "line": "the client's slope against the mean course",
}


def course_and_leaving_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Fit:
    """Return the fit of a course and leaving; never raises for what the data cannot give."""
    outcome, time = entry["outcome"], entry["time"]
    association, link = list(entry.get("association", ["value"])), entry.get("link", "logit")
    asked = _asked(cohort, name, outcome)
    try:
        require_scores(cohort, outcome)
        design = designed(cohort, outcome, time, association, link, entry.get("levels"))
        apart = fitted_apart(design, outcome, time, link)
        fit = fit_joint(design.courses, design.risk, apart.start, therapist=design.therapist)
        worse = worsening(design, fit) if association == ["value"] else None
    except FitError as error:
        return refused(asked, ENGINE, cohort, str(error), assumptions=ASSUMED)
    convergence = convergence_of(fit.convergence)
    label, scale = cohort.label(outcome), SCALE[link]
    spread = spread_of_course(design, fit) if association == ["value"] else None
    return Fit(
        asked,
        ENGINE,
        data_of(cohort, design.kept, ["site", *design.levels]),
        status=convergence.status,
        message=NO_MAXIMUM if convergence.status == "failed" else "",
        equation=_equation(outcome, time, association, link, design),
        estimates=_estimates(fit, design, label, scale, association, spread),
        companions=_companions(apart, label, scale, association, time),
        variance_components=_components(fit, time),
        residual=Residual(fit.parameters.sigma),
        fit_statistics=_statistics(fit, design, worse),
        convergence=convergence,
        curves=[] if worse is None else [_curve(worse, label, time)],
        diagnostics=none_of(NO_DIAGNOSTICS),
        warnings=[
            *singular_warning(fit.convergence),
            *design.notes,
            no_second_engine("statsmodels has no joint model of a course and leaving."),
        ],
        assumptions=ASSUMED,
    )


def _asked(cohort: Cohort, name: str, outcome: str) -> Asked:
    label = cohort.label(outcome)
    return Asked(
        name,
        "course_and_leaving",
        f"{label} and leaving in one model",
        f"Do clients leave whose “{label}” stands lower or higher, and what would the mean course "
        "be if nobody had left?",
        Outcome(f"{outcome}, dropout_event", f"{label} and dropout", cohort.unit(outcome)),
    )


# ASSUME leaving and scores are independent given the effects of client and therapist.
ASSUMED = [
    Fact(
        Assumption.SHARED_EFFECTS,
        "Given the levels and lines of clients and therapists, leaving has nothing to do with the "
        "scores: it goes with the course, not with a single session's deviation from it.",
    ),
    Fact(
        Assumption.NORMAL_EFFECTS,
        "Clients' levels and lines, therapists' levels in the course and in leaving, and residuals "
        "are normal; the two effects of a therapist are independent.",
    ),
    Fact(
        Assumption.NON_INFORMATIVE_CENSORING,
        "Agreed completion, transfer and treatment still running tell nothing of the course beyond "
        "the scores; forms left out before the end are missing at random.",
    ),
]


def _equation(
    outcome: str, time: str, association: Sequence[str], link: str, design: Design
) -> str:
    of_course = " + (1 | therapist)" if design.therapist is not None else ""
    hazard = [*design.hazard_terms, *(f"{one} of the course" for one in association)]
    return (
        f"{outcome} ~ {' + '.join(design.course_terms)}{of_course} + (1 + {time} | client); "
        f"{link}(leaving) ~ {' + '.join(hazard)}{of_course}"
    )


def _estimates(
    fit: JointFit, design: Design, label: str, scale: str, association: Sequence[str],
    spread: float | None,
) -> list[Estimate]:  # fmt: skip
    """Return the associations, the course, and what the hazard is adjusted for."""
    values, errors = fit.vector, fit.errors
    begin = fit.shape.alpha.start
    found = []
    for k, one in enumerate(association):
        value, se = float(values[begin + k]), float(errors[begin + k])
        found.append(estimate(
            f"leaving: {one}", label=f"{label}, {IN_WORDS[one]}", role="main", level="client",
            estimator=ENGINE.estimator, unit=f"{scale} per point", as_ratio=True,
            numbers=with_interval(value, se), standardised=spread and value * spread,
        ))  # fmt: skip
    for k, term in enumerate(design.course_terms):
        found.append(estimate(
            term, label=f"{label}: {_name(term)}",
            role="main" if k == PLACE_OF_CHANGE else "adjustment",
            level="time" if k == PLACE_OF_CHANGE else "course", estimator=ENGINE.estimator,
            unit="points" if term == INTERCEPT else "points per unit",
            numbers=with_interval(float(values[k]), float(errors[k])),
        ))  # fmt: skip
    first = int(fit.shape.ends[2])
    for k, term in enumerate(design.hazard_terms):
        found.append(estimate(
            f"leaving: {term}", label=f"Leaving: {_name(term)}", role="adjustment", level="leaving",
            estimator=ENGINE.estimator, unit=scale if term == INTERCEPT else f"{scale} per unit",
            as_ratio=term != INTERCEPT,
            numbers=with_interval(float(values[first + k]), float(errors[first + k])),
        ))  # fmt: skip
    return found


def _name(term: str) -> str:
    return "intercept" if term == INTERCEPT else plain_name(term)


def _companions(
    apart: Apart, label: str, scale: str, association: Sequence[str], time: str
) -> list[Estimate]:
    """Return the association by the two ways that are known to draw it towards zero, and MAR."""
    found = []
    for how, row in ((LAST_SCORE, apart.last_score), (TWO_STAGE, apart.two_stage)):
        if row is not None and "value" in association:
            found.append(estimate(
                "leaving: value", label=f"{label}, {IN_WORDS['value']}", role="main",
                level="client", estimator=how, unit=f"{scale} per point", as_ratio=True,
                numbers=dict(row) | {"df": None},
            ))  # fmt: skip
    table = apart.course.coefficients.set_index("term")
    value, se = float(table["estimate"][time]), float(table["se"][time])
    found.append(estimate(
        time, label=f"{label}: {_name(time)}", role="main", level="time", estimator=COURSE_ALONE,
        unit="points per unit", numbers=with_interval(value, se),
    ))  # fmt: skip
    return found


def _components(fit: JointFit, time: str) -> list[Component]:
    at = fit.parameters
    covariance = at.factor @ at.factor.T
    sd = np.sqrt(np.diag(covariance))
    bound = float(covariance[1, 0] / sd.prod()) if sd.min() > 0 else None
    found = [
        Component("client", INTERCEPT, INTERCEPT, float(covariance[0, 0]), float(sd[0])),
        Component("client", time, time, float(covariance[1, 1]), float(sd[1])),
        Component("client", INTERCEPT, time, float(covariance[1, 0]), bound),
    ]
    if fit.shape.therapists:
        course, leaving = abs(at.sd_course), abs(at.sd_hazard)
        found += [
            Component("therapist", INTERCEPT, INTERCEPT, course**2, course),
            Component("therapist", "leaving", "leaving", leaving**2, leaving),
        ]
    return [*found, Component("session", "residual", "residual", at.sigma**2, at.sigma)]


def _statistics(fit: JointFit, design: Design, worse: Worsening | None) -> dict[str, float | None]:
    found: dict[str, float | None] = {
        "log_likelihood": fit.log_likelihood,
        "n_parameters": fit.n_parameters,
        "aic": 2.0 * (fit.n_parameters - fit.log_likelihood),
        "events": int(design.risk.event.sum()),
        "log_likelihood_with_more_nodes_minus_this": fit.nodes_error,
    }
    if worse is not None:
        found["change_loses_its_sign_at"] = worse.loses("sign")
        found["change_loses_its_interval_at"] = worse.loses("interval")
    return found


def _curve(worse: Worsening, label: str, time: str) -> Curve:
    return Curve(
        "worsening",
        "joint model",
        "Log odds of leaving per SD of the course, taken as given",
        f"{label}: mean change {PER[time]}",
        worse.per_sd,
        worse.estimate,
        worse.low,
        worse.high,
    )
