"""Options of the entries of family course_and_leaving in the config."""

from __future__ import annotations

from alliance.families.family import Entry, Options
from alliance.families.options import LEVELS, OUTCOME, TIME

FEATURES = ("value", "change", "level", "line")
"""What of the course may go with leaving."""


def effects(entry: Entry) -> list[str]:
    """Return the associations with leaving, and the mean course."""
    return [*(f"leaving: {one}" for one in entry.get("association", ["value"])), entry["time"]]


OPTIONS = Options(
    description="a measure's course and who leaves in one model, so that the course is not taken"
    " from those who stayed alone, nor leaving explained by scores with their error",
    keys={
        "outcome": OUTCOME,
        "time": TIME,
        "association": {
            "type": "array",
            "minItems": 1,
            "maxItems": 2,
            "uniqueItems": True,
            "items": {"enum": list(FEATURES)},
            "meanings": {
                "value": "where the client's course stands at the session",
                "change": "how steep the client's course is",
                "level": "the client's level against the mean course",
                "line": "the client's slope against the mean course",
            },
            "default": ["value"],
            "description": "what of the course may go with leaving",
        },
        "link": {
            "enum": ["logit", "cloglog"],
            "default": "logit",
            "description": "scale of the hazard, as with `family: hazard`",
        },
        "levels": LEVELS,
    },
    required=("outcome", "time"),
    effects=effects,
)
