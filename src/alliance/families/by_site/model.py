"""Site by site: a model's main effects at every site alone, put together, beside the one model.

Two-stage analysis of individual participant data: the model is fitted to each site's own rows, and
the sites' estimates are put together as a random-effects synthesis (`models.synthesis`). The one
model for all sites stands beside it, so that a reader sees whether the two ways differ (Burke,
Ensor & Riley, 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from alliance.errors import FitError
from alliance.families.by_site.synthesis import FEW_SITES, Synthesis, synthesise
from alliance.families.common.multilevel import ENGINE
from alliance.families.coupling.model import coupling_fit
from alliance.families.diagnostics import none_of
from alliance.families.fit import Cohort, Draft, estimate, refuse, test_row
from alliance.families.growth.model import growth_fit
from alliance.families.hazard.model import hazard_fit

FITTERS: dict[str, Callable[[Cohort, str, Mapping[str, Any]], dict[str, Any]]] = {
    "growth": partial(growth_fit, diagnosed=False),
    "coupling": partial(coupling_fit, diagnosed=False),
    "hazard": partial(hazard_fit, diagnosed=False),
}
USABLE = ("converged", "singular")


def by_site_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the synthesis over sites of the main effects of the model that the entry names."""
    fitter, base = FITTERS[entry["entry"]["family"]], entry["entry"] | {"cross_validate": False}
    whole = fitter(cohort, entry["model"], base)
    draft = Draft(
        model=name,
        family="by_site",
        title=f"{whole['title']}, site by site",
        question="Is the effect the same at every site, and does one site carry it alone?",
        outcome=whole["outcome"],
        engine=dict(ENGINE) | {"estimator": "random-effects synthesis, REML",
                               "df_method": "Hartung-Knapp, sites − 1"},
    )  # fmt: skip
    sites = sorted(cohort.panel["site"].unique())
    if len(sites) < 2:
        return refuse(draft, cohort, "The cohort has one site: there is nothing to compare.")
    alone = {site: fitter(_at(cohort, site), entry["model"], base) for site in sites}
    used = {site: fit for site, fit in alone.items() if fit["status"] in USABLE}
    for site, fit in alone.items():
        if site not in used:
            draft.warnings.append(f"Site {site} is not in the synthesis: {fit['message']}")
    try:
        for main in (row for row in whole["estimates"] if row["role"] == "main"):
            _put_together(draft, main, used)
    except FitError as error:
        return refuse(draft, cohort, str(error))
    if not draft.estimates:
        why = whole["message"] or "The model has no main effect to put together."
        return refuse(draft, cohort, why)
    draft.status = "converged"
    draft.diagnostics = none_of(
        "The sites' estimates stand side by side in the figure of the sites; the diagnostics of "
        "the one model for all sites stand with that model."
    )
    draft.convergence |= {"converged": True, "optimiser": "root of the restricted score"}
    draft.equation = "estimate of a site = mean + site + error;  site ~ N(0, tau2)"
    draft.data = _rows(cohort, used, alone)
    if len(used) < FEW_SITES:
        draft.warnings.append(
            f"Only {len(used)} sites: how much sites differ is hardly known, and the interval of "
            "the mean is wide because it says so."
        )
    # ASSUME the sites' standard errors are known, and the sites' true effects are normal.
    draft.assumptions = [
        "Each site's standard error is taken as known.",
        "The true effects of the sites are a sample from a normal distribution.",
        *whole["assumptions"],
    ]
    return draft.finish()


def _at(cohort: Cohort, site: str) -> Cohort:
    rows = cohort.panel[cohort.panel["site"] == site].reset_index(drop=True)
    return replace(cohort, panel=rows)


def _put_together(draft: Draft, main: Mapping[str, Any], used: Mapping[str, Any]) -> None:
    """Add the synthesis of one main effect, the sites' own estimates and the one model's."""
    term, level = main["term"], main["level"]
    rows = {
        site: row
        for site, fit in used.items()
        for row in fit["estimates"]
        if row["term"] == term and row["se"] and row["estimate"] is not None
    }
    found = synthesise(
        [row["estimate"] for row in rows.values()], [row["se"] ** 2 for row in rows.values()]
    )
    as_ratio = main["ratio"] is not None
    common = {"level": level, "unit": main["unit"], "as_ratio": as_ratio}
    draft.estimates.append(
        estimate(term, label=main["label"], role="main",
                 estimator=f"mean of {len(rows)} sites, REML, Hartung-Knapp",
                 numbers=_numbers(found), **common)
    )  # fmt: skip
    draft.companions += [
        estimate(term, label=main["label"], role="main",
                 estimator=f"site {site} alone", numbers=row, **common)
        for site, row in rows.items()
    ]  # fmt: skip
    draft.companions.append(
        estimate(term, label=main["label"], role="main", estimator="a further site (prediction)",
                 numbers=_prediction(found), **common)
    )  # fmt: skip
    draft.companions.append(
        estimate(term, label=main["label"], role="main", estimator="one model for all sites",
                 numbers=main, **common)
    )  # fmt: skip
    draft.variance_components.append(
        {"level": "site", "name_1": term, "name_2": term, "variance_or_covariance": found.tau2,
         "sd_or_correlation": found.tau2**0.5, "share": None}
    )  # fmt: skip
    draft.fit_statistics |= {
        f"i_squared_percent ({term})": found.i2,
        f"between_site_variance_low ({term})": found.tau2_low,
        f"between_site_variance_high ({term})": found.tau2_high,
    }
    heterogeneity = {"statistic": found.q, "df": found.q_df, "p": found.q_p}
    draft.tests.append(test_row(f"{main['label']}: all sites share one effect", "chi2",
                                heterogeneity))  # fmt: skip


def _numbers(found: Synthesis) -> dict[str, Any]:
    columns = ("estimate", "se", "df", "statistic", "p", "ci_low", "ci_high")
    return {column: getattr(found, column) for column in columns}


def _prediction(found: Synthesis) -> dict[str, Any]:
    return _numbers(found) | {
        "se": None,
        "statistic": None,
        "p": None,
        "ci_low": found.prediction_low,
        "ci_high": found.prediction_high,
    }


def _rows(cohort: Cohort, used: Mapping[str, Any], alone: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `data` block: the rows of the sites' fits, and what each left out."""
    reasons: dict[str, int] = {}
    for site, fit in alone.items():
        if site not in used:
            rows = int((cohort.panel["site"] == site).sum())
            reasons["the site's own model was not fitted"] = (
                reasons.get("the site's own model was not fitted", 0) + rows
            )
            continue
        for entry in fit["data"]["left_out"]:
            reasons[entry["reason"]] = reasons.get(entry["reason"], 0) + entry["rows"]
    n_used = sum(fit["data"]["rows_used"] for fit in used.values())
    return {
        "panel_sha256": cohort.panel_sha256,
        "rows_in_panel": len(cohort.panel),
        "rows_used": n_used,
        "left_out": [{"reason": reason, "rows": n} for reason, n in reasons.items()],
        "groups": [{"level": "site", "n": len(used)}, {"level": "session", "n": n_used}],
    }
