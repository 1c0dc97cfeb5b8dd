"""One implausibility: where, by which rule, and the evidence in numbers of many people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes
    ----------
    rule
        A name of `alliance.ingest.rules.RULES`.
    site
        The site where it shows.
    evidence
        Numbers that rest on many people, never on one.
    measure
        The measure concerned, if it is one.
    item
        The item concerned, if it is one.
    remedy
        Words that say more than the rule's own.
    """

    rule: str
    site: str
    evidence: str
    measure: str | None = None
    item: int | None = None
    remedy: str | None = None


def listed(items: list[int]) -> str:
    """Return item numbers in words: `items 4, 10`, `item 4`."""
    word = "item" if len(items) == 1 else "items"
    return f"{word} {', '.join(map(str, items))}"


def signed(r: float) -> str:
    """Return a correlation as print has it: +.48, −.52."""
    text = f"{abs(r):.2f}".removeprefix("0")
    return ("−" if r < 0 else "+") + text
