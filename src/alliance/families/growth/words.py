"""What the methods text says of growth models."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import say
from alliance.manuscript.sections.of_families import Groups


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made."""
    return [(_growth(material, fits), fits)]


def _growth(material: Material, fits: Sequence[Field]) -> Words:
    return say("How a measure develops over treatment was described by multilevel growth models ",
               material.references.cite("raudenbush2002"), ".")  # fmt: skip
