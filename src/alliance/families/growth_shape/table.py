"""Table of the growth ladders: every step, whichever was chosen."""

from __future__ import annotations

from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.tables.layout import Cell, Part, Records, Row, Table, cell, heading, words
from alliance.tables.models import head

COLUMNS = (
    "name", "label", "status", "chosen", "n_parameters", "log_likelihood", "aic", "bic_rows",
    "bic_clients", "against", "statistic", "df", "p", "p_kind", "r2_marginal", "r2_conditional",
    "knot", "phi", "terms",
)  # fmt: skip


def growth_shape(results: Results) -> Table:
    """Every step of every ladder with its criteria and its test against a smaller step."""
    table = Table(
        "growth_shape",
        "Steps of the growth ladders",
        [
            heading("Step", numeric=False),
            heading("Parameters"),
            heading("Log-likelihood"),
            heading("AIC"),
            heading("BIC, sessions"),
            heading("BIC, clients"),
            heading("LR (df)"),
            heading("p"),
            heading("Explained by fixed effects"),
            heading("Explained with random effects"),
            heading("Knot"),
            heading("Autocorrelation"),
        ],
        notes=[
            "Maximum likelihood, all steps of a ladder on the same sessions. The chosen step is "
            "marked; the rule was fixed in the configuration.",
            "LR: likelihood ratio against the smaller step that it contains; where a variance is "
            "tested, p comes from the mixture that holds at the boundary.",
            "A knot that was looked for counts as a parameter and has no such test.",
        ],
        empty="No growth ladder was asked for.",
        wide=True,
    )
    for fit in results.fits:
        if fit["family"].raw != "growth_shape":
            continue
        table.rows.append(head(fit))
        table.rows += [_row(step) for step in fit["steps"]]
    return table


def _row(step: Field) -> Row:
    name = [Part(step["label"], before="✓ " if step["chosen"].raw else "")]
    if step["status"].raw != "converged":
        name.append(Part(step["status"], "status", before=" — "))
    test = Cell()
    if step["statistic"].raw is not None:
        df = Part(step["df"], "df", before=" (", after=")")
        test = Cell((Part(step["statistic"], "decimals:2"), df))
    criteria = ("log_likelihood", "aic", "bic_rows", "bic_clients")
    return Row(
        (
            Cell(tuple(name)),
            _number(step["n_parameters"], "count"),
            *(_number(step[key], "decimals:1") for key in criteria),
            test,
            _number(step["p"], "p-cell", ""),
            *(_number(step[key], "decimals:2") for key in ("r2_marginal", "r2_conditional")),
            _number(step["knot"], "decimals:0", ""),
            _number(step["phi"], "correlation", ""),
        ),
        faint=step["status"].raw in ("failed", "refused"),
    )


def _number(field: Field, format: str, blank: str = "–") -> Cell:
    return words(blank) if field.raw is None else cell(field, format)


def growth_shape_records(results: Results) -> Records:
    """The same with every digit."""
    rows = [
        {"model": fit["model"].raw, **{key: step.raw[key] for key in COLUMNS}}
        for fit in results.fits
        for step in fit["steps"]
    ]
    return Records(("model", *COLUMNS), rows)
