"""Scoring keys of questionnaires: loaded from YAML, checked, and asked for ranges.

A key is data with evidence (`config/instruments/<id>.yaml`, schema `instrument.schema.yaml`), never
code. This module only reads keys; `alliance.measures.scoring` applies them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from alliance.config import closed_schema, strict_yaml
from alliance.config.closed_schema import SCHEMAS as SCHEMAS
from alliance.config.strict_yaml import Document, KeyPath, Problem
from alliance.errors import ConfigError

PROJECT = Path(__file__).resolve().parents[3]
INSTRUMENTS = PROJECT / "config" / "instruments"

RANGE_TOLERANCE = 0.01  # stated ranges are rounded to two decimals

Item = int | tuple[int, ...]  # a tuple stands for the highest of its items


@dataclass(frozen=True, slots=True)
class Score:
    """One score of an instrument.

    Attributes
    ----------
    name
        e.g. `total`, `goal`.
    items
        Item numbers; a tuple among them stands for the highest of its items. Empty for a score made
        of other scores.
    parts
        Names of the scores that this one is made of; empty for a score made of items.
    rule
        How items or parts are put together.
    times
        Factor applied last.
    unanswered_most
        How many of the items may be unanswered.
    """

    name: str
    items: tuple[Item, ...]
    parts: tuple[str, ...]
    rule: Literal["sum", "mean"]
    times: float
    unanswered_most: int


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """An answer that says that a question does not apply.

    Attributes
    ----------
    answer
        The number written for it, outside the answer scale.
    items
        Items that offer it.
    counts_as
        The scored value that stands for it, or None: the item counts as unanswered.
    """

    answer: float
    items: tuple[int, ...]
    counts_as: float | None


@dataclass(frozen=True, slots=True)
class StoredForm:
    """How exports store the answers to a form where a scoring key says so (see `site_mapping`).

    Attributes
    ----------
    codes_by_item
        By item: texts that stand for its answers, beside numbers.
    stored_as
        What stands for the lowest and the highest answer, or None.
    already_reversed
        Items that are stored reversed; True: all reversed ones.
    """

    codes_by_item: Mapping[int, Mapping[str, float]] = field(default_factory=dict)
    stored_as: tuple[float, float] | None = None
    already_reversed: bool | tuple[int, ...] = False


@dataclass(frozen=True, slots=True)
class Instrument:
    """A questionnaire's scoring key.

    Attributes
    ----------
    id, name, abbreviation, construct, rater, status, direction
        As in the schema; `status` is `ready` or `check`.
    n_items
        Items on the form, numbered from 1.
    minimum, maximum, step
        The answer scale; `item_maximum` holds the items with another highest answer. A step of 0
        allows any number in the range.
    reverse
        Items scored minimum + maximum - answer.
    unscored
        Items on the form that enter no score.
    scores
        In the order in which they are computed.
    fill
        What stands for an unanswered item where a score may be prorated.
    questionnaire_unanswered_most
        Unanswered items allowed over the whole form, or None if they are counted score by score.
    definition
        The whole YAML mapping (evidence, cut-offs, reliability, reference).
    not_applicable
        The answer that says that a question does not apply, or None where the form has none.
    stored
        How exports store the answers, unless a site's mapping says otherwise.
    """

    id: str
    name: str
    abbreviation: str
    construct: str
    rater: str
    status: str
    direction: str
    n_items: int
    minimum: float
    maximum: float
    step: float
    item_maximum: dict[int, float]
    reverse: tuple[int, ...]
    unscored: tuple[int, ...]
    scores: tuple[Score, ...]
    fill: Literal["person-mean", "scale-mean-rounded", "none"]
    questionnaire_unanswered_most: int | None
    definition: dict[str, Any]
    not_applicable: NotApplicable | None = None
    stored: StoredForm = field(default_factory=StoredForm)

    def range_of(self, item: int) -> tuple[float, float]:
        """Return the lowest and highest possible answer to an item (before reversing)."""
        return self.minimum, self.item_maximum.get(item, self.maximum)

    def not_applicable_answer(self, item: int) -> float:
        """Return what is written where the item does not apply, or NaN where it is not offered."""
        offer = self.not_applicable
        return offer.answer if offer is not None and item in offer.items else math.nan


def load_instrument(path: str | Path) -> Instrument:
    """Read one scoring key.

    Raises
    ------
    ConfigError
        Every way in which the file breaks the schema or contradicts itself, with lines.
    """
    path = Path(path)
    document = strict_yaml.read(path)
    problems = problems_of(document, path.stem)
    if problems:
        raise ConfigError(strict_yaml.message_of([(document.name, problems)]))
    definition = document.content
    answers, unanswered = definition["answers"], definition["unanswered"]
    scope = unanswered.get("scope", "score")
    return Instrument(
        id=definition["id"],
        name=definition["name"],
        abbreviation=definition["abbreviation"],
        construct=definition["construct"],
        rater=definition["rater"],
        status=definition["status"],
        direction=definition["direction"],
        n_items=definition["items"],
        minimum=answers["lowest"],
        maximum=answers["highest"],
        step=answers.get("step", 1),
        item_maximum={int(item): top for item, top in answers.get("highest_by_item", {}).items()},
        reverse=tuple(definition["reversed_items"]),
        unscored=tuple(definition.get("unscored", ())),
        scores=tuple(
            _score(name, score, definition) for name, score in definition["scores"].items()
        ),
        fill=unanswered["fill"],
        questionnaire_unanswered_most=unanswered["most"] if scope == "questionnaire" else None,
        not_applicable=_not_applicable(definition),
        stored=_stored(definition),
        definition=definition,
    )


def load_instruments(*folders: str | Path) -> dict[str, Instrument]:
    """Read every key in `folders` (default: the project's own); later folders come first."""
    found: dict[str, Instrument] = {}
    for folder in folders or (INSTRUMENTS,):
        for path in sorted(Path(folder).glob("*.yaml")):
            instrument = load_instrument(path)
            found[instrument.id] = instrument
    return found


def _not_applicable(definition: Mapping[str, Any]) -> NotApplicable | None:
    entry = definition["answers"].get("not_applicable")
    if entry is None:
        return None
    every = range(1, definition["items"] + 1)
    value = entry["counts_as"]
    return NotApplicable(
        answer=entry["answer"],
        items=tuple(entry.get("items", every)),
        counts_as=None if value == "unanswered" else value,
    )


def _stored(definition: Mapping[str, Any]) -> StoredForm:
    turned = definition.get("already_reversed", False)
    ends = definition.get("stored_as")
    return StoredForm(
        codes_by_item={
            int(item): codes for item, codes in definition.get("codes_by_item", {}).items()
        },
        stored_as=None if ends is None else (ends[0], ends[1]),
        already_reversed=turned if isinstance(turned, bool) else tuple(turned),
    )


def storage_contradictions(
    stored: Mapping[str, Any], definition: Mapping[str, Any]
) -> Iterator[tuple[KeyPath, str]]:
    """Yield what a key or a mapping says of stored answers that the form cannot have.

    Parameters
    ----------
    stored
        What may hold `codes_by_item`, `stored_as` and `already_reversed`.
    definition
        The scoring key's mapping.
    """
    answers, n_items = definition["answers"], definition["items"]
    lowest, highest = answers["lowest"], answers["highest"]
    ends = stored.get("stored_as")
    if ends is not None and not math.isclose(abs(ends[1] - ends[0]), highest - lowest):
        told = f"the form's answers run from {lowest:g} to {highest:g}; give what the file holds"
        yield ("stored_as",), f"{told} for these two, such as [{lowest + 1:g}, {highest + 1:g}]"
    for item, codes in stored.get("codes_by_item", {}).items():
        top = answers.get("highest_by_item", {}).get(item, highest)
        if int(item) > n_items:
            yield ("codes_by_item", item), f"the form has {n_items} items"
        for text, value in codes.items():
            if not lowest <= value <= top:
                told = f"the answers to this item run from {lowest:g} to {top:g}"
                yield ("codes_by_item", item, text), told
    turned = stored.get("already_reversed", False)
    if not isinstance(turned, bool):
        others = sorted(set(turned) - set(definition["reversed_items"]))
        if others:
            told = f"the scoring key does not reverse item {_words(others)}"
            yield ("already_reversed",), told


def _score(name: str, score: Mapping[str, Any], definition: Mapping[str, Any]) -> Score:
    listed = score.get("items", ())
    every = [
        i for i in range(1, definition["items"] + 1) if i not in definition.get("unscored", ())
    ]
    items = tuple(
        tuple(item) if isinstance(item, list) else item
        for item in (every if listed == "all" else listed)
    )
    unanswered = definition["unanswered"]
    allowed = score.get("unanswered_most", unanswered.get("most"))
    if allowed is None:
        # ASSUME the share is rounded down: 25 % of 9 items allows two, not three.
        allowed = int(unanswered["share"] * len(items) + 1e-9)
    return Score(
        name=name,
        items=items,
        parts=tuple(score.get("scores", ())),
        rule=score["rule"],
        times=score.get("times", 1),
        unanswered_most=allowed,
    )


def problems_of(document: Document, stem: str) -> list[Problem]:
    """Return everything wrong with a scoring key: strictness, schema, what contradicts itself.

    Parameters
    ----------
    document
        The key as read.
    stem
        The file's name without ending, which the key's id must be.
    """
    problems = document.problems + closed_schema.problems_of(document, "instrument")
    return problems or [
        document.problem(path, told) for path, told in _contradictions(document.content, stem)
    ]


def _contradictions(definition: Mapping[str, Any], stem: str) -> Iterator[tuple[KeyPath, str]]:
    """Yield what the schema cannot see: items beyond the form, ranges upside down, loose parts."""
    n_items, answers = definition["items"], definition["answers"]
    if definition["id"] != stem:
        yield ("id",), f"id is `{definition['id']}`, but the file is called {stem}.yaml"
    if answers["lowest"] >= answers["highest"]:
        yield ("answers",), "the lowest answer is not below the highest"
    offer = answers.get("not_applicable", {})
    if offer and answers["lowest"] <= offer["answer"] <= answers["highest"]:
        told = "this number is also an answer of the scale, so the two cannot be told apart"
        yield ("answers", "not_applicable", "answer"), told
    named: dict[KeyPath, list[int]] = {
        ("reversed_items",): definition["reversed_items"],
        ("unscored",): definition.get("unscored", []),
        ("answers", "highest_by_item"): [int(i) for i in answers.get("highest_by_item", {})],
        ("answers", "not_applicable", "items"): offer.get("items", []),
    }
    for name, score in definition["scores"].items():
        listed = score.get("items", [])
        named[("scores", name)] = [] if listed == "all" else _flat(listed)
    beyond = {
        place: sorted({i for i in listed if not 1 <= i <= n_items})
        for place, listed in named.items()
    }
    for place, items in beyond.items():
        if items:
            yield place, f"item {_words(items)} is beyond the {n_items} items"
    if answers["lowest"] < answers["highest"]:
        yield from storage_contradictions(definition, definition)
    loose = list(_score_contradictions(definition))
    yield from loose
    if not loose and not any(beyond.values()) and answers["lowest"] < answers["highest"]:
        yield from _range_contradictions(definition)


def _score_contradictions(definition: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Yield what is wrong with how a score is put together."""
    above: list[str] = []
    for name, score in definition["scores"].items():
        listed = score.get("items", [])
        flat = [] if listed == "all" else _flat(listed)
        twice = sorted({i for i in flat if flat.count(i) > 1})
        if twice:
            yield ("scores", name), f"item {_words(twice)} stands there twice"
        unscored = sorted(set(flat) & set(definition.get("unscored", [])))
        if unscored:
            yield ("scores", name), f"item {_words(unscored)} is listed under `unscored` too"
        parts = score.get("scores", [])
        loose = [part for part in parts if part not in definition["scores"]]
        if loose:
            yield ("scores", name), f"there is no score called {_words(loose)}"
        later = [part for part in parts if part in definition["scores"] and part not in above]
        if later:
            yield ("scores", name), f"{_words(later)} must stand above the score made of it"
        above.append(name)


def _range_contradictions(definition: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Yield the scores whose stated range their items cannot give."""
    answers, possible = definition["answers"], dict[str, tuple[float, float]]()
    lowest = answers["lowest"]
    tops = {int(item): top for item, top in answers.get("highest_by_item", {}).items()}
    for item, top in tops.items():
        if top <= lowest:
            told = f"the highest answer of item {item} is not above the lowest"
            yield ("answers", "highest_by_item"), told
    for name, score in definition["scores"].items():
        listed = score.get("items", [])
        if listed == "all":
            unscored = definition.get("unscored", [])
            listed = [i for i in range(1, definition["items"] + 1) if i not in unscored]
        ends = [possible[part] for part in score.get("scores", [])] or [
            (lowest, max(tops.get(i, answers["highest"]) for i in _flat([item]))) for item in listed
        ]
        share = score.get("times", 1) / (len(ends) if score["rule"] == "mean" else 1)
        low, high = (share * sum(end[side] for end in ends) for side in (0, 1))
        possible[name] = (low, high)
        stated = score.get("range")
        if stated and max(abs(stated[0] - low), abs(stated[1] - high)) > RANGE_TOLERANCE:
            told = f"its items can give {low:.6g} to {high:.6g}, not {stated[0]:g} to {stated[1]:g}"
            yield ("scores", name, "range"), told


def _flat(items: list[Any]) -> list[int]:
    return [i for item in items for i in (item if isinstance(item, list) else [item])]


def _words(values: list[Any]) -> str:
    return ", ".join(str(value) for value in values)
