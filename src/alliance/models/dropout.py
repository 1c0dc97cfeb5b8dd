"""Dropout: whether the alliance foretells who leaves after a session.

    logit h_it = a0 + a1 log(t) + b_w (x_it - x̄_i,<=t) + b_b (x̄_i,<=t - x̄) + covariates + sites

h_it is the probability that client i, at risk after session t, leaves treatment unilaterally before
session t + 1 (discrete-time hazard; Singer & Willett, 2003, ch. 11). x̄_i,<=t is the running mean up
to session t: nothing looks ahead. Standard errors are robust to clustering by therapist.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from alliance.errors import FitError
from alliance.models.fit import (
    Cohort,
    Draft,
    estimate,
    fit_family,
    left_out_by_reason,
    refuse,
    require_scores,
    rows_of,
)
from alliance.models.levels import FEWEST_SITES_FOR_A_VARIANCE, clusters_of, levels_of

# ASSUME fewer than ten events carry no regression: in simulation, tests then reject a true null two
# to three times too often.
FEWEST_EVENTS = 10
OTHER_ENDS = {
    "completed": "treatment ended as agreed after this session",
    "transferred": "the client was transferred after this session",
    "ongoing": "still in treatment at the last session on record",
}
END_NOT_KNOWN = "how treatment ended after this session is not known"


def dropout_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fit of one hazard model; never raises for what the data cannot give."""
    import statsmodels

    predictors = list(entry.get("predictors", []))
    labels = " and ".join(f"“{cohort.label(measure)}”" for measure in predictors)
    draft = Draft(
        model=name,
        family="dropout",
        title="Dropout after a session",
        question="Given that a client came to this session, how likely is dropout before the next, "
        + (f"and does it depend on {labels} so far?" if predictors else "and how does it change?"),
        outcome={"column": "dropout_event", "label": "dropout", "unit": "log odds"},
        engine={
            "name": "statsmodels GLM",
            "version": statsmodels.__version__,
            "estimator": "maximum likelihood, binomial with logit link",
            "df_method": "",
        },
    )
    draft.assumptions = [
        "Agreed completion, transfer and treatment still running take a client out of risk and say "
        "nothing about dropout (non-informative censoring).",
        "The log odds of dropout change linearly with log(session) and with each predictor.",
        "Only what was known at the session enters: running means, no look-ahead.",
    ]
    try:
        for measure in predictors:
            require_scores(cohort, measure)
        _fit(draft, cohort, predictors, entry.get("fixed", []))
    except FitError as error:
        return refuse(draft, cohort, str(error))
    return draft.finish()


def _fit(draft: Draft, cohort: Cohort, predictors: Sequence[str], extra: Sequence[str]) -> None:
    import statsmodels.api as sm

    panel = cohort.panel
    at_risk = panel["dropout_event"].notna()
    events, leavings = int((panel["dropout_event"] == 1).sum()), int(at_risk.sum())
    if events == 0:
        msg = "No client with an attended session is recorded as having dropped out."
        raise FitError(msg)
    if events == leavings:
        msg = "Everybody dropped out after the first session: there is nobody to compare with."
        raise FitError(msg)
    extra_columns = [name for name in extra if name in panel]
    if len(extra_columns) < len(extra):
        msg = f"The cohort has no column “{next(n for n in extra if n not in panel)}”."
        raise FitError(msg)
    reasons = {
        **{why: ~at_risk & (panel["end_status"] == end) for end, why in OTHER_ENDS.items()},
        END_NOT_KNOWN: ~at_risk,
        **{
            f"no score of {cohort.label(measure)} at this session": panel[measure].isna()
            for measure in predictors
        },
        **{f"{column} not known": panel[column].isna() for column in extra},
    }
    kept = left_out_by_reason(panel, reasons)
    rows = panel[kept["used"]]
    y = rows["dropout_event"].to_numpy(float)
    if y.sum() < FEWEST_EVENTS:
        msg = (
            f"Only {int(y.sum())} dropout(s) among the rows with every predictor: at least "
            f"{FEWEST_EVENTS} are needed."
        )
        raise FitError(msg)
    if y.sum() < events:
        draft.warnings.append(
            f"{int(y.sum())} of {events} dropouts enter; the others lack a score at their end."
        )
    design, info = _design(cohort, rows, predictors, extra, draft.warnings)
    _refuse_separation(design, y, {str(c): info[str(c)][0] for c in design})
    clusters, cluster_name = clusters_of(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            result = sm.GLM(y, design, family=sm.families.Binomial()).fit(
                cov_type="cluster", cov_kwds={"groups": clusters}
            )
        except (RuntimeWarning, np.linalg.LinAlgError) as error:
            msg = (
                "The hazard model broke down: predictors that determine each other or the outcome."
            )
            raise FitError(msg) from error
    df = int(len(np.unique(clusters)) - 1)
    draft.engine["df_method"] = f"cluster-robust by {cluster_name}, t with {df} df"
    draft.status = "converged" if result.converged else "failed"
    draft.message = "" if result.converged else "The optimiser did not reach a maximum."
    draft.equation = "logit P(dropout after session t) = " + " + ".join(design.columns)
    levels, _ = levels_of(rows, None)
    draft.data = rows_of(cohort, kept["used"], kept["left_out"],
                         ["site", *(level for level in levels if level != "site")])  # fmt: skip
    draft.convergence |= {
        "converged": bool(result.converged),
        "optimiser": "iteratively reweighted least squares, statsmodels",
        "evaluations": int(result.fit_history["iteration"]),
        "gradient_norm": float(np.abs(design.to_numpy().T @ (y - result.mu)).max()),
    }
    draft.fit_statistics = {
        "log_likelihood": float(result.llf),
        "n_parameters": design.shape[1],
        "aic": float(-2 * result.llf + 2 * design.shape[1]),
        "events": int(y.sum()),
    }
    draft.estimates = [
        _row(term, *info[term], float(result.params[term]), float(result.bse[term]), df)
        for term in design.columns
    ]
    if predictors:
        draft.curves = _survival(cohort, rows, design, result, predictors[0], df)


def _design(
    cohort: Cohort,
    rows: pd.DataFrame,
    predictors: Sequence[str],
    extra: Sequence[str],
    notes: list[str],
) -> tuple[pd.DataFrame, dict[str, tuple[str, str, str, str]]]:
    """Return the design matrix and, per column, (label, level, role, unit)."""
    columns: dict[str, Any] = {"1": 1.0, "log_session": np.log(rows["session"].to_numpy(float))}
    info = {
        "1": ("Intercept", "intercept", "adjustment", "log odds"),
        "log_session": ("log(session)", "time", "adjustment", "log odds per log unit"),
    }
    for position, measure in enumerate(predictors):
        label = cohort.label(measure)
        per_point = "log odds per point"
        if position == 0:
            # The first predictor is the one in question: its running parts are told apart.
            within, between = f"{measure}_running_within", f"{measure}_running_between"
            columns[within] = rows[within].to_numpy(float)
            columns[between] = rows[between].to_numpy(float)
            info[within] = (f"{label}, this session against the client's mean so far",
                            "within-client", "main", per_point)  # fmt: skip
            info[between] = (f"{label}, the client's mean so far",
                             "between-client", "main", per_point)  # fmt: skip
        else:
            columns[measure] = rows[measure].to_numpy(float) - rows[measure].mean()
            info[measure] = (f"{label}, this session", "covariate", "adjustment", per_point)
    role = "main" if not predictors else "adjustment"
    for name, values, label in (part for column in extra for part in _covariate(rows, column)):
        columns[name] = values - values.mean()  # so that 0 is the average of the sample
        info[name] = (label, "covariate", role, "log odds per unit")
    design = pd.DataFrame(columns, index=rows.index)
    return _with_sites(design, rows, info, notes), info


def _covariate(rows: pd.DataFrame, column: str) -> list[tuple[str, np.ndarray, str]]:
    """Return (term, values, label) of a number, or of each category but the first."""
    words = column.replace("_", " ").capitalize()
    if pd.api.types.is_numeric_dtype(rows[column]):
        return [(column, rows[column].to_numpy(float), words)]
    categories = sorted(rows[column].unique(), key=str)
    return [
        (f"{column}[{c}]", (rows[column] == c).to_numpy(float), f"{words}: {c}")
        for c in categories[1:]
    ]


def _with_sites(
    design: pd.DataFrame, rows: pd.DataFrame, info: dict[str, Any], notes: list[str]
) -> pd.DataFrame:
    """Add site contrasts where there are few sites and each has both outcomes."""
    sites = sorted(rows["site"].unique())
    if len(sites) < 2:
        return design
    if len(sites) >= FEWEST_SITES_FOR_A_VARIANCE:
        notes.append("Many sites: site differences enter through the cluster-robust errors only.")
        return design
    rates = rows.groupby("site")["dropout_event"].mean()
    if rates.isin([0.0, 1.0]).any():
        notes.append("A site without any dropout: site differences could not be adjusted for.")
        return design
    for site in sites[1:]:
        design[f"site[{site}]"] = (rows["site"] == site).astype(float)
        info[f"site[{site}]"] = (f"Site: {site}", "covariate", "adjustment", "log odds")
    return design


def _refuse_separation(design: pd.DataFrame, y: np.ndarray, labels: Mapping[str, str]) -> None:
    """Raise where one column alone tells all leavers from all stayers, or is a sum of others."""
    for column in design.columns.drop("1"):
        values = design[column].to_numpy()
        if np.ptp(values) == 0:
            msg = f"“{labels[column]}” is the same in every row: it cannot explain dropout."
            raise FitError(msg)
        left, stayed = values[y == 1], values[y == 0]
        if left.min() >= stayed.max() or left.max() <= stayed.min():
            msg = (
                f"“{labels[column]}” alone tells leavers from stayers: there is no finite estimate."
            )
            raise FitError(msg)
    scaled = design / np.sqrt((design**2).sum())
    if np.linalg.matrix_rank(scaled.to_numpy(), tol=1e-9) < design.shape[1]:
        named = ", ".join(labels[column] for column in design.columns.drop("1"))
        msg = f"These predictors determine each other: {named}."
        raise FitError(msg)


def _row(
    term: str, label: str, level: str, role: str, unit: str, value: float, se: float, df: int
) -> dict[str, Any]:
    half = float(stats.t.ppf(0.975, df)) * se
    return estimate(
        term,
        label=label,
        role=role,
        level=level,
        estimator="discrete-time logit hazard, maximum likelihood",
        unit=unit,
        numbers={
            "estimate": value,
            "se": se,
            "df": df,
            "statistic": value / se,
            "p": float(2 * stats.t.sf(abs(value / se), df)),
            "ci_low": value - half,
            "ci_high": value + half,
        },
        as_ratio=term != "1",
    )


def _survival(
    cohort: Cohort, rows: pd.DataFrame, design: pd.DataFrame, result: Any, focal: str, df: int
) -> list[dict[str, Any]]:
    """Return predicted staying-in-treatment curves at the mean and one SD of `focal` around it.

    S(t) = prod_{s<=t} (1 - h_s), averaged over sites with equal weight; the band is the delta
    method on log(-log S) and comes back to the scale of S.
    """
    between = f"{focal}_running_between"
    spread = float(rows.groupby("client")[between].last().std())
    sessions = np.arange(1, int(rows["session"].quantile(0.99)) + 1)
    sites = [column for column in design.columns if column.startswith("site[")]
    beta, covariance = result.params.to_numpy(), np.asarray(result.cov_params())
    critical = float(stats.t.ppf(0.975, df))
    curves = []
    for step, words in (
        (-1, "1 SD below the mean"),
        (0, "at the mean"),
        (1, "1 SD above the mean"),
    ):
        base = pd.DataFrame(0.0, index=range(len(sessions)), columns=design.columns)
        base["1"], base["log_session"], base[between] = 1.0, np.log(sessions), step * spread
        survival = np.zeros(len(sessions))
        gradient = np.zeros((len(sessions), len(beta)))
        for site in [None, *sites]:
            x = base.copy()
            if site is not None:
                x[site] = 1.0
            hazard = 1 / (1 + np.exp(-(x.to_numpy() @ beta)))
            stay = np.cumprod(1 - hazard)
            survival = survival + stay / (len(sites) + 1)
            slope = -np.cumsum(hazard[:, None] * x.to_numpy(), axis=0)  # d log S / d beta
            gradient = gradient + stay[:, None] * slope / (len(sites) + 1)
        variance = np.einsum("ij,jk,ik->i", gradient, covariance, gradient)
        log_minus_log = np.log(-np.log(survival))
        half = critical * np.sqrt(variance) / np.abs(survival * np.log(survival))
        curves.append(
            {
                "name": "survival",
                "group": f"{cohort.label(focal)}: {words}",
                "x_label": "Session",
                "y_label": "Share still in treatment (no dropout)",
                "x": np.r_[0, sessions],
                "estimate": np.r_[1.0, survival],
                "ci_low": np.r_[1.0, np.exp(-np.exp(log_minus_log + half))],
                "ci_high": np.r_[1.0, np.exp(-np.exp(log_minus_log - half))],
            }
        )
    return curves


fit_dropout = partial(fit_family, dropout_fit)
