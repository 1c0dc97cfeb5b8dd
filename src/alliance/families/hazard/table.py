"""The table of models of dropout for a paper."""

from __future__ import annotations

from alliance.findings.adjusted import adjusted_of
from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.tables.apa.lines import (
    Line,
    Section,
    count_lines,
    lay_out,
    variance_lines,
    with_interval,
)
from alliance.tables.apa.of_families import SINGULAR, fits_in, records_of
from alliance.tables.layout import (
    Table,
    cell,
)


def _ratios(fit: Field) -> list[Line]:
    """Return odds or hazard ratios; what has none (the intercept) is left out."""
    return [
        Line(cell(entry["label"]), with_interval(entry, ratio=True), entry)
        for entry in fit["estimates"]
        if entry["ratio"].raw is not None
    ]


def apa_hazard(results: Results) -> Table:
    """Hazard models of dropout: odds or hazard ratios, numbers of sessions and events."""
    table = Table(
        "apa_hazard",
        "Models of Dropout: Odds and Hazard Ratios",
        [],
        notes=[
            "Ratio: odds ratio of models by session, hazard ratio of those in continuous time, the "
            "exponential of the coefficient; intercepts are left out. Variance components are on "
            "the scale of the logarithm. " + SINGULAR,
        ],
        empty="No model of dropout was asked for.",
    )
    sections = [
        Section("Ratios", _ratios),
        Section("Variance components", variance_lines),
        Section("Used", count_lines, in_one_row=True),
    ]
    return lay_out(table, fits_in(results, table.name), sections, ("Ratio",), adjusted_of(results))


apa_hazard_records = records_of("apa_hazard")
