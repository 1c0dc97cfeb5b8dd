"""Options of the entries of family missing_not_at_random in the config."""

from __future__ import annotations

from alliance.families.family import Options
from alliance.families.options import model_of

ASKED_OF = ("growth",)
IMPUTATIONS = 50

OPTIONS = Options(
    description="a growth model under other assumptions about the scores after leaving: pattern"
    " mixture, imputation that takes leavers to be worse off or like the reference group, weights",
    keys={
        "model": model_of(*ASKED_OF),
        "sessions": {
            "type": "integer",
            "minimum": 2,
            "description": "session up to which courses that broke off are imputed (default: the"
            " median number of sessions of clients who did not drop out)",
        },
        "deltas": {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {"type": "number"},
            "description": "by how many points a client's score is taken to fall short of (or"
            " exceed) what missing at random makes it, more at each session after leaving"
            " (default: 0.1, 0.25, 0.5 and 1 residual standard deviation either way)",
        },
        "imputations": {
            "type": "integer",
            "minimum": 5,
            "maximum": 1000,
            "default": IMPUTATIONS,
            "description": "number of imputations",
        },
    },
    required=("model",),
    asked_of=ASKED_OF,
    takes_seed=True,
)
