"""The reporting checklists as a document: for each a summary and its table."""

from __future__ import annotations

from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.manuscript.blocks import Block, Document, Heading, Paragraph, Words
from alliance.tables.checklists import NOT_FILLED_IN, all_of, checklists, one_checklist
from alliance.tables.layout import Part

TITLE = "Reporting checklists"
OPENING = (
    "Reported means that the run proves that the report has it. What only an author can write is "
    "listed as missing. Places are headings, tables and figures of the report."
)


def checklist_document(results: Results) -> Document:
    """Return the document; `results` holds fields, with `checklists` among the descriptions."""
    document = Document(TITLE, [Heading((TITLE,), level=1)])
    if not all_of(results):
        document.blocks.append(Paragraph((NOT_FILLED_IN,)))
        return document
    document.blocks += [Paragraph((OPENING,)), checklists(results)]
    for one in all_of(results):
        document.blocks += _of(one, results)
    return document


def _of(one: Field, results: Results) -> list[Block]:
    return [
        Heading((Part(one["title"]),)),
        Paragraph((Part(one["reference"]),)),
        Paragraph(summary(one)),
        one_checklist(one["name"].raw, results),
    ]


def summary(one: Field) -> Words:
    """Return the counts of a checklist in a sentence."""
    counts = one["counts"]
    return (
        Part(counts["items"], "count", before="Of ", after=" items, "),
        Part(counts["reported"], "count", after=" are reported, "),
        Part(counts["partly"], "count", after=" partly, "),
        Part(counts["not_reported"], "count", after=" are not, and "),
        Part(counts["does_not_apply"], "count", after=" do not apply."),
    )
