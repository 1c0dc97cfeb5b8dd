"""YAML with comments, written so that the strict reader takes every text for text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_PLAIN = re.compile(r"[A-Za-z_\u00c0-\uffff][\w{}./ \u00c0-\uffff-]*")
# Signs that YAML does not print, and those it takes for the end of a line: a name of a column that
# holds one would end the comment that it stands in.
_UNPRINTABLE = re.compile(
    r"[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_WORDLIKE = re.compile(r"(?i)(yes|no|on|off|y|n|true|false|null|~)")
_COMMENT_AT = 34  # column at which short comments begin
_WIDTH = 100
DECIDE, GUESS = "DECIDE: ", "GUESS: "


@dataclass(slots=True)
class Node:
    """A key with a value, or with keys below it, and a comment.

    Attributes
    ----------
    key
        The key as written; empty for a line that is a comment alone.
    value
        The value as written; None leaves the key without value (the strict reader then stops).
    below
        Keys below it.
    comment
        What stands behind `#`; several lines stand above the key.
    """

    key: str
    value: str | None = None
    below: list[Node] = field(default_factory=list)
    comment: str = ""


def scalar(text: str | int | float) -> str:
    """Return a text or number as the strict reader reads it back: text stays text."""
    if isinstance(text, int | float):
        return f"{text:g}"
    plain = _PLAIN.fullmatch(text) and not _WORDLIKE.fullmatch(text) and text == text.strip()
    is_safe = plain and ": " not in text and not _UNPRINTABLE.search(text)
    return text if is_safe else _quoted(text)


def listed(texts: Iterable[str | int]) -> str:
    """Return a list in one line."""
    return "[" + ", ".join(_in_flow(text) for text in texts) + "]"


def _in_flow(text: str | int) -> str:
    written = scalar(text)
    has_braces = isinstance(text, str) and not written.startswith('"') and re.search(r"[{}]", text)
    return _quoted(str(text)) if has_braces else written


def _quoted(text: str) -> str:
    return _escaped(json.dumps(text, ensure_ascii=False))


def _escaped(text: str) -> str:
    """Return a text with the signs that YAML cannot hold written by number, as JSON does."""
    return _UNPRINTABLE.sub(lambda sign: json.dumps(sign.group())[1:-1], text)


def lines(nodes: Iterable[Node], indent: int = 0, first: str = "") -> Iterator[str]:
    """Yield the lines of some keys; `first` (such as `- `) stands before the first of them."""
    margin, lead = " " * indent, first
    for node in nodes:
        comments = [text for text in _escaped(node.comment).split("\n") if text]
        if not node.key:
            yield from (f"{margin}{' ' * len(first)}# {text}" for text in _folded(comments))
            continue
        key = node.key if node.key.isdecimal() else scalar(node.key)  # keys are always text
        body = f"{margin}{lead}{key}:"
        body += f" {node.value}" if node.value is not None else ""
        lead = " " * len(first)
        if len(comments) == 1 and max(len(body), _COMMENT_AT) + len(comments[0]) + 3 <= _WIDTH:
            yield f"{body:<{_COMMENT_AT}} # {comments[0]}"
        else:
            # A dash must stay with its first key, so long comments stand above it.
            yield from (f"{margin}{' ' * len(first)}# {text}" for text in _folded(comments))
            yield body
        yield from lines(node.below, indent + len(first) + 2)


def _folded(comments: list[str]) -> Iterator[str]:
    """Break long comments; what follows the first line is set in."""
    for text in comments:
        if text.startswith(" "):  # a sketch of keys, set in by its own blanks
            yield text
            continue
        line = ""
        for word in text.split(" "):
            if line and len(line) + 1 + len(word) > _WIDTH - 8:
                yield line
                line = "  " + word
            else:
                line = f"{line} {word}" if line else word
        yield line
