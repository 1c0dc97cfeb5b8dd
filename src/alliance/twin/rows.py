"""The rows of a site's tables, by what one row of a table is: a client, a session or an answer."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alliance.config.instruments import Instrument
from alliance.ingest.columns import Columns
from alliance.ingest.reading import Reading
from alliance.twin.cells import (
    Cell,
    answers_to_cells,
    date_text,
    fact_cell,
    session_text,
    words_to_texts,
)

Row = dict[str, Cell]
TICK = "1"


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a drawn client: `answers` by measure, as ticked, NaN where left out."""

    number: int
    date: datetime.date | None
    weeks: float
    attended: bool
    answers: Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Client:
    """A drawn client of a site; `facts` by name, `therapist` among them."""

    id: str | float
    site: str
    facts: Mapping[str, Any]
    sessions: list[Session]


@dataclass(slots=True)
class Writer:
    """What is needed to write the rows of one table.

    Attributes
    ----------
    reading
        The table as the intake read it: mapping, columns, the real file's texts.
    keys
        Scoring key by measure.
    sites
        How the table's site column calls each site.
    skipped
        What stands for an item that was left out of a form (a text, a number, or nothing).
    facts_on_sessions
        Of tables with rows about clients alone: whether facts stand on the rows of sessions too.
    """

    reading: Reading
    keys: Mapping[str, Instrument]
    sites: Mapping[str, str]
    skipped: Cell
    facts_on_sessions: bool
    _texts: dict[str, dict[str, str]] = field(default_factory=dict)
    _answers: dict[tuple[str, int], dict[float, Cell]] = field(default_factory=dict)

    @property
    def table(self) -> Mapping[str, Any]:
        """The table's entry in the completed mapping."""
        return self.reading.table

    @property
    def columns(self) -> Columns:
        """Which columns mean what."""
        return self.reading.columns

    def rows(self, clients: list[Client]) -> Iterator[Row]:
        """Yield the table's rows about the clients, in their order."""
        layout = {"client": self._of_client, "session": self._of_sessions,
                  "answer": self._of_answers}[self.table["rows"]]  # fmt: skip
        selected = {column: next((t for t in texts if t), None)
                    for column, texts in self.table["keep_rows"].items()}  # fmt: skip
        for client in clients:
            for row in layout(client):
                yield {**{k: v for k, v in selected.items() if row.get(k) is None}, **row}

    def _of_client(self, client: Client) -> Iterator[Row]:
        row = self._known(client)
        for session in client.sessions:
            if session.number in self.columns.sessions:
                self._add_session(row, client, session, session.number)
        told = set(row) - {self.table["client"]}
        if self.table["every_client"] or any(row[name] is not None for name in told):
            yield row

    def _of_sessions(self, client: Client) -> Iterator[Row]:
        given = self.table["session"]
        if given["about_client"]:
            yield {given["column"]: given["about_client"][0], **self._known(client)}
        for session in client.sessions:
            row = self._named(client)
            if not given["about_client"] or self.facts_on_sessions:
                row |= self._known(client)
            if self._name_session(row, session):
                self._add_session(row, client, session, None)
                yield row

    def _of_answers(self, client: Client) -> Iterator[Row]:
        for session in client.sessions:
            for measure, values in session.answers.items():
                if measure not in self.table["measures"]:
                    continue
                for item, value in enumerate(values, start=1):
                    cell = self._answer(measure, item, value)
                    row = self._known(client)
                    if np.isnan(value) or cell is None or not self._name_session(row, session):
                        continue
                    self._add_session(row, client, session, None)
                    if self.table["form"] is not None:
                        row[self.table["form"]] = self.table["measures"][measure]["form"]
                    yield row | {self.table["item"]: float(item), self.table["answer"]: cell}

    def _named(self, client: Client) -> Row:
        row: Row = {self.table["client"]: client.id}
        if self.table["site"] is not None:
            row[self.table["site"]["column"]] = self.sites[client.site]
        return row

    def _known(self, client: Client) -> Row:
        """Return what stands of a client on each row that tells of clients."""
        row = self._named(client)
        for name, fact in self.table["client_facts"].items():
            value = client.facts.get(name)
            if fact["boxes"] is not None:
                row |= {box: TICK if word == value else "0" for box, word in fact["boxes"].items()}
            elif name == "intake_date":
                row[fact["column"]] = self._date(fact["column"], value)
            else:
                texts = self._texts.setdefault(name, words_to_texts(fact, self.reading.raw))
                row[fact["column"]] = fact_cell(fact, value, texts)
        return row

    def _name_session(self, row: Row, session: Session) -> bool:
        """Write which session it is; false where the table has no name for it."""
        given = self.table["session"]
        if given["by_date"]:
            row[given["by_date"]] = self._date(given["by_date"], session.date)
            return session.date is not None
        if given["order_by"]:
            row[given["order_by"][0]] = float(session.number)
            return True
        row[given["column"]] = session_text(given, session.number)
        return row[given["column"]] is not None

    def _add_session(self, row: Row, client: Client, session: Session, number: int | None) -> None:
        """Write a session's own facts and answers; `number` where it stands in column names."""
        attended = self.table["session_facts"].get("attended")
        told = {
            "day": session.weeks * 7,
            "week": session.weeks,
            "therapist": client.facts.get("therapist"),
            "attended": attended and _attended(attended["attended"], session.attended),
        }
        for fact, by_session in self.columns.session_facts.items():
            column = by_session.get(number)
            if column is None:
                continue
            value = self._date(column, session.date) if fact == "date" else told[fact]
            unknown = isinstance(value, float) and np.isnan(value)
            session_column = (self.table["session"] or {}).get("column")
            if not unknown and column != session_column:
                row[column] = value
        for measure in self.columns.items if self.table["rows"] != "answer" else ():
            if measure in session.answers:
                self._add_form(row, measure, session.answers[measure], number)

    def _add_form(self, row: Row, measure: str, values: np.ndarray, number: int | None) -> None:
        for entry in self.columns.items[measure]:
            if entry.session == number:
                value = values[entry.item - 1]
                cell = self._answer(measure, entry.item, value)
                row[entry.column] = self.skipped if np.isnan(value) else cell
        column = self.columns.totals.get(measure, {}).get(number)
        if column is not None and not np.isnan(values).any():
            key = self.keys[measure]
            items = [i for i in range(1, key.n_items + 1) if i not in key.unscored]
            turned = {i: sum(key.range_of(i)) - values[i - 1] for i in key.reverse}
            row[column] = float(sum(turned.get(i, values[i - 1]) for i in items))

    def _answer(self, measure: str, item: int, value: float) -> Cell:
        given, decimal = self.table["measures"][measure], self.table["decimal"]
        known = self._answers.get((measure, item))
        if known is None:
            known = answers_to_cells(given, self.keys[measure], decimal, item)
            self._answers[measure, item] = known
        if self.keys[measure].step:
            return known.get(float(value))
        return None if np.isnan(value) else float(value)

    def _date(self, column: str, date: datetime.date | None) -> Cell:
        if date is None or column in self.reading.raw.dates:
            return date
        return date_text(date, self.table["dates"])


def _attended(texts: list[str], attended: bool) -> str:
    return texts[0] if attended else next(text for text in ("0", "no") if text not in texts)
