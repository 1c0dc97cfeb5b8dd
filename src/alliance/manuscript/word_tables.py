"""Tables in Word by APA 7: number, title in italics, three rules, repeated heads, notes below."""

from __future__ import annotations

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

RULE, HAIR = 8, 4  # eighths of a point
UPRIGHT, SIDEWAYS = 159.2, 246.2  # mm between the margins
MM_A_CHARACTER = 1.68  # of a table's nine points, on average
PADDING = 3.0  # mm within a cell, left and right together
ROWS_UPRIGHT, ROWS_SIDEWAYS = 36, 20  # of a table that stays on one page
WIDEST_TEXT, WIDEST_NUMBER = 40, 22  # characters before a cell wraps
TWIPS_A_MM = 56.6929


def add_table(file: WordFile, table: Table, number: int, write: Write, fresh: bool) -> None:
    """Append a table with number, title and notes; on a page on its side where it is wide.

    `fresh` tables begin a page.
    """
    widths = _widths(table)
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
    grid = _Grid(file, table, [round(width * scale * TWIPS_A_MM) for width in widths], write)
    grid.add_head()
    is_short = len(table.rows) <= (ROWS_SIDEWAYS if sideways else ROWS_UPRIGHT)
    for place, row in enumerate(table.rows, start=1):
        # A short table stays on one page; of a longer one no heading stands alone, and no last row.
        keep = is_short or row.group or place == len(table.rows) - 1
        grid.add_row(row, last=place == len(table.rows), keep=keep)
    for k, note in enumerate(table.all_notes):
        paragraph = file.add_paragraph(style="Table Note")
        write(paragraph, (Italic("Note."), " ", *note) if k == 0 else note)


def turn(file: WordFile, sideways: bool) -> bool:
    """Go on upright or on the side; return whether a page had to be begun for it."""
    from docx.enum.section import WD_ORIENT, WD_SECTION

    now = file.sections[-1]
    if sideways == (now.orientation == WD_ORIENT.LANDSCAPE):
        return False
    width, height = now.page_width, now.page_height
    section = file.add_section(WD_SECTION.NEW_PAGE)
    section.orientation = WD_ORIENT.LANDSCAPE if sideways else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = height, width
    file.paragraphs[-1].style = "Table Note"  # the one that ends the section holds no text
    return True


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
