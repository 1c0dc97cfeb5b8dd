"""Actor and partner: each one's view at the next joint rating, by both views at this one.

    C_i,next = b_C + a_C C_it + p_C T_it + u_C,i + e_C
    T_i,next = b_T + a_T T_it + p_T C_it + u_T,i + e_T

with C and T as deviations from the client's means on the right (Hamaker & Grasman, 2015), both
equations at once: one covariance of the two random intercepts, one of the two residuals (actor-
partner interdependence model, Cook & Kenny, 2005). a are actor effects (by the own view), p partner
effects (by the other's).

A client's mean over three or four joint ratings holds the deviations themselves, so that actor
effects come out below zero where nothing carries on. What the same model finds when the order of
each client's joint ratings is shuffled stands beside every estimate, and p is of the distance from
that and not from zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.cohort import Cohort
from alliance.families.common.multilevel import (
    ENGINE,
    MIXED,
    engine_result,
    records,
    singular_warning,
)
from alliance.families.common.second_engine import no_second_engine
from alliance.families.common.two_views import (
    CLIENT,
    NOT_RATED_BY_BOTH,
    THERAPIST,
    UNIT,
    with_two_views,
)
from alliance.families.diagnostics import diagnose
from alliance.families.facts import Assumption, Estimator, Fact, Reason
from alliance.families.fit import (
    Asked,
    Estimate,
    Fit,
    Kept,
    Outcome,
    data_of,
    estimate,
    kept_rows,
    refused,
)
from alliance.mixed import MixedFit, fit_mixed

C, T = f"{CLIENT}_within", f"{THERAPIST}_within"
# ASSUME 39 shuffles tell a null well enough: no p below 1/40 is then possible, or printed.
SHUFFLES, SEED = 39, 20261123
NEXT = {CLIENT: "client_next", THERAPIST: "therapist_next"}


LABELS = {
    f"{NEXT[CLIENT]}: {C}": ("Client's next view by client's view (actor)", "actor"),
    f"{NEXT[CLIENT]}: {T}": ("Client's next view by therapist's view (partner)", "partner"),
    f"{NEXT[THERAPIST]}: {T}": ("Therapist's next view by therapist's view (actor)", "actor"),
    f"{NEXT[THERAPIST]}: {C}": ("Therapist's next view by client's view (partner)", "partner"),
}
# ASSUME the effect is the same whatever the number of sessions between two joint ratings.
ASSUMPTIONS = (
    Fact(
        Assumption.NEXT_JOINT_RATING,
        "Next means the next session that both rated, however many sessions later.",
    ),
    Fact(
        Assumption.COMMON_SCALE,
        "Both ratings are read as per cent of their instrument's possible range.",
    ),
    Fact(
        Assumption.SHORT_COURSE_BIAS,
        "A client's mean stands for the client's level; in short courses that makes actor effects "
        "too low: read them against those of shuffled sessions, not against zero.",
    ),
    Fact(
        Assumption.NORMAL_EFFECTS,
        "Random effects and residuals are normal; the two residuals of a session are correlated.",
    ),
    Fact(
        Assumption.NO_THERAPIST_LEVEL,
        "Clients of one therapist are taken as independent: with few joint ratings a client a "
        "therapist level would not be told apart.",
    ),
)


def actor_partner_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Fit:
    """Return both equations as one fit; never raises for what the data cannot give."""
    client, therapist = entry["client"], entry["therapist"]
    c, t = cohort.label(client), cohort.label(therapist)
    asked = Asked(
        name,
        "actor_partner",
        f"{c} and {t}: from one joint rating to the next",
        "After a joint rating in which one of the two saw more than usual, is the next rating of "
        "either different, more than the order of sessions by chance makes it?",
        Outcome(", ".join(NEXT.values()), "Both views at the next joint rating", UNIT),
    )
    try:
        both = with_two_views(cohort, client, therapist)
        panel = with_next_joint(both.panel)
        kept, fit = _fit(panel)
    except FitError as error:
        return refused(asked, ENGINE, cohort, str(error), assumptions=ASSUMPTIONS)
    rows = {row["term"]: row for row in records(fit.coefficients)}
    shuffled = _shuffled(both.panel)
    estimates = [
        estimate(term, label=label, role="main", level=level, estimator=MIXED,
                 unit="per cent per per cent", numbers=rows[term] | {
                     "df": None, "statistic": None,
                     "p": share_as_far(shuffled[term], float(rows[term]["estimate"]))})
        for term, (label, level) in LABELS.items()
    ]  # fmt: skip
    return engine_result(
        asked,
        fit,
        data=data_of(cohort, kept, ["site", "client"]),
        estimates=estimates,
        companions=[_from_nothing(term, values) for term, values in shuffled.items()],
        diagnostics=diagnose(fit, panel[kept.used], estimates),
        warnings=[
            *singular_warning(fit.convergence),
            no_second_engine("statsmodels fits one outcome at a time."),
        ],
        assumptions=ASSUMPTIONS,
    )


def _shuffled(panel: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return what the model finds where nothing follows: each client's joint ratings in any order.

    Both views of a session stay together. Term to its estimates, shape (SHUFFLES,).
    """
    rng = np.random.default_rng(SEED)
    joint = panel[panel[CLIENT].notna()].sort_values(["site", "client", "session"])
    views = [CLIENT, THERAPIST, C, T]
    person = pd.factorize(joint["client"])[0]
    found: dict[str, list[float]] = {term: [] for term in LABELS}
    for _ in range(SHUFFLES):
        order = np.lexsort((rng.random(len(joint)), person))
        mixed_up = panel.copy()
        mixed_up.loc[joint.index[np.argsort(person, kind="stable")], views] = joint[
            views
        ].to_numpy()[order]
        _, fit = _fit(with_next_joint(mixed_up))
        values = fit.coefficients.set_index("term")["estimate"]
        for term, one in found.items():
            one.append(float(values[term]))
    return {term: np.array(values) for term, values in found.items()}


def share_as_far(shuffled: np.ndarray, there: float) -> float:
    """Return the share of shuffles at least as far from their mean as the estimate is.

    The estimate is counted among them (Phipson & Smyth, 2010), so that no p is zero.
    """
    mean = shuffled.mean()
    as_far = np.abs(shuffled - mean) >= abs(there - mean)
    return float((1 + as_far.sum()) / (1 + len(shuffled)))


def _from_nothing(term: str, shuffled: np.ndarray) -> Estimate:
    """Return mean, standard deviation and middle 95 % over the shuffles."""
    label, level = LABELS[term]
    low, high = np.quantile(shuffled, [0.025, 0.975])
    return estimate(
        term, label=f"{label}, order of sessions shuffled", role="main", level=level,
        estimator=Fact(
            Estimator.MIXED_SESSIONS_SHUFFLED,
            f"the same model, joint ratings of each client shuffled ({SHUFFLES} times)",
        ),
        unit="per cent per per cent",
        numbers={
            "estimate": float(shuffled.mean()), "se": float(shuffled.std(ddof=1)), "df": None,
            "statistic": None, "p": None, "ci_low": float(low), "ci_high": float(high),
        },
    )  # fmt: skip


def with_next_joint(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the panel with both views at the client's next session that both rated."""
    joint = panel[panel[CLIENT].notna()].sort_values(["site", "client", "session"])
    following = joint.groupby(["site", "client"], sort=False)[[CLIENT, THERAPIST]].shift(-1)
    return panel.join(following.rename(columns=NEXT))


def _fit(panel: pd.DataFrame) -> tuple[Kept, MixedFit]:
    usable = panel[CLIENT].notna() & panel[NEXT[CLIENT]].notna()
    pairs = panel[usable].groupby("client").size()
    if len(pairs) < 2 or pairs.max() < 2:
        msg = "Fewer than two clients have three sessions that both rated."
        raise FitError(msg)
    no_later = Fact(Reason.NO_LATER_JOINT_RATING, "no later session rated by both")
    kept = kept_rows(
        panel, {NOT_RATED_BY_BOTH: panel[CLIENT].isna(), no_later: panel[NEXT[CLIENT]].isna()}
    )
    fit = fit_mixed(panel[kept.used], list(NEXT.values()), ["1", C, T], {"client": ["1"]})
    return kept, fit
