"""Options of the entries of family mean_score in the config."""

from alliance.families.family import Options
from alliance.families.options import OUTCOME

OPTIONS = Options(
    description="the mean of a score over clients",
    keys={
        "outcome": OUTCOME,
        "sessions": {
            "enum": ["first", "last"],
            "default": "first",
            "description": "which session of a client counts",
        },
    },
    required=("outcome",),
)
