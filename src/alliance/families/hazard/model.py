"""Dropout: whether the alliance foretells who leaves after a session.

    g(h_itj) = a(t) + b_w (x_it - x̄_i,<t) + b_b (x̄_i,<t - x̄) + covariates + sites + u_j

h_itj is the probability that client i of therapist j, who came to session t, leaves treatment
before session t + 1 (discrete-time cause-specific hazard; Singer & Willett, 2003, ch. 11 and 15);
g is the logit or the complementary log-log, a(t) a line in log(t), a spline, or a step for every
session. x_it is the last known score, x̄_i,<t the mean of those before it: nothing looks ahead, and
who skipped the last form stays in. Therapists (and sites, where there are ten or
more) have normal random intercepts; the estimates are therefore conditional on the therapist.
Beside them stand the same terms averaged over therapists (GLM, standard errors robust to
clustering by therapist).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from alliance import __version__
from alliance.errors import FitError
from alliance.families.cohort import Cohort, require_scores
from alliance.families.common.clustered import BY_CR2
from alliance.families.common.multilevel import (
    INTERCEPT,
    NO_MAXIMUM,
    convergence_of,
    records,
)
from alliance.families.common.second_engine import disagreement, no_second_engine
from alliance.families.diagnostics import diagnose_hazard
from alliance.families.facts import Assumption, DfMethod, Estimator, Fact, Warned
from alliance.families.fit import (
    Asked,
    Component,
    Curve,
    Engine,
    Estimate,
    Fit,
    Outcome,
    SecondEngine,
    data_of,
    estimate,
    refused,
)
from alliance.families.hazard.competing import competing_fit
from alliance.families.hazard.curves import survival_curves
from alliance.families.hazard.population import population_averaged, same_model
from alliance.families.hazard.predictive import cross_validated
from alliance.families.hazard.printed import SCALE, Printed, in_print, running_parts, terms_in_print
from alliance.families.hazard.rows import (
    ENDS,
    ONLY_WHAT_WAS_KNOWN,
    AtRisk,
    centred,
    equation_in_print,
    refuse_separation,
    rows_at_risk,
    session_intervals,
    therapists_whose_clients_all_left,
)
from alliance.mixed import LogitFit, fit_mixed_logit

BASELINES = {
    "log": "log(session)",
    "spline": "spline(session, 3)",
    "session": "session_interval",
}
# ASSUME fifteen points: with the few events of a therapist Laplace's variance is biased towards
# zero, and from about nine points on the likelihood does not change any more.
QUADRATURE_POINTS = 15


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted hazard, the rows it was fitted to, and how to fit it to some of them."""

    fit: LogitFit
    rows: pd.DataFrame
    risk: AtRisk
    fixed: Sequence[str]
    focal: Sequence[str]
    covariates: Sequence[str]
    terms: Mapping[str, Printed]
    link: str

    def refit(self, rows: pd.DataFrame, start: LogitFit | None = None) -> LogitFit:
        """Fit the same model to some of the rows."""
        return _fit_engine(rows, self.fixed, self.risk.random, self.link, self.terms, start)

    def refit_from_here(self, rows: pd.DataFrame) -> LogitFit:
        """Fit to some of the rows, from this fit's end; without sites where one is left."""
        fixed = [t for t in self.fixed if t != "site" or rows["site"].nunique() > 1]
        return _fit_engine(rows, fixed, self.risk.random, self.link, self.terms, self.fit)


def hazard_fit(cohort: Cohort, name: str, entry: Mapping[str, Any], diagnosed: bool = True) -> Fit:
    """Return the fit of one hazard model; never raises for what the data cannot give."""
    predictors = list(entry.get("predictors", []))
    link, baseline = entry.get("link", "logit"), entry.get("baseline", "log")
    ends = entry.get("ends", ["dropout"])
    if len(ends) > 1:
        return competing_fit(cohort, name, entry)
    cohort = of_end(cohort, ends[0])
    asked = _asked(cohort, name, ends[0], predictors, SCALE[link])
    assumptions = _assumptions(ENDS[ends[0]][1], link, baseline, predictors)
    try:
        for measure in predictors:
            require_scores(cohort, measure)
        fitted = _fit(cohort, entry, predictors, link, baseline)
    except FitError as error:
        return refused(asked, _engine(""), cohort, str(error), assumptions=assumptions)
    fit, scale = fitted.fit, SCALE[link]
    convergence = convergence_of(fit.convergence)
    estimates = [
        _row(row, in_print(row["term"], fitted.terms, scale), fit)
        for row in records(fit.coefficients)
    ]
    companions, second, about_glm, how = _checked_by_glm(
        fitted, scale, entry.get("cluster_errors", "rule")
    )
    curves, statistics, about_validation = _cross_validated(fitted, entry)
    return Fit(
        asked,
        _engine(f"{fit.method}, {link} link"),
        data_of(cohort, fitted.risk.kept, ["site", *_inner(fitted.risk.random), "client"]),
        status=convergence.status,
        message=NO_MAXIMUM if convergence.status == "failed" else "",
        equation=equation_in_print(fit.equation, fitted.rows, fitted.covariates),
        estimates=estimates,
        companions=companions,
        marginal_effects=[
            _marginal(row, in_print(row["column"], fitted.terms, scale))
            for row in records(fit.average_marginal_effects())
            if row["column"] in fitted.terms and row["column"] != "session"
        ],
        variance_components=[
            Component(row["level"], INTERCEPT, INTERCEPT, row["variance_or_covariance"],
                      row["sd_or_correlation"])
            for row in records(fit.variance_components)
        ],
        fit_statistics=_statistics(fit) | statistics,
        convergence=convergence,
        second_engine=second,
        curves=[*_survival(cohort, fitted, predictors), *curves],
        diagnostics=(
            diagnose_hazard(fit, fitted.rows, estimates, fitted.refit_from_here)
            if diagnosed
            else None
        ),
        warnings=[
            *fitted.risk.warnings,
            *_singular(fit),
            *_every_client_left(cohort, fitted.risk, ends[0]),
            *about_glm,
            *about_validation,
        ],
        assumptions=[*assumptions, *how],
    )  # fmt: skip


def _asked(cohort: Cohort, name: str, end: str, predictors: Sequence[str], scale: str) -> Asked:
    _, what, _, heading = ENDS[end]
    labels = " and ".join(f"“{cohort.label(measure)}”" for measure in predictors)
    return Asked(
        name,
        "hazard",
        f"{heading} after a session",
        f"Given that a client came to this session, how likely is {what} before the next, "
        + (f"and does it depend on {labels} so far?" if predictors else "and how does it change?"),
        Outcome("dropout_event", what, scale),
    )


def _engine(estimator: str) -> Engine:
    return Engine(
        "alliance.mixed",
        __version__,
        Fact(Estimator.HAZARD, estimator),
        Fact(DfMethod.NORMAL, "normal approximation"),
    )


def _assumptions(what: str, link: str, baseline: str, predictors: Sequence[str]) -> list[Fact]:
    return [
        Fact(
            Assumption.NON_INFORMATIVE_CENSORING,
            "Everybody who came to a session is at risk after it, those who ended otherwise there "
            "included (cause-specific hazard); treatment still running takes a client out of risk "
            f"and says nothing about {what} (non-informative censoring).",
        ),
        Fact(Assumption.HAZARD_SHAPE, _about_time(link, baseline)),
        *([ONLY_WHAT_WAS_KNOWN] if predictors else []),
        Fact(
            Assumption.THERAPISTS_DIFFER_RANDOMLY,
            "Given the predictors, therapists (and sites, from ten on) differ by normal random "
            "intercepts where the model has them; clients of one are otherwise independent.",
        ),
    ]


def _inner(levels: Sequence[str]) -> list[str]:
    return [level for level in levels if level != "site"]


def _end(entry: Mapping[str, Any]) -> str:
    return str(entry.get("ends", ["dropout"])[0])


def of_end(cohort: Cohort, end: str) -> Cohort:
    """Return the cohort with `dropout_event` standing for another end of treatment."""
    panel = cohort.panel
    if end == "dropout":
        return cohort
    so = panel["last_session"] & (panel["end_cause"] == end).fillna(False)
    event = so.astype(float).where(panel["dropout_event"].notna())
    return replace(cohort, panel=panel.assign(dropout_event=event))


def _about_time(link: str, baseline: str) -> str:
    shape = {
        "log": "changes linearly with log(session)",
        "spline": "changes smoothly over sessions (natural spline)",
        "session": "has a value of its own in every session (thin sessions joined)",
    }[baseline]
    scale = {"logit": "The log odds of leaving so", "cloglog": "The log hazard"}[link]
    return f"{scale} {shape} and linearly with each predictor."


def _fit(
    cohort: Cohort, entry: Mapping[str, Any], predictors: Sequence[str], link: str, baseline: str
) -> Fitted:
    extra = entry.get("fixed", [])
    risk = rows_at_risk(cohort, predictors, extra, entry.get("levels"), _end(entry))
    rows, covariates = centred(risk.rows, predictors, extra)
    if baseline == "session":
        rows["session_interval"] = rows["session"].map(session_intervals(rows))
        if rows["session_interval"].nunique() < 2:
            msg = "Too few dropouts to give sessions a rate of their own: use `baseline: log`."
            raise FitError(msg)
    focal = running_parts(predictors)
    terms = terms_in_print(cohort, predictors, extra, SCALE[link])
    fixed = [INTERCEPT, BASELINES[baseline], *focal, *covariates, *risk.sites]
    refuse_separation(rows, [*focal, *covariates], terms)
    fit = _fit_engine(rows, fixed, risk.random, link, terms)
    return Fitted(fit, rows, risk, fixed, focal, covariates, terms, link)


def _every_client_left(cohort: Cohort, risk: AtRisk, end: str) -> list[Fact]:
    """Return the warning that some therapists lost all their clients, where that is so."""
    if "therapist" not in risk.random or end != "dropout":
        return []
    lost, n = therapists_whose_clients_all_left(cohort.panel)
    words = (
        f"Every client of {lost} of {n} therapists dropped out: the random intercept draws "
        "their rate towards the average, where a rate of their own would be infinite."
    )
    return [Fact(Warned.EVERY_CLIENT_LEFT, words)] if lost else []


def _survival(cohort: Cohort, fitted: Fitted, predictors: Sequence[str]) -> list[Curve]:
    """Return the shares still in treatment for weak, average and strong first predictors."""
    if not predictors:
        return []
    between = fitted.focal[1]
    spread = float(fitted.rows.groupby("client")[between].last().std())
    return survival_curves(fitted.fit, fitted.rows, between, spread, cohort.label(predictors[0]))


def _cross_validated(
    fitted: Fitted, entry: Mapping[str, Any]
) -> tuple[list[Curve], dict[str, float], list[Fact]]:
    """Return curves and statistics of clients not seen by the model, or why there are none."""
    if not (fitted.focal or fitted.covariates) or not entry.get("cross_validate", True):
        return [], {}, []
    found = cross_validated(fitted.rows, fitted.refit)
    if found is not None:
        return list(found.curves), dict(found.statistics), []
    words = "No cross-validation: without a fifth of the therapists the model cannot be fitted."
    return [], {}, [Fact(Warned.NOT_CROSS_VALIDATED, words)]


def _fit_engine(
    rows: pd.DataFrame,
    fixed: Sequence[str],
    random: Sequence[str],
    link: str,
    terms: Mapping[str, Printed],
    start: LogitFit | None = None,
) -> LogitFit:
    """Fit by quadrature at one level, by Laplace at two; refusals name what is printed."""
    columns = {"session", "session_interval", "site", "dropout_event", *random, *fixed}
    try:
        return fit_mixed_logit(
            rows[[column for column in rows if column in columns]],
            outcome="dropout_event",
            fixed=list(fixed),
            random={level: [INTERCEPT] for level in random},
            link=link,  # type: ignore[arg-type]
            quadrature=QUADRATURE_POINTS if len(random) == 1 else 1,
            start=start,
        )
    except FitError as error:
        message = str(error)
        for term, printed in terms.items():
            message = message.replace(f"'{term}'", f"“{printed.label}”")
        raise FitError(message) from error


def _singular(fit: LogitFit) -> list[Fact]:
    how = fit.convergence
    if not (how.converged and how.is_singular):
        return []
    words = (
        "Singular fit: estimated as zero: " + ", ".join(how.singular_components) + ". These data "
        "do not tell these groups apart; the other terms hold given that."
    )
    return [Fact(Warned.SINGULAR, words)]


def _statistics(fit: LogitFit) -> dict[str, float]:
    # Larsen & Merlo (2005): the median, over two groups drawn at random, of the larger odds
    # (hazard) over the smaller one.
    medians = {
        f"median_ratio_between_{level}s": float(np.exp(np.sqrt(2.0) * sd * stats.norm.ppf(0.75)))
        for level, sd in zip(fit.n_groups, fit.standard_deviations, strict=True)
    }
    return {
        "log_likelihood": fit.log_likelihood,
        "n_parameters": fit.n_parameters,
        "aic": fit.aic,
        "events": int(fit.outcome.sum()),
    } | medians


def _row(row: Mapping[str, Any], printed: Printed, fit: LogitFit) -> Estimate:
    return estimate(
        row["term"],
        **printed._asdict(),
        estimator=Fact(Estimator.HAZARD, f"discrete-time {fit.link} hazard, {fit.method}"),
        numbers=row,
        as_ratio=row["term"] != INTERCEPT,
    )


def _marginal(row: Mapping[str, Any], printed: Printed) -> Estimate:
    """Return the average marginal effect of a column on the probability to leave."""
    is_slope, unit = row["change"] == "slope", printed.unit
    return estimate(
        row["column"] + ("" if is_slope else f"[{row['change']}]"),
        label=printed.label + ("" if is_slope else f": {row['change']}"),
        role=printed.role,
        level=printed.level,
        estimator=Fact(
            Estimator.MARGINAL_EFFECT,
            "average marginal effect on the probability, over sessions and groups",
        ),
        unit="probability" + unit[unit.find(" per ") :] * (" per " in unit),
        numbers=dict(row) | {"df": None},
    )


def _checked_by_glm(
    fitted: Fitted, scale: str, errors: str
) -> tuple[list[Estimate], SecondEngine | None, list[Fact], list[Fact]]:
    """Return the regression without random effects as companions, or as the second engine.

    Then warnings, and what is to be said of its standard errors.
    """
    glm = population_averaged(fitted.fit, fitted.rows, errors)
    if glm is None:
        words = (
            "No second estimate: the regression without random effects broke down in statsmodels."
        )
        return [], None, [Fact(Warned.NO_SECOND_ESTIMATE, words)], []
    how = [BY_CR2] if glm.by_cr2 else []
    companions = [
        estimate(row["term"], **printed._asdict(), estimator=glm.estimator, numbers=row,
                 as_ratio=True)
        for row, printed in ((row, in_print(row["term"], fitted.terms, scale)) for row in glm.rows)
        if printed.role == "main"
    ]  # fmt: skip
    second = same_model(fitted.fit, glm)
    if second is not None:
        return companions, second, disagreement(second), how
    words = (
        "statsmodels has no maximum likelihood for a hazard with random intercepts. The regression "
        "without them stands beside the estimates; it answers for the average over these groups "
        "and lies nearer to no effect where they differ."
    )
    return companions, None, [no_second_engine(words)], how
