"""Tables of the keys: instruments and their evidence, scores, prorating, items."""

from __future__ import annotations

from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.tables.described_measures import (
    KEYS,
    NOT_DESCRIBED,
    SHARE,
    groups_of,
    main_rows,
    number,
    records_of,
    rows_of,
)
from alliance.tables.layout import Cell, Part, Row, Table, cell, group_row, heading, words


def instruments(results: Results) -> Table:
    """Return each measure's key: form, rule for unanswered items, how far it was verified."""
    table = Table(
        "instruments",
        "Measures and their scoring keys",
        [
            *(heading(text, numeric=False) for text in ("Measure", "Instrument", "Rated by")),
            heading("Items"),
            *(heading(t, numeric=False) for t in ("Reversed", "Unanswered items", "Scoring key")),
        ],
        notes=[
            "A key is data: which items make which score, read in a source and checked by test "
            "vectors. One that is known from the literature only is used where the configuration "
            "says that it was compared with the form.",
        ],
        empty=NOT_DESCRIBED,
        wide=True,
    )
    for row in rows_of(results, "measures"):
        rule = [Part(row["unanswered"])]
        if row["not_applicable"].raw:
            rule.append(Part(row["not_applicable"], before="; "))
        table.rows.append(
            Row(
                (
                    cell(row["label"]),
                    cell(row["abbreviation"]),
                    cell(row["rater"]),
                    words("totals only")
                    if row.raw.get("totals_only")
                    else cell(row["items"], "count"),
                    cell(row["reversed_items"]),
                    Cell(tuple(rule)),
                    _key_in_words(row),
                )
            )
        )
    return table


def _key_in_words(row: Field) -> Cell:
    contradicted = "; sources contradict each other" if row["disagreements"].raw else ""
    if row["unverified"].raw:
        told = "NOT VERIFIED: known from the literature, used by an explicit choice"
        return words(told + contradicted)
    if row["parts_not_read_in_a_source"].raw:
        return cell(
            row["parts_not_read_in_a_source"],
            "count",
            before="parts not read in a source: ",
            after=contradicted,
        )
    return words("read in a source" + contradicted)


def evidence(results: Results) -> Table:
    """Return how sure each part of each key is, and where it was read."""
    table = Table(
        "evidence",
        "Evidence of the scoring keys",
        [heading(text, numeric=False) for text in ("Part of the key", "How sure", "Where")],
        empty=NOT_DESCRIBED,
        wide=True,
    )
    measures = {row["measure"].raw: row for row in rows_of(results, "measures")}
    for rows in groups_of(rows_of(results, "evidence"), "measure"):
        measure = measures[rows[0]["measure"].raw]
        table.rows.append(group_row(Part(measure["label"]), Part(measure["name"], before=": ")))
        table.rows += [
            Row(
                (cell(row["part"]), cell(row["confidence"]), cell(row["source"])),
                faint=not row["verified"].raw,
            )
            for row in rows
        ]
        table.rows += [
            Row((words("sources disagree"), words(""), cell(text)))
            for text in measure["disagreements"]
        ]
    return table


def scores(results: Results) -> Table:
    """Return the scores of each key: items, rule, range, published alpha."""
    table = Table(
        "scores",
        "Scores",
        [
            heading("Score", numeric=False),
            heading("Rule", numeric=False),
            heading("Items", numeric=False),
            *map(heading, ("Range", "May be unanswered", "Published alpha")),
        ],
        empty=NOT_DESCRIBED,
        wide=True,
    )
    published: dict[tuple[str, str], list[Field]] = {}
    for row in rows_of(results, "published_reliability"):
        if row["alpha"].raw is not None:
            published.setdefault((row["measure"].raw, row["score"].raw), []).append(row["alpha"])
    for rows in groups_of(rows_of(results, "scores"), "measure"):
        for row in rows:
            alphas = published.get((row["measure"].raw, row["score"].raw), [])
            span = (
                words("–")
                if row["lowest"].raw is None
                else Cell(
                    (Part(row["lowest"], "general", after="–"), Part(row["highest"], "general"))
                )
            )
            table.rows.append(
                Row(
                    (
                        cell(row["label"]),
                        cell(row["rule"]),
                        cell(row["items"]),
                        span,
                        number(row["unanswered_most"], "count"),
                        Cell(
                            tuple(
                                Part(alpha, SHARE, before="; " if k else "")
                                for k, alpha in enumerate(alphas)
                            ),
                            text="" if alphas else "–",
                        ),
                    )
                )
            )
    return table


def prorating(results: Results) -> Table:
    """Return complete, prorated, refused and missing forms by session."""
    parts = ("complete", "prorated", "refused", "no_form")
    table = Table(
        "prorating",
        "What scores rest on, by session",
        [
            heading("Session", numeric=False),
            *map(heading, ("Sessions", "Forms", "Complete", "Prorated", "Refused", "No form")),
        ],
        notes=["Sessions with fewer than eight forms are counted in the first line only."],
        empty=NOT_DESCRIBED,
    )
    for rows in groups_of(main_rows(results, "prorating"), "label"):
        table.rows.append(group_row(Part(rows[0]["label"])))
        for row in rows:
            name = words("all") if row["session"].raw == "all" else cell(row["session"])
            counts = (cell(row[key], "count") for key in ("sessions", "forms", *parts))
            table.rows.append(Row((name, *counts)))
    return table


def items(results: Results) -> Table:
    """Return how each item fits the others."""
    table = Table(
        "items",
        "Items",
        [
            heading("Item", numeric=False),
            *map(heading, ("Answered", "Unanswered, %", "Mean", "With the sum of the others")),
        ],
        notes=[
            "After reversing. A correlation with the sum of the other items near zero, or below "
            "it, is the mark of an item that was coded the wrong way round or does not belong.",
        ],
        empty=NOT_DESCRIBED,
    )
    for rows in groups_of(rows_of(results, "items"), "label"):
        table.rows.append(group_row(Part(rows[0]["label"])))
        table.rows += [
            Row(
                (
                    cell(row["item"]),
                    cell(row["answered"], "count"),
                    number(row["unanswered_percent"], "decimals:1"),
                    number(row["mean"], "decimals:2"),
                    number(row["item_rest"], SHARE),
                )
            )
            for row in rows
        ]
    return table


instruments_records = records_of(
    "measures",
    ("measure", "label", "instrument", "name", "abbreviation", "rater", "construct", "items",
     "reversed_items", "status", "unverified", "parts_not_read_in_a_source", "unanswered",
     "not_applicable"),
)  # fmt: skip
evidence_records = records_of("evidence", ("measure", "part", "confidence", "source"))
scores_records = records_of(
    "scores", (*KEYS, "rule", "items", "lowest", "highest", "unanswered_most")
)
prorating_records = records_of(
    "prorating",
    (*KEYS, "session", "sessions", "forms", "complete", "prorated", "refused", "no_form"),
)
items_records = records_of(
    "items", (*KEYS, "item", "answered", "unanswered_percent", "mean", "item_rest")
)
