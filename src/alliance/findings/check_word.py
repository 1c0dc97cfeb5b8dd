"""Does a Word document say what the files say? The way back from print to source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from alliance.findings.compare import (
    against_list,
    against_pictures,
    against_sources,
    listed_values,
    unvouched,
)
from alliance.findings.fields import Sources
from alliance.findings.printed import Page
from alliance.findings.read_word import read_word

MOST_SIGNS = 64  # of the title of a content control: Word cuts longer ones off when it saves


def check_word(
    document: bytes, entries: Sequence[Mapping[str, Any]], sources: Sources
) -> list[str]:
    """Compare a Word document with its list of findings and with the files that both quote.

    Parameters
    ----------
    document
        Content of the `.docx` file.
    entries
        Its entries in the list of findings (see `compare.entries_of`).
    sources
        The JSON files of the results folder.

    Returns
    -------
    list of str
        One sentence a difference, as `check.check_findings`; one sentence where the file cannot be
        read. Numbers that Word itself counts (pages, tables) are checked to be counted; numbers of
        lists and what a style adds are not seen.
    """
    try:
        page = read_word(document)
    except ValueError as error:
        return [f"the document was not read: {error}"]
    return differences_of_word(page, entries, sources)


def differences_of_word(
    page: Page, entries: Sequence[Mapping[str, Any]], sources: Sources
) -> list[str]:
    """Return the same for a document that was read."""
    _complete(page, entries)
    return [
        *against_list(page, entries),
        *listed_values(entries, sources),
        *against_sources(page, sources),
        *unvouched(page),
        *_counted(page),
        *dict.fromkeys(page.faults),
        *against_pictures(page, sources.folder),
    ]


def _complete(page: Page, entries: Sequence[Mapping[str, Any]]) -> None:
    """Take from the list what a content control has no room for: format and long addresses."""
    listed = {entry["id"]: entry for entry in entries}
    for printed in page.printed:
        if printed.id in listed:
            entry = listed[printed.id]
            printed.format, printed.also = entry["format"], list(entry["also"])
            address = f"{entry['source']}#{entry['pointer']}"
            if printed.address == address[:MOST_SIGNS]:
                printed.address = address


def _counted(page: Page) -> Iterator[str]:
    """Say which number that Word counts is not the next of its series."""
    so_far: Counter[str] = Counter()
    for series, text in page.counted:
        so_far[series] += 1
        counts_pages = not series.startswith("SEQ")
        right = text.strip().isdecimal() if counts_pages else text == str(so_far[series])
        if not right and not (counts_pages and not text):
            yield f"the number {text!r} of the series {series} is not the next one"
