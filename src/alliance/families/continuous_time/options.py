"""Options of the entries of family continuous_time in the config."""

from __future__ import annotations

from alliance.families.family import Entry, Options
from alliance.families.options import FIXED, fixed_effects, leaving_effects, leaving_terms


def effects(entry: Entry) -> list[str]:
    """Return the parts that are known from session to session, or at the first (Fine and Gray)."""
    if entry.get("method") == "fine-gray":
        return [*entry.get("predictors", []), *fixed_effects(entry)]
    return leaving_effects(entry)


OPTIONS = Options(
    description="when clients leave, in continuous time",
    keys={
        "method": {
            "enum": ["cox", "gamma-frailty", "gaussian-frailty", "fine-gray"],
            "default": "cox",
            "description": "Cox regression robust by therapist, the same with a therapist's"
            " frailty, or the subdistribution hazard of Fine and Gray",
        },
        "predictors": {
            "type": "array",
            "uniqueItems": True,
            "items": {"$ref": "#/$defs/word"},
            "default": [],
            "description": "measures or subscales that predict leaving, the one in question first",
        },
        "fixed": FIXED,
    },
    problems=leaving_terms,
    effects=effects,
)
