"""Print a table as HTML through Jinja2 (autoescape on), every number as a finding."""

from __future__ import annotations

from functools import cache

import jinja2
from markupsafe import Markup

from alliance.findings.ledger import Findings
from alliance.tables import pages
from alliance.tables.layout import Table

REPORT = "../report.html"  # from a table's own page


def table_fragment(
    table: Table,
    findings: Findings,
    number: int | None = None,
    report: str = "",
    labelled_by: str = "",
) -> Markup:
    """Return the table as an element to be put into a page.

    The notes of a numbered one begin as APA 7 asks. `report` is the way from that page to the
    report, which links go to; empty for the report itself. `labelled_by` names the elements of the
    page that head the table, where there are any.
    """
    template = _environment().get_template("table.html")
    return Markup(
        template.render(
            table=table,
            show=findings.show,
            plain=findings.plain,
            number=number,
            report=report,
            labelled_by=labelled_by,
        )
    )


def table_page(table: Table, findings: Findings, number: int | None = None) -> str:
    """Return the table as a page of its own that opens offline and asks nobody for anything.

    A `number` heads a table of the manuscript in the form of APA 7: number, then title in italics.
    """
    template = _environment().get_template("page.html")
    return template.render(
        table=table,
        number=number,
        body=table_fragment(table, findings, number, REPORT),
        **pages.dressed(("alliance.tables", "table.css")),
    )


@cache
def _environment() -> jinja2.Environment:
    environment = pages.environment()
    environment.globals["kind_of"] = lambda piece: type(piece).__name__
    return environment
