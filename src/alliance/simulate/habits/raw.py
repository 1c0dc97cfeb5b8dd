"""What a site's writer starts from and what it makes: one site's data, and raw tables."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass, field
from typing import Any

from alliance.simulate.cohort import Cohort
from alliance.simulate.items import Form

Row = list[Any]


@dataclass(slots=True)
class RawTable:
    """One file or sheet: columns and rows of cells, `None` for an empty cell.

    `first_row` is the number that a spreadsheet shows for the first of `rows`.
    """

    file: str
    sheet: str | None
    columns: list[str]
    rows: list[Row] = field(default_factory=list)
    first_row: int = 2

    def number_of(self, row: Row) -> int:
        """Return the number that a spreadsheet shows for this very row (not one like it)."""
        return next(n for n, other in enumerate(self.rows, self.first_row) if other is row)

    def at(self, column: str) -> int:
        """Return the position of a column."""
        return self.columns.index(column)


@dataclass(frozen=True, slots=True)
class SessionSheet:
    """What is on paper after one session: the date, and the answers of each form.

    `answers` gives the answers by measure, `None` for a skipped item; a form that was not
    filled in is not there.
    """

    number: int
    date: dt.date
    answers: dict[str, list[int | None]]


@dataclass(frozen=True, slots=True)
class ClientFile:
    """One client's folder: facts and sessions."""

    client: str
    therapist: str
    age_years: float
    gender: str
    end_status: str
    sessions_planned: int
    sessions: list[SessionSheet]


def client_files(cohort: Cohort, site: str, forms: tuple[Form, ...]) -> list[ClientFile]:
    """Return the folders of one site's clients, in the order of their ids."""
    answers = _answers(cohort, site, forms)
    calendar = cohort.calendar[cohort.calendar["site"] == site]
    dates: dict[str, list[tuple[int, dt.date]]] = {}
    for client, session, date in calendar[["client", "session", "date"]].itertuples(index=False):
        dates.setdefault(client, []).append((int(session), date))
    clients = cohort.clients[cohort.clients["site"] == site]
    return [
        ClientFile(
            client=facts["client"],
            therapist=facts["therapist"],
            age_years=float(facts["age_years"]),
            gender=facts["gender"],
            end_status=facts["end_status"],
            sessions_planned=int(facts["sessions_planned"]),
            sessions=[
                SessionSheet(number, date, answers.get((facts["client"], number), {}))
                for number, date in sorted(dates[facts["client"]])
            ],
        )
        for facts in clients.to_dict("records")
    ]


def _answers(
    cohort: Cohort, site: str, forms: tuple[Form, ...]
) -> dict[tuple[str, int], dict[str, list[int | None]]]:
    """Return the answers of every session by (client, session) and measure."""
    n_items = {form.measure: form.n_items for form in forms}
    here = cohort.responses[cohort.responses["site"] == site]
    found: dict[tuple[str, int], dict[str, list[int | None]]] = {}
    for client, session, measure, item, value in here[
        ["client", "session", "measure", "item", "value"]
    ].itertuples(index=False):
        forms_of_session = found.setdefault((client, int(session)), {})
        form = forms_of_session.setdefault(measure, [None] * n_items[measure])
        form[int(item) - 1] = int(value)
    return found


def form_cells(sheet: SessionSheet, form: Form) -> Row:
    """Return the form's answers as cells, empty where the form or the item was left out."""
    return list(sheet.answers.get(form.measure, [None] * form.n_items))


def delimited(table: RawTable, delimiter: str, line_end: str) -> str:
    """Return the table as delimited text with a header row; empty cells are empty."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end)
    writer.writerow(table.columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in table.rows)
    return text.getvalue()
