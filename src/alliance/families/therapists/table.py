"""Table of the shares of therapists."""

from __future__ import annotations

from alliance.families.facts import Estimator, Tested
from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.tables.layout import Cell, Records, Row, Table, cell, heading, interval, words
from alliance.tables.models import head

SHARES = (
    Estimator.THERAPIST_SHARE,
    Estimator.THERAPIST_SHARE_ADJUSTED,
    Estimator.THERAPIST_SHARE_ENOUGH_CLIENTS,
)
OF_SHARE = ("label", "estimate", "ci_low", "ci_high")
OF_TEST = ("statistic", "df", "p")


def therapists(results: Results) -> Table:
    """One row a share."""
    table = Table(
        "therapists",
        "What lies between therapists",
        [
            heading("Of what", numeric=False),
            heading("Estimate", numeric=False),
            heading("Share"),
            heading("Interval"),
            heading("Likelihood ratio"),
            heading("df"),
            heading("p"),
        ],
        notes=[
            "Share of therapists in the variance between clients that the fixed part leaves "
            "(intraclass correlation); of dropout on the scale behind the logit. Adjusted: for the "
            "first score of the outcome and the case mix; slopes for the case mix alone.",
            "The test is that of a variance at its boundary of zero: chi-squared with the degrees "
            "of freedom shown and with one less, half and half.",
        ],
        empty="Nothing was asked of therapists.",
    )
    for fit in results.fits:
        if fit["family"].raw == "therapists":
            table.rows.append(head(fit))
            table.rows += [_row(*both) for both in _shares(fit)]
    return table


def _shares(fit: Field) -> list[tuple[Field, Field]]:
    """Return each share with its test: the fit has both in one order."""
    entries = [*fit["estimates"], *fit["companions"]]
    shares = [entry for entry in entries if entry["estimator"]["code"].raw in SHARES]
    return list(zip(shares, fit["tests"].where(code=Tested.SHARE_OF_THERAPISTS), strict=True))


def _row(entry: Field, test: Field) -> Row:
    known = entry["ci_low"].raw is not None and entry["ci_high"].raw is not None
    ends = interval(entry["ci_low"], entry["ci_high"], "share:1") if known else ()
    return Row(
        (
            cell(entry["label"]),
            cell(entry["estimator"]["text"]),
            cell(entry["estimate"], "share:1"),
            Cell(ends) if known else words("–"),
            cell(test["statistic"], "decimals:2"),
            cell(test["df"], "df"),
            cell(test["p"], "p-cell"),
        )
    )


def therapists_records(results: Results) -> Records:
    """The same with every digit and with codes."""
    rows = [
        {
            "model": fit["model"].raw,
            "term": entry.raw["term"],
            "estimator": entry.raw["estimator"]["code"],
            **{key: entry.raw[key] for key in OF_SHARE},
            **{key: test.raw[key] for key in OF_TEST},
        }
        for fit in results.fits
        if fit["family"].raw == "therapists"
        for entry, test in _shares(fit)
    ]
    return Records(("model", "term", "estimator", *OF_SHARE, *OF_TEST), rows)
