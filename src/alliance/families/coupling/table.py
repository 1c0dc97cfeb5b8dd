"""The table of coupling models for a paper."""

from __future__ import annotations

from alliance.findings.adjusted import adjusted_of
from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.tables.apa.lines import (
    Line,
    Section,
    count_lines,
    criterion_lines,
    lay_out,
    variance_lines,
    with_interval,
)
from alliance.tables.apa.of_families import SINGULAR, fits_in, records_of
from alliance.tables.layout import (
    Italic,
    Table,
    cell,
)


def _coupling_effects(fit: Field, role: str) -> list[Line]:
    return [
        Line(cell(entry["label"]), with_interval(entry), entry)
        for entry in fit["estimates"]
        if entry["role"].raw == role
    ]


def apa_coupling(results: Results) -> Table:
    """Both directions of the coupling."""
    table = Table(
        "apa_coupling",
        "Coupling of Session Scores With the Next Session, Within and Between Clients",
        [],
        notes=[
            (Italic("b"), ": points of the outcome at the next session for one point of the "
             "predictor at this one. Within client: against the client's own mean; between: of "
             "the clients' means. Variance components are variances. " + SINGULAR),
        ],
        empty="No coupling of two measures was asked for.",
    )  # fmt: skip
    sections = [
        Section("Effects of interest", lambda fit: _coupling_effects(fit, "main")),
        Section("Adjustment", lambda fit: _coupling_effects(fit, "adjustment")),
        Section("Variance components", variance_lines),
        Section("Fit", criterion_lines, in_one_row=True),
        Section("Used", count_lines, in_one_row=True),
    ]
    return lay_out(
        table, fits_in(results, table.name), sections, (Italic("b"),), adjusted_of(results)
    )


apa_coupling_records = records_of("apa_coupling")
