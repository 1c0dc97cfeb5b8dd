"""Actor and partner effects: whose view follows whose."""

from alliance.families.actor_partner.options import OPTIONS
from alliance.families.family import Family

FAMILY = Family(
    name="actor_partner",
    question="whose view follows whose",
    options=OPTIONS,
    fit="alliance.families.actor_partner.model:actor_partner_fit",
    diagnosed=True,
    sections={"alliance": "common/two_views_section.html"},
    methods_part="Two views of the alliance",
    methods="alliance.families.actor_partner.words:methods",
    found="alliance.families.actor_partner.found:found",
)
