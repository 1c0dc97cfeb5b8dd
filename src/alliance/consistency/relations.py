"""What follows from other numbers of a file: sums, shares, formulas, intervals, bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from alliance.consistency.claims import Files, holds, walk
from alliance.consistency.register import FITS, field_of, register, short_name
from alliance.findings.fields import escaped
from alliance.measures.reliable_change import reliable_points

RELATIVE = 1e-9
NO_SECOND_ENGINE, ENGINES_DIFFER = "no_second_engine", "engines_differ"
FORMULAS: dict[str, Callable[..., float]] = {
    "reliable_change": reliable_points,
    "square": lambda value: value**2,
}
SHARES = ("p", "p_adjusted", "share")
NOT_NEGATIVE = ("sd", "se", "clients", "sessions", "forms", "rows")
Entries = tuple[Mapping[str, Any], ...]
"""An entry and those above it, the file first."""
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
        told += _of_engines(content, source) if short_name(source) == FITS else []
    return told


def _of_engines(fit: Mapping[str, Any], source: str) -> Iterator[str]:
    """Yield a comparison with a second engine beside the warning that there is none."""
    second, codes = fit.get("second_engine"), [w["code"] for w in fit.get("warnings", [])]
    if second and second.get("converged") and NO_SECOND_ENGINE in codes:
        yield f"{source}#/second_engine: there is one, but a warning says that there is none"
    if second and second.get("converged") and second["agrees"] == (ENGINES_DIFFER in codes):
        yield f"{source}#/second_engine/agrees: a warning says otherwise"


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
                yield from _broken(relation, entry, f"{source}#{found.pointer}")


def _broken(relation: Mapping[str, Any], entry: Entries, at: str) -> Iterator[str]:
    key = next(relation[kind] for kind in ("sum", "value", "percent", "share") if kind in relation)
    shown, expected = _number(key, entry), _expected(relation, entry)
    if shown is not None and expected is not None and not same(shown, expected):
        yield f"{at}/{key} is {shown:.6g}, but the numbers beside it give {expected:.6g}"


def _expected(relation: Mapping[str, Any], entry: Entries) -> float | None:
    """Return what the numbers beside it give; None where one of them is missing."""
    if "sum" in relation:
        return _total(relation["of"], entry)
    if "formula" in relation:
        parts = [_number(path, entry) for path in relation["of"]]
        return None if None in parts else FORMULAS[relation["formula"]](*parts)
    part, whole = _total(relation["part"], entry), _total(relation["whole"], entry)
    if part is None or not whole:
        return None
    return part / whole * (100 if "percent" in relation else 1)


def _number(path: str, entry: Entries) -> Any:
    """Return the value at a path from an entry; `..` is the entry above."""
    above: list[Any] = list(entry)
    value: Any = above.pop()
    for key in path.split("/"):
        if key == "..":
            value = above.pop()
        else:
            value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _total(paths: list[str], entry: Entries) -> float | None:
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
        ends = [end for name in (low, key, high) if isinstance(end := entry.get(name), int | float)]
        if len(ends) == 3 and not ends[0] - RELATIVE <= ends[1] <= ends[2] + RELATIVE:
            yield f"{at}/{key} is {ends[1]:.6g}, outside its own interval"


def _out_of_bounds(key: str, value: float, at: str) -> Iterator[str]:
    if (key in SHARES and not 0 <= value <= 1 + RELATIVE) or (
        (key == "percent" or key.endswith("_percent")) and not 0 <= value <= 100 + RELATIVE
    ):
        yield f"{at} is {value:.6g}, which no share can be in its unit"
    elif key in NOT_NEGATIVE and value < 0:
        yield f"{at} is {value:.6g}, and cannot be below zero"
