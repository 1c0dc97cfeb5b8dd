"""Does a page say what the files say? The way back from print to source."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from alliance import files
from alliance.findings.fields import Sources
from alliance.findings.formats import clean_text, format_value, has_digit
from alliance.findings.ledger import as_value

# Numbers that belong to the language of statistics or to the page, not to the data. They stand in
# elements of the class `fixed`, and nothing else may stand there.
FIXED = re.compile(
    r"(Figure|Table) \d{1,2}|95\s%|[−±+]?1\sSD|1|0|\.001|\.01|\.05|<\s\.(001|01|05)|²|SHA-256|UTF-8"
)
UNSEEN = {"style", "script", "template"}
VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr")
)
TEXT_ATTRIBUTES = ("alt", "aria-label", "placeholder", "summary", "content", "label", "title")


@dataclass(slots=True)
class Printed:
    """An element of the page that claims to be a finding."""

    id: str
    address: str
    format: str
    also: list[str]
    value: str | None
    text: str = ""

    def values(self, sources: Sources) -> list[Any]:
        """Return what the files say at its addresses."""
        return [sources.look_up(address) for address in (self.address, *self.also)]


@dataclass(slots=True)
class Page:
    """What a reader of the page sees: its title, findings, fixed texts, other texts, pictures."""

    title: str = ""
    printed: list[Printed] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    pictures: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    """Sort the texts of a page by who vouches for them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[tuple[str, Any]] = []  # tag, and what its text belongs to

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        classes = attributes.get("class", "").split()
        owner: Any = self.open[-1][1] if self.open else None
        if "finding" in classes:
            owner = self._finding(attributes)
        elif "fixed" in classes:
            self.page.fixed.append("")
            owner = "fixed"
        elif tag in UNSEEN:
            owner = "unseen"
        elif tag == "title":
            owner = "title"
        if tag == "img" and "data-source" in attributes:
            self.page.pictures.append((attributes["data-source"], attributes.get("src", "")))
        if "finding" not in classes and tag != "meta":
            self.page.prose += [text for name in TEXT_ATTRIBUTES if (text := attributes.get(name))]
        if tag not in VOID:
            self.open.append((tag, owner))

    def _finding(self, attributes: Mapping[str, str]) -> Printed:
        printed = Printed(
            id=attributes.get("id", ""),
            address=attributes.get("title", ""),
            format=attributes.get("data-format", ""),
            also=attributes.get("data-also", "").split(),
            value=attributes.get("value"),
        )
        self.page.printed.append(printed)
        return printed

    def handle_endtag(self, tag: str) -> None:
        for position in range(len(self.open) - 1, -1, -1):
            if self.open[position][0] == tag:
                del self.open[position:]
                return

    def handle_data(self, data: str) -> None:
        owner = self.open[-1][1] if self.open else None
        if isinstance(owner, Printed):
            owner.text += data
        elif owner == "fixed":
            self.page.fixed[-1] += data
        elif owner == "title":
            self.page.title += data
        elif owner != "unseen":
            self.page.prose.append(data)


def read_page(html: str) -> Page:
    """Return what a reader of the page sees."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page


def check_page(html: str, results_folder: str | Path) -> list[str]:
    """Return how a page differs from the files that it quotes; empty if it does not.

    Needs no list of findings: each element carries its address and format.
    """
    folder, page = Path(results_folder), read_page(html)
    return [
        *_against_sources(page, folder),
        *_unvouched(page),
        *_title(page, folder),
        *_pictures(page, folder),
    ]


def check_findings(
    report: str | Path, findings: str | Path, results_folder: str | Path
) -> list[str]:
    """Compare a report with its list of findings and with the files that both quote.

    Parameters
    ----------
    report
        `results/<cohort>/report.html`.
    findings
        `results/<cohort>/audit/findings.json`.
    results_folder
        `results/<cohort>`; sources are relative to it.

    Returns
    -------
    list of str
        One sentence a difference: a finding that is on the page and not in the list or the other
        way round, a text, value or address that differs, a value that the source does not have, and
        digits on the page that no finding vouches for.
    """
    html = Path(report).read_text(encoding="utf-8")
    return [
        *_against_list(read_page(html), files.read_json(findings)["findings"]),
        *check_page(html, results_folder),
    ]


def _against_list(page: Page, entries: list[Mapping[str, Any]]) -> Iterator[str]:
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
        if id_ not in listed:
            continue
        entry = listed[id_]
        claims = {
            "printed text": (entry["printed"], printed.text),
            "format": (entry["format"], printed.format),
            "address": (f"{entry['source']}#{entry['pointer']}", printed.address),
            "further addresses": (entry["also"], printed.also),
        }
        if printed.value is not None:
            claims["value"] = (as_value(entry["value"]), printed.value)
        for what, (in_list, on_page) in claims.items():
            if in_list != on_page:
                yield f"{id_}: {what} is {in_list!r} in the list and {on_page!r} on the page"


def _against_sources(page: Page, folder: Path) -> Iterator[str]:
    sources = Sources(folder)
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


def _unvouched(page: Page) -> Iterator[str]:
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


def _title(page: Page, folder: Path) -> Iterator[str]:
    # The window's title cannot hold an element; it may have digits only as the cohort's own title.
    if has_digit(page.title):
        description = files.read_json(folder / "description.json")
        if not page.title.endswith(clean_text(description["title"])):
            yield f"the window's title {page.title!r} is not the cohort's"


def _pictures(page: Page, folder: Path) -> Iterator[str]:
    for source, uri in page.pictures:
        try:
            same = base64.b64decode(uri.partition("base64,")[2]) == (folder / source).read_bytes()
        except (OSError, ValueError) as error:
            yield f"{source}: the picture cannot be compared ({type(error).__name__})"
            continue
        if not same:
            yield f"{source}: the picture on the page is not the one in the file"
