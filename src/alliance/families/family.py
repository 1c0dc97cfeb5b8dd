"""What a family of models says of itself: all that the other rooms of the house ask of it.

Light, as the workflow and the configuration are read with it: the code behind a family is named by
late references, `module:name`, and imported by whoever needs it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

Entry = Mapping[str, Any]
Scores = Mapping[str, tuple[str, str]]
"""Columns that hold a score: whose it is (`alliance.config.score_columns.score_columns`)."""
Problem = tuple[tuple[str | int, ...], str]
"""The key within an entry (empty for the entry itself), and what is wrong with it."""


def no_problems(entry: Entry, scores: Scores) -> Iterator[Problem]:
    """Yield nothing: the schema says all that can be wrong with an entry."""
    yield from ()


def no_effects(entry: Entry) -> list[str]:
    """Return no name: the models of the family put the question of another one otherwise."""
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a model's entry in the config may hold beside `family`.

    Attributes
    ----------
    description
        What the family is for, in the words of the config's schema.
    keys
        Key to its JSON schema, which has a `description`; `default` is filled in where the key is
        left out. `#/$defs/...` of `config.schema.yaml` can be referred to.
    required
        Keys that must be there.
    problems
        What the schema cannot see: yields (key path within the entry, words) from an entry that
        fits the schema and the scores of the cohort.
    effects
        Which effects of a model the config may name as primary: its terms, without categories.
    asked_of
        Names of the families whose models the key `model` may name.
    takes_seed
        Whether the entry is given the cohort's seed, as `seed`.
    """

    description: str
    keys: Mapping[str, Mapping[str, Any]]
    required: tuple[str, ...] = ()
    problems: Callable[[Entry, Scores], Iterator[Problem]] = no_problems
    effects: Callable[[Entry], list[str]] = no_effects
    asked_of: tuple[str, ...] = ()
    takes_seed: bool = False

    def schema(self, family: str) -> dict[str, Any]:
        """Return the closed JSON schema of an entry of this family."""
        own = {"family": {"const": family, "description": "kind of analysis"}}
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["family", *self.required],
            "description": self.description,
            "properties": own | copy.deepcopy(dict(self.keys)),
        }

    def complete(self, entry: dict[str, Any], seed: int) -> None:
        """Fill in the defaults of an entry that fits the schema, in place."""
        for key, schema in self.keys.items():
            if "default" in schema:
                entry.setdefault(key, copy.deepcopy(schema["default"]))
        if self.takes_seed:
            entry["seed"] = seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A family of models.

    Attributes
    ----------
    name
        As in the config, in the fits and of its folder.
    question
        What its models find out, as the end of the sentence `Fit ...`.
    options
        Of its entries in the config.
    fit
        Late reference to the function `(cohort, name, entry) -> fit`.
    verdict
        Template, below `families/`, with the macros `question()` and `effect(effect)`: what its
        models ask and one of their main effects, in the words of the page's first screen. A family
        with it leads the page; the others ask the same questions otherwise and have sections of
        their own.
    leads_before
        Families that ask the same in a weaker way: their models do not lead the page where a model
        of this family estimates the same links (`findings.leading`).
    diagnosed
        Whether each of its models has diagnostics and a figure of them.
    in_forest
        Whether the main effects of its models stand in the figure of all effects.
    several_models
        Whether the estimates of one of its fits come from several models, of the same question.
    other_choices
        Whether the estimates of one of its fits are the effects of the model that it is asked of
        under other choices; the verdict shows their range.
    figures
        Name of a figure to the function `(results) -> figure` that draws it. Its caption is the
        template beside the function's module, of the same name.
    tables, apa_tables
        Name of a table to the function `(results) -> table` for people; the one for machines has
        the same name and `_records`. `apa_tables` are numbered and go into a paper.
    sections
        Section of the page to the template, below `families/`, that the family adds to it. What
        several families share is named by each and stands there once.
    methods, methods_part
        The function `(material, fits) -> groups` that says how its fits that have a result were
        made (`alliance.manuscript.sections.of_families.Groups`), and in which part of the methods
        text.
    found
        The function `(material, fits) -> groups` that says what they found, in the part of the
        results text of the same name.
    """

    name: str
    question: str
    options: Options
    fit: str
    verdict: str = ""
    leads_before: tuple[str, ...] = ()
    diagnosed: bool = False
    in_forest: bool = False
    several_models: bool = False
    other_choices: bool = False
    figures: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)
    apa_tables: Mapping[str, str] = field(default_factory=dict)
    sections: Mapping[str, str] = field(default_factory=dict)
    methods: str = ""
    methods_part: str = ""
    found: str = ""

    @property
    def leads(self) -> bool:
        """Whether its models answer the questions of the page's first screen."""
        return bool(self.verdict)

    def references(self, part: str) -> list[str]:
        """Return the late references of a part: `fit`, `figures`, `tables`, `methods`, ..."""
        named = getattr(self, part)
        found = [named] if isinstance(named, str) else list(named.values())
        return [reference for reference in found if reference]


def module_of(reference: str) -> str:
    """Return the module behind a late reference, as `provenance.library` wants it."""
    return reference.partition(":")[0].removeprefix("alliance.")


def load(reference: str) -> Any:
    """Return what a late reference names: `alliance.families.growth.model:growth_fit`."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
