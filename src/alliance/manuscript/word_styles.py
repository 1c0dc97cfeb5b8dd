"""The look of a Word document: paper, fonts, headings, and nothing of who made it when."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from alliance.findings.formats import clean_text

if TYPE_CHECKING:
    from docx.document import Document as WordFile

FONT = "Times New Roman"
A4 = (210, 297)  # mm
MARGIN = 25.4  # mm: one inch
LANGUAGE = "en-GB"
# What the template of python-docx holds and this project has no use for.
UNWANTED_PARTS = ("thumbnail", "stylesWithEffects", "customXml")
CORE = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
    'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title>'
    "<dc:language>{language}</dc:language></cp:coreProperties>"
)
APP = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">'
    "<Application>alliance</Application></Properties>"
)


def heading_style(level: int) -> str:
    """Return the style of a heading; level 1 is the title of the document."""
    return "Title" if level <= 1 else f"Heading {min(level - 1, 3)}"


def new_file(title: str) -> WordFile:
    """Return an empty document in the form of a manuscript."""
    import docx
    from docx.shared import Mm

    file = docx.Document()
    for section in file.sections:
        section.page_width, section.page_height = map(Mm, A4)
        section.left_margin = section.right_margin = Mm(MARGIN)
        section.top_margin = section.bottom_margin = Mm(MARGIN)
        _number_pages(section)
    _leave_out_styles(file)
    _set_styles(file)
    file.core_properties.title = clean_text(title)
    return file


def saved(file: WordFile) -> bytes:
    """Return the document's bytes, with properties that name no author and no date."""
    import html

    title = html.escape(file.core_properties.title, quote=False)
    for relations in (file.part.rels, file.part.package.rels):
        for key in [key for key, relation in relations.items() if _unwanted(relation)]:
            relations.pop(key)
    stream = io.BytesIO()
    file.save(stream)
    return _with_properties(stream.getvalue(), CORE.format(title=title, language=LANGUAGE))


def _unwanted(relation: Any) -> bool:
    return any(name in relation.reltype for name in UNWANTED_PARTS)


def _with_properties(data: bytes, core: str) -> bytes:
    import zipfile

    stream = io.BytesIO()
    new = {"docProps/core.xml": core, "docProps/app.xml": APP}
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(stream, "w") as made:
        for name in given.namelist():
            made.writestr(name, new.get(name, given.read(name)))
    return stream.getvalue()


def _leave_out_styles(file: WordFile) -> None:
    """Remove the template's table styles and others that no reader should choose from."""
    from docx.enum.style import WD_STYLE_TYPE

    kept = {"Normal Table", "Header", "Title", "Normal", "Body Text", "List Bullet",
            "Heading 1", "Heading 2", "Heading 3", "Default Paragraph Font"}  # fmt: skip
    for style in list(file.styles):
        if style.type == WD_STYLE_TYPE.LIST or style.name in kept:
            continue
        style.delete()


def _set_styles(file: WordFile) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Cm, Pt

    _style(file, "Normal", size=12, spacing=2.0)
    normal = file.styles["Normal"]
    normal.paragraph_format.widow_control = True
    _set_language(normal)
    _style(file, "Body Text", size=12, spacing=2.0).paragraph_format.first_line_indent = Cm(1.27)
    _style(file, "List Bullet", size=12, spacing=2.0)
    title = _style(file, "Title", size=12, spacing=2.0, bold=True)
    title.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _no_border(title)
    for level in (1, 2, 3):
        heading = _style(file, f"Heading {level}", size=12, spacing=2.0, bold=True)
        heading.font.italic = level == 3
        heading.paragraph_format.keep_with_next = True
        heading.paragraph_format.space_before = Pt(0)
        if level == 1:
            heading.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for name, size, after in (("Reference", 12, 0), ("Table Number", 12, 4), ("Table Title", 12, 6),
                              ("Table Text", 9, 1), ("Table Note", 10, 0)):  # fmt: skip
        file.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = normal
        made = _style(file, name, size=size, spacing=2.0 if name == "Reference" else 1.0)
        made.paragraph_format.space_after = Pt(after)
    reference = file.styles["Reference"].paragraph_format
    reference.left_indent, reference.first_line_indent = Cm(1.27), Cm(-1.27)
    file.styles["Table Number"].font.bold = True
    file.styles["Table Title"].font.italic = True
    for name in ("Table Number", "Table Title"):
        file.styles[name].paragraph_format.keep_with_next = True
    file.styles["Table Text"].paragraph_format.space_before = Pt(1)
    file.styles["Table Note"].paragraph_format.space_before = Pt(3)
    file.styles.add_style("Fixed", WD_STYLE_TYPE.CHARACTER)


def _style(file: WordFile, name: str, *, size: float, spacing: float, bold: bool = False) -> Any:
    """Return a paragraph style in black, in the manuscript's font."""
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    style: Any = file.styles[name]
    style.font.name, style.font.size, style.font.bold = FONT, Pt(size), bold
    style.font.color.rgb = RGBColor(0, 0, 0)
    fonts = style.element.rPr.rFonts
    for key in ("ascii", "hAnsi", "eastAsia", "cs"):
        fonts.set(qn(f"w:{key}"), FONT)
        fonts.attrib.pop(qn(f"w:{key}Theme"), None)
    fonts.attrib.pop(qn("w:cstheme"), None)
    style.paragraph_format.line_spacing = spacing
    style.paragraph_format.space_after = Pt(0)
    return style


def _set_language(style: Any) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    language = OxmlElement("w:lang")
    for key in ("val", "eastAsia", "bidi"):
        language.set(qn(f"w:{key}"), LANGUAGE if key != "bidi" else "ar-SA")
    style.element.rPr.append(language)
    defaults = style.element.getparent().find(qn("w:docDefaults"))
    for old in defaults.iter(qn("w:lang")):
        old.set(qn("w:val"), LANGUAGE)


def _no_border(style: Any) -> None:
    from docx.oxml.ns import qn

    for border in style.element.pPr.findall(qn("w:pBdr")):
        style.element.pPr.remove(border)


def _number_pages(section: Any) -> None:
    """Put the page's number into the header, at the right: a field that Word fills in."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    paragraph = section.header.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for kind in ("begin", None, "end"):
        run = paragraph.add_run()._r
        if kind is None:
            code = OxmlElement("w:instrText")
            code.text = " PAGE "
            run.append(code)
        else:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run.append(mark)
