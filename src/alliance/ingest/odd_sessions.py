"""Note what is odd about sessions: forms where nobody came, dates that hardly can be.

Nothing is changed here; the words of each rule say what the oddity does to `weeks_since_intake`.
"""

from __future__ import annotations

import pandas as pd

from alliance.ingest.facts import note_by_column
from alliance.ingest.problems import Problems
from alliance.ingest.reading import Reading

# ASSUME a treatment has no pause of more than three years between two sessions: such a jump is a
# mistyped year more often than it is true.
LONGEST_PAUSE_DAYS = 3 * 365.25


def note_forms_at_missed_sessions(
    valid: pd.DataFrame, sessions: pd.DataFrame, readings: list[Reading], problems: Problems
) -> None:
    """Note each form that was filled in for a session that did not take place.

    Parameters
    ----------
    valid
        The answers (`alliance.ingest.answers.responses`).
    sessions
        As `alliance.ingest.facts.session_table` returns them.
    readings, problems
        The site's tables, and where problems go.
    """
    if not len(valid) or sessions["attended"].all():
        return
    missed = sessions.loc[~sessions["attended"].astype(bool), ["client", "session"]]
    forms = valid.drop_duplicates(["client", "session", "measure"]).merge(missed)
    for form in forms[["reading", "at", "column"]].to_dict("records"):
        reading = readings[form["reading"]]
        problems.add(
            "form-at-a-missed-session",
            reading.place("responses"),
            rows=[int(reading.raw.rows[form["at"]])],
            column=reading.raw.header[form["column"]],
        )


def note_odd_dates(
    sessions: pd.DataFrame,
    intake_date: pd.Series | None,
    readings: list[Reading],
    problems: Problems,
) -> None:
    """Note sessions before intake, long pauses, and first sessions without date.

    Parameters
    ----------
    sessions
        As `alliance.ingest.facts.session_table` returns them, sorted by client and session.
    intake_date
        Days since 1970-01-01 by client number, or None where the mapping names no intake date.
    readings, problems
        The site's tables, and where problems go.
    """
    dated = sessions[sessions["date"].notna()]
    if dated.empty:
        return
    intake = sessions["client"].map(intake_date) if intake_date is not None else sessions["date"]
    early = dated[dated["date"] < intake[dated.index]]
    note_by_column("session-before-intake", early, readings, problems)
    pause = dated.groupby("client")["date"].diff()
    note_by_column("long-pause", dated[pause > LONGEST_PAUSE_DAYS], readings, problems)
    first = sessions[sessions["attended"]].drop_duplicates("client")
    undated = first[first["date"].isna() & first["client"].isin(dated["client"])]
    undated = undated[intake[undated.index].isna()]
    note_by_column("first-session-undated", undated, readings, problems)
