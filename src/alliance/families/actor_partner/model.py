"""Actor and partner: does each one's view follow the other's, from one joint rating to the next.

    C_i,next = b_C + a_C C_it + p_C T_it + u_C,i + e_C
    T_i,next = b_T + a_T T_it + p_T C_it + u_T,i + e_T

with C and T as deviations from the client's means on the right (Hamaker & Grasman, 2015), both
equations at once: one covariance of the two random intercepts, one of the two residuals (actor-
partner interdependence model, Cook & Kenny, 2005). a are actor effects (own view carries on), p
partner effects (p_T: the therapist's view follows the client's).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from alliance.errors import FitError
from alliance.families.common.multilevel import ENGINE, fill_convergence, statistics_of
from alliance.families.common.two_views import CLIENT, THERAPIST, UNIT, with_two_views
from alliance.families.diagnostics import diagnose
from alliance.families.fit import (
    Cohort,
    Draft,
    estimate,
    left_out_by_reason,
    refuse,
    rows_of,
)
from alliance.mixed import fit_mixed

C, T = f"{CLIENT}_within", f"{THERAPIST}_within"
NEXT = {CLIENT: "client_next", THERAPIST: "therapist_next"}


def actor_partner_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return both equations as one fit; never raises for what the data cannot give."""
    client, therapist = entry["client"], entry["therapist"]
    c, t = cohort.label(client), cohort.label(therapist)
    draft = Draft(
        model=name,
        family="actor_partner",
        title=f"{c} and {t}: who follows whom",
        question="Does the therapist's view of the alliance move towards the client's from one "
        "joint rating to the next, and the client's towards the therapist's?",
        outcome={"column": ", ".join(NEXT.values()), "label": "Both views at the next joint rating",
                 "unit": UNIT},
        engine=dict(ENGINE),
    )  # fmt: skip
    # ASSUME the effect is the same whatever the number of sessions between two joint ratings.
    draft.assumptions = [
        "Next means the next session that both rated, however many sessions later.",
        "Both ratings are read as per cent of their instrument's possible range.",
        "A client's mean stands for the client's level; in short courses that makes actor effects "
        "too low.",
        "Random effects and residuals are normal; the two residuals of a session are correlated.",
        "Clients of one therapist are taken as independent: with few joint ratings a client a "
        "therapist level would not be told apart.",
    ]
    try:
        both = with_two_views(cohort, client, therapist)
        panel = with_next_joint(both.panel)
        kept, fit = _fit(panel)
    except FitError as error:
        return refuse(draft, cohort, str(error))
    fill_convergence(draft, fit)
    draft.equation = fit.equation
    draft.data = rows_of(cohort, kept["used"], kept["left_out"], ["site", "client"])
    labels = {
        f"{NEXT[CLIENT]}: {C}": ("Client's view carries on (actor)", "actor"),
        f"{NEXT[CLIENT]}: {T}": ("Client follows therapist (partner)", "partner"),
        f"{NEXT[THERAPIST]}: {T}": ("Therapist's view carries on (actor)", "actor"),
        f"{NEXT[THERAPIST]}: {C}": ("Therapist follows client (partner)", "partner"),
    }
    rows = {row["term"]: row for row in fit.coefficients.to_dict("records")}
    draft.estimates = [
        estimate(term, label=label, role="main", level=level, estimator="mixed model, REML",
                 unit="per cent per per cent", numbers=rows[term])
        for term, (label, level) in labels.items()
    ]  # fmt: skip
    draft.fit_statistics = statistics_of(fit)
    draft.diagnostics = diagnose(fit, panel[kept["used"]], draft.estimates)
    draft.warnings.append("No second engine: statsmodels fits one outcome at a time.")
    return draft.finish()


def with_next_joint(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the panel with both views at the client's next session that both rated."""
    joint = panel[panel[CLIENT].notna()].sort_values(["site", "client", "session"])
    following = joint.groupby(["site", "client"], sort=False)[[CLIENT, THERAPIST]].shift(-1)
    return panel.join(following.rename(columns=NEXT))


def _fit(panel: pd.DataFrame) -> tuple[dict[str, Any], Any]:
    reasons = {
        "not rated by both": panel[CLIENT].isna(),
        "no later session rated by both": panel[NEXT[CLIENT]].isna(),
    }
    usable = panel[CLIENT].notna() & panel[NEXT[CLIENT]].notna()
    pairs = panel[usable].groupby("client").size()
    if len(pairs) < 2 or pairs.max() < 2:
        msg = "Fewer than two clients have three sessions that both rated."
        raise FitError(msg)
    kept = left_out_by_reason(panel, reasons)
    rows = panel[kept["used"]]
    fit = fit_mixed(rows, list(NEXT.values()), ["1", C, T], {"client": ["1"]})
    return kept, fit
