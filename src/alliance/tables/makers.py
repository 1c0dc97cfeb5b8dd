"""Which module makes which table."""

from __future__ import annotations

from collections.abc import Callable

from alliance.families import registry
from alliance.families.family import load
from alliance.findings.results import Results
from alliance.tables import (
    change,
    checklists,
    cohort,
    diagnostics,
    dropout,
    invariance,
    keys,
    models,
    reliability,
    ruptures,
    unused,
)
from alliance.tables.apa import cohort as apa_cohort
from alliance.tables.apa import measures as apa_measures
from alliance.tables.layout import Records, Table

Maker = tuple[Callable[[Results], Table], Callable[[Results], Records]]

_MAKERS: dict[str, Maker] = {
    "sample": (cohort.sample, cohort.sample_records),
    "flow": (cohort.flow, cohort.flow_records),
    "missing": (cohort.missing, cohort.missing_records),
    **{
        name: (getattr(module, name), getattr(module, f"{name}_records"))
        for module, names in (
            (keys, ("instruments", "evidence", "scores", "prorating", "items")),
            (reliability, ("reliability", "generalizability", "decision", "variance_shares")),
            (invariance, ("invariance",)),
        )
        for name in names
    },
    "rows": (cohort.rows, cohort.rows_records),
    "problems": (cohort.problems, cohort.problems_records),
    "unused": (unused.unused, unused.unused_records),
    "dropout_definitions": (dropout.definitions, dropout.definitions_records),
    "dropout_by_session": (dropout.by_session, dropout.by_session_records),
    "fixed_effects": (models.fixed_effects, models.fixed_effects_records),
    "variance_components": (models.variance_components, models.variance_components_records),
    "convergence": (models.convergence, models.convergence_records),
    "residuals": (diagnostics.residuals, diagnostics.residuals_records),
    "influence": (diagnostics.influence, diagnostics.influence_records),
    "tests": (models.tests, models.tests_records),
    "change_classes": (change.change_classes, change.change_classes_records),
    "change_by_site": (change.change_by_site, change.change_by_site_records),
    "sudden_changes": (change.sudden_changes, change.sudden_changes_records),
    "rupture_rules": (ruptures.rupture_rules, ruptures.rupture_rules_records),
    "rule_agreement": (ruptures.rule_agreement, ruptures.rule_agreement_records),
    "coder_agreement": (ruptures.coder_agreement, ruptures.coder_agreement_records),
    "after_events": (ruptures.after_events, ruptures.after_events_records),
    "checklists": (checklists.checklists, checklists.checklists_records),
    **{
        f"checklist_{name}": checklists.makers_of(name)
        for name in ("strobe", "jars_quant", "level", "prisma_ipd")
    },
    "apa_sample": (apa_cohort.apa_sample, apa_cohort.apa_sample_records),
    **{
        f"apa_{name}": (
            getattr(apa_measures, f"apa_{name}"),
            getattr(apa_measures, f"apa_{name}_records"),
        )
        for name in ("reliability", "correlations")
    },
}


def maker_of(name: str) -> Maker:
    """Return what makes a table: for people, and for machines."""
    if name in _MAKERS:
        return _MAKERS[name]
    reference = (registry.named("tables") | registry.named("apa_tables"))[name]
    return load(reference), load(f"{reference}_records")
