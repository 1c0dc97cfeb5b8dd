"""What the results text says of courses of two measures at once."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import interval, joined, say, symbol, text
from alliance.manuscript.sections.of_families import Groups
from alliance.manuscript.statistics import main_effects, tested

LEVELS = {
    "correlation, site": "Between sites",
    "correlation, therapist": "Between therapists",
    "correlation, client": "Between clients",
    "correlation, session": "Within clients, from session to session",
}


def found(material: Material, fits: Sequence[Field]) -> Groups:
    """Return what the models found, model by model."""
    return [(_together(material, fit), [fit]) for fit in fits]


def _together(material: Material, fit: Field) -> Words:
    """Return the correlations of levels and changes, level by level."""
    levels: dict[str, list[Words]] = {}
    for entry in main_effects(fit):
        r = say(text(entry["label"], "spoken"), ", ", symbol("r", entry["estimate"], "correlation"),
                interval(entry["ci_low"], entry["ci_high"], "correlation"),
                tested(entry))  # fmt: skip
        levels.setdefault(str(entry["level"].raw), []).append(r)
    named = [say(LEVELS[level], ": ", joined(own)) for level, own in levels.items()
             if level in LEVELS]  # fmt: skip
    return say("Correlations of levels and changes. ", joined(named, ". "), ".")
