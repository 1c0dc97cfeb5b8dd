"""Options of the entries of family therapists in the config."""

from __future__ import annotations

from collections.abc import Iterator

from alliance.families.family import Entry, Options, Problem, Scores
from alliance.families.options import OUTCOME, TIME, key


def problems(entry: Entry, scores: Scores) -> Iterator[Problem]:
    """Yield the same measure named as outcome and as alliance."""
    if entry["alliance"] == entry["outcome"]:
        yield ("alliance",), "the outcome itself; name the measure of the alliance"


OPTIONS = Options(
    description="how much of outcome, change, alliance and dropout lies between therapists, and"
    " whether therapists with a better alliance have better outcomes",
    keys={
        "outcome": OUTCOME,
        "alliance": key("word", "the measure whose early score is related to the outcome"),
        "time": TIME,
        "early": {
            "type": "integer",
            "minimum": 1,
            "default": 4,
            "description": "session up to which the alliance is early: the last score up to then",
        },
        "case_mix": {
            "type": "array",
            "uniqueItems": True,
            "items": {"$ref": "#/$defs/word"},
            "default": [],
            "description": "covariates of the client that are adjusted for, beside the first score"
            " of the outcome",
        },
        "fewest_clients": {
            "type": "integer",
            "minimum": 2,
            "default": 4,
            "description": "therapists with fewer clients are marked and left out of a second"
            " estimate",
        },
    },
    required=("outcome", "alliance", "time"),
    problems=problems,
)
