"""Site by site: a model's main effects at every site alone, put together, beside the one model.

Two-stage analysis of individual participant data: the model is fitted to each site's own rows, and
the sites' estimates are put together as a random-effects synthesis (`models.synthesis`). The one
model for all sites stands beside it, so that a reader sees whether the two ways differ (Burke,
Ensor & Riley, 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pandas as pd

from alliance.errors import FitError
from alliance.families.by_site.synthesis import FEW_SITES, Synthesis, synthesise, with_floor
from alliance.families.cohort import Cohort
from alliance.families.common.multilevel import ENGINE
from alliance.families.coupling.model import coupling_fit
from alliance.families.diagnostics import none_of
from alliance.families.facts import (
    Assumption,
    DfMethod,
    Estimator,
    Fact,
    Reason,
    Tested,
    Warned,
)
from alliance.families.fit import (
    NUMBERS,
    Asked,
    Component,
    Convergence,
    Data,
    Estimate,
    Fit,
    Group,
    LeftOut,
    Test,
    estimate,
    numbers_of,
    refused,
)
from alliance.families.growth.model import growth_fit
from alliance.families.hazard.model import hazard_fit
from alliance.families.joint_courses.model import joint_courses_fit

FITTERS: dict[str, Callable[[Cohort, str, Mapping[str, Any]], Fit]] = {
    "growth": partial(growth_fit, diagnosed=False),
    "coupling": partial(coupling_fit, diagnosed=False),
    "hazard": partial(hazard_fit, diagnosed=False),
    "joint_courses": partial(joint_courses_fit, diagnosed=False),
}
SYNTHESIS = replace(
    ENGINE,
    estimator=Fact(Estimator.SYNTHESIS, "random-effects synthesis, REML"),
    df_method=Fact(DfMethod.HARTUNG_KNAPP, "Hartung-Knapp, sites − 1"),
)
NO_DIAGNOSTICS = (
    "The sites' estimates stand side by side in the figure of the sites; the diagnostics of "
    "the one model for all sites stand with that model."
)
# ASSUME the sites' standard errors are known, and the sites' true effects are normal.
ASSUMPTIONS = (
    Fact(Assumption.STANDARD_ERRORS_KNOWN, "Each site's standard error is taken as known."),
    Fact(
        Assumption.NORMAL_SITES,
        "The true effects of the sites are a sample from a normal distribution.",
    ),
)


def by_site_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Fit:
    """Return the synthesis over sites of the main effects of the model that the entry names."""
    fitter, base = FITTERS[entry["entry"]["family"]], entry["entry"] | {"cross_validate": False}
    whole = fitter(cohort, entry["model"], base)
    asked = Asked(
        name,
        "by_site",
        f"{whole.asked.title}, site by site",
        "Is the effect the same at every site, and does one site carry it alone?",
        whole.asked.outcome,
        about=entry["model"],
    )
    sites = sorted(cohort.panel["site"].unique())
    if len(sites) < 2:
        why = "The cohort has one site: there is nothing to compare."
        return refused(asked, SYNTHESIS, cohort, why)
    alone = {site: fitter(_at(cohort, site), entry["model"], base) for site in sites}
    used = {site: fit for site, fit in alone.items() if fit.usable}
    warnings = [
        Fact(Warned.SITE_LEFT_OUT, f"Site {site} is not in the synthesis: {fit.message}")
        for site, fit in alone.items()
        if site not in used
    ]
    try:
        together = [_put_together(main, used) for main in whole.main]
    except FitError as error:
        return refused(asked, SYNTHESIS, cohort, str(error), warnings=warnings)
    if not together:
        why = whole.message or "The model has no main effect to put together."
        return refused(asked, SYNTHESIS, cohort, why, warnings=warnings)
    if len(used) < FEW_SITES:
        words = (
            f"Only {len(used)} sites: how much sites differ is hardly known, and an estimate of no "
            "difference does not show that there is none. Sites are a random level here, which is "
            "what is asked; the model itself compares so few sites as they are."
        )
        warnings.append(Fact(Warned.FEW_SITES, words))
    return Fit(
        asked,
        SYNTHESIS,
        _data(cohort, used, alone),
        status="converged",
        equation="estimate of a site = mean + site + error;  site ~ N(0, tau2)",
        estimates=[one.mean for one in together],
        companions=[row for one in together for row in one.beside],
        tests=[one.test for one in together],
        variance_components=[one.component for one in together],
        fit_statistics={key: n for one in together for key, n in one.statistics.items()},
        convergence=Convergence(converged=True, optimiser="root of the restricted score"),
        diagnostics=none_of(NO_DIAGNOSTICS),
        warnings=warnings,
        assumptions=[*ASSUMPTIONS, *whole.assumptions],
    )


def _at(cohort: Cohort, site: str) -> Cohort:
    rows = cohort.panel[cohort.panel["site"] == site].reset_index(drop=True)
    return replace(cohort, panel=rows)


@dataclass(frozen=True, slots=True)
class Together:
    """One main effect put together: the mean of the sites, and what stands beside it."""

    mean: Estimate
    beside: Sequence[Estimate]
    component: Component
    test: Test
    statistics: Mapping[str, float | None] = field(default_factory=dict)


def _put_together(main: Estimate, used: Mapping[str, Fit]) -> Together:
    """Return the synthesis of one main effect, the sites' own estimates and the one model's."""
    term = main.term
    rows = {
        site: row
        for site, fit in used.items()
        for row in fit.estimates
        if row.term == term and row.se and row.estimate is not None
    }
    found = synthesise(
        [float(row.estimate or 0.0) for row in rows.values()],
        [float(row.se or 0.0) ** 2 for row in rows.values()],
    )

    def of(numbers: Mapping[str, Any], code: Estimator, words: str) -> Estimate:
        return estimate(
            term, label=main.label, role="main", level=main.level, unit=main.unit,
            estimator=Fact(code, words), numbers=numbers, as_ratio=main.ratio is not None,
        )  # fmt: skip

    return Together(
        mean=of(_numbers(found), Estimator.SYNTHESIS,
                f"mean of {len(rows)} sites, REML, Hartung-Knapp"),
        beside=[
            *(of(numbers_of(row), Estimator.SITE_ALONE, f"site {site} alone")
              for site, row in rows.items()),
            *([of(with_floor(found), Estimator.SYNTHESIS_WITH_FLOOR,
                  "mean of sites, standard error not below that of its weights")]
              if found.se < found.se_wald else []),
            *([of(_prediction(found), Estimator.FURTHER_SITE, "a further site (prediction)")]
              if found.prediction_df > 0 else []),
            of(numbers_of(main), Estimator.ALL_SITES_AT_ONCE, "one model for all sites"),
        ],
        component=Component("site", term, term, found.tau2, found.tau2**0.5),
        test=Test(
            Tested.ONE_EFFECT_AT_ALL_SITES,
            f"{main.label}: all sites share one effect",
            found.q,
            found.q_df,
            found.q_p,
            term=term,
            label=main.label,
        ),
        statistics={
            f"i_squared_percent ({term})": found.i2,
            f"between_site_variance_low ({term})": found.tau2_low,
            f"between_site_variance_high ({term})": found.tau2_high,
        },
    )  # fmt: skip


def _numbers(found: Synthesis) -> dict[str, Any]:
    return {column: getattr(found, column) for column in NUMBERS}


def _prediction(found: Synthesis) -> dict[str, Any]:
    return _numbers(found) | {
        "df": found.prediction_df,
        "se": None,
        "statistic": None,
        "p": None,
        "ci_low": found.prediction_low,
        "ci_high": found.prediction_high,
    }


def _data(cohort: Cohort, used: Mapping[str, Fit], alone: Mapping[str, Fit]) -> Data:
    """Return the rows of the sites' fits, and what each left out."""
    not_fitted = Fact(Reason.SITE_NOT_FITTED, "the site's own model was not fitted")
    reasons: dict[Fact, int] = {}
    why = pd.Series(str(not_fitted.code), index=cohort.panel.index, dtype=object)
    for site, fit in alone.items():
        at_site = cohort.panel["site"] == site
        if site not in used:
            reasons[not_fitted] = reasons.get(not_fitted, 0) + int(at_site.sum())
            continue
        why[at_site] = fit.data.why.to_numpy()
        for entry in fit.data.left_out:
            reasons[entry.reason] = reasons.get(entry.reason, 0) + entry.rows
    n = sum(fit.data.rows_used for fit in used.values())
    left_out = tuple(LeftOut(reason, rows) for reason, rows in reasons.items())
    groups = (Group("site", len(used)), Group("session", n))
    return Data(cohort.panel_sha256, len(cohort.panel), n, left_out, groups, why)
