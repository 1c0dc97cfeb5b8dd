"""A Word document of a table, written by the conventions that `findings.read_word` reads."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

# a picture of one grey point
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c636800000082008177cd72b60000000049454e44ae426082"
)


def control(finding: Any) -> Any:
    """Return an inline content control with the finding's text."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    made = OxmlElement("w:sdt")
    properties, content = OxmlElement("w:sdtPr"), OxmlElement("w:sdtContent")
    for name, value in (("w:alias", finding.address), ("w:tag", finding.id)):
        part = OxmlElement(name)
        part.set(qn("w:val"), value)
        properties.append(part)
    run, text = OxmlElement("w:r"), OxmlElement("w:t")
    text.text = finding.printed
    text.set(qn("xml:space"), "preserve")
    run.append(text)
    content.append(run)
    made.append(properties)
    made.append(content)
    return made


def field(paragraph: Any, instruction: str, result: str) -> None:
    """Add a field, a number that Word counts, to a paragraph."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    for kind, text in (("begin", ""), ("", instruction), ("separate", ""), ("t", result),
                       ("end", "")):  # fmt: skip
        run = paragraph.add_run(text if kind == "t" else None)
        if kind in ("begin", "separate", "end"):
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)
        elif kind == "":
            told = OxmlElement("w:instrText")
            told.text = text
            run._r.append(told)


def put(paragraph: Any, findings: Any, before: str, field: Any, format: str, *also: Any) -> None:
    """Add words and a finding to a paragraph."""
    printed, finding = findings.record(field, format, *also)
    paragraph.add_run(before)
    if finding is None:
        paragraph.add_run(printed)
    else:
        paragraph._p.append(control(finding))


def word_of(table: Any, findings: Any, fit: Any, picture: bytes = DOT) -> bytes:
    """Return a document with a paragraph about a fit, a picture and a table, as bytes."""
    import docx
    from docx.enum.style import WD_STYLE_TYPE

    document = docx.Document()
    document.styles.add_style("Fixed", WD_STYLE_TYPE.CHARACTER)
    document.core_properties.title = "What was found"
    document.add_heading("Results", level=1)
    paragraph = document.add_paragraph("Intervals of ")
    paragraph.add_run("95%", style="Fixed")
    for entry in fit["estimates"]:
        put(paragraph, findings, "; ", entry["estimate"], "decimals:2")
        put(paragraph, findings, " lies ", entry["ci_low"], "change:above|below|on both sides of",
            entry["ci_high"])  # fmt: skip
        put(paragraph, findings, " nothing, t = ", entry["statistic"], "decimals:2")
        put(paragraph, findings, ", p ", entry["p"], "p")
    document.add_picture(io.BytesIO(picture))
    shape = document.inline_shapes[0]._inline.docPr
    shape.set("descr", "A grey point.")
    caption = document.add_paragraph("Table ")
    field(caption, "SEQ Table \\* ARABIC", "1")
    grid = document.add_table(0, len(table.columns))
    for row in table.rows:
        cells = grid.add_row().cells
        for cell, column in zip(row.cells, cells, strict=False):
            for part in cell.parts:
                put(column.paragraphs[0], findings, part.before, part.field, part.format,
                    *part.also)  # fmt: skip
                column.paragraphs[0].add_run(part.after)
    section = document.sections[0]
    section.header.paragraphs[0].text = "Alliance"
    field(section.footer.paragraphs[0], "PAGE", "1")
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def parts_of(document: bytes) -> dict[str, bytes]:
    """Return the parts of a document."""
    with zipfile.ZipFile(io.BytesIO(document)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def packed(parts: Mapping[str, bytes]) -> bytes:
    """Return parts put together to a document again."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as out:
        for name, content in parts.items():
            out.writestr(name, content)
    return stream.getvalue()
