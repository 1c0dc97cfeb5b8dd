"""The report: one self-contained page, and the list of every number printed on it.

The page is rendered by Jinja2 with autoescape on; every number and every text from data goes
through `Findings.show`. It opens offline, runs no script and asks nobody for anything
(Content-Security-Policy `default-src 'none'`; the style is allowed by its hash).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alliance import files

# Sections in order: id and template, and what the navigation calls them.
SECTIONS = {
    "verdict": "Verdict",
    "sample": "Sample and flow",
    "measurement": "Measurement",
    "alliance": "Alliance",
    "change": "Change",
    "coupling": "Session to session",
    "dropout": "Dropout",
    "sites": "Sites",
    "robustness": "Robustness",
    "methods": "Methods",
    "appendix": "Appendix",
}


def write_report(
    *,
    fits: Sequence[str | Path],
    description: str | Path,
    further: Sequence[str | Path] = (),
    figures_folder: str | Path,
    truth: str | Path | None,
    run: str | Path,
    references: str | Path | None = None,
    report: str | Path,
    findings: str | Path,
) -> None:
    """Write the page and its list of findings.

    Parameters
    ----------
    fits
        The fits' JSON files, in the order in which models are to appear.
    description
        The cohort's `description.json`; its folder is the results folder that addresses count from.
    further
        Other descriptions, e.g. `measurement.json`; known by the names of their files.
    figures_folder
        Folder of the figures; their SVG goes into the page.
    truth
        `truth.json` of a simulated cohort; None (or an empty list) otherwise.
    run
        `audit/run.json`: versions and hashes.
    references
        The works that the methods text cites; without them the page has no methods text.
    report, findings
        Where the page and the list are written. The same input gives the same bytes.
    """
    from alliance.findings import Findings, read_fields
    from alliance.findings.results import read_results_as_fields
    from alliance.report.page import Material, cards_of, render

    results_folder = Path(description).parent
    material = Material(
        results=read_results_as_fields(fits, description, further),
        truth=read_fields(truth, results_folder) if truth else None,
        run=read_fields(run, results_folder),
        references=read_fields(references, results_folder) if references else None,
        figures_folder=Path(figures_folder),
        results_folder=results_folder,
    )
    ledger = Findings(cards=cards_of(material))
    page = render(material, ledger, SECTIONS)
    files.write_text(page, report)
    files.write_json(ledger.as_json(), findings)
