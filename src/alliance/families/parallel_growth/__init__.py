"""Parallel growth: two measures that develop together."""

from alliance.families.family import Family
from alliance.families.parallel_growth.options import OPTIONS

FAMILY = Family(
    name="parallel_growth",
    question="whether alliance and symptoms develop together",
    options=OPTIONS,
    fit="alliance.families.parallel_growth.model:parallel_growth_fit",
    diagnosed=True,
    figures={"parallel_growth": "alliance.families.parallel_growth.figure:draw"},
    sections={"change": "parallel_growth/section.html"},
    methods_part="Course over treatment",
    methods="alliance.families.parallel_growth.words:methods",
    found="alliance.families.parallel_growth.found:found",
)
