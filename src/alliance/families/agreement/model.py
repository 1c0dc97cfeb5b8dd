"""Do client and therapist see the same alliance: direction, congruence, and how both develop.

    T_it - C̄_i = (b0 + u0_i) + (b1 + u1_i) (C_it - C̄_i) + e_it

T the therapist's, C the client's rating of one session, C̄_i the client's mean (West & Kenny, 2011;
Atzil-Slonim et al., 2015). b0 is the directional discrepancy (negative: the therapist sees less
than the client), b1 the temporal congruence (1: the therapist follows the client's ups and downs
point by point, 0: not at all), the correlation of u0 and u1 whether those who see less also follow
less. Two companions: how the difference of the two changes over time, and their plain correlation
within clients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.common.multilevel import ENGINE, Fitted, Term, fit_multilevel
from alliance.families.common.two_views import CLIENT, THERAPIST, UNIT, with_two_views
from alliance.families.diagnostics import Contrasts, diagnose
from alliance.families.fit import Cohort, Draft, estimate, refuse
from alliance.mixed import fit_mixed

FROM_MEAN, WITHIN = "view_from_client_mean", f"{CLIENT}_within"
FEWEST_FOR_A_POINT = 8  # clients; fewer come too near to single persons


def agreement_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the truth-and-bias model of one alliance; never raises for what data cannot give."""
    client, therapist, time = entry["client"], entry["therapist"], entry["time"]
    c, t = cohort.label(client), cohort.label(therapist)
    draft = Draft(
        model=name,
        family="agreement",
        title=f"{c} and {t}: two views of the same sessions",
        question=f"Does the therapist see less or more alliance than the client (“{c}”), and does "
        "the therapist notice when the client's alliance is better or worse than usual?",
        outcome={"column": FROM_MEAN, "label": f"{t}, from the client's mean", "unit": UNIT},
        engine=dict(ENGINE),
    )
    # ASSUME per cent of the possible range makes the two instruments comparable; ASSUME the
    # client's rating is the reference (the "truth" of the model's name), not a better measurement.
    draft.assumptions = [
        "Both ratings are read as per cent of their instrument's possible range.",
        "The client's rating is the reference; neither view is taken for the better one.",
        "Sessions rated by both are used; others are missing at random.",
        "Random effects and residuals are normal and independent.",
    ]
    try:
        both = with_two_views(cohort, client, therapist)
        fitted = fit_multilevel(
            draft,
            both,
            outcome=FROM_MEAN,
            fixed=["1", WITHIN],
            slopes={"client": [WITHIN]},
            wanted_levels=entry.get("levels"),
            needed={FROM_MEAN: "not rated by both"},
            terms={
                "1": Term("Directional discrepancy", "between-client", UNIT, role="main"),
                WITHIN: Term("Temporal congruence", "within-client", "per cent per per cent",
                             role="main"),
            },
        )  # fmt: skip
    except FitError as error:
        return refuse(draft, cohort, str(error))
    _average_over_sites(draft, fitted)
    draft.diagnostics = diagnose(fitted.fit, fitted.rows, draft.estimates, Contrasts(_weights))
    draft.companions = [*_course_of_difference(fitted, draft, time), _correlation(fitted)]
    draft.curves = _by_session(fitted.rows)
    return draft.finish()


def _average_over_sites(draft: Draft, fitted: Fitted) -> None:
    """Make the discrepancy the mean of the sites, each counted once, not that of the first one."""
    weights = _weights(list(fitted.fit.coefficients["term"]))["1"]
    if len(weights) == 1:
        return
    row = fitted.fit.contrast({"mean": weights}).iloc[0]
    main = next(entry for entry in draft.estimates if entry["term"] == "1")
    for key in ("estimate", "se", "df", "statistic", "p", "ci_low", "ci_high"):
        main[key] = row[key]
    main["estimator"] = "mixed model, REML, mean of the sites"


def _weights(names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the two main effects as combinations of the coefficients: the mean of the sites."""
    sites = [name for name in names if name.startswith("site[")]
    return {
        "1": {"1": 1.0} | dict.fromkeys(sites, 1 / (len(sites) + 1)),
        WITHIN: {WITHIN: 1.0},
    }


def _course_of_difference(fitted: Fitted, draft: Draft, time: str) -> list[dict[str, Any]]:
    """Return how the difference (therapist minus client) changes over time."""
    rows = fitted.rows.dropna(subset=[time])
    random = {level: ["1"] for level in fitted.random}
    try:
        fit = fit_mixed(rows, "difference", ["1", time], random)
    except FitError as error:
        draft.warnings.append(f"How the difference changes over time: not computed. {error}")
        return []
    if not fit.convergence.converged:
        draft.warnings.append("How the difference changes over time: no maximum was reached.")
        return []
    row = fit.coefficients.set_index("term").loc[time]
    return [
        estimate(
            time,
            label=f"Change of the difference ({time.replace('_', ' ')})",
            role="main",
            level="time",
            estimator="mixed model of therapist minus client",
            unit=f"{UNIT} per unit of time",
            numbers={str(key): value for key, value in row.items()},
        )
    ]


def _correlation(fitted: Fitted) -> dict[str, Any]:
    """Return the correlation of the two views within clients, with Fisher's interval.

    Degrees of freedom: sessions minus clients minus one (Bland & Altman, 1995).
    """
    rows = fitted.rows
    x, y = rows[WITHIN].to_numpy(float), rows[f"{THERAPIST}_within"].to_numpy(float)
    n, clients = len(rows), rows["client"].nunique()
    df = n - clients - 1
    known = df > 2 and x.std() > 0 and y.std() > 0
    r = float(x @ y / np.sqrt((x @ x) * (y @ y))) if known else None
    low = high = None
    if r is not None and abs(r) < 1:
        half = 1.959963984540054 / np.sqrt(df - 1)
        low, high = (float(np.tanh(np.arctanh(r) + sign * half)) for sign in (-1, 1))
    return estimate(
        "correlation_within",
        label="Correlation of the two views within clients",
        role="main",
        level="within-client",
        estimator="correlation of deviations from client means",
        unit="",
        numbers={"estimate": r, "se": None, "df": df if known else None, "statistic": None,
                 "p": None, "ci_low": low, "ci_high": high},
    )  # fmt: skip


def _by_session(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the mean of either view by session, with intervals, where enough clients are."""
    curves = []
    for column, group in ((CLIENT, "client"), (THERAPIST, "therapist")):
        by = rows.groupby("session")[column].agg(["mean", "std", "count"])
        by = by[by["count"] >= FEWEST_FOR_A_POINT]
        half = 1.959963984540054 * by["std"] / np.sqrt(by["count"])
        curves.append(
            {
                "name": "two views",
                "group": group,
                "x_label": "Session",
                "y_label": f"Alliance ({UNIT})",
                "x": by.index.to_numpy(float),
                "estimate": by["mean"],
                "ci_low": by["mean"] - half,
                "ci_high": by["mean"] + half,
            }
        )
    return curves
