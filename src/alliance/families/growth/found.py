"""What the results text says of courses over treatment."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.findings.fields import Field
from alliance.findings.formats import decimals_for
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import joined, listed, say, symbol, text
from alliance.manuscript.sections.of_families import Groups
from alliance.manuscript.sections.one_model import is_intercept
from alliance.manuscript.statistics import direction, main_effects, statistics


def found(material: Material, fits: Sequence[Field]) -> Groups:
    """Return what the models found, model by model."""
    return [(_course(material, fit), [fit]) for fit in fits]


def _course(material: Material, fit: Field) -> Words:
    told = [
        say(text(fit["outcome"]["label"]), " ",
            direction(entry, "rose", "fell", "did not clearly change"), " over treatment, ",
            statistics(material, entry, unit=True), ".")
        for entry in main_effects(fit) if entry["level"].raw == "time"
    ]  # fmt: skip
    return say(joined(told, " "), " ", _spread(fit))


def _spread(fit: Field) -> Words:
    """Return how far clients differ in where they begin and in how they change."""
    own = [part for part in fit["variance_components"].where(level="client")
           if part["name_1"].raw == part["name_2"].raw
           and part["sd_or_correlation"].raw is not None]  # fmt: skip
    each = [
        say(_of(part), " (", symbol("SD", part["sd_or_correlation"], _fine(part)), ")")
        for part in own
    ]  # fmt: skip
    return say("Clients varied in ", listed(each), ".") if each else ()


def _of(part: Field) -> Words:
    return (
        ("level",) if is_intercept(part) else say("change with ", text(part["name_1"], "component"))
    )


def _fine(part: Field) -> str:
    return decimals_for(None, part["sd_or_correlation"].raw)
