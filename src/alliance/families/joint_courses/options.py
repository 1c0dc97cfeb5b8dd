"""Options of the entries of family joint_courses in the config."""

from __future__ import annotations

from collections.abc import Iterator

from alliance.families.family import Entry, Options, Problem, Scores
from alliance.families.options import LEVELS


def _first_is_one_of_them(entry: Entry, scores: Scores) -> Iterator[Problem]:
    first = entry.get("answered_first")
    if first is not None and first not in entry["outcomes"]:
        yield ("answered_first",), f"{first} is not among the outcomes"


OPTIONS = Options(
    description="two measures whose deviations from their courses act on each other from session"
    " to session; effects within clients, between clients and between therapists from one model",
    keys={
        "outcomes": {
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "uniqueItems": True,
            "items": {"$ref": "#/$defs/word"},
            "description": "two measures",
        },
        "times": {
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": {"$ref": "#/$defs/time"},
            "description": "what time the courses are counted in, for each of the two",
        },
        "distance": {
            "enum": ["sessions", "weeks"],
            "default": "sessions",
            "description": "what an effect reaches over: the next session, or one week",
        },
        "answered_first": {
            "$ref": "#/$defs/word",
            "description": "the measure that is filled in before the session, where the other is"
            " filled in after it; effects are then given in that order",
        },
        "levels": LEVELS,
    },
    required=("outcomes", "times"),
    problems=_first_is_one_of_them,
)
