"""Print a table in LaTeX: a `longtable` with the rules of booktabs, for pdfLaTeX and UTF-8.

The frame is a template (`templates/longtable.tex`); here its cells are written, and the widths of
columns that wrap, headings that are repeated on every page and rows over the whole width.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from alliance.findings.ledger import Findings
from alliance.tables.latex_text import escaped, settable
from alliance.tables.layout import Italic, Part, Piece, Row, Table, Words, heading, words

SPACE = re.compile(r"[ \t\r\n\f\v]+")
# Characters of eight-point type in a line of A4 with the usual margins, upright and on its side.
UPRIGHT, SIDEWAYS = 104, 164
WIDEST_TEXT, WIDEST_NUMBER, GAP = 38, 24, 3


@cache
def _template() -> Template:
    """Return the frame; its marks are none that LaTeX uses."""
    environment = Environment(
        loader=PackageLoader("alliance.tables"),
        block_start_string="<%", block_end_string="%>", variable_start_string="<<",
        variable_end_string=">>", comment_start_string="<#", comment_end_string="#>",
        trim_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined,
    )  # fmt: skip
    return environment.get_template("longtable.tex")


def table_latex(table: Table) -> str:
    r"""Return the table as a fragment to be put into a document by `\input`."""
    if not table.rows:
        said = Row((words(table.empty),))
        table = Table(table.name, table.title, [heading("", numeric=False)], [said])
    shares, sideways = _widths(table)
    hows = ["raggedleft" if column.numeric else "raggedright" for column in table.columns]
    notes = [_latex(note) for note in table.all_notes]
    latex = _template().render(
        name=table.name,
        title=escaped(table.title),
        sideways=sideways,
        columns="".join(_column(share, how) for share, how in zip(shares, hows, strict=True)),
        spanners=_spanners(table, shares),
        rules=[rf"\cmidrule(lr){{{s.first + 1}-{s.last + 1}}}" for s in table.spanners],
        headings=[
            rf"\multicolumn{{1}}{{{_column(share, how, 'b')}}}{{{_latex(column.heading.pieces)}}}"
            for column, share, how in zip(table.columns, shares, hows, strict=True)
        ],
        rows=[_line(row, len(shares), sum(shares)) for row in table.rows],
        notes=[rf"\textit{{Note.}} {notes[0]}", *notes[1:]] if notes else [],
    )
    return settable(latex)


def _latex(pieces: Words) -> str:
    return "".join(
        rf"\textit{{{escaped(piece.text)}}}" if isinstance(piece, Italic) else escaped(_text(piece))
        for piece in pieces
    )


def _text(piece: Piece) -> str:
    """Return a piece as it is printed, not yet in the signs of LaTeX."""
    if isinstance(piece, str):
        return piece
    if isinstance(piece, Part):
        printed, _ = Findings().record(piece.field, piece.format, *piece.also)
        return f"{piece.before}{SPACE.sub(' ', printed)}{piece.after}"
    return piece.text


def _spanners(table: Table, shares: Sequence[float]) -> list[str]:
    """Return the cells of the row of headings over several columns; none where there are none."""
    cells = []
    for spanner, first, last in table.head_row() if table.spanners else []:
        if spanner is None:
            cells += [""] * (last - first + 1)
            continue
        width = _column(sum(shares[first : last + 1]), "centering")
        told = _latex(spanner.heading.pieces)
        cells.append(rf"\multicolumn{{{last - first + 1}}}{{{width}}}{{{told}}}")
    return cells


def _line(row: Row, columns: int, width: float) -> str:
    """Return a row without its end; one of a group goes over the whole width."""
    cells = [_latex(cell.pieces) for cell in row.cells]
    if not row.group:
        line = " & ".join(cells)
        # A star or bracket after the end of a row would be taken for its option.
        return f"{{}}{line}" if line.lstrip().startswith(("*", "[")) else line
    told = cells[0] + (rf" \textit{{({escaped(row.note)})}}" if row.note else "")
    wide = rf"\multicolumn{{{columns}}}{{{_column(width, 'raggedright')}}}"
    if row.faint and not row.note:
        return f"{wide}{{{told}}}"
    return f"\\addlinespace[3pt]\n{wide}{{\\textbf{{{told}}}}}"


def _widths(table: Table) -> tuple[list[float], bool]:
    """Return each column's share of the line, and whether the page has to lie on its side."""
    needs = []
    for k, column in enumerate(table.columns):
        texts = [row.cells[k] for row in table.rows if not row.group]
        cells = ["".join(map(_text, cell.pieces)) for cell in texts]
        most = WIDEST_NUMBER if column.numeric else WIDEST_TEXT
        title = "".join(map(_text, column.heading.pieces))
        tokens = [token for text in (*cells, title) for token in re.split(r"[ _]", text)]
        longest = max(map(len, tokens), default=0)
        needs.append(GAP + max(min(longest, most), min(max(map(len, cells), default=0), most)))
    sideways = sum(needs) > UPRIGHT
    line = max(sum(needs), SIDEWAYS if sideways else UPRIGHT)
    return [need / line for need in needs], sideways


def _column(share: float, how: str, kind: str = "p") -> str:
    return rf">{{\{how}\arraybackslash}}{kind}{{\dimexpr {share:.4f}\linewidth-2\tabcolsep\relax}}"
