"""Missing not at random: a growth model under other assumptions about scores after leaving."""

from alliance.families.family import Family
from alliance.families.missing_not_at_random.options import OPTIONS

FAMILY = Family(
    name="missing_not_at_random",
    question="how much a mean change rests on what is assumed of the scores after leaving",
    options=OPTIONS,
    fit="alliance.families.missing_not_at_random.model:missing_not_at_random_fit",
    several_models=True,
    figures={"missing_not_at_random": "alliance.families.missing_not_at_random.figure:draw"},
    sections={"dropout": "missing_not_at_random/section.html"},
    methods_part="Dropout",
    methods="alliance.families.missing_not_at_random.words:methods",
    found="alliance.families.missing_not_at_random.found:found",
)
