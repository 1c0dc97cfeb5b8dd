"""Options of the entries of family coupling in the config."""

from __future__ import annotations

from alliance.families.family import Options
from alliance.families.options import (
    FIXED,
    LEVELS,
    OUTCOME,
    TIME_OF_COURSE,
    key,
    outcome_among_terms,
)

OPTIONS = Options(
    description="one measure at a session and another at the next, within and between clients",
    keys={
        "predictor": key("word", "the measure or subscale that goes before"),
        "outcome": OUTCOME,
        "time": TIME_OF_COURSE,
        "fixed": FIXED,
        "levels": LEVELS,
        "moderator": key(
            "word",
            "for whom does it hold: a client fact or another column; its product with the"
            " within-client part enters",
        ),
        "differs_between_clients": {
            "type": "boolean",
            "default": False,
            "description": "true gives every client a within-client effect of their own"
            " (random slope)",
        },
    },
    required=("predictor", "outcome", "time"),
    problems=outcome_among_terms,
)
