"""The data page: what the intake found, made also (and above all) when it stops the run.

Three things come of the sites' tables, and none of them holds a client's value:

- `intake.json`: counts, places of problems, coverage, ledger (`alliance.intake_page.describe`);
- `intake.html`: the same for people, self-contained, every number a finding;
- `checks/queries_<site>.csv`: for each site the list of problems, to be sent to it.

The page belongs to the stage of the report: it reads what the intake wrote and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alliance import files


def write_intake_page(
    *,
    cohort: str,
    title: str,
    simulated: bool,
    measures: Mapping[str, Mapping[str, Any]],
    site_folders: Mapping[str, str | Path],
    description: str | Path,
    page: str | Path,
    findings: str | Path,
    queries: Sequence[str | Path],
    implausible: str | Path | None = None,
) -> None:
    """Write the data page, its numbers, its list of findings and the sites' query lists.

    Parameters
    ----------
    cohort, title, simulated, measures
        As in the config.
    site_folders
        By site of the config: the folder of its five tables (`alliance.ingest.site`).
    description
        Where `intake.json` is written; its folder is the results folder that addresses count from.
    page, findings
        Where the page and the list of its numbers are written. The same input gives the same bytes.
    queries
        Where the list of each site is written, in the order of `site_folders`.
    implausible
        The table of `alliance.ingest.plausible`.
    """
    from alliance.findings import Findings, read_fields
    from alliance.ingest.pool import stacked_sites
    from alliance.intake_page.describe import describe
    from alliance.intake_page.page import render
    from alliance.intake_page.queries import query_list

    tables = stacked_sites(list(site_folders.values()), implausible)
    whose = _exports(site_folders)
    owner = tables["quarantine"]["site"].map(lambda site: whose.get(site, site))
    for site, path in zip(site_folders, queries, strict=True):
        files.write_text(query_list(tables["quarantine"][owner == site]), path)
    labels = {name: str(measure.get("label", name)) for name, measure in measures.items()}
    about = {"cohort": cohort, "title": title, "simulated": simulated, "sites": [*site_folders]}
    files.write_json(about | describe(tables, labels), description)
    ledger = Findings(document="intake.html")
    html = render(read_fields(description, Path(description).parent), ledger)
    files.write_text(html, page)
    files.write_json(ledger.as_json(), findings)


def _exports(site_folders: Mapping[str, str | Path]) -> dict[str, str]:
    """Return which site of the config sent the data of each site that is named in an export."""
    whose: dict[str, str] = {}
    for site, folder in site_folders.items():
        named = files.read_parquet(Path(folder) / "clients.parquet")["site"].unique()
        whose |= {str(name): site for name in named if str(name) not in site_folders}
    return whose


def query_files(results_folder: str | Path, sites: Sequence[str]) -> list[str]:
    """Return where the query lists of the sites are written."""
    return [f"{results_folder}/checks/queries_{site}.csv" for site in sites]
