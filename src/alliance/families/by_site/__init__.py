"""By site: a model at every site alone, and the sites put together."""

from alliance.families.by_site.options import OPTIONS
from alliance.families.family import Family

FAMILY = Family(
    name="by_site",
    question="whether it holds at every site",
    options=OPTIONS,
    fit="alliance.families.by_site.model:by_site_fit",
    several_models=True,
    figures={"by_site": "alliance.families.by_site.figure:draw"},
    sections={"sites": "by_site/section.html"},
    methods_part="Sites put together",
    methods="alliance.families.by_site.words:methods",
    found="alliance.families.by_site.found:found",
    apa_tables={"apa_by_site": "alliance.families.by_site.table:apa_by_site"},
)
