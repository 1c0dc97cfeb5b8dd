"""The register of concepts: `register.yaml`, read, and the concept of any address."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from alliance.config.closed_schema import schema

FITS = "fits"
_STEP = re.compile(r"([^{]*)(?:\{([^}]*)\})?")


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a field's address: a key, `*` for every entry; scopes are read off the entry."""

    key: str
    scopes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class FieldOf:
    """Where numbers of a concept stand, and what is special to them (see `register.yaml`)."""

    source: str
    steps: tuple[Step, ...]
    more: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Concept:
    """What a number means.

    Attributes
    ----------
    code
        Short name.
    definition, unit
        In words.
    adds_over
        Scopes whose parts add up to the number without them.
    fields
        Where it stands.
    """

    code: str
    definition: str
    unit: str
    adds_over: tuple[str, ...]
    fields: tuple[FieldOf, ...]


@cache
def register() -> dict[str, Any]:
    """Return the content of the register."""
    text = resources.files("alliance.consistency").joinpath("register.yaml").read_text("utf-8")
    content: dict[str, Any] = yaml.safe_load(text)
    return content


@cache
def concepts() -> tuple[Concept, ...]:
    """Return the concepts that stand in more than one place."""
    return tuple(
        Concept(
            code,
            entry["definition"],
            entry["unit"],
            tuple(entry.get("adds_over", ())),
            tuple(map(field_of, entry["fields"])),
        )
        for code, entry in register()["concepts"].items()
    )


def field_of(entry: str | Mapping[str, Any]) -> FieldOf:
    """Return a field of the register: an address with scopes, or one with more to it."""
    more = {"at": entry} if isinstance(entry, str) else dict(entry)
    source, _, pointer = more.pop("at").partition("#")
    return FieldOf(source, tuple(map(_step, pointer.split("/"))), more)


def _step(text: str) -> Step:
    found = _STEP.fullmatch(text)
    assert found is not None
    scopes = []
    for word in filter(None, (found[2] or "").split(",")):
        scope, _, key = word.partition("=")
        scopes.append((scope, key or scope))
    return Step(found[1], tuple(scopes))


def short_name(source: str) -> str:
    """Return how the register calls a file: its name, or `fits` for a fit."""
    return FITS if source.startswith("fits/") else source.rpartition("/")[2]


def concept_by_place(address: str) -> tuple[str, str, str]:
    """Return code, definition and unit of a number that no concept of the register names.

    It has a concept of its own by its place (`file#pointer`): the definition is the nearest
    description in the schema of its file; empty where the register does not know the file.
    """
    source, _, pointer = address.partition("#")
    keys = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    words = [key for key in keys if not key.isdecimal()]
    code = ".".join([short_name(source).removesuffix(".json"), *words])
    return code, _definition(short_name(source), keys), _unit(keys)


def _definition(source: str, keys: list[str]) -> str:
    told = register()["sources"].get(source)
    if told is None:
        return ""
    if "definition" in told:
        return str(told["definition"])
    whole = schema(told["schema"])
    depth, description = 0, str(whole["title"])
    for depth_of, part in _along(whole, keys):
        if "description" in part:
            depth, description = depth_of, str(part["description"])
    words = [key.replace("_", " ") for key in keys[depth:] if not key.isdecimal()]
    return f"{', '.join(words)} ({description})" if words else description


def _unit(keys: list[str]) -> str:
    """Return the unit that a field's name tells."""
    name = next((key for key in reversed(keys) if not key.isdecimal()), "")
    units: Mapping[str, str] = register()["units"]
    return units.get(name) or units.get(name.rpartition("_")[2], "")


def _along(whole: Mapping[str, Any], keys: list[str]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the parts of a schema on the way to a value, with how many keys lead to each."""
    part: Mapping[str, Any] = whole
    for depth, key in enumerate(keys, 1):
        for inner in _choices(whole, part):
            if key.isdecimal() and "items" in inner:
                part = inner["items"]
                break
            if key in inner.get("properties", {}):
                part = inner["properties"][key]
                break
        else:
            return
        yield from ((depth, choice) for choice in _choices(whole, part))


def _choices(whole: Mapping[str, Any], part: Any) -> list[Mapping[str, Any]]:
    if not isinstance(part, Mapping):
        return []
    found = [part]
    if "$ref" in part:
        target: Any = whole
        for key in part["$ref"].split("/")[1:]:
            target = target[key]
        found += _choices(whole, target)
    for word in ("oneOf", "anyOf", "allOf"):
        found += [choice for one in part.get(word, []) for choice in _choices(whole, one)]
    return found
