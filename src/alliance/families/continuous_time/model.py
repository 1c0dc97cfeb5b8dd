"""When clients leave, in continuous time: a check on the session-by-session hazard.

    cox               h_i(t) = h0(t) exp(b_w (x_it - x̄_i,<t) + b_b (x̄_i,<t - x̄) + ...), start-stop
                      rows, Efron's ties, robust to clustering by therapist; with the test of
                      proportional hazards
    gamma-frailty     the same times a therapist's frailty w_j, gamma or log-normal, given which
    gaussian-frailty  clients are independent
    fine-gray         the hazard of the subdistribution: who has left by another way stays in the
                      risk set, so that exp(b) speaks of the share who ever drop out; predictors as
                      they stood at the first score

Time is the number of the session: a row is (t - 1, t], with what was known at session t, for the
sessions at risk of `alliance.families.hazard.rows`. Nothing looks ahead. Estimators:
`alliance.survival`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from alliance import __version__
from alliance.errors import FitError
from alliance.families.cohort import Cohort, require_scores
from alliance.families.common.levels import clusters_of
from alliance.families.common.multilevel import plain_name
from alliance.families.common.references import others_than_reference
from alliance.families.common.second_engine import (
    compared,
    disagreement,
    no_comparison,
    no_second_engine,
)
from alliance.families.diagnostics import none_of
from alliance.families.facts import (
    Assumption,
    DfMethod,
    Estimator,
    Fact,
    Reason,
    Tested,
    Warned,
)
from alliance.families.fit import (
    Asked,
    Component,
    Convergence,
    Engine,
    Estimate,
    Fit,
    Kept,
    LeftOut,
    Outcome,
    Role,
    SecondEngine,
    Test,
    data_of,
    estimate,
    refused,
)
from alliance.families.hazard.rows import (
    ENDS,
    EVERYBODY,
    FEWEST_EVENTS,
    IN_WORDS,
    ONLY_WHAT_WAS_KNOWN,
    AtRisk,
    known,
    rows_at_risk,
)
from alliance.survival import (
    CoxFit,
    FrailtyFit,
    cox_rows,
    fit_cox,
    fit_frailty,
    proportionality_test,
    subdistribution_rows,
)
from alliance.survival.cox import Rows

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
UNIT = "log hazard"
# term, values, label, level, role, unit
Part = tuple[str, np.ndarray, str, str, Role, str]
EARLY_SESSIONS = 3
CAUSES = {"dropout": 1, "completed": 2, "transferred": 2, "other": 2}


@dataclass(frozen=True, slots=True)
class Design:
    """Predictors of the rows of a model, and how each is printed."""

    x: np.ndarray
    terms: list[str]
    labels: list[str]
    levels: list[str]
    roles: list[Role]
    units: list[str]


def continuous_time_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Fit:
    """Return the fit of one model; never raises for what the data cannot give."""
    method, predictors = entry.get("method", "cox"), list(entry.get("predictors", []))
    extra = list(entry.get("fixed", []))
    asked = _asked(cohort, name, method, predictors)
    try:
        for measure in predictors:
            require_scores(cohort, measure)
        if not predictors and not extra:
            msg = "The model names neither predictors nor other columns: there is nothing to ask."
            raise FitError(msg)
        if method == "fine-gray":
            return _fine_gray(asked, cohort, predictors, extra)
        risk = rows_at_risk(cohort, predictors, extra, None if method in FRAILTY else [])
        design = _start_stop_design(cohort, risk, predictors, extra)
        if method in FRAILTY:
            return _frailty(asked, cohort, risk, design, method)
        return _cox(asked, cohort, risk, design)
    except FitError as error:
        engine = _engine(method, DfMethod.NONE, "")
        return refused(asked, engine, cohort, str(error), assumptions=_assumptions(method))


def _asked(cohort: Cohort, name: str, method: str, predictors: Sequence[str]) -> Asked:
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


def _engine(method: str, code: DfMethod, words: str) -> Engine:
    return Engine("alliance.survival", __version__, ESTIMATORS[method], Fact(code, words))


def _assumptions(method: str) -> list[Fact]:
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
            Fact(
                Assumption.PREDICTORS_AT_FIRST_SCORE,
                "Predictors stand as they were at the client's first score, within the first "
                "sessions.",
            ),
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
        ONLY_WHAT_WAS_KNOWN,
        *([_about_frailty(FRAILTY[method])] if method in FRAILTY else []),
    ]


def _about_frailty(distribution: str) -> Fact:
    shape = "gamma" if distribution == "gamma" else "log-normal"
    return Fact(
        Assumption.THERAPISTS_DIFFER_RANDOMLY,
        f"Given the predictors, therapists differ by independent frailties, {shape} distributed.",
    )


# ---------------------------------------------------------------------- start-stop rows


def _start_stop_design(
    cohort: Cohort, risk: AtRisk, predictors: Sequence[str], extra: Sequence[str]
) -> Design:
    rows = risk.rows
    focal = [f"{measure}_running_{p}" for measure in predictors[:1] for p in ("within", "between")]
    others = [*map(known, predictors[1:]), *extra, *risk.sites]
    design = _design(cohort, rows, focal, others, bool(predictors))
    _refuse_separation(design, rows["dropout_event"].to_numpy())
    return design


def _prepared(risk: AtRisk, design: Design, group: np.ndarray | None = None) -> Rows:
    stop = risk.rows["session"].to_numpy(float)
    event = risk.rows["dropout_event"].to_numpy()
    return cox_rows(stop - 1, stop, event, design.x, group=group)


def _about_sites(risk: AtRisk) -> list[Fact]:
    words = "Many sites: differences between them are not adjusted for here."
    return [Fact(Warned.SITES_NOT_ADJUSTED_FOR, words)] if "site" in risk.random else []


def _cox(asked: Asked, cohort: Cohort, risk: AtRisk, design: Design) -> Fit:
    prepared = _prepared(risk, design)
    clusters, cluster_name = clusters_of(risk.rows)
    fit = fit_cox(prepared, clusters)
    second = _phreg(risk.rows, design, fit)
    tests, about_tests = _proportionality(prepared, fit, design)
    return _cox_result(
        asked,
        "cox",
        fit,
        design,
        cluster_name,
        data=data_of(cohort, risk.kept, ["site", "client"]),
        tests=tests,
        second_engine=second,
        warnings=[*risk.warnings, *_about_sites(risk), *about_tests, *disagreement(second)],
    )


def _frailty(asked: Asked, cohort: Cohort, risk: AtRisk, design: Design, method: str) -> Fit:
    if "therapist" not in risk.random:
        msg = "A frailty of therapists needs a cohort that tells therapists apart."
        raise FitError(msg)
    distribution = FRAILTY[method]
    group = pd.factorize(risk.rows["therapist"])[0]
    fit = fit_frailty(_prepared(risk, design, group), distribution)
    convergence = Convergence(
        fit.converged,
        "Newton within a search for the variance",
        fit.iterations,
        fit.gradient_norm,
        fit.is_singular,
        ("therapist: variance of the frailty is 0",) if fit.is_singular else (),
    )
    name = "frailty" if distribution == "gamma" else "log_frailty"
    return Fit(
        asked,
        _engine(method, DfMethod.NORMAL, "normal approximation"),
        data_of(cohort, risk.kept, ["site", "therapist", "client"]),
        status=convergence.status,
        message="" if fit.converged else "The search for the variance of the frailty did not end.",
        equation="log hazard of dropout(t) = baseline(t) + "
        + " + ".join(design.terms)
        + f" + log frailty of the therapist ({distribution})",
        estimates=_rows(fit.coefficients, fit.covariance, design, ESTIMATORS[method]),
        variance_components=[
            Component("therapist", name, name, fit.variance, float(np.sqrt(fit.variance)))
        ],
        fit_statistics={
            "log_likelihood": fit.log_likelihood,
            "log_likelihood_without_frailty": fit.null_log_likelihood,
            "n_parameters": len(design.terms) + 1,
            "events": int(risk.rows["dropout_event"].sum()),
        },
        convergence=convergence,
        diagnostics=none_of(NO_DIAGNOSTICS),
        warnings=[
            *risk.warnings,
            *_about_sites(risk),
            *_singular(fit),
            no_second_engine("statsmodels has no frailty."),
        ],
        assumptions=_assumptions(method),
    )


def _singular(fit: FrailtyFit) -> list[Fact]:
    words = (
        "Singular fit: estimated as zero: therapist: variance of the frailty. The data show no "
        "difference between therapists; the model is the Cox regression without frailty."
    )
    return [Fact(Warned.SINGULAR, words)] if fit.is_singular else []


def _design(
    cohort: Cohort,
    rows: pd.DataFrame,
    focal: Sequence[str],
    others: Sequence[str],
    has_predictors: bool,
) -> Design:
    """Return the running parts of the first predictor, then the other columns as they stand."""
    parts: list[Part] = []
    for column in focal:
        within = column.endswith("within")
        label = cohort.label(column.rpartition("_running_")[0])
        part = "within" if within else "between"
        told, values = f"{label}, {IN_WORDS[part]}", rows[column].to_numpy(float)
        parts.append((column, values, told, f"{part}-client", "main", "point"))
    for column in others:
        measure = column.removesuffix("_known")
        is_measure = column != measure or measure in cohort.measures
        role: Role = "adjustment" if has_predictors or column == "site" else "main"
        if pd.api.types.is_numeric_dtype(rows[column]):
            label = f"{cohort.label(measure)}, last score" if is_measure else plain_name(column)
            unit = "point" if is_measure else "unit"
            parts.append((column, rows[column].to_numpy(float), label, "covariate", role, unit))
            continue
        for category in others_than_reference(rows[column]):
            term = f"{column}[{category}]"
            indicator = (rows[column].astype(str) == category).to_numpy(float)
            parts.append((term, indicator, plain_name(term), "covariate", role, ""))
    return _of_parts(parts)


def _of_parts(parts: Sequence[Part]) -> Design:
    terms, columns, labels, levels, roles, units = (list(part) for part in zip(*parts, strict=True))
    return Design(
        x=np.column_stack(columns),
        terms=terms,
        labels=labels,
        levels=levels,
        roles=roles,
        units=[f"{UNIT} per {unit}" if unit else UNIT for unit in units],
    )


def _refuse_separation(design: Design, event: np.ndarray) -> None:
    """Raise where one predictor alone tells all leavers from all stayers, or never varies."""
    for values, label in zip(design.x.T, design.labels, strict=True):
        if np.ptp(values) == 0:
            msg = f"“{label}” is the same in every row: it cannot explain dropout."
            raise FitError(msg)
        left, stayed = values[event == 1], values[event != 1]
        if len(np.unique(values)) > 2 and (
            left.min() >= stayed.max() or left.max() <= stayed.min()
        ):
            msg = f"“{label}” alone tells leavers from stayers: there is no finite estimate."
            raise FitError(msg)


# ---------------------------------------------------------------------- Fine and Gray


@dataclass(frozen=True, slots=True)
class FirstScores:
    """One row a client, at the first score: when and how treatment ended, counted from there.

    Attributes
    ----------
    rows
        By client.
    time
        Sessions from the first score to the last; shape (clients,).
    cause
        1 dropout, 2 another end, 0 not known to have ended; shape (clients,).
    kept
        Which rows of the panel these are.
    """

    rows: pd.DataFrame
    time: np.ndarray
    cause: np.ndarray
    kept: Kept


def _fine_gray(
    asked: Asked, cohort: Cohort, predictors: Sequence[str], extra: Sequence[str]
) -> Fit:
    """Fit on one row a client: predictors at the first score, time counted from there."""
    found = _first_scores(cohort.panel, [*predictors, *extra])
    first, cause = found.rows, found.cause
    columns = [*predictors, *extra, *(["site"] if first["site"].nunique() > 1 else [])]
    design = _design(cohort, first, [], columns, bool(predictors))
    design = _early_labels(design, predictors, cohort)
    _refuse_separation(design, (cause == 1).astype(float))
    made = subdistribution_rows(found.time, cause, 1)
    prepared = cox_rows(
        made.start, made.stop, made.event, design.x[made.person], weight=made.weight
    )
    clusters, cluster_name = clusters_of(first.reset_index())
    fit = fit_cox(prepared, clusters[made.person])
    tests, about_tests = _proportionality(prepared, fit, design)
    words = "Nobody ended otherwise: the subdistribution hazard is the hazard itself."
    return _cox_result(
        asked,
        "fine-gray",
        fit,
        design,
        cluster_name,
        data=data_of(cohort, found.kept, ["site", "client"]),
        tests=tests,
        statistics={
            "events": int((cause == 1).sum()),
            "competing_ends": int((cause == 2).sum()),
            "still_in_treatment_or_not_known": int((cause == 0).sum()),
        },
        warnings=[
            *([] if (cause == 2).any() else [Fact(Warned.NO_COMPETING_END, words)]),
            *about_tests,
            no_second_engine("statsmodels has no weights in a Cox regression."),
        ],
    )


def _first_scores(panel: pd.DataFrame, needed: Sequence[str]) -> FirstScores:
    """Return the clients with every predictor within the first sessions.

    Raises
    ------
    FitError
        A column is not there, or too few of these clients dropped out, or all at once.
    """
    absent = [name for name in needed if name not in panel]
    if absent:
        msg = f"The cohort has no column “{absent[0]}”."
        raise FitError(msg)
    complete = panel[list(needed)].notna().all(axis=1)
    early = panel[(panel["session"] <= EARLY_SESSIONS) & complete].drop_duplicates("client")
    first = early.set_index("client")
    last = panel[panel["last_session"]].set_index("client").loc[first.index]
    cause = last["end_cause"].map(CAUSES).fillna(0).astype(int).to_numpy()
    # A client whose first score stands at session s is at risk from then on: time is counted
    # from just before it, to the last session after which the way on is known.
    time = (last["session"] - first["session"] + 1).to_numpy(float) - (cause == 0)
    seen = time > 0
    early, first, time, cause = early[seen], first[seen], time[seen], cause[seen]
    events = int((cause == 1).sum())
    if events < FEWEST_EVENTS:
        msg = (
            f"Only {events} dropout(s) among the clients with every predictor within the first "
            f"sessions: at least {FEWEST_EVENTS} are needed."
        )
        raise FitError(msg)
    if (cause == 1).all() and len(np.unique(time)) == 1:
        raise FitError(EVERYBODY.format(ENDS["dropout"][0]))
    used = pd.Series(panel.index.isin(early.index), index=panel.index)
    reason = Fact(
        Reason.NOT_THE_FIRST_SCORE,
        "not the session of a first score that was followed by anything seen",
    )
    others = int((~used).sum())
    kept = Kept(used, (LeftOut(reason, others),) if others else ())
    return FirstScores(first, time, cause, kept)


def _early_labels(design: Design, predictors: Sequence[str], cohort: Cohort) -> Design:
    """Name the measures as what they are here: the first score; the first one is in question."""
    labels, roles = list(design.labels), list(design.roles)
    for place, term in enumerate(design.terms):
        if term in predictors:
            labels[place] = f"{cohort.label(term)}, the client's first score"
            roles[place] = "main" if term == predictors[0] else "adjustment"
    return replace(design, labels=labels, roles=roles)


# ---------------------------------------------------------------------- into the form of a fit


def _cox_result(
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
        _engine(method, DfMethod.CLUSTER_ROBUST, robust),
        status="converged" if fit.converged else "failed",
        message="" if fit.converged else "Newton's method did not reach a maximum.",
        equation="log hazard of dropout(t) = baseline(t) + " + " + ".join(design.terms),
        estimates=_rows(fit.coefficients, fit.robust_covariance, design, ESTIMATORS[method]),
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
        assumptions=_assumptions(method),
        **more,
    )


def _rows(
    values: np.ndarray, covariance: np.ndarray, design: Design, estimator: Fact
) -> list[Estimate]:
    found = []
    for place, (value, se) in enumerate(zip(values, np.sqrt(np.diag(covariance)), strict=True)):
        half = 1.959963984540054 * se
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


def _proportionality(rows: Rows, fit: CoxFit, design: Design) -> tuple[list[Test], list[Fact]]:
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


def _phreg(rows: pd.DataFrame, design: Design, fit: CoxFit) -> SecondEngine:
    """Fit the same model by statsmodels' PHReg; it knows ties by Efron, and rows that start late.

    PHReg counts a row at risk at its own start, so its rows start half a session later.
    """
    from statsmodels.duration.hazard_regression import PHReg

    stop = rows["session"].to_numpy(float)
    model = PHReg(
        stop,
        design.x - design.x.mean(axis=0),
        status=rows["dropout_event"].to_numpy(),
        entry=stop - 0.5,
        ties="efron",
    )
    nothing = no_comparison("PHReg", "broke down")
    try:
        theirs = model.fit()
    except (np.linalg.LinAlgError, ValueError):
        return nothing
    errors = np.sqrt(np.diag(fit.covariance))
    difference = np.abs(np.asarray(theirs.params) - fit.coefficients) / errors
    if not np.isfinite(difference).all():
        return nothing
    return compared("PHReg", float(theirs.llf - fit.log_likelihood), float(difference.max()))
