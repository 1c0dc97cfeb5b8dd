"""Two runs side by side: what differs, by how many standard errors, and what it began with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alliance import files
from alliance.audit.causes import Difference, Traced, trace
from alliance.audit.parts import Part
from alliance.audit.printed import findings_of
from alliance.findings.ledger import Finding

# Formats that print a word which numbers decide: if it turns, a sentence says something else.
WORDS = ("change", "turns", "side", "inside", "choice", "stars", "stars-of-p", "status")
KINDS = {
    "input": "file",
    "setting": "setting",
    "code": "module",
    "environment": "environment",
    "unknown": "nothing that was recorded differs (another machine, or a step that is not "
    "reproducible)",
}


@dataclass(frozen=True, slots=True)
class Moved:
    """An estimate in both runs: `in_se` is how far it moved, in standard errors of the first."""

    fit: str
    label: str
    before: float
    after: float
    in_se: float | None


def compare(before: str | Path, after: str | Path) -> list[Part]:
    """Return how two results folders differ, in parts; empty if they do not."""
    before, after = Path(before), Path(after)
    fits = {name: (_fit(before, name), _fit(after, name)) for name in _fit_names(before, after)}
    estimates = [moved for name, pair in fits.items() for moved in _moved(name, *pair)]
    estimates.sort(key=lambda moved: -(moved.in_se or 0.0))
    traced = trace(before, after)
    parts = [
        Part("What it began with", list(_causes(traced))),
        Part("Differs, without effect", list(map(_told, traced.without_effect))),
        Part("Steps whose files differ", [(name, "") for name in traced.changed]),
        Part("Rows", [row for name, pair in fits.items() for row in _rows(name, *pair)]),
        Part("Estimates", list(map(_shown, estimates))),
        Part("Words", list(_words(before, after))),
    ]
    return [part for part in parts if part.entries]


def _causes(traced: Traced) -> Iterator[tuple[str, str]]:
    yield from map(_told, traced.causes)
    if traced.first:
        yield "first step that differs", ", ".join(traced.first)


def _told(difference: Difference) -> tuple[str, str]:
    change = f"{difference.before} → {difference.after}" if difference.before else ""
    return f"{KINDS[difference.kind]} {difference.name}", change


def _fit_names(*folders: Path) -> list[str]:
    return sorted({path.stem for folder in folders for path in (folder / "fits").glob("*.json")})


def _fit(folder: Path, name: str) -> dict[str, Any] | None:
    path = folder / "fits" / f"{name}.json"
    return files.read_json(path) if path.is_file() else None


def _moved(
    name: str, one: Mapping[str, Any] | None, other: Mapping[str, Any] | None
) -> Iterator[Moved]:
    """Yield the estimates that both fits have and that are not the same number."""
    if one is None or other is None:
        return
    after = {_key(entry): entry for entry in other["estimates"]}
    for entry in one["estimates"]:
        found = after.get(_key(entry))
        if found is None or None in (entry["estimate"], found["estimate"]):
            continue
        a, b = entry["estimate"], found["estimate"]
        if a != b:
            yield Moved(
                name, entry["label"], a, b, abs(b - a) / entry["se"] if entry["se"] else None
            )


def _key(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return (entry["term"], entry["level"], entry["group"], entry["estimator"]["code"])


def _shown(moved: Moved) -> tuple[str, str]:
    far = "no standard error" if moved.in_se is None else f"{moved.in_se:.3g} standard errors"
    return f"{moved.fit}: {moved.label}", f"{moved.before:.6g} → {moved.after:.6g} ({far})"


def _rows(
    name: str, one: Mapping[str, Any] | None, other: Mapping[str, Any] | None
) -> Iterator[tuple[str, str]]:
    """Yield what differs in the rows that a fit used and left out, and in how it ended."""
    if one is None or other is None:
        yield name, "only in the second run" if one is None else "only in the first run"
        return
    counts: Sequence[Counter[str]] = (Counter(), Counter())
    for count, fit in zip(counts, (one, other), strict=True):
        count["rows of the panel"] = fit["data"]["rows_in_panel"]
        count["rows used"] = fit["data"]["rows_used"]
        for entry in fit["data"]["left_out"]:
            count[f"left out: {entry['reason']['text']}"] += entry["rows"]
    for key in dict.fromkeys([*counts[0], *counts[1]]):
        if counts[0][key] != counts[1][key]:
            yield f"{name}, {key}", f"{counts[0][key]} → {counts[1][key]}"
    if one["status"] != other["status"]:
        yield f"{name}, status", f"{one['status']} → {other['status']}"


def _words(before: Path, after: Path) -> Iterator[tuple[str, str]]:
    """Yield printed words that turned, and how many printed numbers differ in each document."""
    one, other = (_by_place(folder) for folder in (before, after))
    differing: Counter[str] = Counter()
    for key, printed in one.items():
        if key in other and other[key] != printed:
            document, address, format_, _ = key
            differing[document] += 1
            if format_.partition(":")[0] in WORDS:
                yield f"{document}, {address}", f"“{printed}” → “{other[key]}”"
    for document, n in sorted(differing.items()):
        yield document, f"{n} printed numbers and words differ"
    for document in sorted({key[0] for key in one.keys() | other.keys()}):
        first, second = (sum(key[0] == document for key in side) for side in (one, other))
        if first != second:
            yield document, f"{first} → {second} printed numbers"


def _by_place(folder: Path) -> dict[tuple[str, str, str, int], str]:
    """Return what is printed by document, address, format and how often it stood there before."""
    seen: Counter[tuple[str, str, str]] = Counter()
    found = {}
    for one in findings_of(folder):
        key = _place(one)
        found[*key, seen[key]] = one.printed
        seen[key] += 1
    return found


def _place(one: Finding) -> tuple[str, str, str]:
    return one.document, one.address, one.format
