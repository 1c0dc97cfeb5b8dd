"""What the results text says of skipped forms and dropout."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import joined, say
from alliance.manuscript.sections.of_families import Groups
from alliance.manuscript.statistics import main_effects, told


def found(material: Material, fits: Sequence[Field]) -> Groups:
    """Return what the models found, model by model."""
    return [(_skipped(material, fit), [fit]) for fit in fits]


def _skipped(material: Material, fit: Field) -> Words:
    each = [told(material, entry, "OR") for entry in main_effects(fit)]
    return say("Skipped forms and dropout: ", joined(each), ".") if each else ()
