"""The first table of a paper: who took part, by site and in all."""

from __future__ import annotations

from typing import Any

from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.tables import cohort
from alliance.tables.layout import (
    Cell,
    Column,
    Italic,
    Part,
    Piece,
    Records,
    Row,
    Spanner,
    Table,
    cell,
    heading,
    words,
)

COURSE = (
    ("Therapists", "therapists"),
    ("Sessions attended", "sessions"),
    ("Seen once", "clients_with_one_session"),
    ("Completed", "completed"),
    ("Dropped out", "dropout"),
    ("Transferred", "transferred"),
    ("Still in treatment", "ongoing"),
    ("End not known", "end_unknown"),
)


def apa_sample(results: Results) -> Table:
    """Sample and baseline by site and in all: mean (SD) or number (per cent)."""
    told = cohort.sample(results)
    title = "Characteristics of the Sample at Intake and Course of Treatment"
    table = Table("apa_sample", title, [], empty=told.empty)
    table.notes = [
        ("Values are means, with ", Italic("SD"), " in parentheses, or numbers of clients, with "
         "per cent in parentheses. Means over fewer than eight clients and categories of fewer "
         "than eight are not shown."),
    ]  # fmt: skip
    if not told.rows:
        return table
    flow = {row["site"].raw: row for row in results.about["flow"]}
    sites = cohort.sites_of(results.about, "sample")
    if len(sites) > cohort.MOST_SITES_ACROSS:  # sites are rows there
        table.columns, table.rows, table.wide = told.columns, told.rows, True
        return table
    order = [*range(1, len(sites)), 0] if sites[0] == "all" else list(range(len(sites)))
    table.columns = [heading("Characteristic", numeric=False)]
    table.columns += [_site_column(sites[at], told.columns[at + 1], flow) for at in order]
    if sites[0] == "all":
        table.spanners = [Spanner(words("Site"), 1, len(sites) - 1)]
    for row in told.rows:
        cells = row.cells if row.group else (row.cells[0], *(row.cells[at + 1] for at in order))
        table.rows.append(Row(cells, group=row.group))
    table.rows += _course([flow.get(sites[at]) for at in order])
    table.notes.append(
        "Dropouts in per cent of the clients whose treatment has ended, with Wilson's interval."
    )
    return table


def _site_column(site: str, told: Column, flow: dict[str, Field]) -> Column:
    """Return a site's column: its name and how many clients it has."""
    name: tuple[Piece, ...] = ("All sites",) if site == "all" else told.heading.pieces
    if site not in flow:
        return Column(Cell(name))
    return Column(
        Cell((*name, " (", Italic("n"), " = ", Part(flow[site]["clients"], "count"), ")"))
    )


def _course(flow: list[Field | None]) -> list[Row]:
    """Return how many therapists and sessions there were, and how treatments ended."""
    rows = [Row((words("Course of treatment"),), group=True)]
    for label, key in COURSE:
        if any(row is not None and row[key].raw for row in flow):
            counts = (words("–") if row is None else cell(row[key], "count") for row in flow)
            rows.append(Row((words(label), *counts)))
    shares = [_dropout_share(row) for row in flow]
    if any(share.parts for share in shares):
        rows.append(Row((words("Dropouts, per cent [interval]"), *shares)))
    return rows if len(rows) > 1 else []


def _dropout_share(row: Field | None) -> Cell:
    if row is None or row["dropout_share"].raw is None:
        return words("–")
    return Cell(
        (
            Part(row["dropout_share"], "decimals:1"),
            Part(row["dropout_share_low"], "decimals:1", before=" [", after=", "),
            Part(row["dropout_share_high"], "decimals:1", after="]"),
        )
    )


def apa_sample_records(results: Results) -> Records:
    """Return the sample, then the course of treatment, one row a site and characteristic."""
    sample = cohort.sample_records(results)
    rows: list[dict[str, Any]] = list(sample.rows)
    nothing = dict.fromkeys(sample.columns)
    for row in results.about["flow"]:
        for label, key in COURSE:
            found = {"characteristic": label, "site": row["site"].raw, "count": row[key].raw}
            rows.append(nothing | found)
        share = {"characteristic": "Dropouts", "unit": "per cent of treatments that have ended"}
        rows.append(
            nothing | share | {"site": row["site"].raw, "percent": row["dropout_share"].raw}
        )
    return Records(sample.columns, rows)
