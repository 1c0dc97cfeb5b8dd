"""What models of several measures at once have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from alliance.errors import FitError
from alliance.families.cohort import Cohort
from alliance.families.common.levels import levels_of
from alliance.families.common.multilevel import MIXED, plain_name, records
from alliance.families.common.second_engine import no_second_engine
from alliance.families.common.usable_rows import THERAPIST_NOT_KNOWN
from alliance.families.facts import Assumption, Fact, Reason
from alliance.families.fit import Estimate, Kept, Outcome, estimate, kept_rows
from alliance.mixed import MixedFit

ONE_AT_A_TIME = no_second_engine("statsmodels fits one outcome at a time.")
MISSING_AT_RANDOM = Fact(
    Assumption.MISSING_AT_RANDOM,
    "Missing sessions and forms are missing at random given the scores that there are, of either "
    "measure.",
)


def outcome_of(cohort: Cohort, outcomes: Sequence[str]) -> Outcome:
    """Return several measures as what one model predicts."""
    return Outcome(
        ", ".join(outcomes),
        " and ".join(cohort.label(outcome) for outcome in outcomes),
        "; ".join(cohort.unit(outcome) for outcome in outcomes),
    )


def rows_with_any(
    panel: pd.DataFrame,
    times: Mapping[str, str],
    wanted: Sequence[str] | None,
    reasons: Mapping[Fact, pd.Series] | None = None,
) -> tuple[Kept, list[str], list[Fact]]:
    """Return the rows with any of the measures, the levels, and a warning for each left out.

    Parameters
    ----------
    panel
        The analysis table.
    times
        The time of the course of each measure.
    wanted
        Levels named in the config, or None for all that the cohort has.
    reasons
        Further reasons for which rows are left out.

    Raises
    ------
    FitError
        The model would have no client level.
    """
    there = pd.concat([panel[y].notna() & panel[t].notna() for y, t in times.items()], axis=1)
    neither = Fact(Reason.NO_SCORE, "no score of either measure, or its time is not known")
    found = {neither: ~there.any(axis=1)} | dict(reasons or {})
    levels, notes = levels_of(panel[kept_rows(panel, found).used], wanted)
    if "client" not in levels:
        msg = "The model has no client level: its `levels` need `client`."
        raise FitError(msg)
    if "therapist" in levels:
        found[THERAPIST_NOT_KNOWN] = panel["therapist"].isna()
    return kept_rows(panel, found), levels, notes


def fixed_effects(fit: MixedFit, labels: Mapping[str, str]) -> list[Estimate]:
    """Return the mean courses and what they are adjusted for, measure by measure."""
    found = []
    for row in records(fit.coefficients):
        outcome, _, term = row["term"].partition(": ")
        found.append(
            estimate(
                row["term"],
                label=f"{labels[outcome]}: {'intercept' if term == '1' else plain_name(term)}",
                role="adjustment",
                level="intercept" if term == "1" else "covariate",
                estimator=MIXED,
                unit="points",
                numbers=row,
            )
        )
    return found
