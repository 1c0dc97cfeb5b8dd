"""Response surface: does it matter that client and therapist agree, and at which level.

    Z = b0 + b1 X + b2 Y + b3 X² + b4 XY + b5 Y² + (outcome now) + random intercepts + e

X the client's and Y the therapist's rating, within clients and on one scale, so that zero is what
is usual for this client (Edwards & Parry, 1993; multilevel: Kivlighan, 2017). Along the line of
agreement X = Y the surface has slope a1 = b1 + b2 and curvature a2 = b3 + b4 + b5; along the line
of disagreement X = -Y slope a3 = b1 - b2 and curvature a4 = b3 - b4 + b5; a5 = b3 - b5 says whether
its ridge leaves the line of agreement (Humberg, Nestler & Back, 2019). All five are linear in b:
their tests are contrasts of the mixed model with its own degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from alliance.confidence import NORMAL_975
from alliance.errors import FitError
from alliance.families.cohort import Cohort, require_scores
from alliance.families.common.multilevel import ENGINE, Fitted, Term, fit_multilevel, records
from alliance.families.common.two_views import (
    CLIENT,
    NOT_RATED_BY_BOTH,
    THERAPIST,
    UNIT,
    with_two_views,
)
from alliance.families.common.usable_rows import time_not_known, usable_rows
from alliance.families.diagnostics import Contrasts, diagnose
from alliance.families.facts import Assumption, Estimator, Fact, Reason
from alliance.families.fit import Asked, Curve, Estimate, Fit, Outcome, estimate, refused

X, Y = f"{CLIENT}_within", f"{THERAPIST}_within"
XX, XY, YY = f"square({X})", f"{X}:{Y}", f"square({Y})"
SURFACE = {
    "a1": ("Slope along agreement", {X: 1, Y: 1}),
    "a2": ("Curvature along agreement", {XX: 1, XY: 1, YY: 1}),
    "a3": ("Slope along disagreement", {X: 1, Y: -1}),
    "a4": ("Curvature along disagreement", {XX: 1, XY: -1, YY: 1}),
    "a5": ("Ridge off the line of agreement", {XX: 1, YY: -1}),
}
GRID = 21
REACH = 0.9  # the drawn square holds this share of the observed deviations


# ASSUME a quadratic surface; ASSUME deviations from the client's own means say what is usual.
ASSUMPTIONS = (
    Fact(
        Assumption.COMMON_SCALE,
        "Both ratings are read as per cent of their instrument's possible range, as deviations "
        "from what is usual for the client.",
    ),
    Fact(
        Assumption.QUADRATIC_SURFACE,
        "The surface is quadratic; the outcome now enters as deviation from the client's mean.",
    ),
    Fact(
        Assumption.MISSING_AT_RANDOM,
        "Pairs of sessions with all three forms count; others are missing at random.",
    ),
    Fact(Assumption.NORMAL_EFFECTS, "Random effects and residuals are normal and independent."),
)


def surface_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Fit:
    """Return the surface of an outcome at the next session over the two views of this one."""
    client, therapist, outcome = entry["client"], entry["therapist"], entry["outcome"]
    time, z = entry["time"], cohort.label(outcome)
    following, now = f"{outcome}_next", f"{outcome}_within"
    asked = Asked(
        name,
        "surface",
        f"{z} at the next session, by both views of the alliance",
        f"Is “{z}” at the next session different when client and therapist agree that the "
        "session was better than usual, and when they disagree?",
        Outcome(following, f"{z} at the next session", cohort.unit(outcome)),
    )
    try:
        require_scores(cohort, outcome)
        both = with_two_views(cohort, client, therapist)
        unit = "points per per cent"
        fixed = ["1", X, Y, XX, XY, YY, now, time]
        needed = {
            following: Fact(Reason.NO_NEXT_SCORE, f"no next session with a score of {z}"),
            outcome: Fact(Reason.NO_SCORE, f"no score of {z} at this session"),
            X: NOT_RATED_BY_BOTH,
            time: time_not_known(time),
        }
        fitted = fit_multilevel(
            usable_rows(both, fixed, needed, entry.get("levels")),
            outcome=following,
            unit=asked.outcome.unit,
            slopes={},
            terms={
                X: Term("Client's view (X)", "within-client", unit),
                Y: Term("Therapist's view (Y)", "within-client", unit),
                XX: Term("X squared", "within-client", f"{unit} squared"),
                XY: Term("X times Y", "within-client", f"{unit} squared"),
                YY: Term("Y squared", "within-client", f"{unit} squared"),
                now: Term(f"{z} now, within client", "autoregression", "points per point"),
                time: Term(f"Time ({time.replace('_', ' ')})", "time", "points per unit"),
            },
        )
        estimates = [*_surface_tests(fitted), *fitted.estimates]
    except FitError as error:
        return refused(asked, ENGINE, cohort, str(error), assumptions=ASSUMPTIONS)
    return fitted.result(
        asked,
        estimates=estimates,
        diagnostics=diagnose(fitted.fit, fitted.rows, estimates, Contrasts(_weights)),
        curves=_surface(fitted, z),
        assumptions=ASSUMPTIONS,
    )


def _surface_tests(fitted: Fitted) -> list[Estimate]:
    """Return a1 to a5 as contrasts."""
    table = records(fitted.fit.contrast(_weights(list(fitted.fit.coefficients["term"]))))
    how = Fact(Estimator.MIXED_CONTRAST, "contrast of the mixed model")
    return [
        estimate(
            name,
            label=label,
            role="main",
            level="surface",
            estimator=how,
            unit="points per per cent" + (" squared" if XX in of else ""),
            numbers=row,
        )
        for (name, (label, of)), row in zip(SURFACE.items(), table, strict=True)
    ]


def _weights(names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return a1 to a5 as combinations of the coefficients."""
    known = {_key(name): name for name in names}
    return {
        name: {known[_key(term)]: float(weight) for term, weight in of.items()}
        for name, (_, of) in SURFACE.items()
    }


def _key(term: str) -> str:
    """Return the name of a term whatever the order of its factors."""
    return ":".join(sorted(term.split(":")))


def _surface(fitted: Fitted, label: str) -> list[Curve]:
    """Return lines of the surface at a grid of the therapist's view, over the client's view.

    Drawn relative to the usual session (X = Y = 0): only what the two views change is shown.
    """
    fit, rows = fitted.fit, fitted.rows
    names = {_key(str(term)): k for k, term in enumerate(fit.coefficients["term"])}
    reach = float(np.quantile(np.abs(rows[[X, Y]].to_numpy(float)), REACH))
    x = np.linspace(-reach, reach, GRID)
    b, v = fit.coefficients["estimate"].to_numpy(), fit.covariance.to_numpy()
    curves = []
    for y in x:
        design = np.zeros((GRID, len(b)))
        for term, values in ((X, x), (Y, np.full(GRID, y)), (XX, x**2), (XY, x * y),
                             (YY, np.full(GRID, y**2))):  # fmt: skip
            design[:, names[_key(term)]] = values
        mean = design @ b
        half = NORMAL_975 * np.sqrt(np.clip(np.einsum("ij,jk,ik->i", design, v, design), 0.0, None))
        curves.append(
            Curve(
                "surface",
                f"{y:.6g}",
                f"Client's view, from usual ({UNIT})",
                f"{label} at the next session, difference (points)",
                x,
                mean,
                mean - half,
                mean + half,
            )
        )
    return curves
