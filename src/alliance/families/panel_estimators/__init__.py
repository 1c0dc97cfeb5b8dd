"""Panel estimators: a coupling model as econometrics and structural models would fit it."""

from alliance.families.family import Family
from alliance.families.panel_estimators.options import OPTIONS

FAMILY = Family(
    name="panel_estimators",
    question="whether it holds for any level of a client",
    options=OPTIONS,
    fit="alliance.families.panel_estimators.model:panel_estimators_fit",
    several_models=True,
    figures={"panel_estimators": "alliance.families.panel_estimators.figure:draw"},
    tables={"panel_estimators": "alliance.families.panel_estimators.table:panel_estimators"},
    sections={"robustness": "panel_estimators/section.html"},
    methods_part="The same question asked otherwise",
    methods="alliance.families.panel_estimators.words:methods",
)
