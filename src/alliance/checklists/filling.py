"""Fill in reporting checklists from what a run can prove.

A checklist is data (`<name>.yaml` beside this module): items with parts, each part naming a
condition that shows it and what the author must add otherwise. A part without a condition is for
the author alone (ethics, funding, discussion ...): no run proves it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from alliance.checklists import of_the_cohort, of_the_models
from alliance.checklists.evidence import Evidence
from alliance.checklists.filled import (
    CONFIDENCE,
    NOT_REPORTED,
    PARTLY,
    REPORTED,
    Checklist,
    Item,
    Place,
)
from alliance.config.strict_yaml import load
from alliance.findings.marks import DOES_NOT_APPLY
from alliance.findings.results import Results

FOLDER = Path(__file__).parent
NAMES = ("strobe", "jars_quant", "level", "prisma_ipd")

Condition = Callable[[Evidence], list[Place]]
CONDITIONS: dict[str, Condition] = {
    condition.__name__: condition
    for condition in (*of_the_cohort.CONDITIONS, *of_the_models.CONDITIONS)
}


def definition_files() -> list[str]:
    """Return the files that hold the checklists."""
    return [str(FOLDER / f"{name}.yaml") for name in NAMES]


def definition(name: str) -> dict[str, Any]:
    """Return a checklist as its file has it (schema `checklist.schema.yaml`, held by a test)."""
    content: dict[str, Any] = load(FOLDER / f"{name}.yaml")
    return content


def fill(results: Results, run: Mapping[str, Any]) -> list[Checklist]:
    """Return every checklist, filled in.

    Parameters
    ----------
    results
        Fits and descriptions, as plain values.
    run
        The content of `audit/run.json`.
    """
    seen = Evidence(results, run)
    return [filled(definition(name), seen) for name in NAMES]


def filled(checklist: Mapping[str, Any], seen: Evidence) -> Checklist:
    """Return one checklist, filled in."""
    return Checklist(
        name=checklist["name"],
        title=checklist["title"],
        reference=checklist["reference"],
        note=checklist["note"],
        items=tuple(_item(entry, checklist["confidence"], seen) for entry in checklist["items"]),
    )


def _item(entry: Mapping[str, Any], confidence: str, seen: Evidence) -> Item:
    state, where, missing, reason = _answer(entry, seen)
    return Item(
        number=entry.get("number", ""),
        section=entry["section"],
        topic=entry["topic"],
        confidence=CONFIDENCE[entry.get("confidence", confidence)],
        state=state,
        where=where,
        missing=missing,
        reason=reason,
    )


def _answer(
    entry: Mapping[str, Any], seen: Evidence
) -> tuple[str, tuple[Place, ...], tuple[str, ...], str]:
    """Return state, places, what is missing, and why an item does not apply."""
    needs = entry.get("only_if")
    if "does_not_apply" in entry:
        return DOES_NOT_APPLY, (), (), entry["does_not_apply"]
    if needs and not places_of(needs["shows"], seen):
        return DOES_NOT_APPLY, (), (), needs["otherwise"]
    where: list[Place] = []
    missing: list[str] = []
    for part in entry["parts"]:
        if "if" in part and not places_of(part["if"], seen):
            continue
        places = places_of(part["shows"], seen) if "shows" in part else []
        where += places
        missing += [] if places else [part["otherwise"]]
    state = REPORTED if where and not missing else PARTLY if where else NOT_REPORTED
    return state, _each_once(where), tuple(dict.fromkeys(missing)), ""


def _each_once(places: Sequence[Place]) -> tuple[Place, ...]:
    return tuple({place.anchor: place for place in places}.values())


def places_of(condition: str, seen: Evidence) -> list[Place]:
    """Return the places that show a condition, e.g. `has_flow` or `has_fit:growth,ladder`."""
    name, _, families = condition.partition(":")
    if name == "has_fit":
        return of_the_models.has_fit(seen, families)
    return CONDITIONS[name](seen)
