"""Options of the entries of family parallel_growth in the config."""

from __future__ import annotations

from alliance.families.family import Options
from alliance.families.options import LEVELS

OPTIONS = Options(
    description="two measures growing together: how their starts and their courses are correlated",
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
            "description": "what time is counted in, for each of the two",
        },
        "intervals": {
            "enum": ["delta", "profile", "bootstrap"],
            "default": "delta",
            "description": "of the correlations; profile and bootstrap are truer near the boundary"
            " and take longer",
        },
        "levels": LEVELS,
    },
    required=("outcomes", "times"),
    takes_seed=True,
)
