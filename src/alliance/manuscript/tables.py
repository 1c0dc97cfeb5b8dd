"""The tables of a paper as one document, in their order, each on a page of its own."""

from __future__ import annotations

from alliance.findings.results import Results
from alliance.manuscript.blocks import Document, Paragraph, Part

TITLE = "Tables"


def table_document(results: Results) -> Document:
    """Return the document of all APA tables that have content; `results` as fields.

    A table that has none is named at the beginning, with what it says instead.
    """
    from alliance.tables.apa import apa_tables
    from alliance.tables.makers import maker_of

    tables = [maker_of(name)[0](results) for name in apa_tables()]
    simulated = results.about["simulated"].raw
    of = ("Of the cohort “", Part(results.about["title"]), "”", ", which is simulated" * simulated)
    document = Document(TITLE, [Paragraph((*of, "."))])
    document.blocks += [
        Paragraph((f"{table.title}. {table.empty}",)) for table in tables if not table.rows
    ]
    document.blocks += [table for table in tables if table.rows]
    return document
