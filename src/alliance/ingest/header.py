"""Find a mapping's columns by what their names look like, before anything is asked of them.

A name with a zero-width space, in capital letters or with another dash is the same to a person. Its
column is read under the mapping's own name, and that is told; where two columns would do, neither.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from alliance.ingest.columns import PLACES, Columns, matches, names_of, near
from alliance.ingest.problems import Place, Problems
from alliance.ingest.raw import RawTable
from alliance.likeness import difference, read, seen

MOST_SHOWN = 5  # names in one message
MOST_COLUMNS = 5_000  # of one table that are read
MOST_MISSING = 100  # missing columns of a file that are told by name


def align(table: Mapping[str, Any], raw: RawTable, place: Place, problems: Problems) -> None:
    """Give columns of a table's file that look like the mapping's the names that it uses.

    Columns that the table takes from other files are not looked for.
    """
    names, patterns = names_of(table)
    taken = {name for joined in table["join"] for name in joined["take"]}
    names = [name for name in names if name not in taken]
    names += [ours for joined in table["join"] for ours in joined["by"]]
    _rename(raw, names, patterns, place, problems)


def align_joined(
    entry: Mapping[str, Any], other: RawTable, place: Place, problems: Problems
) -> None:
    """Do the same for a file that is joined on."""
    _rename(other, [*entry["by"].values(), *entry["take"]], [], place, problems)


def _rename(
    raw: RawTable, names: Sequence[str], patterns: Sequence[str], place: Place, problems: Problems
) -> None:
    spoken_for = set(names) | {name for p in patterns for name, _ in matches(p, raw.header)}
    spoken_for &= set(raw.header)
    left = {at: name for at, name in enumerate(raw.header) if name and name not in spoken_for}
    found = _alike(names, spoken_for, left)
    for pattern in patterns:
        found |= _of_one_family(_matching(pattern, left), left, spoken_for)
    told: dict[str, list[str]] = {}
    for at, wanted in found.items():
        is_second = wanted in spoken_for
        if is_second and seen(left[at]) != seen(wanted):
            continue  # another column, as everybody can see
        how = difference(left[at], wanted)
        told.setdefault(f"{how}; {'not ' if is_second else ''}", []).append(wanted)
        if not is_second:
            raw.rename(at, wanted)
    for how, listed in told.items():
        n = "1 column looks" if len(listed) == 1 else f"{len(listed):,} columns look"
        evidence = f"{n} like the one that is meant, but for {how}read as such"
        problems.add_finding("look-alike-name", place, listed[0], evidence)


def _alike(
    names: Sequence[str], spoken_for: Collection[str], left: Mapping[int, str]
) -> dict[int, str]:
    """Return the columns that look like one of `names`: identical ones before similar ones."""
    found: dict[int, str] = {}
    for fold in (seen, read):
        by_fold: dict[str, list[int]] = {}
        for at, name in left.items():
            by_fold.setdefault(fold(name), []).append(at)
        known = set(found.values()) | (set(spoken_for) if fold is read else set())
        for wanted in dict.fromkeys(names):
            if wanted not in known:
                found |= {at: wanted for at in by_fold.get(fold(wanted), []) if at not in found}
    return found


def _of_one_family(
    matched: dict[int, str], left: Mapping[int, str], spoken_for: Collection[str]
) -> dict[int, str]:
    """Leave out families of columns that stand beside the one that is meant (WAI_1 beside wai_1).

    They are another form's, and fill no gap of this one.
    """
    family = {at: re.sub("[0-9]+", "#", left[at]) for at in matched}
    others = {
        family[at]
        for at, wanted in matched.items()
        if wanted in spoken_for and seen(left[at]) != seen(wanted)
    }
    return {at: wanted for at, wanted in matched.items() if family[at] not in others}


def _matching(pattern: str, left: Mapping[int, str]) -> dict[int, str]:
    """Return the columns that look as if they matched a pattern, by the names that it means."""
    found: dict[int, str] = {}
    parts = PLACES.split(read(pattern))
    regex = re.compile(
        "".join(f"(?P<{part}>[0-9]+)" if i % 2 else re.escape(part) for i, part in enumerate(parts))
    )
    for at, name in left.items():
        numbers = regex.fullmatch(read(name))
        if numbers is not None:
            found[at] = pattern
            for place, number in numbers.groupdict().items():
                found[at] = found[at].replace(f"{{{place}}}", number)
    return found


def note_missing_columns(
    table: Mapping[str, Any],
    header: list[str],
    columns: Columns,
    place: Place,
    problems: Problems,
) -> None:
    """Note each missing column; where none at all is found, one problem for the whole file."""
    is_single = len([name for name in header if name]) == 1
    if columns.missing and (is_single or set(columns.missing) >= set(columns.used)):
        row = table["header_row"]
        has = "a single column" if is_single else "none of the columns that the site mapping names"
        mend = ["set `header_row` to the row that holds the column names"]
        if table["format"] == "csv":
            mend.insert(0, "set the right `delimiter` in the site mapping")
        problems.add(
            "column-missing",
            place,
            expected=f"the {len(columns.used)} columns that the site mapping names in row {row};"
            f" it has {has}",
            remedy=", or ".join(mend),
        )
        return
    if (more := len(columns.missing) - MOST_MISSING) > 0:
        told = f"a column of each name in the header row; {more:,} more are missing"
        problems.add("column-missing", place, expected=told, rows_affected=more)
    for name in columns.missing[:MOST_MISSING]:
        close = near(name, header)
        likely = f" (the file has: {', '.join(close)})" if close else ""
        remedy = f"export the column again, or mend its name in the site mapping{likely}"
        problems.add("column-missing", place, column=name, remedy=remedy)


def note_too_wide(n_columns: int, place: Place, problems: Problems) -> None:
    """Note a table that has more columns than anybody's export: it would take minutes to read."""
    told = f"at most {MOST_COLUMNS:,} columns; the site mapping names {n_columns:,} of this file"
    remedy = "look at the pattern of the items in the site mapping, or export one row a session"
    problems.add("file-unreadable", place, expected=told, remedy=remedy)


def note_shared_labels(raw: RawTable, columns: Columns, place: Place, problems: Problems) -> None:
    """Stop where a field is read that has its label in common with another one."""
    untold = [name for name in columns.used if name in raw.untold]
    if untold:
        sharing = list(dict.fromkeys(" = ".join(raw.untold[name]) for name in untold))
        more = f", and {len(sharing) - MOST_SHOWN} more" if len(sharing) > MOST_SHOWN else ""
        told = f"fields with one label: {', '.join(sharing[:MOST_SHOWN])}{more}"
        problems.add_finding("label-shared", place, untold[0], told, rows_affected=len(raw))
