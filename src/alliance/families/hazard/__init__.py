"""Hazard: who leaves treatment early, session by session."""

from alliance.families.family import Family
from alliance.families.hazard.options import OPTIONS

FAMILY = Family(
    name="hazard",
    question="who leaves, and when",
    options=OPTIONS,
    fit="alliance.families.hazard.model:hazard_fit",
    verdict="hazard/verdict.html",
    diagnosed=True,
    in_forest=True,
    figures={
        "hazard": "alliance.families.hazard.figure:draw",
        "hazard_prediction": "alliance.families.hazard.prediction_figure:draw",
    },
    sections={"dropout": "hazard/section.html"},
    methods_part="Dropout",
    methods="alliance.families.hazard.words:methods",
    found="alliance.families.hazard.found:found",
    apa_tables={"apa_hazard": "alliance.families.hazard.table:apa_hazard"},
)
