"""What the families of models say of themselves, part by part of the methods text."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.facts import Estimator
from alliance.families.family import load
from alliance.families.registry import families
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Block, Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import paragraphs, say, text
from alliance.manuscript.sections.one_model import marks, models, not_fitted

Groups = list[tuple[Words, Sequence[Field]]]
"""What a family says of models of one kind, each with the models that it is said of."""


def parts() -> list[str]:
    """Return the parts of the text that families belong to, in order."""
    return list(dict.fromkeys(f.methods_part for f in families().values() if f.methods))


def told_in(part: str, material: Material) -> list[Block]:
    """Return what the families of a part say: each in turn, then what could not be fitted."""
    blocks: list[Block] = []
    names = [name for name, f in families().items() if f.methods and f.methods_part == part]
    for name in names:
        fits, family = material.usable(name), families()[name]
        groups: Groups = load(family.methods)(material, fits) if fits else []
        for words, of_kind in groups:
            if of_kind:
                blocks += [*paragraphs(words), *models(material, of_kind)]
    return [*blocks, *paragraphs(not_fitted(material.unusable(*names)))]


def found_in(part: str, material: Material) -> list[Block]:
    """Return what the models of a part found, each in turn."""
    blocks: list[Block] = []
    for name, family in families().items():
        fits = material.usable(name) if family.found and family.methods_part == part else []
        groups: Groups = load(family.found)(material, fits) if fits else []
        for words, of_kind in groups:
            if words:
                blocks += paragraphs(say(words, *map(marks, of_kind)))
    return blocks


def is_by(fit: Field, *estimators: Estimator) -> bool:
    """Whether a model was fitted by one of these."""
    return fit["engine"]["estimator"]["code"].raw in estimators


def is_reml(fit: Field) -> bool:
    """Whether a model was fitted by restricted maximum likelihood."""
    return is_by(fit, Estimator.REML)


def estimators(fits: Sequence[Field]) -> dict[str, Words]:
    """Return code and words of the estimators of these models, each once."""
    found = [e["estimator"] for fit in fits for e in fit["estimates"]]
    return {how["code"].raw: text(how["text"]) for how in found}
