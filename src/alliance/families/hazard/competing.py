"""Several ways to leave at once: competing ends against none of them.

    log P(end k after session t) / P(none of them) = x_it'b_k,   k = dropout, completion, ...

a multinomial logit on the sessions at risk (Singer & Willett, 2003, ch. 15), with the predictors
and the risk set of the hazard of one end: with one end it is that hazard. A predictor may foretell
both who drops out and who completes; the share that ends in one way depends on both. No random
intercepts: standard errors are robust to clustering by therapist. statsmodels' `MNLogit` is the
second engine.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from alliance import __version__
from alliance.errors import FitError
from alliance.families.cohort import Cohort, require_scores
from alliance.families.common.levels import clusters_of, site_terms
from alliance.families.common.multilevel import plain_name
from alliance.families.common.references import others_than_reference
from alliance.families.common.second_engine import compared, disagreement, no_comparison
from alliance.families.diagnostics import none_of
from alliance.families.facts import Assumption, DfMethod, Estimator, Fact, Warned
from alliance.families.fit import (
    Asked,
    Convergence,
    Engine,
    Estimate,
    Fit,
    Kept,
    Outcome,
    Role,
    SecondEngine,
    data_of,
    estimate,
    kept_rows,
    refused,
)
from alliance.families.hazard.rows import (
    ENDS,
    FEWEST_EVENTS,
    IN_WORDS,
    ONLY_WHAT_WAS_KNOWN,
    known,
    out_of_risk,
)
from alliance.survival import MultinomialFit, fit_multinomial

ESTIMATOR = Fact(Estimator.MULTINOMIAL_LOGIT, "multinomial logit, maximum likelihood")
ASSUMPTIONS = (
    Fact(
        Assumption.NON_INFORMATIVE_CENSORING,
        "Everybody who came to a session is at risk of each end after it; treatment still running "
        "takes a client out of risk and says nothing about the ends (non-informative censoring).",
    ),
    Fact(
        Assumption.HAZARD_SHAPE,
        "The log odds of each end against none of them change linearly with log(session) and with "
        "each predictor.",
    ),
)
NO_DIAGNOSTICS = (
    "A model of several ends has no random effects, and its standard errors allow for "
    "therapists as they are: no diagnostics are computed for it."
)
Column = tuple[str, np.ndarray, str, str, Role]


@dataclass(frozen=True, slots=True)
class Rows:
    """The sessions at risk of one of several ends, and what they were followed by.

    Attributes
    ----------
    rows
        Of the panel, with every predictor.
    outcome
        0 where none of them followed, k after the k-th end; shape (n,).
    kept
        Which rows of the panel these are.
    """

    rows: pd.DataFrame
    outcome: np.ndarray
    kept: Kept


def _assumptions(entry: Mapping[str, Any]) -> list[Fact]:
    """Return what is assumed; where no score enters, nothing is said of scores."""
    return [*ASSUMPTIONS, *([ONLY_WHAT_WAS_KNOWN] if entry.get("predictors") else [])]


def competing_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Fit:
    """Return the fit of several ends; never raises for what the data cannot give."""
    ends, predictors = list(entry["ends"]), list(entry.get("predictors", []))
    asked = _asked(cohort, name, ends, predictors)
    try:
        for measure in predictors:
            require_scores(cohort, measure)
        found = _rows_at_risk(cohort, ends, predictors, list(entry.get("fixed", [])))
        columns, about_sites = _columns(cohort, found, predictors, list(entry.get("fixed", [])))
    except FitError as error:
        return refused(asked, _engine(""), cohort, str(error), assumptions=_assumptions(entry))
    x = np.column_stack([column[1] for column in columns])
    clusters, cluster_name = clusters_of(found.rows)
    fit, df = fit_multinomial(found.outcome, x, clusters), int(clusters.max())
    second = _mnlogit(found.outcome, x, fit)
    return Fit(
        asked,
        _engine(f"cluster-robust by {cluster_name}, t with {df} df"),
        data_of(cohort, found.kept, ["site", "client"]),
        status="converged" if fit.converged else "failed",
        message="" if fit.converged else "Newton's method did not reach a maximum.",
        equation="log odds of each end against none of them = "
        + " + ".join(_in_equation(column) for column in columns),
        estimates=_estimates(fit, columns, ends, df),
        fit_statistics={
            "log_likelihood": fit.log_likelihood,
            "n_parameters": fit.coefficients.size,
            "aic": -2 * fit.log_likelihood + 2 * fit.coefficients.size,
            **{ENDS[end][2]: int((found.outcome == k).sum()) for k, end in enumerate(ends, 1)},
        },
        convergence=Convergence(
            fit.converged, "Newton with exact Hessian", fit.iterations, fit.gradient_norm
        ),
        second_engine=second,
        diagnostics=none_of(NO_DIAGNOSTICS),
        warnings=[*about_sites, *disagreement(second)],
        assumptions=_assumptions(entry),
    )


def _asked(cohort: Cohort, name: str, ends: Sequence[str], predictors: Sequence[str]) -> Asked:
    named = " or ".join(ENDS[end][1] for end in ends)
    labels = " and ".join(f"“{cohort.label(measure)}”" for measure in predictors)
    return Asked(
        name,
        "hazard",
        " or ".join(ENDS[end][3].lower() for end in ends).capitalize() + " after a session",
        f"Given that a client came to this session, how likely is {named} before the next"
        + (f", and does each depend on {labels} so far?" if predictors else "?"),
        Outcome("end_cause", named, "log odds against none of these ends"),
    )


def _engine(df_method: str) -> Engine:
    how = Fact(DfMethod.CLUSTER_ROBUST, df_method)
    return Engine("alliance.survival", __version__, ESTIMATOR, how)


def _rows_at_risk(
    cohort: Cohort, ends: Sequence[str], predictors: Sequence[str], extra: Sequence[str]
) -> Rows:
    """Return the rows that can be used.

    Raises
    ------
    FitError
        A column is not there, or too few clients ended in one of the ways.
    """
    panel = cohort.panel
    kept = kept_rows(panel, out_of_risk(cohort, predictors, extra))
    cause = panel["end_cause"].astype(object).where(panel["last_session"])
    code = cause.map({end: k for k, end in enumerate(ends, 1)}).astype(float).fillna(0.0)
    outcome = code[kept.used].to_numpy(int)
    for k, end in enumerate(ends, 1):
        count = int((outcome == k).sum())
        if count < FEWEST_EVENTS:
            msg = (
                f"Only {count} {ENDS[end][2][:-1]}(s) among the rows with every predictor: at "
                f"least {FEWEST_EVENTS} are needed."
            )
            raise FitError(msg)
    if not (outcome == 0).any():
        msg = "Everybody left after the first session: there is nobody to compare with."
        raise FitError(msg)
    return Rows(panel[kept.used], outcome, kept)


def _in_equation(column: Column) -> str:
    """Return a column's term; numbers that are covariates entered centred."""
    term, _, _, level, _ = column
    return f"center({term})" if level == "covariate" and "[" not in term else term


def _columns(
    cohort: Cohort, found_rows: Rows, predictors: Sequence[str], extra: Sequence[str]
) -> tuple[list[Column], list[Fact]]:
    """Return (term, values, label, level, role) of each column, the intercept first.

    Raises
    ------
    FitError
        A column is the same in every row.
    """
    rows = found_rows.rows
    found: list[Column] = [
        ("1", np.ones(len(rows)), "Intercept", "intercept", "adjustment"),
        ("log(session)", np.log(rows["session"].to_numpy(float)), "log(session)", "time",
         "adjustment"),
    ]  # fmt: skip
    for measure in predictors[:1]:
        label = cohort.label(measure)
        for part, words in IN_WORDS.items():
            column = f"{measure}_running_{part}"
            values = rows[column].to_numpy(float)
            found.append((column, values, f"{label}, {words}", f"{part}-client", "main"))
    sites, about_sites = _sites(found_rows)
    others = {known(measure): f"{cohort.label(measure)}, last score" for measure in predictors[1:]}
    for column in [*others, *extra, *sites]:
        role: Role = "adjustment" if predictors or column == "site" else "main"
        if pd.api.types.is_numeric_dtype(rows[column]):
            values = rows[column].to_numpy(float)
            label = others.get(column, plain_name(column))
            found.append((column, values - values.mean(), label, "covariate", role))
            continue
        for category in others_than_reference(rows[column]):
            term = f"{column}[{category}]"
            values = (rows[column].astype(str) == category).to_numpy(float)
            found.append((term, values, plain_name(term), "covariate", role))
    for _, values, label, *_ in found[1:]:
        if np.ptp(values) == 0:
            msg = f"“{label}” is the same in every row: it cannot explain how treatment ends."
            raise FitError(msg)
    return found, about_sites


def _sites(found: Rows) -> tuple[list[str], list[Fact]]:
    """Return the site term where each site has every end, or the warning that it is left out."""
    sites = site_terms(found.rows, [])
    rates = pd.crosstab(found.rows["site"], found.outcome)
    if sites and (rates == 0).any(axis=None):
        words = "A site without one of the ends: site differences are not adjusted for."
        return [], [Fact(Warned.SITES_NOT_ADJUSTED_FOR, words)]
    return sites, []


def _estimates(
    fit: MultinomialFit, columns: Sequence[Column], ends: Sequence[str], df: int
) -> list[Estimate]:
    found = []
    errors = np.sqrt(np.diag(fit.robust_covariance)).reshape(fit.coefficients.shape)
    critical = float(stats.t.ppf(0.975, df))
    for k, end in enumerate(ends):
        for c, (term, _, label, level, role) in enumerate(columns):
            value, se = float(fit.coefficients[k, c]), float(errors[k, c])
            unit = "log odds" + (" per point" if level.endswith("-client") else "")
            found.append(
                estimate(
                    f"{end}: {term}",
                    label=f"{ENDS[end][3]}: {label}",
                    role=role,
                    level=level,
                    estimator=ESTIMATOR,
                    unit=unit,
                    numbers={
                        "estimate": value,
                        "se": se,
                        "df": df,
                        "statistic": value / se,
                        "p": float(2 * stats.t.sf(abs(value / se), df)),
                        "ci_low": value - critical * se,
                        "ci_high": value + critical * se,
                    },
                    as_ratio=term != "1",
                )
            )
    return found


def _mnlogit(outcome: np.ndarray, x: np.ndarray, fit: MultinomialFit) -> SecondEngine:
    """Fit the same model by statsmodels and compare."""
    import statsmodels.api as sm

    nothing = no_comparison("MNLogit", "did not reach a maximum")
    scale = np.r_[1.0, x[:, 1:].std(axis=0)]
    with warnings.catch_warnings():
        # Its warnings are answered below, by whether it converged and where.
        warnings.simplefilter("ignore")
        try:
            theirs = sm.MNLogit(outcome, x / scale).fit(method="newton", maxiter=100, disp=0)
        except (np.linalg.LinAlgError, ValueError):
            return nothing
    values = np.asarray(theirs.params).T / scale
    if not theirs.mle_retvals["converged"] or not np.isfinite(values).all():
        return nothing
    errors = np.sqrt(np.diag(fit.covariance)).reshape(fit.coefficients.shape)
    difference = float((np.abs(values - fit.coefficients) / errors).max())
    return compared("MNLogit", float(theirs.llf - fit.log_likelihood), difference)
