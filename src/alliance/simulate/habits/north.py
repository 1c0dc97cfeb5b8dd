"""North: one wide table out of a German spreadsheet, a row for each client.

`verlauf.csv`: semicolons, Latin-1, decimal comma, dd.mm.yyyy, German names. What a session did
not have is blank.
"""

from __future__ import annotations

from alliance.simulate.habits.raw import ClientFile, RawTable, Row, delimited, form_cells
from alliance.simulate.items import PHQ_9, WAI_S_T, WAI_SR, Form
from alliance.simulate.parameters import Parameters

FORMS = (WAI_SR, PHQ_9, WAI_S_T)
GENDER = {"female": "w", "male": "m", "diverse": "d"}
END = {
    "dropout": "Abbruch",
    "completed": "regulär",
    "transferred": "Wechsel",
    "ongoing": "laufend",
}
DATE_FORMAT = "%d.%m.%Y"


def tables(clients: list[ClientFile], parameters: Parameters) -> list[RawTable]:
    """Return the one table of the site."""
    sessions = range(1, parameters.most_sessions + 1)
    columns = ["Patient", "Therapeut", "Alter", "Geschlecht", "Therapieende", "Sitzungen_geplant"]
    for session in sessions:
        columns += session_columns(session, parameters)
    return [
        RawTable("verlauf.csv", None, columns, [_row(client, parameters) for client in clients])
    ]


def session_columns(session: int, parameters: Parameters) -> list[str]:
    """Return the names of one session's columns."""
    return [f"Datum_S{session:02d}"] + [
        item_column(form, session, item)
        for form in _forms_of(session, parameters)
        for item in range(1, form.n_items + 1)
    ]


def item_column(form: Form, session: int, item: int) -> str:
    """Return the name of an item's column."""
    pattern = {
        "alliance": "WAI_S{:02d}_{:02d}",
        "symptoms": "PHQ_S{:02d}_{:d}",
        "alliance_therapist": "WAIT_S{:02d}_{:02d}",
    }[form.measure]
    return pattern.format(session, item)


def _forms_of(session: int, parameters: Parameters) -> tuple[Form, ...]:
    """Return the forms that a session has columns for."""
    rated = session % parameters.therapist_rating_every == 0
    return FORMS if rated else FORMS[:2]


def _row(client: ClientFile, parameters: Parameters) -> Row:
    row: Row = [
        client.client,
        client.therapist,
        f"{client.age_years:.1f}".replace(".", ","),
        GENDER[client.gender],
        END[client.end_status],
        client.sessions_planned,
    ]
    attended = {sheet.number: sheet for sheet in client.sessions}
    for session in range(1, parameters.most_sessions + 1):
        sheet = attended.get(session)
        if sheet is None:
            row += [None] * len(session_columns(session, parameters))
            continue
        row.append(sheet.date.strftime(DATE_FORMAT))
        for form in _forms_of(session, parameters):
            row += form_cells(sheet, form)
    return row


def files(tables: list[RawTable]) -> dict[str, bytes]:
    """Return the site's files by name."""
    (table,) = tables
    return {table.file: delimited(table, ";", "\r\n").encode("latin-1")}
