"""The config's keys `change`, `ruptures` and `observers`: their defaults, columns and mistakes.

On the ground floor and light, like `alliance.config.cohort`, which asks it: no numpy, no pandas.
What it says of the rules is held against `alliance.measures.ruptures` by a test.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from alliance.config import closed_schema
from alliance.config.score_columns import TOTAL
from alliance.config.strict_yaml import Document, Problem

CHANGE_PARTS = ("gain", "loss", "gain_so_far", "loss_so_far")
"""Columns `<measure>_<part>` of the panel for each measure under `change`."""
RUPTURE_PARTS = ("rupture", "repair", "in_rupture", "rupture_so_far")
"""The same for each measure under `ruptures` whose first rule known in time they follow."""
EVENT_PARTS = (*CHANGE_PARTS, *RUPTURE_PARTS)
WHOLE_COURSE = {"own_line", "own_mean", "own_sd", "larger_sd", "moving_range"}
KNOWN_IN_TIME = (
    "drop_of_1_sd_from_previous",
    "drop_of_2_sd_from_previous",
    "reliable_drop_from_previous",
    "reliable_drop_from_recent_best",
    "drop_of_2_sd_below_mean_so_far",
)
"""Named rules that see a rupture when it happens; the others only after treatment."""
IN_RELIABLE_CHANGES = ("reliable_drop_from_previous", "reliable_drop_from_recent_best")
CODES = ("withdrawal", "confrontation", "resolution")


def complete(cohort: dict[str, Any]) -> None:
    """Fill in the defaults, in place."""
    change = cohort.setdefault("change", {})
    for entry in change.values():
        entry.setdefault("reliability", None)
        entry.setdefault("reliability_last", entry["reliability"])
        entry.setdefault("functional", None)
        entry.setdefault("cutoff", "c" if entry["functional"] else "a")
        entry.setdefault("method", "jacobson-truax")
        entry.setdefault("anchor", None)
        entry.setdefault("sudden_points", None)
    ruptures = cohort.setdefault("ruptures", {})
    cohort["ruptures"] = {
        measure: copy.deepcopy(list(rules)) for measure, rules in ruptures.items()
    }
    cohort.setdefault("observers", [])


def event_columns(content: Mapping[str, Any]) -> set[str]:
    """Return the panel's columns of events that a config asks for."""
    columns = {f"{m}_{part}" for m in content.get("change", {}) for part in CHANGE_PARTS}
    for measure, rules in content.get("ruptures", {}).items():
        if any(_in_time(rule) for rule in rules):
            columns |= {f"{measure}_{part}" for part in RUPTURE_PARTS}
    return columns


def _in_time(rule: str | Mapping[str, Any]) -> bool:
    """Say whether a rule knows a rupture when it happens."""
    if isinstance(rule, str):
        return rule in KNOWN_IN_TIME
    words = {rule.get("baseline"), rule.get("unit"), rule.get("repair", {}).get("target")}
    return not words & WHOLE_COURSE


def problems(
    document: Document, scores: Mapping[str, list[str]], directions: Mapping[str, str | None]
) -> Iterator[Problem]:
    """Yield what is wrong with the three keys beyond their form.

    Parameters
    ----------
    document
        The config.
    scores
        Measure to the names of its scores.
    directions
        Measure to what its key says of high scores.
    """
    content = document.content
    for key in ("change", "ruptures"):
        for measure in content.get(key, {}):
            here = (key, measure)
            if measure not in scores:
                told = closed_schema.hint(measure, scores, "measure")
                yield document.problem(here, f"there is no measure {measure}; {told}")
            elif TOTAL not in scores[measure]:
                yield document.problem(here, "its scoring key has no total score to follow")
            elif directions.get(measure) == "none":
                yield document.problem(
                    here, "its scoring key does not say whether high scores are good or bad"
                )
    yield from _rule_problems(document)
    for i, measure in enumerate(content.get("observers", [])):
        if measure not in scores:
            told = closed_schema.hint(measure, scores, "measure")
            yield document.problem(("observers", i), f"there is no measure {measure}; {told}")
        elif not set(CODES) <= set(scores[measure]):
            yield document.problem(
                ("observers", i),
                f"its scoring key lacks the codes {', '.join(CODES)}; use instrument 3rs",
            )


def _rule_problems(document: Document) -> Iterator[Problem]:
    content = document.content
    known = closed_schema.schema("config")["$defs"]["rupture_rule_name"]["enum"]
    for measure, rules in content.get("ruptures", {}).items():
        reliable = content.get("change", {}).get(measure, {}).get("reliability") is not None
        names: set[str] = set()
        for i, rule in enumerate(rules):
            here = ("ruptures", measure, i)
            own = not isinstance(rule, str)
            name = rule["name"] if isinstance(rule, Mapping) else rule
            if own and name in known:
                yield document.problem(
                    here, f"{name} is the name of one of our rules; choose another"
                )
            if name in names:
                yield document.problem(here, f"{name} stands twice in the list")
            names.add(name)
            in_changes = (
                rule.get("unit") == "reliable_change"
                if isinstance(rule, Mapping)
                else rule in IN_RELIABLE_CHANGES
            )
            if in_changes and not reliable:
                yield document.problem(
                    here,
                    "counts in reliable changes: give the measure's reliability under"
                    f" change: {measure}: {{reliability: ...}}",
                )
