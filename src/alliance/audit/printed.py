"""Find a printed number: by its id, by what is printed, or by its place in a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from html.parser import HTMLParser
from pathlib import Path

from alliance import files
from alliance.errors import ReportError
from alliance.findings.ledger import Finding

LISTS = "audit/*findings.json"
MOST_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody knows of a number; empty: not said.

    Attributes
    ----------
    id
        Its id in its document.
    document
        File in which it stands, relative to the results folder, or the end of its path.
    printed
        As it stands there.
    place
        Section or table (a part of its name is enough).
    row, column
        Headings in its table (a part is enough).
    """

    id: str = ""
    document: str = ""
    printed: str = ""
    place: str = ""
    row: str = ""
    column: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """Where in a table a number stands: headings of its row and column."""

    table: str
    row: str
    column: str


def findings_of(results: str | Path) -> list[Finding]:
    """Return every finding of all documents of a results folder.

    Raises
    ------
    ReportError
        The folder has no list of findings.
    """
    results = Path(results)
    known = {field.name for field in fields(Finding)}
    found = [
        Finding(**{key: value for key, value in entry.items() if key in known})
        for path in sorted(results.glob(LISTS))
        for entry in files.read_json(path)["findings"]
    ]
    if not found:
        msg = f"{results.as_posix()} has no list of printed numbers (audit/findings.json): run it."
        raise ReportError(msg)
    return found


def find(asked: Asked, results: str | Path) -> tuple[Finding, Cell | None]:
    """Return the one number that is asked for, and its place in a table if it stands in one.

    Raises
    ------
    ReportError
        There is none, or several: then they are named.
    """
    found = [one for one in findings_of(results) if _fits(one, asked)]
    cells = {
        document: cells_of(Path(results), document) for document in {f.document for f in found}
    }
    if asked.row or asked.column:
        found = [one for one in found if _in_cell(cells[one.document].get(one.id), asked)]
    if asked.id and not asked.document and len(found) > 1:
        # An id without its document is that of the report, which most readers have before them.
        found = [one for one in found if one.document == "report.html"] or found
    if len(found) != 1:
        raise ReportError(_which(found, cells))
    return found[0], cells[found[0].document].get(found[0].id)


def _fits(one: Finding, asked: Asked) -> bool:
    return (
        (not asked.id or one.id == asked.id)
        and (not asked.document or f"/{one.document}".endswith(f"/{asked.document}"))
        and (not asked.printed or _same(one.printed) == _same(asked.printed))
        and (not asked.place or asked.place.casefold() in one.place.casefold())
    )


def _in_cell(cell: Cell | None, asked: Asked) -> bool:
    return (
        cell is not None
        and asked.row.casefold() in cell.row.casefold()
        and asked.column.casefold() in cell.column.casefold()
    )


def _same(printed: str) -> str:
    """Return what is printed as a keyboard has it: plain minus, no blanks."""
    return "".join(printed.replace("\u2212", "-").split()).casefold()


def _which(found: list[Finding], cells: dict[str, dict[str, Cell]]) -> str:
    if not found:
        return (
            "No printed number fits. Name it by its id (hold the pointer over it, or see "
            "audit/findings.json), or by document, place, row, column and what is printed."
        )
    lines = []
    for one in found[:MOST_SHOWN]:
        cell = cells[one.document].get(one.id)
        where = f"row “{cell.row}”, column “{cell.column}”" if cell else "in the text"
        lines.append(f"- {one.document} {one.id}: {one.printed} ({one.place}; {where})")
    more = "" if len(found) <= MOST_SHOWN else f"\n- and {len(found) - MOST_SHOWN} more"
    return f"{len(found)} printed numbers fit; say which:\n" + "\n".join(lines) + more


def cells_of(results: Path, document: str) -> dict[str, Cell]:
    """Return by id where the numbers of an HTML document stand in its tables; none for others."""
    path = results / document
    if path.suffix != ".html" or not path.is_file():
        return {}
    reader = _Tables()
    reader.feed(path.read_text(encoding="utf-8"))
    return dict(reader.cells())


@dataclass(slots=True, eq=False)
class _Open:
    """A cell while it is read."""

    row: int
    column: int
    is_heading: bool
    words: str = ""


class _Tables(HTMLParser):
    """Read every table into a grid, and remember in which cell each finding stands."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.grids: list[dict[tuple[int, int], _Open]] = []
        self.names: list[str] = []
        self.of_finding: dict[str, tuple[int, _Open]] = {}
        self.open: _Open | None = None
        self.row = -1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "table":
            self.grids.append({})
            self.names.append(attributes.get("id", ""))
            self.row, self.open = -1, None
        elif tag == "tr":
            self.row += 1
        elif tag in ("td", "th") and self.grids:
            self._begin(tag, attributes)
        elif self.open is not None and "finding" in attributes.get("class", "").split():
            self.of_finding[attributes.get("id", "")] = (len(self.grids) - 1, self.open)

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        grid = self.grids[-1]
        column = 0
        while (self.row, column) in grid:
            column += 1
        self.open = _Open(self.row, column, tag == "th")
        for down in range(int(attributes.get("rowspan") or 1)):
            for right in range(int(attributes.get("colspan") or 1)):
                grid[self.row + down, column + right] = self.open

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "table"):
            self.open = None

    def handle_data(self, data: str) -> None:
        if self.open is not None:
            self.open.words += data

    def cells(self) -> Iterator[tuple[str, Cell]]:
        """Yield each finding that stands in a table with its place."""
        for id_, (number, cell) in self.of_finding.items():
            grid = self.grids[number]
            left = [grid[cell.row, c] for c in range(cell.column) if (cell.row, c) in grid]
            above = [grid[r, cell.column] for r in range(cell.row) if (r, cell.column) in grid]
            headings = [one for one in left if one.is_heading] or left[:1]
            row = [one.words for one in dict.fromkeys(headings)]
            column = [one.words for one in dict.fromkeys(above) if one.is_heading]
            yield id_, Cell(self.names[number], _one_line(row), _one_line(column))


def _one_line(texts: list[str]) -> str:
    return ", ".join(" ".join(text.split()) for text in texts if text.strip())
