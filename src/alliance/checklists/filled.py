"""A checklist as it is filled in: what it asks, whether the run answers it, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alliance.findings.marks import DOES_NOT_APPLY

REPORTED = "reported"
PARTLY = "partly"
NOT_REPORTED = "not reported"
STATES = (REPORTED, PARTLY, NOT_REPORTED, DOES_NOT_APPLY)

CONFIDENCE = {
    "verified": "read in a source",
    "literature": "known from the literature, not read in a source",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A place of the report.

    Attributes
    ----------
    anchor
        Its id on the page.
    label
        What stands there, in words.
    """

    anchor: str
    label: str


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a checklist.

    Attributes
    ----------
    number
        As its authors number it (or as the report does, see `Checklist.note`); empty where the
        number is not known.
    section, topic
        Where in a paper it belongs, and what it asks for, in words of this project.
    confidence
        Whether number and topic were read in a source.
    state
        One of `STATES`.
    where
        The places that answer it; none unless the run proves that the content is there.
    missing
        What the author must add.
    reason
        Why it does not apply; empty otherwise.
    """

    number: str
    section: str
    topic: str
    confidence: str
    state: str
    where: tuple[Place, ...] = ()
    missing: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Checklist:
    """A checklist with all its items, in their order.

    Attributes
    ----------
    name, title
        Short name, and the name that readers know.
    reference
        Where it was published.
    note
        What a reader must know of its numbers and of how far they were checked; without digits.
    items
        The items.
    """

    name: str
    title: str
    reference: str
    note: str
    items: tuple[Item, ...]

    def counts(self) -> dict[str, int]:
        """Return the number of items in all, of each state, and of those not read in a source."""
        by_state = {state: sum(item.state == state for item in self.items) for state in STATES}
        unread = sum(item.confidence != CONFIDENCE["verified"] for item in self.items)
        return {"items": len(self.items)} | by_state | {"not read": unread}


def anchors_of(checklists: Sequence[Checklist]) -> tuple[str, ...]:
    """Return the ids that filled checklists link to, each once, in their order."""
    places = (place for one in checklists for item in one.items for place in item.where)
    return tuple(dict.fromkeys(place.anchor for place in places))
