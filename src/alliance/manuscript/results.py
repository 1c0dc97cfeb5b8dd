"""The results section of a paper, written from what was found.

Each sentence prints fields of the fits and descriptions; what a cohort does not have is not spoken
of. What the models found is said by their families (`found.py` in their folders).
"""

from __future__ import annotations

from collections.abc import Callable

from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.manuscript.blocks import Block, Document
from alliance.manuscript.material import Material
from alliance.manuscript.prose import heading
from alliance.manuscript.references import References
from alliance.manuscript.sections.analysis import OWN_SECTIONS
from alliance.manuscript.sections.found_change import found_change, found_ruptures
from alliance.manuscript.sections.found_leaving import found_leaving
from alliance.manuscript.sections.found_sample import found_sample
from alliance.manuscript.sections.found_sensitivity import found_sensitivity
from alliance.manuscript.sections.of_families import found_in, parts

TITLE = "Results"


def results_text(results: Results, references: References, run: Field) -> Document:
    """Return the results section; parameters as of `methods_text`."""
    material = Material(results, references, run)
    document = Document(TITLE)
    for section in SECTIONS:
        document.blocks += section(material)
    return document


def _found(material: Material) -> list[Block]:
    """Return what was found in each part that has no section of its own."""
    blocks: list[Block] = []
    for part in parts():
        told = found_in(part, material) if part not in OWN_SECTIONS else []
        blocks += [heading(part), *told] if told else []
    return blocks


SECTIONS: tuple[Callable[[Material], list[Block]], ...] = (
    found_sample,
    found_change,
    found_ruptures,
    _found,
    found_leaving,
    found_sensitivity,
)
