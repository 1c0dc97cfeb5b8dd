"""Putting sentences together from words and findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alliance.findings.fields import Field
from alliance.findings.formats import has_digit
from alliance.manuscript.blocks import Fixed, Heading, Italic, Paragraph, Piece, Words
from alliance.tables.layout import Part

LEVELS = {
    "site": "sites",
    "therapist": "therapists",
    "client": "clients",
    "session": "sessions",
}
CONFIDENCE = Fixed("95%")
MINOR = ("a", "an", "and", "at", "by", "for", "in", "of", "on", "or", "the", "to")


def say(*pieces: Piece | Words) -> Words:
    """Return pieces and texts made of pieces as one text."""
    flat: list[Piece] = []
    for piece in pieces:
        flat += piece if isinstance(piece, tuple) else (piece,)
    return tuple(flat)


def text(field: Field, format: str = "text", *also: Field) -> Words:
    """Return a field as it is printed by `format`."""
    return (Part(field, format, also),)


def listed(items: Sequence[Words], last: str = "and", between: str = ", ") -> Words:
    """Return `a, b and c`."""
    if len(items) < 2:
        return items[0] if items else ()
    *others, end = items
    return say(joined(others, between), f" {last} ", end)


def joined(items: Sequence[Words], between: str = "; ") -> Words:
    """Return the items with `between` between them."""
    pieces: list[Piece] = []
    for k, item in enumerate(items):
        pieces += [between, *item] if k else item
    return tuple(pieces)


def counted(field: Field, one: str, many: str) -> Words:
    """Return `1 client` or `12 clients`."""
    return say(text(field, "count"), f" {one if field.raw == 1 else many}")


def symbol(letters: str, field: Field, format: str = "count") -> Words:
    """Return `n = 12`, the statistic's letters in italics."""
    return say(Italic(letters), " = ", text(field, format))


def interval(low: Field, high: Field, format: str) -> Words:
    """Return `95% CI [low, high]`; nothing where there is no interval."""
    if low.raw is None or high.raw is None:
        return ()
    return say(", ", CONFIDENCE, " CI [", text(low, format), ", ", text(high, format), "]")


def sentence(field: Field) -> Words:
    """Return a sentence that a file holds, with one full stop at its end."""
    return say(text(field), "" if str(field.raw).endswith((".", "!", "?")) else ".")


def quoted(field: Field) -> Words:
    """Return a text from the data within quotation marks."""
    return say("“", text(field), "”")


def paragraphs(*texts: Iterable[Piece]) -> list[Paragraph]:
    """Return those of the texts that say something, each as a paragraph."""
    return [Paragraph(words) for words in map(tidied, texts) if words]


def tidied(words: Iterable[Piece]) -> Words:
    """Return the words without empty pieces and without blanks at both ends."""
    kept = [piece for piece in words if piece != ""]
    while kept and isinstance(kept[0], str) and not kept[0].strip():
        del kept[0]
    while kept and isinstance(kept[-1], str) and not kept[-1].strip():
        del kept[-1]
    if kept and isinstance(kept[0], str):
        kept[0] = kept[0].lstrip()
    if kept and isinstance(kept[-1], str):
        kept[-1] = kept[-1].rstrip()
    return tuple(kept)


def heading(words: str, level: int = 2) -> Heading:
    """Return a heading of fixed words, in title case (APA 7, section 6.17)."""
    if has_digit(words):
        msg = "a fixed heading holds no digit"
        raise ValueError(msg)
    first, *others = words.split(" ")
    titled = [word if word in MINOR else word[:1].upper() + word[1:] for word in others]
    return Heading((" ".join([first, *titled]),), level)
