"""Growth: how a measure develops over treatment.

    y_tij = b0 + b1 f(t) + sites + (v0j) + (u0i + u1i f(t)) + e_tij

session t of client i of therapist j; f(t) is the time that the config names (`weeks_since_intake`,
`log_weeks` = log(1 + weeks), `sqrt_weeks`, `session`, ...), with a knot at k two straight pieces,
b1 t + b2 max(t - k, 0). Raudenbush & Bryk (2002), three-level growth model. Whether e remembers
(AR(1) by session, CAR(1) by time), and whether slopes differ between therapists, is decided by the
criterion that the config names: residuals taken as independent where they are not pass their memory
on to the slopes of clients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from alliance.errors import FitError
from alliance.families.cohort import Cohort, require_scores
from alliance.families.common.curves import KNOT, mean_curves
from alliance.families.common.levels import site_terms
from alliance.families.common.multilevel import (
    ENGINE,
    MISSING_AT_RANDOM,
    Fitted,
    Term,
    fit_multilevel,
)
from alliance.families.common.products import group_compared, reference_group
from alliance.families.common.times import PER, base_of
from alliance.families.common.usable_rows import columns_in, time_not_known, usable_rows
from alliance.families.diagnostics import diagnose
from alliance.families.facts import Assumption, Fact, Reason, Warned
from alliance.families.fit import Asked, Estimate, Fit, Outcome, refused
from alliance.families.growth_shape.steps import (
    SELECTION,
    Step,
    choose,
    memory_of,
    try_step,
)
from alliance.families.growth_shape.steps import Fitted as Candidate
from alliance.mixed.specification import ResidualKind

COURSE_DIFFERENCE = "difference in course"  # level of a product with time


def growth_fit(cohort: Cohort, name: str, entry: Mapping[str, Any], diagnosed: bool = True) -> Fit:
    """Return the fit of one growth model; never raises for what the data cannot give."""
    outcome, time, knot = entry["outcome"], entry["time"], entry.get("knot")
    label = cohort.label(outcome)
    asked = Asked(
        name,
        "growth",
        f"{label}: course over treatment",
        f"How does “{label}” develop from session to session, and how much do courses differ?",
        Outcome(outcome, label, cohort.unit(outcome)),
    )
    try:
        fitted, found, chosen = growth_model(cohort, entry)
    except FitError as error:
        return refused(asked, ENGINE, cohort, str(error))
    remembers = chosen.residual != "iid"
    return fitted.result(
        asked,
        diagnostics=diagnose(fitted.fit, fitted.rows, fitted.estimates) if diagnosed else None,
        curves=mean_curves(
            fitted.fit,
            fitted.rows,
            outcome=asked.outcome,
            time=time,
            covariates=_named(entry),
            knot=knot,
        ),
        warnings=[*fitted.warnings, *_about_df(entry, remembers)],
        assumptions=[
            *_assumptions(time, fitted.random, remembers, knot),
            *_about_choice(entry, found, chosen),
        ],
    )


def growth_model(
    cohort: Cohort, entry: Mapping[str, Any], compared: bool = True
) -> tuple[Fitted, list[Candidate], Step]:
    """Return the model of a growth entry, the candidates where one was chosen, and the chosen one.

    Parameters
    ----------
    cohort, entry
        The panel, and the entry of the config.
    compared
        Whether a second engine fits the model too, where one can.

    Raises
    ------
    FitError
        The data cannot give it.
    """
    outcome, time, knot = entry["outcome"], entry["time"], entry.get("knot")
    words = PER[time]
    needed = {
        outcome: Fact(Reason.NO_SCORE, f"no score of {cohort.label(outcome)}"),
        time: time_not_known(time),
    }
    require_scores(cohort, outcome)
    own = {**entry, "fixed": [*([] if knot is None else [KNOT]), *entry.get("fixed", [])]}
    bent = cohort if knot is None else _with_knot(cohort, time, knot)
    found, chosen = _chosen(bent, own, needed)
    remembers = chosen.residual != "iid"
    fitted = fit_multilevel(
        usable_rows(bent, ["1", time, *own["fixed"]], needed, entry.get("levels")),
        outcome=outcome,
        unit=cohort.unit(outcome),
        slopes={level: list(terms) for level, terms in chosen.slopes.items()},
        terms={time: Term(f"Change {words}", "time", f"points {words}", role="main")},
        residual=chosen.residual,
        residual_time=memory_of(base_of(time))[1] if remembers else None,
        df="satterthwaite" if remembers else entry.get("df", "satterthwaite"),
        method="ML" if entry.get("estimation") == "ml" else "REML",
        compared=compared,
    )
    estimates = [_whose_course(row, fitted.fit, time, words) for row in fitted.estimates]
    if knot is not None:
        estimates = [_around_knot(row, time, knot, words) for row in estimates]
    return replace(fitted, estimates=estimates), found, chosen


def _about_df(entry: Mapping[str, Any], remembers: bool) -> list[Fact]:
    words = (
        "Degrees of freedom are Satterthwaite's: Kenward and Roger's are not defined here for "
        "residuals that remember one another."
    )
    wanted = entry.get("df") == "kenward-roger"
    return [Fact(Warned.OTHER_DF, words)] if wanted and remembers else []


def _about_choice(entry: Mapping[str, Any], found: Sequence[Candidate], chosen: Step) -> list[Fact]:
    """Say what was chosen by which rule, where the config left a choice."""
    if not found:
        return []
    words = (
        f"{chosen.label}: chosen among {len(found)} by the rule of the configuration "
        f"({SELECTION[entry.get('choose_by', 'bic_clients')]}, fewest parameters among ties). "
        "Intervals do not carry the uncertainty of that choice."
    )
    return [Fact(Assumption.STEP_CHOSEN_BY_RULE, words)]


def _assumptions(
    time: str, random: Mapping[str, list[str]], remembers: bool, knot: float | None
) -> list[Fact]:
    bends = "" if knot is None else f", with one bend at {knot:g}"
    # ASSUME normal random effects and residuals, residuals independent of the random effects.
    return [
        Fact(
            Assumption.LINEAR_COURSE,
            f"The mean course is linear in {time.replace('_', ' ')}{bends}.",
        ),
        Fact(
            Assumption.NORMAL_EFFECTS,
            f"{_random_in_words(random)} and residuals are normal; residuals of one client "
            + ("remember one another." if remembers else "are independent given these."),
        ),
        MISSING_AT_RANDOM,
    ]


def _chosen(
    cohort: Cohort, entry: Mapping[str, Any], needed: Mapping[str, Fact]
) -> tuple[list[Candidate], Step]:
    """Return the ways to take residuals and slopes, fitted by ML to the same rows, and the best.

    One that ends on the boundary is not taken for one that does not.
    """
    outcome, time = entry["outcome"], entry["time"]
    terms = ["1", time, *entry.get("fixed", [])]
    usable = usable_rows(cohort, terms, needed, entry.get("levels"))
    rows, levels = usable.rows, usable.levels
    steps = _steps(entry, levels)
    if len(steps) == 1:
        return [], steps[0]
    fixed = [*entry.get("fixed", []), *site_terms(rows, levels)]
    found = [
        try_step(step, rows, outcome, levels, fixed,
                 memory_of(base_of(time))[1] if step.residual != "iid" else None)
        for step in steps
    ]  # fmt: skip
    inside = [one for one in found if one.fit and not one.fit.convergence.is_singular]
    return found, choose(inside or found, entry.get("choose_by", "bic_clients")).step


def _steps(entry: Mapping[str, Any], levels: Sequence[str]) -> list[Step]:
    """Return the ways that the config leaves open."""
    time, kind = entry["time"], entry.get("residual", "rule")
    slopes: list[tuple[str, ...]] = [tuple(entry.get("random_slopes", ["client"]))]
    if "random_slopes" not in entry and "therapist" in levels:
        slopes.append(("therapist", "client"))
    residuals: list[ResidualKind] = ["iid"] if kind != "correlated" else []
    residuals += [memory_of(base_of(time))[0]] if kind != "independent" else []
    return [
        Step(
            name="_".join([*own, residual]),
            label=f"Slopes of {' and '.join(f'{level}s' for level in own) or 'nobody'}, "
            f"{'independent' if residual == 'iid' else 'correlated'} residuals",
            fixed=(time,),
            slopes={level: (time,) for level in own},
            residual=residual,
        )
        for own in slopes
        for residual in residuals
    ]


def _with_knot(cohort: Cohort, time: str, knot: float) -> Cohort:
    """Return the cohort with the time beyond the knot: two straight pieces that meet there."""
    after = (cohort.panel[time] - knot).clip(lower=0.0)
    if not (after > 0).any() or not (cohort.panel[time] < knot).any():
        msg = f"Every session lies on one side of the knot at {knot:g}: there is no bend to see."
        raise FitError(msg)
    return replace(cohort, panel=cohort.panel.assign(**{KNOT: after}))


def _around_knot(row: Estimate, time: str, knot: float, words: str) -> Estimate:
    """Say which stretch of the course a slope is of, or that it is a difference between two."""
    place = f"{words.removeprefix('per ')} {knot:g}"
    if row.term == time:
        group = "; ".join(filter(None, [f"up to {place}", row.group]))
        return replace(row, group=group, label=f"{row.label}, up to {place}")
    if row.term != KNOT:
        return row
    group = f"after {place} against before"
    label = f"Difference in change {words}: {group}"
    return replace(
        row, group=group, label=label, level=COURSE_DIFFERENCE, role="main", unit=f"points {words}"
    )


def _whose_course(row: Estimate, fit: Any, time: str, words: str) -> Estimate:
    """Say of products with time which groups they compare, of time whose course it then is."""
    if row.term == time:
        group = reference_group(fit, time)
        return replace(row, group=group, label=row.label + (f" ({group})" if group else ""))
    if time not in row.term.split(":"):
        return row
    group = group_compared(fit, row.term, beside=time)
    label = f"Difference in change {words}: {group}"
    return replace(
        row, group=group, label=label, level=COURSE_DIFFERENCE, role="main", unit=f"points {words}"
    )


def _random_in_words(random: Mapping[str, list[str]]) -> str:
    """Return e.g. `Intercepts of therapists, intercepts and slopes of clients`."""
    parts = [
        f"{'intercepts and slopes' if len(terms) > 1 else 'intercepts'} of {level}s"
        for level, terms in random.items()
    ]
    return ", ".join(parts).capitalize()


def _named(entry: Mapping[str, Any]) -> list[str]:
    """Return the panel columns that the entry's extra terms name."""
    return [name for term in entry.get("fixed", []) for name in columns_in(term)]
