"""Faults planted in the raw files, each with the coordinates at which it must be found.

The faults are those that clinics' exports have: a slip of the finger, a word in a number's
place, a day that does not exist, a row without an id, rows exported twice. They never touch a
client's first or last two sessions, so that intake dates and ways out stay as they were drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from alliance.simulate.habits import east, north, south
from alliance.simulate.habits.raw import ClientFile, RawTable, Row, SessionSheet
from alliance.simulate.items import PHQ_9, WAI_SR, Form

ENOUGH_SESSIONS = 7


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a fault stands: row as a spreadsheet shows it, for .sav the case from 1."""

    site: str
    file: str
    sheet: str | None
    row: int
    column: str | None
    rule: str


@dataclass(slots=True)
class Planter:
    """Spoils one site's raw tables and remembers where."""

    site: str
    clients: list[ClientFile]
    rng: np.random.Generator
    marks: list[tuple[RawTable, Row, str | None, str]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def form(self, form: Form) -> tuple[ClientFile, SessionSheet, int]:
        """Return a client not used before, a middle session and an answered item of `form`."""
        while True:
            client = self.clients[int(self.rng.integers(len(self.clients)))]
            item = int(self.rng.integers(form.n_items))
            if len(client.sessions) < ENOUGH_SESSIONS or client.client in self.used:
                continue
            sheet = client.sessions[int(self.rng.integers(2, len(client.sessions) - 2))]
            given = sheet.answers.get(form.measure)
            if given is not None and given[item] is not None:
                self.used.add(client.client)
                return client, sheet, item + 1

    def spoil(self, table: RawTable, row: Row, column: str, cell: Any, rule: str) -> None:
        """Put `cell` into the row."""
        row[table.at(column)] = cell
        self.marks.append((table, row, column, rule))

    def repeat(self, table: RawTable, row: Row) -> None:
        """Export the row once more, right after itself."""
        copy = list(row)
        table.rows.insert(self._place(table, row) + 1, copy)
        self.marks.append((table, copy, None, "exact-duplicate"))

    def contradict(self, table: RawTable, row: Row, column: str, cell: Any) -> None:
        """Export the row once more, with another answer."""
        copy = list(row)
        copy[table.at(column)] = cell
        table.rows.insert(self._place(table, row) + 1, copy)
        self.marks += [(table, each, None, "conflicting-duplicate") for each in (row, copy)]

    @staticmethod
    def _place(table: RawTable, row: Row) -> int:
        return table.number_of(row) - table.first_row

    def note_single_sessions(self, row_of: Callable[[ClientFile], tuple[RawTable, Row]]) -> None:
        """Remember who came once for no reason; chance made them, nothing has to be spoilt."""
        for client in self.clients:
            explained = client.end_status in ("dropout", "transferred")
            if len(client.sessions) == 1 and not explained:
                self.marks.append((*row_of(client), None, "client-with-one-session"))

    def faults(self) -> list[Fault]:
        """Return all faults with their final coordinates."""
        found = [
            Fault(self.site, table.file, table.sheet, table.number_of(row), column, rule)
            for table, row, column, rule in self.marks
        ]
        return sorted(found, key=lambda f: (f.file, f.sheet or "", f.row, f.column or ""))


def plant_faults(
    site: str,
    tables: list[RawTable],
    clients: list[ClientFile],
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """Spoil the tables of one site in place and return where, as records for truth.json."""
    planter = Planter(site, clients, rng)
    {"north": _north, "east": _east, "south": _south, "west": _west}[site](planter, tables)
    return [asdict(fault) for fault in planter.faults()]


def _row(table: RawTable, **cells: Any) -> Row:
    """Return the first row that has these cells."""
    places = {table.at(column): cell for column, cell in cells.items()}
    return next(r for r in table.rows if all(r[at] == cell for at, cell in places.items()))


def _other_answer(answer: int, form: Form) -> int:
    """Return another answer that the form allows."""
    return answer - 1 if answer == form.maximum else answer + 1


def _north(planter: Planter, tables: list[RawTable]) -> None:
    (table,) = tables

    def row_of(client: ClientFile) -> Row:
        return _row(table, Patient=client.client)

    client, sheet, item = planter.form(WAI_SR)
    column = north.item_column(WAI_SR, sheet.number, item)
    planter.spoil(table, row_of(client), column, 44, "out-of-range")
    client, sheet, item = planter.form(PHQ_9)
    column = north.item_column(PHQ_9, sheet.number, item)
    planter.spoil(table, row_of(client), column, "zwei", "not-a-number")
    client, sheet, _ = planter.form(WAI_SR)
    planter.spoil(table, row_of(client), f"Datum_S{sheet.number:02d}", "31.02.2024", "bad-date")
    planter.repeat(table, row_of(planter.form(WAI_SR)[0]))
    # A row that somebody began and never gave an id: another client's first session.
    donor = row_of(planter.form(WAI_SR)[0])
    stray = [*donor[: table.at("Datum_S02")]]
    stray += [None] * (len(table.columns) - len(stray))
    table.rows.insert(len(table.rows) // 2, stray)
    planter.spoil(table, stray, "Patient", None, "no-client-id")
    planter.note_single_sessions(lambda client: (table, row_of(client)))


def _east(planter: Planter, tables: list[RawTable]) -> None:
    (table,) = tables

    def row_of(client: ClientFile, session: int = 1) -> Row:
        return _row(table, pat_id=client.client, sess_no=session)

    client, sheet, item = planter.form(PHQ_9)
    column = east.item_column(PHQ_9, item)
    planter.spoil(table, row_of(client, sheet.number), column, 4, "out-of-range")
    client, sheet, _ = planter.form(WAI_SR)
    planter.spoil(table, row_of(client, sheet.number), "pat_id", None, "no-client-id")
    client, sheet, _ = planter.form(WAI_SR)
    planter.repeat(table, row_of(client, sheet.number))
    client, sheet, item = planter.form(WAI_SR)
    row, column = row_of(client, sheet.number), east.item_column(WAI_SR, item)
    planter.contradict(table, row, column, _other_answer(row[table.at(column)], WAI_SR))
    planter.note_single_sessions(lambda client: (table, row_of(client)))


def _south(planter: Planter, tables: list[RawTable]) -> None:
    table = tables[0]

    def row_of(client: ClientFile, session: int = 1) -> Row:
        event = south.event(session)
        return _row(table, record_id=client.client, redcap_event_name=event)

    client, sheet, item = planter.form(WAI_SR)
    column = south.item_column(WAI_SR, item)
    planter.spoil(table, row_of(client, sheet.number), column, "4?", "not-a-number")
    client, sheet, _ = planter.form(WAI_SR)
    row = row_of(client, sheet.number)
    planter.spoil(table, row, "session_date", "2023-13-05", "bad-date")
    client, sheet, _ = planter.form(WAI_SR)
    planter.spoil(table, row_of(client, sheet.number), "record_id", None, "no-client-id")
    planter.note_single_sessions(lambda client: (table, row_of(client)))


def _west(planter: Planter, tables: list[RawTable]) -> None:
    _, sessions, answers = tables

    def answer_of(client: ClientFile, sheet: SessionSheet, form: str, item: int) -> Row:
        return _row(answers, client=client.client, session=sheet.number, form=form, item=item)

    planter.spoil(
        answers, answer_of(*_named(planter, WAI_SR, "WAI-SR")), "answer", 6, "out-of-range"
    )
    row = answer_of(*_named(planter, PHQ_9, "PHQ-9"))
    planter.spoil(answers, row, "answer", "often", "not-a-number")
    client, sheet, _ = planter.form(WAI_SR)
    row = _row(sessions, client=client.client, session=sheet.number)
    planter.spoil(sessions, row, "date", "2023-02-30", "bad-date")
    planter.repeat(answers, answer_of(*_named(planter, WAI_SR, "WAI-SR")))
    row = answer_of(*_named(planter, PHQ_9, "PHQ-9"))
    planter.contradict(answers, row, "answer", _other_answer(row[-1], PHQ_9))
    planter.note_single_sessions(lambda client: (sessions, _row(sessions, client=client.client)))


def _named(planter: Planter, form: Form, name: str) -> tuple[ClientFile, SessionSheet, str, int]:
    """Return a free client, session and item with the form's name in the workbook."""
    client, sheet, item = planter.form(form)
    return client, sheet, name, item
