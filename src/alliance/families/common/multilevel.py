"""Fit one linear multilevel model of the workflow and bring it into the form of a fit.

Shared by several families: the engine is `alliance.mixed`; where statsmodels can express the
same model it is fitted there too, and a disagreement is said beside the estimates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from alliance import __version__
from alliance.families.common.levels import site_terms
from alliance.families.common.second_engine import (
    compare_with_statsmodels,
    disagreement,
    no_second_engine,
)
from alliance.families.common.usable_rows import Usable, columns_of
from alliance.families.facts import Assumption, DfMethod, Estimator, Fact, Warned
from alliance.families.fit import (
    Asked,
    Component,
    Convergence,
    Data,
    Engine,
    Estimate,
    Fit,
    Residual,
    Role,
    SecondEngine,
    data_of,
    estimate,
)
from alliance.mixed import fit_mixed
from alliance.mixed.specification import DegreesOfFreedom, ResidualKind

DF_METHODS: dict[DegreesOfFreedom, Fact] = {
    "satterthwaite": Fact(DfMethod.SATTERTHWAITE, "Satterthwaite"),
    "kenward-roger": Fact(DfMethod.KENWARD_ROGER, "Kenward-Roger"),
    "none": Fact(DfMethod.NORMAL, "normal approximation"),
}
ENGINE = Engine(
    "alliance.mixed", __version__, Fact(Estimator.REML, "REML"), DF_METHODS["satterthwaite"]
)
MIXED = Fact(Estimator.MIXED, "mixed model, REML")
MISSING_AT_RANDOM = Fact(
    Assumption.MISSING_AT_RANDOM,
    "Missing sessions and forms are missing at random given the scores that there are.",
)
MIXED_ML = Fact(Estimator.MIXED_ML, "mixed model, maximum likelihood")
BY_ML = Fact(Estimator.ML, "maximum likelihood")
INTERCEPT = "1"  # how the engine calls it
NO_MAXIMUM = "The optimiser did not reach a maximum: read no number of this model."


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
    link
        As in an `Estimate`.
    """

    label: str
    level: str
    unit: str
    role: Role = "adjustment"
    sd_ratio: float | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model: the engine's fit, what it was fitted to, and what a family prints of it.

    Attributes
    ----------
    fit
        The engine's fit.
    rows
        The panel's rows used.
    fixed, random
        Its terms.
    data, estimates, components, second_engine, warnings
        Parts of the family's fit.
    """

    fit: Any
    rows: pd.DataFrame
    fixed: list[str]
    random: dict[str, list[str]]
    data: Data
    estimates: list[Estimate]
    components: list[Component]
    second_engine: SecondEngine | None
    warnings: list[Fact]

    def result(self, asked: Asked, **more: Any) -> Fit:
        """Return the family's fit; `more` are its further parts, or others than the model's own."""
        parts: dict[str, Any] = {
            "data": self.data,
            "estimates": self.estimates,
            "variance_components": self.components,
            "residual": Residual(
                float(self.fit.residual.sigma),
                self.fit.residual.phi,
                self.fit.prepared.specification.residual_time,
            ),
            "second_engine": self.second_engine,
            "warnings": self.warnings,
        }
        return engine_result(asked, self.fit, **parts | more)


def engine_result(asked: Asked, fit: Any, **more: Any) -> Fit:
    """Return a fit of `alliance.mixed` in the form of a family's fit; `more` are further parts."""
    convergence = convergence_of(fit.convergence)
    status = convergence.status
    specification = fit.prepared.specification
    engine = replace(ENGINE, df_method=DF_METHODS[specification.df])
    if specification.method == "ML":
        engine = replace(engine, estimator=BY_ML)
    parts: dict[str, Any] = {"engine": engine, "fit_statistics": statistics_of(fit)}
    return Fit(
        asked,
        **parts | more,
        status=status,
        message=NO_MAXIMUM if status == "failed" else "",
        equation=fit.equation,
        convergence=convergence,
    )


def fit_multilevel(
    usable: Usable,
    *,
    outcome: str,
    unit: str,
    slopes: Mapping[str, Sequence[str]],
    terms: Mapping[str, Term],
    residual: ResidualKind = "iid",
    residual_time: str | None = None,
    df: DegreesOfFreedom = "satterthwaite",
    method: Literal["REML", "ML"] = "REML",
    compared: bool = True,
) -> Fitted:
    """Fit one model.

    Parameters
    ----------
    usable
        The rows, and the fixed terms before the sites are added.
    outcome, unit
        Panel column, and its unit in print.
    slopes
        Level to the columns that have a random slope there.
    terms
        Fixed term to how it is printed; others are printed under their own name.
    residual, residual_time
        How residuals of one client remember one another, and the column of their time.
    df
        Degrees of freedom of the fixed effects; `kenward-roger` adjusts their standard errors too
        (few therapists).
    method
        Restricted or plain maximum likelihood.
    compared
        Whether statsmodels fits it too, where it can.

    Raises
    ------
    FitError
        If the engine refuses, in its words.
    """
    rows, levels = usable.rows, usable.levels
    random = {level: ["1", *slopes.get(level, [])] for level in levels}
    all_fixed = [*usable.fixed, *site_terms(rows, levels)]
    used_columns = [column for column in columns_of(all_fixed, random) if column in rows]
    used_columns += [residual_time] if residual_time else []
    fit = fit_mixed(
        rows[list(dict.fromkeys([outcome, *used_columns]))],
        outcome=outcome,
        fixed=all_fixed,
        random=random,
        residual=residual,
        residual_time=residual_time,
        method=method,
        df=df,
    )
    by_ml = method == "ML"
    if fit.rows.used != len(rows):
        msg = "the engine left out rows that the model layer had kept"
        raise AssertionError(msg)
    second = None
    if compared and residual == "iid":
        second = compare_with_statsmodels(
            rows, outcome, fixed_design(fit, rows), random, fit, by_ml
        )
    sigma = float(fit.residual.sigma)
    return Fitted(
        fit,
        rows,
        all_fixed,
        random,
        data=data_of(
            usable.cohort, usable.kept, ["site", *(level for level in levels if level != "site")]
        ),
        estimates=[
            _estimate(row, terms.get(row["term"]), unit, MIXED_ML if by_ml else MIXED)
            for row in records(fit.coefficients)
        ],
        components=_components(fit.variance_components, sigma),
        second_engine=second,
        warnings=[
            *singular_warning(fit.convergence),
            *usable.warnings,
            *(_about_second_engine(second, residual) if compared else []),
        ],
    )


def _about_second_engine(second: SecondEngine | None, residual: ResidualKind) -> list[Fact]:
    if second is not None:
        return disagreement(second)
    why = (
        "these random effects (correlated slopes below its one grouping level)."
        if residual == "iid"
        else "residuals that remember one another."
    )
    return [no_second_engine(f"statsmodels cannot express {why}")]


def singular_warning(convergence: Any) -> list[Fact]:
    """Return what to know of an engine's fit at the boundary."""
    if not (convergence.converged and convergence.is_singular):
        return []
    words = (
        "Singular fit: estimated as zero (or as a perfect correlation): "
        + ", ".join(convergence.singular_components)
        + ". Standard errors of the other terms hold given that."
    )
    return [Fact(Warned.SINGULAR, words)]


def convergence_of(found: Any) -> Convergence:
    """Return how a fit of either engine of `alliance.mixed` ended."""
    return Convergence(
        converged=found.converged,
        optimiser=found.optimiser,
        evaluations=found.evaluations,
        gradient_norm=found.gradient_norm,
        is_singular=found.is_singular,
        singular_components=tuple(found.singular_components),
        second_start_difference=found.second_start_difference,
    )


def statistics_of(fit: Any) -> dict[str, float]:
    """Return log-likelihood, number of parameters, AIC and both BICs of a fit of the engine."""
    return {
        "log_likelihood": fit.log_likelihood,
        "n_parameters": fit.n_parameters,
        "aic": fit.aic,
        "bic_rows": fit.bic(by="rows"),
        "bic_clients": fit.bic(by="client"),
    }


def _estimate(row: Mapping[str, Any], term: Term | None, unit: str, how: Fact) -> Estimate:
    name = row["term"]
    if term is None:
        term = (
            Term("Intercept", "intercept", unit)
            if name == INTERCEPT
            else Term(plain_name(name), "covariate", unit)
        )
    standardised = None if term.sd_ratio is None else row["estimate"] * term.sd_ratio
    found = estimate(
        name,
        label=term.label,
        role=term.role,
        level=term.level,
        estimator=how,
        unit=term.unit,
        numbers=row,
        standardised=standardised,
    )
    return replace(found, link=term.link)


def plain_name(name: str) -> str:
    """Return `Site south` for `site[south]`, `age years` for `age_years`."""
    variable, _, category = name.partition("[")
    words = variable.replace("_", " ")
    return f"{words.capitalize()}: {category.rstrip(']')}" if category else words.capitalize()


def _components(table: pd.DataFrame, sigma: float) -> list[Component]:
    """Return the random effects' rows with each intercept's share, the residual last."""
    effects = components_of(table[table["level"] != "residual"])
    intercepts = [one for one in effects if one.name_1 == one.name_2 == INTERCEPT]
    total = sigma**2 + sum(one.variance_or_covariance for one in intercepts)
    return [
        *(
            replace(one, share=one.variance_or_covariance / total) if one in intercepts else one
            for one in effects
        ),
        Component("session", "residual", "residual", sigma**2, sigma, sigma**2 / total),
    ]


def components_of(table: pd.DataFrame) -> list[Component]:
    """Return the engine's variances and covariances; those of residuals have the level session."""
    return [
        Component(
            "session" if row["level"] == "residual" else row["level"],
            row["name_1"],
            row["name_1"] if pd.isna(row["name_2"]) else row["name_2"],
            row["variance_or_covariance"],
            row["sd_or_correlation"],
        )
        for row in records(table)
    ]


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table by the names of its columns."""
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def fixed_design(fit: Any, data: pd.DataFrame) -> np.ndarray:
    """Return the fixed-effects design on the user's scale, shape (n_rows, n_coefficients)."""
    return np.asarray(fit.prepared.user_matrix(fit.prepared.fixed, data))


def sd(values: pd.Series | np.ndarray) -> float:
    """Return the standard deviation (n - 1), 0 where there are fewer than two values."""
    values = np.asarray(pd.Series(values).dropna(), dtype=float)
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0
