"""The model of joint courses: which rows it uses, what it falls back on, and how groups differ."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.common.levels import site_terms
from alliance.families.common.several_measures import rows_with_any
from alliance.families.facts import Fact, Reason, Warned
from alliance.families.fit import Kept
from alliance.families.joint_courses.options import PHASE
from alliance.mixed import MixedFit, fit_mixed, identification

# ASSUME lines of their own cannot be told from what is carried over where half of the clients have
# fewer complete sessions than this: the model then has the mean course only, and says so.
FEWEST_SESSIONS = 5
EARLY, LATE = "early", "late"
GROUP = "group_of_dynamics"  # the column that the engine is given


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model and what its numbers are called.

    Attributes
    ----------
    fit
        The engine's fit.
    rows
        The panel's rows used.
    labels
        Outcome to its name in print.
    times
        Outcome to the time of its course.
    levels
        Random levels, outermost first.
    step
        `session` or `week`.
    first
        Outcomes asked before a session, where the others are asked after it.
    slopes
        Whether clients have lines of their own.
    """

    fit: MixedFit
    rows: pd.DataFrame
    labels: Mapping[str, str]
    times: Mapping[str, str]
    levels: Sequence[str]
    step: str
    first: Collection[str]
    slopes: bool


def fitted(
    panel: pd.DataFrame,
    labels: Mapping[str, str],
    entry: Mapping[str, Any],
    step: str,
    first: Collection[str],
) -> tuple[Model, Kept, list[Fact]]:
    """Return the model, the rows that it used and what to know of it.

    Raises
    ------
    FitError
        What the data cannot give, in plain words.
    """
    times = dict(zip(labels, entry["times"], strict=True))
    kept, levels, notes = _rows(panel, times, entry.get("levels"), step)
    rows = panel[kept.used]
    complete = rows[list(labels)].notna().all(axis=1).groupby(rows["client"]).sum()
    _refuse_too_little(complete, labels)

    def model(*, slopes: bool) -> Model:
        shape = (labels, times, levels, step)
        return Model(_fit(rows, *shape, slopes=slopes), rows, *shape, first, slopes)

    why = ""
    if float(complete.median()) < FEWEST_SESSIONS:
        why = f"half of the clients have fewer than {FEWEST_SESSIONS} sessions with all measures"
    else:
        try:
            found = model(slopes=True)
        except FitError:
            why = "with lines of their own the likelihood has no maximum"
        else:
            if identification(found.fit).is_weak:
                why = "the data hardly tell them from what is carried over"
    if why:
        found = model(slopes=False)
        words = f"Clients have no lines of their own in this model, only levels: {why}."
        notes = [*notes, Fact(Warned.LINES_LEFT_OUT, words)]
    return found, kept, notes


def with_groups(model: Model, entry: Mapping[str, Any]) -> MixedFit:
    """Return the same model with coefficients of its own for each group of `differs_by`.

    Raises
    ------
    FitError
        The column is not there, is not known throughout, or a group has too little.
    """
    by = str(entry["differs_by"])
    rows = model.rows
    if by == PHASE:
        group = pd.Series(np.where(rows["session"] < entry["late_from"], EARLY, LATE), rows.index)
    elif by in rows:
        group = rows[by].astype(object)
    else:
        raise FitError(f"The cohort has no column “{by}”, which the model names.")
    if group.isna().any():
        raise FitError(f"{by.replace('_', ' ').capitalize()} is not known of every session.")
    return _fit(
        rows.assign(**{GROUP: group}),
        model.labels,
        model.times,
        model.levels,
        model.step,
        slopes=model.slopes,
        residual_by=GROUP,
    )


def _fit(
    rows: pd.DataFrame,
    labels: Mapping[str, str],
    times: Mapping[str, str],
    levels: Sequence[str],
    step: str,
    *,
    slopes: bool,
    residual_by: str | None = None,
) -> MixedFit:
    sites = site_terms(rows, levels)
    own = {y: ["1", t] if slopes else ["1"] for y, t in times.items()}
    return fit_mixed(
        rows,
        list(labels),
        {y: list(dict.fromkeys(["1", t, *sites])) for y, t in times.items()},
        {level: own if level == "client" else ["1"] for level in levels},
        residual="var1" if step == "session" else "cvar1",
        residual_time="session" if step == "session" else "weeks_since_intake",
        residual_by=residual_by,
    )


def _rows(
    panel: pd.DataFrame, times: Mapping[str, str], wanted: Sequence[str] | None, step: str
) -> tuple[Kept, list[str], list[Fact]]:
    """Return which rows are used, the levels, and a warning for each that was left out."""
    reasons = {}
    if step == "week":
        unknown = panel["weeks_since_intake"].isna()
        reasons[Fact(Reason.TIME_NOT_KNOWN, "weeks since intake not known")] = unknown
    return rows_with_any(panel, times, wanted, reasons)


def _refuse_too_little(complete: pd.Series, labels: Mapping[str, str]) -> None:
    """Raise where effects from session to session have nothing to be seen in."""
    names = " and ".join(f"“{label}”" for label in labels.values())
    if complete.empty or not complete.any():
        raise FitError(f"{names} are never filled in at the same session.")
    if len(complete) < 2:
        raise FitError("Only one client has what the model needs: nothing can be compared.")
    if complete.max() < 2:
        raise FitError(f"No client has two sessions with {names}: nothing follows anything.")
