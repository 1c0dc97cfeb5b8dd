"""Find the columns that a site's mapping means in a file's header, and those that are not there."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from alliance.config.site_mapping import letters_of

MOST_COMPARED = 2_000  # names of a header; comparing grows with their square
PLACES = re.compile(r"\{(session|item)\}")


class ItemColumn(NamedTuple):
    """Where the answers to one item stand; `session` is None where each row is a session."""

    session: int | None
    item: int
    column: str


BySession = dict[int | None, str]


@dataclass(slots=True)
class Columns:
    """The columns of a table by what they mean.

    Attributes
    ----------
    items
        By measure: the columns of its items.
    totals
        By measure: the column of the recorded total, by session.
    session_facts
        By fact (date, day, week, attended): its column, by session.
    plain
        Columns named outright (client, site, session, facts, ...).
    missing, twice
        Names that the mapping means and the header lacks, or holds more than once.
    """

    items: dict[str, list[ItemColumn]] = field(default_factory=dict)
    totals: dict[str, BySession] = field(default_factory=dict)
    session_facts: dict[str, BySession] = field(default_factory=dict)
    plain: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)

    @property
    def used(self) -> list[str]:
        """Every column that is read, each once."""
        names = list(self.plain)
        for listed in self.items.values():
            names += [entry.column for entry in listed]
        for by_session in (*self.totals.values(), *self.session_facts.values()):
            names += by_session.values()
        return list(dict.fromkeys(names))

    @property
    def sessions(self) -> list[int]:
        """Session numbers that stand in column names."""
        found = {entry.session for listed in self.items.values() for entry in listed}
        for by_session in self.session_facts.values():
            found |= set(by_session)
        return sorted(session for session in found if session is not None)


def resolve(table: Mapping[str, Any], header: Sequence[str], n_items: Mapping[str, int]) -> Columns:
    """Return which columns of `header` the mapping of a table means.

    Parameters
    ----------
    table
        A table's entry in the completed site mapping.
    header
        Column names of the file.
    n_items
        Number of items by measure.
    """
    columns = Columns(plain=_plain_columns(table))
    for measure, given in table["measures"].items():
        if given["items"] is not None or given["items_at"] is not None:
            columns.items[measure] = _item_columns(given, header, n_items[measure], columns)
    sessions = columns.sessions
    for measure, given in table["measures"].items():
        if given["recorded_total"] is not None:
            own = sorted({e.session for e in columns.items[measure] if e.session is not None})
            pattern = given["recorded_total"]
            columns.totals[measure] = _by_session(pattern, header, own, columns)
    for fact, given in table["session_facts"].items():
        pattern = given["column"] if isinstance(given, dict) else given
        columns.session_facts[fact] = _by_session(pattern, header, sessions, columns)
    names = Counter(header)
    columns.missing += [name for name in columns.used if name not in names]
    columns.missing = list(dict.fromkeys(columns.missing))
    columns.twice += [name for name in columns.used if names[name] > 1]
    return columns


def near(name: str, header: Sequence[str]) -> list[str]:
    """Return names of `header` that `name` may have been meant to be.

    Close ones only: where a file has no header row, its first row holds a client's values.
    """
    if len(header) > MOST_COMPARED:
        return []
    return difflib.get_close_matches(name, [h for h in header if h], n=3, cutoff=0.75)


def lettered(table: Mapping[str, Any], header: Sequence[str]) -> list[str]:
    """Return the header with the columns that `items_at` gives by letter named by them: `(D)`.

    Their names are item wordings or, where the header row is wrong, a client's answers: neither
    may be told.
    """
    named = set(_plain_columns(table))
    positions = {at for given in table["measures"].values() for at in given["items_at"] or ()}
    return [
        f"({letters_of(at)})" if at in positions and name not in named else name
        for at, name in enumerate(header)
    ]


def _plain_columns(table: Mapping[str, Any]) -> list[str]:
    session = table["session"] or {"column": None, "by_date": None, "order_by": []}
    site = table["site"] or {"column": None}
    names = [table["client"], site["column"], session["column"], session["by_date"]]
    names += session["order_by"]
    names += [table["form"], table["item"], table["answer"], *table["keep_rows"]]
    for fact in table["client_facts"].values():
        names += [fact["column"]] if fact["boxes"] is None else [*fact["boxes"], fact["column"]]
    return [name for name in dict.fromkeys(names) if name is not None]


def names_of(table: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the columns that a table's mapping names outright, and its patterns."""
    told: list[Any] = list(_plain_columns(table))
    for given in table["measures"].values():
        inner = given["items"]
        told += list(inner.values()) if isinstance(inner, dict) else [inner]
        told.append(given["recorded_total"])
    for fact in table["session_facts"].values():
        told.append(fact["column"] if isinstance(fact, dict) else fact)
    listed = [
        name for entry in told if entry for name in ([entry] if isinstance(entry, str) else entry)
    ]
    return (
        [name for name in listed if not PLACES.search(name)],
        [name for name in listed if PLACES.search(name)],
    )


def _item_columns(
    given: Mapping[str, Any], header: Sequence[str], n_items: int, columns: Columns
) -> list[ItemColumn]:
    if given["items_at"] is not None:
        return [
            ItemColumn(None, i + 1, header[at] if at < len(header) else f"({letters_of(at)})")
            for i, at in enumerate(given["items_at"])
        ]
    items = given["items"]
    if isinstance(items, list):
        return [ItemColumn(None, i + 1, column) for i, column in enumerate(items)]
    if isinstance(items, dict):
        found = []
        for session, inner in items.items():
            listed = _item_columns({**given, "items": inner}, header, n_items, columns)
            found += [entry._replace(session=int(session)) for entry in listed]
        return found
    return _by_pattern(items, given["sessions"], header, n_items, columns)


def _by_pattern(
    pattern: str,
    declared: Sequence[int] | None,
    header: Sequence[str],
    n_items: int,
    columns: Columns,
) -> list[ItemColumn]:
    matched = matches(pattern, header)
    found: dict[tuple[int | None, int], str] = {}
    for column, numbers in matched:
        # a total has no number of an item: it is the only one
        session, item = (int(numbers[k]) if k in numbers else None for k in ("session", "item"))
        key = (session, 1 if item is None else item)
        if key in found and found[key] != column:
            columns.twice.append(column)
        found.setdefault(key, column)
    numbered = sorted({session for session, _ in found if session is not None})
    sessions: list[int | None] = [*numbered] or [None]
    if declared is not None:
        sessions = list(declared)
    elif not found:
        columns.missing.append(pattern)
        return []
    listed = []
    widths = _widths(matched)
    for session in sessions:
        for item in range(1, n_items + 1):
            column = found.get((session, item)) or _written(pattern, session, item, widths)
            listed.append(ItemColumn(session, item, column))
    return listed


def _by_session(
    pattern: str, header: Sequence[str], sessions: Sequence[int], columns: Columns
) -> BySession:
    """Return the column of each session; for a plain name the one column, under None."""
    if not PLACES.search(pattern):
        return {None: pattern}
    matched = matches(pattern, header)
    found: BySession = {}
    for column, numbers in matched:
        session = int(numbers["session"])
        if found.setdefault(session, column) != column:
            columns.twice.append(column)
    widths = _widths(matched)
    for session in sessions:  # a session with answers must have this column too
        found.setdefault(session, _written(pattern, session, None, widths))
    if not found:
        columns.missing.append(pattern)
    return found


Match = tuple[str, dict[str, str]]


def matches(pattern: str, header: Sequence[str]) -> list[Match]:
    """Return the names that match a pattern, each with its numbers by `session` and `item`."""
    parts = PLACES.split(pattern)
    regex = "".join(
        f"(?P<{part}>[0-9]{{1,5}})" if i % 2 else re.escape(part) for i, part in enumerate(parts)
    )
    compiled = re.compile(regex)
    found = []
    for column in dict.fromkeys(header):
        match = compiled.fullmatch(column)
        if match and all(int(number) >= 1 for number in match.groupdict().values()):
            found.append((column, match.groupdict()))
    return found


def _widths(matched: list[Match]) -> dict[str, int]:
    """Return how many digits padded numbers have, by place of the pattern."""
    widths: dict[str, int] = {}
    for _, numbers in matched:
        for place, text in numbers.items():
            if text.startswith("0"):
                widths[place] = max(widths.get(place, 1), len(text))
    return widths


def _written(pattern: str, session: int | None, item: int | None, widths: Mapping[str, int]) -> str:
    """Return the name that a column should have, its numbers padded like those of the others."""
    numbers = {"session": session, "item": item}

    def padded(place: re.Match[str]) -> str:
        name = place.group(1)
        number = numbers[name]
        return place.group() if number is None else str(number).zfill(widths.get(name, 1))

    return PLACES.sub(padded, pattern)
