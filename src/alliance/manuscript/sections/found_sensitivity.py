"""How far the main effects move: over sites, under other choices, without one therapist."""

from __future__ import annotations

from alliance.findings.fields import Field
from alliance.findings.main_effects import Effect, Spread, main_effects
from alliance.manuscript.blocks import Block, Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import heading, joined, listed, paragraphs, quoted, say, text
from alliance.manuscript.sections.of_families import found_in
from alliance.manuscript.statistics import rounding, with_level

KINDS = {
    "choices": "under other choices of the analysis",
    "sites": "at single sites",
    "therapists": "when any one therapist is left out",
}


def found_sensitivity(material: Material) -> list[Block]:
    """Return the section on sensitivity; nothing where no effect was asked otherwise."""
    of_models: dict[str, list[Words]] = {}
    titles = {}
    for effect in main_effects(material.results.fits):
        titles[str(effect.fit["model"].raw)] = effect.fit["title"]
        words = _moves(effect)
        if words:
            of_models.setdefault(str(effect.fit["model"].raw), []).append(words)
    texts = [say(quoted(titles[model]), ": ", joined(each), ".")
             for model, each in of_models.items()]  # fmt: skip
    blocks: list[Block] = [*found_in("Sites put together", material), *paragraphs(*texts)]
    return [heading("Sensitivity"), *blocks] if blocks else []


def _moves(effect: Effect) -> Words:
    """Return between which values an effect lies, and whether its sign turns."""
    if effect.entry is None:
        return ()
    entry = effect.entry
    told = [
        say(_range(spread, entry), f" {words}")
        for kind, words in KINDS.items()
        if (spread := getattr(effect, kind)) is not None
    ]
    if not told:
        return ()
    turned = any(effect.turned_by(kind) for kind in KINDS)
    sign = ", with another sign at one end" if turned else ""
    return say(with_level(effect.fit, entry), " lay ", listed(told), sign)


def _range(spread: Spread, entry: Field) -> Words:
    format = spread.format or rounding(entry)
    if spread.low.address == spread.high.address:
        return say("at ", text(spread.low, format))
    return say("between ", text(spread.low, format), " and ", text(spread.high, format))
