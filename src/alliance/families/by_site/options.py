"""Options of the entries of family by_site in the config."""

from __future__ import annotations

from alliance.families.family import Options
from alliance.families.options import model_of

ASKED_OF = ("growth", "coupling", "hazard", "joint_courses")

OPTIONS = Options(
    description="a model at every site alone, and the sites put together",
    keys={"model": model_of(*ASKED_OF)},
    required=("model",),
    asked_of=ASKED_OF,
)
