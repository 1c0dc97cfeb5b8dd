"""The config's key `dropout`: its defaults and mistakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alliance.config import closed_schema
from alliance.config.strict_yaml import Document, Problem

BY_STATUS = "discharge_status"  # that of alliance.panel.ends, which is too heavy to import here
_BETTER = {"higher-is-better": "higher", "lower-is-better": "lower"}


def complete(cohort: dict[str, Any]) -> None:
    """Fill in the defaults of a cohort's config, in place."""
    dropout = cohort.setdefault("dropout", {})
    dropout.setdefault("event", ["dropout"])
    dropout.setdefault("use", BY_STATUS)
    for definition in dropout.setdefault("definitions", {}).values():
        if definition["rule"] == "sessions-below-plan":
            definition.setdefault("share", 1)
        if definition["rule"] == "no-reliable-change":
            definition.setdefault("better", "lower")
            by_measure = cohort.get("change", {}).get(definition["measure"], {})
            definition.setdefault("reliability", by_measure.get("reliability"))


def problems(document: Document, directions: Mapping[str, str | None]) -> Iterator[Problem]:
    """Return what definitions of dropout name that is not there, or that a scoring key denies.

    Parameters
    ----------
    document
        The cohort's config.
    directions
        Which end of its scale the scoring key of each measure calls the better one.
    """
    dropout = document.content.get("dropout", {})
    definitions, measures = dropout.get("definitions", {}), document.content.get("measures", {})
    known = [BY_STATUS, *definitions]
    if "use" in dropout and dropout["use"] not in known:
        told = closed_schema.hint(dropout["use"], known, "definition")
        yield document.problem(
            ("dropout", "use"), f"there is no definition {dropout['use']}; {told}"
        )
    for name, definition in definitions.items():
        here = ("dropout", "definitions", name)
        if name == BY_STATUS:
            yield document.problem(here, "this name is used for the discharge status; take another")
        if definition.get("measure", "") and definition["measure"] not in measures:
            told = closed_schema.hint(definition["measure"], measures, "measure")
            yield document.problem(
                (*here, "measure"), f"there is no measure {definition['measure']}; {told}"
            )
        elif told := _reliability_problem(definition, document.content.get("change", {})):
            yield document.problem(here, told)
        if told := _better_problem(definition, directions.get(definition.get("measure", ""))):
            yield document.problem(here, told)


def _better_problem(definition: Mapping[str, Any], direction: str | None) -> str:
    """Return what is wrong with the end of the scale that improvement goes to."""
    if definition["rule"] != "no-reliable-change" or direction not in _BETTER:
        return ""
    better = _BETTER[direction]
    if definition.get("better", "lower") == better:
        return ""
    return f"the scoring key says {direction}: write better: {better}"


def _reliability_problem(definition: Mapping[str, Any], change: Mapping[str, Any]) -> str:
    """Return what is wrong with the reliability by which improvement is judged: it is one number.

    `change` is the config's entry, which may give it for the same measure.
    """
    if definition["rule"] != "no-reliable-change":
        return ""
    measure = definition["measure"]
    own, known = definition.get("reliability"), change.get(measure, {}).get("reliability")
    if own is None and known is None:
        return (
            f"give the measure's reliability here, or under change: {measure}: {{reliability: ...}}"
        )
    if own is not None and known is not None and own != known:
        return (
            f"reliability {own:g} contradicts change: {measure}, which says {known:g}; write it in"
            " one place only"
        )
    return ""
