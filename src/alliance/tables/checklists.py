"""Tables of the reporting checklists: what each item asks, whether the report answers it, where."""

from __future__ import annotations

from collections.abc import Callable

from alliance.findings.fields import Field
from alliance.findings.marks import DOES_NOT_APPLY
from alliance.findings.results import Results
from alliance.tables.layout import Cell, Part, Records, Row, Table, cell, group_row, heading, words

NOT_FILLED_IN = "The reporting checklists were not filled in for this cohort."
COUNTED = ("items", "reported", "partly", "not_reported", "does_not_apply", "not_read")
COLUMNS = (
    "item", "section", "topic", "state", "where", "anchors", "missing", "reason", "confidence",
)  # fmt: skip


def all_of(results: Results) -> list[Field]:
    """Return the filled checklists; none where the stage did not run."""
    content = results.further.get("checklists")
    return [] if content is None else list(content["checklists"])


def _named(results: Results, name: str) -> Field | None:
    return next((one for one in all_of(results) if one["name"].raw == name), None)


def checklists(results: Results) -> Table:
    """Return how many items of each checklist are reported, partly, not, or do not apply."""
    table = Table(
        "checklists",
        "Reporting checklists",
        [
            heading("Checklist", numeric=False),
            *map(heading, ("Items", "Reported", "Partly", "Not reported", "Does not apply")),
            heading("Not compared"),
            heading("Published in", numeric=False),
        ],
        notes=[
            "Reported: the run proves that the report has it. What only an author can write, such "
            "as ethics, funding and discussion, is not reported here by design.",
            "Not compared: items known from the literature only, whose number or topic was not "
            "read in a source.",
        ],
        empty=NOT_FILLED_IN,
        wide=True,
    )
    for one in all_of(results):
        counts = (cell(one["counts"][key], "count") for key in COUNTED)
        table.rows.append(Row((cell(one["title"]), *counts, cell(one["reference"]))))
    return table


def one_checklist(name: str, results: Results) -> Table:
    """Return a checklist, item by item, with links to the places of the report."""
    found = _named(results, name)
    table = Table(
        f"checklist_{name}",
        "Reporting checklist",
        [
            heading(text, numeric=False)
            for text in ("Item", "Asks for", "State", "Where", "Missing, or why it does not apply")
        ],
        empty=NOT_FILLED_IN,
        wide=True,
    )
    if found is None:
        return table
    table.title = str(found["title"].raw)
    table.notes = [str(found["note"].raw)]
    section = None
    for item in found["items"]:
        if item["section"].raw != section:
            table.rows.append(group_row(Part(item["section"])))
            section = item["section"].raw
        table.rows.append(_row(item))
    return table


def _row(item: Field) -> Row:
    where = (
        Part(place["label"], before="; " if k else "", href=place["anchor"].raw)
        for k, place in enumerate(item["where"])
    )
    missing = (
        Part(sentence, before=" " if k else "") for k, sentence in enumerate(item["missing"])
    )
    return Row(
        (
            cell(item["number"]) if item["number"].raw else words("–"),
            cell(item["topic"]),
            cell(item["state"]),
            Cell(tuple(where)),
            cell(item["reason"]) if item["reason"].raw else Cell(tuple(missing)),
        ),
        faint=item["state"].raw == DOES_NOT_APPLY,
    )


def checklists_records(results: Results) -> Records:
    """Return the counts of every checklist."""
    columns = ("name", "title", *COUNTED, "reference")
    rows = []
    for one in all_of(results):
        told = {key: one[key].raw for key in ("name", "title", "reference")}
        rows.append(told | dict(one["counts"].raw))
    return Records(columns, rows)


def one_checklist_records(name: str, results: Results) -> Records:
    """Return every item of a checklist, with the ids of the places and how sure it is."""
    found = _named(results, name)
    items = [] if found is None else found["items"].raw
    rows = [
        {
            "item": item["number"],
            **{key: item[key] for key in ("section", "topic", "state", "reason", "confidence")},
            "where": "; ".join(place["label"] for place in item["where"]),
            "anchors": " ".join(place["anchor"] for place in item["where"]),
            "missing": " ".join(item["missing"]),
        }
        for item in items
    ]
    return Records(COLUMNS, rows)


def makers_of(name: str) -> tuple[Callable[[Results], Table], Callable[[Results], Records]]:
    """Return the two makers of a checklist's table."""

    def for_people(results: Results) -> Table:
        return one_checklist(name, results)

    def for_machines(results: Results) -> Records:
        return one_checklist_records(name, results)

    return for_people, for_machines
