"""Joint courses: how two measures act on each other from session to session."""

from alliance.families.family import Family
from alliance.families.joint_courses.options import OPTIONS

FAMILY = Family(
    name="joint_courses",
    question="how alliance and symptoms act on each other, beside their courses",
    options=OPTIONS,
    fit="alliance.families.joint_courses.model:joint_courses_fit",
    verdict="joint_courses/verdict.html",
    leads_before=("coupling",),
    diagnosed=True,
    figures={
        "joint_courses_paths": "alliance.families.joint_courses.paths_figure:draw",
        "joint_courses": "alliance.families.joint_courses.figure:draw",
    },
    sections={"coupling": "joint_courses/section.html"},
    methods_part="Coupling from session to session",
    methods="alliance.families.joint_courses.words:methods",
    found="alliance.families.joint_courses.found:found",
)
