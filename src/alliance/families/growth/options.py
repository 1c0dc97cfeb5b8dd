"""Options of the entries of family growth in the config."""

from __future__ import annotations

from collections.abc import Iterator

from alliance.config.change import EVENT_PARTS
from alliance.config.score_columns import PARTS
from alliance.families.family import Entry, Options, Problem, Scores
from alliance.families.options import FIXED, LEVELS, OUTCOME, TIME, columns_in, same_total


def problems(entry: Entry, scores: Scores) -> Iterator[Problem]:
    """Yield fixed terms made of the outcome, and slopes at a level that is left out."""
    outcome = entry["outcome"]
    made_of = [outcome, *same_total(outcome, scores)]
    parts = {*PARTS, *EVENT_PARTS} - {"previous"}
    own = {*made_of, *(f"{m}_{p}" for m in made_of for p in parts)}
    for i, term in enumerate(entry.get("fixed", [])):
        for column in sorted(columns_in(term) & own):
            told = f"{column} is made of the outcome itself or of its next value; take it out"
            yield ("fixed", i), told
    slopes, levels = entry.get("random_slopes"), entry.get("levels")
    if slopes and levels is not None and not set(slopes) <= set(levels):
        yield ("random_slopes",), "names a level that `levels` leaves out"


OPTIONS = Options(
    description="how an outcome changes over time",
    keys={
        "outcome": OUTCOME,
        "time": TIME,
        "fixed": FIXED,
        "random_slopes": {
            "type": "array",
            "uniqueItems": True,
            "items": {"enum": ["therapist", "client"]},
            "default": ["client"],
            "description": "levels whose members each have a slope of time of their own",
        },
        "levels": LEVELS,
    },
    required=("outcome", "time"),
    problems=problems,
)
