"""Therapists: how much of outcome, change, alliance and dropout lies between them, and why."""

from alliance.families.family import Family
from alliance.families.therapists.options import OPTIONS

FAMILY = Family(
    name="therapists",
    question="how much therapists differ, and whether their alliance tells it",
    options=OPTIONS,
    fit="alliance.families.therapists.model:therapists_fit",
    several_models=True,
    figures={"therapists": "alliance.families.therapists.figure:draw"},
    tables={"therapists": "alliance.families.therapists.table:therapists"},
    sections={"coupling": "therapists/section.html"},
    methods_part="Therapists",
    methods="alliance.families.therapists.words:methods",
    found="alliance.families.therapists.found:found",
)
