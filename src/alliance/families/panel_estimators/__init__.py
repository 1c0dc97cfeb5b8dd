"""Panel estimators: a coupling model as econometrics would fit it."""

from alliance.families.family import Family
from alliance.families.panel_estimators.options import OPTIONS

FAMILY = Family(
    name="panel_estimators",
    question="whether it holds for any level of a client",
    options=OPTIONS,
    fit="alliance.families.panel_estimators.model:panel_estimators_fit",
    several_models=True,
    figures={"specifications": "alliance.families.specifications.figure:draw"},
    sections={"robustness": "specifications/section.html"},
    methods_part="The same question asked otherwise",
    methods="alliance.families.panel_estimators.words:methods",
)
