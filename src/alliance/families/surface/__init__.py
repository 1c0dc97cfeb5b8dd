"""Response surface: an outcome over two views of the alliance."""

from alliance.families.family import Family
from alliance.families.surface.options import OPTIONS

FAMILY = Family(
    name="surface",
    question="whether their agreement matters for the outcome",
    options=OPTIONS,
    fit="alliance.families.surface.model:surface_fit",
    diagnosed=True,
    figures={"two_views": "alliance.families.common.two_views_figure:draw"},
    sections={"alliance": "common/two_views_section.html"},
    methods_part="Two views of the alliance",
    methods="alliance.families.surface.words:methods",
    found="alliance.families.surface.found:found",
)
