"""How a document differs from its list of findings and from the files that both quote."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from alliance.findings.fields import Sources
from alliance.findings.formats import as_value, format_value, has_digit
from alliance.findings.printed import Page, Printed

# Numbers that belong to the language of statistics or to the page, not to the data. They stand in
# elements of the class `fixed` (in Word: of the style `Fixed`), and nothing else may stand there.
FIXED = re.compile(
    r"(Figure|Table) \d{1,2}|95%|[−±+]?1\sSD|1|0|\.001|\.01|\.05|<\s\.(001|01|05)|²|SHA-256|UTF-8"
)


def entries_of(listed: Mapping[str, Any], document: str) -> list[Mapping[str, Any]]:
    """Return the entries of one document; a list may hold those of several."""
    return [entry for entry in listed["findings"] if entry.get("document", document) == document]


def against_list(page: Page, entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say what is printed and not listed or the other way round, and what differs in both.

    What a document cannot carry (Word has no format) is not compared: the list says it alone.
    """
    for name, ids in (
        ("on the page", Counter(printed.id for printed in page.printed)),
        ("in the list", Counter(entry["id"] for entry in entries)),
    ):
        yield from (f"{id_}: stands {n} times {name}" for id_, n in ids.items() if n > 1)
    listed = {entry["id"]: entry for entry in entries}
    shown = {printed.id: printed for printed in page.printed}
    yield from (f"{id_}: on the page, not in the list" for id_ in shown if id_ not in listed)
    yield from (f"{id_}: in the list, not on the page" for id_ in listed if id_ not in shown)
    for id_, printed in shown.items():
        if id_ in listed:
            yield from _differences(printed, listed[id_])


def _differences(printed: Printed, entry: Mapping[str, Any]) -> Iterator[str]:
    claims: dict[str, tuple[Any, Any]] = {
        "printed text": (entry["printed"], printed.text),
        "address": (f"{entry['source']}#{entry['pointer']}", printed.address),
    }
    if printed.format:
        claims["format"] = (entry["format"], printed.format)
        claims["further addresses"] = (list(entry["also"]), printed.also)
    if printed.value is not None:
        claims["value"] = (as_value(entry["value"]), printed.value)
    for what, (in_list, on_page) in claims.items():
        if in_list != on_page:
            yield f"{printed.id}: {what} is {in_list!r} in the list and {on_page!r} on the page"


def listed_values(entries: Sequence[Mapping[str, Any]], sources: Sources) -> Iterator[str]:
    """Say which full value of the list is not the one in its file."""
    for entry in entries:
        try:
            true = as_value(sources.look_up(f"{entry['source']}#{entry['pointer']}"))
        except (OSError, LookupError, ValueError, TypeError):
            continue  # said of what is printed there
        if as_value(entry["value"]) != true:
            yield f"{entry['id']}: value is {entry['value']!r} in the list and {true!r} in its file"


def against_sources(page: Page, sources: Sources) -> Iterator[str]:
    """Say which printed text or value is not what its file gives."""
    for printed in page.printed:
        try:
            values = printed.values(sources)
            text = format_value(printed.format, *values)
        except (OSError, LookupError, ValueError, TypeError) as error:
            yield f"{printed.id}: nothing to compare at {printed.address} ({type(error).__name__})"
            continue
        if printed.value is not None and printed.value != as_value(values[0]):
            true = as_value(values[0])
            yield f"{printed.id}: value {printed.value!r} is {true!r} in {printed.address}"
        if text != printed.text:
            yield f"{printed.id}: printed {printed.text!r}, but {printed.address} gives {text!r}"


def unvouched(page: Page) -> Iterator[str]:
    """Say which digits no finding vouches for."""
    yield from (
        f"digits that no finding vouches for: {' '.join(text.split())!r}"
        for text in page.prose
        if has_digit(text)
    )
    yield from (
        f"not on the list of fixed texts: {text!r}"
        for text in page.fixed
        if not FIXED.fullmatch(text)
    )


def against_pictures(page: Page, folder: Path) -> Iterator[str]:
    """Say which picture is not, byte for byte, a file of the results."""
    drawn: set[bytes] | None = None
    for picture in page.pictures:
        if picture.source is None:
            if drawn is None:
                drawn = {path.read_bytes() for path in (folder / "figures").glob("*")}
            if picture.content not in drawn:
                yield "a picture in the document is none of those in figures"
            continue
        try:
            same = picture.content == (folder / picture.source).read_bytes()
        except (OSError, ValueError) as error:
            yield f"{picture.source}: the picture cannot be compared ({type(error).__name__})"
            continue
        if not same:
            yield f"{picture.source}: the picture on the page is not the one in the file"
