"""A document as CommonMark, with every text from the data made inert.

A backslash stands before each sign that could begin markup, HTML, a character reference or a link,
and each block is one line, so that what a label holds can neither open a block nor end one.
"""

from __future__ import annotations

import re

from alliance.findings.formats import clean_text
from alliance.findings.ledger import Findings
from alliance.manuscript.blocks import (
    Block,
    Bullets,
    Document,
    Fixed,
    Heading,
    Italic,
    Paragraph,
    Piece,
    Words,
)
from alliance.tables.layout import Cell, Part, Row, Table

# All that means something within a line, also to the common extensions (tables, strikethrough,
# footnotes, mathematics, addresses that become links by themselves).
WITHIN = re.compile(r"[\\`*_{}\[\]<>&#|~!$^@]|:(?=/)|(?<=www)\.")
# What opens a block where it stands at the beginning of a line.
AT_START = re.compile(r"([-+=:]|\d+(?=[.)]))")


def write_markdown(document: Document) -> str:
    """Return the document as a CommonMark text; tables are pipe tables."""
    blocks = [f"# {escaped(document.title)}", *(_block(block) for block in document.blocks)]
    return "\n\n".join(blocks) + "\n"


def escaped(text: str) -> str:
    """Return the text with every sign that could be markup made harmless, on one line."""
    return WITHIN.sub(r"\\\g<0>", " ".join(clean_text(text).split(" "))).replace("\n", " ")


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {_words(block.words)}"
    if isinstance(block, Paragraph):
        return _at_start(_words(block.words))
    if isinstance(block, Bullets):
        return "\n".join(f"- {_at_start(_words(item))}" for item in block.items)
    return _table(block)


def _words(words: Words) -> str:
    return "".join(_piece(piece) for piece in words)


def _piece(piece: Piece) -> str:
    if isinstance(piece, Part):
        return escaped(_printed(piece))
    if isinstance(piece, Italic):
        return f"*{escaped(piece.text)}*"
    return escaped(piece.text if isinstance(piece, Fixed) else piece)


def _printed(part: Part) -> str:
    printed, _ = Findings().record(part.field, part.format, *part.also)
    return f"{part.before}{printed}{part.after}"


def _at_start(line: str) -> str:
    line = line.strip()  # four blanks at the beginning would be code, two at the end a line break
    if line[:1].isdigit():
        return AT_START.sub(r"\g<1>\\", line, count=1) if AT_START.match(line) else line
    return f"\\{line}" if AT_START.match(line) else line


def _table(table: Table) -> str:
    if not table.rows:
        return _at_start(escaped(table.empty))
    width = len(table.columns)
    rows = [_cells([_cell(column.heading) for column in table.columns])]
    rows.append(_cells(["--:" if column.numeric else ":--" for column in table.columns]))
    rows += [_cells(_row(row, width)) for row in table.rows]
    title = f"**{escaped(table.title)}**"
    return "\n\n".join([title, "\n".join(rows), *(_at_start(_words(n)) for n in table.all_notes)])


def _row(row: Row, width: int) -> list[str]:
    if not row.group:
        return [_cell(cell) for cell in row.cells]
    note = f" *{escaped(row.note)}*" if row.note else ""
    return [f"**{_cell(row.cells[0])}**{note}", *[""] * (width - 1)]


def _cells(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    return _words(cell.pieces)
