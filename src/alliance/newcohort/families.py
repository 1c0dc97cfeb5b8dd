"""Columns whose names differ by numbers only: `wai_s{session}_{item}`, `WAI1` ... `WAI12`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_DIGITS = re.compile(r"[0-9]+")
_SESSION_WORDS = re.compile(
    r"(?i)(^|[^a-z])(s|t|sess|session|sitzung|si|visit|v|wave|w|week|wk|woche|zeitpunkt|mzp|time)"
    r"[_. -]?$"
)
LEAST_ITEMS = 2


@dataclass(frozen=True, slots=True)
class Family:
    """Columns of one pattern.

    Attributes
    ----------
    stem
        The letters of the pattern, small, for matching and naming (`wai`).
    pattern
        As a site mapping writes it; holds `{item}`, `{session}` or both.
    columns
        By (session, item): the column; None where the pattern has no such number.
    """

    stem: str
    pattern: str
    columns: dict[tuple[int | None, int | None], str]

    @property
    def items(self) -> list[int]:
        """Item numbers."""
        return sorted({item for _, item in self.columns if item is not None})

    @property
    def sessions(self) -> list[int]:
        """Session numbers."""
        return sorted({session for session, _ in self.columns if session is not None})


def families(names: Sequence[str], sessions_in_rows: bool = False) -> list[Family]:
    """Return the families among column names, in the order of the file.

    A number that is the same in all names of a family is part of the name (`PHQ9_1`, `PHQ9_2`). Of
    two numbers the one after a word such as `s`, `t` or `session` is the session, else the first.
    Where each row is a session already, a single number is an item's, whatever stands before it.
    """
    groups: dict[tuple[str, ...], list[tuple[str, list[int]]]] = {}
    for name in names:
        numbers = [int(text) for text in _DIGITS.findall(name) if len(text) <= 5]
        if numbers and len(numbers) == len(_DIGITS.findall(name)):
            groups.setdefault(tuple(_DIGITS.split(name)), []).append((name, numbers))
    found: list[Family] = []
    for pieces, members in groups.items():
        found += _families_of(list(pieces), members)
    if sessions_in_rows:
        found = [family if family.items else _of_items(family) for family in found]
    order = {name: at for at, name in enumerate(names)}
    return sorted(found, key=lambda family: min(order[name] for name in family.columns.values()))


def _of_items(family: Family) -> Family:
    """Return a family of items instead of sessions."""
    pattern = family.pattern.replace("{session}", "{item}")
    columns: dict[tuple[int | None, int | None], str] = {
        (None, number): name for (number, _), name in family.columns.items()
    }
    return Family(stem_of(pattern), pattern, columns)


def _families_of(pieces: list[str], members: list[tuple[str, list[int]]]) -> list[Family]:
    """Return the families among columns that are alike but for their numbers."""
    n_slots = len(members[0][1])
    varying = [s for s in range(n_slots) if len({numbers[s] for _, numbers in members}) > 1]
    if len(varying) > 2:  # PHQ9_S1_1 and GAD7_S1_1 begin alike only: take the first number as fixed
        split: dict[int, list[tuple[str, list[int]]]] = {}
        for name, numbers in members:
            split.setdefault(numbers[varying[0]], []).append((name, numbers))
        return [family for part in split.values() for family in _families_of(pieces, part)]
    if len(members) < LEAST_ITEMS or not varying:
        return []
    item, session = _slots(pieces, members, varying)
    if min(numbers[s] for _, numbers in members for s in varying) < 1:
        members = [(n, numbers) for n, numbers in members if all(numbers[s] >= 1 for s in varying)]
    columns: dict[tuple[int | None, int | None], str] = {}
    for name, numbers in members:
        key = (
            None if session is None else numbers[session],
            None if item is None else numbers[item],
        )
        columns.setdefault(key, name)
    fixed = members[0][1] if members else []
    pattern = pieces[0]
    for slot, piece in enumerate(pieces[1:]):
        place = {item: "{item}", session: "{session}"}.get(slot, "")
        width = str(fixed[slot]) if fixed else ""
        pattern += (place or width) + piece
    if len(columns) < LEAST_ITEMS or "{" in "".join(pieces):
        return []
    return [Family(stem_of(pattern), pattern, columns)]


def _slots(
    pieces: list[str], members: list[tuple[str, list[int]]], varying: list[int]
) -> tuple[int | None, int | None]:
    """Return which number is the item and which the session."""
    if len(varying) == 1:
        slot = varying[0]
        is_session = bool(_SESSION_WORDS.search(pieces[slot]))
        return (None, slot) if is_session else (slot, None)
    first, second = varying
    if _SESSION_WORDS.search(pieces[second]) and not _SESSION_WORDS.search(pieces[first]):
        return first, second
    return second, first


def stem_of(pattern: str) -> str:
    """Return the letters of a pattern that tell what it is: `wai` of `WAI_S{session}_{item}`."""
    words = _SESSION_WORDS.pattern.removesuffix("$") + r"\{session\}"
    text = re.sub(words, "_", pattern).replace("{session}", "_")
    text = re.sub(r"(?i)([_. -]+(item|frage|q|i))?[_. -]*\{item\}", "", text)
    return re.sub(r"[^0-9a-z\u00c0-\uffff]+", "_", text.lower()).strip("_") or "form"
