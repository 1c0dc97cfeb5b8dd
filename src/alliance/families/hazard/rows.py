"""Which sessions a hazard model can use: those after which the client could have left."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.cohort import Cohort
from alliance.families.common.levels import levels_of, site_terms
from alliance.families.common.usable_rows import THERAPIST_NOT_KNOWN, not_known
from alliance.families.facts import Assumption, Fact, Reason, Warned
from alliance.families.fit import Kept, kept_rows

# ASSUME fewer than ten events carry no regression: in simulation, tests then reject a true null two
# to three times too often.
FEWEST_EVENTS = 10
# How an end is called: who did it, what it is, several of it, heading.
ENDS = {
    "dropout": ("dropped out", "dropout", "dropouts", "Dropout"),
    "completed": ("completed treatment", "agreed completion", "completions", "Completion"),
    "transferred": ("been transferred", "transfer", "transfers", "Transfer"),
}
# The parts of the predictor in question, as printed.
IN_WORDS = {
    "within": "last score against the client's mean before it",
    "between": "the client's mean before the last score",
}
ONLY_WHAT_WAS_KNOWN = Fact(
    Assumption.NO_LOOK_AHEAD,
    "Only what was known at the session enters: the last known score and the mean of those before "
    "it, no look-ahead; a session without the form counts with the last known score.",
)
EVERYBODY = "Everybody has {} after the first session: there is nobody to compare with."
STILL_IN_TREATMENT = Fact(
    Reason.STILL_IN_TREATMENT, "still in treatment at the last session on record"
)
END_NOT_KNOWN = Fact(Reason.END_NOT_KNOWN, "how treatment ended after this session is not known")


@dataclass(frozen=True, slots=True)
class AtRisk:
    """The sessions at risk that a model uses.

    Attributes
    ----------
    rows
        Of the panel, with every predictor; `dropout_event` is 0 or 1.
    kept
        Which rows of the panel these are, and why the others are not.
    random
        Levels with a random intercept, outermost first.
    sites
        `["site"]` where sites enter as fixed effects, else empty.
    warnings
        What a reader must know of the rows.
    """

    rows: pd.DataFrame
    kept: Kept
    random: list[str]
    sites: list[str]
    warnings: list[Fact]


def rows_at_risk(
    cohort: Cohort,
    predictors: Sequence[str],
    extra: Sequence[str],
    wanted_levels: Sequence[str] | None,
    end: str = "dropout",
) -> AtRisk:
    """Return the rows that a hazard model uses.

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
    end
        What `dropout_event` stands for, a key of `ENDS`.

    Raises
    ------
    FitError
        Nobody left, everybody left, or too few events with every predictor.
    """
    panel = cohort.panel
    events, leavings = (
        int((panel["dropout_event"] == 1).sum()),
        int(panel["dropout_event"].notna().sum()),
    )
    if events == 0:
        msg = f"No client with an attended session is recorded as having {ENDS[end][0]}."
        raise FitError(msg)
    if events == leavings:
        raise FitError(EVERYBODY.format(ENDS[end][0]))
    reasons = out_of_risk(cohort, predictors, extra)
    kept = kept_rows(panel, reasons)
    random, _ = levels_of(panel[kept.used], _wanted(wanted_levels))
    if "therapist" in random:
        kept = kept_rows(panel, reasons | {THERAPIST_NOT_KNOWN: panel["therapist"].isna()})
    rows = panel[kept.used]
    random, about_levels = levels_of(rows, _wanted(wanted_levels))
    _refuse_too_few(rows, end)
    sites, about_sites = _sites(rows, random)
    warnings = [
        *_lost_for_want_of_a_therapist(kept),
        *about_levels,
        *_events_without_a_score(rows, events, end),
        *about_sites,
    ]
    return AtRisk(rows, kept, random, sites, warnings)


def no_score(cohort: Cohort, measure: str) -> Fact:
    """Return the reason of rows before a client's first score of a measure."""
    return Fact(Reason.NO_SCORE, f"no score of {cohort.label(measure)} up to this session")


def _lost_for_want_of_a_therapist(kept: Kept) -> list[Fact]:
    lost = sum(entry.rows for entry in kept.left_out if entry.reason == THERAPIST_NOT_KNOWN)
    words = (
        f"{lost} sessions are left out because their therapist is not known. To keep them, "
        "give the model `levels: []`."
    )
    return [Fact(Warned.THERAPIST_NOT_KNOWN, words)] if lost else []


def _events_without_a_score(rows: pd.DataFrame, events: int, end: str) -> list[Fact]:
    entering, several = int(rows["dropout_event"].sum()), ENDS[end][2]
    words = f"{entering} of {events} {several} enter; the others have no score up to their end."
    return [Fact(Warned.EVENTS_WITHOUT_A_SCORE, words)] if entering < events else []


def out_of_risk(
    cohort: Cohort, predictors: Sequence[str], extra: Sequence[str]
) -> dict[Fact, pd.Series]:
    """Return why sessions cannot be used (masks over the panel): one risk set for every model.

    Raises
    ------
    FitError
        The cohort has no such column.
    """
    panel = cohort.panel
    absent = [name for name in extra if name not in panel]
    if absent:
        msg = f"The cohort has no column “{absent[0]}”."
        raise FitError(msg)
    unseen = panel["dropout_event"].isna()
    return {
        STILL_IN_TREATMENT: unseen & (panel["end_cause"] == "ongoing").fillna(False),
        END_NOT_KNOWN: unseen,
        **{no_score(cohort, measure): panel[known(measure)].isna() for measure in predictors},
        **{not_known(column): panel[column].isna() for column in extra},
    }


def known(measure: str) -> str:
    """Return the column of a measure's last known score, which is what a hazard may use."""
    return f"{measure}_known"


def _wanted(levels: Sequence[str] | None) -> list[str]:
    """Return the levels that may have a random intercept; clients leave once and have none."""
    # ASSUME no client level: with one event a client at most, what clients differ in beyond the
    # predictors cannot be told from a hazard that changes over time.
    return ["site", *(["therapist"] if levels is None else levels)]


def _refuse_too_few(rows: pd.DataFrame, end: str) -> None:
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


def _sites(rows: pd.DataFrame, random: Sequence[str]) -> tuple[list[str], list[Fact]]:
    """Return the site term where there are few sites and each has both outcomes, or why not."""
    terms = site_terms(rows, random)
    if terms and rows.groupby("site")["dropout_event"].mean().isin([0.0, 1.0]).any():
        words = "A site without any dropout: site differences could not be adjusted for."
        return [], [Fact(Warned.SITES_NOT_ADJUSTED_FOR, words)]
    return terms, []


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
    names = [*map(known, predictors[1:]), *extra]
    rows = rows.copy()
    for name in names:
        if pd.api.types.is_numeric_dtype(rows[name]):
            rows[name] = rows[name].astype(float) - rows[name].mean()
        else:
            rows[name] = rows[name].astype(str)
    return rows, names


def equation_in_print(equation: str, rows: pd.DataFrame, covariates: Sequence[str]) -> str:
    """Return the engine's equation with covariates as `centred` made them: `center(age_years)`."""
    for name in covariates:
        if pd.api.types.is_numeric_dtype(rows[name]):
            equation = re.sub(rf"\b{re.escape(name)}\b", f"center({name})", equation)
    return equation


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
