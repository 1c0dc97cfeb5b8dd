"""Keys that the entries of several families take, and what is checked of them alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from alliance.config.score_columns import TOTAL
from alliance.families.family import Entry, Problem, Scores

TRANSFORMS = ("log", "log1p", "sqrt", "square", "center", "scale", "spline")
"""Those of alliance.mixed.terms, which is too heavy to import here; a test holds them together."""

_COLUMN = re.compile("[a-z][a-z0-9_]*")


def key(definition: str, description: str = "") -> dict[str, Any]:
    """Return the schema of a key by a definition of `config.schema.yaml`."""
    found = {"$ref": f"#/$defs/{definition}"}
    return found | ({"description": description} if description else {})


def model_of(*families: str) -> Mapping[str, Any]:
    """Return the schema of the key that names the model which is asked otherwise."""
    listed = ", ".join(families[:-1])
    kinds = f"{listed} or {families[-1]}" if listed else families[-1]
    return key("identifier", f"name of a model of family {kinds}")


OUTCOME = key("word", "a measure (its total), or a subscale by its column: alliance_goal")
TIME = key("time")
TIME_OF_COURSE = key("time_of_course")
FIXED = key("fixed")
LEVELS = key("levels")
DF = {
    "enum": ["satterthwaite", "kenward-roger"],
    "default": "satterthwaite",
    "description": "degrees of freedom of the fixed effects; kenward-roger for few therapists"
    " (independent residuals only)",
}
CLUSTER_ERRORS = {
    "enum": ["rule", "cr1", "cr2"],
    "meanings": {
        "rule": "CR2 where there are fewer than fifty clusters",
        "cr1": "with clusters - 1 degrees of freedom",
        "cr2": "with Satterthwaite's degrees of freedom",
    },
    "default": "rule",
    "description": "cluster-robust standard errors of the regressions without random effects beside"
    " the model: with few clusters CR1 is too narrow",
}


def several_measures(most: int) -> dict[str, Any]:
    """Return the keys of a model of several measures at once: which, and the time of each."""
    words = {2: "two measures"}.get(most, f"two to {most} measures or subscales")
    return {
        "outcomes": {
            "type": "array",
            "minItems": 2,
            "maxItems": most,
            "uniqueItems": True,
            "items": {"$ref": "#/$defs/word"},
            "description": words,
        },
        "times": {
            "type": "array",
            "minItems": 2,
            "maxItems": most,
            "items": {"$ref": "#/$defs/time"},
            "description": "what time the course is counted in, for each of them",
        },
    }


CLIENT_VIEW = key("word", "the alliance as the client rates it: a measure")
THERAPIST_VIEW = key("word", "the alliance as the therapist rates it: a measure")


def columns_in(term: str) -> set[str]:
    """Return the columns that a term of the schema's form names."""
    return {name for name in _COLUMN.findall(term) if name not in TRANSFORMS}


def same_total(column: str, scores: Scores) -> set[str]:
    """Return the scores that a score is a part of, or that are a part of it."""
    measure, score = scores.get(column, (column, TOTAL))
    return {
        name
        for name, (other, its) in scores.items()
        if other == measure and name != column and TOTAL in (score, its)
    }


def fixed_effects(entry: Entry) -> list[str]:
    """Return the terms that a model's key `fixed` stands for: `a*b` is a, b and their product."""
    found: list[str] = []
    for term in entry.get("fixed", []):
        factors = term.replace(" ", "").split("*")
        found += [*factors, *([":".join(factors)] if len(factors) > 1 else [])]
    return list(dict.fromkeys(found))


def leaving_effects(entry: Entry) -> list[str]:
    """Return the effects of a model of who leaves, from session to session."""
    predictors = list(entry.get("predictors", []))
    parts = [f"{m}_running_{part}" for m in predictors[:1] for part in ("within", "between")]
    return [*parts, *(f"{m}_known" for m in predictors[1:]), *fixed_effects(entry)]


def outcome_among_terms(entry: Entry, scores: Scores) -> Iterator[Problem]:
    """Yield the fixed terms that are the outcome of a model of the next session itself."""
    following = f"{entry['outcome']}_next"
    for i, term in enumerate(entry.get("fixed", [])):
        if following in columns_in(term):
            yield ("fixed", i), f"{following} is the outcome itself here; take it out"


def leaving_terms(entry: Entry, scores: Scores) -> Iterator[Problem]:
    """Yield the fixed terms that have no place in a model of who leaves."""
    from alliance.config.score_columns import LOOKING_AHEAD

    ahead = {f"{score}_{part}" for score in scores for part in LOOKING_AHEAD} | {"end_status"}
    for i, term in enumerate(entry.get("fixed", [])):
        if set(term) & set("(:*"):
            yield (
                ("fixed", i),
                "a dropout model takes plain columns here, no transforms and no products",
            )
        for column in sorted(columns_in(term) & ahead):
            yield (
                ("fixed", i),
                (
                    f"{column} is known only once later sessions have taken place, so it cannot"
                    " predict who leaves before them; use a part that looks back, such as"
                    " _known, _running_mean, _running_within or _previous"
                ),
            )
