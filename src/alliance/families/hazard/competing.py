"""Several ways to leave at once: competing ends against going on.

    log P(end k after session t) / P(going on) = x_it'b_k,   k = dropout, completion, ...

a multinomial logit on the sessions at risk (Singer & Willett, 2003, ch. 15), with the predictors of
the hazard of one end. A predictor may foretell both who drops out and who completes; the share that
ends in one way depends on both. No random intercepts: standard errors are robust to clustering by
therapist. statsmodels' `MNLogit` is the second engine.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from alliance import __version__
from alliance.errors import FitError
from alliance.families.common.levels import clusters_of, site_terms
from alliance.families.common.multilevel import plain_name
from alliance.families.common.second_engine import TOLERANCE_IN_SE, difference_in_words
from alliance.families.diagnostics import none_of
from alliance.families.fit import (
    Cohort,
    Draft,
    estimate,
    left_out_by_reason,
    refuse,
    require_scores,
    rows_of,
)
from alliance.families.hazard.rows import ENDS, FEWEST_EVENTS, OTHER_ENDS
from alliance.survival import MultinomialFit, fit_multinomial

ESTIMATOR = "multinomial logit, maximum likelihood"
Column = tuple[str, np.ndarray, str, str, str]


def competing_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fit of several ends; never raises for what the data cannot give."""
    ends, predictors = list(entry["ends"]), list(entry.get("predictors", []))
    named = " or ".join(ENDS[end][1] for end in ends)
    labels = " and ".join(f"“{cohort.label(measure)}”" for measure in predictors)
    draft = Draft(
        model=name,
        family="hazard",
        title=" or ".join(ENDS[end][3].lower() for end in ends).capitalize() + " after a session",
        question=f"Given that a client came to this session, how likely is {named} before the "
        "next" + (f", and does each depend on {labels} so far?" if predictors else "?"),
        outcome={"column": "end_cause", "label": named, "unit": "log odds against going on"},
        engine={
            "name": "alliance.survival",
            "version": __version__,
            "estimator": ESTIMATOR,
            "df_method": "",
        },
    )
    draft.assumptions = [
        "Ends that are not asked about, and treatment still running, take a client out of risk and "
        "say nothing about the others (non-informative censoring).",
        "The log odds of each end against going on change linearly with log(session) and with "
        "each predictor.",
        "Only what was known at the session enters: running means, no look-ahead.",
    ]
    try:
        for measure in predictors:
            require_scores(cohort, measure)
        _fit(draft, cohort, ends, predictors, entry)
    except FitError as error:
        return refuse(draft, cohort, str(error))
    return draft.finish()


def _fit(
    draft: Draft,
    cohort: Cohort,
    ends: Sequence[str],
    predictors: Sequence[str],
    entry: Mapping[str, Any],
) -> None:
    panel, extra = cohort.panel, list(entry.get("fixed", []))
    absent = [name for name in extra if name not in panel]
    if absent:
        msg = f"The cohort has no column “{absent[0]}”."
        raise FitError(msg)
    cause = panel["end_cause"].astype(object).where(panel["last_session"])
    code = cause.map({end: k for k, end in enumerate(ends, 1)}).astype(float)
    code = code.where(panel["last_session"], 0.0)
    known = code.notna()
    others = {why: ~known & (cause == end) for end, why in OTHER_ENDS.items()}
    kept = left_out_by_reason(
        panel,
        {
            **others,
            "how treatment ended after this session is not known": ~known,
            **{f"no score of {cohort.label(m)} at this session": panel[m].isna()
               for m in predictors},
            **{f"{column} not known": panel[column].isna() for column in extra},
        },
    )  # fmt: skip
    rows = panel[kept["used"]]
    outcome = code[kept["used"]].to_numpy(int)
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
    columns = _columns(cohort, rows, predictors, extra, outcome, draft.warnings)
    x = np.column_stack([column[1] for column in columns])
    clusters, cluster_name = clusters_of(rows)
    fit = fit_multinomial(outcome, x, clusters)
    draft.data = rows_of(cohort, kept["used"], kept["left_out"], ["site", "client"])
    _fill(draft, fit, columns, ends, cluster_name, int(clusters.max()))
    draft.fit_statistics |= {
        ENDS[end][2]: int((outcome == k).sum()) for k, end in enumerate(ends, 1)
    }
    draft.diagnostics = none_of(
        "A model of several ends has no random effects, and its standard errors allow for "
        "therapists as they are: no diagnostics are computed for it."
    )
    draft.second_engine = _mnlogit(outcome, x, fit)
    if not draft.second_engine["agrees"]:
        draft.warnings.append(draft.second_engine["message"])


def _columns(
    cohort: Cohort,
    rows: pd.DataFrame,
    predictors: Sequence[str],
    extra: Sequence[str],
    outcome: np.ndarray,
    notes: list[str],
) -> list[Column]:
    """Return (term, values, label, level, role) of each column, the intercept first."""
    found: list[Column] = [
        ("1", np.ones(len(rows)), "Intercept", "intercept", "adjustment"),
        ("log(session)", np.log(rows["session"].to_numpy(float)), "log(session)", "time",
         "adjustment"),
    ]  # fmt: skip
    for measure in predictors[:1]:
        label = cohort.label(measure)
        for part, words, level in (
            ("within", "this session against the client's mean so far", "within-client"),
            ("between", "the client's mean so far", "between-client"),
        ):
            column = f"{measure}_running_{part}"
            values = rows[column].to_numpy(float)
            found.append((column, values, f"{label}, {words}", level, "main"))
    sites = site_terms(rows, [])
    rates = pd.crosstab(rows["site"], outcome)
    if sites and (rates == 0).any(axis=None):
        notes.append("A site without one of the ends: site differences are not adjusted for.")
        sites = []
    for column in [*predictors[1:], *extra, *sites]:
        role = "adjustment" if predictors or column == "site" else "main"
        if pd.api.types.is_numeric_dtype(rows[column]):
            values = rows[column].to_numpy(float)
            label = plain_name(column)
            if column in predictors:
                label = f"{cohort.label(column)}, this session"
            found.append((column, values - values.mean(), label, "covariate", role))
            continue
        for category in sorted(rows[column].astype(str).unique())[1:]:
            term = f"{column}[{category}]"
            values = (rows[column].astype(str) == category).to_numpy(float)
            found.append((term, values, plain_name(term), "covariate", role))
    for _, values, label, *_ in found[1:]:
        if np.ptp(values) == 0:
            msg = f"“{label}” is the same in every row: it cannot explain how treatment ends."
            raise FitError(msg)
    return found


def _fill(
    draft: Draft,
    fit: MultinomialFit,
    columns: Sequence[Column],
    ends: Sequence[str],
    cluster_name: str,
    df: int,
) -> None:
    draft.status = "converged" if fit.converged else "failed"
    draft.message = "" if fit.converged else "Newton's method did not reach a maximum."
    draft.engine["df_method"] = f"cluster-robust by {cluster_name}, t with {df} df"
    draft.equation = "log odds of each end against going on = " + " + ".join(c[0] for c in columns)
    draft.convergence |= {
        "converged": fit.converged,
        "optimiser": "Newton with exact Hessian",
        "evaluations": fit.iterations,
        "gradient_norm": fit.gradient_norm,
    }
    draft.fit_statistics = {
        "log_likelihood": fit.log_likelihood,
        "n_parameters": fit.coefficients.size,
        "aic": -2 * fit.log_likelihood + 2 * fit.coefficients.size,
    }
    errors = np.sqrt(np.diag(fit.robust_covariance)).reshape(fit.coefficients.shape)
    critical = float(stats.t.ppf(0.975, df))
    for k, end in enumerate(ends):
        for c, (term, _, label, level, role) in enumerate(columns):
            value, se = float(fit.coefficients[k, c]), float(errors[k, c])
            unit = "log odds" + (" per point" if level.endswith("-client") else "")
            draft.estimates.append(
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


def _mnlogit(outcome: np.ndarray, x: np.ndarray, fit: MultinomialFit) -> dict[str, Any]:
    """Fit the same model by statsmodels and compare."""
    import statsmodels
    import statsmodels.api as sm

    verdict: dict[str, Any] = {
        "name": "statsmodels MNLogit",
        "version": statsmodels.__version__,
        "converged": False,
        "log_likelihood_difference": None,
        "largest_difference_in_se": None,
        "agrees": False,
        "message": "statsmodels did not reach a maximum: no comparison.",
    }
    scale = np.r_[1.0, x[:, 1:].std(axis=0)]
    with warnings.catch_warnings():
        # Its warnings are answered below, by whether it converged and where.
        warnings.simplefilter("ignore")
        try:
            theirs = sm.MNLogit(outcome, x / scale).fit(method="newton", maxiter=100, disp=0)
        except (np.linalg.LinAlgError, ValueError):
            return verdict
    values = np.asarray(theirs.params).T / scale
    if not theirs.mle_retvals["converged"] or not np.isfinite(values).all():
        return verdict
    errors = np.sqrt(np.diag(fit.covariance)).reshape(fit.coefficients.shape)
    difference = float((np.abs(values - fit.coefficients) / errors).max())
    verdict |= {
        "converged": True,
        "log_likelihood_difference": float(theirs.llf - fit.log_likelihood),
        "largest_difference_in_se": difference,
        "agrees": difference < TOLERANCE_IN_SE,
    }
    verdict["message"] = difference_in_words(verdict)
    return verdict
