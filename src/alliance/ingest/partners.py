"""Name the rows that a row stands against: its copies, and those that contradict it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence

MOST_NAMED = 3


def others(groups: Sequence[Hashable], places: Sequence[str], wanted: Iterable[int]) -> list[str]:
    """Return for some places the words that name the others of their groups.

    Parameters
    ----------
    groups, places
        Of one length: what belongs together, and the words for each ("row 7").
    wanted
        The positions for which words are wanted.
    """
    sizes = Counter(groups)
    members: dict[Hashable, list[str]] = defaultdict(list)
    for group, place in zip(groups, places, strict=True):
        if len(members[group]) <= MOST_NAMED:
            members[group].append(place)
    found = []
    for at in wanted:
        group = groups[at]
        named = [other for other in members[group] if other != places[at]][:MOST_NAMED]
        n_more = sizes[group] - 1 - len(named)
        found.append(" and ".join([*named, *([f"{n_more:,} more"] if n_more > 0 else [])]))
    return found
