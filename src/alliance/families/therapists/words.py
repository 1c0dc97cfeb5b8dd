"""What the methods text says of the models of therapists."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import say
from alliance.manuscript.sections.of_families import Groups


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made."""
    return [(_therapists(material), fits)]


def _therapists(material: Material) -> Words:
    cite = material.references.cite
    return say("The share of therapists in outcome, change, alliance and dropout was estimated "
               "with and without adjustment for the case mix. Early alliance and the last score "
               "were modelled together with therapists as a random level, so that the effects "
               "within and between therapists ", cite("baldwin2007"), " rest on latent means ",
               cite("ludtke2008"), ". The effects of individual therapists were predicted by "
               "empirical Bayes.")  # fmt: skip
