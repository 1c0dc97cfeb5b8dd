"""What the tables of families of models have in common: whose models, their effects, records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alliance.families.registry import families
from alliance.findings.fields import Field
from alliance.findings.marks import short_mark_of
from alliance.findings.results import Results
from alliance.tables.apa.lines import (
    Line,
    with_interval,
)
from alliance.tables.layout import (
    Records,
    cell,
)

SINGULAR = (
    "A singular model has a variance component at the boundary of what is possible; a model that "
    "did not converge or was not fitted has no numbers here."
)

ESTIMATE = ("estimate", "se", "df", "statistic", "p", "ci_low", "ci_high", "ratio", "ratio_low",
            "ratio_high")  # fmt: skip

COLUMNS = ("model", "status", "mark", "kind", "level", "term", "label", "estimator", *ESTIMATE)


def fits_in(results: Results, table: str) -> list[Field]:
    """Return the fits of the families that declare the table as one of theirs."""
    names = [name for name, family in families().items() if table in family.apa_tables]
    return [fit for fit in results.fits if fit["family"].raw in names]


def effects(fit: Field) -> list[Line]:
    """Return the fixed effects, the intercept first."""
    entries = sorted(fit["estimates"], key=lambda entry: entry["level"].raw != "intercept")
    return [Line(cell(entry["label"]), with_interval(entry), entry) for entry in entries]


def records_of(table: str) -> Callable[[Results], Records]:
    """Return a maker of all that is known of the models in a table, one row a number.

    `kind` tells estimates from checks, variance components (`estimate` is the variance or
    covariance), fit statistics and numbers of groups.
    """

    def records(results: Results) -> Records:
        rows = [row for fit in fits_in(results, table) for row in _rows_of(fit)]
        return Records(COLUMNS, rows)

    return records


def _rows_of(fit: Field) -> list[dict[str, Any]]:
    raw = fit.raw
    first = dict.fromkeys(COLUMNS) | {
        "model": raw["model"],
        "status": raw["status"],
        "mark": short_mark_of(raw),
    }
    rows = []
    for kind, key in (("estimate", "estimates"), ("check", "companions")):
        for entry in raw[key]:
            named = {name: entry[name] for name in ("level", "term", "label")}
            named["estimator"] = entry["estimator"]["text"]
            numbers = {name: entry[name] for name in ESTIMATE}
            rows.append(first | {"kind": kind} | named | numbers)
    for part in raw["variance_components"]:
        one, two = part["name_1"], part["name_2"]
        named = {"level": part["level"], "term": one if one == two else f"{one} with {two}"}
        value = {"estimate": part["variance_or_covariance"]}
        rows.append(first | {"kind": "variance component"} | named | value)
    for name, number in raw["fit_statistics"].items():
        rows.append(first | {"kind": "fit statistic", "term": name, "estimate": number})
    for group in raw["data"]["groups"]:
        rows.append(first | {"kind": "groups", "level": group["level"], "estimate": group["n"]})
    return rows
