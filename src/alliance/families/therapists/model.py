"""Therapists: shares of what they differ in, alliance within and between them, a caterpillar."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from alliance.confidence import NORMAL_975
from alliance.errors import FitError
from alliance.families.cohort import Cohort, require_scores
from alliance.families.common.multilevel import (
    ENGINE,
    NO_MAXIMUM,
    components_of,
    convergence_of,
    singular_warning,
)
from alliance.families.common.second_engine import no_second_engine
from alliance.families.common.usable_rows import THERAPIST_NOT_KNOWN
from alliance.families.diagnostics import none_of
from alliance.families.facts import Assumption, DfMethod, Estimator, Fact, Reason, Tested, Warned
from alliance.families.fit import (
    NUMBERS,
    Asked,
    Curve,
    Data,
    Estimate,
    Fit,
    Kept,
    Outcome,
    Test,
    data_of,
    estimate,
    kept_rows,
    refused,
)
from alliance.families.therapists.caterpillar import COMPARED, Therapists, therapists_of
from alliance.families.therapists.clients import (
    DROPOUT,
    EARLY,
    FIRST,
    LAST,
    client_table,
    covariates,
)
from alliance.families.therapists.curve_names import (
    EACH,
    EACH_OF_FEW,
    PAIRS,
    PAIRS_OF_FEW,
    RELIABILITY,
)
from alliance.families.therapists.shares import (
    Share,
    outcome_model,
    share_of,
    share_of_change,
    share_of_dropout,
)
from alliance.families.therapists.within_between import (
    BETWEEN,
    CONTEXTUAL,
    WITHIN,
    Effect,
    effects,
    within_between_model,
)
from alliance.mixed import MixedFit

UNADJUSTED = Fact(Estimator.THERAPIST_SHARE, "unadjusted")
ADJUSTED = Fact(Estimator.THERAPIST_SHARE_ADJUSTED, "case mix adjusted")
ENOUGH = Fact(Estimator.THERAPIST_SHARE_ENOUGH_CLIENTS, "therapists with enough clients")
LATENT = Fact(Estimator.LATENT_THERAPIST_MEANS, "latent therapist means, REML")
INTERVALS = Fact(DfMethod.NONE, "delta method, Fieller's method and profile likelihood")
OUTCOME, CHANGE, ALLIANCE, LEAVING = "outcome", "change", "alliance", "dropout"

# ASSUME therapists' clients differ in no more than what is adjusted for: they were not assigned at
# random, so a therapist's difference is not yet the therapist's doing.
ASSUMPTIONS = (
    Fact(
        Assumption.CASE_MIX_MEASURED,
        "Clients of different therapists differ in no more than what is adjusted for: they were "
        "not assigned at random.",
    ),
    Fact(
        Assumption.NORMAL_EFFECTS, "Differences between therapists and between clients are normal."
    ),
    Fact(
        Assumption.MISSING_AT_RANDOM,
        "Missing sessions and forms are missing at random given the scores that there are; the "
        "last score stands for the outcome of clients who left.",
    ),
)
NO_DIAGNOSTICS = (
    "Its models have one row a client; the courses are diagnosed with their own models."
)


def therapists_fit(cohort: Cohort, name: str, entry: Mapping[str, Any]) -> Fit:
    """Return shares, effects and the caterpillar; never raises for what the data cannot give."""
    y, x = cohort.label(entry["outcome"]), cohort.label(entry["alliance"])
    asked = Asked(
        name,
        "therapists",
        f"Therapists: {y} and {x}",
        f"How much do therapists differ in “{y}”, its change, “{x}” and dropout, and do therapists "
        f"with a better early “{x}” have clients who end with better “{y}”?",
        Outcome(entry["outcome"], f"last score of {y}", cohort.unit(entry["outcome"])),
    )
    try:
        models = _models(cohort, entry)
        links = [_link(effect, x, y) for effect in effects(models.both)]
    except FitError as error:
        return refused(asked, ENGINE, cohort, str(error), assumptions=ASSUMPTIONS)
    therapists = therapists_of(models.last, models.table.dropna(subset=[LAST, *models.adjusted]))
    shares, tests, notes = _shares(cohort.panel, models, entry, x, y)
    few = int((therapists.clients < entry["fewest_clients"]).sum())
    enough, enough_tests, more = _enough(models, entry, y) if few else ([], [], [])
    convergence = convergence_of(models.both.convergence)
    return Fit(
        asked,
        replace(ENGINE, df_method=INTERVALS),
        _data(cohort, models.table, entry),
        status=convergence.status,
        message=NO_MAXIMUM if convergence.status == "failed" else "",
        equation=models.both.equation,
        convergence=convergence,
        estimates=[*links, *shares],
        companions=enough,
        tests=[*tests, *enough_tests],
        variance_components=components_of(models.both.variance_components),
        fit_statistics=_statistics(therapists, few, entry),
        curves=_curves(therapists, entry["fewest_clients"], y),
        diagnostics=none_of(NO_DIAGNOSTICS),
        warnings=[
            *singular_warning(models.both.convergence),
            *_few_clients(few, therapists, entry),
            *notes,
            *more,
            no_second_engine("statsmodels fits one outcome at a time."),
        ],
        assumptions=ASSUMPTIONS,
    )


@dataclass(frozen=True, slots=True)
class Models:
    """One row a client, what is adjusted for, and the two models that must be had.

    Attributes
    ----------
    table, adjusted
        The clients; the first score of the outcome and the covariates of the case mix.
    last
        Of the last score: behind the caterpillar.
    both
        Of early alliance and last score.
    """

    table: pd.DataFrame
    adjusted: Sequence[str]
    last: MixedFit
    both: MixedFit


def _models(cohort: Cohort, entry: Mapping[str, Any]) -> Models:
    """Return the models.

    Raises
    ------
    FitError
        No scores, no therapists to tell apart, or in the engine's words.
    """
    for measure in (entry["outcome"], entry["alliance"]):
        require_scores(cohort, measure)
    table = client_table(cohort.panel, entry)
    adjusted = [FIRST, *covariates(cohort.panel, entry["case_mix"])]
    last = outcome_model(table, LAST, adjusted)
    return Models(table, adjusted, last, within_between_model(table, adjusted))


def _data(cohort: Cohort, table: pd.DataFrame, entry: Mapping[str, Any]) -> Data:
    """Return the sessions of the clients who are in the model of alliance and outcome."""
    panel = cohort.panel
    there = table.loc[table[[EARLY, LAST]].notna().any(axis=1) & table[FIRST].notna(), "client"]
    covariate_known = table.dropna(subset=covariates(panel, entry["case_mix"]))["client"]
    kept: Kept = kept_rows(
        panel,
        {
            THERAPIST_NOT_KNOWN: panel["therapist"].isna(),
            Fact(Reason.NO_SCORE, "the client has no two scores of the outcome"): ~panel[
                "client"
            ].isin(there),
            Fact(Reason.COLUMN_NOT_KNOWN, "a covariate of the case mix is not known"): ~panel[
                "client"
            ].isin(covariate_known),
        },
    )
    return data_of(cohort, kept, ["site", "therapist", "client"])


# ------------------------------------------------------------------ shares


def _shares(
    panel: pd.DataFrame, models: Models, entry: Mapping[str, Any], x: str, y: str
) -> tuple[list[Estimate], list[Test], list[Fact]]:
    """Return the shares that there are, the test of each, and why the others are not."""
    outcome, time, table = entry["outcome"], entry["time"], models.table
    plain = [name for name in models.adjusted if name != FIRST]
    sources: dict[str, tuple[str, Callable[[Sequence[str]], Share]]] = {
        OUTCOME: (
            f"{y}, last score",
            lambda these: share_of(outcome_model(table, LAST, these)),
        ),
        CHANGE: (
            f"{y}, slope",
            lambda these: share_of_change(panel, outcome, time, [n for n in these if n in plain]),
        ),
        ALLIANCE: (
            f"{x}, early score",
            lambda these: share_of(outcome_model(table, EARLY, these)),
        ),
        LEAVING: ("dropout", lambda these: share_of_dropout(table, DROPOUT, these)),
    }
    found, tests, notes = [], [], []
    for term, (label, compute) in sources.items():
        for how, these in ((UNADJUSTED, []), (ADJUSTED, models.adjusted)):
            if term == CHANGE and how is ADJUSTED and not plain:
                continue  # a slope is adjusted for covariates alone: its start is in the model
            try:
                share = compute(these)
            except FitError as error:
                words = f"Share of therapists in {label}, {how.text}: not computed. {error}"
                notes.append(Fact(Warned.ESTIMATOR_NOT_COMPUTED, words))
                continue
            found.append(_share(term, label, how, share))
            tests.append(_share_test(term, label, how, share))
    return found, tests, notes


def _share(term: str, label: str, how: Fact, share: Share) -> Estimate:
    return estimate(
        term,
        label=label,
        role="adjustment",
        level="between therapists",
        estimator=how,
        unit="share",
        numbers={
            **dict.fromkeys(NUMBERS),
            "estimate": share.value,
            "ci_low": share.low,
            "ci_high": share.high,
        },
    )


def _share_test(term: str, label: str, how: Fact, share: Share) -> Test:
    """Return the test of one share: a variance at its boundary of zero."""
    return Test(
        Tested.SHARE_OF_THERAPISTS,
        f"Therapists do not differ in {label} ({how.text})",
        share.statistic,
        None if share.statistic is None else share.df,
        share.p,
        kind="mixture",
        term=term,
        label=label,
    )


def _enough(
    models: Models, entry: Mapping[str, Any], y: str
) -> tuple[list[Estimate], list[Test], list[Fact]]:
    """Return the share in the outcome without therapists who have few clients."""
    used = models.table.dropna(subset=[LAST, *models.adjusted])
    clients = used.groupby("therapist")["client"].transform("size")
    enough = used[clients >= entry["fewest_clients"]]
    try:
        share = share_of(outcome_model(enough, LAST, models.adjusted))
    except FitError as error:
        words = f"Without therapists who have few clients: not computed. {error}"
        return [], [], [Fact(Warned.ESTIMATOR_NOT_COMPUTED, words)]
    named = (OUTCOME, f"{y}, last score", ENOUGH, share)
    return [_share(*named)], [_share_test(*named)], []


# ------------------------------------------------------------------ alliance and outcome


def _link(effect: Effect, x: str, y: str) -> Estimate:
    names = {
        WITHIN: f"{x}, against the therapist's other clients",
        BETWEEN: f"{x}, therapist's mean",
        CONTEXTUAL: f"{x}, between less within therapists",
    }
    return estimate(
        effect.name,
        label=f"{names[effect.name]} → {y}",
        role="main",
        level=effect.name,
        estimator=LATENT,
        unit="points per point",
        numbers={
            **dict.fromkeys(NUMBERS),
            "estimate": effect.value,
            "ci_low": effect.low,
            "ci_high": effect.high,
        },
    )


# ------------------------------------------------------------------ the caterpillar


def _statistics(
    therapists: Therapists, few: int, entry: Mapping[str, Any]
) -> dict[str, float | None]:
    below, above = therapists.apart
    known = therapists.reliability
    return {
        "therapists": len(therapists.clients),
        "clients": int(therapists.clients.sum()),
        "median_clients_of_a_therapist": float(np.median(therapists.clients)),
        "fewest_clients": int(entry["fewest_clients"]),
        "therapists_with_fewer_clients": few,
        "therapists_below_average": below,
        "therapists_above_average": above,
        "median_reliability": float(np.median(known)) if len(known) else None,
        "least_reliability": float(known.min()) if len(known) else None,
        "most_reliability": float(known.max()) if len(known) else None,
    }


def _few_clients(few: int, therapists: Therapists, entry: Mapping[str, Any]) -> list[Fact]:
    if not few:
        return []
    words = (
        f"{few} of {len(therapists.clients)} therapists have fewer than {entry['fewest_clients']} "
        "clients: little is known of each of them, and their estimates are drawn to the average."
    )
    return [Fact(Warned.FEW_CLIENTS_PER_THERAPIST, words)]


def _curves(therapists: Therapists, fewest: int, y: str) -> list[Curve]:
    """Return the caterpillar, with bars for each alone and for pairs, and the reliabilities."""
    if not len(therapists.reliability):
        return []  # therapists do not differ: there is no order
    rank = np.arange(1, len(therapists.estimate) + 1)
    enough = therapists.clients >= fewest
    curves = []
    for names, reach in (((EACH, EACH_OF_FEW), NORMAL_975), ((PAIRS, PAIRS_OF_FEW), COMPARED)):
        for name, group, those in zip(
            names, ("enough clients", "few clients"), (enough, ~enough), strict=True
        ):
            if those.any():
                at, half = therapists.estimate[those], reach * therapists.se[those]
                curves.append(
                    Curve(
                        name,
                        group,
                        "Therapists, by rank",
                        f"Difference in {y}, points",
                        rank[those],
                        at,
                        at - half,
                        at + half,
                    )
                )
    order = np.argsort(therapists.clients, kind="stable")
    known = therapists.reliability[order]
    clients = therapists.clients[order]
    reliability = Curve(
        RELIABILITY, "therapists", "Clients", "Reliability", clients, known, known, known
    )
    return [*curves, reliability]
