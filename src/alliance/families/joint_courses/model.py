"""Joint courses: measures that act on each other from session to session.

    y_k,ti = b0_k + b1_k f_k(t) + sites + (v0_k) + u0_k,i + u1_k,i f_k(t) + w_k,ti,   k = 1 ... p
    w_ti = Phi w_t-1,i + e_ti,   e ~ N(0, Q)

No client's mean is taken, so neither the carry-over nor the mean's own error biases the effects
within clients (docs/courses.md). Effects within clients are Phi's elements; those between clients
and between therapists come from the covariances of the random effects. Where one form is filled in
before the session and the other after it, the same likelihood is read in that order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alliance.errors import FitError
from alliance.families.cohort import Cohort, require_scores
from alliance.families.common.asked import asked_first, order_of
from alliance.families.common.multilevel import (
    ENGINE,
    components_of,
    engine_result,
    singular_warning,
)
from alliance.families.common.several_measures import (
    MISSING_AT_RANDOM,
    ONE_AT_A_TIME,
    fixed_effects,
    outcome_of,
)
from alliance.families.diagnostics import diagnose
from alliance.families.facts import Assumption, Fact, Tested, Warned
from alliance.families.fit import Asked, Estimate, Fit, Test, data_of, refused
from alliance.families.joint_courses.effects import by_group, curves, effects
from alliance.families.joint_courses.fitting import Model, fitted, with_groups
from alliance.mixed.inference.comparison import compare

NO_INFLUENCE = Fact(
    Warned.INFLUENCE_NOT_MADE,
    "This model is not fitted again without each group: its effects are functions of its "
    "covariances, for which no short way is known. Site by site it can be asked for.",
)


def joint_courses_fit(
    cohort: Cohort, name: str, entry: Mapping[str, Any], diagnosed: bool = True
) -> Fit:
    """Return the fit of measures at once; never raises for what the data cannot give."""
    outcomes = list(entry["outcomes"])
    labels = {outcome: cohort.label(outcome) for outcome in outcomes}
    step = "session" if entry["distance"] == "sessions" else "week"
    first = asked_first(cohort, outcomes)
    asked = _asked(cohort, name, labels, step)
    assumptions = [_stationary(step), order_of(cohort, outcomes), NORMAL, MISSING_AT_RANDOM]
    try:
        for outcome in outcomes:
            require_scores(cohort, outcome)
        model, kept, notes = fitted(cohort.panel, labels, entry, step, first)
        found = effects(model, cohort)
        lines = curves(model)
    except FitError as error:
        return refused(asked, ENGINE, cohort, str(error), assumptions=assumptions)
    companions, tests, about_groups = _groups(model, entry)
    levels = ["site", *(level for level in model.levels if level != "site")]
    diagnostics = None
    if diagnosed:
        diagnostics = diagnose(model.fit, model.rows, found, without_influence=NO_INFLUENCE)
    return engine_result(
        asked,
        model.fit,
        data=data_of(cohort, kept, levels),
        estimates=[*found, *fixed_effects(model.fit, labels)],
        companions=companions,
        tests=tests,
        variance_components=components_of(model.fit.variance_components),
        curves=lines,
        diagnostics=diagnostics,
        warnings=[
            *singular_warning(model.fit.convergence),
            *notes,
            *about_groups,
            ONE_AT_A_TIME,
        ],
        assumptions=assumptions,
    )


def _asked(cohort: Cohort, name: str, labels: Mapping[str, str], step: str) -> Asked:
    *others, last = labels.values()
    these, quoted = ", ".join(others), "”, “".join(others)
    return Asked(
        name,
        "joint_courses",
        f"{these} and {last} from {step} to {step}",
        f"When a client's “{quoted}” is better than the client's own course, is “{last}” better "
        f"at the next {step}, and the other way round? And do clients who differ in the one differ "
        "in the other?",
        outcome_of(cohort, list(labels)),
    )


# ASSUME normal random effects and deviations.
NORMAL = Fact(
    Assumption.NORMAL_EFFECTS,
    "Clients' and therapists' levels, clients' lines and the deviations are normal.",
)


def _stationary(step: str) -> Fact:
    # ASSUME one set of coefficients for all clients and throughout treatment.
    return Fact(
        Assumption.STATIONARY_DEVIATIONS,
        f"Deviations from a client's course act on the next {step} in the same way throughout "
        "treatment and for all clients, and their spread does not change.",
    )


def _groups(
    model: Model, entry: Mapping[str, Any]
) -> tuple[list[Estimate], list[Test], list[Fact]]:
    """Return the effects in each group, the test that they are the same, and why there is none."""
    by = entry.get("differs_by")
    if not by:
        return [], [], []
    try:
        own = with_groups(model, entry)
        found, ratio = by_group(model, own, by), compare(model.fit, own)
    except FitError as error:
        return [], [], [Fact(Warned.TEST_NOT_DEFINED, f"No comparison by {by}: {error}")]
    words = f"the same effects, carry-over and spread in every group of {by.replace('_', ' ')}"
    test = Test(
        Tested.ONE_DYNAMICS_FOR_ALL_GROUPS, words, ratio.statistic, float(ratio.df), ratio.p,
        note="Likelihood ratio.",
    )  # fmt: skip
    return found, [test], []
