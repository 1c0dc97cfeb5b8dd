"""One table of a site while it is read: its rows, what they are about, which are set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from alliance.ingest import parse
from alliance.ingest.columns import Columns
from alliance.ingest.ledger import Ledger
from alliance.ingest.problems import Place, Problems, rows_where
from alliance.ingest.raw import RawTable
from alliance.ingest.rules import KEPT, NOT_SELECTED, READ, RULES
from alliance.likeness import Words, without_decimals

CANONICAL = {"client": "clients", "session": "sessions", "answer": "responses"}


@dataclass(slots=True)
class Reading:
    """A raw table with the mapping that explains it.

    Attributes
    ----------
    table
        The table's entry in the completed site mapping.
    raw
        Its file as text, n rows.
    columns
        Which columns mean what.
    problems
        Where problems go.
    reason
        Shape (n,): why a row is set aside (a rule's name or `not-selected`), None while it is kept.
    own_id, site
        Shape (n,): the client's id and site as text, missing where unknown.
    client
        Shape (n,): the client's number (-1: unknown).
    session
        Shape (n,): session numbers where rows are sessions or answers.
    about_client
        Shape (n,): true where a row tells about the client and is no session.
    measure, item
        Shape (n,), for rows of answers: position in the mapping's measures, and item number.
    """

    table: Mapping[str, Any]
    raw: RawTable
    columns: Columns
    problems: Problems
    reason: np.ndarray = field(init=False)
    own_id: pd.Series = field(init=False)
    site: pd.Series = field(init=False)
    client: np.ndarray = field(init=False)
    session: np.ndarray = field(init=False)
    about_client: np.ndarray = field(init=False)
    measure: np.ndarray = field(init=False)
    item: np.ndarray = field(init=False)
    _alive: np.ndarray = field(init=False)
    _missing: Words = field(init=False)

    def __post_init__(self) -> None:
        n = len(self.raw)
        self.reason = np.full(n, None, dtype=object)
        self._alive = np.ones(n, dtype=bool)
        # Not in small letters, nor without leading zeros: 009 may be an id where 9 is no answer.
        self._missing = Words(self.table["missing"], (without_decimals,))
        self.own_id = pd.Series(pd.NA, index=range(n), dtype="str")
        self.site = self.own_id
        self.client = np.full(n, -1, dtype=np.int64)
        self.session = np.zeros(n, dtype=np.int64)
        self.measure = np.zeros(n, dtype=np.int64)
        self.item = np.zeros(n, dtype=np.int64)
        self.about_client = np.full(n, self.table["rows"] == "client")

    @property
    def kind(self) -> str:
        """The canonical table that this file's rows belong to."""
        return CANONICAL[self.table["rows"]]

    @property
    def alive(self) -> np.ndarray:
        """Shape (n,): rows that are kept so far."""
        return self._alive.copy()

    @property
    def is_session(self) -> np.ndarray:
        """Shape (n,): kept rows that are a session."""
        return np.asarray(self.alive & ~self.about_client & (self.table["rows"] == "session"))

    def place(self, table: str | None = None) -> Place:
        """Return the place of this file for problems of a canonical table."""
        return Place(self.table["file"], self.table["sheet"], table or self.kind)

    def cells(self, column: str) -> pd.Series:
        """Return a column's texts as they stand; what the mapping calls missing is missing."""
        texts = self.raw.column(column)
        if not self.table["missing"]:
            return texts
        return texts.mask(parse.is_one_of(texts, self._missing))

    def set_aside(
        self,
        rule: str,
        mask: np.ndarray,
        column: str | None = None,
        expected: str | None = None,
        remedy: str | None = None,
        against: Sequence[str] = (),
    ) -> None:
        """Set the rows of `mask` aside that are still kept, and note each as a problem."""
        newly = mask & self._alive
        if not newly.any():
            return
        self.reason[newly] = rule
        self._alive &= ~newly
        if rule != NOT_SELECTED:
            self.problems.add(
                rule,
                self.place(),
                rows=rows_where(newly, self.raw.rows),
                column=column,
                expected=expected,
                remedy=remedy,
                against=against,
            )

    def note_astray(self) -> None:
        """Note what the reader found odd."""
        note_odd(self.raw, self.columns.used, self.place(), self.problems)

    def count_rows(self, ledger: Ledger) -> None:
        """Account for every row of the file (rows of answers are accounted for as answers)."""
        if self.kind == "responses":
            return
        extra = self.count_unread()
        about_client = self.about_client & (self.kind == "sessions")
        for table, mask in (("clients", about_client), (self.kind, ~about_client)):
            reasons = self.counted_rows(mask)
            if table == self.kind:
                reasons += extra
            if table == self.kind or mask.any():
                counts = {READ: sum(reasons.values()), **reasons}
                ledger.count(self.place(table), "rows", counts)

    def counted_rows(self, mask: np.ndarray | bool = True) -> Counter[str]:
        """Return how many of the rows of `mask` are kept, and set aside by each reason."""
        kept = int((self._alive & mask).sum())
        return +(Counter({KEPT: kept}) + counted(self.reason[~self._alive & mask]))

    def count_unread(self) -> Counter[str]:
        """Return how many rows never became rows of the table, by reason."""
        return self.raw.unread()


def counted(reasons: np.ndarray) -> Counter[str]:
    """Return how often each reason occurs; None counts as `kept`."""
    counts = pd.Series(reasons, dtype=object).fillna(KEPT).value_counts()
    return Counter({str(reason): int(count) for reason, count in counts.items()})


def note_odd(raw: RawTable, used: Iterable[str], place: Place, problems: Problems) -> None:
    """Note what a reader found odd: rows that are no rows of the table, marks in `used` columns."""
    known = set(used)
    alike: dict[tuple[str, str | None, int, str], list[int | None]] = {}
    for mark in raw.marks:
        name = None if mark.column is None else raw.header[mark.column]
        if name is None or name in known:
            kind = (mark.rule, name, mark.rows_affected, mark.found)
            alike.setdefault(kind, []).append(mark.row)
    for astray in raw.astray:
        alike.setdefault((astray.rule, None, astray.rows_affected, ""), []).append(astray.row)
    for (rule, name, rows_affected, found), places in alike.items():
        rows = [row for row in places if row is not None]
        problems.add(
            rule,
            place,
            rows=rows or None,
            column=name,
            rows_affected=rows_affected,
            expected=f"{RULES[rule].expected}; {found}" if found else None,
        )
