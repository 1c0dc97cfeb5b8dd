"""Options of the entries of family panel_estimators in the config."""

from __future__ import annotations

from alliance.families.family import Options
from alliance.families.options import model_of

ASKED_OF = ("coupling",)

OPTIONS = Options(
    description="a coupling model by fixed effects, Anderson-Hsiao, between and random effects,"
    " with Hausman's and Mundlak's tests",
    keys={"model": model_of(*ASKED_OF)},
    required=("model",),
    asked_of=ASKED_OF,
)
