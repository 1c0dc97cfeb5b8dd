"""Tables in Word by APA 7: number, title in italics, three rules, repeated heads, notes below."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from alliance.findings.formats import clean_text, format_value
from alliance.manuscript.blocks import Italic, Part, Table, Words
from alliance.tables.layout import Row, Spanner

if TYPE_CHECKING:
    from docx.document import Document as WordFile

# Puts pieces of text into a paragraph.
Write = Callable[[Any, Words], None]
# Says whether the row at a place opens a part of a table.
Opens = Callable[[Sequence[Row], int], bool]

RULE, HAIR = 8, 4  # eighths of a point
UPRIGHT, SIDEWAYS = 159.2, 246.2  # mm between the margins
MM_A_CHARACTER = 1.68  # of a table's nine points, on average
PADDING = 3.0  # mm within a cell, left and right together
LINES_UPRIGHT, LINES_SIDEWAYS = 46, 27  # of a table's body that stays on one page
WIDEST_TEXT, WIDEST_NUMBER = 40, 22  # characters before a cell wraps
FEW_PARAGRAPHS = 3
NARROWEST_TEXT = 45.0  # mm that a column of words keeps where the page is not turned for it
TWIPS_A_MM = 56.6929


def add_table(file: WordFile, table: Table, number: int, write: Write, fresh: bool) -> None:
    """Append a table with number, title and notes; on a page on its side where it is wide.

    `fresh` tables begin a page.
    """
    widths = _narrowed(table, _widths(table))
    sideways = sum(widths) > UPRIGHT
    turned = turn(file, sideways)
    numbered = file.add_paragraph(style="Table Number")
    numbered.paragraph_format.page_break_before = fresh and not turned
    numbered.add_run(f"Table {number}", style="Fixed")
    file.add_paragraph(clean_text(table.title), style="Table Title")
    if not table.rows:
        file.add_paragraph(clean_text(table.empty), style="Table Note")
        return
    scale = min(1.0, (SIDEWAYS if sideways else UPRIGHT) / sum(widths))
    widths = [width * scale for width in widths]
    grid = _Grid(file, table, [round(width * TWIPS_A_MM) for width in widths], write)
    grid.add_head()
    kept = _kept_with_next(table.rows, widths, LINES_SIDEWAYS if sideways else LINES_UPRIGHT)
    for place, (row, keep) in enumerate(zip(table.rows, kept, strict=True), start=1):
        grid.add_row(row, last=place == len(table.rows), keep=keep)
    for k, note in enumerate(table.all_notes):
        paragraph = file.add_paragraph(style="Table Note")
        write(paragraph, (Italic("Note."), " ", *note) if k == 0 else note)


def turn(file: WordFile, sideways: bool) -> bool:
    """Go on upright or on the side; return whether a page had to be begun for it.

    A first page that holds few words and no table turns with what follows.
    """
    from docx.enum.section import WD_ORIENT, WD_SECTION

    now = file.sections[-1]
    if sideways == (now.orientation == WD_ORIENT.LANDSCAPE):
        return False
    width, height = now.page_width, now.page_height
    opening = not file.tables and len(file.paragraphs) <= FEW_PARAGRAPHS
    section = now if opening else file.add_section(WD_SECTION.NEW_PAGE)
    section.orientation = WD_ORIENT.LANDSCAPE if sideways else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = height, width
    if not opening:
        file.paragraphs[-1].style = "Table Note"  # the one that ends the section holds no text
    return not opening


def _widths(table: Table) -> list[float]:
    """Return the width that each column needs, in mm."""
    found = []
    for k, column in enumerate(table.columns):
        cells = [len(_plain(row.cells[k].pieces)) for row in table.rows if not row.group]
        most = WIDEST_NUMBER if column.numeric else WIDEST_TEXT
        title = _plain(column.heading.pieces)
        longest = max((len(word) for word in re.split(r"[ \-]", title)), default=0)
        # Words of a heading are broader than digits; a little more, lest one be broken.
        need = max(min(max(cells, default=0), most), min(1.1 * longest + 0.5, most), 3)
        found.append(need * MM_A_CHARACTER + PADDING)
    return found


def _narrowed(table: Table, widths: list[float]) -> list[float]:
    """Return the widths with columns of words narrowed, where the table stands upright for it."""
    over = sum(widths) - UPRIGHT
    spare = [0.0 if column.numeric else max(0.0, width - NARROWEST_TEXT)
             for column, width in zip(table.columns, widths, strict=True)]  # fmt: skip
    if not 0 < over <= sum(spare):
        return widths
    return [width - over * own / sum(spare) for width, own in zip(widths, spare, strict=True)]


def _kept_with_next(rows: Sequence[Row], widths: Sequence[float], most: int) -> list[bool]:
    """Say of each row whether it stays on the page of the next.

    A table of at most `most` lines stays on one page. A longer one breaks before a model, a model
    that is too long itself before one of its sections; a longer section where it must.
    """
    lines = [_lines(row, widths) for row in rows]
    kept = [False] * len(rows)
    parts = [list(range(len(rows)))]
    for opens in (_opens_model, _opens_section):
        parts = [own for part in parts for own in _split(part, rows, lines, most, opens)]
    for part in parts:
        whole = sum(lines[k] for k in part) <= most
        for k in part[:-1]:
            kept[k] = whole or rows[k].group or k == part[-2]
    return kept


def _split(
    part: list[int], rows: Sequence[Row], lines: Sequence[int], most: int, opens: Opens
) -> list[list[int]]:
    """Return a part that is too long in pieces, each beginning with a row that `opens` one."""
    if sum(lines[k] for k in part) <= most:
        return [part]
    pieces: list[list[int]] = []
    for k in part:
        if not pieces or opens(rows, k):
            pieces.append([])
        pieces[-1].append(k)
    return pieces


def _opens_model(rows: Sequence[Row], k: int) -> bool:
    return rows[k].group and not rows[k].faint


def _opens_section(rows: Sequence[Row], k: int) -> bool:
    """Say whether a row heads those below it; one that sums up, or follows a model's, does not."""
    heads = rows[k].group and k + 1 < len(rows) and not rows[k + 1].group
    return heads and not (k > 0 and _opens_model(rows, k - 1))


def _lines(row: Row, widths: Sequence[float]) -> int:
    """Return how many lines of text a row takes."""
    if row.group:
        widths = [sum(widths)]
    each = (len(_plain(cell.pieces)) * MM_A_CHARACTER / max(width - PADDING, 1)
            for cell, width in zip(row.cells, widths, strict=True))  # fmt: skip
    return max(1, *(math.ceil(share) for share in each))


def _plain(pieces: Words) -> str:
    """Return the text of pieces, for measuring only."""
    texts = []
    for piece in pieces:
        if isinstance(piece, Part):
            values = [piece.field.raw, *(field.raw for field in piece.also)]
            missing = any(value is None for value in values)
            printed = "–" if missing else format_value(piece.format, *values)
            texts.append(f"{piece.before}{printed}{piece.after}")
        else:
            texts.append(piece if isinstance(piece, str) else piece.text)
    return "".join(texts)


class _Grid:
    """A table in the making: rows and cells are elements, since finding cells anew is slow."""

    def __init__(self, file: WordFile, table: Table, widths: Sequence[int], write: Write) -> None:
        self.file, self.table, self.widths, self.write = file, table, widths, write
        self.element = file.add_table(rows=0, cols=0)._tbl
        self._set_properties()
        grid = self.element.tblGrid
        for width in widths:
            grid.append(_new("gridCol", w=width))

    def _set_properties(self) -> None:
        properties = self.element.tblPr
        for child in list(properties):
            properties.remove(child)
        margins = _new("tblCellMar")
        for side in ("left", "right"):
            margins.append(_new(side, w=round(PADDING / 2 * TWIPS_A_MM), type="dxa"))
        properties.extend(
            [
                _new("tblW", w=sum(self.widths), type="dxa"),
                _new("tblLayout", type="fixed"),
                margins,
                _new("tblLook", firstRow=1, firstColumn=1, noHBand=1, noVBand=1),
                _new("tblCaption", val=clean_text(self.table.title)),
            ]
        )

    def add_head(self) -> None:
        """Append the headings: spanners above, columns below; repeated on every page."""
        table = self.table
        if table.spanners:
            row = self._row(head=True)
            for spanner, first, last in table.head_row():
                self._add_spanner(row, spanner, first, last)
        row = self._row(head=True)
        for k, column in enumerate(table.columns):
            cell = self._cell(row, self.widths[k], bottom=HAIR, top=0 if table.spanners else RULE)
            if table.spanners and not table.is_spanned(k):
                cell.tcPr.append(_new("vMerge"))
            cell.tcPr.append(_new("vAlign", val="bottom"))
            words = column.heading.pieces
            hidden = bool(table.spanners) and not table.is_spanned(k)
            self._text(cell, () if hidden else words, right=column.numeric, keep=True)

    def _add_spanner(self, row: Any, spanner: Spanner | None, first: int, last: int) -> None:
        width = sum(self.widths[first : last + 1])
        bottom = 0 if spanner else HAIR
        cell = self._cell(row, width, span=last - first + 1, top=RULE, bottom=bottom)
        if spanner is None:
            cell.tcPr.append(_new("vMerge", val="restart"))
        cell.tcPr.append(_new("vAlign", val="bottom"))
        column = self.table.columns[first]
        words = column.heading.pieces if spanner is None else spanner.heading.pieces
        right = spanner is None and column.numeric
        paragraph = self._text(cell, words, right=right, keep=True, centre=spanner is not None)
        if spanner is not None:  # a line under the words only, with a gap to the next
            borders = _new("pBdr")
            borders.append(_new("bottom", val="single", sz=HAIR, space=1, color="auto"))
            properties = paragraph._p.get_or_add_pPr()
            properties.insert_element_before(borders, "w:spacing", "w:ind", "w:jc", "w:rPr")

    def add_row(self, row: Row, last: bool, keep: bool) -> None:
        """Append a row of the body, kept with the next; a group lies over the whole width."""
        from docx.shared import Pt

        element = self._row()
        bottom = RULE if last else 0
        if row.group:
            cell = self._cell(element, sum(self.widths), span=len(self.widths), bottom=bottom)
            note: Words = (" ", Italic(f"({row.note})")) if row.note else ()
            paragraph = self._text(cell, (*row.cells[0].pieces, *note), keep=keep and not last)
            paragraph.paragraph_format.space_before = Pt(4)
            if not row.faint or row.note:
                for run in paragraph._p.iter(_tag("r")):
                    run.get_or_add_rPr().insert(0, _new("b"))
            return
        for k, (content, column) in enumerate(zip(row.cells, self.table.columns, strict=True)):
            cell = self._cell(element, self.widths[k], bottom=bottom)
            right = column.numeric and k > 0
            self._text(cell, content.pieces, right=right, keep=keep and not last)

    def _row(self, head: bool = False) -> Any:
        row, properties = _new("tr"), _new("trPr")
        properties.append(_new("cantSplit"))
        if head:
            properties.append(_new("tblHeader"))
        row.append(properties)
        self.element.append(row)
        return row

    def _cell(self, row: Any, width: int, span: int = 1, top: int = 0, bottom: int = 0) -> Any:
        cell, properties = _new("tc"), _new("tcPr")
        properties.append(_new("tcW", w=width, type="dxa"))
        if span > 1:
            properties.append(_new("gridSpan", val=span))
        borders = _new("tcBorders")
        for side, size in (("top", top), ("bottom", bottom)):
            if size:
                borders.append(_new(side, val="single", sz=size, space=0, color="auto"))
        cell.append(properties)
        row.append(cell)
        if len(borders):
            properties.append(borders)
        return cell

    def _text(
        self, cell: Any, words: Words, right: bool = False, keep: bool = False, centre: bool = False
    ) -> Any:
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.text.paragraph import Paragraph

        cell.append(_new("p"))
        paragraph = Paragraph(cell[-1], self.file._body)
        paragraph.style = self.file.styles["Table Text"]
        if right or centre:
            side = WD_ALIGN_PARAGRAPH.RIGHT if right else WD_ALIGN_PARAGRAPH.CENTER
            paragraph.alignment = side
        if keep:
            paragraph.paragraph_format.keep_with_next = True
        self.write(paragraph, words)
        return paragraph


def _tag(name: str) -> str:
    from docx.oxml.ns import qn

    return str(qn(f"w:{name}"))


def _new(name: str, **attributes: object) -> Any:
    """Return a new element of WordprocessingML."""
    from docx.oxml import OxmlElement

    element = OxmlElement(f"w:{name}")
    for key, value in attributes.items():
        element.set(_tag(key), str(value))
    return element
