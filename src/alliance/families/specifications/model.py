"""Coupling under every choice that the literature argues about, one departure at a time.

How a client's level is taken (mean over all sessions, mean so far, latent mean), what is done about
trends (nothing, time as a covariate, residuals from the client's own line), how far the effect
reaches (same session, next, the one after), how the outcome now enters, whether the effect differs
between clients, whether therapists and sites have parts of their own, and whether the effect
changes over treatment. "Estimates were strongly influenced by the way linear trajectories were
handled": so all stand side by side, and no reader has to trust one of them
(Curran & Bauer, 2011; Wang & Maxwell, 2015; Falkenström, Finkel, Sandell, Rubel & Holmqvist, 2017).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from alliance.confidence import NORMAL_975
from alliance.errors import FitError
from alliance.families.cohort import Cohort
from alliance.families.common.asked import in_the_session, with_predictor_in_order
from alliance.families.common.curves import degrees_of_freedom, simultaneous_reach
from alliance.families.common.levels import levels_of, site_terms
from alliance.families.common.multilevel import ENGINE, records, sd, statistics_of
from alliance.families.coupling.model import (
    coupling_asked,
    coupling_assumptions,
    coupling_model,
)
from alliance.families.diagnostics import none_of
from alliance.families.facts import Assumption, Fact, Warned
from alliance.families.fit import (
    NUMBERS,
    Asked,
    Component,
    Curve,
    Estimate,
    Fit,
    estimate,
    refused,
)
from alliance.families.specifications.choices import (
    IN_THE_SESSION,
    SPECIFICATIONS,
    Specification,
)
from alliance.mixed import MixedFit, fit_mixed

UNIT = "points per point"
ONE_DEPARTURE = Fact(
    Assumption.ONE_DEPARTURE,
    "Every specification departs from the reported model in the one or two ways its name says.",
)
X, X_BETWEEN, X_THERAPIST, X_SITE = "x_within", "x_between", "x_therapist", "x_site"
NOW, FOLLOWING = "y_now", "y_following"
LEVELS = {
    X: "within-client",
    X_BETWEEN: "between-client",
    X_THERAPIST: "between-therapist",
    X_SITE: "between-site",
}
MOST_FOR_A_CURVE = 41
LOWEST_CLIENT, HIGHEST_CLIENT = "range_over_clients_low", "range_over_clients_high"


def specification_rows(
    panel: pd.DataFrame, spec: Specification, predictor: str, outcome: str, time: str
) -> pd.DataFrame:
    """Return the complete rows of one specification with the columns that its model names.

    Columns: `x_within`, `x_between` (and the therapist's and site's parts), `y_now`,
    `y_following`, `time`, `log_session`, and the ids of the levels.
    """
    following = {0: outcome, 1: f"{outcome}_next"}.get(spec.lag)
    now = f"{outcome}_previous" if spec.lag == 0 else outcome
    rows = panel[["site", "therapist", "client", "session"]].copy()
    rows["time"] = panel[time]
    rows["log_session"] = np.log(panel["session"])
    rows["x"] = panel[predictor]
    rows[FOLLOWING] = panel[following] if following else _two_later(panel, outcome)
    if spec.mean == "running":
        # The first score has nothing before it to deviate from; a missing one no deviation.
        answered = rows["x"].notna()
        later = answered & (answered.groupby(rows["client"]).cumsum() > 1)
        rows[X] = panel[f"{predictor}_running_within"].where(later)
        rows[X_BETWEEN] = panel[f"{predictor}_running_between"].where(later)
    else:
        rows[X] = panel[f"{predictor}_within"]
        rows[X_BETWEEN] = panel[f"{predictor}_between"]
    rows[NOW] = panel[now] - (panel[f"{outcome}_client_mean"] if spec.centred else 0.0)
    if spec.trend == "line":
        rows[X] = _off_own_line(rows, "x")
    if spec.four_way:
        means = panel[f"{predictor}_client_mean"]
        therapists = means.groupby(panel["therapist"]).transform("mean")
        rows[X_BETWEEN] = means - therapists
        rows[X_THERAPIST] = therapists - means.groupby(panel["site"]).transform("mean")
        rows[X_SITE] = means.groupby(panel["site"]).transform("mean") - means.mean()
    needed = [FOLLOWING, X, X_BETWEEN, NOW, "time"] + ([X_THERAPIST] if spec.four_way else [])
    return rows.dropna(subset=needed)


def _two_later(panel: pd.DataFrame, outcome: str) -> pd.Series:
    key = ["site", "client", "session"]
    later = panel[[*key, outcome]].assign(session=panel["session"] - 2)
    return panel[key].merge(later, on=key, how="left")[outcome].set_axis(panel.index)


def _off_own_line(rows: pd.DataFrame, column: str) -> pd.Series:
    """Return the deviations from each client's own least-squares line over time.

    A client with fewer than three scores has no line to deviate from: missing.
    """
    known = rows[[column, "time", "client"]].dropna()
    grouped = known.groupby("client")
    x = known[column] - grouped[column].transform("mean")
    t = known["time"] - grouped["time"].transform("mean")
    square = (t * t).groupby(known["client"]).transform("sum")
    slope = (x * t).groupby(known["client"]).transform("sum") / square.where(square > 0)
    off = x - slope * t
    return off.where(grouped[column].transform("size") >= 3).reindex(rows.index)


def fit_specification(
    rows: pd.DataFrame, spec: Specification, wanted_levels: list[str] | None
) -> MixedFit:
    """Fit one specification by REML.

    Raises
    ------
    FitError
        The engine's words, or that there is nothing to fit.
    """
    if rows.empty or rows["client"].nunique() < 2:
        msg = "fewer than two clients have what it needs."
        raise FitError(msg)
    levels, _ = levels_of(rows, wanted_levels)
    if "therapist" in levels:
        rows = rows.dropna(subset="therapist")
    fixed = ["1", X, X_BETWEEN]
    if spec.four_way:
        if "therapist" not in levels:
            msg = "the cohort has no therapist level."
            raise FitError(msg)
        fixed += [X_THERAPIST] + ([X_SITE] if "site" in levels else [])
    fixed += [NOW] + (["time"] if spec.trend != "none" else [])
    if spec.over_time:
        fixed += ["log_session", f"{X}:log_session"]
    random = {level: ["1"] for level in levels}
    if spec.differs:
        random["client"] = ["1", X]
    fixed += site_terms(rows, levels)
    return fit_mixed(rows, FOLLOWING, fixed, random)


def latent_between(
    fit: MixedFit, rows: pd.DataFrame, scores: pd.DataFrame
) -> dict[str, float | None]:
    """Return the between effect corrected for the unreliability of client means.

    b_latent = b_w + (b_b - b_w) / lambda, lambda = tau2 / (tau2 + sigma2 / n), with the variances
    of the predictor between and within clients and n the number of scores behind a client mean
    (Lüdtke et al., 2008, eq. 11): of all the client's scores, since all are in the mean, and not of
    the pairs of sessions that the model uses. Clients weigh as they do in the between effect.
    ASSUME lambda is known: its uncertainty is not in the interval.

    Parameters
    ----------
    fit, rows
        The specification and its rows.
    scores
        Columns `client` and `x`: every score of the predictor.
    """
    scores = scores[scores["client"].isin(rows["client"])].dropna(subset="x")
    null = fit_mixed(scores, "x", ["1"], {"client": ["1"]})
    parts = null.variance_components.set_index("level")["variance_or_covariance"]
    of_outcome = fit.variance_components.set_index("level")["variance_or_covariance"]
    pairs = rows.groupby("client").size()
    behind = scores.groupby("client").size().reindex(pairs.index)
    weight = 1 / (of_outcome.get("client", 0.0) + of_outcome["residual"] / pairs)
    sampling = parts["residual"] * float((weight / behind).sum() / weight.sum())
    reliability = parts["client"] / (parts["client"] + sampling)
    if not reliability > 0:
        msg = "clients do not differ in their level of the predictor."
        raise FitError(msg)
    weights = {X_BETWEEN: 1 / reliability, X: 1 - 1 / reliability}
    row = fit.contrast({"latent": weights}).iloc[0]
    return {column: row[column] for column in NUMBERS}


def specifications_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Fit:
    """Return the reported coupling model and every specification beside it, as one fit."""
    base = entry["entry"]
    x = cohort.label(base["predictor"])
    coupling, assumptions = coupling_asked(cohort, name, base), coupling_assumptions(cohort, base)
    asked = Asked(
        name,
        "specifications",
        f"{x} → {coupling.outcome.label}: other ways to ask",
        "Does the answer depend on how means, trends and lags are handled?",
        coupling.outcome,
        about=entry["model"],
    )
    try:
        reported = coupling_model(cohort, base)
    except FitError as error:
        return refused(asked, ENGINE, cohort, str(error), assumptions=assumptions)
    specifications = [*SPECIFICATIONS]
    if in_the_session(cohort, base["predictor"], base["outcome"]):
        specifications = IN_THE_SESSION
    found = [_computed(cohort, spec, base, x, coupling.outcome.label) for spec in specifications]
    second = (Warned.NO_SECOND_ENGINE, Warned.ENGINES_DIFFER)
    warnings = [fact for fact in reported.warnings if fact.code not in second]
    statistics = statistics_of(reported.fit)
    return reported.result(
        asked,
        estimates=[row for one in found for row in one.estimates],
        variance_components=[row for one in found for row in one.components],
        second_engine=None,
        fit_statistics=statistics | {key: n for one in found for key, n in one.statistics.items()},
        curves=[curve for one in found for curve in one.curves],
        diagnostics=none_of(
            "The diagnostics of the reported model stand with that model; the others have none."
        ),
        warnings=[*warnings, *(fact for one in found for fact in one.warnings)],
        assumptions=[*assumptions, ONE_DEPARTURE],
    )


@dataclass(frozen=True, slots=True)
class Computed:
    """What one specification adds to the fit."""

    estimates: Sequence[Estimate] = ()
    components: Sequence[Component] = ()
    statistics: Mapping[str, float] = field(default_factory=dict)
    curves: Sequence[Curve] = ()
    warnings: Sequence[Fact] = ()


def _computed(
    cohort: Cohort, spec: Specification, base: Mapping[str, Any], label: str, outcome_label: str
) -> Computed:
    """Fit one specification; one that the data cannot carry is a warning."""
    predictor, outcome = base["predictor"], base["outcome"]
    panel = with_predictor_in_order(cohort, predictor, outcome).panel
    try:
        rows = specification_rows(panel, spec, predictor, outcome, base["time"])
        fit = fit_specification(rows, spec, base.get("levels"))
        if not fit.convergence.converged:
            msg = "its optimiser did not reach a maximum."
            raise FitError(msg)
        scores = cohort.panel[["client"]].assign(x=cohort.panel[predictor])
        estimates = _rows_of(spec, fit, rows, scores, label)
    except FitError as error:
        words = f"{spec.name.capitalize()}: not computed, {error}"
        return Computed(warnings=[Fact(Warned.SPECIFICATION_NOT_COMPUTED, words)])
    used = {f"rows: {spec.name}": fit.rows.used}
    return Computed(
        estimates,
        components=[_spread(fit)] if spec.differs else [],
        statistics=used | (_range_over_clients(fit) if spec.differs else {}),
        curves=[_effect_over_time(fit, rows, outcome_label)] if spec.over_time else [],
    )


def _rows_of(
    spec: Specification, fit: MixedFit, rows: pd.DataFrame, scores: pd.DataFrame, x: str
) -> list[Estimate]:
    table = {row["term"]: row for row in records(fit.coefficients)}
    words = {X: "within client", X_BETWEEN: "between clients", X_THERAPIST: "between therapists",
             X_SITE: "between sites"}  # fmt: skip
    found = []
    for term, level in LEVELS.items():
        if term not in table or (spec.mean == "latent" and term == X):
            continue
        numbers: Mapping[str, Any] = table[term]
        if spec.mean == "latent":
            numbers = latent_between(fit, rows, scores)
        spread = sd(rows[FOLLOWING] - rows.groupby("client")[FOLLOWING].transform("mean"))
        found.append(
            estimate(
                term,
                label=f"{x}, {words[term]}",
                role="main" if spec == SPECIFICATIONS[0] else "adjustment",
                level=level,
                estimator=Fact(spec.code, spec.name),
                unit=UNIT,
                numbers=numbers,
                standardised=float(numbers["estimate"]) * sd(rows[X]) / spread
                if term == X and spread > 0
                else None,
            )
        )
    return found


def _spread(fit: MixedFit) -> Component:
    """Return how much the within effect differs between clients."""
    table = fit.variance_components
    row = table[(table["name_1"] == X) & table["name_2"].isna()].iloc[0]
    variance, deviation = row["variance_or_covariance"], row["sd_or_correlation"]
    return Component("client", X, X, float(variance), float(deviation))


def _range_over_clients(fit: MixedFit) -> dict[str, float]:
    """Return where the within effects of 95 % of clients lie: b_w -+ 1.96 SD of the random slope.

    ASSUME effects are normal over clients; the uncertainty of b_w and of the SD is not in it.
    """
    sd_of_effects = _spread(fit).sd_or_correlation or 0.0
    mean = float(fit.coefficients.set_index("term")["estimate"][X])
    reach = NORMAL_975 * sd_of_effects
    return {LOWEST_CLIENT: mean - reach, HIGHEST_CLIENT: mean + reach}


def _effect_over_time(fit: MixedFit, rows: pd.DataFrame, outcome_label: str) -> Curve:
    """Return the within effect by session, b0 + b1 log(session), with a simultaneous band."""
    last = int(rows["session"].quantile(0.95))
    sessions = np.arange(1, max(2, min(last, MOST_FOR_A_CURVE)) + 1)
    terms = list(fit.coefficients["term"])
    design = np.zeros((len(sessions), len(terms)))
    design[:, terms.index(X)] = 1.0
    product = next(term for term in terms if set(term.split(":")) == {X, "log_session"})
    design[:, terms.index(product)] = np.log(sessions)
    mean = design @ fit.coefficients["estimate"].to_numpy()
    spread = design @ fit.covariance.to_numpy() @ design.T
    half = simultaneous_reach(spread, degrees_of_freedom(fit, design).min()) * np.sqrt(
        np.diag(spread)
    )
    return Curve(
        "effect over treatment",
        "within client",
        "Session",
        f"Effect on {outcome_label.lower()} (points per point)",
        sessions,
        mean,
        mean - half,
        mean + half,
    )
