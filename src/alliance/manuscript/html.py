"""A document as HTML: a part of another page, or a page of its own."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from alliance.findings.formats import clean_text
from alliance.findings.ledger import Findings, element
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
from alliance.tables import html, pages
from alliance.tables.layout import Part, Table

DEEPEST = 6


def html_blocks(document: Document, findings: Findings, first_level: int = 3) -> Markup:
    """Return what stands in the document, without its title.

    `first_level` is the heading that a heading of level 2 becomes: the page has those above it.
    """
    return Markup("\n").join(_block(block, findings, first_level - 2) for block in document.blocks)


def write_html(document: Document, findings: Findings) -> str:
    """Return the document as a page that opens offline and asks nobody for anything."""
    findings.place = document.title
    template = pages.environment("alliance.manuscript").get_template("document.html")
    return template.render(
        title=document.title,
        body=html_blocks(document, findings, first_level=2),
        **pages.dressed(
            ("alliance.tables", "table.css"), ("alliance.manuscript", "manuscript.css")
        ),
    )


def _block(block: Block, findings: Findings, deeper: int) -> Markup:
    if isinstance(block, Heading):
        tag = f"h{min(block.level + deeper, DEEPEST)}"
        written = _words(block.words, findings)
        return Markup('<{0} id="{1}">{2}</{0}>').format(Markup(tag), _id_of(block), written)
    if isinstance(block, Paragraph):
        opening = Markup('<p class="reference">' if block.hanging else "<p>")
        return opening + _words(block.words, findings) + Markup("</p>")
    if isinstance(block, Bullets):
        items = (Markup("<li>{}</li>").format(_words(item, findings)) for item in block.items)
        return Markup("<ul>{}</ul>").format(Markup("").join(items))
    return _table(block, findings)


def _id_of(heading: Heading) -> str:
    """Return the id of a heading: its fixed words, e.g. `text-missing-data`."""
    fixed = " ".join(piece for piece in heading.words if isinstance(piece, str))
    return "-".join(["text", *re.findall("[a-z]+", fixed.lower())])


def _table(table: Table, findings: Findings) -> Markup:
    place, findings.place = findings.place, f"{findings.place}, table {table.name}"
    fragment = html.table_fragment(table, findings)
    findings.place = place
    return element("p", {"class": "table-title"}, table.title) + fragment


def _words(words: Words, findings: Findings) -> Markup:
    return Markup("").join(_piece(piece, findings) for piece in words)


def _piece(piece: Piece, findings: Findings) -> Markup:
    if isinstance(piece, Part):
        shown = findings.show(piece.field, piece.format, *piece.also)
        return escape(piece.before) + shown + escape(piece.after)
    if isinstance(piece, Fixed):
        return element("span", {"class": "fixed"}, piece.text)
    if isinstance(piece, Italic):
        return element("i", {}, clean_text(piece.text))
    return escape(piece)
