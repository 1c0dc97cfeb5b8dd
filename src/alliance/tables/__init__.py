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
    "rows",
    "problems",
    "fixed_effects",
    "variance_components",
    "convergence",
)


def make_tables(
    *, fits: Sequence[str | Path], description: str | Path, out_folder: str | Path
) -> None:
    """Publish every table of `TABLES` as CSV and as a page of its own.

    Parameters
    ----------
    fits
        The fits' JSON files, in the order in which models are to appear.
    description
        The cohort's `description.json`; its folder is the results folder that addresses count from.
    out_folder
        Where `<name>.csv` and `<name>.html` are written. The same input gives the same bytes.
    """
    from alliance.findings import Findings, read_fields
    from alliance.tables import cohort, html, models

    results_folder = Path(description).parent
    about = read_fields(description, results_folder)
    all_fits = [read_fields(path, results_folder) for path in fits]
    for name in TABLES:
        module = cohort if hasattr(cohort, f"{name}_records") else models
        records = getattr(module, f"{name}_records")(about, all_fits)
        files.write_text(records.as_csv(), Path(out_folder) / f"{name}.csv")
        findings = Findings()
        findings.place = name
        page = html.table_page(getattr(module, name)(about, all_fits), findings)
        files.write_text(page, Path(out_folder) / f"{name}.html")
