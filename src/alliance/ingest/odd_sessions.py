"""Note what is odd about sessions: forms where nobody came, dates that hardly can be.

Nothing is changed here; the words of each rule say what the oddity does to `weeks_since_intake`.
"""

from __future__ import annotations

import pandas as pd

from alliance.ingest.facts import note_by_column, note_by_reading
from alliance.ingest.problems import Problems
from alliance.ingest.reading import Reading

# ASSUME a treatment has no pause of more than three years between two sessions: such a jump is a
# mistyped year more often than it is true.
LONGEST_PAUSE_DAYS = 3 * 365.25
# ASSUME a site's sessions lie within twenty years before or after the middle one.
FARTHEST_DAYS = 20 * 365.25
# ASSUME session numbers that jump by more than this, and by five times what is usual at the site,
# are mistyped (112 for 12).
LARGEST_JUMP, JUMPS_USUAL, USUAL_SHARE = 20, 5, 0.95


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
    """Note jumps of session numbers, dates far off, before intake, after long pauses, or missing.

    Parameters
    ----------
    sessions
        As `alliance.ingest.facts.session_table` returns them, sorted by client and session.
    intake_date
        Days since 1970-01-01 by client number, or None where the mapping names no intake date.
    readings, problems
        The site's tables, and where problems go.
    """
    jump = sessions.groupby("client")["session"].diff()
    most = max(LARGEST_JUMP, JUMPS_USUAL * float(jump.quantile(USUAL_SHARE))) if len(jump) else 0.0
    note_by_reading("session-jump", sessions[jump > most], readings, problems)
    dated = sessions[sessions["date"].notna()]
    if dated.empty:
        return
    far = (dated["date"] - dated["date"].median()).abs() > FARTHEST_DAYS
    note_by_column("date-far-off", dated[far], readings, problems)
    intake = sessions["client"].map(intake_date) if intake_date is not None else sessions["date"]
    early = dated[dated["date"] < intake[dated.index]]
    note_by_column("session-before-intake", early, readings, problems)
    pause = dated.groupby("client")["date"].diff()
    note_by_column("long-pause", dated[pause > LONGEST_PAUSE_DAYS], readings, problems)
    first = sessions[sessions["attended"]].drop_duplicates("client")
    undated = first[first["date"].isna() & first["client"].isin(dated["client"])]
    undated = undated[intake[undated.index].isna()]
    note_by_column("first-session-undated", undated, readings, problems)
