"""What the methods text says of actor and partner effects."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import say
from alliance.manuscript.sections.of_families import Groups


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made."""
    return [(_actor_partner(material, fits), fits)]


def _actor_partner(material: Material, fits: Sequence[Field]) -> Words:
    return say("Whose view follows whose was examined by an actor–partner interdependence model ",
               material.references.cite("cook2005"), " over successive joint ratings.")  # fmt: skip
