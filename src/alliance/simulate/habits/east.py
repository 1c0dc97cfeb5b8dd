"""East: an SPSS file, a case for each session.

`sessions.sav`: value labels, -9 declared user-missing for skipped items, system-missing where a
form was not filled in; the client's facts stand on each of its cases.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat

from alliance.simulate.habits.raw import ClientFile, RawTable, Row, SessionSheet
from alliance.simulate.items import PHQ_9, WAI_S_T, WAI_SR, Form
from alliance.simulate.parameters import Parameters
from alliance.simulate.stable_files import fix_sav_times

FORMS = ((WAI_SR, "wai"), (PHQ_9, "phq"), (WAI_S_T, "wait"))
SKIPPED = -9
SEX = {"female": 1, "male": 2, "diverse": 3}
END = {"dropout": 1, "completed": 2, "transferred": 3, "ongoing": 4}
END_LABELS: dict[int | float, str] = {
    1: "dropped out",
    2: "completed as agreed",
    3: "transferred",
    4: "still in therapy",
}
TEXT_COLUMNS = ("pat_id", "ther_id")


def item_column(form: Form, item: int) -> str:
    """Return the name of an item's variable."""
    stem = next(stem for candidate, stem in FORMS if candidate is form)
    return f"{stem}{item}" if form is PHQ_9 else f"{stem}{item:02d}"


def tables(clients: list[ClientFile], parameters: Parameters) -> list[RawTable]:
    """Return the one table of the site; its first case has the number 1."""
    columns = ["pat_id", "ther_id", "sess_no", "sess_date", "age", "sex", "end_reason", "planned"]
    columns += [item_column(form, item) for form, item in _items()]
    rows = [_row(client, sheet) for client in clients for sheet in client.sessions]
    return [RawTable("sessions.sav", None, columns, rows, first_row=1)]


def _items() -> list[tuple[Form, int]]:
    return [(form, item) for form, _ in FORMS for item in range(1, form.n_items + 1)]


def _row(client: ClientFile, sheet: SessionSheet) -> Row:
    row: Row = [
        client.client,
        client.therapist,
        sheet.number,
        sheet.date,
        client.age_years,
        SEX[client.gender],
        END[client.end_status],
        client.sessions_planned,
    ]
    for form, _ in FORMS:
        given = sheet.answers.get(form.measure)
        row += (
            [None] * form.n_items
            if given is None
            else [SKIPPED if answer is None else answer for answer in given]
        )
    return row


def files(tables: list[RawTable]) -> dict[str, bytes]:
    """Return the site's files by name."""
    (table,) = tables
    frame = pd.DataFrame(
        {
            column: _column(column, [row[position] for row in table.rows])
            for position, column in enumerate(table.columns)
        }
    )
    items = [item_column(form, item) for form, item in _items()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / table.file
        pyreadstat.write_sav(
            frame,
            str(path),
            column_labels=[_label(column) for column in table.columns],
            variable_value_labels=_value_labels(),
            missing_ranges={column: [SKIPPED] for column in items},
            variable_measure={column: "ordinal" for column in items},
            row_compress=True,
        )
        data = path.read_bytes()
    return {table.file: fix_sav_times(data)}


def _column(name: str, cells: list[Any]) -> pd.Series:
    if name in TEXT_COLUMNS:
        return pd.Series(["" if cell is None else cell for cell in cells], dtype=object)
    if name == "sess_date":
        return pd.Series(cells, dtype=object)
    return pd.Series([np.nan if cell is None else float(cell) for cell in cells])


def _label(column: str) -> str:
    return {
        "pat_id": "Client",
        "ther_id": "Therapist",
        "sess_no": "Session number",
        "sess_date": "Date of session",
        "age": "Age at intake (years)",
        "sex": "Gender",
        "end_reason": "How therapy ended",
        "planned": "Sessions planned",
    }.get(column, f"Item {column}")


def _value_labels() -> dict[str, dict[int | float, str]]:
    """Return value labels; no item wording, only the ends of the scales."""
    labels: dict[str, dict[int | float, str]] = {
        "sex": {1: "female", 2: "male", 3: "diverse"},
        "end_reason": END_LABELS,
    }
    for form, item in _items():
        scale: dict[int | float, str] = {
            value: str(value) for value in range(form.minimum, form.maximum + 1)
        }
        scale[form.minimum] += " lowest"
        scale[form.maximum] += " highest"
        labels[item_column(form, item)] = {SKIPPED: "not answered", **scale}
    return labels
