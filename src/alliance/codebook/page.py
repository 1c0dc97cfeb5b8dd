"""Print the data package as a page."""

from __future__ import annotations

from alliance.findings.fields import Field
from alliance.findings.formats import clean_text, has_digit
from alliance.findings.ledger import Findings
from alliance.tables import html, pages
from alliance.tables.layout import Cell, Part, Row, Table, cell, heading, words


def render(package: Field, findings: Findings) -> str:
    """Return the page; every number printed is put on record in `findings`."""
    findings.place = "codebook"
    title = clean_text(str(package["title"].raw))
    template = pages.environment("alliance.codebook").get_template("codebook.html")
    return template.render(
        package=package,
        show=findings.show,
        fields=lambda resource: html.table_fragment(fields_table(resource), findings),
        scores=lambda measure, heading: html.table_fragment(
            scores_table(measure), findings, labelled_by=heading
        ),
        title="Codebook" if has_digit(title) else f"Codebook: {title}",
        **pages.dressed(("alliance.report", "page.css"), ("alliance.codebook", "codebook.css")),
    )


def fields_table(resource: Field) -> Table:
    """Return the columns of a table: name, type, unit, meaning."""
    table = Table(
        f"fields-{resource['name'].raw}",
        f"Columns of {resource['name'].raw}",
        [
            heading("Column", numeric=False),
            heading("Type", numeric=False),
            heading("Unit", numeric=False),
            heading("There", numeric=False),
            heading("What it holds", numeric=False),
        ],
        wide=True,
    )
    for field in resource["schema"]["fields"]:
        unit = cell(field["unit"]) if "unit" in field else Cell()
        kind, meaning = cell(field["type"]), Cell(tuple(_meaning(field)))
        table.rows.append(Row((cell(field["name"]), kind, unit, _presence(field), meaning)))
    return table


def _meaning(field: Field) -> list[Part]:
    """Return what a column holds: words, allowed values, range, and where a site has it."""
    parts = [Part(field["description"])]
    limits = _constraints(field)
    if "enum" in limits:
        *others, last = limits["enum"]
        lead = " One of: "
        for word in others:
            parts.append(Part(word, before=lead))
            lead = ", "
        parts.append(Part(last, before=lead, after="."))
    if "range" in field:
        low, high = field["range"]
        if low.raw is not None:
            parts.append(Part(low, "general", before=" From ", after="" if high.raw else " on."))
        if high.raw is not None:
            parts.append(Part(high, "general", before=" to ", after="."))
    if "source" in field:
        parts.append(Part(field["source"], before=" Read from ", after="."))
    return parts


def _presence(field: Field) -> Cell:
    return words("always" if "required" in _constraints(field) else "may be missing")


def _constraints(field: Field) -> dict[str, Field]:
    """Return what the schema demands of a column, by name; each demand knows its address."""
    if "constraints" not in field:
        return {}
    return {name: field["constraints"][name] for name in field["constraints"].raw}


def scores_table(measure: Field) -> Table:
    """Return the scores of a measure: items, rule, range, unanswered items allowed.

    The page heads it by the measure's label, which a title could not print: it may hold digits.
    """
    table = Table(
        f"scores-{measure['name'].raw}",
        "Scores",
        [
            heading("Score", numeric=False),
            heading("Items", numeric=False),
            heading("Rule", numeric=False),
            heading("Range", numeric=False),
            heading("Unanswered, at most"),
        ],
    )
    for score in measure["scores"]:
        limits = score["range"]
        both = (
            Cell((Part(limits[0], "general"), Part(limits[1], "general", before=" to ")))
            if limits.raw
            else Cell(text="–")
        )
        most = cell(score["unanswered_most"], "count")
        table.rows.append(
            Row((cell(score["name"]), cell(score["items"]), cell(score["rule"]), both, most))
        )
    return table
