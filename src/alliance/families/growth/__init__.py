"""Growth: how an outcome changes over time."""

from alliance.families.family import Family
from alliance.families.growth.options import OPTIONS

FAMILY = Family(
    name="growth",
    question="how alliance and symptoms develop",
    options=OPTIONS,
    fit="alliance.families.growth.model:growth_fit",
    verdict="growth/verdict.html",
    diagnosed=True,
    figures={"growth": "alliance.families.growth.figure:draw"},
    sections={"alliance": "growth/alliance.html", "change": "growth/change.html"},
    methods_part="Course over treatment",
    methods="alliance.families.growth.words:methods",
    found="alliance.families.growth.found:found",
    apa_tables={"apa_growth": "alliance.families.growth.table:apa_growth"},
)
