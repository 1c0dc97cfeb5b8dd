"""Which scoring key fits a family of columns, by number and range of its items and by its name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from alliance.config.instruments import Instrument, load_instruments

_THERAPIST = re.compile(r"(?i)(ther|_t$|^t_|th$|(?<=wai)t|behandler)")
CLEAR_LEAD = 1.0
MOST_TOLD = 4
_BY_NAME = 3.0
# Abbreviations that sites use beside the key's own.
_NICKNAMES = {
    "qids-sr-16": ("qids",), "ids-sr-30": ("ids",), "ham-d-17": ("hamd", "hdrs", "hrsd"),
    "haq-ii-p": ("haq",), "haq-ii-t": ("haq",), "oq-45": ("oq",), "core-om": ("core",),
    "wai-sr-c": ("wai", "waisr"), "wai-s-c": ("wai", "wais"), "wai-s-t": ("wai", "wais"),
    "wai-36-c": ("wai",), "wai-36-t": ("wai",), "wai-o": ("wai", "waio"), "bdi-ii": ("bdi",),
    "dass-21": ("dass",), "scl-90-r": ("scl",), "bsi-53": ("bsi",), "bsi-18": ("bsi",),
    "who-5": ("who",), "y-bocs": ("ybocs",), "pcl-5": ("pcl",), "gad-7": ("gad",),
    "phq-9": ("phq",), "phq-8": ("phq",), "ede-q": ("ede", "edeq"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """A key that may fit.

    Attributes
    ----------
    instrument
        The key.
    weight
        How much speaks for it.
    reason
        What, in words.
    named
        Whether the columns' names say so, too.
    stored_as
        What stands for the lowest and highest answer where the file counts from another number.
    codes_by_item
        Numbered options by item, where the form prints them otherwise (1a, 1b).
    """

    instrument: Instrument
    weight: float
    reason: str
    named: bool
    stored_as: tuple[float, float] | None = None
    codes_by_item: Mapping[int, Mapping[str, float]] = field(default_factory=dict)


@cache
def known_keys() -> dict[str, Instrument]:
    """Return the project's scoring keys by id."""
    return load_instruments()


def candidates(
    stem: str, n_items: int, low: float, high: float, whole: bool = True
) -> list[Candidate]:
    """Return the keys that fit, the likeliest first.

    Parameters
    ----------
    stem
        Letters of the columns' names.
    n_items
        How many items there are.
    low, high
        Lowest and highest answer seen; NaN where answers are texts.
    whole
        Whether all answers are whole numbers.
    """
    found = []
    for key in known_keys().values():
        if key.n_items != n_items or (not whole and key.step >= 1):
            continue
        named = _is_named(stem, key)
        highest = max([key.maximum, *key.item_maximum.values()])
        if not math.isnan(low) and (low < key.minimum or high > highest):
            shift = (low, high) if named and whole and not key.item_maximum else None
            if shift and math.isclose(high - low, key.maximum - key.minimum):
                told = f"the name fits, and answers run from {low:g} to {high:g}: counted from"
                told += f" {low:g}, the form counts from {key.minimum:g}"
                rated = (key.rater == "therapist") == bool(_THERAPIST.search(stem))
                weight = 1.0 + _BY_NAME + 2 + (0.5 if rated else -0.75)
                found.append(Candidate(key, weight, told, named, stored_as=shift))
            elif named:
                told = f"the name fits, but answers run from {low:g} to {high:g}, not from"
                told += f" {key.minimum:g} to {highest:g}: another version, or counted otherwise"
                found.append(Candidate(key, 0.1, told, named))
            continue
        reasons, weight = [f"{n_items} items from {key.minimum:g} to {highest:g}"], 1.0
        if named:
            weight += _BY_NAME
            reasons.append("the name fits")
        if not math.isnan(low):
            full = (low == key.minimum) + (high == highest)
            weight += full
            if full == 2:
                reasons.append("both ends of the scale occur")
        says_therapist = bool(_THERAPIST.search(stem))
        weight += 0.5 if (key.rater == "therapist") == says_therapist else -0.75
        if key.rater == "observer":
            weight -= 0.75
        if key.status == "check":
            weight -= 0.25
            reasons.append("this key is known from the literature only")
        found.append(Candidate(key, weight, ", ".join(reasons), named))
    return sorted(found, key=lambda c: (-c.weight, c.instrument.id))


def with_options_numbered(
    stem: str, n_items: int, range_of: Callable[[bool, Collection[int]], tuple[float, float]]
) -> list[Candidate]:
    """Return the keys whose printed options (1a, 1b) the file numbers from 0.

    Parameters
    ----------
    stem, n_items
        As of `candidates`.
    range_of
        Returns lowest and highest answer to those of the named items (True), or to all others.
    """
    found = []
    for key in known_keys().values():
        printed = key.stored.codes_by_item
        if not printed or key.n_items != n_items or not _is_named(stem, key):
            continue
        low, high = range_of(True, printed)
        others = range_of(False, printed)
        options = [key.minimum, *next(iter(printed.values())).values()]
        fits = key.minimum <= others[0] and others[1] <= key.maximum
        if fits and low >= 0 and key.maximum < high <= len(options) - 1:
            told = f"the name fits, and items {' and '.join(map(str, printed))} run to {high:g}:"
            told += " their printed options are numbered"
            codes = {str(number): answer for number, answer in enumerate(options)}
            numbered = dict.fromkeys(printed, codes)
            found.append(Candidate(key, 1 + _BY_NAME + 2, told, True, codes_by_item=numbered))
    return found


def chosen(listed: Sequence[Candidate]) -> Candidate | None:
    """Return the key to write down: it fits by number, range and name, and clearly leads."""
    if not listed or not listed[0].named or listed[0].weight < _BY_NAME:
        return None
    if len(listed) > 1 and listed[0].weight - listed[1].weight < CLEAR_LEAD:
        return None
    return listed[0]


def named_by(stem: str) -> list[str]:
    """Return the ids of the keys that the letters of a name are of."""
    return [name for name, key in known_keys().items() if _is_named(stem, key)]


def _is_named(stem: str, key: Instrument) -> bool:
    """Whether the letters of a name are those of the key."""
    letters = re.sub(r"[^a-z]", "", stem.lower())
    own = {re.sub(r"[^a-z]", "", key.id), re.sub(r"[^a-z]", "", key.abbreviation.lower())}
    own |= set(_NICKNAMES.get(key.id, ()))
    return any(len(word) >= 2 and letters.startswith(word) for word in own if word)
