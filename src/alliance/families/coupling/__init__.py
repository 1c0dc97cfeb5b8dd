"""Coupling: one measure at a session and another at the next."""

from alliance.families.coupling.options import OPTIONS
from alliance.families.family import Family

FAMILY = Family(
    name="coupling",
    question="how alliance and symptoms move each other",
    options=OPTIONS,
    fit="alliance.families.coupling.model:coupling_fit",
    verdict="coupling/verdict.html",
    diagnosed=True,
    in_forest=True,
    sections={"coupling": "coupling/section.html"},
    methods_part="Coupling from session to session",
    methods="alliance.families.coupling.words:methods",
    found="alliance.families.coupling.found:found",
    apa_tables={"apa_coupling": "alliance.families.coupling.table:apa_coupling"},
)
