"""Options of the entries of family joint_courses in the config."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from alliance.families.family import Entry, Options, Problem, Scores
from alliance.families.options import LEVELS, several_measures

MOST_MEASURES = 4
PHASE = "phase"
"""As a group: early and late sessions."""


def _problems(entry: Entry, scores: Scores) -> Iterator[Problem]:
    measures, times = len(entry["outcomes"]), len(entry["times"])
    if measures != times:
        yield (("times",), f"{measures} measures need {measures} times, not {times}")
    if (entry.get("differs_by") == PHASE) != ("late_from" in entry):
        yield (("late_from",), f"goes with `differs_by: {PHASE}`, and that with it")


def _effects(entry: Entry) -> list[str]:
    """Return the effects within clients, each way."""
    return [f"{of} -> {on}" for of, on in itertools.permutations(entry["outcomes"], 2)]


OPTIONS = Options(
    description="measures whose deviations from their courses act on each other from session"
    " to session; effects within clients, between clients and between therapists from one model",
    keys={
        **several_measures(MOST_MEASURES),
        "distance": {
            "enum": ["sessions", "weeks"],
            "default": "sessions",
            "description": "what an effect reaches over: the next session, or one week",
        },
        "differs_by": {
            "$ref": "#/$defs/word",
            "description": "whether the effects within clients differ by site, by a fact of the"
            f" client such as treatment, or by {PHASE} (early and late sessions)",
        },
        "late_from": {
            "type": "integer",
            "minimum": 2,
            "description": f"with `differs_by: {PHASE}`: the session that the late phase begins"
            " with",
        },
        "levels": LEVELS,
    },
    required=("outcomes", "times"),
    problems=_problems,
    effects=_effects,
)
