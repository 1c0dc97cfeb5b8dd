"""Put the columns of a second file beside those of a table, by a key that both have.

Nobody is lost on the way: rows of the table whose key the other file lacks stay, with the taken
columns empty, and are told; rows of the other file that no row of the table asks for are told too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from alliance.ingest import parse
from alliance.ingest.header import align_joined
from alliance.ingest.ledger import Ledger
from alliance.ingest.problems import Place, Problems, rows_where
from alliance.ingest.raw import RawTable
from alliance.ingest.readers.cells import MS_A_DAY, moment_text, texts_by_unique
from alliance.ingest.reading import counted, note_odd
from alliance.ingest.rules import READ
from alliance.likeness import Words, difference, read, without_decimals

NO_KEY, TWICE, UNUSED = "no-key", "key-twice", "key-unused"
# ASSUME a key that finds no partner for more than half of the rows is the wrong key.
MOST_UNMATCHED = 0.5


@dataclass(slots=True)
class JoinedFile:
    """A file that was joined on, to account for its rows once all tables are read.

    Attributes
    ----------
    place
        File, sheet and the canonical table that asked for it.
    columns
        The columns that are read, the key first.
    raw
        The file as text, n rows.
    reason
        Shape (n,): why a row serves nobody (None: it does).
    """

    place: Place
    columns: list[str]
    raw: RawTable
    reason: np.ndarray


@dataclass(slots=True)
class JoinedFiles:
    """All files of a site that were joined on; one file may serve several tables."""

    files: dict[tuple[str, str | None, str, str], JoinedFile] = field(default_factory=dict)

    def add(self, joined: JoinedFile) -> None:
        """Remember a file; a row that serves one of the tables is used."""
        place = joined.place
        key = (place.file, place.sheet, place.table, joined.columns[0])
        known = self.files.get(key)
        if known is not None and len(known.reason) == len(joined.reason):
            both = joined.reason == UNUSED
            joined.reason = np.where(both, known.reason, joined.reason)
        self.files[key] = joined

    def account(self, problems: Problems, ledger: Ledger) -> None:
        """Tell the rows that serve nobody, and count all."""
        for joined in self.files.values():
            note_odd(joined.raw, joined.columns, joined.place, problems)
            for rule in (NO_KEY, TWICE, UNUSED):
                rows = rows_where(joined.reason == rule, joined.raw.rows)
                problems.add(rule, joined.place, rows=rows, column=joined.columns[0])
            reasons = counted(joined.reason) + joined.raw.unread()
            ledger.count(joined.place, "rows", {READ: sum(reasons.values()), **reasons})


def join(
    table: Mapping[str, Any],
    raw: RawTable,
    entry: Mapping[str, Any],
    other: RawTable | None,
    place: Place,
    problems: Problems,
) -> JoinedFile | None:
    """Put the columns that `entry` takes from `other` beside those of `raw`.

    Parameters
    ----------
    table, raw
        The table's entry in the completed mapping, and its file.
    entry, other
        The entry of the joined file, and that file (None if it cannot be read).
    place
        Where the table's own rows stand.
    problems
        Where problems go.

    Returns
    -------
    JoinedFile or None
        None where the file or a column is missing (it is told); the taken columns are blank then.
    """
    theirs = Place(entry["file"], entry["sheet"], place.table)
    if other is not None:
        align_joined(entry, other, theirs, problems)
    by = entry["by"]
    is_whole = other is not None and _has_columns(raw, by, place, problems)
    if other is not None:
        is_whole &= _has_columns(other, [*by.values(), *entry["take"]], theirs, problems)
    if other is None or not is_whole:
        raw.header += entry["take"]
        blank = pd.Series(pd.NA, index=range(len(raw)), dtype="str")
        raw.columns += [blank] * len(entry["take"])
        return None
    real = [ours in raw.dates or other_ in other.dates for ours, other_ in by.items()]
    same_as = table["same_as"]["client"] if table["client"] in by else {}
    own_key = _keys(raw, by, table, real).replace(same_as)
    other_key = _keys(other, by.values(), entry, real).replace(same_as)
    reason = _judged(other, other_key, entry["take"])
    position = pd.Series(np.arange(len(other)), index=other_key)[pd.isna(reason)]
    position = position[~position.index.duplicated()]
    found = own_key.map(position).fillna(-1).astype("int64").to_numpy()
    for name in entry["take"]:
        _take(raw, other, name, found)
    used = other_key.isin(own_key[found >= 0]).to_numpy()
    reason[pd.isna(reason) & ~used] = UNUSED
    likely = _look_alike(own_key[found < 0], other_key)
    _note_unmatched(raw, next(iter(by)), found < 0, theirs, place, problems, likely)
    return JoinedFile(theirs, [*by.values(), *entry["take"]], other, reason)


def _has_columns(raw: RawTable, names: Any, place: Place, problems: Problems) -> bool:
    count = {name: raw.header.count(name) for name in names}
    for name, n in count.items():
        if n != 1:
            problems.add("column-twice" if n else "column-missing", place, column=name)
    return all(n == 1 for n in count.values())


def _keys(
    raw: RawTable, columns: Iterable[str], source: Mapping[str, Any], real: list[bool]
) -> pd.Series:
    """Return each row's key as one text, missing where a part of it is.

    Where one of the two files has real dates (`real`), the written dates of the other are read.
    """
    parts = []
    for name, is_date in zip(columns, real, strict=True):
        part = raw.column(name).str.strip()
        part = part.mask(parse.is_one_of(part, Words(source["missing"], (without_decimals,))))
        if is_date:
            days = parse.moments(part, source["dates"], raw.dates.get(name))
            part = texts_by_unique(days * MS_A_DAY, lambda ms: moment_text(round(ms))).fillna(part)
        parts.append(part)
    key = parts[0]
    for part in parts[1:]:
        key = key + "\x1f" + part
    return key


def _judged(other: RawTable, key: pd.Series, take: list[str]) -> np.ndarray:
    """Return why a row cannot serve: no key, or a key that stands twice with other content."""
    reason = np.full(len(other), None, dtype=object)
    reason[key.isna().to_numpy()] = NO_KEY
    content = pd.DataFrame({i: other.column(name).fillna("") for i, name in enumerate(take)})
    rows = pd.DataFrame({"key": key, "content": pd.util.hash_pandas_object(content, index=False)})
    n_contents = rows.groupby("key")["content"].transform("nunique")
    reason[(n_contents > 1).to_numpy()] = TWICE
    return reason


def _take(raw: RawTable, other: RawTable, name: str, found: np.ndarray) -> None:
    """Put one column beside the others; row `found` of the other file goes to each own row."""
    at = other.header.index(name)
    raw.header.append(name)
    raw.columns.append(other.columns[at].reindex(found).reset_index(drop=True))
    if name in other.labels:
        raw.labels[name] = other.labels[name]
    if name in other.dates:
        real = other.dates[name].reindex(found).fillna(False).astype(bool)
        raw.dates[name] = real.reset_index(drop=True)


def _look_alike(unmatched: pd.Series, keys: pd.Series) -> str:
    """Return in words that keys without partner look like one of `keys` ("" if none does)."""
    known = {read(str(key)): str(key) for key in keys.dropna().unique()}
    alike = [str(key) for key in unmatched.dropna().unique() if read(str(key)) in known]
    if not alike:
        return ""
    how = difference(alike[0], known[read(alike[0])])
    return f"; {len(alike):,} keys differ from one that is there in {how} only"


def _note_unmatched(
    raw: RawTable,
    column: str,
    unmatched: np.ndarray,
    theirs: Place,
    place: Place,
    problems: Problems,
    likely: str,
) -> None:
    n = int(unmatched.sum())
    expected = f"a row with this key in {theirs.file}{likely}"
    if n and n > MOST_UNMATCHED * len(raw):
        problems.add(
            "keys-disagree",
            place,
            column=column,
            expected=f"{expected}; {n:,} of {len(raw):,} rows find none",
        )
    problems.add(
        "key-unmatched",
        place,
        rows=rows_where(unmatched, raw.rows),
        column=column,
        expected=expected,
    )
