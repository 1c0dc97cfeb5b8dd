"""Which rows of the panel a multilevel model can use, and why not the others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from alliance.errors import FitError
from alliance.families.cohort import Cohort
from alliance.families.common.levels import levels_of
from alliance.families.facts import Fact, Reason, Warned
from alliance.families.fit import Kept, kept_rows

THERAPIST_NOT_KNOWN = Fact(Reason.THERAPIST_NOT_KNOWN, "the therapist is not known")


@dataclass(frozen=True, slots=True)
class Usable:
    """The panel's rows that have all that the fixed terms need, and the cohort's levels there."""

    cohort: Cohort
    fixed: list[str]
    kept: Kept
    rows: pd.DataFrame
    levels: list[str]
    warnings: list[Fact]


def usable_rows(
    cohort: Cohort,
    fixed: Sequence[str],
    needed: Mapping[str, Fact],
    wanted_levels: Sequence[str] | None,
) -> Usable:
    """Return what a model of these terms can use.

    Parameters
    ----------
    cohort
        With its panel.
    fixed
        Fixed terms before the sites are added.
    needed
        Column to the reason printed for rows that miss it; the outcome's first.
    wanted_levels
        Levels named in the config, or None for all that the cohort has.

    Raises
    ------
    FitError
        Too little for any model.
    """
    panel = cohort.panel
    needed = dict(needed) | {
        column: not_known(column) for column in columns_of(fixed, {}) if column not in needed
    }
    kept = _complete_rows(panel, needed)
    levels, notes = levels_of(panel[kept.used], wanted_levels)
    if "therapist" in levels:
        kept = _complete_rows(panel, needed | {"therapist": THERAPIST_NOT_KNOWN})
    rows = panel[kept.used]
    _refuse_too_little(rows, levels)
    warnings = [*notes, *_lost_for_want_of_a_therapist(panel, kept)]
    return Usable(cohort, list(fixed), kept, rows, levels, warnings)


def not_known(column: str) -> Fact:
    """Return the reason of rows in which a column is missing."""
    return Fact(Reason.COLUMN_NOT_KNOWN, f"{column.replace('_', ' ')} not known")


def time_not_known(time: str) -> Fact:
    """Return the reason of rows in which the time is missing."""
    return Fact(Reason.TIME_NOT_KNOWN, f"{time.replace('_', ' ')} not known")


def columns_of(fixed: Sequence[str], random: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the panel columns that the terms name."""
    names = [name for term in fixed for name in columns_in(term) if name != "1"]
    for level, terms in random.items():
        names += [level, *(term for term in terms if term != "1")]
    return names


def columns_in(term: str) -> list[str]:
    """Return the columns that a term names: those of its factors, without their transforms."""
    factors = re.split(r"[:*]", term)
    return [re.sub(r"^\w+\(\s*`?|`?\s*(,[^)]*)?\)$|`", "", factor.strip()) for factor in factors]


def _lost_for_want_of_a_therapist(panel: pd.DataFrame, kept: Kept) -> list[Fact]:
    """Return a warning where clients are left out because nobody knows their therapist."""
    lost = sum(e.rows for e in kept.left_out if e.reason == THERAPIST_NOT_KNOWN)
    if not lost:
        return []
    clients = panel.loc[panel["therapist"].isna(), ["site", "client"]].drop_duplicates()
    sites = ", ".join(sorted(clients["site"].unique()))
    words = (
        f"{lost} sessions of {len(clients)} clients are left out because their therapist is not "
        f"known (sites: {sites}). To keep them, give the model `levels: [client]`."
    )
    return [Fact(Warned.THERAPIST_NOT_KNOWN, words)]


def _refuse_too_little(rows: pd.DataFrame, levels: Sequence[str]) -> None:
    """Raise where the engine would refuse in terms that a user of the workflow cannot act on."""
    if "client" not in levels:
        msg = (
            "The model has no client level, but sessions of one client are not independent: "
            "its `levels` need `client`."
        )
        raise FitError(msg)
    per_client = rows.groupby("client").size()
    if len(per_client) < 2:
        msg = "Only one client has what the model needs: nothing can be compared between clients."
        raise FitError(msg)
    if per_client.max() < 2:
        msg = "Every client has one usable session: nothing can be seen within clients."
        raise FitError(msg)


def _complete_rows(panel: pd.DataFrame, needed: Mapping[str, Fact]) -> Kept:
    """Return which rows have every needed column, and the others by reason."""
    for column, reason in needed.items():
        if column not in panel:
            msg = f"The cohort has no column “{column}”, which the model names."
            raise FitError(msg)
        if panel[column].isna().all():
            msg = f"There is nothing to fit: {reason.text} in every row."
            raise FitError(msg)
    kept = kept_rows(panel, {why: panel[column].isna() for column, why in needed.items()})
    if not kept.used.any():
        msg = "No session has everything that the model needs."
        raise FitError(msg)
    return kept
