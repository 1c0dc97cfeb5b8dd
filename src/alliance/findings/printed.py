"""What a reader of a document sees, sorted by who vouches for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from alliance.findings.fields import Sources


@dataclass(slots=True)
class Printed:
    """An element of a document that claims to be a finding.

    Attributes
    ----------
    id, address, format, also, value
        As `alliance.findings.Finding` has them; a Word document carries id and address only.
    text
        As printed.
    line
        Number of the table row or paragraph in which it stands: what is read together.
    """

    id: str
    address: str
    format: str = ""
    also: list[str] = field(default_factory=list)
    value: str | None = None
    text: str = ""
    line: int = 0

    def values(self, sources: Sources) -> list[Any]:
        """Return what the files say at its addresses."""
        return [sources.look_up(address) for address in (self.address, *self.also)]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture within a document; `source` is its file, None where the document cannot say."""

    source: str | None
    content: bytes


@dataclass(slots=True)
class Page:
    """What a reader of a document sees.

    Attributes
    ----------
    title
        Of the window.
    printed
        The findings, in the order in which they are printed.
    fixed
        Texts that say of themselves that they belong to the language of statistics.
    prose
        All other texts, and those that are read aloud or shown at a touch.
    words
        Everything that is printed, in order.
    pictures
        The pictures within.
    counted
        Numbers that Word counts by itself: name of the series and text.
    faults
        What should not be there at all, in words.
    """

    title: str = ""
    printed: list[Printed] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    counted: list[tuple[str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
