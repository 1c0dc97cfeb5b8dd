"""Read a Word document anew: what stands in it, and who vouches for it.

A finding is an inline content control (`w:sdt`) whose tag is its id and whose title (`w:alias`) is
its address. A fixed text is a run of the character style `Fixed`. Nothing of a Word program is
needed: the document is a zip file of XML. A file that somebody else may have made is opened with
care: its size is limited while it is unpacked, and XML that declares entities is refused.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from alliance.findings.printed import Page, Picture, Printed

MOST_BYTES = 64_000_000  # unpacked; a manuscript has less than one
MOST_PARTS = 2_000
# Parts with words that people read; `docProps/core.xml` has title, author and keywords.
READ = re.compile(
    r"word/(document|header\d*|footer\d*|footnotes|endnotes|comments)\.xml"
    r"|docProps/(core|custom)\.xml"
)
# Parts without words: styles, settings, what belongs to what.
WORDLESS = re.compile(
    r"\[Content_Types\]\.xml|.*\.rels|customXml/.*|docProps/(app\.xml|thumbnail\.\w+)"
    r"|word/(styles|stylesWithEffects|settings|webSettings|fontTable|numbering|theme/theme\d*)\.xml"
)
# Series that Word counts by itself, as the instruction of a field names them.
COUNTED = re.compile(r"\s*(PAGE|NUMPAGES|SEQ\s+\w+)\b")
# A date that a person reads nowhere in the document, and a count of savings.
UNREAD_PROPERTIES = {"created", "modified", "revision", "lastPrinted"}
ALTERNATIVES = ("descr", "title", "alt", "tooltip")
NAMED_TEXTS = {"tblCaption", "tblDescription"}


def read_word(data: bytes) -> Page:
    """Return what a reader of the document sees.

    Raises
    ------
    ValueError
        It is no Word document, it is too large, or it declares entities; says which.
    """
    page = Page()
    for name, content in sorted(_parts(data).items(), key=lambda part: _reading_order(part[0])):
        if name.startswith("word/media/"):
            page.pictures.append(Picture(None, content))
        elif READ.fullmatch(name):
            _Reader(page, properties=name.startswith("docProps/")).read(name, content)
        elif not WORDLESS.fullmatch(name):
            page.faults.append(f"the document has a part that nobody checks: {name}")
    return page


def _reading_order(name: str) -> tuple[bool, str]:
    return name != "word/document.xml", name


def _parts(data: bytes) -> dict[str, bytes]:
    """Return the unpacked parts of the document by name."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            found = dict(_unpacked(packed))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        msg = f"it is no Word document that can be opened ({type(error).__name__})"
        raise ValueError(msg) from None
    if "word/document.xml" not in found:
        msg = "it is no Word document: it has no text"
        raise ValueError(msg)
    return found


def _unpacked(packed: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    # The sizes that a zip file states may be wrong: what counts is what comes out.
    if len(packed.infolist()) > MOST_PARTS:
        msg = "it has too many parts"
        raise ValueError(msg)
    left = MOST_BYTES
    seen: set[str] = set()
    for part in packed.infolist():
        with packed.open(part) as stream:
            content = stream.read(left + 1)
        left -= len(content)
        if left < 0:
            msg = "it is too large when unpacked"
            raise ValueError(msg)
        if part.filename in seen:
            msg = f"it has the part {part.filename} twice"
            raise ValueError(msg)
        seen.add(part.filename)
        yield part.filename, content


class _Reader:
    """Sort the texts of one part by who vouches for them."""

    def __init__(self, page: Page, properties: bool) -> None:
        self.page = page
        self.properties = properties
        self.line = max((printed.line for printed in page.printed), default=0) + 1
        self.open: list[str] = []  # local names of the elements that are open
        self.controls: list[Printed] = []  # content controls that are open
        self.fields: list[_Field] = []
        self.fixed_run = False
        self.fixed_begun = False

    def read(self, name: str, content: bytes) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = _refuse_entities
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.buffer_text = True
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            msg = f"its part {name} is no XML ({expat.ErrorString(error.code)})"
            raise ValueError(msg) from None

    def _start(self, tag: str, attrs: Mapping[str, str]) -> None:
        local = tag.rpartition(" ")[2]
        attributes = {name.rpartition(" ")[2]: value for name, value in attrs.items()}
        value = attributes.get("val", "")
        within, self.open = self.open[-1:], [*self.open, local]
        if local == "tr" or (local == "p" and "tr" not in self.open):
            self.line += 1
        elif local == "sdt":
            self.controls.append(Printed(id="", address="", line=self.line))
        elif local == "tag" and within == ["sdtPr"]:
            self.controls[-1].id = value
        elif local == "alias" and within == ["sdtPr"]:
            self.controls[-1].address = value
        elif local == "sdtContent" and (self.controls[-1].id or self.controls[-1].address):
            self.page.printed.append(self.controls[-1])
        elif local == "dataBinding":
            self.page.faults.append("a content control shows what stands elsewhere")
        elif local in ("fldChar", "fldSimple"):
            self._field(attributes.get("fldCharType", "simple"), attributes.get("instr", ""))
        elif "r" in self.open:
            self._start_in_run(local, value, attributes)
        texts = [attributes.get(name, "") for name in ALTERNATIVES]
        texts += [value] if local in NAMED_TEXTS else []
        self.page.prose += [text for text in texts if text]

    def _start_in_run(self, local: str, value: str, attributes: Mapping[str, str]) -> None:
        if local == "r":
            self.fixed_run = self.fixed_begun = False
        elif local == "rStyle":
            self.fixed_run = value == "Fixed"
        elif local == "vanish" and value not in ("0", "false", "off"):
            self.page.faults.append("the document has hidden text")
        elif local == "sym":
            # A glyph of a symbol font: the low byte of its code may stand for a digit.
            self._print(chr(int(attributes.get("char", "0"), 16) & 0xFF))
        elif local in ("tab", "br", "cr"):
            self._print(" ")
        elif local == "noBreakHyphen":
            self._print("-")

    def _field(self, kind: str, instruction: str) -> None:
        if kind in ("begin", "simple"):
            self.fields.append(_Field(instruction, shown=kind == "simple"))
        elif kind == "separate" and self.fields:
            self.fields[-1].shown = True
        elif kind == "end" and self.fields:
            self._end_field()

    def _end_field(self) -> None:
        field = self.fields.pop()
        if series := COUNTED.match(field.instruction):
            self.page.counted.append((" ".join(series[1].split()), field.result))

    def _end(self, tag: str) -> None:
        local = self.open.pop()
        if local == "sdt":
            self.controls.pop()
        elif local == "fldSimple":
            self._end_field()

    def _text(self, text: str) -> None:
        if self.properties:
            if self.open[-1] not in UNREAD_PROPERTIES:
                self.page.prose.append(text)
        elif self.open[-1] == "instrText" and self.fields:
            self.fields[-1].instruction += text
        elif self.open[-1] == "t":  # of the text, of a drawing, of a formula
            self._print(text)

    def _print(self, text: str) -> None:
        field = self.fields[-1] if self.fields else None
        owner = next((control for control in reversed(self.controls) if control.id), None)
        self.page.words.append(text)
        if owner is not None:
            owner.text += text
        elif field is not None and field.shown and COUNTED.match(field.instruction):
            field.result += text
        elif self.fixed_run:
            if not self.fixed_begun:
                self.page.fixed.append("")
                self.fixed_begun = True
            self.page.fixed[-1] += text
        else:
            self.page.prose.append(text)


@dataclass(slots=True)
class _Field:
    """A field of Word: what it is told to show, whether its result has begun, and the result."""

    instruction: str
    shown: bool
    result: str = ""


def _refuse_entities(*_: Any) -> None:
    msg = "it declares entities, which no Word program writes"
    raise ValueError(msg)
