"""Agreement: two views of the same sessions."""

from alliance.families.agreement.options import OPTIONS
from alliance.families.family import Family

FAMILY = Family(
    name="agreement",
    question="whether client and therapist see the same alliance",
    options=OPTIONS,
    fit="alliance.families.agreement.model:agreement_fit",
    diagnosed=True,
    figures={"two_views": "alliance.families.common.two_views_figure:draw"},
    sections={"alliance": "common/two_views_section.html"},
    methods_part="Two views of the alliance",
    methods="alliance.families.agreement.words:methods",
    found="alliance.families.agreement.found:found",
)
