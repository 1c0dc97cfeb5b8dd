"""Options of the entries of family specifications in the config."""

from __future__ import annotations

from alliance.families.family import Options
from alliance.families.options import model_of

ASKED_OF = ("coupling",)

OPTIONS = Options(
    description="a coupling model under other means, trends, lags and levels, side by side",
    keys={"model": model_of(*ASKED_OF)},
    required=("model",),
    asked_of=ASKED_OF,
)
