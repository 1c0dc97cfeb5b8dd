"""How well each score measures, and how the scores go together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alliance.findings.adjusted import adjusted_of
from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.tables.described_measures import NOT_DESCRIBED, SHARE, number, with_interval
from alliance.tables.layout import (
    INTERVAL,
    Cell,
    Column,
    Italic,
    Part,
    Records,
    Row,
    Spanner,
    Table,
    cell,
    heading,
    symbol,
    words,
)

LEVELS = ("site", "therapist", "client")
CHANGE = "R_CN"  # generalizability coefficient of change from session to session
TIME = "time"


def _part(results: Results, part: str) -> list[Field]:
    content = results.further.get("measurement")
    return [] if content is None else list(content[part])


def _by_score(rows: list[Field]) -> dict[tuple[str, str], Field]:
    return {(row["measure"].raw, row["score"].raw): row for row in rows}


def apa_reliability(results: Results) -> Table:
    """Every score: items, mean, SD, range, internal consistency, reliability of change, shares."""
    table = Table(
        "apa_reliability",
        "Descriptive Statistics, Reliability and Sources of Variance of the Scores",
        [
            heading("Score", numeric=False),
            *map(heading, ("Clients", "Forms", "Items")),
            symbol("M"),
            symbol("SD"),
            heading("Range"),
            symbol("α", " [", *INTERVAL, "]"),
            symbol("ω", " [", *INTERVAL, "]"),
            Column(Cell(("Change [", *INTERVAL, "]"))),
            *map(heading, ("Sites", "Therapists", "Clients")),
        ],
        spanners=[Spanner(words("Reliability"), 7, 9), Spanner(words("Share of variance"), 10, 12)],
        notes=[
            "Means and standard deviations over all forms; range is what the form allows. "
            "α: Cronbach. ω: total, of one factor. Both over all forms, with intervals by "
            "bootstrap of clients. Change: generalizability of change from session to session of "
            "a client (nested design). Shares of sites, therapists and clients in the variance of "
            "all forms, of the main score of each measure; what is missing to one is session and "
            "error.",
        ],
        empty=NOT_DESCRIBED,
        wide=True,
    )  # fmt: skip
    parts = {name: _by_score(_part(results, name)) for name in ("scores",)}
    whole = [
        row
        for row in _part(results, "reliability")
        if (row["site"].raw, row["session"].raw) == ("all", "all")
    ]
    parts["reliability"] = _by_score(whole)
    parts["change"] = _by_score(
        [row for row in _part(results, "coefficients") if row["name"].raw == CHANGE]
    )
    shares = {
        (row["measure"].raw, row["score"].raw, row["level"].raw): row
        for row in _part(results, "variance_shares")
    }
    for row in _part(results, "score_statistics"):
        if row["measure"].raw != TIME:
            table.rows.append(_score_row(row, parts, shares))
    table.specific += [
        (Part(row["label"], after=": "), Part(row["message"]))
        for row in whole
        if row["message"].raw
    ]
    return table


def _score_row(
    row: Field,
    parts: Mapping[str, Mapping[tuple[str, str], Field]],
    shares: Mapping[tuple[str, str, str], Field],
) -> Row:
    key = (row["measure"].raw, row["score"].raw)
    own, told = parts["reliability"].get(key), parts["scores"].get(key)
    change = parts["change"].get(key)
    span = words("–")
    if told is not None and told["lowest"].raw is not None:
        ends = (Part(told["lowest"], "general", after="–"), Part(told["highest"], "general"))
        span = Cell(ends)
    levels = (shares.get((*key, level)) for level in LEVELS)
    return Row(
        (
            cell(row["label"]),
            cell(row["clients"], "count"),
            cell(row["rows"], "count"),
            words("–") if own is None else cell(own["items"], "count"),
            number(row["mean"], "decimals:2"),
            number(row["sd"], "decimals:2"),
            span,
            words("–") if own is None else with_interval(own, "alpha", "alpha_low", "alpha_high"),
            words("–") if own is None else with_interval(own, "omega", "omega_low", "omega_high"),
            words("–") if change is None else with_interval(change, "value", "low", "high"),
            *(words("–") if level is None else number(level["share"], SHARE) for level in levels),
        )
    )


def apa_reliability_records(results: Results) -> Records:
    """Return the same with every digit."""
    reliability = ("items", "alpha", "alpha_low", "alpha_high", "omega", "omega_low", "omega_high")
    own = ("measure", "score", "label", "clients", "rows", "mean", "sd", "sd_within", "sd_between")
    change = ("change", "change_low", "change_high")
    columns = (*own, "lowest", "highest", *reliability, *change, *(f"share_{x}" for x in LEVELS))
    found: dict[tuple[str, str], dict[str, object]] = {}
    for row in _part(results, "score_statistics"):
        if row["measure"].raw != TIME:
            first = dict.fromkeys(columns) | {key: row.raw[key] for key in own}
            found[row["measure"].raw, row["score"].raw] = first
    for part, keys in (("scores", ("lowest", "highest")), ("reliability", reliability)):
        for row in _part(results, part):
            if part == "scores" or (row["site"].raw, row["session"].raw) == ("all", "all"):
                _add(found, row, {key: row.raw[key] for key in keys})
    for row in _part(results, "coefficients"):
        if row["name"].raw == CHANGE:
            values = zip(change, ("value", "low", "high"), strict=True)
            _add(found, row, {name: row.raw[key] for name, key in values})
    for row in _part(results, "variance_shares"):
        if row["level"].raw in LEVELS:
            _add(found, row, {f"share_{row['level'].raw}": row.raw["share"]})
    return Records(columns, list(found.values()))


def _add(
    found: dict[tuple[str, str], dict[str, object]], row: Field, values: dict[str, object]
) -> None:
    found.get((row["measure"].raw, row["score"].raw), {}).update(values)


def apa_correlations(results: Results) -> Table:
    """Correlations of the main scores and time: within clients below, between them above."""
    table = Table(
        "apa_correlations",
        "Correlations Within Clients (Below the Diagonal) and Between Clients (Above)",
        [],
        notes=[
            "Within: deviations of sessions from the client's own mean, as if sessions were "
            "independent but for that mean. Between: clients' observed means, each client counted "
            "once; freed from the chance of few sessions they stand in the file beside this table, "
            "with intervals and the number of sessions that have both of a pair.",
            "Exploratory, without stars: p values, also adjusted for the false discovery rate over "
            "all pairs, stand in the file beside this table.",
            (Italic("SD"), " within is of deviations from clients' means, between of these means."),
        ],
        empty=NOT_DESCRIBED,
        wide=True,
    )
    rows = [row for row in _part(results, "score_statistics") if row["main"].raw]
    if not any(row["measure"].raw != TIME for row in rows):
        return table
    found = {
        (_first(pair), _second(pair), pair["level"].raw): pair
        for pair in _part(results, "correlations")
    }
    table.columns = [
        heading("Variable", numeric=False),
        *map(heading, ("Clients", "Sessions")),
        symbol("M"),
        *map(heading, ("within", "between")),
        *(Column(cell(row["label"])) for row in rows),
    ]
    last = len(table.columns) - 1
    table.spanners = [
        Spanner(Cell((Italic("SD"),)), 4, 5),
        Spanner(words("Correlation with"), 6, last),
    ]
    for k, row in enumerate(rows):
        pairs = (_pair(found, rows, k, other) for other in range(len(rows)))
        table.rows.append(Row((*_variable(row), *pairs)))
    table.specific += _why_not(found, rows)
    return table


def _variable(row: Field) -> tuple[Cell, ...]:
    numbers = (number(row[key], "decimals:2") for key in ("mean", "sd_within", "sd_between"))
    counts = (cell(row[key], "count") for key in ("clients", "rows"))
    return (cell(row["label"]), *counts, *numbers)


def _first(pair: Field) -> tuple[str, str]:
    return pair["measure_1"].raw, pair["score_1"].raw


def _second(pair: Field) -> tuple[str, str]:
    return pair["measure_2"].raw, pair["score_2"].raw


def _pair(
    found: Mapping[tuple[tuple[str, str], tuple[str, str], str], Field],
    rows: list[Field],
    k: int,
    other: int,
) -> Cell:
    """Return the correlation in row k: within clients left of the diagonal, between right of it."""
    if k == other:
        return words("—")
    one, two = (
        (rows[at]["measure"].raw, rows[at]["score"].raw) for at in (min(k, other), max(k, other))
    )
    pair = found.get((one, two, "within" if other < k else "between"))
    if pair is None or pair["r"].raw is None:
        return words("–")
    return cell(pair["r"], SHARE)


def _why_not(
    found: Mapping[tuple[tuple[str, str], tuple[str, str], str], Field], rows: list[Field]
) -> list[str | tuple[Any, ...]]:
    """Return one note for each correlation in the table that has no number."""
    shown = {(row["measure"].raw, row["score"].raw) for row in rows}
    return [
        (Part(pair["label_1"]), " and ", Part(pair["label_2"]), f", {level} clients: ",
         Part(pair["message"]))
        for (one, two, level), pair in found.items()
        if {one, two} <= shown and pair["r"].raw is None
    ]  # fmt: skip


def apa_correlations_records(results: Results) -> Records:
    """Return every pair of scores, subscales too, with every digit."""
    columns = ("measure_1", "score_1", "label_1", "measure_2", "score_2", "label_2", "level",
               "rows", "clients", "r", "df", "p", "low", "high", "corrected",
               "message")  # fmt: skip
    adjusted = adjusted_of(results)
    rows = []
    for pair in _part(results, "correlations"):
        test = adjusted.get(pair.address)
        own = {key: pair.raw[key] for key in columns}
        rows.append(own | {"p_adjusted": None if test is None else test.raw["p_adjusted"]})
    return Records((*columns, "p_adjusted"), rows)
