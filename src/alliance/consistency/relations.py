"""What follows from other numbers of a file: sums, shares, formulas, intervals, bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from alliance.consistency.claims import Files, Found, holds, walk
from alliance.consistency.register import field_of, register, short_name
from alliance.findings.fields import escaped
from alliance.measures.reliable_change import reliable_points

RELATIVE = 1e-9
FORMULAS = {"reliable_change": reliable_points, "square": lambda value: value**2}
SHARES = ("p", "p_adjusted", "share")
NOT_NEGATIVE = ("sd", "se", "clients", "sessions", "forms", "rows")
ENDS = (("ci_low", "estimate", "ci_high"), ("ratio_low", "ratio", "ratio_high"))


def same(one: Any, other: Any) -> bool:
    """Say whether two values are the same number, or the same text."""
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=1e-12) if numbers else one == other


def broken_relations(contents: Files) -> list[str]:
    """Return a sentence for each number that does not go with the others of its file."""
    told = [
        sentence for relation in register()["relations"] for sentence in _of(relation, contents)
    ]
    for source, content in contents.items():
        told += _impossible(content, source, "")
    return told


def _of(relation: Mapping[str, Any], contents: Files) -> Iterator[str]:
    field = field_of({"at": relation["at"]})
    for source, content in contents.items():
        if short_name(source) != field.source:
            continue
        for found in walk(content, field.steps):
            if not isinstance(found.value, Mapping):
                continue
            entry = (*found.above, found.value)
            if holds(relation.get("where", {}), entry):
                yield from _broken(relation, found, entry, f"{source}#{found.pointer}")


def _broken(
    relation: Mapping[str, Any], found: Found, entry: tuple[Mapping[str, Any], ...], at: str
) -> Iterator[str]:
    if "sum" in relation:
        key, expected = relation["sum"], _total(relation["of"], entry)
    elif "formula" in relation:
        key = relation["value"]
        parts = [_number(one, entry) for one in relation["of"]]
        expected = None if None in parts else FORMULAS[relation["formula"]](*parts)
    else:
        key = relation.get("percent") or relation["share"]
        part, whole = _total(relation["part"], entry), _total(relation["whole"], entry)
        expected = (
            part / whole * (100 if "percent" in relation else 1)
            if part is not None and whole
            else None
        )
    shown = _number(key, entry)
    if shown is not None and expected is not None and not same(shown, expected):
        yield f"{at}/{key} is {shown:.6g}, but the numbers beside it give {expected:.6g}"


def _number(path: str, entry: tuple[Mapping[str, Any], ...]) -> Any:
    """Return the value at a path from an entry; `..` is the entry above."""
    *above, value = entry
    for key in path.split("/"):
        if key == "..":
            value = above.pop()
        else:
            value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _total(paths: list[str], entry: tuple[Mapping[str, Any], ...]) -> Any:
    """Return the sum over paths, `*` standing for every entry of a list; None if one is missing."""
    total = 0.0
    for path in paths:
        listed, star, key = path.partition("/*/")
        if star:
            parts = [part.get(key) for part in _number(listed, entry) or []]
        else:
            parts = [_number(path, entry)]
        if None in parts:
            return None
        total += sum(parts)
    return total


def _impossible(content: Any, source: str, pointer: str) -> Iterator[str]:
    """Yield estimates outside their interval, and numbers that their unit does not allow."""
    if isinstance(content, list):
        for place, inner in enumerate(content):
            yield from _impossible(inner, source, f"{pointer}/{place}")
    elif isinstance(content, Mapping):
        yield from _outside(content, f"{source}#{pointer}")
        for key, inner in content.items():
            at = f"{source}#{pointer}/{escaped(str(key))}"
            if isinstance(inner, int | float) and not isinstance(inner, bool):
                yield from _out_of_bounds(str(key), inner, at)
            yield from _impossible(inner, source, f"{pointer}/{escaped(str(key))}")


def _outside(entry: Mapping[str, Any], at: str) -> Iterator[str]:
    own = [(f"{key}_low", key, f"{key}_high") for key in entry if f"{key}_low" in entry]
    for low, key, high in (*ENDS, *own):
        ends = [entry.get(name) for name in (low, key, high)]
        if all(isinstance(end, int | float) for end in ends) and not (
            ends[0] <= ends[1] + RELATIVE and ends[1] <= ends[2] + RELATIVE
        ):
            yield f"{at}/{key} is {ends[1]:.6g}, outside its own interval"


def _out_of_bounds(key: str, value: float, at: str) -> Iterator[str]:
    if (key in SHARES and not 0 <= value <= 1 + RELATIVE) or (
        (key == "percent" or key.endswith("_percent")) and not 0 <= value <= 100 + RELATIVE
    ):
        yield f"{at} is {value:.6g}, which no share can be in its unit"
    elif key in NOT_NEGATIVE and value < 0:
        yield f"{at} is {value:.6g}, and cannot be below zero"
