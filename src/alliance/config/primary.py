"""The config's key `primary`: the effects that were named before the data were seen, by model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from alliance.config import closed_schema
from alliance.config.strict_yaml import Document, Problem
from alliance.families.registry import families

_CATEGORY = re.compile(r"\[[^\]]*\]")
_CENTRED = re.compile(r"center\(([^)]*)\)")
_END = re.compile(r"^\w+: ")
_DIRECTION = " -> "


def problems(document: Document) -> Iterator[Problem]:
    """Yield models that are not there, and effects that the model named does not have."""
    models = document.content.get("models", {})
    for name, effects in document.content.get("primary", {}).items():
        here = ("primary", name)
        if name not in models:
            told = closed_schema.hint(name, models, "model")
            yield document.problem(here, f"there is no model {name}; {told}")
            continue
        family = models[name]["family"]
        known = families()[family].options.effects(models[name])
        if not known:
            told = f"a model of family {family} has no effect that can be primary; name one of"
            yield document.problem(here, f"{told} the models that it goes with")
            continue
        for place, effect in enumerate(effects):
            if not any(is_named(one, [effect]) for one in known):
                told = closed_schema.hint(effect, known, "effect")
                yield document.problem((*here, place), f"{name} has no effect {effect}; {told}")


def plain_name(term: str) -> str:
    """Return a term as a config names it: without category, centring and the end it is about.

    `session:treatment[TAU]` is `session:treatment`, `dropout: center(age)` is `age`; a product is
    the same in any order.
    """
    plain = _CENTRED.sub(r"\1", _CATEGORY.sub("", _END.sub("", term))).replace(" ", "")
    return ":".join(sorted(plain.split(":")))


def is_named(term: str, effects: Sequence[str]) -> bool:
    """Say whether a fit's term is one of the effects that the config names for its model.

    An effect that says which end or whose view it is about (`client_next: ...`), or which way it
    goes (`alliance -> symptoms`), is that one alone.
    """
    return term in effects or plain_name(term) in {
        plain_name(effect)
        for effect in effects
        if not _END.match(effect) and _DIRECTION not in effect
    }
