"""The hazard of the subdistribution: one row a client, predictors as at the first score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.cohort import Cohort
from alliance.families.common.levels import clusters_of
from alliance.families.common.second_engine import (
    no_second_engine,
)
from alliance.families.continuous_time.design import (
    design_of,
    early_labels,
    refuse_separation,
)
from alliance.families.continuous_time.results import (
    cox_result,
    proportionality,
)
from alliance.families.facts import (
    Fact,
    Reason,
    Warned,
)
from alliance.families.fit import (
    Asked,
    Fit,
    Kept,
    data_of,
    kept_rows,
)
from alliance.families.hazard.rows import (
    ENDS,
    EVERYBODY,
    FEWEST_EVENTS,
)
from alliance.survival import (
    cox_rows,
    fit_cox,
    subdistribution_rows,
)

EARLY_SESSIONS = 3


CAUSES = {"dropout": 1, "completed": 2, "transferred": 2, "other": 2}


@dataclass(frozen=True, slots=True)
class FirstScores:
    """One row a client, at the first score: when and how treatment ended, counted from there.

    Attributes
    ----------
    rows
        By client.
    time
        Sessions from the first score to the last; shape (clients,).
    cause
        1 dropout, 2 another end, 0 not known to have ended; shape (clients,).
    kept
        Which rows of the panel these are.
    """

    rows: pd.DataFrame
    time: np.ndarray
    cause: np.ndarray
    kept: Kept


def fine_gray_fit(
    asked: Asked, cohort: Cohort, predictors: Sequence[str], extra: Sequence[str]
) -> Fit:
    """Fit on one row a client: predictors at the first score, time counted from there."""
    found = _first_scores(cohort.panel, [*predictors, *extra])
    first, cause = found.rows, found.cause
    columns = [*predictors, *extra, *(["site"] if first["site"].nunique() > 1 else [])]
    design = design_of(cohort, first, [], columns, bool(predictors))
    design = early_labels(design, predictors, cohort)
    refuse_separation(design, (cause == 1).astype(float))
    made = subdistribution_rows(found.time, cause, 1)
    prepared = cox_rows(
        made.start, made.stop, made.event, design.x[made.person], weight=made.weight
    )
    clusters, cluster_name = clusters_of(first.reset_index())
    fit = fit_cox(prepared, clusters[made.person])
    tests, about_tests = proportionality(prepared, fit, design)
    words = "Nobody ended otherwise: the subdistribution hazard is the hazard itself."
    return cox_result(
        asked,
        "fine-gray",
        fit,
        design,
        cluster_name,
        data=data_of(cohort, found.kept, ["site", "client"]),
        tests=tests,
        statistics={
            "events": int((cause == 1).sum()),
            "competing_ends": int((cause == 2).sum()),
            "still_in_treatment_or_not_known": int((cause == 0).sum()),
        },
        warnings=[
            *([] if (cause == 2).any() else [Fact(Warned.NO_COMPETING_END, words)]),
            *about_tests,
            no_second_engine("statsmodels has no weights in a Cox regression."),
        ],
    )


def _first_scores(panel: pd.DataFrame, needed: Sequence[str]) -> FirstScores:
    """Return the clients with every predictor within the first sessions.

    Raises
    ------
    FitError
        A column is not there, or too few of these clients dropped out, or all at once.
    """
    absent = [name for name in needed if name not in panel]
    if absent:
        msg = f"The cohort has no column “{absent[0]}”."
        raise FitError(msg)
    complete = panel[list(needed)].notna().all(axis=1)
    early = panel[(panel["session"] <= EARLY_SESSIONS) & complete].drop_duplicates("client")
    first = early.set_index("client")
    last = panel[panel["last_session"]].set_index("client").loc[first.index]
    cause = last["end_cause"].map(CAUSES).fillna(0).astype(int).to_numpy()
    # A client whose first score stands at session s is at risk from then on: time is counted
    # from just before it, to the last session after which the way on is known.
    time = (last["session"] - first["session"] + 1).to_numpy(float) - (cause == 0)
    seen = time > 0
    early, first, time, cause = early[seen], first[seen], time[seen], cause[seen]
    events = int((cause == 1).sum())
    if events < FEWEST_EVENTS:
        msg = (
            f"Only {events} dropout(s) among the clients with every predictor within the first "
            f"sessions: at least {FEWEST_EVENTS} are needed."
        )
        raise FitError(msg)
    if (cause == 1).all() and len(np.unique(time)) == 1:
        raise FitError(EVERYBODY.format(ENDS["dropout"][0]))
    reason = Fact(
        Reason.NOT_THE_FIRST_SCORE,
        "not the session of a first score that was followed by anything seen",
    )
    others = pd.Series(~panel.index.isin(early.index), index=panel.index)
    kept = kept_rows(panel, {reason: others})
    return FirstScores(first, time, cause, kept)
