"""What the tables of the measures share: rows of `measurement.json`, numbers with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.tables.layout import Cell, Part, Records, Row, cell, group_row, plain_rows, words

NOT_DESCRIBED = "How well the questionnaires measure was not described for this cohort."
SHARE = "correlation:2"
KEYS = ("measure", "score", "label")


def rows_of(results: Results, part: str) -> list[Field]:
    """Return the rows of a part of `measurement.json`, none where it was not made."""
    content = results.further.get("measurement")
    return [] if content is None else list(content[part])


def groups_of(rows: Sequence[Field], *keys: str) -> Iterator[list[Field]]:
    """Yield the rows with the same values of `keys`, in the order of their first."""
    found: dict[tuple[object, ...], list[Field]] = {}
    for row in rows:
        found.setdefault(tuple(row[key].raw for key in keys), []).append(row)
    yield from found.values()


def main_rows(results: Results, part: str) -> list[Field]:
    """Return the rows of totals, and of all scores where a key has no total."""
    with_total = {row["measure"].raw for row in rows_of(results, "scores") if is_total(row)}
    return [
        row
        for row in rows_of(results, part)
        if is_total(row) or row["measure"].raw not in with_total
    ]


def is_total(row: Field) -> bool:
    """Say whether a row is of a measure's total score."""
    return bool(row["score"].raw == "total")


def number(field: Field, format: str) -> Cell:
    """Return a cell with a number, or a dash."""
    return words("–") if field.raw is None else cell(field, format)


def with_interval(row: Field, name: str, low: str, high: str, format: str = SHARE) -> Cell:
    """Return `value [low, high]`, the value alone, or a dash."""
    if row[name].raw is None:
        return words("–")
    parts = [Part(row[name], format)]
    if row[low].raw is not None and row[high].raw is not None:
        parts.append(Part(row[low], format, before=" [", after=", "))
        parts.append(Part(row[high], format, after="]"))
    return Cell(tuple(parts))


def records_of(part: str, columns: Sequence[str]) -> Callable[[Results], Records]:
    """Return a maker of the rows of a part with these columns."""

    def records(results: Results) -> Records:
        return plain_rows(rows_of(results, part), columns)

    return records


def said(message: Field) -> list[Row]:
    """Return a line with a message, or none."""
    return [group_row(Part(message), faint=True)] if message.raw else []
