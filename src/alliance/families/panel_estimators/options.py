"""Options of the entries of family panel_estimators in the config."""

from __future__ import annotations

from alliance.families.family import Options
from alliance.families.options import model_of

ASKED_OF = ("coupling",)

OPTIONS = Options(
    description="a coupling model by estimators that assume no distribution of clients' levels:"
    " fixed effects and their jackknife, Anderson-Hsiao, difference and system GMM, dynamic panel"
    " model, random-intercept cross-lagged panel model, between and random effects",
    keys={
        "model": model_of(*ASKED_OF),
        "most_sessions": {
            "type": "integer",
            "minimum": 3,
            "maximum": 20,
            "default": 8,
            "description": "the dynamic panel and the random-intercept model use the first so many"
            " sessions; more take longer and need more clients",
        },
    },
    required=("model",),
    asked_of=ASKED_OF,
)
