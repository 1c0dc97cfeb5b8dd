"""Texts and tables for a paper: methods, results, references, tables; Word, Markdown, HTML.

One text is written once (`blocks`) and printed three times. Its numbers and its citations are
findings: `audit/manuscript_findings.json` lists them all, each with the document it stands in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from alliance import files


class Documents(NamedTuple):
    """Where the documents for a paper are written. The same input gives the same bytes."""

    methods_markdown: str | Path
    methods_html: str | Path
    methods_word: str | Path
    results_markdown: str | Path
    results_html: str | Path
    results_word: str | Path
    tables_word: str | Path
    checklists_word: str | Path


def collect_references(
    *,
    fits: Sequence[str | Path],
    description: str | Path,
    further: Sequence[str | Path] = (),
    run: str | Path,
    references: str | Path,
    bibliography: str | Path,
) -> None:
    """Write the works that the methods text of a cohort cites, and no others.

    Parameters
    ----------
    fits
        The fits' JSON files, in the order in which models are to appear.
    description
        The cohort's `description.json`; its folder is the results folder that addresses count from.
    further
        Other descriptions, e.g. `measurement.json`; known by the names of their files.
    run
        `audit/run.json`: versions and hashes.
    references, bibliography
        Where CSL-JSON and BibTeX are written.
    """
    from alliance.findings.fields import read_fields
    from alliance.findings.results import read_results_as_fields
    from alliance.manuscript.bibtex import write_bibtex
    from alliance.manuscript.methods import methods_text
    from alliance.manuscript.references import all_works, list_of_works

    results = read_results_as_fields(fits, description, further)
    works = all_works(results)
    methods_text(results, works, read_fields(run, Path(description).parent))
    content = list_of_works(works.cited())
    files.write_json(content, references)
    files.write_text(write_bibtex(content), bibliography)


def write_manuscript(
    *,
    fits: Sequence[str | Path],
    description: str | Path,
    further: Sequence[str | Path] = (),
    run: str | Path,
    references: str | Path,
    documents: Documents,
    findings: str | Path,
) -> None:
    """Write methods and results, tables and checklists for a paper, and the list of their numbers.

    Parameters
    ----------
    fits, description, further, run
        As in `collect_references`.
    references
        What `collect_references` wrote.
    documents
        Where they are written.
    findings
        Where all printed numbers are listed, each with its document.
    """
    from alliance.findings import Findings, read_fields
    from alliance.findings.results import read_results_as_fields
    from alliance.manuscript.checklists import checklist_document
    from alliance.manuscript.html import write_html
    from alliance.manuscript.markdown import write_markdown
    from alliance.manuscript.methods import methods_text
    from alliance.manuscript.references import read_references
    from alliance.manuscript.results import results_text
    from alliance.manuscript.tables import table_document
    from alliance.manuscript.word import write_word

    folder = Path(description).parent
    results = read_results_as_fields(fits, description, further)
    works = read_references(references, folder)
    material = (results, works, read_fields(run, folder))
    methods, found = methods_text(*material), results_text(*material)
    files.write_text(write_markdown(methods), documents.methods_markdown)
    files.write_text(write_markdown(found), documents.results_markdown)
    ledgers = []
    for prefix, text, path in (
        ("h", methods, documents.methods_html),
        ("r", found, documents.results_html),
    ):
        ledgers.append(Findings(prefix=prefix, document=_relative(path, folder)))
        files.write_text(write_html(text, ledgers[-1]), path)
    for prefix, text, path in (
        ("w", methods, documents.methods_word),
        ("s", found, documents.results_word),
        ("t", table_document(results), documents.tables_word),
        ("c", checklist_document(results), documents.checklists_word),
    ):
        ledgers.append(Findings(prefix=prefix, document=_relative(path, folder)))
        files.write_bytes(write_word(text, ledgers[-1]), path)
    files.write_json(_together(ledgers), findings)


def _relative(path: str | Path, folder: Path) -> str:
    return Path(path).resolve().relative_to(folder.resolve()).as_posix()


def _together(ledgers: Sequence[Any]) -> dict[str, Any]:
    """Return the records of several documents as one."""
    each: Iterator[dict[str, Any]] = (ledger.as_json() for ledger in ledgers)
    first, *others = each
    for other in others:
        first["findings"] += other["findings"]
    return first
