"""`Findings`: the only way from a field onto a page, and the record of what was printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from alliance.findings.fields import Field
from alliance.findings.formats import MISSING, as_value, clean_text, format_value, has_digit

if TYPE_CHECKING:  # what reads findings anew runs without any library
    from markupsafe import Markup

SCHEMA = "alliance-findings-1"
PLAIN = (
    "text",
    "words",
    "key",
    "component",
    "per",
    "head",
    "tail",
    "spoken",
)  # formats of words, which need no vouching unless they have digits


@dataclass(frozen=True, slots=True)
class Finding:
    """One printed number, or a word that numbers decide.

    Attributes
    ----------
    id
        Identity within its document.
    document
        File in which it is printed, relative to the results folder.
    place
        Section or table where it is printed.
    printed
        As printed.
    value
        The full value (of the first field).
    format
        How it was rounded and written, see `alliance.findings.formats`.
    source, pointer
        File relative to the results folder, and JSON pointer.
    also
        Addresses of further fields that decide a word, in the order of the format's arguments.
    """

    id: str
    document: str
    place: str
    printed: str
    value: Any
    format: str
    source: str
    pointer: str
    also: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """File and pointer in one, as `Field.address`."""
        return f"{self.source}#{self.pointer}"

    @property
    def alias(self) -> str:
        """The address as the title of a content control in Word, which has room for 64 characters.

        A longer address is cut; the list of findings has all of it under the same id.
        """
        return clean_text(self.address)[:64]


class Findings:
    """The findings of one document, in the order in which they are printed.

    Parameters
    ----------
    prefix
        Put before the running number to make ids.
    cards
        Source file to the id of the page element that describes it; findings link there.
    document
        The file that they are printed in, relative to the results folder.
    """

    def __init__(
        self,
        prefix: str = "f",
        cards: Mapping[str, str] | None = None,
        document: str = "report.html",
    ) -> None:
        self.prefix = prefix
        self.document = document
        self.cards = dict(cards or {})
        self.place = ""
        self.tab_stops = True
        self.entries: list[Finding] = []

    def record(
        self, field: Field, format: str = "text", *also: Field
    ) -> tuple[str, Finding | None]:
        """Return how the field is printed, and the finding put on record for it.

        A missing value is a dash. Neither it nor text without any digit has a number to vouch for:
        they are no findings.
        """
        values = [field.raw, *(other.raw for other in also)]
        if any(value is None for value in values):
            return MISSING, None
        printed = format_value(format, *values)
        if not printed or (format.partition(":")[0] in PLAIN and not has_digit(printed)):
            return printed, None
        finding = Finding(
            id=f"{self.prefix}{len(self.entries) + 1}",
            document=self.document,
            place=self.place,
            printed=printed,
            value=field.raw,
            format=format,
            source=field.source,
            pointer=field.pointer,
            also=tuple(other.address for other in also),
        )
        self.entries.append(finding)
        return printed, finding

    def show(self, field: Field, format: str = "text", *also: Field) -> Markup:
        """Return the field's value as an element of a page, and put it on record.

        Where the page has a card for the field's file, a finding is a link to it.
        """
        from markupsafe import Markup

        written, finding = self._write(field, format, *also)
        card = self.cards.get(field.source)
        if card is None or finding is None:
            return written
        # A table has too many numbers to step through: its source line below has the tab stops.
        stop = Markup("") if self.tab_stops else Markup(' tabindex="-1"')
        return Markup('<a href="#{}"{}>{}</a>').format(card, stop, written)

    def plain(self, field: Field, format: str = "text", *also: Field) -> Markup:
        """Return the same as `show`, but never a link: for what stands within a link."""
        return self._write(field, format, *also)[0]

    def _write(self, field: Field, format: str, *also: Field) -> tuple[Markup, Finding | None]:
        from markupsafe import Markup, escape

        printed, finding = self.record(field, format, *also)
        if finding is not None:
            return _element(finding), finding
        if printed == MISSING:
            none = '<span class="none" title="not available">{}</span>'
            return Markup(none).format(MISSING), None
        return escape(printed), None

    def as_json(self, run: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the record in the form of `audit/findings.json`."""
        entries = [asdict(entry) | {"also": list(entry.also)} for entry in self.entries]
        return {"schema": SCHEMA, "run": dict(run or {}), "findings": entries}


def _element(finding: Finding) -> Markup:
    attributes = {
        "class": "finding",
        "id": finding.id,
        "title": clean_text(finding.address),
        "data-format": finding.format,
    }
    if finding.also:
        attributes["data-also"] = " ".join(finding.also)
    if finding.format == "text" or isinstance(finding.value, dict | list):
        return element("span", attributes, finding.printed)  # a whole entry is no `value`
    return element("data", attributes | {"value": as_value(finding.value)}, finding.printed)


def element(tag: str, attributes: Mapping[str, str], content: str) -> Markup:
    """Return an HTML element; attributes and content are escaped."""
    from markupsafe import Markup

    written = Markup("").join(
        Markup(' {}="{}"').format(name, value) for name, value in attributes.items()
    )
    return Markup("<{}{}>{}</{}>").format(Markup(tag), written, content, Markup(tag))
