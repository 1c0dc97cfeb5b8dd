"""Write a document in Word, in the form of a manuscript by APA 7.

Every finding is a content control: its tag is the finding's id, its title the address, and it looks
like plain text. A digit that no finding vouches for stands in a run of the character style `Fixed`.
The file has no date, no author, and the same bytes for the same content.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from alliance.findings import Finding, Findings
from alliance.findings.formats import clean_text
from alliance.manuscript.blocks import (
    Block,
    Bullets,
    Document,
    Fixed,
    Heading,
    Italic,
    Paragraph,
    Part,
    Table,
    Words,
)

if TYPE_CHECKING:
    from docx.document import Document as WordFile
    from docx.text.paragraph import Paragraph as WordParagraph

WORD_2012 = "http://schemas.microsoft.com/office/word/2012/wordml"
FIRST_OF_ALL_TIMES = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP archive can hold


def write_word(document: Document, findings: Findings) -> bytes:
    """Return the document as the bytes of a .docx; its numbers go on record in `findings`."""
    from alliance.manuscript import word_styles, word_tables

    file = word_styles.new_file(document.title)
    writer = _Writer(findings)
    if not any(isinstance(block, Heading) and block.level == 1 for block in document.blocks):
        file.add_paragraph(clean_text(document.title), style="Title")
    number, place = 0, findings.place
    before: Block | None = None
    for block in document.blocks:
        if isinstance(block, Table):
            number += 1
            findings.place = block.name
            fresh = isinstance(before, Table)
            word_tables.add_table(file, block, number, writer.write, fresh)
        else:
            findings.place = place
            word_tables.turn(file, sideways=False)
            _add_text(file, block, writer)
        before = block
    return stable_zip(word_styles.saved(file))


def _add_text(file: WordFile, block: Heading | Paragraph | Bullets, writer: _Writer) -> None:
    from alliance.manuscript.word_styles import heading_style

    if isinstance(block, Bullets):
        for item in block.items:
            writer.write(file.add_paragraph(style="List Bullet"), item)
    elif isinstance(block, Heading):
        writer.write(file.add_paragraph(style=heading_style(block.level)), block.words)
    else:
        style = "Reference" if block.hanging else "Body Text"
        writer.write(file.add_paragraph(style=style), block.words)


class _Writer:
    """Put pieces of text into paragraphs; count the content controls."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def write(self, paragraph: WordParagraph, words: Words) -> None:
        """Append the pieces to the paragraph."""
        for piece in words:
            if isinstance(piece, str):
                _run(paragraph, piece)
            elif isinstance(piece, Fixed):
                _run(paragraph, piece.text, style="Fixed")
            elif isinstance(piece, Italic):
                _run(paragraph, piece.text, italic=True)
            else:
                self._part(paragraph, piece)

    def _part(self, paragraph: WordParagraph, part: Part) -> None:
        _run(paragraph, part.before)
        printed, finding = self.findings.record(part.field, part.format, *part.also)
        if finding is None:
            _run(paragraph, printed)
        else:
            _control(paragraph, printed, finding, len(self.findings.entries))
        _run(paragraph, part.after)


def _run(
    paragraph: WordParagraph, text: str, style: str | None = None, italic: bool | None = None
) -> None:
    if text:
        paragraph.add_run(clean_text(text), style=style).italic = italic


def _control(paragraph: WordParagraph, printed: str, finding: Finding, number: int) -> None:
    """Append a content control with the printed text; it shows no frame."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    run = paragraph.add_run(clean_text(printed))._r
    control, properties, content = map(OxmlElement, ("w:sdt", "w:sdtPr", "w:sdtContent"))
    for name, value in (("w:alias", finding.alias), ("w:tag", finding.id), ("w:id", str(number))):
        entry = OxmlElement(name)
        entry.set(qn("w:val"), value)
        properties.append(entry)
    hidden = properties.makeelement(f"{{{WORD_2012}}}appearance", nsmap={"w15": WORD_2012})
    hidden.set(f"{{{WORD_2012}}}val", "hidden")
    properties.append(hidden)
    run.addprevious(control)
    content.append(run)
    control.extend([properties, content])


def stable_zip(data: bytes) -> bytes:
    """Return a ZIP archive with its members sorted, undated and not compressed.

    Builds of zlib differ in the bytes that they make of one content; what is stored is alike.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(stream, "w") as made:
        for name in sorted(given.namelist()):
            entry = zipfile.ZipInfo(name, FIRST_OF_ALL_TIMES)
            entry.create_system = 0
            made.writestr(entry, given.read(name), zipfile.ZIP_STORED)
    return stream.getvalue()
