"""The methods section of a paper, written from what was run.

Every sentence stands there because a fit, a description or the record of the run shows that what it
says was done; a model without a result is told as tried, with the reason. Numbers and citations are
findings. The sections are in `alliance.manuscript.sections`.
"""

from __future__ import annotations

from collections.abc import Callable

from alliance.findings.citations import reference_parts
from alliance.findings.fields import Field
from alliance.findings.formats import has_digit
from alliance.findings.results import Results
from alliance.manuscript.blocks import Block, Document, Italic, Paragraph, Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import heading, joined, paragraphs, say, text
from alliance.manuscript.references import References
from alliance.manuscript.sections.analysis import analysis
from alliance.manuscript.sections.authors import transparency
from alliance.manuscript.sections.change import change, ruptures
from alliance.manuscript.sections.checks import robustness, sites
from alliance.manuscript.sections.leaving import dropout
from alliance.manuscript.sections.measures import measures, missing
from alliance.manuscript.sections.participants import exclusions, participants
from alliance.manuscript.sections.software import software
from alliance.tables.layout import Part

TITLE = "Methods"
SECTIONS: tuple[Callable[[Material], list[Block]], ...] = (
    participants,
    exclusions,
    measures,
    missing,
    change,
    ruptures,
    analysis,
    dropout,
    sites,
    robustness,
    software,
    transparency,
)


def methods_text(results: Results, references: References, run: Field) -> Document:
    """Return the methods section.

    Parameters
    ----------
    results
        Fits and descriptions, as fields.
    references
        `read_references(...)`, or `all_works(results)` to find out what will be cited.
    run
        `audit/run.json` as a field.
    """
    material = Material(results, references, run)
    document = Document(TITLE)
    for section in SECTIONS:
        document.blocks += section(material)
    document.blocks += _list_of_references(references)
    return document


def _list_of_references(references: References) -> list[Block]:
    cited = references.cited()
    if not cited:
        return []
    entries: list[Block] = [Paragraph(_entry(work), hanging=True) for work in cited]
    return [heading("References"), *entries, *paragraphs(_not_checked(cited), _untitled(cited))]


def _entry(work: Field) -> Words:
    """Return an entry with the journal, or the title of a book, in italics."""
    _, italic, _ = reference_parts(work.raw)
    if not italic or has_digit(italic):  # words in italics are no finding: they hold no digit
        return (Part(work, "reference"),)
    return (Part(work, "reference:opening"), Italic(italic), Part(work, "reference:closing"))


def _not_checked(cited: list[Field]) -> Words:
    loose = [text(w, "citation") for w in cited if not w.raw.get("custom", {}).get("checked")]
    if not loose:
        return ()
    return say("To be compared with the original before use, since the details were not read in a "
               "source: ", joined(loose), ".")  # fmt: skip


def _untitled(cited: list[Field]) -> Words:
    bare = [text(work, "citation") for work in cited if "title" not in work.raw]
    if not bare:
        return ()
    return say("To be completed by the title, which the scoring key does not name: ", joined(bare),
               ".")  # fmt: skip
