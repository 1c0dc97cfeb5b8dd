"""Options of the entries of family hazard in the config."""

from __future__ import annotations

from collections.abc import Iterator

from alliance.families.family import Entry, Options, Problem, Scores
from alliance.families.options import CLUSTER_ERRORS, FIXED, leaving_effects, leaving_terms


def problems(entry: Entry, scores: Scores) -> Iterator[Problem]:
    """Yield terms that have no place here, and what several ends at once do not take."""
    yield from leaving_terms(entry, scores)
    if len(entry.get("ends", [])) > 1:
        for option in ("link", "levels"):
            if option in entry and entry[option] not in ("logit", []):
                told = "several ends at once are fitted as a multinomial logit, without it"
                yield (option,), told


OPTIONS = Options(
    description="who leaves treatment early, session by session",
    keys={
        "predictors": {
            "type": "array",
            "uniqueItems": True,
            "items": {"$ref": "#/$defs/word"},
            "default": [],
            "description": "measures or subscales that predict leaving, the one in question"
            " first: its running mean and the deviation from it; none: by time and site alone",
        },
        "fixed": FIXED,
        "ends": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {"enum": ["dropout", "completed", "transferred"]},
            "default": ["dropout"],
            "description": "the end that is asked about; several are fitted together against"
            " none of them (multinomial logit, without random intercepts)",
        },
        "link": {
            "enum": ["logit", "cloglog"],
            "default": "logit",
            "description": "scale of the hazard: log odds, or log hazard (complementary log-log),"
            " whose exponential is a hazard ratio",
        },
        "baseline": {
            "enum": ["log", "spline", "session"],
            "default": "log",
            "description": "how the hazard changes over sessions: along log(session), a smooth"
            " curve, or a step for every session",
        },
        "levels": {
            "type": "array",
            "uniqueItems": True,
            "items": {"enum": ["therapist"]},
            "description": "levels with a random intercept; left out: therapist, where the cohort"
            " tells them apart; []: none",
        },
        "cluster_errors": CLUSTER_ERRORS,
    },
    problems=problems,
    effects=leaving_effects,
)
