"""Tables: fits and the description in, CSV (full precision), HTML and LaTeX (as printed) out.

Nothing is computed here. Each table has two makers: one for people (`Table`), one for machines
(`Records`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alliance import files
from alliance.families import registry
from alliance.findings.ledger import SCHEMA
from alliance.tables.apa import apa_tables
from alliance.tables.layout import Table

_GENERAL = (
    "sample",
    "flow",
    "missing",
    "instruments",
    "evidence",
    "scores",
    "prorating",
    "items",
    "reliability",
    "generalizability",
    "decision",
    "variance_shares",
    "invariance",
    "rows",
    "problems",
    "unused",
    "dropout_definitions",
    "dropout_by_session",
    "fixed_effects",
    "variance_components",
    "convergence",
    "residuals",
    "influence",
    "tests",
    "change_classes",
    "change_by_site",
    "sudden_changes",
    "rupture_rules",
    "rule_agreement",
    "coder_agreement",
    "after_events",
    "checklists",
    "checklist_strobe",
    "checklist_jars_quant",
    "checklist_level",
    "checklist_prisma_ipd",
)


def table_names() -> list[str]:
    """Return the names of all tables, those of a paper last and in their order."""
    return [*_GENERAL, *registry.named("tables"), *apa_tables()]


def make_tables(
    *,
    fits: Sequence[str | Path],
    description: str | Path,
    further: Sequence[str | Path] = (),
    out_folder: str | Path,
    findings: str | Path,
    latex: bool = True,
) -> None:
    """Publish every table as CSV, as a page of its own, and in LaTeX.

    Parameters
    ----------
    fits
        The fits' JSON files, in the order in which models are to appear.
    description
        The cohort's `description.json`; its folder is the results folder that addresses count from.
    further
        Other descriptions, e.g. `measurement.json`; known by the names of their files.
    out_folder
        Where `<name>.csv`, `.html` and `.tex` are written. The same input gives the same bytes.
    findings
        Where the list of all numbers printed in the pages is written.
    latex
        Whether the tables are wanted in LaTeX too.
    """
    from alliance.findings.results import read_results_as_fields
    from alliance.tables.latex import table_latex
    from alliance.tables.makers import maker_of

    results = read_results_as_fields(fits, description, further)
    printed: list[dict[str, Any]] = []
    number = 0
    for name in table_names():
        for_people, for_machines = maker_of(name)
        beside = Path(out_folder) / name
        files.write_text(for_machines(results).as_csv(), beside.with_suffix(".csv"))
        table = for_people(results)
        is_printed = name in apa_tables() and bool(table.rows)
        number += is_printed
        numbered = number if is_printed else None
        printed += _publish(table, numbered, beside)
        if latex:
            files.write_text(table_latex(table), beside.with_suffix(".tex"))
    files.write_json({"schema": SCHEMA, "run": {}, "findings": printed}, findings)


def _publish(table: Table, number: int | None, beside: Path) -> list[dict[str, Any]]:
    """Write a table as a page; return its findings."""
    from alliance.findings import Findings
    from alliance.tables import html

    findings = Findings(document=f"{beside.parent.name}/{table.name}.html")
    findings.place = table.name
    files.write_text(html.table_page(table, findings, number), beside.with_suffix(".html"))
    entries: list[dict[str, Any]] = findings.as_json()["findings"]
    return entries
