"""South: a longitudinal REDCap export, an event for intake and each session, and a discharge list.

`redcap_export.csv` (comma, UTF-8, yyyy-mm-dd, codes not labels) and `discharge.csv`.
"""

from __future__ import annotations

from alliance.simulate.habits.raw import ClientFile, RawTable, Row, delimited, form_cells
from alliance.simulate.items import PHQ_9, WAI_S_T, WAI_SR, Form
from alliance.simulate.parameters import Parameters

FORMS = ((WAI_SR, "wai"), (PHQ_9, "phq"), (WAI_S_T, "wait"))
GENDER = {"female": 1, "male": 2, "diverse": 3}
END = {"dropout": 1, "completed": 2, "transferred": 3, "ongoing": 4}
INTAKE = ["therapist_id", "age", "gender", "planned_sessions"]
COMPLETE, INCOMPLETE = 2, 0  # REDCap's codes of a form's state


def item_column(form: Form, item: int) -> str:
    """Return the name of an item's field."""
    stem = next(stem for candidate, stem in FORMS if candidate is form)
    return f"{stem}_{item}"


def event(session: int) -> str:
    """Return REDCap's name of a session's event."""
    return f"session_{session}_arm_1"


def tables(clients: list[ClientFile], parameters: Parameters) -> list[RawTable]:
    """Return the export and the discharge list."""
    columns = ["record_id", "redcap_event_name", *INTAKE, "intake_complete", "session_date"]
    columns.append("session_complete")
    for form, stem in FORMS:
        columns += [item_column(form, item) for item in range(1, form.n_items + 1)]
        columns.append(f"{stem}_complete")
    rows = [row for client in clients for row in _events(client, len(columns), parameters)]
    discharge = RawTable(
        "discharge.csv",
        None,
        ["record_id", "discharge_date", "discharge_reason"],
        [_discharge(client) for client in clients],
    )
    return [RawTable("redcap_export.csv", None, columns, rows), discharge]


def _events(client: ClientFile, width: int, parameters: Parameters) -> list[Row]:
    """Return the intake event and one event a session."""
    intake: Row = [
        client.client,
        "intake_arm_1",
        client.therapist,
        f"{client.age_years:.1f}",
        GENDER[client.gender],
        client.sessions_planned,
        COMPLETE,
    ]
    rows = [intake + [None] * (width - len(intake))]
    for sheet in client.sessions:
        row: Row = [client.client, event(sheet.number), *[None] * (len(INTAKE) + 1)]
        row += [sheet.date.isoformat(), COMPLETE]
        for form, _ in FORMS:
            due = form is not WAI_S_T or sheet.number % parameters.therapist_rating_every == 0
            given = form.measure in sheet.answers
            state = COMPLETE if given else INCOMPLETE
            row += [*form_cells(sheet, form), state if due else None]
        rows.append(row)
    return rows


def _discharge(client: ClientFile) -> Row:
    last = client.sessions[-1].date.isoformat()
    date = None if client.end_status == "ongoing" else last
    return [client.client, date, END[client.end_status]]


def files(tables: list[RawTable]) -> dict[str, bytes]:
    """Return the site's files by name."""
    return {table.file: delimited(table, ",", "\n").encode("utf-8") for table in tables}
