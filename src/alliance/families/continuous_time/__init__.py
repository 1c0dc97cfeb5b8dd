"""Continuous time: when clients leave."""

from alliance.families.continuous_time.options import OPTIONS
from alliance.families.family import Family

FAMILY = Family(
    name="continuous_time",
    question="when clients leave, in continuous time",
    options=OPTIONS,
    fit="alliance.families.continuous_time.model:continuous_time_fit",
    sections={"dropout": "continuous_time/section.html"},
    methods_part="Dropout",
    methods="alliance.families.continuous_time.words:methods",
    found="alliance.families.continuous_time.found:found",
    apa_tables={"apa_hazard": "alliance.families.hazard.table:apa_hazard"},
)
