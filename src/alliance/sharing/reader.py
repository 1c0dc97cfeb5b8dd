"""What anybody can read in a share folder: its tables, its pages, its sentences.

A number that stands on a page is used by the attacker as one in a table is; a number that he cannot
say the meaning of is listed, and nothing with such a number is released.
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

from alliance import files
from alliance.sharing.names import FIRST_COLUMN, TITLES

Cell = tuple[str, str, str]  # table, row, column
Interval = tuple[float, float]
NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)?(?![\w])")
LEAVERS = re.compile(
    r"(?P<percent>\d+) % of the clients dropped out(?P<rounded> \(of rounded counts\))?"
)


class Share(NamedTuple):
    """A printed percentage: `part` is between `low` and `high` per cent of `whole`."""

    part: Cell
    whole: Cell
    low: float
    high: float


@dataclass(slots=True)
class Seen:
    """What stands in a folder.

    Attributes
    ----------
    known
        Lowest and highest value of each count, from how it is printed; hidden ones without end.
    hidden
        The counts that one place hides, whatever another tells of them.
    shares
        Percentages beside counts.
    unplaced
        Numbers on pages that are neither of these nor of the rule.
    """

    known: dict[Cell, Interval] = field(default_factory=dict)
    hidden: dict[Cell, None] = field(default_factory=dict)  # in the order of the tables
    shares: list[Share] = field(default_factory=list)
    unplaced: list[str] = field(default_factory=list)

    def note(self, cell: Cell, interval: Interval) -> None:
        """Add what one place tells of a count to what others tell."""
        if math.isinf(interval[1]):
            self.hidden[cell] = None
        low, high = self.known.get(cell, (0.0, math.inf))
        self.known[cell] = max(low, interval[0]), min(high, interval[1])


def read_folder(folder: str | Path) -> Seen:
    """Return what a share folder tells.

    Parameters
    ----------
    folder
        With `facts.json`, which says how its counts are rounded, `tables/<name>.csv` and, where it
        is finished, `report.html`.
    """
    folder, seen = Path(folder), Seen()
    facts = files.read_json(folder / "facts.json")
    rule = facts["rule"]
    for path in sorted((folder / "tables").glob("*.csv")):
        if path.stem in FIRST_COLUMN:
            with path.open(encoding="utf-8", newline="") as stream:
                _note_table(seen, path.stem, list(csv.reader(stream)), rule)
    for table in facts["tables"]:
        if table["name"] in FIRST_COLUMN:
            rows = [[str(cell) for cell in row] for row in table["rows"]]
            _note_table(seen, table["name"], [table["columns"], *rows], rule)
    page = folder / "report.html"
    if page.is_file():
        _note_page(seen, page.read_text(encoding="utf-8"), rule)
    return seen


def interval(text: str, base: int, fewest: int) -> Interval:
    """Return which counts would be printed like this; all of them where it is hidden."""
    if not text.isdigit():
        return 0.0, math.inf
    printed = int(text)
    if base == 1 or printed == 0:
        return printed, printed
    return max(printed - base // 2, fewest), printed + base // 2


def _note_table(seen: Seen, name: str, rows: list[list[str]], rule: dict[str, Any]) -> None:
    heading, *body = rows
    for row in body:
        for column, text in zip(heading[1:], row[1:], strict=True):
            if text != "":
                cell = (name, row[0], column)
                seen.note(cell, interval(text, rule["base"], rule["fewest"]))


def _note_page(seen: Seen, html: str, rule: dict[str, Any]) -> None:
    page = _Page()
    page.feed(html)
    names = {title: name for name, title in TITLES.items()}
    columns = {column.replace("_", " "): column for _, _, column in seen.known}
    for title, rows in page.tables:
        name = names.get(title, "")
        if name in FIRST_COLUMN:
            heading = [columns.get(text, text) for text in rows[0]]
            _note_table(seen, name, [heading, *rows[1:]], rule)
        elif not name:
            seen.unplaced += [text for row in rows for text in row if NUMBER.search(text)]
    for words in page.sentences:
        _note_words(seen, words, rule)


def _note_words(seen: Seen, words: str, rule: dict[str, Any]) -> None:
    """Take the percentages of a sentence; what else it counts must be of the rule."""
    wholes = [cell for cell in seen.known if cell[0] == "flow" and cell[2] == "clients"]
    for found in LEAVERS.finditer(words):
        low, high = float(found["percent"]) - 0.5, float(found["percent"]) + 0.5
        part, whole = (*wholes[0][:2], "dropout"), wholes[0]
        if found["rounded"]:
            least, most = seen.known[whole]
            half = rule["base"] // 2
            seen.note(part, (low / 100 * least - half, high / 100 * most + half))
        else:
            seen.shares.append(Share(part, whole, low, high))
    rest = LEAVERS.sub("", words)
    of_rule = {str(rule["fewest"]), str(rule["base"])}
    seen.unplaced += [number for number in NUMBER.findall(rest) if number not in of_rule]


class _Page(HTMLParser):
    """Tables under the heading before them, and the sentences between."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[tuple[str, list[list[str]]]] = []
        self.sentences: list[str] = []
        self.heading, self.words, self.within = "", "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append((self.heading, []))
        elif tag == "tr":
            self.tables[-1][1].append([])
        if tag in ("h2", "th", "td", "p", "li"):
            self.within, self.words = tag, ""
        told = [value or "" for name, value in attrs if name in ("alt", "title", "aria-label")]
        self.sentences += told

    def handle_endtag(self, tag: str) -> None:
        if tag != self.within:
            return
        words = " ".join(self.words.split())
        if tag in ("th", "td"):
            self.tables[-1][1][-1].append(words)
        elif tag == "h2":
            self.heading = words
        else:
            self.sentences.append(words)
        self.within = ""

    def handle_data(self, data: str) -> None:
        if self.within:
            self.words += data
