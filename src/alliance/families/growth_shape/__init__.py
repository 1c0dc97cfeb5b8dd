"""Growth shape: which of several courses over time an outcome has."""

from alliance.families.family import Family
from alliance.families.growth_shape.options import OPTIONS

FAMILY = Family(
    name="growth_shape",
    question="which shape the courses have",
    options=OPTIONS,
    fit="alliance.families.growth_shape.model:growth_shape_fit",
    diagnosed=True,
    figures={"growth_shape": "alliance.families.growth_shape.figure:draw"},
    tables={"growth_shape": "alliance.families.growth_shape.table:growth_shape"},
    sections={"change": "growth_shape/section.html"},
    methods_part="Course over treatment",
    methods="alliance.families.growth_shape.words:methods",
    found="alliance.families.growth_shape.found:found",
    apa_tables={"apa_growth": "alliance.families.growth.table:apa_growth"},
)
