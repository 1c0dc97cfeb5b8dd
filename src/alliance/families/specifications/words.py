"""What the methods text says of alternative specifications."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.facts import Estimator
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import joined, say
from alliance.manuscript.sections.of_families import Groups, estimators


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made."""
    return [(_specifications(material, fits), fits)]


def _specifications(material: Material, fits: Sequence[Field]) -> Words:
    cite = material.references.cite
    names = estimators(fits)
    words = say("How far the effects depend on the handling of means, trends and lags ",
                cite("falkenstrom2017", "wang2015"), " was examined by fitting the coupling models "
                "again with one choice changed at a time: ", joined([*names.values()]),
                ".")  # fmt: skip
    if Estimator.LATENT_MEAN in names:
        words = say(words, " The latent mean corrects the between-client effect for the "
                    "unreliability of a client's mean ", cite("ludtke2008"), ".")  # fmt: skip
    return words
