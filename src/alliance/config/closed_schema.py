"""Say in plain words where a YAML document breaks a closed JSON schema.

`jsonschema` finds the places; this module turns them into sentences for a reader who has never seen
a schema: which key, on which line, what is allowed there, and the nearest valid key.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import yaml

from alliance.config import former_names
from alliance.config.strict_yaml import Document, KeyPath, Problem

SCHEMAS = Path(__file__).resolve().parents[3] / "workflow" / "schemas"

MAX_LEVELS = 8  # of keys within keys; no schema here goes deeper
_WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "keys with values",
}
NO_VALUE = "has no value; fill it in, or take the key out"
_LIMITS = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "minItems": "needs at least {} in the list",
    "maxItems": "may hold at most {} in the list",
    "minLength": "is too short (at least {} signs)",
    "maxLength": "is too long (at most {} signs)",
    "minProperties": "needs at least {} key below it",
}


@cache
def schema(name: str) -> dict[str, Any]:
    """Return `workflow/schemas/<name>.schema.yaml`; the config's with every family's entries."""
    text = (SCHEMAS / f"{name}.schema.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return cast("dict[str, Any]", _filled_in(found))


def _filled_in(part: Any) -> Any:
    """Return a part of a schema with `oneOf_from: module:function` as what that function returns.

    So that a list which stands in the code stands there only. The reference is a late one: what
    rests on a site's mapping does not rest on the families of models.
    """
    if isinstance(part, list):
        return [_filled_in(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    filled = {key: _filled_in(inner) for key, inner in part.items()}
    for keyword in ("oneOf_from", "enum_from", "meanings_from"):
        if keyword in filled:
            module, _, name = filled.pop(keyword).partition(":")
            filled[keyword.removesuffix("_from")] = getattr(import_module(module), name)()
    return filled


@cache
def _validator(name: str) -> Any:
    import jsonschema

    return jsonschema.Draft202012Validator(schema(name))


def problems_of(document: Document, name: str) -> list[Problem]:
    """Return every way in which `document` breaks the schema `name`; [] if it fits."""
    if document.content is None:
        return [Problem((), 1, "the file is empty")]
    found = [
        problem
        for error in _validator(name).iter_errors(document.content)
        for problem in _explain(error, document, (), name)
    ]
    # A place that strictness has already complained about needs no second sentence.
    told = {problem.path for problem in document.problems}
    unique = {(p.path, p.message): p for p in found if p.path not in told}
    return _without_renamed(list(unique.values()))


def nearest(word: str, valid: Iterable[str]) -> str | None:
    """Return the valid word that `word` was most likely meant to be, or None."""
    by_small = {option.lower(): option for option in sorted(valid)}
    longer = [small for small in by_small if len(word) >= 3 and small.startswith(word.lower())]
    if longer:
        return by_small[min(longer, key=len)]
    close = difflib.get_close_matches(word.lower(), list(by_small), n=1, cutoff=0.6)
    return by_small[close[0]] if close else None


def hint(word: str, valid: Iterable[str], what: str = "key") -> str:
    """Return ` Nearest valid key: ...`, or the list of valid ones where none is near."""
    options = sorted(set(valid))
    near = nearest(word, options)
    if near:
        return f"nearest valid {what}: {near}"
    return f"valid {what}s: {', '.join(options)}" if options else f"no {what} is valid here"


def _every_value(part: Mapping[str, Any], options: list[str]) -> str:
    """Return all values of an enumeration with what they mean.

    Never the nearest one alone: what is near in letters may be the opposite in meaning.
    """
    meanings = {str(value): told for value, told in part.get("meanings", {}).items()}
    listed = [
        f"{option} ({meanings[value]})" if (value := option.strip('"')) in meanings else option
        for option in options
    ]
    about = f" ({part['description']})" if "description" in part and not meanings else ""
    return f"valid values: {', '.join(listed)}{about}"


def _place_or_hint(key: str, valid: Iterable[str], name: str) -> str:
    """Return where a key belongs that has one place elsewhere, else the nearest valid key here."""
    homes = _homes(name).get(key, set())
    if nearest(key, valid) is None and len(homes) == 1:
        (home,) = homes
        return f"it belongs below {home}" if home else "it belongs at the top, without indentation"
    return hint(key, valid)


@cache
def _homes(name: str) -> dict[str, set[str]]:
    """Return for each key of a schema below which keys it may stand ("" for the top)."""
    whole = schema(name)
    homes: dict[str, set[str]] = {}
    left: list[tuple[dict[str, Any], tuple[str, ...]]] = [(whole, ())]
    while left:
        part, path = left.pop()
        if "$ref" in part:
            part = whole["$defs"][part["$ref"].rsplit("/", 1)[-1]] | part
        if len(path) > MAX_LEVELS:
            continue
        for key, inner in part.get("properties", {}).items():
            homes.setdefault(key, set()).add(" → ".join(path))
            left.append((inner, (*path, key)))
        for form, word in (("items", "an entry (- ...)"), ("additionalProperties", "a name")):
            if isinstance(part.get(form), dict):
                left.append((part[form], (*path, word)))
        left += [(choice, path) for choice in (*part.get("oneOf", ()), *part.get("anyOf", ()))]
    return homes


def _explain(error: Any, document: Document, inside: KeyPath, name: str) -> Iterator[Problem]:
    path: KeyPath = (*inside, *error.relative_path)
    kind = error.validator
    if kind in ("oneOf", "anyOf"):
        yield from _explain_choice(error, document, path, name)
    elif "propertyNames" in error.relative_schema_path:
        text = f"this name is not allowed ({_rule(error)})"
        if kind == "enum":
            text = f"unknown key; {hint(str(error.instance), error.validator_value)}"
        yield document.problem((*path, error.instance), text)
    elif kind == "additionalProperties":
        valid = error.schema.get("properties", {})
        for key in error.instance:
            if key not in valid:
                told = _place_or_hint(key, valid, name)
                problem = document.problem((*path, key), f"unknown key; {told}")
                yield replace(problem, meant=nearest(key, valid) or "")
    elif kind == "required":
        for key in error.validator_value:
            if key not in error.instance:
                problem = document.problem(path, f"the key {key} is missing")
                yield replace(problem, missing=key)
    else:
        yield document.problem(path, _about_value(error))


def _about_value(error: Any) -> str:
    """What is wrong with a value that stands at a known key."""
    kind, value, instance = error.validator, error.validator_value, error.instance
    if instance is None and kind in ("type", "enum", "const", "pattern"):
        return NO_VALUE
    if kind == "type":
        return f"must be {_types(value)}, but is {_kind_of(instance)}"
    if kind == "const":
        return f"must be {value}"
    if kind == "enum":
        # A sign such as a comma could not be told from the sentence.
        options = [str(option) if str(option).isalnum() or len(str(option)) > 1 else f'"{option}"'
                   for option in value]  # fmt: skip
        if isinstance(instance, dict | list):
            return f"must be one of {', '.join(options)}, but is {_kind_of(instance)}"
        return f"{instance!s:.60} is not valid; {_every_value(error.schema, options)}"
    if kind == "pattern":
        return f"{instance!s:.60} is not allowed ({_rule(error)})"
    if kind == "uniqueItems":
        return "an entry stands twice in the list"
    return _LIMITS.get(kind, f"does not fit the rule `{kind}`").format(value)


def _explain_choice(error: Any, document: Document, path: KeyPath, name: str) -> Iterator[Problem]:
    """Explain the branch that the writer most likely had in mind."""
    branches: dict[int, list[Any]] = {}
    for inner in error.context:
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    fitting = [b for b in branches.values() if not any(_is_other_kind(e) for e in b)]
    if not fitting:
        wanted = [
            _types(e.validator_value) if e.validator == "type" else str(e.validator_value)
            for b in branches.values()
            for e in b
            if _is_other_kind(e)
        ]
        problem = f"must be {' or '.join(wanted)}, but is {_kind_of(error.instance)}"
        yield document.problem(path, NO_VALUE if error.instance is None else problem)
        return
    if isinstance(error.instance, dict) and "family" in error.instance:
        same = [b for b in fitting if not any(_is_family(e) for e in b)]
        if not same:
            told = _no_such_family(str(error.instance["family"]), error.validator_value)
            yield document.problem((*path, "family"), told)
            return
        fitting = same
    for inner in min(fitting, key=_weight):
        yield from _explain(inner, document, path, name)


def _no_such_family(name: str, branches: list[dict[str, Any]]) -> str:
    if name in former_names.FAMILIES:
        return f"the family {name} is called {former_names.FAMILIES[name]} now"
    entries = [branch for branch in branches if "family" in branch.get("properties", {})]
    meanings = {e["properties"]["family"]["const"]: e.get("description", "") for e in entries}
    return f"there is no such family; {_every_value({'meanings': meanings}, sorted(meanings))}"


def _weight(errors: list[Any]) -> tuple[int, int]:
    """Order branches: the one whose required keys are there, then the one with fewest problems."""
    return sum(_is_at_top(e, "required") for e in errors), len(errors)


def _is_other_kind(error: Any) -> bool:
    """Whether a branch wants another kind of value altogether."""
    if _is_at_top(error, "const"):
        return _kind_of(error.validator_value) != _kind_of(error.instance)
    return _is_at_top(error, "type")


def _is_at_top(error: Any, kind: str) -> bool:
    return error.validator == kind and not error.relative_path


def _is_family(error: Any) -> bool:
    return error.validator == "const" and list(error.relative_path) == ["family"]


def _without_renamed(problems: list[Problem]) -> list[Problem]:
    """Leave out "key x is missing" where an unknown key beside it was meant to be x."""
    renamed = {(problem.path[:-1], problem.meant) for problem in problems if problem.meant}
    return [problem for problem in problems if (problem.path, problem.missing) not in renamed]


def _rule(error: Any) -> str:
    return str(error.schema.get("description", f"must fit {error.validator_value}"))


def _types(value: str | list[str]) -> str:
    listed = [value] if isinstance(value, str) else value
    return " or ".join(_WORDS.get(word, word) for word in listed)


def _kind_of(instance: Any) -> str:
    if isinstance(instance, bool):
        return "true or false"
    for kind, word in ((str, "text"), (int, "a number"), (float, "a number"), (list, "a list")):
        if isinstance(instance, kind):
            return word
    return "keys with values" if isinstance(instance, dict) else "empty"
