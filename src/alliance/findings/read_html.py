"""Read a page anew: what stands on it, and who vouches for it."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote_to_bytes

from alliance.findings.printed import Page, Picture, Printed

PICTURE = "data:image/svg+xml,"  # how the address of a drawing within a page begins
UNSEEN = {"style", "script", "template"}
VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr")
)
TEXT_ATTRIBUTES = ("alt", "aria-label", "placeholder", "summary", "content", "label", "title")
# What is read as one line: findings in one of these belong together.
LINES = frozenset(("tr", "p", "li", "dt", "dd", "h1", "h2", "h3", "h4", "figcaption", "summary"))


def read_page(html: str) -> Page:
    """Return what a reader of the page sees."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page


class _Reader(HTMLParser):
    """Sort the texts of a page by who vouches for them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.line = 0
        self.open: list[tuple[str, Any]] = []  # tag, and what its text belongs to

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        classes = attributes.get("class", "").split()
        owner: Any = self.open[-1][1] if self.open else None
        self.line += tag in LINES
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
            picture = Picture(attributes["data-source"], _decoded(attributes.get("src", "")))
            self.page.pictures.append(picture)
        if tag != "meta" or not _is_for_machines(attributes):
            unchecked = "title" if "finding" in classes else ""  # there, the address
            self.page.prose += [
                text
                for name in TEXT_ATTRIBUTES
                if name != unchecked and (text := attributes.get(name))
            ]
        if tag not in VOID:
            self.open.append((tag, owner))

    def _finding(self, attributes: Mapping[str, str]) -> Printed:
        printed = Printed(
            id=attributes.get("id", ""),
            address=attributes.get("title", ""),
            format=attributes.get("data-format", ""),
            also=attributes.get("data-also", "").split(),
            value=attributes.get("value"),
            line=self.line,
        )
        self.page.printed.append(printed)
        return printed

    def handle_endtag(self, tag: str) -> None:
        self.line += tag in LINES  # what follows a paragraph is not part of it
        for position in range(len(self.open) - 1, -1, -1):
            if self.open[position][0] == tag:
                del self.open[position:]
                return

    def handle_data(self, data: str) -> None:
        owner = self.open[-1][1] if self.open else None
        if owner not in ("unseen", "title"):
            self.page.words.append(data)
        if isinstance(owner, Printed):
            owner.text += data
        elif owner == "fixed":
            self.page.fixed[-1] += data
        elif owner == "title":
            self.page.title += data
        elif owner != "unseen":
            self.page.prose.append(data)


def _is_for_machines(meta: Mapping[str, str]) -> bool:
    """Say whether what a `meta` element holds is read by a browser and by nobody else."""
    return "http-equiv" in meta or meta.get("name") in ("viewport", "color-scheme")


def _decoded(uri: str) -> bytes:
    """Return the bytes of a picture's address; none where it holds no picture."""
    return unquote_to_bytes(uri.removeprefix(PICTURE)) if uri.startswith(PICTURE) else b""
