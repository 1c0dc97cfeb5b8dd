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
    return say("How each view depends on both views at the previous joint rating was examined by "
               "an actor–partner interdependence model ", material.references.cite("cook2005"),
               ". As a client's mean over few ratings biases such effects, each was compared with "
               "what the same model finds when each client's joint ratings are shuffled; ",
               Italic("p"), " is the share of shuffles that are at least as far from their "
               "mean.")  # fmt: skip
