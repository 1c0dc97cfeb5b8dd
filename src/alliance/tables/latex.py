"""Print a table in LaTeX: a `longtable` with the rules of booktabs, for pdfLaTeX and UTF-8.

great_tables escapes the text and lays out headings and rows. What it has no word for (columns that
wrap, headings repeated on every page, rows over the whole width, italics) is marked in the text by
characters of Unicode's private use area and put in afterwards; no text of a table may hold them.
The whole body goes to great_tables as one cell, since it sets cells one by one and slowly.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from alliance.findings.ledger import Findings
from alliance.tables.latex_text import settable
from alliance.tables.layout import Italic, Part, Piece, Row, Table, Words, heading, words

if TYPE_CHECKING:
    from great_tables import GT

NEEDS = """\
% Needs \\usepackage[T1]{fontenc}, [utf8]{inputenc}, and the packages array, booktabs, longtable,
% amssymb, pdflscape and caption; in the form of APA 7 with
% \\captionsetup[table]{labelfont=bf,textfont=it,labelsep=newline,singlelinecheck=false}
"""
GROUP, FAINT, PLAIN, ROW_END, NEXT, BODY_END = (chr(0xE000 + k) for k in range(6))
HEAD, HEAD_END, ITALIC, ITALIC_END, OPEN, CLOSE = (chr(0xE010 + k) for k in range(6))
PRIVATE = re.compile("[\ue000-\uf8ff]")
SPACE = re.compile(r"[ \t\r\n\f\v]+")
# Characters of eight-point type in a line of A4 with the usual margins, upright and on its side.
UPRIGHT, SIDEWAYS = 104, 164
WIDEST_TEXT, WIDEST_NUMBER, GAP = 38, 24, 3


def table_latex(table: Table) -> str:
    r"""Return the table as a fragment to be put into a document by `\input`."""
    if not table.rows:
        said = Row((words(table.empty),))
        table = Table(table.name, table.title, [heading("", numeric=False)], [said])
    rows = [[_text(cell.pieces) for cell in row.cells] for row in table.rows]
    shares, sideways = _widths(table, rows)
    latex = _great_table(table, rows).as_latex(use_longtable=True)
    latex = _finished(latex, table, shares)
    latex = settable(latex.replace(OPEN, r"\{").replace(CLOSE, r"\}"))
    if sideways:
        latex = f"\\begin{{landscape}}\n{latex}\\end{{landscape}}\n"
    return NEEDS + latex


def _text(pieces: Words) -> str:
    """Return pieces as text that great_tables may escape, with marks for what comes afterwards."""
    text = "".join(map(_piece, pieces))
    return text.replace("{", OPEN).replace("}", CLOSE)


def _piece(piece: Piece) -> str:
    if isinstance(piece, str):
        return piece
    if isinstance(piece, Part):
        printed, _ = Findings().record(piece.field, piece.format, *piece.also)
        inert = SPACE.sub(" ", PRIVATE.sub("\ufffd", printed))
        return f"{piece.before}{inert}{piece.after}"
    return f"{ITALIC}{piece.text}{ITALIC_END}" if isinstance(piece, Italic) else piece.text


def _great_table(table: Table, rows: Sequence[Sequence[str]]) -> GT:
    """Return the table as great_tables knows it; a group row is marked in its first cell."""
    import pandas as pd
    from great_tables import GT

    names = [f"c{k}" for k in range(len(table.columns))]
    body = "".join(_line(row, texts) for row, texts in zip(table.rows, rows, strict=True))
    cells = [body + BODY_END, *[""] * (len(names) - 1)]
    frame = pd.DataFrame([cells], columns=names, dtype=object)
    laid = GT(frame).tab_options(table_font_size="8pt")
    titles = (f"{HEAD}{_text(column.heading.pieces)}{HEAD_END}" for column in table.columns)
    laid = laid.cols_label(dict(zip(names, titles, strict=True)))
    for k, spanner in enumerate(table.spanners):
        over = names[spanner.first : spanner.last + 1]
        laid = laid.tab_spanner(label=_text(spanner.heading.pieces), columns=over, id=f"s{k}")
    for k, note in enumerate(table.all_notes):
        first = f"{ITALIC}Note.{ITALIC_END} " if k == 0 else ""
        laid = laid.tab_source_note(first + _text(note))
    return laid


def _line(row: Row, texts: Sequence[str]) -> str:
    """Return a row as one text between marks that say what kind of row it is."""
    note = f" {ITALIC}({row.note}){ITALIC_END}" if row.note else ""
    mark = PLAIN if not row.group else FAINT if row.faint and not row.note else GROUP
    return f"{mark}{NEXT.join(texts)}{note if row.group else ''}{ROW_END}"


def _widths(table: Table, rows: Sequence[Sequence[str]]) -> tuple[list[float], bool]:
    """Return each column's share of the line, and whether the page has to lie on its side."""
    needs = []
    for k, column in enumerate(table.columns):
        cells = [texts[k] for texts, row in zip(rows, table.rows, strict=True) if not row.group]
        most = WIDEST_NUMBER if column.numeric else WIDEST_TEXT
        title = _text(column.heading.pieces)
        tokens = [token for text in (*cells, title) for token in re.split(r"[ _]", text)]
        longest = max(map(len, tokens), default=0)
        needs.append(GAP + max(min(longest, most), min(max(map(len, cells), default=0), most)))
    sideways = sum(needs) > UPRIGHT
    line = max(sum(needs), SIDEWAYS if sideways else UPRIGHT)
    return [need / line for need in needs], sideways


def _column(share: float, how: str, kind: str = "p") -> str:
    return rf">{{\{how}\arraybackslash}}{kind}{{\dimexpr {share:.4f}\linewidth-2\tabcolsep\relax}}"


def _finished(latex: str, table: Table, shares: Sequence[float]) -> str:
    """Return great_tables' LaTeX with columns that wrap, caption, repeated headings, wide rows."""
    hows = ["raggedleft" if column.numeric else "raggedright" for column in table.columns]
    spec = "".join(_column(share, how) for share, how in zip(shares, hows, strict=True))
    start = (
        "\\setlength{\\LTcapwidth}{\\linewidth}\\setlength{\\LTleft}{0pt}\n"
        f"\\begin{{longtable}}{{{spec}}}\n\\caption{{{_escaped_title(table)}}}"
        f"\\label{{tab:{table.name}}}\\\\\n"
    )
    latex = re.sub(r"\\begin\{longtable\}\{[lrc]+\}\n", lambda _: start, latex, count=1)
    rule = "\\midrule\\addlinespace[2.5pt]"
    latex = latex.replace(rule, f"{rule}\n\\endhead", 1)
    spans = iter(table.spanners)

    def over(match: re.Match[str]) -> str:
        spanner = next(spans)
        width = sum(shares[spanner.first : spanner.last + 1])
        return rf"\multicolumn{{{match[1]}}}{{{_column(width, 'centering')}}}"

    latex = re.sub(r"\\multicolumn\{(\d+)\}\{c\}", over, latex)
    places = iter(range(len(shares)))

    def title(match: re.Match[str]) -> str:
        k = next(places)
        return rf"\multicolumn{{1}}{{{_column(shares[k], hows[k], 'b')}}}{{{match[1]}}}"

    latex = re.sub(f"{HEAD}([^{HEAD_END}]*){HEAD_END}", title, latex)
    return _rows_and_italics(latex, len(shares), sum(shares))


def _rows_and_italics(latex: str, columns: int, width: float) -> str:
    """Return the LaTeX with rows over the whole width, italics, and no row that begins with a *."""
    wide = rf"\multicolumn{{{columns}}}{{{_column(width, 'raggedright')}}}"
    around = {
        PLAIN: ("", ""),
        GROUP: ("\\addlinespace[3pt]\n" + wide + r"{\textbf{", "}}"),
        FAINT: (wide + "{", "}"),
    }

    def row(match: re.Match[str]) -> str:
        before, after = around[match[1]]
        return f"{before}{match[2].replace(NEXT, ' & ')}{after} \\\\\n"

    latex = re.sub(f"([{GROUP}{FAINT}{PLAIN}])(.*?){ROW_END}", row, latex)
    latex = re.sub(rf"\n{BODY_END}.*\n", "\n", latex)
    latex = re.sub(f"{ITALIC}([^{ITALIC_END}]*){ITALIC_END}", r"\\textit{\1}", latex)
    # A star or bracket after the end of a row would be taken for its option.
    latex = re.sub(r"(?m)^(\s*)(?=[*\[])", r"\1{}", latex)
    latex = latex.replace("\\begin{minipage}", "\\smallskip\\noindent\\begin{minipage}")
    return latex.replace(r"\_", r"\_\allowbreak{}")


def _escaped_title(table: Table) -> str:
    """Return the title; the code's own words, letters and spaces only but for a few marks."""
    return table.title.replace("%", r"\%").replace("&", r"\&")
