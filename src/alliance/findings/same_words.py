"""Compare a Markdown file with the page or Word document that is made of the same text.

Markdown has no room for findings. It is vouched for by a document of the same text that has them:
letter by letter and digit by digit the two are the same.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

# What Markdown writes around words: marks of links, tables, headings, lists and emphasis.
LINK = re.compile(r"!?\[((?:[^\[\]\\]|\\.)*)\]\((?:[^()\\]|\\.)*\)")
AUTOLINK = re.compile(r"<((?:https?|mailto):[^<> ]*)>")
ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])|&#?\w+;")
SIGNS = "−.,%=<>±×/"
AROUND = 20  # characters shown before and after a difference


def text_of_markdown(markdown: str) -> str:
    """Return the words of a Markdown text (CommonMark and pipe tables, without raw HTML)."""
    text = AUTOLINK.sub(r"\1", LINK.sub(r"\1", markdown))
    # In one pass: an escaped sign stands for itself, also where it would begin an entity.
    return ESCAPED.sub(lambda sign: sign[1] or html.unescape(sign[0]), text)


def letters_of(text: str) -> str:
    """Return letters, digits and the signs that numbers are written with; nothing of the layout."""
    return "".join(character for character in text if character.isalnum() or character in SIGNS)


def unlike(markdown: str, words: Sequence[str]) -> Iterator[str]:
    """Say where a Markdown text differs from the words of a document (`Page.words`)."""
    one, other = letters_of(text_of_markdown(markdown)), letters_of("".join(words))
    if one == other:
        return
    at = next(
        (place for place, pair in enumerate(zip(one, other, strict=False)) if len(set(pair)) > 1),
        min(len(one), len(other)),
    )
    start, end = max(at - AROUND, 0), at + AROUND
    yield f"the words differ at {one[start:end]!r}: the other document has {other[start:end]!r}"
