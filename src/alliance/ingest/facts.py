"""What is known once a client, and of each session beside its answers: read, checked, put together.

A statement may stand in many rows and several files; where they contradict each other it is set
aside and reported, never decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from alliance.config.site_mapping import END_STATUS
from alliance.ingest import parse
from alliance.ingest.layouts import LAYOUTS
from alliance.ingest.layouts.cells import DAYS_A_WEEK, therapist_ids
from alliance.ingest.problems import Problems, rows_where
from alliance.ingest.reading import Reading

# After these ends nobody expects further sessions; who completed, or is in treatment, came again.
ENDS_AFTER_ONE_SESSION = ("dropout", "transferred")


def client_facts(
    readings: list[Reading], problems: Problems, n_clients: int
) -> dict[str, pd.Series]:
    """Return each client-level fact of the mapping, index 0..n_clients - 1 (client numbers).

    Numbers and dates (days since 1970-01-01) are float, everything else text.
    """
    stated: dict[str, list[pd.DataFrame]] = {}
    kinds: dict[str, str] = {}
    for at, reading in enumerate(readings):
        for name, fact in reading.table["client_facts"].items():
            kinds[name] = fact["type"]
            values = _fact_values(reading, name, fact)
            told = reading.alive & values.notna().to_numpy()
            statement = pd.DataFrame(
                {
                    "client": reading.client[told],
                    "value": values[told].to_numpy(),
                    "row": reading.raw.rows[told],
                    "reading": at,
                }
            )
            stated.setdefault(name, []).append(statement)
    return {
        name: _agreed(name, pd.concat(parts, ignore_index=True), readings, problems, n_clients)
        .astype("float64" if kinds[name] in ("number", "date") else "str")
        for name, parts in stated.items()
    }  # fmt: skip


def _fact_values(reading: Reading, name: str, fact: Mapping[str, Any]) -> pd.Series:
    """Return a fact's value in each row (missing: not told); cells that break a rule are noted."""
    column = fact["column"]
    if name == "therapist":
        return therapist_ids(reading, column)  # exactly as they stand
    texts = reading.cells(column)
    if fact["type"] == "date":
        real = reading.raw.dates.get(column)
        values = pd.Series(parse.dates(texts, reading.table["dates"], real))
        rule = "bad-date"
    elif fact["type"] == "number":
        parser = parse.number_parser(reading.table["decimal"], fact["codes"])
        values = pd.Series(parse.by_unique(texts, parser))
        if name == "sessions_planned":  # a count
            values = values.where((values >= 0) & (values % 1 == 0))
        rule = "unknown-code" if fact["codes"] else "not-a-number"
    else:
        labels = reading.raw.labels.get(column)
        _note_shared_value_labels(reading, texts, fact, labels or {})
        codes = fact["codes"]
        if name == "end_status" and not codes:
            codes = {word: word for word in END_STATUS}
        values = parse.words_by_unique(texts, parse.code_parser(codes, labels))
        rule = "unknown-code"
    if fact["others"] == "problem":
        broken = reading.alive & texts.notna().to_numpy() & values.isna().to_numpy()
        rows = rows_where(broken, reading.raw.rows)
        reading.problems.add(rule, reading.place("clients"), rows=rows, column=column)
    return values


def _note_shared_value_labels(
    reading: Reading, texts: pd.Series, fact: Mapping[str, Any], labels: Mapping[str, str]
) -> None:
    """Stop where a category goes by a value label that two of the column's codes have."""
    given = fact["codes"] or {}
    found = {str(text).strip() for text in texts[reading.alive].dropna().unique()}
    by_label: dict[str, list[str]] = {}
    for code in sorted(found & set(labels) - set(given)):
        by_label.setdefault(labels[code], []).append(code)
    for label, codes in by_label.items():
        if len(codes) > 1 and (label in given or not given):
            reading.problems.add_finding(
                "label-shared",
                reading.place("clients"),
                fact["column"],
                f"the codes {', '.join(codes)} of this column have one value label",
                remedy="name the codes themselves in `codes` of this fact in the site mapping, such"
                f" as {{{codes[0]}: a_word, {codes[1]}: another_word}}",
                rows_affected=int(texts.str.strip().isin(codes).sum()),
            )


def _agreed(
    name: str, stated: pd.DataFrame, readings: list[Reading], problems: Problems, n_clients: int
) -> pd.Series:
    """Return the one value of each client; a contradiction is noted where it first shows."""
    distinct = stated.drop_duplicates(["client", "value"])
    in_conflict = distinct["client"].duplicated(keep=False)
    conflicts = distinct[distinct["client"].duplicated()].drop_duplicates("client")
    told_in = stated["client"].value_counts()
    first = distinct.drop_duplicates("client").set_index("client")
    for conflict in conflicts.to_dict("records"):
        reading = readings[conflict["reading"]]
        before = first.loc[conflict["client"]]
        problems.add(
            "client-conflict",
            reading.place("clients"),
            rows=[conflict["row"]],
            column=reading.table["client_facts"][name]["column"],
            rows_affected=int(told_in[conflict["client"]]),
            against=[f"{_row_of(before, readings, reading)} says otherwise"],
        )
    agreed = distinct[~in_conflict].set_index("client")["value"]
    return agreed.reindex(range(n_clients))


def _row_of(place: pd.Series, readings: list[Reading], seen_from: Reading) -> str:
    """Return the words for a row, with its file where that is another one."""
    other = readings[int(place["reading"])]
    return f"row {int(place['row'])}" + ("" if other is seen_from else f" of {other.table['file']}")


def session_table(
    readings: list[Reading], problems: Problems, intake_date: pd.Series | None
) -> pd.DataFrame:
    """Return the sessions: every one that a row, a filled-in form or a date speaks of.

    Parameters
    ----------
    readings
        The site's tables.
    problems
        Where problems go.
    intake_date
        Days since 1970-01-01 by client number, or None where the mapping names no intake date.

    Returns
    -------
    DataFrame
        client, session, weeks_since_intake, attended, therapist (own id, object), and the place
        that speaks of the session first: reading, row. Sorted by client, session.
    """
    parts = []
    for at, reading in enumerate(readings):
        layout = LAYOUTS[reading.table["rows"]]
        for part in layout.sessions(reading):
            parts.append(part.assign(reading=at))
    columns = ["client", "session", "row", "date", "weeks", "attended", "therapist", "date_column",
               "reading"]  # fmt: skip
    if not parts:
        return pd.DataFrame(columns=[*columns, "weeks_since_intake"]).astype({"client": "int64"})
    stated = pd.concat(parts, ignore_index=True)
    stated = stated.sort_values(["client", "session"], kind="stable", ignore_index=True)
    sessions = _one_row_a_session(stated, readings, problems)
    _note_dates_against_sessions(sessions, readings, problems)
    first = sessions.groupby("client")["date"].transform("min")
    if intake_date is not None:
        first = sessions["client"].map(intake_date).fillna(first)
    from_dates = (sessions["date"] - first) / DAYS_A_WEEK
    sessions["weeks_since_intake"] = from_dates.fillna(sessions["weeks"])
    # ASSUME a session took place unless a file says that it did not.
    sessions["attended"] = sessions["attended"].fillna(1.0) > 0
    return sessions


def _one_row_a_session(
    stated: pd.DataFrame, readings: list[Reading], problems: Problems
) -> pd.DataFrame:
    by_session = ["client", "session"]
    if not stated.duplicated(by_session).any():
        return stated
    grouped = stated.groupby(by_session, sort=True)
    facts = ["date", "weeks", "attended", "therapist"]
    sessions = grouped[["row", "reading", *facts, "date_column"]].first()
    for fact in facts:
        told = stated[stated[fact].notna()].drop_duplicates([*by_session, fact])
        conflicts = told[told.duplicated(by_session)].drop_duplicates(by_session)
        first = told.drop_duplicates(by_session).set_index(by_session)
        for conflict in conflicts.to_dict("records"):
            reading = readings[conflict["reading"]]
            before = first.loc[(conflict["client"], conflict["session"])]
            problems.add(
                "session-conflict",
                reading.place("sessions"),
                rows=[int(conflict["row"])],
                against=[f"{_row_of(before, readings, reading)} says otherwise"],
            )
        in_conflict = sessions.index.isin(pd.MultiIndex.from_frame(conflicts[by_session]))
        sessions.loc[in_conflict, fact] = None if fact == "therapist" else np.nan
    return sessions.reset_index()


def note_by_reading(
    rule: str, places: pd.DataFrame, readings: list[Reading], problems: Problems
) -> None:
    """Note a problem of the sessions table at each `row` of each `reading`."""
    for at, rows in places.groupby("reading")["row"]:
        place = readings[int(str(at))].place("sessions")
        problems.add(rule, place, rows=[int(row) for row in rows])


def _note_dates_against_sessions(
    sessions: pd.DataFrame, readings: list[Reading], problems: Problems
) -> None:
    dated = sessions[sessions["date"].notna()]
    earlier = dated.groupby("client")["date"].diff() < 0
    note_by_column("dates-against-sessions", dated[earlier], readings, problems)


def note_by_column(
    rule: str, sessions: pd.DataFrame, readings: list[Reading], problems: Problems
) -> None:
    """Note a problem at the date of each of `sessions` (rows of `session_table`)."""
    for _, listed in sessions.groupby(["reading", "date_column"], dropna=False):
        first = listed.iloc[0]
        place = readings[int(first["reading"])].place("sessions")
        column = None if pd.isna(first["date_column"]) else str(first["date_column"])
        problems.add(rule, place, rows=[int(row) for row in listed["row"]], column=column)


def note_odd_clients(
    readings: list[Reading],
    problems: Problems,
    sessions: pd.DataFrame,
    present: np.ndarray,
    told: Mapping[str, pd.Series],
) -> None:
    """Note clients with one session or none, and those without therapist.

    One session is no question where the client's end explains it.

    Parameters
    ----------
    readings, problems, sessions
        As in `session_table`.
    present
        Numbers of the clients that are kept.
    told
        The clients' facts by name, each by client number.
    """
    only = sessions[~sessions["client"].duplicated(keep=False)]
    if "end_status" in told:
        only = only[~only["client"].map(told["end_status"]).isin(ENDS_AFTER_ONE_SESSION)]
    note_by_reading("client-with-one-session", only, readings, problems)
    without = np.setdiff1d(present, sessions["client"].to_numpy())
    note_clients("client-without-sessions", without, readings, problems)
    therapist = told.get("therapist")
    if therapist is None:
        return
    naming = [r for r in readings if _therapist_column(r)]
    column = _therapist_column(naming[0])
    unnamed = present[therapist.iloc[present].isna().to_numpy()]
    note_clients("no-therapist", unnamed, [*naming, *readings], problems, lambda reading: column)


def _therapist_column(reading: Reading) -> str | None:
    """Return the column that names therapists, of clients or (a pattern) of sessions."""
    fact = reading.table["client_facts"].get("therapist")
    pattern: str | None = reading.table["session_facts"].get("therapist")
    return fact["column"] if fact else pattern


def note_clients_not_in_file(
    readings: list[Reading], problems: Problems, present: np.ndarray
) -> None:
    """Note each client who does not stand in a file that should hold every client."""
    for reading in readings:
        if reading.table["every_client"] and len(reading.raw):
            absent = np.setdiff1d(present, reading.client[reading.alive])
            others = [other for other in readings if other is not reading]
            expected = f"a row for every client of the site in {reading.table['file']}"
            note_clients("client-not-in-file", absent, others, problems, expected=expected)


def note_clients(
    rule: str,
    clients: np.ndarray,
    readings: list[Reading],
    problems: Problems,
    column_in: Callable[[Reading], str | None] = lambda reading: None,
    expected: str | None = None,
) -> None:
    """Note a problem of each client at the first row (of the first file) that speaks of them."""
    left = clients
    for reading in readings:
        at = np.flatnonzero(reading.alive & np.isin(reading.client, left))
        rows = pd.Series(reading.raw.rows[at], index=reading.client[at]).groupby(level=0).min()
        problems.add(
            rule,
            reading.place("clients"),
            rows=map(int, rows),
            column=column_in(reading),
            expected=expected,
        )
        left = np.setdiff1d(left, rows.index.to_numpy())
