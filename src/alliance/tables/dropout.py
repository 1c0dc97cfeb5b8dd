"""Tables of dropout: definitions side by side, rates by session, tests of assumptions."""

from __future__ import annotations

from alliance.findings.results import Results
from alliance.tables.layout import (
    Cell,
    Part,
    Records,
    Row,
    Table,
    cell,
    heading,
    interval,
    words,
)

NOT_DESCRIBED = "There is no description of dropout."


def definitions(results: Results) -> Table:
    """How many dropped out by each definition, and how cases move against the one in use."""
    told = results.further.get("dropout")
    table = Table(
        "dropout_definitions",
        "What counts as dropout",
        [
            heading("Definition", numeric=False),
            heading("Dropouts"),
            heading("Others"),
            heading("Not known"),
            heading("Share [interval]"),
            heading("Both"),
            heading("Only the one in use"),
            heading("Only this"),
            heading("Neither"),
            heading("Kappa"),
        ],
        notes=[
            "Shares are of the clients of whom the definition can tell; those still in treatment "
            "are not among them.",
            "The last five columns lay each definition beside the one in use, among clients of "
            "whom both can tell; kappa is agreement beyond chance.",
        ],
        empty=NOT_DESCRIBED,
        wide=True,
    )
    if told is None:
        return table
    moves = {move["name"].raw: move for move in told["moves"]}
    for entry in told["definitions"]:
        move = moves.get(entry["name"].raw)
        label = [Part(entry["words"])]
        label += [Part(entry["in_use"], "choice:in use|", before=" — ")] if entry["in_use"] else []
        known = entry["share"].raw is not None
        share = (
            Cell(
                (
                    Part(entry["share"], "share:1", after=" "),
                    *interval(entry["share_low"], entry["share_high"], "share:1"),
                )
            )
            if known
            else words("–")
        )
        counts = ("both", "only_in_use", "only_this", "neither")
        table.rows.append(
            Row(
                (
                    Cell(tuple(label)),
                    cell(entry["dropouts"], "count"),
                    cell(entry["others"], "count"),
                    cell(entry["unknown"], "count"),
                    share,
                    *(cell(move[key], "count") if move else words("") for key in counts),
                    cell(move["kappa"], "correlation") if move else words(""),
                )
            )
        )
    return table


def definitions_records(results: Results) -> Records:
    """Return the same with full precision."""
    first = ("name", "words", "in_use", "dropouts", "others", "unknown", "share", "share_low",
             "share_high")  # fmt: skip
    then = ("both", "only_in_use", "only_this", "neither", "kappa")
    told = results.further.get("dropout")
    rows = []
    if told is not None:
        moves = {move["name"].raw: move.raw for move in told["moves"]}
        for entry in told["definitions"]:
            move = moves.get(entry["name"].raw, {})
            rows.append(
                {key: entry.raw[key] for key in first} | {key: move.get(key) for key in then}
            )
    return Records((*first, *then), rows)


def by_session(results: Results) -> Table:
    """Rates after each session: dropping out, ending otherwise."""
    told = results.further.get("dropout")
    table = Table(
        "dropout_by_session",
        "Who leaves after which session",
        [
            heading("Session"),
            heading("Came, way on known"),
            heading("Dropped out after it [interval]"),
            heading("Ended otherwise"),
        ],
        notes=[
            "Of the clients who came to the session, except those still in treatment at it; "
            "sessions with fewer than eight such clients are not listed.",
        ],
        empty=NOT_DESCRIBED,
    )
    if told is None:
        return table
    table.empty = str(told["message"].raw) or "No session has enough clients."
    for entry in told["by_session"]:
        table.rows.append(
            Row(
                (
                    cell(entry["session"], "count"),
                    cell(entry["at_risk"], "count"),
                    Cell(
                        (
                            Part(entry["dropout_rate"], "share:1", after=" "),
                            *interval(entry["dropout_low"], entry["dropout_high"], "share:1"),
                        )
                    ),
                    cell(entry["other_rate"], "share:1"),
                )
            )
        )
    return table


def by_session_records(results: Results) -> Records:
    """Return the same with full precision."""
    columns = ("session", "at_risk", "dropout_rate", "dropout_low", "dropout_high", "other_rate")
    told = results.further.get("dropout")
    entries = told["by_session"] if told is not None else []
    return Records(columns, [{key: entry.raw[key] for key in columns} for entry in entries])
