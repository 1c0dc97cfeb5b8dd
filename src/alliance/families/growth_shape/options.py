"""Options of the entries of family growth_shape in the config."""

from __future__ import annotations

from alliance.families.family import Options
from alliance.families.options import LEVELS, key

OPTIONS = Options(
    description="which shape a course has: every step is fitted and shown, the rule of choice is"
    " fixed here",
    keys={
        "outcome": key("word", "a measure"),
        "time": {
            "enum": ["weeks_since_intake", "session"],
            "description": "what time is counted in; log(1 + time) is one of the steps",
        },
        "choose_by": {
            "enum": ["bic_clients", "bic_rows", "aic"],
            "default": "bic_clients",
            "description": "the step with the lowest value is taken, of those within 2 points the"
            " one with the fewest parameters",
        },
        "levels": LEVELS,
    },
    required=("outcome", "time"),
)
