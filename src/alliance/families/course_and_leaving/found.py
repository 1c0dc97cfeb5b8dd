"""What the results text says of a course and leaving in one model."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import joined, say, text
from alliance.manuscript.sections.of_families import Groups
from alliance.manuscript.statistics import direction, main_effects, statistics


def found(material: Material, fits: Sequence[Field]) -> Groups:
    """Return what the models found, model by model."""
    return [(_course(material, fit), [fit]) for fit in fits]


def _course(material: Material, fit: Field) -> Words:
    """Return how leaving goes with the course, and what the mean change is with both in one."""
    each = []
    for entry in main_effects(fit):
        if entry["ratio"].raw is not None:
            each.append(say("With course and leaving in one model, the odds of leaving were ",
                            direction(entry, "higher", "lower"), " ",
                            text(entry["unit"], "per"), " of ", text(entry["label"]), ", ",
                            statistics(material, entry, "OR"), "."))  # fmt: skip
        else:
            each.append(say("The mean change in that model (", text(entry["label"]), ") was ",
                            statistics(material, entry), "."))  # fmt: skip
    return joined(each, " ")
