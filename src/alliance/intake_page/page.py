"""Put the data page together from `intake.json`; every number printed is put on record."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from alliance.findings.fields import Field
from alliance.findings.formats import clean_text, has_digit
from alliance.findings.ledger import Findings
from alliance.tables import html, pages
from alliance.tables.layout import Cell, Part, Row, Table, cell, group_row, heading, words

SECTIONS = ("verdict", "problems", "plausibility", "coverage", "ledger", "making")


def render(about: Field, findings: Findings) -> str:
    """Return the page.

    Parameters
    ----------
    about
        The content of `intake.json`.
    findings
        Where every printed number is put on record.
    """
    environment = pages.environment("alliance.intake_page")
    tables = {
        "rules": rules_table(about),
        "places": places_table(about["places"], "places", "Every problem, with its place"),
        "odd": odd_table(about["plausibility"]),
        "people": people_table(about),
        "ledger": ledger_table(about),
    }
    environment.globals.update(
        about=about,
        show=findings.show,
        table=lambda name: _table(findings, tables[name]),
    )
    bodies = []
    for name in SECTIONS:
        findings.place = name
        bodies.append(Markup(environment.get_template(f"{name}.html").render()))
    title = clean_text(str(about["title"].raw))
    return environment.get_template("page.html").render(
        bodies=bodies,
        title="The data" if has_digit(title) else f"The data: {title}",
        **pages.dressed(("alliance.report", "page.css"), ("alliance.intake_page", "heat.css")),
    )


def _table(findings: Findings, table: Table) -> Markup:
    section, findings.place = findings.place, f"{findings.place}, table {table.name}"
    fragment = html.table_fragment(table, findings)
    findings.place = section
    return fragment


def rules_table(about: Field) -> Table:
    """Return how often each rule was broken, by site."""
    table = Table(
        "rules",
        "Problems by rule and site",
        [
            heading("Rule", numeric=False),
            heading("Problems"),
            heading("At which site", numeric=False),
            heading("How urgent", numeric=False),
            heading("What was done", numeric=False),
        ],
        empty="No problem was found.",
    )
    for entry in about["by_rule"]:
        sites = tuple(
            part
            for k, site in enumerate(entry["sites"])
            for part in (
                Part(site["site"], before=", " if k else ""),
                Part(site["problems"], "count", before="\u00a0"),
            )
        )
        table.rows.append(
            Row(
                (
                    cell(entry["words"]),
                    cell(entry["problems"], "count"),
                    Cell(sites),
                    cell(entry["urgency"]),
                    cell(entry["action"]),
                )
            )
        )
    return table


def places_table(entries: Field, name: str, title: str) -> Table:
    """Return every problem with file, rows, column, what was expected and what to do."""
    table = Table(
        name,
        title,
        [
            heading("Where", numeric=False),
            heading("Problem", numeric=False),
            heading("Expected", numeric=False),
            heading("To do", numeric=False),
            heading("By whom", numeric=False),
        ],
        notes=[
            "Rows are numbered as a spreadsheet shows them. What stands in a cell is never "
            "printed: it may be an answer, a name or a date."
        ],
        empty="No problem was found.",
        wide=True,
    )
    for site, place, found in _by_place(entries):
        table.rows.append(group_row(Part(site), *place))
        for entry in found:
            table.rows.append(
                Row(
                    (
                        where(entry),
                        Cell((Part(entry["words"]), Part(entry["action"], before=": "))),
                        cell(entry["expected"]),
                        cell(entry["remedy"]),
                        cell(entry["mended_by"]),
                    )
                )
            )
    return table


def odd_table(entries: Field) -> Table:
    """Return what is possible but not likely, with the evidence for it."""
    table = Table(
        "odd",
        "Possible, but not likely",
        [
            heading("Where", numeric=False),
            heading("What looks odd", numeric=False),
            heading("Expected, and what was seen", numeric=False),
            heading("How to settle it", numeric=False),
        ],
        empty="Nothing looked odd to any of the checks.",
        wide=True,
    )
    for site, place, found in _by_place(entries):
        table.rows.append(group_row(Part(site), *place))
        for entry in found:
            texts = (cell(entry[key]) for key in ("words", "expected", "remedy"))
            table.rows.append(Row((where(entry), *texts)))
    return table


def where(entry: Field) -> Cell:
    """Return a problem's column and rows."""
    parts = []
    if entry["column"].raw is not None:
        parts.append(Part(entry["column"], before="column "))
    if entry["rows"].raw is not None:
        noun = "row " if str(entry["rows"].raw).isdigit() else "rows "
        parts.append(Part(entry["rows"], before=f", {noun}" if parts else noun))
    return Cell(tuple(parts)) if parts else words("the whole file")


def _by_place(entries: Field) -> list[tuple[Field, tuple[Part, ...], list[Field]]]:
    """Return the entries by site, file and sheet, in the order in which places first occur."""
    places: dict[tuple[str | None, ...], list[Field]] = {}
    for entry in entries:
        key = tuple(entry[name].raw for name in ("site", "file", "sheet"))
        places.setdefault(key, []).append(entry)
    found = []
    for listed in places.values():
        first = listed[0]
        place = [Part(first["file"], before=": ")]
        if first["sheet"].raw is not None:
            place.append(Part(first["sheet"], before=", sheet "))
        found.append((first["site"], tuple(place), listed))
    return found


def people_table(about: Field) -> Table:
    """Return what each site gave."""
    table = Table(
        "people",
        "What was read, by site",
        [
            heading("Site", numeric=False),
            *map(heading, ("Clients", "Therapists", "Sessions", "with a time", "Answers")),
        ],
        notes=["A session without a date, day or week has no place in time (only its number)."],
        empty="Nothing was read.",
    )
    rows: Sequence[Field] = list(about["people"])
    for row in rows if len(rows) > 2 else rows[:1]:
        keys = ("clients", "therapists", "sessions", "dated_sessions", "answers")
        name = words("all sites") if row["site"].raw == "all" else cell(row["site"])
        table.rows.append(Row((name, *(cell(row[key], "count") for key in keys))))
    return table


def ledger_table(about: Field) -> Table:
    """Return the account of every file: read, kept, blank, set aside, and why."""
    table = Table(
        "ledger",
        "Every row and every answer that was read",
        [
            heading("File", numeric=False),
            heading("Counted", numeric=False),
            *map(heading, ("Read", "Kept", "Blank", "Set aside")),
            heading("Why set aside", numeric=False),
        ],
        notes=["Read = kept + blank + set aside, in every line: nothing is lost in silence."],
        empty="No row was read.",
        wide=True,
    )
    for row in about["ledger"]:
        reasons = tuple(
            part
            for k, entry in enumerate(row["reasons"])
            for part in (
                Part(entry["reason"], before="; " if k else ""),
                Part(entry["count"], "count", before=" "),
            )
        )
        file = [Part(row["site"]), Part(row["file"], before=": ")]
        if row["sheet"].raw is not None:
            file.append(Part(row["sheet"], before=", sheet "))
        counted = Cell((Part(row["table"]), Part(row["unit"], before=", ")))
        counts = (cell(row[key], "count") for key in ("read", "kept", "blank", "set_aside"))
        table.rows.append(Row((Cell(tuple(file)), counted, *counts, Cell(reasons))))
    return table
