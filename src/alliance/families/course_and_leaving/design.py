"""Which rows the model uses, and its designs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.cohort import Cohort
from alliance.families.common.levels import levels_of
from alliance.families.common.usable_rows import THERAPIST_NOT_KNOWN, time_not_known
from alliance.families.facts import Fact, Reason
from alliance.families.fit import Kept, kept_rows
from alliance.families.hazard.rows import FEWEST_EVENTS
from alliance.mixed.joint import Courses, Risk

HazardLink = Literal["logit", "cloglog"]


@dataclass(frozen=True, slots=True)
class Design:
    """The rows of a model and what it is fitted to.

    Attributes
    ----------
    rows
        The panel's rows used; `scored` and `at_risk` say for what.
    kept
        Which these are, and why the others are not.
    x
        Design of the mean course at every row.
    course_terms, hazard_terms
        Names of the columns of the two designs.
    courses, risk, therapist
        As the engine takes them; `therapist` is None without therapist effects.
    notes
        What a reader must know of the rows.
    """

    rows: pd.DataFrame
    kept: Kept
    x: np.ndarray
    course_terms: list[str]
    hazard_terms: list[str]
    courses: Courses
    risk: Risk
    therapist: np.ndarray | None
    notes: list[Fact]

    @property
    def levels(self) -> list[str]:
        """Levels with random effects, outermost first."""
        return ["client"] if self.therapist is None else ["therapist", "client"]


def designed(
    cohort: Cohort, outcome: str, time: str, association: Sequence[str], link: HazardLink,
    wanted: Sequence[str] | None,
) -> Design:  # fmt: skip
    """Return the rows and designs.

    Raises
    ------
    FitError
        Too few clients who left or who stayed, or courses too short for lines.
    """
    panel = cohort.panel
    kept, levels, notes = _kept(panel, cohort.label(outcome), outcome, time, wanted)
    rows = panel[kept.used].copy()
    rows["scored"] = rows[outcome].notna()
    rows["at_risk"] = rows["dropout_event"].notna()
    _refuse_too_little(rows, cohort.label(outcome))
    client, ids = pd.factorize(rows["client"])
    sites = _sites(rows)
    when = rows[time].to_numpy(float)
    one, none = np.ones(len(rows)), np.zeros(len(rows))
    x, z = np.column_stack([one, when, sites]), np.column_stack([one, when])
    # ASSUME sites differ by constants in the course and in the hazard, however many they are.
    w = np.column_stack([one, np.log(rows["session"].to_numpy(float)), sites])
    flat = np.zeros((len(rows), x.shape[1]))
    slope = flat.copy()
    slope[:, 1] = 1.0
    features = {
        "value": (x, np.column_stack([one, when, one])),
        "change": (slope, np.column_stack([none, one, none])),
        "level": (flat, np.column_stack([one, none, none])),
        "line": (flat, np.column_stack([none, one, none])),
    }
    scored, at_risk = rows["scored"].to_numpy(), rows["at_risk"].to_numpy()
    therapist = None
    if "therapist" in levels:
        therapist = pd.factorize(rows.drop_duplicates("client").set_index("client")
                                 .loc[ids, "therapist"])[0]  # fmt: skip
    names = [f"site[{name}]" for name in sorted(rows["site"].unique())[1:]]
    return Design(
        rows,
        kept,
        x,
        ["1", time, *names],
        ["1", "log(session)", *names],
        Courses(rows[outcome].to_numpy(float)[scored], x[scored], z[scored], client[scored]),
        Risk(
            rows["dropout_event"].to_numpy(float)[at_risk],
            w[at_risk],
            client[at_risk],
            np.array([features[one][0][at_risk] for one in association]),
            np.array([features[one][1][at_risk] for one in association]),
            link,
        ),
        therapist,
        notes,
    )


def _kept(
    panel: pd.DataFrame, label: str, outcome: str, time: str, wanted: Sequence[str] | None
) -> tuple[Kept, list[str], list[Fact]]:
    never = ~panel.groupby("client")[outcome].transform(lambda one: one.notna().any())
    unseen = panel[outcome].isna() & panel["dropout_event"].isna()
    reasons = {
        time_not_known(time): panel[time].isna(),
        Fact(Reason.NO_SCORE, f"the client has no score of {label}"): never.astype(bool),
        Fact(Reason.NO_SCORE, f"no score of {label}, and the way on not known"): unseen,
    }
    levels, notes = levels_of(panel[kept_rows(panel, reasons).used], wanted)
    if "client" not in levels:
        msg = "The model has no client level: its `levels` need `client`."
        raise FitError(msg)
    if "therapist" in levels:
        reasons[THERAPIST_NOT_KNOWN] = panel["therapist"].isna()
    kept = kept_rows(panel, reasons)
    # A client whose scores all lie in rows that are left out has no course.
    there = panel[outcome].notna() & kept.used
    courseless = ~there.groupby(panel["client"]).transform("any")
    no_course = Fact(Reason.NO_SCORE, f"no usable score of {label} of the client")
    return kept_rows(panel, reasons | {no_course: courseless}), levels, notes


def _sites(rows: pd.DataFrame) -> np.ndarray:
    """Return a column for each site but the first, as the engine of mixed models has them."""
    names = sorted(rows["site"].unique())[1:]
    columns = [(rows["site"] == name).to_numpy(float) for name in names]
    return np.column_stack([*columns, np.empty((len(rows), 0))])


def _refuse_too_little(rows: pd.DataFrame, label: str) -> None:
    events = int((rows["dropout_event"] == 1).sum())
    if events < FEWEST_EVENTS:
        msg = f"Only {events} dropout(s) among the rows used: at least {FEWEST_EVENTS} are needed."
        raise FitError(msg)
    if events == int(rows["at_risk"].sum()):
        msg = "Everybody has dropped out after the first session: there is nobody to compare with."
        raise FitError(msg)
    scores = rows[rows["scored"]].groupby("client").size()
    if (scores > 2).sum() < FEWEST_EVENTS:
        msg = f"Fewer than {FEWEST_EVENTS} clients have three scores of {label}: no course is seen."
        raise FitError(msg)
    by_site = rows[rows["at_risk"]].groupby("site")["dropout_event"].mean()
    if by_site.isin([0.0, 1.0]).any() or len(by_site) < rows["site"].nunique():
        msg = "A site in which nobody dropped out, or everybody: it has no finite risk of its own."
        raise FitError(msg)
