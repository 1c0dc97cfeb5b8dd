"""What the methods text says of actor and partner effects."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.findings.fields import Field
from alliance.manuscript.blocks import Italic, Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import say
from alliance.manuscript.sections.of_families import Groups


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made."""
    return [(_actor_partner(material, fits), fits)]


def _actor_partner(material: Material, fits: Sequence[Field]) -> Words:
    return say("How the view of either goes with both views at the joint rating before was "
               "examined by an actor–partner interdependence model ",
               material.references.cite("cook2005"),
               ". A client's mean over few ratings biases such effects; each is compared with what "
               "the same model finds when the order of each client's joint ratings is left to "
               "chance, and ", Italic("p"), " is the share of shuffles that lie as far from their "
               "mean.")  # fmt: skip
