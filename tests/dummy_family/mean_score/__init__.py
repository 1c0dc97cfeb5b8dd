"""A family for the tests: the mean of a score, each client counted once."""

from alliance.families.family import Family
from alliance.families.mean_score.options import OPTIONS

FAMILY = Family(
    name="mean_score",
    question="how high a score is on average",
    options=OPTIONS,
    fit="alliance.families.mean_score.model:mean_score_fit",
    figures={"mean_score": "alliance.families.mean_score.figure:draw"},
    tables={"mean_score": "alliance.families.mean_score.table:mean_score"},
    sections={"change": "mean_score/section.html"},
    methods_part="Average scores",
    methods="alliance.families.mean_score.words:methods",
)
