"""Options of the entries of family coupling in the config."""

from __future__ import annotations

from alliance.families.family import Entry, Options
from alliance.families.options import (
    CLUSTER_ERRORS,
    DF,
    FIXED,
    LEVELS,
    OUTCOME,
    TIME_OF_COURSE,
    fixed_effects,
    key,
    outcome_among_terms,
)


def effects(entry: Entry) -> list[str]:
    """Return the predictor's parts, the product with the moderator, and the further terms."""
    within, between = (f"{entry['predictor']}_{part}" for part in ("within", "between"))
    product = [f"{within}:{entry['moderator']}"] if "moderator" in entry else []
    return [within, between, *product, *fixed_effects(entry)]


OPTIONS = Options(
    description="one measure at a session and another at the next, within and between clients",
    keys={
        "predictor": key("word", "the measure or subscale that goes before"),
        "outcome": OUTCOME,
        "time": TIME_OF_COURSE,
        "fixed": FIXED,
        "levels": LEVELS,
        "df": DF,
        "cluster_errors": CLUSTER_ERRORS,
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
    effects=effects,
)
