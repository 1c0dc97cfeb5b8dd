"""Options of the entries of family growth in the config."""

from __future__ import annotations

from collections.abc import Iterator

from alliance.config.change import EVENT_PARTS
from alliance.config.score_columns import PARTS
from alliance.families.family import Entry, Options, Problem, Scores
from alliance.families.options import (
    DF,
    FIXED,
    LEVELS,
    OUTCOME,
    TIME_OF_COURSE,
    columns_in,
    fixed_effects,
    same_total,
)


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
    if "knot" in entry and entry["time"].startswith(("log_", "sqrt_")):
        told = "goes with a straight time (session, weeks_since_intake, days_since_intake)"
        yield ("knot",), told
    if entry.get("estimation") == "ml" and entry.get("df") == "kenward-roger":
        yield ("df",), "Kenward and Roger's degrees of freedom go with estimation: reml"
    slopes, levels = entry.get("random_slopes"), entry.get("levels")
    if slopes and levels is not None and not set(slopes) <= set(levels):
        yield ("random_slopes",), "names a level that `levels` leaves out"


def effects(entry: Entry) -> list[str]:
    """Return time, what comes after the knot, and the further terms."""
    knot = ["after_knot"] if "knot" in entry else []
    return [entry["time"], *knot, *fixed_effects(entry)]


OPTIONS = Options(
    description="how an outcome changes over time",
    keys={
        "outcome": OUTCOME,
        "time": TIME_OF_COURSE,
        "fixed": FIXED,
        "random_slopes": {
            "type": "array",
            "uniqueItems": True,
            "items": {"enum": ["therapist", "client"]},
            "description": "levels whose members each have a slope of time of their own (default:"
            " clients, and therapists where the rule of `choose_by` finds that they differ)",
        },
        "residual": {
            "enum": ["rule", "independent", "correlated"],
            "default": "rule",
            "description": "whether residuals of one client remember one another (AR(1) by session,"
            " CAR(1) by time), or the rule of `choose_by` decides it",
        },
        "choose_by": {
            "enum": ["bic_clients", "bic_rows", "aic"],
            "default": "bic_clients",
            "description": "criterion by which residuals, and slopes of therapists where"
            " `random_slopes` is not given, are chosen",
        },
        "df": DF,
        "levels": LEVELS,
        "knot": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "where the course bends: two straight pieces that meet at this session,"
            " week or day; goes with a time that is not a logarithm or a root",
        },
        "estimation": {
            "enum": ["reml", "ml"],
            "meanings": {"reml": "restricted maximum likelihood", "ml": "plain"},
            "default": "reml",
            "description": "restricted maximum likelihood, or plain (to compare models that differ"
            " in fixed terms)",
        },
    },
    required=("outcome", "time"),
    problems=problems,
    effects=effects,
)
