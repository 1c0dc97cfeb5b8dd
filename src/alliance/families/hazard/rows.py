"""Which sessions a hazard model can use: those after which the client could have left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.common.levels import levels_of, site_terms
from alliance.families.common.multilevel import THERAPIST_NOT_KNOWN
from alliance.families.fit import Cohort, left_out_by_reason

# ASSUME fewer than ten events carry no regression: in simulation, tests then reject a true null two
# to three times too often.
FEWEST_EVENTS = 10
OTHER_ENDS = {
    "completed": "treatment ended as agreed after this session",
    "transferred": "the client was transferred after this session",
    "ongoing": "still in treatment at the last session on record",
    "other": "treatment ended after this session, and not by dropout as defined",
    "dropout": "the client dropped out after this session",
}
# How an end is called: who did it, what it is, several of it, heading.
ENDS = {
    "dropout": ("dropped out", "dropout", "dropouts", "Dropout"),
    "completed": ("completed treatment", "agreed completion", "completions", "Completion"),
    "transferred": ("been transferred", "transfer", "transfers", "Transfer"),
}
EVERYBODY = "Everybody has {} after the first session: there is nobody to compare with."
END_NOT_KNOWN = "how treatment ended after this session is not known"


@dataclass(frozen=True, slots=True)
class AtRisk:
    """The sessions at risk that a model uses.

    Attributes
    ----------
    rows
        Of the panel, with every predictor; `dropout_event` is 0 or 1.
    kept
        `used` (a mask over the panel) and `left_out` (rows by reason).
    random
        Levels with a random intercept, outermost first.
    sites
        `["site"]` where sites enter as fixed effects, else empty.
    """

    rows: pd.DataFrame
    kept: Mapping[str, Any]
    random: list[str]
    sites: list[str]


def rows_at_risk(
    cohort: Cohort,
    predictors: Sequence[str],
    extra: Sequence[str],
    wanted_levels: Sequence[str] | None,
    notes: list[str],
    end: str = "dropout",
) -> AtRisk:
    """Return the rows that a hazard model uses; what a reader must know is added to `notes`.

    Parameters
    ----------
    cohort
        With its panel.
    predictors
        Measures that must have a score.
    extra
        Further columns that must be known.
    wanted_levels
        Levels with a random intercept named in the config, or None for all that the cohort has.
    notes
        Warnings of the fit.
    end
        What `dropout_event` stands for, a key of `ENDS`.

    Raises
    ------
    FitError
        Nobody left, everybody left, or too few events with every predictor.
    """
    panel = cohort.panel
    at_risk = panel["dropout_event"].notna()
    events, leavings = int((panel["dropout_event"] == 1).sum()), int(at_risk.sum())
    if events == 0:
        msg = f"No client with an attended session is recorded as having {ENDS[end][0]}."
        raise FitError(msg)
    if events == leavings:
        raise FitError(EVERYBODY.format(ENDS[end][0]))
    absent = [name for name in extra if name not in panel]
    if absent:
        msg = f"The cohort has no column “{absent[0]}”."
        raise FitError(msg)
    reasons = {
        **{
            why: ~at_risk & (panel["end_cause"] == end).fillna(False)
            for end, why in OTHER_ENDS.items()
        },
        END_NOT_KNOWN: ~at_risk,
        **{
            f"no score of {cohort.label(measure)} at this session": panel[measure].isna()
            for measure in predictors
        },
        **{f"{column} not known": panel[column].isna() for column in extra},
    }
    kept = left_out_by_reason(panel, reasons)
    random, _ = levels_of(panel[kept["used"]], _wanted(wanted_levels))
    if "therapist" in random:
        kept = left_out_by_reason(panel, reasons | {THERAPIST_NOT_KNOWN: panel["therapist"].isna()})
        lost = sum(e["rows"] for e in kept["left_out"] if e["reason"] == THERAPIST_NOT_KNOWN)
        if lost:
            notes.append(
                f"{lost} sessions are left out because their therapist is not known. To keep them, "
                "give the model `levels: []`."
            )
    rows = panel[kept["used"]]
    random, about_levels = levels_of(rows, _wanted(wanted_levels))
    notes += about_levels
    _refuse_too_few(rows, events, notes, end)
    return AtRisk(rows, kept, random, _sites(rows, random, notes))


def _wanted(levels: Sequence[str] | None) -> list[str]:
    """Return the levels that may have a random intercept; clients leave once and have none."""
    # ASSUME no client level: with one event a client at most, what clients differ in beyond the
    # predictors cannot be told from a hazard that changes over time.
    return ["site", *(["therapist"] if levels is None else levels)]


def _refuse_too_few(rows: pd.DataFrame, events: int, notes: list[str], end: str) -> None:
    done, _, several, _ = ENDS[end]
    entering = int(rows["dropout_event"].sum())
    if entering < FEWEST_EVENTS:
        msg = (
            f"Only {entering} {several[:-1]}(s) among the rows with every predictor: at least "
            f"{FEWEST_EVENTS} are needed."
        )
        raise FitError(msg)
    if entering == len(rows):
        raise FitError(EVERYBODY.format(done))
    if entering < events:
        notes.append(
            f"{entering} of {events} {several} enter; the others lack a score at their end."
        )


def _sites(rows: pd.DataFrame, random: Sequence[str], notes: list[str]) -> list[str]:
    """Return the site term where there are few sites and each has both outcomes."""
    terms = site_terms(rows, random)
    if terms and rows.groupby("site")["dropout_event"].mean().isin([0.0, 1.0]).any():
        notes.append("A site without any dropout: site differences could not be adjusted for.")
        return []
    return terms


def therapists_whose_clients_all_left(rows: pd.DataFrame) -> tuple[int, int]:
    """Return how many therapists lost every client to dropout, and how many there are."""
    by_client = rows.groupby(["therapist", "client"])["dropout_event"].max().fillna(0)
    left = by_client.groupby("therapist").min()
    return int((left == 1).sum()), len(left)


def session_intervals(rows: pd.DataFrame, fewest: int = 5) -> dict[int, str]:
    """Return session number to the interval that it falls in: `03` or `14-20`.

    Neighbouring sessions are joined until each interval has at least `fewest` dropouts and somebody
    who stayed, so that every interval has a finite rate of its own.
    """
    counts = rows.groupby("session")["dropout_event"].agg(["sum", "size"])
    groups: list[list[int]] = [[]]
    events = stayed = 0.0
    for session, row in counts.iterrows():
        groups[-1].append(int(session))  # type: ignore[call-overload]
        events, stayed = events + row["sum"], stayed + row["size"] - row["sum"]
        if events >= fewest and stayed > 0:
            groups.append([])
            events = stayed = 0.0
    last = groups.pop()
    if last and groups:
        groups[-1] += last  # too few are left for an interval of their own
    elif last:
        groups = [last]
    width = len(str(max(counts.index)))
    named: dict[int, str] = {}
    for group in groups:
        first, final = f"{group[0]:0{width}d}", f"{group[-1]:0{width}d}"
        name = first if first == final else f"{first}-{final}"
        named |= {session: name for session in range(group[0], group[-1] + 1)}
    return named


def centred(
    rows: pd.DataFrame, predictors: Sequence[str], extra: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows with centred covariates, and the covariates' names.

    Numbers are centred at their mean over the rows, so that the intercept speaks of the average.
    """
    names = [*predictors[1:], *extra]
    rows = rows.copy()
    for name in names:
        if pd.api.types.is_numeric_dtype(rows[name]):
            rows[name] = rows[name].astype(float) - rows[name].mean()
        else:
            rows[name] = rows[name].astype(str)
    return rows, names


def refuse_separation(
    rows: pd.DataFrame, columns: Sequence[str], terms: Mapping[str, Sequence[str]]
) -> None:
    """Raise where one number alone tells all leavers from all stayers, or never varies.

    The engine looks for combinations of columns as well; here the words are those of the report.
    """
    y = rows["dropout_event"].to_numpy()
    for column in columns:
        if not pd.api.types.is_numeric_dtype(rows[column]):
            continue
        values, label = rows[column].to_numpy(float), terms[column][0]
        if np.ptp(values) == 0:
            msg = f"“{label}” is the same in every row: it cannot explain dropout."
            raise FitError(msg)
        left, stayed = values[y == 1], values[y == 0]
        if left.min() >= stayed.max() or left.max() <= stayed.min():
            msg = f"“{label}” alone tells leavers from stayers: there is no finite estimate."
            raise FitError(msg)
