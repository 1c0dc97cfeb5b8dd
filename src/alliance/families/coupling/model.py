"""Coupling: whether one measure foretells the other from session to session.

    y_i,t+1 = b0 + b_w (x_it - x̄_i) + b_b (x̄_i - x̄) + phi (y_it - ȳ_i) + b_t f(t)
              + sites + v_j + u_i + e

the within- and between-client parts of the predictor told apart (Curran & Bauer, 2011), the outcome
now centred at the client's own mean as well (Hamaker & Grasman, 2015). Always fitted as a pair, one
model for each direction. Two companions check the within-client coefficient: a client fixed-effects
regression (linearmodels `PanelOLS`, clustered by therapist), and the same mixed model with the
outcome now as it stands (Falkenström et al., 2013).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import linearmodels
import numpy as np
import pandas as pd
from linearmodels.panel import PanelOLS

from alliance.errors import FitError
from alliance.families.cohort import Cohort, require_scores
from alliance.families.common.asked import in_the_session, stated_order, with_predictor_in_order
from alliance.families.common.clustered import BY_CR2, how_clustered, robust_cr2, takes_cr2
from alliance.families.common.levels import clusters_of
from alliance.families.common.links import within_link
from alliance.families.common.moderation import effect_by_moderator, moderation_terms
from alliance.families.common.multilevel import (
    ENGINE,
    Fitted,
    Term,
    fit_multilevel,
    sd,
    statistics_of,
)
from alliance.families.common.products import reference_group
from alliance.families.common.usable_rows import time_not_known, usable_rows
from alliance.families.coupling.short_courses import short_course_bias
from alliance.families.diagnostics import diagnose
from alliance.families.facts import Assumption, Estimator, Fact, Reason, Warned
from alliance.families.fit import Asked, Curve, Estimate, Fit, Outcome, estimate, refused
from alliance.mixed import fit_mixed

# ASSUME the effect of the predictor reaches the next session and no further, given the outcome now;
# ASSUME the client's mean over all observed sessions stands for the client's level (it looks ahead,
# and in short courses that biases both coefficients: see docs/coupling.md).
COUPLING_ASSUMPTIONS = (
    Fact(
        Assumption.LEVEL_IS_CLIENT_MEAN,
        "The client's level is the mean over the client's observed sessions.",
    ),
    Fact(
        Assumption.REACHES_NEXT_SESSION,
        "Given the outcome now, the predictor reaches the next session and no further.",
    ),
    Fact(
        Assumption.MISSING_AT_RANDOM,
        "Only pairs of successive sessions with both forms count; others are missing at random.",
    ),
    Fact(Assumption.NORMAL_EFFECTS, "Random effects and residuals are normal and independent."),
)


def coupling_fit(
    cohort: Cohort, name: str, entry: Mapping[str, Any], diagnosed: bool = True
) -> Fit:
    """Return the fit of one direction; never raises for what the data cannot give."""
    asked = coupling_asked(cohort, name, entry)
    assumptions = coupling_assumptions(cohort, entry)
    predictor, outcome = entry["predictor"], entry["outcome"]
    try:
        fitted = coupling_model(cohort, entry)
    except FitError as error:
        return refused(asked, ENGINE, cohort, str(error), assumptions=assumptions)
    companions, warnings = _checks(fitted, entry, cohort.label(predictor))
    curves, borders = _moderated(fitted, entry, cohort.label(predictor))
    bias = _nickell_bias(fitted, cohort.panel, outcome)
    estimates = [
        replace(row, group=reference_group(fitted.fit, row.term)) if row.role == "main" else row
        for row in fitted.estimates
    ]
    return fitted.result(
        asked,
        estimates=estimates,
        companions=companions,
        warnings=[*fitted.warnings, *warnings],
        diagnostics=diagnose(fitted.fit, fitted.rows, estimates) if diagnosed else None,
        fit_statistics=statistics_of(fitted.fit) | {"expected_nickell_bias": bias} | borders,
        curves=curves,
        assumptions=[
            *assumptions,
            *([BY_CR2] if _takes_cr2(fitted, entry.get("cluster_errors", "rule")) else []),
        ],
    )


def coupling_assumptions(cohort: Cohort, entry: Mapping[str, Any]) -> list[Fact]:
    """Return what one direction takes for granted."""
    order = stated_order(cohort, [entry["predictor"], entry["outcome"]])
    return [*COUPLING_ASSUMPTIONS, *order]


def _takes_cr2(fitted: Fitted, option: str) -> bool:
    return takes_cr2(option, len(np.unique(clusters_of(fitted.rows)[0])))


def _checks(
    fitted: Fitted, entry: Mapping[str, Any], label: str
) -> tuple[list[Estimate], list[Fact]]:
    """Return the within-client effect by two other estimators, and which could not be computed."""
    companions, warnings = [], []
    asked = (fitted, entry["predictor"], entry["outcome"], entry["time"], label)
    errors = entry.get("cluster_errors", "rule")
    checks: dict[str, Callable[[], Estimate]] = {
        "fixed-effects": lambda: _fixed_effects(*asked, errors),
        "raw-lag": lambda: _lag_as_it_stands(*asked),
    }
    for what, companion in checks.items():
        try:
            companions.append(companion())
        except FitError as error:
            warnings.append(Fact(Warned.CHECK_NOT_COMPUTED, f"No {what} check: {error}"))
    return companions, warnings


def _moderated(
    fitted: Fitted, entry: Mapping[str, Any], label: str
) -> tuple[list[Curve], dict[str, float]]:
    """Return the within-client effect by the moderator, where the entry names one."""
    if not (moderator := entry.get("moderator")):
        return [], {}
    axis = f"Effect of {label.lower()}, within client (points per point)"
    focal = f"{entry['predictor']}_within"
    return effect_by_moderator(fitted.fit, fitted.rows, focal, moderator, axis)


def coupling_asked(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Asked:
    """Return what one direction asks."""
    predictor, outcome = entry["predictor"], entry["outcome"]
    x, y = cohort.label(predictor), cohort.label(outcome)
    when, given = "at the next session", "it stands now"
    if in_the_session(cohort, predictor, outcome):
        when, given = "after the same session", "it stood after the session before"
    return Asked(
        name,
        "coupling",
        f"{x} → {y} {when}",
        f"When a client's “{x}” is above the client's own average, is “{y}” {when} "
        f"different, given where {given}? And is “{y}” on average different in clients with a "
        f"higher average of “{x}”?",
        Outcome(f"{outcome}_next", f"{y} {when}", cohort.unit(outcome), measure=y),
    )


def coupling_model(cohort: Cohort, entry: Mapping[str, Any]) -> Fitted:
    """Fit the mixed model of one direction.

    Raises
    ------
    FitError
        What the data cannot give, in plain words.
    """
    predictor, outcome, time = entry["predictor"], entry["outcome"], entry["time"]
    x, y = cohort.label(predictor), cohort.label(outcome)
    following = f"{outcome}_next"
    within, between, now = f"{predictor}_within", f"{predictor}_between", f"{outcome}_within"
    require_scores(cohort, predictor)
    require_scores(cohort, outcome)
    cohort = with_predictor_in_order(cohort, predictor, outcome)
    unit, panel = "points per point", cohort.panel
    moderation = moderation_terms(panel, within, entry.get("moderator"))
    fixed = ["1", within, between, now, time, *moderation, *entry.get("fixed", [])]
    needed = {
        following: Fact(Reason.NO_NEXT_SCORE, f"no next session with a score of {y}"),
        outcome: Fact(Reason.NO_SCORE, f"no score of {y} at this session"),
        within: Fact(Reason.NO_SCORE, f"no score of {x} at this session"),
        time: time_not_known(time),
    }
    return fit_multilevel(
        usable_rows(cohort, fixed, needed, entry.get("levels")),
        outcome=following,
        unit=cohort.unit(outcome),
        slopes={"client": [within]} if entry.get("differs_between_clients") else {},
        df=entry.get("df", "satterthwaite"),
        terms={
            within: Term(
                f"{x}, within client",
                "within-client",
                unit,
                role="main",
                sd_ratio=_ratio(sd(panel[within]), sd(panel[f"{outcome}_within"])),
                link=within_link(predictor, outcome),
            ),
            between: Term(
                f"{x}, between clients",
                "between-client",
                unit,
                role="main",
                sd_ratio=_ratio(
                    _client_sd(panel, f"{predictor}_client_mean"),
                    _client_sd(panel, f"{outcome}_client_mean"),
                ),
            ),
            now: Term(f"{y} now, within client", "autoregression", unit),
            time: Term(f"Time ({time.replace('_', ' ')})", "time", "points per unit"),
        },
    )


def _nickell_bias(fitted: Fitted, panel: pd.DataFrame, outcome: str) -> float | None:
    """Return the bias to expect of the autoregression, for the sessions that there are."""
    table = fitted.fit.variance_components
    intercept = table[(table["level"] == "client") & (table["name_1"] == "1")]
    intercept = intercept[intercept["name_2"].isna()]  # the variance, not a covariance
    carry_over = fitted.fit.coefficients.set_index("term").loc[f"{outcome}_within", "estimate"]
    return short_course_bias(
        fitted.rows[["client", "session"]],
        panel.loc[panel[outcome].notna(), ["client", "session"]],
        float(carry_over),
        float(intercept["variance_or_covariance"].sum()),
        float(fitted.fit.residual.sigma) ** 2,
    )


def _ratio(above: float, below: float) -> float | None:
    return above / below if below > 0 else None


def _client_sd(panel: pd.DataFrame, column: str) -> float:
    return sd(panel.groupby("client", sort=False)[column].first())


def _lag_as_it_stands(
    fitted: Fitted, predictor: str, outcome: str, time: str, label: str
) -> Estimate:
    """Return the within-client coefficient of the mixed model with the outcome now not centred.

    The client's random intercept is part of the outcome now, so that this model pulls the
    autoregression up and the within-client coefficient towards zero; printed because much of the
    literature uses it.
    """
    swap = {f"{outcome}_within": outcome}
    fit = fit_mixed(
        fitted.rows,
        outcome=f"{outcome}_next",
        fixed=[swap.get(term, term) for term in fitted.fixed],
        random=fitted.random,
    )
    if not fit.convergence.converged:
        msg = "its optimiser did not reach a maximum."
        raise FitError(msg)
    row = fit.coefficients.set_index("term").loc[f"{predictor}_within"]
    return estimate(
        f"{predictor}_within",
        label=f"{label}, within client",
        role="main",
        level="within-client",
        estimator=Fact(
            Estimator.MIXED_LAG_NOT_CENTRED, "mixed model, REML, outcome now not centred"
        ),
        unit="points per point",
        numbers={str(key): value for key, value in row.items()},
    )


def _fixed_effects(
    fitted: Fitted, predictor: str, outcome: str, time: str, label: str, option: str
) -> Estimate:
    """Return the within-client coefficient with every client's level as a free constant."""
    rows, following = fitted.rows, f"{outcome}_next"
    several = rows.groupby("client")[following].transform("size") > 1
    rows = rows[several]
    if rows.empty or rows["client"].nunique() < 2:
        msg = "fewer than two clients have two pairs of sessions."
        raise FitError(msg)
    indexed = rows.set_index(["client", "session"], drop=False)  # time may be the session
    clusters, cluster_level = clusters_of(rows)
    regressors = indexed[[predictor, outcome, time]].astype(float)
    constant = regressors.groupby(level=0).transform("std").fillna(0).max() == 0
    if constant.any():
        msg = f"{', '.join(regressors.columns[constant])} never varies within a client."
        raise FitError(msg)
    codes = pd.Series(clusters, index=indexed.index)
    result = PanelOLS(indexed[following].astype(float), regressors, entity_effects=True).fit(
        cov_type="clustered", clusters=codes.to_frame("cluster"), debiased=True, group_debias=True
    )
    # ASSUME t with (clusters - 1) degrees of freedom where clusters are many, else Satterthwaite's.
    from scipy import stats

    df = float(codes.nunique() - 1)
    value, se = float(result.params[predictor]), float(result.std_errors[predictor])
    cr2 = _takes_cr2(fitted, option)
    if cr2:
        columns = regressors.assign(outcome=indexed[following].astype(float))
        within = columns - columns.groupby(level=0).transform("mean")
        x = within[list(regressors)]
        left = within["outcome"].to_numpy() - x.to_numpy() @ result.params.to_numpy()
        robust = robust_cr2(x, left, clusters)
        se, df = float(robust.se[predictor]), float(robust.df[predictor])
    half = float(stats.t.ppf(0.975, df)) * se
    return estimate(
        predictor,
        label=f"{label}, within client",
        role="main",
        level="within-client",
        estimator=Fact(
            Estimator.FIXED_EFFECTS,
            f"client fixed effects, {how_clustered(cr2, cluster_level)} "
            f"(linearmodels {linearmodels.__version__})",
        ),
        unit="points per point",
        numbers={
            "estimate": value,
            "se": se,
            "df": df,
            "statistic": value / se,
            "p": float(2 * stats.t.sf(abs(value / se), df)),
            "ci_low": value - half,
            "ci_high": value + half,
        },
        standardised=value * sd(rows[f"{predictor}_within"]) / sd(rows[f"{outcome}_within"])
        if sd(rows[f"{outcome}_within"]) > 0
        else None,
    )
