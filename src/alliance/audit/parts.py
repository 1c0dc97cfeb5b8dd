"""What the audit says, in parts: the same for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A heading, and entries of a term and what is said of it."""

    heading: str
    entries: Sequence[tuple[str, str]]


def as_text(parts: Sequence[Part], most: int = 25) -> str:
    """Return parts as plain text, of each the first `most` entries: a page has room for all."""
    blocks = []
    for part in parts:
        lines = [f"  {term}: {said}" for term, said in part.entries[:most]]
        if len(part.entries) > most:
            lines.append(f"  ... and {len(part.entries) - most} more")
        blocks.append("\n".join([part.heading, *lines]))
    return "\n\n".join(blocks) + "\n"
