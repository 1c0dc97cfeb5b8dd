"""Tables: fits and the description in, CSV (full precision) and HTML (as printed) out.

Nothing is computed here. Each table has two makers: one for people (`Table`), one for machines
(`Records`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alliance import files

TABLES = (
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
    "dropout_definitions",
    "dropout_by_session",
    "fixed_effects",
    "variance_components",
    "convergence",
    "residuals",
    "influence",
    "steps",
    "tests",
    "change_classes",
    "change_by_site",
    "sudden_changes",
    "rupture_rules",
    "rule_agreement",
    "coder_agreement",
    "after_events",
)


def make_tables(
    *,
    fits: Sequence[str | Path],
    description: str | Path,
    further: Sequence[str | Path] = (),
    out_folder: str | Path,
) -> None:
    """Publish every table of `TABLES` as CSV and as a page of its own.

    Parameters
    ----------
    fits
        The fits' JSON files, in the order in which models are to appear.
    description
        The cohort's `description.json`; its folder is the results folder that addresses count from.
    further
        Other descriptions, e.g. `measurement.json`; known by the names of their files.
    out_folder
        Where `<name>.csv` and `<name>.html` are written. The same input gives the same bytes.
    """
    from alliance.findings import Findings
    from alliance.findings.results import read_results_as_fields
    from alliance.tables import html
    from alliance.tables.makers import MAKERS

    results = read_results_as_fields(fits, description, further)
    for name in TABLES:
        for_people, for_machines = MAKERS[name]
        files.write_text(for_machines(results).as_csv(), Path(out_folder) / f"{name}.csv")
        findings = Findings()
        findings.place = name
        page = html.table_page(for_people(results), findings)
        files.write_text(page, Path(out_folder) / f"{name}.html")
