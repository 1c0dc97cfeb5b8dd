"""Specifications: a coupling model under other means, trends and lags."""

from alliance.families.family import Family
from alliance.families.specifications.options import OPTIONS

FAMILY = Family(
    name="specifications",
    question="whether means, trends and lags change the answer",
    options=OPTIONS,
    fit="alliance.families.specifications.model:specifications_fit",
    several_models=True,
    other_choices=True,
    figures={"specifications": "alliance.families.specifications.figure:draw"},
    sections={"robustness": "specifications/section.html"},
    methods_part="The same question asked otherwise",
    methods="alliance.families.specifications.words:methods",
)
