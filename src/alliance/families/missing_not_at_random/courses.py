"""The rows of completed courses: what was seen, forms skipped, sessions after leaving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.common.multilevel import Fitted
from alliance.families.common.times import MADE, SESSION, WEEKS, times_of

SEEN, SKIPPED, AFTER = "seen", "skipped", "after"
TIMES = (SESSION, WEEKS, *MADE)


@dataclass(frozen=True, slots=True)
class Courses:
    """Courses as if nobody had dropped out before a session.

    Attributes
    ----------
    rows
        Sorted by ids and session. `kind`: seen, skipped or after (leaving); `since`: sessions since
        leaving; `last`, `first`: place of the client's last and first attended session.
    sessions
        The session up to which courses that broke off go on.
    """

    rows: pd.DataFrame
    sessions: int

    @property
    def missing(self) -> np.ndarray:
        """Mask of the rows without a score."""
        return (self.rows["kind"] != SEEN).to_numpy()

    @property
    def after(self) -> np.ndarray:
        """Mask of the rows after leaving."""
        return (self.rows["kind"] == AFTER).to_numpy()


def completed_courses(
    panel: pd.DataFrame, fitted: Fitted, outcome: str, time: str, sessions: int | None
) -> Courses:
    """Return the rows of the clients of a growth model, those without a score among them.

    Parameters
    ----------
    panel
        The analysis table, with every time.
    fitted
        The growth model.
    outcome, time
        Its columns.
    sessions
        Session up to which courses go on; None: the median of those who did not drop out.

    Raises
    ------
    FitError
        Nobody dropped out before that session, or a term of the model is not known after leaving.
    """
    attended = panel[panel["client"].isin(fitted.rows["client"]) & panel[time].notna()]
    attended = attended.sort_values(["site", "client", "session"], kind="stable")
    _refuse_what_changes(attended, fitted, time)
    ends = attended.groupby("client").agg(last=("session", "max"), left=("dropout_event", "max"))
    left = ends["left"] == 1
    # ASSUME who dropped out would have come as long as the half of the others: dropout alone takes
    # scores away that the mean course is about, other ends are ends of treatment.
    if sessions is None and (~left).any():
        sessions = max(2, int(np.floor(ends.loc[~left, "last"].median())))
    sessions = sessions or int(ends["last"].max())
    broken = ends[left & (ends["last"] < sessions)]
    if broken.empty:
        msg = f"Nobody with a score dropped out before session {sessions}: no course breaks off."
        raise FitError(msg)
    added = _after(attended, broken, sessions)
    rows = attended.assign(
        kind=np.where(attended[outcome].notna(), SEEN, SKIPPED),
        since=0,
    )
    added[outcome], added["kind"] = np.nan, AFTER
    rows = pd.concat([rows, added], ignore_index=True)
    ids = [level for level in fitted.random if level != "client"]
    order = list(dict.fromkeys(["site", *ids, "client", "session"]))
    rows = rows.sort_values(order, kind="stable", ignore_index=True)
    place = pd.Series(np.arange(len(rows)), index=rows.index).where(rows["kind"] != AFTER)
    rows["last"] = place.groupby(rows["client"]).transform("max").astype(int)
    rows["first"] = place.groupby(rows["client"]).transform("min").astype(int)
    return Courses(rows, sessions)


def _after(attended: pd.DataFrame, broken: pd.DataFrame, sessions: int) -> pd.DataFrame:
    """Return the sessions that those who dropped out would have had."""
    lasts = attended.drop_duplicates("client", keep="last").set_index("client", drop=False)
    lasts = lasts.loc[sorted(broken.index)]
    count = sessions - lasts["session"].to_numpy(int)
    rows = lasts.iloc[np.repeat(np.arange(len(lasts)), count)].reset_index(drop=True)
    rows["since"] = np.concatenate([np.arange(1, n + 1) for n in count])
    rows["session"] = rows["session"] + rows["since"]
    if WEEKS in rows:
        # ASSUME sessions after leaving lie as far apart as sessions do in this cohort (median).
        step = attended.groupby("client")[["session", WEEKS]].diff()
        rows[WEEKS] = rows[WEEKS] + rows["since"] * float((step[WEEKS] / step["session"]).median())
    made = times_of(rows)
    return rows.assign(**{name: made[name] for name in made if name in rows})


def _refuse_what_changes(rows: pd.DataFrame, fitted: Fitted, time: str) -> None:
    columns = {
        factor.atom.column
        for products in (fitted.fit.prepared.fixed, *fitted.fit.prepared.random)
        for product in products
        for factor in product
    }
    for name in sorted(columns - {*TIMES, time}):
        if (rows.groupby("client")[name].nunique() > 1).any():
            msg = (
                f"“{name.replace('_', ' ')}” changes from session to session, so that nobody knows"
                " it after leaving; ask of a growth model without it."
            )
            raise FitError(msg)


def who_left(rows: pd.DataFrame) -> pd.Series:
    """Return the session of leaving by client, missing where nobody saw the client drop out."""
    left = rows["dropout_event"] == 1
    return rows["session"].where(left).groupby(rows["client"]).max()


def groups_of(fitted: Fitted, time: str) -> tuple[str, list[str]]:
    """Return the column of the groups whose courses the model compares, and the groups in order.

    The first is the reference. ("", []) where the model compares none.

    Raises
    ------
    FitError
        The course is no line in one time, or goes with more than one column, or with a number.
    """
    prepared = fitted.fit.prepared
    of_time = [p for p in prepared.fixed if any(f.atom.column in TIMES for f in p)]
    others: set[str] = set()
    for product in of_time:
        columns = [factor.label for factor in product if factor.atom.column in TIMES]
        others |= {factor.atom.column for factor in product if factor.atom.column not in TIMES}
        if columns != [time]:
            msg = "The mean course is no straight line in one time: ask of a growth model that is."
            raise FitError(msg)
    if not others:
        return "", []
    if len(others) > 1 or not others <= set(prepared.vocabulary.categories):
        named = ", ".join(sorted(others))
        msg = (
            f"The course goes with more than one column, or with a number ({named}): here the "
            "courses of the groups of one column can be compared."
        )
        raise FitError(msg)
    (column,) = others
    return column, list(prepared.vocabulary.categories[column])


def main_terms(fitted: Fitted, groups: Sequence[str]) -> list[str]:
    """Return the terms of the main effects: differences in course, or the mean change."""
    terms = [row.term for row in fitted.estimates if row.role == "main"]
    return [term for term in terms if not groups or ":" in term]
