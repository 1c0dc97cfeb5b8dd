"""What the results text says of coupling models."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import joined, say, text
from alliance.manuscript.sections.of_families import Groups
from alliance.manuscript.statistics import main_effects, standardised, told


def found(material: Material, fits: Sequence[Field]) -> Groups:
    """Return what the models found, model by model."""
    return [(_coupling(material, fit), [fit]) for fit in fits]


def _coupling(material: Material, fit: Field) -> Words:
    each = [say(told(material, entry), standardised(entry)) for entry in main_effects(fit)]
    if not each:
        return ()
    return say("In the regression of ", text(fit["outcome"]["label"]), " on client means and "
               "deviations from them: ", joined(each), ".")  # fmt: skip
