"""Fit one linear multilevel model of the workflow and write it into the form of a fit.

Shared by growth and coupling: the engine is `alliance.mixed`; where statsmodels can express the
same model it is fitted there too, and a disagreement is said beside the estimates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from alliance import __version__
from alliance.errors import FitError
from alliance.families.common.levels import levels_of, site_terms
from alliance.families.common.second_engine import compare_with_statsmodels
from alliance.families.fit import Cohort, Draft, estimate, left_out_by_reason, rows_of
from alliance.mixed import fit_mixed
from alliance.mixed.specification import ResidualKind

ENGINE = {
    "name": "alliance.mixed",
    "version": __version__,
    "estimator": "REML",
    "df_method": "Satterthwaite",
}


INTERCEPT = "1"  # how the engine calls it
THERAPIST_NOT_KNOWN = "the therapist is not known"


@dataclass(frozen=True, slots=True)
class Term:
    """How a fixed effect is printed.

    Attributes
    ----------
    label
        In words.
    level
        e.g. `within-client`.
    unit
        Unit of the estimate.
    role
        `main` for what the model was fitted for.
    sd_ratio
        SD of the predictor over SD of the outcome at the same level, to standardise; or None.
    """

    label: str
    level: str
    unit: str
    role: str = "adjustment"
    sd_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model with what it was fitted to.

    Attributes
    ----------
    fit
        The engine's fit.
    rows
        The panel's rows used.
    fixed, random
        Its terms.
    """

    fit: Any
    rows: pd.DataFrame
    fixed: list[str]
    random: dict[str, list[str]]


def fit_multilevel(
    draft: Draft,
    cohort: Cohort,
    *,
    outcome: str,
    fixed: Sequence[str],
    slopes: Mapping[str, Sequence[str]],
    wanted_levels: Sequence[str] | None,
    needed: Mapping[str, str],
    terms: Mapping[str, Term],
    residual: ResidualKind = "iid",
    residual_time: str | None = None,
) -> Fitted:
    """Fit and fill in `draft`; return what was fitted.

    Parameters
    ----------
    draft
        Title, question, outcome; the rest is filled in here.
    outcome
        Panel column.
    fixed
        Fixed terms before the sites are added.
    slopes
        Level to the columns that have a random slope there.
    wanted_levels
        Levels named in the config, or None for all that the cohort has.
    needed
        Column to the reason printed for rows that miss it; the outcome's first.
    terms
        Fixed term to how it is printed; others are printed under their own name.
    residual, residual_time
        How residuals of one client remember one another, and the column of their time.

    Raises
    ------
    FitError
        If the engine refuses, in its words.
    """
    panel = cohort.panel
    extra = {c: f"{c.replace('_', ' ')} not known" for c in _columns(fixed, {}) if c not in needed}
    kept = _complete_rows(panel, dict(needed) | extra)
    levels, notes = levels_of(panel[kept["used"]], wanted_levels)
    if "therapist" in levels:
        therapist = {"therapist": THERAPIST_NOT_KNOWN}
        kept = _complete_rows(panel, dict(needed) | extra | therapist)
    rows = panel[kept["used"]]
    notes += _lost_for_want_of_a_therapist(panel, kept)
    _refuse_too_little(rows, levels)
    random = {level: ["1", *slopes.get(level, [])] for level in levels}
    all_fixed = [*fixed, *site_terms(rows, levels)]
    used_columns = [column for column in _columns(all_fixed, random) if column in rows]
    used_columns += [residual_time] if residual_time else []
    fit = fit_mixed(
        rows[list(dict.fromkeys([outcome, *used_columns]))],
        outcome=outcome,
        fixed=all_fixed,
        random=random,
        residual=residual,
        residual_time=residual_time,
        method="REML",
        df="satterthwaite",
    )
    if fit.rows.used != len(rows):
        msg = f"{draft.model}: the engine left out rows that the model layer had kept"
        raise AssertionError(msg)
    draft.engine = dict(ENGINE)
    draft.equation = fit.equation
    draft.data = rows_of(cohort, kept["used"], kept["left_out"], ["site", *_nested(levels)])
    _fill(draft, fit, terms)
    draft.warnings += notes
    if residual == "iid":
        draft.second_engine = compare_with_statsmodels(
            rows, outcome, fixed_design(fit, rows), random, fit
        )
        if draft.second_engine is None:
            draft.warnings.append(
                "No second engine: statsmodels cannot express these random effects "
                "(correlated slopes below its one grouping level)."
            )
    else:
        draft.warnings.append(
            "No second engine: statsmodels cannot express residuals that remember one another."
        )
    if draft.second_engine is not None and not draft.second_engine["agrees"]:
        draft.warnings.append(draft.second_engine["message"])
    return Fitted(fit, rows, all_fixed, random)


def _lost_for_want_of_a_therapist(panel: pd.DataFrame, kept: Mapping[str, Any]) -> list[str]:
    """Return a warning where clients are left out because nobody knows their therapist."""
    lost = sum(e["rows"] for e in kept["left_out"] if e["reason"] == THERAPIST_NOT_KNOWN)
    if not lost:
        return []
    clients = panel.loc[panel["therapist"].isna(), ["site", "client"]].drop_duplicates()
    sites = ", ".join(sorted(clients["site"].unique()))
    return [
        f"{lost} sessions of {len(clients)} clients are left out because their therapist is not "
        f"known (sites: {sites}). To keep them, give the model `levels: [client]`."
    ]


def _refuse_too_little(rows: pd.DataFrame, levels: Sequence[str]) -> None:
    """Raise where the engine would refuse in terms that a user of the workflow cannot act on."""
    if "client" not in levels:
        msg = (
            "The model has no client level, but sessions of one client are not independent: "
            "its `levels` need `client`."
        )
        raise FitError(msg)
    per_client = rows.groupby("client").size()
    if len(per_client) < 2:
        msg = "Only one client has what the model needs: nothing can be compared between clients."
        raise FitError(msg)
    if per_client.max() < 2:
        msg = "Every client has one usable session: nothing can be seen within clients."
        raise FitError(msg)


def _complete_rows(panel: pd.DataFrame, needed: Mapping[str, str]) -> dict[str, Any]:
    """Return which rows have every needed column, and the others by reason."""
    for column, reason in needed.items():
        if column not in panel:
            msg = f"The cohort has no column “{column}”, which the model names."
            raise FitError(msg)
        if panel[column].isna().all():
            msg = f"There is nothing to fit: {reason} in every row."
            raise FitError(msg)
    kept = left_out_by_reason(panel, {why: panel[column].isna() for column, why in needed.items()})
    if not kept["used"].any():
        msg = "No session has everything that the model needs."
        raise FitError(msg)
    return kept


def _nested(levels: Sequence[str]) -> list[str]:
    return [level for level in levels if level != "site"]


def _columns(fixed: Sequence[str], random: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the panel columns that the terms name."""
    names = [name for term in fixed for name in columns_in(term) if name != "1"]
    for level, terms in random.items():
        names += [level, *(term for term in terms if term != "1")]
    return names


def columns_in(term: str) -> list[str]:
    """Return the columns that a term names: those of its factors, without their transforms."""
    factors = re.split(r"[:*]", term)
    return [re.sub(r"^\w+\(\s*`?|`?\s*(,[^)]*)?\)$|`", "", factor.strip()) for factor in factors]


def _fill(draft: Draft, fit: Any, terms: Mapping[str, Term]) -> None:
    fill_convergence(draft, fit)
    draft.estimates = [
        _estimate(row, terms.get(row["term"]), draft.outcome["unit"])
        for row in fit.coefficients.to_dict("records")
    ]
    sigma = float(fit.residual.sigma)
    draft.residual = {"sigma": sigma, "phi": fit.residual.phi}
    draft.variance_components = _components(fit.variance_components, sigma)
    draft.fit_statistics = statistics_of(fit)


def fill_convergence(draft: Draft, fit: Any) -> None:
    """Write into `draft` how a fit of the engine ended."""
    convergence = fit.convergence
    draft.status = (
        "failed"
        if not convergence.converged
        else ("singular" if convergence.is_singular else "converged")
    )
    if draft.status == "failed":
        draft.message = "The optimiser did not reach a maximum: read no number of this model."
    if draft.status == "singular":
        draft.warnings.append(
            "Singular fit: estimated as zero (or as a perfect correlation): "
            + ", ".join(convergence.singular_components)
            + ". Standard errors of the other terms hold given that."
        )
    draft.convergence = {
        "converged": convergence.converged,
        "optimiser": convergence.optimiser,
        "evaluations": convergence.evaluations,
        "gradient_norm": convergence.gradient_norm,
        "is_singular": convergence.is_singular,
        "singular_components": list(convergence.singular_components),
        "second_start_difference": convergence.second_start_difference,
    }


def statistics_of(fit: Any) -> dict[str, float]:
    """Return log-likelihood, number of parameters, AIC and both BICs of a fit of the engine."""
    return {
        "log_likelihood": fit.log_likelihood,
        "n_parameters": fit.n_parameters,
        "aic": fit.aic,
        "bic_rows": fit.bic(by="rows"),
        "bic_clients": fit.bic(by="client"),
    }


def _estimate(row: Mapping[str, Any], term: Term | None, unit: str) -> dict[str, Any]:
    name = row["term"]
    if term is None:
        term = (
            Term("Intercept", "intercept", unit)
            if name == INTERCEPT
            else Term(plain_name(name), "covariate", unit)
        )
    standardised = None if term.sd_ratio is None else row["estimate"] * term.sd_ratio
    return estimate(
        name,
        label=term.label,
        role=term.role,
        level=term.level,
        estimator="mixed model, REML",
        unit=term.unit,
        numbers=row,
        standardised=standardised,
    )


def plain_name(name: str) -> str:
    """Return `Site south` for `site[south]`, `age years` for `age_years`."""
    variable, _, category = name.partition("[")
    words = variable.replace("_", " ")
    return f"{words.capitalize()}: {category.rstrip(']')}" if category else words.capitalize()


def _components(table: pd.DataFrame, sigma: float) -> list[dict[str, Any]]:
    """Return the random effects' rows with each intercept's share, the residual last."""
    effects = table[table["level"] != "residual"]
    second = effects["name_2"].fillna(effects["name_1"])  # the engine leaves it out for a variance
    rows = effects.assign(name_2=second).to_dict("records")
    intercepts = (effects["name_1"] == INTERCEPT) & (second == INTERCEPT)
    total = sigma**2 + float(effects.loc[intercepts, "variance_or_covariance"].sum())
    components = []
    for row in rows:
        is_intercept = row["name_1"] == row["name_2"] == INTERCEPT
        components.append(
            {
                **{key: row[key] for key in ("level", "name_1", "name_2")},
                "variance_or_covariance": row["variance_or_covariance"],
                "sd_or_correlation": row["sd_or_correlation"],
                "share": row["variance_or_covariance"] / total if is_intercept else None,
            }
        )
    components.append(
        {
            "level": "session",
            "name_1": "residual",
            "name_2": "residual",
            "variance_or_covariance": sigma**2,
            "sd_or_correlation": sigma,
            "share": sigma**2 / total,
        }
    )
    return components


def fixed_design(fit: Any, data: pd.DataFrame) -> np.ndarray:
    """Return the fixed-effects design on the user's scale, shape (n_rows, n_coefficients)."""
    return fit.prepared.user_matrix(fit.prepared.fixed, data)


def sd(values: pd.Series | np.ndarray) -> float:
    """Return the standard deviation (n - 1), 0 where there are fewer than two values."""
    values = np.asarray(pd.Series(values).dropna(), dtype=float)
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0
