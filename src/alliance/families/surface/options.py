"""Options of the entries of family surface in the config."""

from __future__ import annotations

from alliance.families.family import Options
from alliance.families.options import CLIENT_VIEW, LEVELS, THERAPIST_VIEW, TIME, key

OPTIONS = Options(
    description="an outcome at the next session over both views: does agreement matter, and at"
    " which level",
    keys={
        "client": CLIENT_VIEW,
        "therapist": THERAPIST_VIEW,
        "outcome": key("word", "a measure"),
        "time": TIME,
        "levels": LEVELS,
    },
    required=("client", "therapist", "outcome", "time"),
    effects=lambda entry: ["a1", "a2", "a3", "a4", "a5"],
)
