"""The codebook: what every processed table and column holds, for people and for programs.

One description of the tables (`alliance.codebook.tables`) makes both: `datapackage.json`, a
Frictionless Data Package (version 2) with a Table Schema for each Parquet file, and
`codebook.html`, which prints it. Tests hold the description to the columns that are there and to
docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alliance import files


def write_codebook(
    *,
    cohort: str,
    title: str,
    simulated: bool,
    measures: Mapping[str, Mapping[str, Any]],
    instruments: Sequence[str | Path],
    mappings: Sequence[str | Path],
    tables: Sequence[str | Path],
    package: str | Path,
    page: str | Path,
    findings: str | Path,
) -> None:
    """Write the data package and the page that prints it.

    Parameters
    ----------
    cohort, title, simulated, measures
        As in the config.
    instruments
        Files of the scoring keys in use.
    mappings
        The sites' mapping files: they say which of a site's columns a fact comes from.
    tables
        The processed tables (.parquet), all in one folder.
    package
        Where `datapackage.json` is written: beside the tables, since their paths are relative.
    page, findings
        Where the page and the list of its numbers are written; the page's folder is the results
        folder that addresses count from.
    """
    from alliance.codebook.package import data_package
    from alliance.codebook.page import render
    from alliance.config.measure_keys import keys_of
    from alliance.config.site import load_site
    from alliance.findings import Findings, read_fields

    content = data_package(
        about={"cohort": cohort, "title": title, "simulated": simulated},
        measures=measures,
        keys=keys_of(measures, instruments),
        mappings=[load_site(path) for path in mappings],
        tables=tables,
    )
    files.write_json(content, package)
    ledger = Findings(document="codebook.html")
    html = render(read_fields(package, Path(page).parent), ledger)
    files.write_text(html, page)
    files.write_json(ledger.as_json(), findings)
