"""Course and leaving: a measure's course and who leaves, in one model."""

from alliance.families.course_and_leaving.options import OPTIONS
from alliance.families.family import Family

FAMILY = Family(
    name="course_and_leaving",
    question="whether leaving goes with the course itself, and what that does to the course",
    options=OPTIONS,
    fit="alliance.families.course_and_leaving.model:course_and_leaving_fit",
    figures={"course_and_leaving": "alliance.families.course_and_leaving.figure:draw"},
    sections={"dropout": "course_and_leaving/section.html"},
    methods_part="Dropout",
    methods="alliance.families.course_and_leaving.words:methods",
    found="alliance.families.course_and_leaving.found:found",
    apa_tables={"apa_hazard": "alliance.families.hazard.table:apa_hazard"},
)
