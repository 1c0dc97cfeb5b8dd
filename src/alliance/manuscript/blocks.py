"""What a text is before it is printed: headings, paragraphs and lists of words and findings.

One text is written once and printed three times: as HTML, as Markdown and as a Word document.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from alliance.tables.layout import Part, Table


@dataclass(frozen=True, slots=True)
class Fixed:
    """A number of the language of statistics, e.g. `95 %`; see `alliance.findings.check.FIXED`."""

    text: str


@dataclass(frozen=True, slots=True)
class Italic:
    """Words in italics, without digits: a statistic's symbol, a journal's name."""

    text: str


# A piece of running text: words without digits, a finding, a fixed number, words in italics.
Piece = str | Part | Fixed | Italic
Words = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the title of the document."""

    words: Words
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; `hanging` ones are entries of a reference list."""

    words: Words
    hanging: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list, one entry a point."""

    items: tuple[Words, ...]


Block = Heading | Paragraph | Bullets | Table


@dataclass(slots=True)
class Document:
    """A text with a title.

    Attributes
    ----------
    title
        Without digits: the heading of the document and its title in the file.
    blocks
        What stands in it, in order.
    """

    title: str
    blocks: list[Block] = field(default_factory=list)
