"""The table of growth models for a paper."""

from __future__ import annotations

from alliance.findings.adjusted import adjusted_of
from alliance.findings.results import Results
from alliance.tables.apa.lines import (
    Section,
    count_lines,
    criterion_lines,
    lay_out,
    variance_lines,
)
from alliance.tables.apa.of_families import SINGULAR, effects, fits_in, records_of
from alliance.tables.layout import (
    Italic,
    Table,
)


def apa_growth(results: Results) -> Table:
    """Growth models, one below the other."""
    table = Table(
        "apa_growth",
        "Multilevel Models of the Course Over Treatment",
        [],
        notes=[
            (Italic("b"), ": unstandardised coefficient. Variance components are variances; those "
             "marked ", Italic("r"), " are correlations of effects. " + SINGULAR),
        ],
        empty="No growth model was asked for.",
    )  # fmt: skip
    sections = [
        Section("Fixed effects", effects),
        Section("Variance components", variance_lines),
        Section("Fit", criterion_lines, in_one_row=True),
        Section("Used", count_lines, in_one_row=True),
    ]
    return lay_out(
        table, fits_in(results, table.name), sections, (Italic("b"),), adjusted_of(results)
    )


apa_growth_records = records_of("apa_growth")
