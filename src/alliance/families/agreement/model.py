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
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from alliance.confidence import NORMAL_975
from alliance.errors import FitError
from alliance.families.cohort import Cohort
from alliance.families.common.multilevel import ENGINE, Fitted, Term, fit_multilevel, records
from alliance.families.common.two_views import (
    CLIENT,
    NOT_RATED_BY_BOTH,
    THERAPIST,
    UNIT,
    with_two_views,
)
from alliance.families.common.usable_rows import usable_rows
from alliance.families.diagnostics import Contrasts, diagnose
from alliance.families.facts import Assumption, Estimator, Fact, Warned
from alliance.families.fit import (
    NUMBERS,
    Asked,
    Curve,
    Estimate,
    Fit,
    Outcome,
    estimate,
    refused,
)
from alliance.families.terms import is_of_sites
from alliance.mixed import fit_mixed

FROM_MEAN, WITHIN = "view_from_client_mean", f"{CLIENT}_within"
FEWEST_FOR_A_POINT = 8  # clients; fewer come too near to single persons


# ASSUME per cent of the possible range makes the two instruments comparable; ASSUME the client's
# rating is the reference (the "truth" of the model's name), not a better measurement.
ASSUMPTIONS = (
    Fact(
        Assumption.COMMON_SCALE,
        "Both ratings are read as per cent of their instrument's possible range.",
    ),
    Fact(
        Assumption.CLIENT_IS_REFERENCE,
        "The client's rating is the reference; neither view is taken for the better one.",
    ),
    Fact(
        Assumption.MISSING_AT_RANDOM,
        "Sessions rated by both are used; others are missing at random.",
    ),
    Fact(Assumption.NORMAL_EFFECTS, "Random effects and residuals are normal and independent."),
)


def agreement_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Fit:
    """Return the truth-and-bias model of one alliance; never raises for what data cannot give."""
    client, therapist, time = entry["client"], entry["therapist"], entry["time"]
    c, t = cohort.label(client), cohort.label(therapist)
    asked = Asked(
        name,
        "agreement",
        f"{c} and {t}: two views of the same sessions",
        f"Does the therapist see less or more alliance than the client (“{c}”), and does "
        "the therapist's rating go along when the client's is above or below the client's usual?",
        Outcome(FROM_MEAN, f"{t}, from the client's mean", UNIT),
    )
    try:
        both = with_two_views(cohort, client, therapist)
        needed = {FROM_MEAN: NOT_RATED_BY_BOTH}
        fitted = fit_multilevel(
            usable_rows(both, ["1", WITHIN], needed, entry.get("levels")),
            outcome=FROM_MEAN,
            unit=UNIT,
            slopes={"client": [WITHIN]},
            terms={
                "1": Term("Directional discrepancy", "between-client", UNIT, role="main"),
                WITHIN: Term("Temporal congruence", "within-client", "per cent per per cent",
                             role="main"),
            },
        )  # fmt: skip
    except FitError as error:
        return refused(asked, ENGINE, cohort, str(error), assumptions=ASSUMPTIONS)
    estimates = _averaged_over_sites(fitted)
    course, warnings = _course_of_difference(fitted, time)
    return fitted.result(
        asked,
        estimates=estimates,
        companions=[*course, _correlation(fitted)],
        warnings=[*fitted.warnings, *warnings],
        diagnostics=diagnose(fitted.fit, fitted.rows, estimates, Contrasts(_weights)),
        curves=_by_session(fitted.rows),
        assumptions=ASSUMPTIONS,
    )


def _averaged_over_sites(fitted: Fitted) -> list[Estimate]:
    """Return the estimates with the discrepancy as the mean of the sites, each counted once."""
    weights = _weights(list(fitted.fit.coefficients["term"]))["1"]
    if len(weights) == 1:
        return fitted.estimates
    row = fitted.fit.contrast({"mean": weights}).iloc[0]
    how = Fact(Estimator.MIXED_MEAN_OF_SITES, "mixed model, REML, mean of the sites")
    numbers = {name: row[name] for name in NUMBERS}
    return [
        replace(entry, estimator=how, **numbers) if entry.term == "1" else entry
        for entry in fitted.estimates
    ]


def _weights(names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the two main effects as combinations of the coefficients: the mean of the sites."""
    sites = [name for name in names if is_of_sites(name)]
    return {
        "1": {"1": 1.0} | dict.fromkeys(sites, 1 / (len(sites) + 1)),
        WITHIN: {WITHIN: 1.0},
    }


def _course_of_difference(fitted: Fitted, time: str) -> tuple[list[Estimate], list[Fact]]:
    """Return how the difference (therapist minus client) changes over time, or why it is not."""
    rows = fitted.rows.dropna(subset=[time])
    random = {level: ["1"] for level in fitted.random}
    what = "How the difference changes over time:"
    try:
        fit = fit_mixed(rows, "difference", ["1", time], random)
    except FitError as error:
        return [], [Fact(Warned.CHECK_NOT_COMPUTED, f"{what} not computed. {error}")]
    if not fit.convergence.converged:
        return [], [Fact(Warned.CHECK_NOT_COMPUTED, f"{what} no maximum was reached.")]
    row = next(row for row in records(fit.coefficients) if row["term"] == time)
    found = estimate(
        time,
        label=f"Change of the difference ({time.replace('_', ' ')})",
        role="main",
        level="time",
        estimator=Fact(Estimator.MIXED_OF_DIFFERENCE, "mixed model of therapist minus client"),
        unit=f"{UNIT} per unit of time",
        numbers=row,
    )
    return [found], []


def _correlation(fitted: Fitted) -> Estimate:
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
        half = NORMAL_975 / np.sqrt(df - 1)
        low, high = (float(np.tanh(np.arctanh(r) + sign * half)) for sign in (-1, 1))
    return estimate(
        "correlation_within",
        label="Correlation of the two views within clients",
        role="main",
        level="within-client",
        estimator=Fact(
            Estimator.CORRELATION_OF_DEVIATIONS, "correlation of deviations from client means"
        ),
        unit="",
        numbers={"estimate": r, "se": None, "df": df if known else None, "statistic": None,
                 "p": None, "ci_low": low, "ci_high": high},
    )  # fmt: skip


def _by_session(rows: pd.DataFrame) -> list[Curve]:
    """Return the mean of either view by session, with intervals, where enough clients are."""
    curves = []
    for column, group in ((CLIENT, "client"), (THERAPIST, "therapist")):
        by = rows.groupby("session")[column].agg(["mean", "std", "count"])
        by = by[by["count"] >= FEWEST_FOR_A_POINT]
        half = NORMAL_975 * by["std"] / np.sqrt(by["count"])
        mean, x = by["mean"], by.index.to_numpy(float)
        curves.append(
            Curve("two views", group, "Session", f"Alliance ({UNIT})", x, mean, mean - half,
                  mean + half)
        )  # fmt: skip
    return curves
