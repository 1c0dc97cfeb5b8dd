"""What the methods text says of the agreement of two views."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import say
from alliance.manuscript.sections.of_families import Groups


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made."""
    return [(_agreement(material, fits), fits)]


def _agreement(material: Material, fits: Sequence[Field]) -> Words:
    return say("Whether therapists' ratings follow those of clients was examined by the truth and "
               "bias model ", material.references.cite("west2011"), ", in which the intercept is "
               "the directional discrepancy and the within-client slope says how closely one view "
               "follows the other. Both ratings were expressed as per cent of the possible "
               "range.")  # fmt: skip
