"""What the results text says of therapists."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.facts import Estimator
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import interval, joined, say, text
from alliance.manuscript.sections.of_families import Groups
from alliance.manuscript.statistics import main_effects, told


def found(material: Material, fits: Sequence[Field]) -> Groups:
    """Return what the models found, model by model."""
    return [(_therapists(material, fit), [fit]) for fit in fits]


def _therapists(material: Material, fit: Field) -> Words:
    shares = [
        say(text(entry["label"]), ", ", text(entry["estimate"], "share:1"),
            interval(entry["ci_low"], entry["ci_high"], "share:1"))
        for entry in fit["estimates"]
        if entry["estimator"]["code"].raw == Estimator.THERAPIST_SHARE
        and entry["estimate"].raw is not None
    ]  # fmt: skip
    effects = [told(material, entry) for entry in main_effects(fit)]
    share = say("Share of therapists in the differences between clients, not adjusted for the "
                "case mix: ", joined(shares), ".") if shares else ()  # fmt: skip
    return say(share, say(" Effects of the early alliance on the last score: ", joined(effects),
                          ".") if effects else ())  # fmt: skip
