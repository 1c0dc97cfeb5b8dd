"""West: an Excel workbook with three sheets: clients, sessions, and a row for each answer."""

from __future__ import annotations

import io

from openpyxl import Workbook

from alliance.simulate.habits.raw import ClientFile, RawTable, Row
from alliance.simulate.items import PHQ_9, WAI_S_T, WAI_SR
from alliance.simulate.parameters import Parameters
from alliance.simulate.stable_files import fix_xlsx_times

FILE = "sessions.xlsx"
FORMS = ((WAI_SR, "WAI-SR"), (WAI_S_T, "WAI-S-T"), (PHQ_9, "PHQ-9"))
CLIENTS = ["client", "therapist", "age", "gender", "planned_sessions", "end_status"]


def tables(clients: list[ClientFile], parameters: Parameters) -> list[RawTable]:
    """Return the three sheets."""
    facts: list[Row] = [
        [c.client, c.therapist, c.age_years, c.gender, c.sessions_planned, c.end_status]
        for c in clients
    ]
    sessions: list[Row] = [
        [c.client, sheet.number, sheet.date] for c in clients for sheet in c.sessions
    ]
    answers: list[Row] = [
        [c.client, sheet.number, name, item, answer]
        for c in clients
        for sheet in c.sessions
        for form, name in FORMS
        for item, answer in enumerate(sheet.answers.get(form.measure, []), start=1)
        if answer is not None
    ]
    return [
        RawTable(FILE, "Clients", CLIENTS, facts),
        RawTable(FILE, "Sessions", ["client", "session", "date"], sessions),
        RawTable(FILE, "Answers", ["client", "session", "form", "item", "answer"], answers),
    ]


def files(tables: list[RawTable]) -> dict[str, bytes]:
    """Return the site's files by name."""
    book = Workbook(write_only=True)
    for table in tables:
        sheet = book.create_sheet(table.sheet)
        sheet.append(table.columns)
        for row in table.rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return {FILE: fix_xlsx_times(buffer.getvalue())}
