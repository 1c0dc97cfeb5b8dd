"""When clients leave, in continuous time: a check on the session-by-session hazard.

    cox               h_i(t) = h0(t) exp(b_w (x_it - x̄_i,<=t) + b_b (x̄_i,<=t - x̄) + ...), start-stop
                      rows, Efron's ties, robust to clustering by therapist; with the test of
                      proportional hazards
    gamma-frailty     the same times a therapist's frailty w_j, gamma or log-normal, given which
    gaussian-frailty  clients are independent
    fine-gray         the hazard of the subdistribution: who has left by another way stays in the
                      risk set, so that exp(b) speaks of the share who ever drop out; predictors as
                      they stood at the first score

Time is the number of the session: a row is (t - 1, t], with what was known at session t. Nothing
looks ahead. Estimators: `alliance.survival`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from alliance import __version__
from alliance.errors import FitError
from alliance.families.common.levels import clusters_of
from alliance.families.common.multilevel import plain_name
from alliance.families.common.second_engine import TOLERANCE_IN_SE, difference_in_words
from alliance.families.diagnostics import none_of
from alliance.families.fit import (
    Cohort,
    Draft,
    estimate,
    refuse,
    require_scores,
    rows_of,
)
from alliance.families.hazard.rows import ENDS, EVERYBODY, FEWEST_EVENTS, AtRisk, rows_at_risk
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
    "cox": "Cox partial likelihood, ties by Efron",
    "gamma-frailty": "Cox with gamma frailty, marginal likelihood, ties by Efron",
    "gaussian-frailty": "Cox with log-normal frailty, restricted maximum likelihood, ties by Efron",
    "fine-gray": "subdistribution hazard, weighted partial likelihood, ties by Efron",
}
UNIT = "log hazard"
EARLY_SESSIONS = 3
CAUSES = {"dropout": 1, "completed": 2, "transferred": 2, "other": 2}


@dataclass(frozen=True, slots=True)
class Design:
    """Predictors of the rows of a model, and how each is printed."""

    x: np.ndarray
    terms: list[str]
    labels: list[str]
    levels: list[str]
    roles: list[str]
    units: list[str]


def continuous_time_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fit of one model; never raises for what the data cannot give."""
    method, predictors = entry.get("method", "cox"), list(entry.get("predictors", []))
    labels = " and ".join(f"“{cohort.label(measure)}”" for measure in predictors)
    draft = Draft(
        model=name,
        family="continuous_time",
        title=TITLES[method],
        question="Do clients leave earlier "
        + (f"the weaker or stronger {labels}" if predictors else "in some groups than in others")
        + (", and do more of them ever drop out?" if method == "fine-gray" else "?"),
        outcome={"column": "dropout_event", "label": "dropout", "unit": UNIT},
        engine={
            "name": "alliance.survival",
            "version": __version__,
            "estimator": ESTIMATORS[method],
            "df_method": "",
        },
    )
    draft.assumptions = _assumptions(method)
    try:
        for measure in predictors:
            require_scores(cohort, measure)
        if not predictors and not entry.get("fixed"):
            msg = "The model names neither predictors nor other columns: there is nothing to ask."
            raise FitError(msg)
        if method == "fine-gray":
            _fit_fine_gray(draft, cohort, predictors, entry.get("fixed", []))
        else:
            _fit_start_stop(draft, cohort, method, predictors, entry.get("fixed", []))
    except FitError as error:
        return refuse(draft, cohort, str(error))
    draft.diagnostics = none_of(
        "A model in continuous time has no risk of single sessions to compare with what happened; "
        "the discrete-time hazard of the same end has diagnostics."
    )
    return draft.finish()


def _assumptions(method: str) -> list[str]:
    proportional = "The ratio of hazards for one more point is the same at every session."
    frailty = "Given the predictors, therapists differ by independent frailties"
    if method == "fine-gray":
        return [
            "The ratio of subdistribution hazards for one more point is the same throughout.",
            "Clients still in treatment are no others than those who have ended (censoring does "
            "not depend on the predictors).",
            "Predictors stand as they were at the client's first score, within the first sessions.",
        ]
    return [
        "Agreed completion, transfer and treatment still running take a client out of risk and say "
        "nothing about dropout (non-informative censoring).",
        proportional,
        "Only what was known at the session enters: running means, no look-ahead.",
        *([f"{frailty}, {'gamma' if method == 'gamma-frailty' else 'log-normal'} distributed."]
          if "frailty" in method else []),
    ]  # fmt: skip


# ---------------------------------------------------------------------- start-stop rows


def _fit_start_stop(
    draft: Draft, cohort: Cohort, method: str, predictors: Sequence[str], extra: Sequence[str]
) -> None:
    wants_frailty = "frailty" in method
    risk = rows_at_risk(cohort, predictors, extra, None if wants_frailty else [], draft.warnings)
    rows = risk.rows
    focal = [f"{measure}_running_{p}" for measure in predictors[:1] for p in ("within", "between")]
    design = _design(cohort, rows, focal, [*predictors[1:], *extra, *risk.sites], bool(predictors))
    _refuse_separation(design, rows["dropout_event"].to_numpy())
    _about_sites(draft, risk)
    stop = rows["session"].to_numpy(float)
    group = None
    if wants_frailty:
        if "therapist" not in risk.random:
            msg = "A frailty of therapists needs a cohort that tells therapists apart."
            raise FitError(msg)
        group = pd.factorize(rows["therapist"])[0]
    prepared = cox_rows(stop - 1, stop, rows["dropout_event"].to_numpy(), design.x, group=group)
    levels = ["site", *(["therapist"] if wants_frailty else []), "client"]
    draft.data = rows_of(cohort, risk.kept["used"], risk.kept["left_out"], levels)
    if wants_frailty:
        distribution = "gamma" if method == "gamma-frailty" else "gaussian"
        _fill_frailty(draft, fit_frailty(prepared, distribution), design, distribution)  # type: ignore[arg-type]
        draft.warnings.append("No second engine: statsmodels has no frailty.")
        draft.fit_statistics["events"] = int(rows["dropout_event"].sum())
        return
    clusters, cluster_name = clusters_of(rows)
    fit = fit_cox(prepared, clusters)
    _fill_cox(draft, fit, design, cluster_name)
    _fill_proportionality(draft, prepared, fit, design)
    draft.second_engine = _phreg(rows, design, fit)
    if not draft.second_engine["agrees"]:
        draft.warnings.append(draft.second_engine["message"])


def _about_sites(draft: Draft, risk: AtRisk) -> None:
    if "site" in risk.random:
        draft.warnings.append("Many sites: differences between them are not adjusted for here.")


def _design(
    cohort: Cohort,
    rows: pd.DataFrame,
    focal: Sequence[str],
    others: Sequence[str],
    has_predictors: bool,
) -> Design:
    """Return the running parts of the first predictor, then the other columns as they stand."""
    parts: list[tuple[str, np.ndarray, str, str, str, str]] = []
    for column in focal:
        within = column.endswith("within")
        label = cohort.label(column.rpartition("_running_")[0])
        words = ", this session against the client's mean so far" if within else (
            ", the client's mean so far")  # fmt: skip
        level = "within-client" if within else "between-client"
        parts.append((column, rows[column].to_numpy(float), label + words, level, "main", "point"))
    for column in others:
        is_measure = column in cohort.measures
        role = "adjustment" if has_predictors or column == "site" else "main"
        if pd.api.types.is_numeric_dtype(rows[column]):
            label = f"{cohort.label(column)}, this session" if is_measure else plain_name(column)
            unit = "point" if is_measure else "unit"
            parts.append((column, rows[column].to_numpy(float), label, "covariate", role, unit))
            continue
        for category in sorted(rows[column].astype(str).unique())[1:]:
            term = f"{column}[{category}]"
            indicator = (rows[column].astype(str) == category).to_numpy(float)
            parts.append((term, indicator, plain_name(term), "covariate", role, ""))
    return _of_parts(parts)


def _of_parts(parts: Sequence[tuple[str, np.ndarray, str, str, str, str]]) -> Design:
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


def _fit_fine_gray(
    draft: Draft, cohort: Cohort, predictors: Sequence[str], extra: Sequence[str]
) -> None:
    """Fit on one row a client: predictors at the first score, time counted from there."""
    panel = cohort.panel
    absent = [name for name in extra if name not in panel]
    if absent:
        msg = f"The cohort has no column “{absent[0]}”."
        raise FitError(msg)
    needed = panel[[*predictors, *extra]].notna().all(axis=1)
    early = panel[(panel["session"] <= EARLY_SESSIONS) & needed]
    first = early.drop_duplicates("client").set_index("client")
    last = panel[panel["last_session"]].set_index("client").loc[first.index]
    # A client whose first score stands at session s is at risk from then on: time is counted
    # from just before it.
    time = (last["session"] - first["session"] + 1).to_numpy(float)
    cause = last["end_cause"].map(CAUSES).fillna(0).astype(int).to_numpy()
    events = int((cause == 1).sum())
    if events < FEWEST_EVENTS:
        msg = (
            f"Only {events} dropout(s) among the clients with every predictor within the first "
            f"sessions: at least {FEWEST_EVENTS} are needed."
        )
        raise FitError(msg)
    if (cause == 1).all() and len(np.unique(time)) == 1:
        raise FitError(EVERYBODY.format(ENDS["dropout"][0]))
    if not (cause == 2).any():
        draft.warnings.append(
            "Nobody ended otherwise: the subdistribution hazard is the hazard itself."
        )
    columns = [*predictors, *extra, *(["site"] if first["site"].nunique() > 1 else [])]
    design = _design(cohort, first, [], columns, bool(predictors))
    design = _early_labels(design, predictors, cohort)
    left_early = (cause == 1).astype(float)
    _refuse_separation(design, left_early)
    made = subdistribution_rows(time, cause, 1)
    prepared = cox_rows(
        made.start, made.stop, made.event, design.x[made.person], weight=made.weight
    )
    clusters, cluster_name = clusters_of(first.reset_index())
    fit = fit_cox(prepared, clusters[made.person])
    used = pd.Series(False, index=panel.index)
    used[early.drop_duplicates("client").index] = True
    left_out = [
        {"reason": "not the session of the client's first score", "rows": int((~used).sum())}
    ]
    draft.data = rows_of(cohort, used, [e for e in left_out if e["rows"]], ["site", "client"])
    _fill_cox(draft, fit, design, cluster_name)
    _fill_proportionality(draft, prepared, fit, design)
    draft.fit_statistics |= {
        "events": events,
        "competing_ends": int((cause == 2).sum()),
        "still_in_treatment_or_not_known": int((cause == 0).sum()),
    }
    draft.warnings.append("No second engine: statsmodels has no weights in a Cox regression.")


def _early_labels(design: Design, predictors: Sequence[str], cohort: Cohort) -> Design:
    """Name the measures as what they are here: the first score; the first one is in question."""
    from dataclasses import replace

    labels, roles = list(design.labels), list(design.roles)
    for place, term in enumerate(design.terms):
        if term in predictors:
            labels[place] = f"{cohort.label(term)}, the client's first score"
            roles[place] = "main" if term == predictors[0] else "adjustment"
    return replace(design, labels=labels, roles=roles)


# ---------------------------------------------------------------------- into the form of a fit


def _fill_cox(draft: Draft, fit: CoxFit, design: Design, cluster_name: str) -> None:
    assert fit.robust_covariance is not None
    draft.status = "converged" if fit.converged else "failed"
    draft.message = "" if fit.converged else "Newton's method did not reach a maximum."
    draft.engine["df_method"] = f"robust to clustering by {cluster_name}, normal approximation"
    draft.equation = "log hazard of dropout(t) = baseline(t) + " + " + ".join(design.terms)
    draft.convergence |= {
        "converged": fit.converged,
        "optimiser": "Newton with exact Hessian",
        "evaluations": fit.iterations,
        "gradient_norm": fit.gradient_norm,
    }
    draft.fit_statistics = {
        "log_likelihood": fit.log_likelihood,
        "log_likelihood_without_predictors": fit.null_log_likelihood,
        "n_parameters": len(design.terms),
        "events": fit.events,
    }
    se = np.sqrt(np.diag(fit.robust_covariance))
    draft.estimates = _rows(fit.coefficients, se, design, draft.engine["estimator"])


def _fill_frailty(draft: Draft, fit: FrailtyFit, design: Design, distribution: str) -> None:
    draft.status = "failed" if not fit.converged else "singular" if fit.is_singular else "converged"
    if not fit.converged:
        draft.message = "The search for the variance of the frailty did not end."
    draft.engine["df_method"] = "normal approximation"
    draft.equation = (
        "log hazard of dropout(t) = baseline(t) + "
        + " + ".join(design.terms)
        + f" + log frailty of the therapist ({distribution})"
    )
    components = ["therapist: variance of the frailty is 0"] if fit.is_singular else []
    if fit.is_singular:
        draft.warnings.append(
            "Singular fit: estimated as zero: therapist: variance of the frailty. The data show no "
            "difference between therapists; the model is the Cox regression without frailty."
        )
    draft.convergence |= {
        "converged": fit.converged,
        "optimiser": "Newton within a search for the variance",
        "evaluations": fit.iterations,
        "gradient_norm": fit.gradient_norm,
        "is_singular": fit.is_singular,
        "singular_components": components,
    }
    draft.variance_components = [
        {
            "level": "therapist",
            "name_1": "frailty" if distribution == "gamma" else "log_frailty",
            "name_2": "frailty" if distribution == "gamma" else "log_frailty",
            "variance_or_covariance": fit.variance,
            "sd_or_correlation": float(np.sqrt(fit.variance)),
            "share": None,
        }
    ]
    draft.fit_statistics = {
        "log_likelihood": fit.log_likelihood,
        "log_likelihood_without_frailty": fit.null_log_likelihood,
        "n_parameters": len(design.terms) + 1,
    }
    se = np.sqrt(np.diag(fit.covariance))
    draft.estimates = _rows(fit.coefficients, se, design, draft.engine["estimator"])


def _rows(
    values: np.ndarray, errors: np.ndarray, design: Design, estimator: str
) -> list[dict[str, Any]]:
    found = []
    for place, (value, se) in enumerate(zip(values, errors, strict=True)):
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


def _fill_proportionality(draft: Draft, rows: Rows, fit: CoxFit, design: Design) -> None:
    """Test whether effects change with the session, each main effect and all terms together."""
    each, together = proportionality_test(rows, fit)
    name = "proportional hazards"
    for test, term, label, role in zip(
        each, design.terms, design.labels, design.roles, strict=True
    ):
        if role == "main":
            draft.tests.append(_test(name, term, label, test))
    draft.tests.append(_test(name, "", "all terms together", together))
    if together.p < 0.05:
        draft.warnings.append(
            "Hazards are not proportional (test over all terms): a hazard ratio is then an average "
            "over the sessions. Compare the curves."
        )


def _test(name: str, term: str, label: str, test: Any) -> dict[str, Any]:
    numbers = {"statistic": test.statistic, "df": test.df, "df2": None, "p": test.p}
    words = {"name": f"{name}: {label}", "term": term, "label": label, "kind": "chi2", "note": ""}
    return words | numbers


def _phreg(rows: pd.DataFrame, design: Design, fit: CoxFit) -> dict[str, Any]:
    """Fit the same model by statsmodels' PHReg; it knows ties by Efron, and rows that start late.

    PHReg counts a row at risk at its own start, so its rows start half a session later.
    """
    import statsmodels
    from statsmodels.duration.hazard_regression import PHReg

    stop = rows["session"].to_numpy(float)
    model = PHReg(
        stop,
        design.x - design.x.mean(axis=0),
        status=rows["dropout_event"].to_numpy(),
        entry=stop - 0.5,
        ties="efron",
    )
    verdict: dict[str, Any] = {
        "name": "statsmodels PHReg",
        "version": statsmodels.__version__,
        "converged": False,
        "log_likelihood_difference": None,
        "largest_difference_in_se": None,
        "agrees": False,
        "message": "statsmodels broke down: no comparison.",
    }
    try:
        theirs = model.fit()
    except (np.linalg.LinAlgError, ValueError):
        return verdict
    errors = np.sqrt(np.diag(fit.covariance))
    difference = np.abs(np.asarray(theirs.params) - fit.coefficients) / errors
    if not np.isfinite(difference).all():
        return verdict
    verdict |= {
        "converged": True,
        "log_likelihood_difference": float(theirs.llf - fit.log_likelihood),
        "largest_difference_in_se": float(difference.max()),
        "agrees": bool(difference.max() < TOLERANCE_IN_SE),
    }
    verdict["message"] = difference_in_words(verdict)
    return verdict
