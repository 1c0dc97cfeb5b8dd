"""Table of the panel estimators: the effect by each, and what each takes for granted."""

from __future__ import annotations

from alliance.findings.fields import Field
from alliance.findings.formats import decimals_for
from alliance.findings.results import Results
from alliance.tables.layout import Cell, Records, Row, Table, cell, heading, interval, words
from alliance.tables.models import head

COLUMNS = ("level", "estimate", "se", "df", "p", "ci_low", "ci_high")


def panel_estimators(results: Results) -> Table:
    """One row an estimator."""
    table = Table(
        "panel_estimators",
        "One effect by every panel estimator",
        [
            heading("Estimator", numeric=False),
            heading("Effect"),
            heading("Interval"),
            heading("p"),
            heading("Takes for granted", numeric=False),
        ],
        notes=["Points of the outcome at the next session for one point of the predictor now."],
        empty="No coupling model was asked by panel estimators.",
        wide=True,
    )
    for fit in results.fits:
        if fit["family"].raw == "panel_estimators":
            table.rows.append(head(fit))
            table.rows += [_row(entry) for entry in fit["estimates"]]
    return table


def _row(entry: Field) -> Row:
    rounding = decimals_for(*(entry[part].raw for part in ("se", "estimate", "ci_low", "ci_high")))
    assumes = entry["assumes"]
    return Row(
        (
            cell(entry["estimator"]["text"]),
            cell(entry["estimate"], rounding),
            Cell(interval(entry["ci_low"], entry["ci_high"], rounding)),
            cell(entry["p"], "p-cell"),
            words("") if assumes.raw is None else cell(assumes["text"]),
        )
    )


def panel_estimators_records(results: Results) -> Records:
    """The same with every digit and with codes."""
    rows = [
        {
            "model": fit["model"].raw,
            "estimator": entry.raw["estimator"]["code"],
            **{key: entry.raw[key] for key in COLUMNS},
            "assumes": (entry.raw["assumes"] or {"code": ""})["code"],
        }
        for fit in results.fits
        if fit["family"].raw == "panel_estimators"
        for entry in fit["estimates"]
    ]
    return Records(("model", "estimator", *COLUMNS, "assumes"), rows)
