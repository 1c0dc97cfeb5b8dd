"""Joint courses: two measures that act on each other from session to session.

    y_k,ti = b0_k + b1_k f_k(t) + sites + (v0_k) + u0_k,i + u1_k,i f_k(t) + w_k,ti,   k = 1, 2
    w_ti = Phi w_t-1,i + e_ti

No client's mean is taken, so neither the carry-over nor the mean's own error biases the effects
within clients (docs/courses.md). Effects within clients are Phi's elements; those between clients
and between therapists come from the covariances of the random effects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.cohort import Cohort, require_scores
from alliance.families.common.levels import levels_of, site_terms
from alliance.families.common.multilevel import (
    ENGINE,
    MIXED,
    components_of,
    engine_result,
    plain_name,
    records,
    singular_warning,
    statistics_of,
)
from alliance.families.common.second_engine import no_second_engine
from alliance.families.common.usable_rows import THERAPIST_NOT_KNOWN
from alliance.families.facts import Assumption, Estimator, Fact, Reason, Warned
from alliance.families.fit import (
    Asked,
    Curve,
    Estimate,
    Fit,
    Kept,
    Outcome,
    Role,
    data_of,
    estimate,
    kept_rows,
    refused,
)
from alliance.mixed import MixedFit, derived, fit_mixed, identification
from alliance.mixed.inference.derived import Quantity
from alliance.mixed.inference.quantities import (
    lagged_effect,
    link,
    ordered_effect,
    total_effect,
    within_session,
)

# ASSUME lines of their own cannot be told from what is carried over where half of the clients have
# fewer complete sessions than this: the model then has the mean course only, and says so.
FEWEST_SESSIONS = 5
FARTHEST = 8
"""Sessions (or weeks) over which the response to a deviation is followed."""

DELTA = Fact(Estimator.JOINT_COURSES, "joint courses, REML, delta method")


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model and what its numbers are called."""

    fit: MixedFit
    labels: Mapping[str, str]
    times: Mapping[str, str]
    levels: Sequence[str]
    step: str


def joint_courses_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Fit:
    """Return the fit of two measures at once; never raises for what the data cannot give."""
    outcomes = list(entry["outcomes"])
    labels = {outcome: cohort.label(outcome) for outcome in outcomes}
    one, other = labels.values()
    step = "session" if entry["distance"] == "sessions" else "week"
    asked = Asked(
        name,
        "joint_courses",
        f"{one} and {other} from {step} to {step}",
        f"When a client's “{one}” is better than the client's own course, is “{other}” better "
        f"at the next {step}, and the other way round? And do clients who differ in the one differ "
        "in the other?",
        Outcome(
            ", ".join(outcomes),
            " and ".join(labels.values()),
            "; ".join(cohort.unit(outcome) for outcome in outcomes),
        ),
    )
    assumptions = _assumptions(step)
    try:
        for outcome in outcomes:
            require_scores(cohort, outcome)
        model, kept, notes = _fitted(cohort.panel, labels, entry, step)
        estimates = [*_effects(model, entry.get("answered_first")), *_fixed(model)]
        curves = _responses(model)
    except FitError as error:
        return refused(asked, ENGINE, cohort, str(error), assumptions=assumptions)
    return engine_result(
        asked,
        model.fit,
        data=data_of(cohort, kept, ["site", *(level for level in model.levels if level != "site")]),
        estimates=estimates,
        variance_components=components_of(model.fit.variance_components),
        fit_statistics=statistics_of(model.fit),
        curves=curves,
        warnings=[
            *singular_warning(model.fit.convergence),
            *notes,
            no_second_engine("statsmodels fits one outcome at a time."),
        ],
        assumptions=assumptions,
    )


def _assumptions(step: str) -> list[Fact]:
    return [
        Fact(
            Assumption.STATIONARY_DEVIATIONS,
            f"Deviations from a client's course act on the next {step} in the same way throughout "
            "treatment and for all clients, and their spread does not change.",
        ),
        Fact(
            Assumption.NORMAL_EFFECTS,
            "Clients' and therapists' levels, clients' lines and the deviations are normal.",
        ),
        Fact(
            Assumption.MISSING_AT_RANDOM,
            "Missing sessions and forms are missing at random given the scores that there are, of "
            "either measure.",
        ),
    ]


# ------------------------------------------------------------------ fitting


def _fitted(
    panel: pd.DataFrame, labels: Mapping[str, str], entry: Mapping[str, Any], step: str
) -> tuple[Model, Kept, list[Fact]]:
    """Return the model, the rows that it used and what to know of it."""
    times = dict(zip(labels, entry["times"], strict=True))
    kept, levels, notes = _rows(panel, times, entry.get("levels"), step)
    rows = panel[kept.used]
    sites = site_terms(rows, levels)
    complete = rows.groupby("client")[list(labels)].apply(lambda own: own.notna().all(axis=1).sum())

    def fit(*, slopes: bool) -> MixedFit:
        own = {y: ["1", t] if slopes else ["1"] for y, t in times.items()}
        return fit_mixed(
            rows,
            list(labels),
            {y: list(dict.fromkeys(["1", t, *sites])) for y, t in times.items()},
            {level: own if level == "client" else ["1"] for level in levels},
            residual="var1" if step == "session" else "cvar1",
            residual_time="session" if step == "session" else "weeks_since_intake",
        )

    why = ""
    if float(complete.median()) < FEWEST_SESSIONS:
        why = f"half of the clients have fewer than {FEWEST_SESSIONS} sessions with both measures"
    found = None
    if not why:
        try:
            found = fit(slopes=True)
        except FitError:
            why = "with lines of their own the likelihood has no maximum"
        else:
            if identification(found).is_weak:
                why = "the data hardly tell them from what is carried over"
    if why:
        found = fit(slopes=False)
        words = f"Clients have no lines of their own in this model, only levels: {why}."
        notes = [*notes, Fact(Warned.LINES_LEFT_OUT, words)]
    assert found is not None
    return Model(found, labels, times, levels, step), kept, notes


def _rows(
    panel: pd.DataFrame, times: Mapping[str, str], wanted: Sequence[str] | None, step: str
) -> tuple[Kept, list[str], list[Fact]]:
    """Return which rows are used, the levels, and a warning for each that was left out."""
    there = pd.concat([panel[y].notna() & panel[t].notna() for y, t in times.items()], axis=1)
    reasons = {
        Fact(Reason.NO_SCORE, "no score of either measure, or its time is not known"): ~there.any(
            axis=1
        )
    }
    if step == "week":
        unknown = panel["weeks_since_intake"].isna()
        reasons[Fact(Reason.TIME_NOT_KNOWN, "weeks since intake not known")] = unknown
    levels, notes = levels_of(panel[kept_rows(panel, reasons).used], wanted)
    if "client" not in levels:
        msg = "The model has no client level: its `levels` need `client`."
        raise FitError(msg)
    if "therapist" in levels:
        reasons[THERAPIST_NOT_KNOWN] = panel["therapist"].isna()
    return kept_rows(panel, reasons), levels, notes


# ------------------------------------------------------------------ what is read off


def _effects(model: Model, first: str | None) -> list[Estimate]:
    """Return the effects within clients, between clients and between therapists."""
    fit, labels = model.fit, model.labels
    asked: list[tuple[str, str, Role, str, Quantity, Quantity | None]] = []
    names = list(labels)
    directions = [(of, on) for of in names for on in names if of != on]
    for of, on in directions:
        label = f"{labels[of]} → {labels[on]}, next {model.step}"
        quantity = lagged_effect(fit, of, on)
        if first is not None and first != on:
            # The form after the session is read given the one before the same session.
            quantity = ordered_effect(fit, of, on, first=first)
            label = f"{label}, given {labels[first]} before it"
        asked.append(
            ("within", label, "main", "points per point", quantity,
             lagged_effect(fit, of, on, standardised=True) if first is None else None)
        )  # fmt: skip
        label = f"{labels[of]} 1 SD above the client's course → {labels[on]}, next {model.step}"
        asked.append(("within", label, "adjustment", "points per SD", _per_sd(fit, of, on), None))
        asked.append(
            ("within", f"{labels[of]} → {labels[on]}, all later {model.step}s together",
             "adjustment", "points per point", total_effect(fit, of, on), None)
        )  # fmt: skip
    if first is not None:
        after = next(name for name in names if name != first)
        label = f"{labels[first]} → {labels[after]}, same session"
        asked.append(
            ("within", label, "main", "points per point", within_session(fit, first, after), None)
        )
    for name in names:
        label = f"{labels[name]} → {labels[name]}, next {model.step}"
        quantity = lagged_effect(fit, name, name)
        asked.append(("carried", label, "adjustment", "points per point", quantity, quantity))
    for level in model.levels:
        for of, on in directions[:1]:
            quantity = link(fit, level, f"{of}: 1", f"{on}: 1")
            label = f"{labels[of]} → {labels[on]}, levels at intake"
            asked.append(
                (level, label, "main" if level != "site" else "adjustment", "points per point",
                 quantity, link(fit, level, f"{of}: 1", f"{on}: 1", standardised=True))
            )  # fmt: skip
    table = records(derived(fit, [quantity for *_, quantity, _ in asked]))
    standard = {
        place: float(derived(fit, [quantity])["estimate"].iloc[0])
        for place, (*_, quantity) in enumerate(asked)
        if quantity is not None
    }
    return [
        _estimate(where, label, role, unit, quantity.name, row, standard.get(place))
        for place, ((where, label, role, unit, quantity, _), row) in enumerate(
            zip(asked, table, strict=True)
        )
    ]


def _per_sd(fit: MixedFit, of: str, on: str) -> Quantity:
    """Effect of a standard deviation within clients, in points."""
    effect, place = lagged_effect(fit, of, on), list(fit.prepared.outcomes.names).index(of)
    return Quantity(
        f"{effect.name} per SD",
        lambda point: effect.at(point) * float(np.sqrt(point.within()[place, place])),
    )


def _estimate(
    where: str, label: str, role: Role, unit: str, term: str, row: Mapping[str, Any],
    standardised: float | None,
) -> Estimate:  # fmt: skip
    """Return an effect; where its level is at the boundary it has no interval."""
    level = {"within": "within client", "carried": "autoregression"}.get(where, f"between {where}s")
    known = np.isfinite(row["estimate"]) and np.isfinite(row["se"]) and row["se"] > 0
    numbers = {
        "estimate": row["estimate"] if np.isfinite(row["estimate"]) else None,
        "df": None,
        "statistic": row["z"] if known else None,
        **{key: row[key] if known else None for key in ("se", "p", "ci_low", "ci_high")},
    }
    finite = standardised is not None and np.isfinite(standardised)
    return estimate(
        term,
        label=label,
        role=role,
        level=level,
        estimator=DELTA,
        unit=unit,
        numbers=numbers,
        standardised=standardised if finite else None,
    )


def _fixed(model: Model) -> list[Estimate]:
    found = []
    for row in records(model.fit.coefficients):
        outcome, _, term = row["term"].partition(": ")
        name = "intercept" if term == "1" else plain_name(term)
        found.append(
            estimate(
                row["term"],
                label=f"{model.labels[outcome]}: {name}",
                role="adjustment",
                level="intercept" if term == "1" else "covariate",
                estimator=MIXED,
                unit="points",
                numbers=row,
            )
        )
    return found


def _responses(model: Model) -> list[Curve]:
    """Return how a deviation of one SD within clients is answered over the sessions after it."""
    fit, labels = model.fit, model.labels
    within = model.fit.residual.covariance
    assert within is not None
    curves = []
    sizes = np.sqrt(np.diag(within.loc[list(labels), list(labels)].to_numpy()))
    for of, size in zip(labels, sizes, strict=True):
        for on in labels:
            if of == on:
                continue
            after = np.arange(1, FARTHEST + 1)
            table = derived(fit, [lagged_effect(fit, of, on, distance=float(h)) for h in after])
            curves.append(
                Curve(
                    "response",
                    f"{labels[of]} → {labels[on]}",
                    f"{model.step.capitalize()}s later",
                    f"{labels[on]}, points",
                    after.astype(float),
                    *(table[key].to_numpy() * size for key in ("estimate", "ci_low", "ci_high")),
                )
            )
    return curves
