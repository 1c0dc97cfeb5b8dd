"""Options of the entries of family continuous_time in the config."""

from __future__ import annotations

from alliance.families.family import Options
from alliance.families.options import FIXED, leaving_terms

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
)
