"""Does a page say what the files say? The way back from print to source."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from alliance import files
from alliance.findings.compare import (
    FIXED,
    against_list,
    against_pictures,
    against_sources,
    entries_of,
    listed_values,
    unvouched,
)
from alliance.findings.fields import Sources
from alliance.findings.formats import clean_text, has_digit
from alliance.findings.printed import Page, Printed
from alliance.findings.read_html import read_page

__all__ = ["FIXED", "Page", "Printed", "check_findings", "check_page", "differences", "read_page"]


def check_page(html: str, results_folder: str | Path) -> list[str]:
    """Return how a page differs from the files that it quotes; empty if it does not.

    Needs no list of findings: each element carries its address and format.
    """
    return differences(read_page(html), None, Sources(results_folder))


def check_findings(
    report: str | Path, findings: str | Path, results_folder: str | Path
) -> list[str]:
    """Compare a page with its list of findings and with the files that both quote.

    Parameters
    ----------
    report
        A page, e.g. `results/<cohort>/report.html`.
    findings
        Its list, e.g. `results/<cohort>/audit/findings.json`; of a list of several documents, the
        entries of this one count.
    results_folder
        `results/<cohort>`; sources and documents are relative to it.

    Returns
    -------
    list of str
        One sentence a difference: a finding that is on the page and not in the list or the other
        way round, a text, value or address that differs, a value that the source does not have, and
        digits on the page that no finding vouches for.
    """
    page = read_page(Path(report).read_text(encoding="utf-8"))
    document = Path(os.path.relpath(report, results_folder)).as_posix()
    entries = entries_of(files.read_json(findings), document)
    return differences(page, entries, Sources(results_folder))


def differences(
    page: Page, entries: Sequence[Mapping[str, Any]] | None, sources: Sources
) -> list[str]:
    """Return the same for a page that was read, its entries (None: no list) and open sources."""
    return [
        *(against_list(page, entries) if entries is not None else ()),
        *listed_values(entries or (), sources),
        *against_sources(page, sources),
        *unvouched(page),
        *_title(page, sources),
        *against_pictures(page, sources.folder),
    ]


def _title(page: Page, sources: Sources) -> Iterator[str]:
    # The window's title cannot hold an element; it may have digits only as the cohort's own title.
    if has_digit(page.title):
        title = clean_text(sources.look_up("description.json#/title"))
        if not page.title.endswith(title):
            yield f"the window's title {page.title!r} is not the cohort's"
