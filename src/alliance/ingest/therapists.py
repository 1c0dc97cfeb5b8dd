"""Therapists who change during treatment: whose client a client is, and where the change shows."""

from __future__ import annotations

import pandas as pd

from alliance.ingest.problems import Problems
from alliance.ingest.reading import Reading


def of_clients(sessions: pd.DataFrame, rule: str, n_clients: int) -> pd.Series | None:
    """Return each client's one therapist, index 0..n_clients - 1; None where no session names any.

    Parameters
    ----------
    sessions
        As `alliance.ingest.facts.session_table` returns them.
    rule
        `most_sessions`: who held most attended sessions, of several the one who came first;
        `first`: who held the first attended session that names one.
    n_clients
        Number of clients.
    """
    named = _named(sessions)
    if named.empty:
        return None
    # ASSUME a client belongs to one therapist throughout (the models need the levels nested);
    # sessions that somebody else held count as this therapist's too.
    if rule == "first":
        chosen = named.drop_duplicates("client")
    else:
        held = named.groupby(["client", "therapist"], sort=False)["session"].agg(["size", "min"])
        held = held.reset_index()
        held = held.sort_values(["client", "size", "min"], ascending=[True, False, True])
        chosen = held.drop_duplicates("client")
    return chosen.set_index("client")["therapist"].reindex(range(n_clients)).astype("str")


def note_changes(sessions: pd.DataFrame, readings: list[Reading], problems: Problems) -> None:
    """Note each session that another therapist held than the one before."""
    named = _named(sessions)
    before = named.groupby("client")["therapist"].shift()
    changed = named[before.notna() & (before != named["therapist"])]
    for at, rows in changed.groupby("reading")["row"]:
        reading = readings[int(str(at))]
        problems.add(
            "therapist-changed",
            reading.place("sessions"),
            rows=[int(row) for row in rows],
            column=reading.table["session_facts"].get("therapist"),
        )


def _named(sessions: pd.DataFrame) -> pd.DataFrame:
    """Return the attended sessions that name their therapist."""
    return sessions[sessions["therapist"].notna() & sessions["attended"].astype(bool)]
