"""What the methods text says of response surfaces."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import say
from alliance.manuscript.sections.of_families import Groups


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made."""
    return [(_surface(material, fits), fits)]


def _surface(material: Material, fits: Sequence[Field]) -> Words:
    return say("How agreement and disagreement of the two views relate to the outcome was examined "
               "by polynomial regression and its response surface ",
               material.references.cite("edwards1993"), ".")  # fmt: skip
