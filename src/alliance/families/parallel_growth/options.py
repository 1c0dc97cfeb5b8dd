"""Options of the entries of family parallel_growth in the config."""

from __future__ import annotations

from alliance.families.family import Options
from alliance.families.options import LEVELS, several_measures

OPTIONS = Options(
    description="two measures growing together: how their starts and their courses are correlated",
    keys={
        **several_measures(2),
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
