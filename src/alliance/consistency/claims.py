"""What the files of a cohort say of each concept: claims, each with its scope and its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from alliance.consistency.register import Concept, FieldOf, Step, short_name
from alliance.findings.fields import escaped

ALL = ("all", None, "")
Scope = frozenset[tuple[str, str]]
Files = Mapping[str, Any]
"""Address of a file (relative to the results folder) to its content."""
Steps = Sequence[Step]


@dataclass(frozen=True, slots=True)
class Claim:
    """A number that a file gives for a concept.

    Attributes
    ----------
    scope
        Of what it holds: (scope, value) pairs; what is of all has none.
    value
        In the concept's unit.
    address
        File and pointer.
    reason
        Code of the register's reason why it may differ; empty for the number of the definition.
    partial
        Whether it may be one of parts that do not add up, since some are not shown.
    """

    scope: Scope
    value: Any
    address: str
    reason: str
    partial: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A value within a file: its pointer, the entries above it, its scope."""

    value: Any
    pointer: str
    above: tuple[Mapping[str, Any], ...]
    scope: tuple[tuple[str, Any], ...]


def claims_of(concept: Concept, contents: Files) -> list[Claim]:
    """Return all claims of a concept."""
    return [
        claim
        for field in concept.fields
        for source, content in contents.items()
        if short_name(source) == field.source
        for claim in _claims(field, source, content, _reason(field, contents))
    ]


def _reason(field: FieldOf, contents: Files) -> str:
    """Return the code of the field's reason, unless it does not hold in these files."""
    reason, unless = str(field.more.get("reason", "")), field.more.get("unless")
    holds_not = unless and all(_at(contents, address) == v for address, v in unless.items())
    return "" if holds_not else reason


def _claims(field: FieldOf, source: str, content: Any, reason: str) -> list[Claim]:
    claims = []
    for found in walk(content, field.steps):
        if found.value is None or not holds(field.more.get("where", {}), found.above):
            continue
        times = field.more.get("times")
        scope = (*found.scope, *field.more.get("scope", {}).items())
        claims.append(
            Claim(
                scope=frozenset((name, str(one)) for name, one in scope if one not in ALL),
                value=found.value if times is None else found.value * times,
                address=f"{source}#{found.pointer}",
                reason=reason,
                partial=bool(field.more.get("partial")),
            )
        )
    if not field.more.get("told_apart"):
        return claims
    times_named = Counter(claim.scope for claim in claims)
    return [claim for claim in claims if times_named[claim.scope] == 1]


def _at(contents: Files, address: str) -> Any:
    source, _, pointer = address.partition("#")
    value = contents.get(source)
    for key in pointer.split("/")[1:]:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def walk(content: Any, steps: Steps) -> Iterator[Found]:
    """Yield every value that the steps lead to; the first step is the file itself."""
    yield from _walk(Found(content, "", (), ()), steps)


def _walk(found: Found, steps: Steps) -> Iterator[Found]:
    step, *rest = steps
    value, inside, scope = found.value, found.above, found.scope
    if isinstance(value, Mapping):
        inside = (*inside, value)
        scope = (*scope, *((name, look(key, (value,))) for name, key in step.scopes))
    if not rest:
        yield Found(value, found.pointer, found.above, scope)
        return
    for key, inner in _below(value, rest[0].key):
        pointer = f"{found.pointer}/{escaped(str(key))}"
        yield from _walk(Found(inner, pointer, inside, scope), rest)


def _below(value: Any, key: str) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        yield from value.items() if key == "*" else ([(key, value[key])] if key in value else [])
    elif isinstance(value, list):
        if key == "*":
            yield from enumerate(value)
        elif key.isdecimal() and int(key) < len(value):
            yield int(key), value[int(key)]


def look(key: str, above: tuple[Mapping[str, Any], ...]) -> Any:
    """Return what the nearest entry that has the key says (`a/b`: b within a); None without."""
    first, *inner = key.split("/")
    for entry in reversed(above):
        if first in entry:
            value = entry[first]
            for step in inner:
                value = value.get(step) if isinstance(value, Mapping) else None
            return value
    return None


def holds(where: Mapping[str, Any], above: tuple[Mapping[str, Any], ...]) -> bool:
    """Say whether the entries above a value have the values that a field asks for."""
    return all(_matches(look(key, above), wanted, above) for key, wanted in where.items())


def _matches(value: Any, wanted: Any, above: tuple[Mapping[str, Any], ...]) -> bool:
    if isinstance(wanted, list):
        return value in wanted
    if isinstance(wanted, str) and wanted.startswith("="):
        return bool(value == look(wanted[1:], above))
    if isinstance(wanted, str) and isinstance(value, str):
        return fnmatchcase(value, wanted)
    return bool(value == wanted)
