"""What the results text says of the choice of a shape."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import joined, quoted, say, text
from alliance.manuscript.sections.of_families import Groups


def found(material: Material, fits: Sequence[Field]) -> Groups:
    """Return what the models found, model by model."""
    return [(_shape(material, fit), [fit]) for fit in fits]


def _shape(material: Material, fit: Field) -> Words:
    """Return which step of the ladder was kept; its effects are those of the growth model."""
    kept = [quoted(step["label"]) for step in fit["steps"].where(chosen=True)]
    if not kept:
        return ()
    return say("Of the shapes that were compared for the course of ",
               text(fit["outcome"]["label"]), ", ", joined(kept), " was kept.")  # fmt: skip
