"""What the results text says of a mean change under other assumptions about what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import joined, say, text
from alliance.manuscript.sections.of_families import Groups
from alliance.manuscript.statistics import statistics


def found(material: Material, fits: Sequence[Field]) -> Groups:
    """Return what the models found, model by model."""
    return [(_by_assumption(material, fit), [fit]) for fit in fits]


def _by_assumption(material: Material, fit: Field) -> Words:
    each = [
        say(text(entry["estimator"]["text"]), ", ", statistics(material, entry))
        for entry in fit["estimates"]
        if entry["ci_low"].raw is not None and entry["ci_high"].raw is not None
    ]
    if not each:
        return ()
    return say("Mean change of ", text(fit["outcome"]["label"]), " by what was assumed of missing "
               "scores: ", joined(each), ".")  # fmt: skip
