"""Skipped forms: an outcome of their own, and what they foretell.

    logit(h_ti) = g0 + g1 log(t) + sites + b1 skipped_ti + b2 skipped_i before t + b3 score_ti + w_j

h_ti is the probability of dropping out after session t; skipped_ti says that the form of session t
was not filled in (or too little of it to count), or an earlier one; score_ti is the last one known.
Beside it stands the hazard without the two: what the last score foretells by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from scipy import stats

from alliance import __version__
from alliance.errors import FitError
from alliance.families.cohort import Cohort, require_scores
from alliance.families.common.multilevel import (
    INTERCEPT,
    NO_MAXIMUM,
    convergence_of,
    records,
    singular_warning,
)
from alliance.families.common.second_engine import no_second_engine
from alliance.families.diagnostics import none_of
from alliance.families.facts import Assumption, DfMethod, Estimator, Fact, Tested
from alliance.families.fit import (
    Asked,
    Component,
    Engine,
    Estimate,
    Fit,
    Outcome,
    Test,
    data_of,
    estimate,
    refused,
)
from alliance.families.hazard.model import QUADRATURE_POINTS
from alliance.families.hazard.printed import SCALE, Printed, in_print
from alliance.families.hazard.rows import (
    ONLY_WHAT_WAS_KNOWN,
    AtRisk,
    known,
    refuse_separation,
    rows_at_risk,
)
from alliance.families.skipped_forms.options import BEFORE, NOW
from alliance.mixed import LogitFit, fit_mixed_logit

LOG_ODDS = SCALE["logit"]
HAZARD = Fact(Estimator.HAZARD, "discrete-time hazard, logit link")
PLAIN = Fact(Estimator.PLAIN_HAZARD, "the same hazard without skipped forms")
ENGINE = Engine(
    "alliance.mixed", __version__, HAZARD, Fact(DfMethod.NORMAL, "normal approximation")
)
# ASSUME a skipped form is a sign: where the form is filled in after the session, who has made up
# their mind to leave may leave it out, so that it foretells leaving without causing it.
ASSUMED = [
    Fact(
        Assumption.SIGN_OF_LEAVING,
        "A skipped form is taken as a sign: who means to leave may fill in no form, so that the "
        "odds ratio tells how well it foretells dropout, and not what a form would change.",
    ),
    ONLY_WHAT_WAS_KNOWN,
]


def skipped_forms_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Fit:
    """Return what skipped forms foretell; never raises for what the data cannot give."""
    measure = entry["measure"]
    label = cohort.label(measure)
    asked = Asked(
        name,
        "skipped_forms",
        f"{label}: skipped forms and dropout",
        f"Given the last score of “{label}”, do clients who did not fill in the form drop out "
        "more often before the next session?",
        Outcome("dropout_event", "dropout", LOG_ODDS),
    )
    try:
        require_scores(cohort, measure)
        risk = rows_at_risk(cohort, [measure], [], entry.get("levels"))
        rows = _with_skipped(cohort.panel, risk.rows, measure)
        terms = _terms(label, measure)
        refuse_separation(rows, [NOW, BEFORE, known(measure)], terms)
        plain = _fit(rows, risk, [known(measure)])
        fit = _fit(rows, risk, [NOW, BEFORE, known(measure)])
    except FitError as error:
        return refused(asked, ENGINE, cohort, str(error), assumptions=ASSUMED)
    convergence = convergence_of(fit.convergence)
    return Fit(
        asked,
        ENGINE,
        data_of(cohort, risk.kept, ["site", *risk.random, "client"]),
        status=convergence.status,
        message=NO_MAXIMUM if convergence.status == "failed" else "",
        equation=fit.equation,
        estimates=[_row(row, terms, HAZARD) for row in records(fit.coefficients)],
        companions=[
            _row(row, terms, PLAIN)
            for row in records(plain.coefficients)
            if row["term"] == known(measure)
        ],
        tests=[_test(fit, plain)],
        variance_components=[
            Component(row["level"], INTERCEPT, INTERCEPT, row["variance_or_covariance"],
                      row["sd_or_correlation"])
            for row in records(fit.variance_components)
        ],
        fit_statistics=_statistics(fit, rows),
        convergence=convergence,
        diagnostics=none_of("The hazard without skipped forms has diagnostics (family hazard)."),
        warnings=[
            *risk.warnings,
            *singular_warning(fit.convergence),
            no_second_engine("the plain hazard is compared where it leads (family hazard)."),
        ],
        assumptions=ASSUMED,
    )  # fmt: skip


def _with_skipped(panel: pd.DataFrame, rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the rows at risk with what was skipped at the session, and before it."""
    in_order = panel.sort_values(["client", "session"], kind="stable")
    skipped = in_order[measure].isna().astype(float)
    so_far = skipped.groupby(in_order["client"]).cumsum() - skipped
    found = rows.assign(**{NOW: skipped.reindex(rows.index), BEFORE: (so_far > 0).astype(float)})
    found[known(measure)] -= found[known(measure)].mean()
    if not found[[NOW, BEFORE]].any(axis=None):
        msg = "Nobody skipped a form after the first score: there is nothing to compare."
        raise FitError(msg)
    return found


def _fit(rows: pd.DataFrame, risk: AtRisk, terms: list[str]) -> LogitFit:
    return fit_mixed_logit(
        rows,
        outcome="dropout_event",
        fixed=[INTERCEPT, "log(session)", *terms, *risk.sites],
        random={level: [INTERCEPT] for level in risk.random},
        quadrature=QUADRATURE_POINTS if len(risk.random) == 1 else 1,
    )


def _terms(label: str, measure: str) -> dict[str, Printed]:
    return {
        INTERCEPT: Printed("Intercept", "intercept", "adjustment", LOG_ODDS),
        "log(session)": Printed(
            "log(session)", "time", "adjustment", f"{LOG_ODDS} per log unit"
        ),
        NOW: Printed(f"{label}: form of this session skipped", "session", "main", LOG_ODDS),
        BEFORE: Printed(f"{label}: an earlier form skipped", "client", "main", LOG_ODDS),
        known(measure): Printed(
            f"{label}, last score", "covariate", "adjustment", f"{LOG_ODDS} per point"
        ),
    }  # fmt: skip


def _row(row: Mapping[str, Any], terms: Mapping[str, Printed], how: Fact) -> Estimate:
    shown = in_print(row["term"], terms, LOG_ODDS)
    return estimate(
        row["term"], label=shown.label, role=shown.role, level=shown.level, estimator=how,
        unit=shown.unit, as_ratio=row["term"] != INTERCEPT, numbers=dict(row) | {"df": None},
    )  # fmt: skip


def _test(fit: LogitFit, plain: LogitFit) -> Test:
    ratio = max(2.0 * (fit.log_likelihood - plain.log_likelihood), 0.0)
    return Test(
        Tested.SKIPPED_FORMS, "skipped forms, now and before", ratio, 2.0,
        float(stats.chi2.sf(ratio, 2)),
    )  # fmt: skip


def _statistics(fit: LogitFit, rows: pd.DataFrame) -> dict[str, float | None]:
    skipped = rows[NOW] == 1
    return {
        "log_likelihood": fit.log_likelihood,
        "n_parameters": fit.n_parameters,
        "aic": fit.aic,
        "events": int(rows["dropout_event"].sum()),
        "skipped_share": float(skipped.mean()),
        "dropout_share_after_skipped": _share(rows, skipped),
        "dropout_share_after_filled_in": _share(rows, ~skipped),
    }


def _share(rows: pd.DataFrame, of: pd.Series) -> float | None:
    return float(rows.loc[of, "dropout_event"].mean()) if of.any() else None
