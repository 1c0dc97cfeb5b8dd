"""What the methods text says of growth models."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.facts import Assumption
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import say, sentence
from alliance.manuscript.sections.of_families import Groups


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made."""
    return [(_growth(material, fits), fits)]


def _growth(material: Material, fits: Sequence[Field]) -> Words:
    words = say("Change in each measure over treatment was described by multilevel growth models ",
                material.references.cite("raudenbush2002"), ".")  # fmt: skip
    chosen = {
        a["text"].raw: a["text"]
        for fit in fits
        for a in fit["assumptions"].where(code=Assumption.STEP_CHOSEN_BY_RULE)
    }
    if not chosen:
        return words
    words = say(words, " Whether a client's residuals are autocorrelated, and whether slopes vary "
                "between therapists, was decided by a rule fixed in advance, by maximum likelihood "
                "on the same sessions.")  # fmt: skip
    return say(words, *(say(" ", sentence(rule)) for rule in chosen.values()))
