"""What a sheet seems to be: what one row is, its columns' roles, its questionnaires."""

from __future__ import annotations

from dataclasses import dataclass, field

from alliance.newcohort.forms import Form, find_forms, forms_of_long, rows_of_form, with_totals
from alliance.newcohort.look import Sheet
from alliance.newcohort.profiles import Profile, profiles
from alliance.newcohort.roles import Roles, roles
from alliance.newcohort.totals import totals_of
from alliance.newcohort.turned import answers_by_column, answers_by_row, turned


@dataclass(slots=True)
class Table:
    """A sheet with what it seems to be.

    Attributes
    ----------
    sheet
        The sheet.
    rows
        What one row is, or None where that must be decided.
    profiles
        Its columns.
    roles
        What they seem to be.
    forms
        Its questionnaires.
    dates
        Columns with dates, and the ways in which all of them can be read.
    loose
        Columns of numbers that fit no pattern.
    repeats
        Whether clients stand in several rows.
    """

    sheet: Sheet
    rows: str | None
    profiles: list[Profile] = field(default_factory=list)
    roles: Roles = field(default_factory=Roles)
    forms: list[Form] = field(default_factory=list)
    date_columns: list[Profile] = field(default_factory=list)
    loose: list[str] = field(default_factory=list)
    repeats: bool = False

    def profile(self, role: str) -> Profile | None:
        """Return the profile of a role's column."""
        name = self.roles.get(role)
        return next((p for p in self.profiles if p.name == name), None)


def propose_table(sheet: Sheet) -> Table:
    """Return what a sheet seems to be."""
    if not sheet.has_names:
        return Table(sheet, None)
    decimal = sheet.source.get("decimal", ".")
    columns = profiles(sheet.raw, decimal)
    n_rows = len(sheet.raw)
    first = roles(columns, set(), n_rows)
    client = next((p for p in columns if p.name == first.get("client")), None)
    repeats = client is not None and _is_repeated(client)
    forms = find_forms(sheet.raw, columns, sessions_in_rows=repeats)
    repeats = repeats and not any(form.is_wide for form in forms)
    is_long = bool(first.get("item") and first.get("answer")) and repeats
    if is_long:
        forms = []
    forms = [form for form in forms if not (form.is_total and repeats)]
    forms = with_totals(forms, sheet.raw.header, repeats)
    for form in forms:
        if form.key is not None and form.family is not None and not form.texts:
            answers = answers_by_column(sheet.raw, form.family, decimal)
            form.turned = turned(answers, form.key, (form.low, form.high))
    taken = {name for form in forms for name in form.columns}
    taken |= {form.total for form in forms if form.total}
    found = roles(columns, taken, n_rows)
    table = Table(sheet, None, columns, found, forms)
    table.repeats = repeats
    table.date_columns = [p for p in columns if p.styles and p.n_filled]
    table.rows = _rows(table, is_long, repeats)
    if table.rows == "answer":
        _add_long_forms(table, decimal)
    if table.rows in ("client", "session") and not (table.rows == "client" and repeats):
        table.forms += totals_of(columns, taken | set(found.by_role.values()), table.rows)
        taken |= {name for form in table.forms for name in form.columns}
    if table.rows == "client":
        table.loose = _loose(table, taken)
    return table


def _is_repeated(client: Profile) -> bool:
    """Whether clients stand in several rows; a few rows that stand twice are a slip."""
    return client.n_distinct < 0.8 * client.n_filled


def _rows(table: Table, is_long: bool, repeats: bool) -> str:
    if is_long:
        return "answer"
    if not repeats:
        return "client"
    return "session" if table.forms or table.roles.get("session") or _a_date(table) else "client"


def _a_date(table: Table) -> str | None:
    return table.roles.get("date")


def _add_long_forms(table: Table, decimal: str) -> None:
    item, answer = table.roles.by_role["item"], table.roles.by_role["answer"]
    form = table.profile("form")
    texts = form.texts if form is not None else ()
    if form is not None and not texts:
        del table.roles.by_role["form"]
        form = None
    name = form.name if form is not None else None
    raw = table.sheet.raw
    table.forms = forms_of_long(raw, name, item, answer, texts, decimal)
    one_form = [place for role in ("client", "session", "date") if (place := table.roles.get(role))]
    for found in table.forms:
        if found.key is not None:
            own = raw.kept(rows_of_form(raw, name, found.form))
            answers = answers_by_row(own, one_form, item, answer, decimal)
            found.turned = turned(answers, found.key, (found.low, found.high))


def _loose(table: Table, taken: set[str]) -> list[str]:
    """Return columns of numbers without a role: perhaps totals whose names fit no pattern."""
    facts = ("client", "site", "sessions_planned", "age_years", "gender", "treatment", "end_status")
    used = {table.roles.get(role) for role in facts} | taken
    numbers = [p for p in table.profiles if p.is_number and not p.styles and p.n_distinct > 2]
    return [p.name for p in numbers if p.name not in used]
