"""Dropout: whether the alliance foretells who leaves after a session.

    g(h_itj) = a(t) + b_w (x_it - x̄_i,<=t) + b_b (x̄_i,<=t - x̄) + covariates + sites + u_j

h_itj is the probability that client i of therapist j, at risk after session t, leaves treatment
before session t + 1 (discrete-time hazard; Singer & Willett, 2003, ch. 11); g is the logit or the
complementary log-log, a(t) a line in log(t), a spline, or a step for every session. x̄_i,<=t is the
running mean up to session t: nothing looks ahead. Therapists (and sites, where there are ten or
more) have normal random intercepts; the estimates are therefore conditional on the therapist.
Beside them stand the same terms averaged over therapists (GLM, standard errors robust to
clustering by therapist).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from alliance import __version__
from alliance.errors import FitError
from alliance.families.common.multilevel import INTERCEPT, plain_name
from alliance.families.diagnostics import diagnose_hazard
from alliance.families.fit import (
    Cohort,
    Draft,
    estimate,
    refuse,
    require_scores,
    rows_of,
)
from alliance.families.hazard.competing import competing_fit
from alliance.families.hazard.curves import survival_curves
from alliance.families.hazard.population import population_averaged, same_model
from alliance.families.hazard.predictive import cross_validated
from alliance.families.hazard.rows import (
    ENDS,
    centred,
    refuse_separation,
    rows_at_risk,
    session_intervals,
    therapists_whose_clients_all_left,
)
from alliance.mixed import LogitFit, fit_mixed_logit

SCALE = {"logit": "log odds", "cloglog": "log hazard"}
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
    refit: Callable[[pd.DataFrame], LogitFit]


def hazard_fit(
    cohort: Cohort, name: str, entry: Mapping[str, Any], diagnosed: bool = True
) -> dict[str, Any]:
    """Return the fit of one hazard model; never raises for what the data cannot give."""
    predictors = list(entry.get("predictors", []))
    link, baseline = entry.get("link", "logit"), entry.get("baseline", "log")
    ends = entry.get("ends", ["dropout"])
    if len(ends) > 1:
        return competing_fit(cohort, name, entry)
    _, what, _, heading = ENDS[ends[0]]
    cohort = of_end(cohort, ends[0])
    labels = " and ".join(f"“{cohort.label(measure)}”" for measure in predictors)
    draft = Draft(
        model=name,
        family="hazard",
        title=f"{heading} after a session",
        question=f"Given that a client came to this session, how likely is {what} before the next, "
        + (f"and does it depend on {labels} so far?" if predictors else "and how does it change?"),
        outcome={"column": "dropout_event", "label": what, "unit": SCALE[link]},
        engine={
            "name": "alliance.mixed",
            "version": __version__,
            "estimator": "",
            "df_method": "normal approximation",
        },
    )
    draft.assumptions = [
        "Every other end, and treatment still running, takes a client out of risk and says "
        f"nothing about {what} (non-informative censoring).",
        _about_time(link, baseline),
        "Only what was known at the session enters: running means, no look-ahead.",
        "Given the predictors, therapists differ by normal random intercepts; clients of one "
        "therapist are otherwise independent.",
    ]
    try:
        for measure in predictors:
            require_scores(cohort, measure)
        fitted = _fit(draft, cohort, entry, predictors, link, baseline)
    except FitError as error:
        return refuse(draft, cohort, str(error))
    if diagnosed:
        draft.diagnostics = diagnose_hazard(fitted.fit, fitted.rows, draft.estimates, fitted.refit)
    return draft.finish()


def _end(entry: Mapping[str, Any]) -> str:
    return str(entry.get("ends", ["dropout"])[0])


def of_end(cohort: Cohort, end: str) -> Cohort:
    """Return the cohort with `dropout_event` standing for another end of treatment."""
    panel = cohort.panel
    if end == "dropout":
        return cohort
    event = pd.Series(np.where(panel["last_session"], np.nan, 0.0), index=panel.index)
    event[panel["last_session"] & (panel["end_cause"] == end).fillna(False)] = 1.0
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
    draft: Draft,
    cohort: Cohort,
    entry: Mapping[str, Any],
    predictors: Sequence[str],
    link: str,
    baseline: str,
) -> Fitted:
    extra = entry.get("fixed", [])
    risk = rows_at_risk(cohort, predictors, extra, entry.get("levels"), draft.warnings, _end(entry))
    rows, covariates = centred(risk.rows, predictors, extra)
    if baseline == "session":
        rows["session_interval"] = rows["session"].map(session_intervals(rows))
        if rows["session_interval"].nunique() < 2:
            msg = "Too few dropouts to give sessions a rate of their own: use `baseline: log`."
            raise FitError(msg)
    focal = _parts(predictors)
    terms = _terms_in_print(cohort, predictors, extra, SCALE[link])
    fixed = [INTERCEPT, BASELINES[baseline], *focal, *covariates, *risk.sites]
    refuse_separation(rows, [*focal, *covariates], terms)
    fit = _fit_engine(rows, fixed, risk.random, link, terms)
    draft.engine["estimator"] = f"{fit.method}, {link} link"
    draft.equation = fit.equation
    draft.data = rows_of(
        cohort,
        risk.kept["used"],
        risk.kept["left_out"],
        ["site", *(level for level in risk.random if level != "site"), "client"],
    )
    _fill(draft, fit, terms, SCALE[link])
    if "therapist" in risk.random and _end(entry) == "dropout":
        lost, n = therapists_whose_clients_all_left(cohort.panel)
        if lost:
            draft.warnings.append(
                f"Every client of {lost} of {n} therapists dropped out: the random intercept draws "
                "their rate towards the average, where a rate of their own would be infinite."
            )
    _check_by_glm(draft, fit, rows, terms)
    if predictors:
        spread = float(rows.groupby("client")[focal[1]].last().std())
        draft.curves = survival_curves(fit, rows, focal[1], spread, cohort.label(predictors[0]))
    if (focal or covariates) and entry.get("cross_validate", True):
        found = cross_validated(
            rows, lambda some: _fit_engine(some, fixed, risk.random, link, terms)
        )
        if found is None:
            draft.warnings.append(
                "No cross-validation: without a fifth of the therapists the model cannot be fitted."
            )
        else:
            draft.curves += found.curves
            draft.fit_statistics |= found.statistics

    def refit(some: pd.DataFrame) -> LogitFit:
        terms_there = [t for t in fixed if t != "site" or some["site"].nunique() > 1]
        return _fit_engine(some, terms_there, risk.random, link, terms, start=fit)

    return Fitted(fit, rows, refit)


def _parts(predictors: Sequence[str]) -> list[str]:
    """Return the running parts of the first predictor, which is the one in question."""
    return [f"{measure}_running_{p}" for measure in predictors[:1] for p in ("within", "between")]


def _fit_engine(
    rows: pd.DataFrame,
    fixed: Sequence[str],
    random: Sequence[str],
    link: str,
    terms: Mapping[str, Sequence[str]],
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
        for term, (label, *_) in terms.items():
            message = message.replace(f"'{term}'", f"“{label}”")
        raise FitError(message) from error


def _terms_in_print(
    cohort: Cohort, predictors: Sequence[str], extra: Sequence[str], scale: str
) -> dict[str, tuple[str, str, str, str]]:
    """Return term to (label, level, role, unit); others are printed under their own name."""
    info = {
        INTERCEPT: ("Intercept", "intercept", "adjustment", scale),
        "log(session)": ("log(session)", "time", "adjustment", f"{scale} per log unit"),
    }
    per_point = f"{scale} per point"
    for position, measure in enumerate(predictors):
        label = cohort.label(measure)
        if position == 0:
            within, between = _parts(predictors)
            info[within] = (f"{label}, this session against the client's mean so far",
                            "within-client", "main", per_point)  # fmt: skip
            info[between] = (f"{label}, the client's mean so far",
                             "between-client", "main", per_point)  # fmt: skip
        else:
            info[measure] = (f"{label}, this session", "covariate", "adjustment", per_point)
    role = "adjustment" if predictors else "main"
    for column in extra:
        info[column] = (plain_name(column), "covariate", role, f"{scale} per unit")
    return info


def _in_print(term: str, terms: Mapping[str, Any], scale: str) -> tuple[str, str, str, str]:
    if term in terms:
        return terms[term]
    column = term.partition("[")[0]
    role = terms[column][2] if column in terms else "adjustment"
    level = "time" if "session" in column else "covariate"
    return (plain_name(term), level, role, scale)


def _fill(draft: Draft, fit: LogitFit, terms: Mapping[str, Any], scale: str) -> None:
    """Fill in status, estimates, variance components and marginal effects."""
    how = fit.convergence
    draft.status = "failed" if not how.converged else "singular" if how.is_singular else "converged"
    if draft.status == "failed":
        draft.message = "The optimiser did not reach a maximum: read no number of this model."
    if draft.status == "singular":
        draft.warnings.append(
            "Singular fit: estimated as zero: " + ", ".join(how.singular_components) + ". The data "
            "show no difference between these groups; the other terms hold given that."
        )
    draft.convergence = {
        name: getattr(how, name)
        for name in ("converged", "optimiser", "evaluations", "gradient_norm", "is_singular",
                     "second_start_difference")
    } | {"singular_components": list(how.singular_components)}  # fmt: skip
    draft.estimates = [
        _row(row, _in_print(str(row["term"]), terms, scale), fit)
        for row in fit.coefficients.to_dict("records")
    ]
    draft.variance_components = [
        {
            "level": row["level"],
            "name_1": INTERCEPT,
            "name_2": INTERCEPT,
            "variance_or_covariance": row["variance_or_covariance"],
            "sd_or_correlation": row["sd_or_correlation"],
            "share": None,
        }
        for row in fit.variance_components.to_dict("records")
    ]
    draft.fit_statistics = {
        "log_likelihood": fit.log_likelihood,
        "n_parameters": fit.n_parameters,
        "aic": fit.aic,
        "events": int(fit.outcome.sum()),
    }
    for level, sd in zip(fit.n_groups, fit.standard_deviations, strict=True):
        # Larsen & Merlo (2005): the median, over two groups drawn at random, of the larger odds
        # (hazard) over the smaller one.
        draft.fit_statistics[f"median_ratio_between_{level}s"] = float(
            np.exp(np.sqrt(2.0) * sd * stats.norm.ppf(0.75))
        )
    draft.marginal_effects = [
        _marginal(row, _in_print(str(row["column"]), terms, scale))
        for row in fit.average_marginal_effects().to_dict("records")
        if row["column"] in terms and row["column"] != "session"
    ]


def _row(row: Mapping[Any, Any], printed: Sequence[str], fit: LogitFit) -> dict[str, Any]:
    label, level, role, unit = printed
    return estimate(
        str(row["term"]),
        label=label,
        role=role,
        level=level,
        estimator=f"discrete-time {fit.link} hazard, {fit.method}",
        unit=unit,
        numbers={str(key): value for key, value in row.items()},
        as_ratio=row["term"] != INTERCEPT,
    )


def _marginal(row: Mapping[Any, Any], printed: Sequence[str]) -> dict[str, Any]:
    """Return the average marginal effect of a column on the probability to leave."""
    label, level, role, unit = printed
    change = "" if row["change"] == "slope" else f": {row['change']}"
    return estimate(
        str(row["column"]) + ("" if row["change"] == "slope" else f"[{row['change']}]"),
        label=label + change,
        role=role,
        level=level,
        estimator="average marginal effect on the probability, over sessions and therapists",
        unit="probability" + unit[unit.find(" per ") :] * (" per " in unit),
        numbers={str(key): value for key, value in row.items()} | {"df": None},
    )


def _check_by_glm(
    draft: Draft, fit: LogitFit, rows: pd.DataFrame, terms: Mapping[str, Any]
) -> None:
    """Lay the regression without random effects beside the fit, as companion or second engine."""
    glm = population_averaged(fit, rows)
    if glm is None:
        draft.warnings.append(
            "No second estimate: the regression without random effects broke down in statsmodels."
        )
        return
    scale = draft.outcome["unit"]
    for row in glm.rows:
        label, level, role, unit = _in_print(row["term"], terms, scale)
        if role == "main":
            draft.companions.append(
                estimate(
                    row["term"],
                    label=label,
                    role=role,
                    level=level,
                    estimator=glm.estimator,
                    unit=unit,
                    numbers=row,
                    as_ratio=True,
                )
            )
    draft.second_engine = same_model(fit, glm)
    if draft.second_engine is None:
        draft.warnings.append(
            "No second engine: statsmodels has no maximum likelihood for a hazard with random "
            "intercepts. The regression without them stands beside the estimates; it answers for "
            "the average over therapists and lies nearer to no effect where therapists differ."
        )
    elif not draft.second_engine["agrees"]:
        draft.warnings.append(draft.second_engine["message"])
