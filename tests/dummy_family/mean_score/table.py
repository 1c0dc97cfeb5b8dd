"""The means as a table."""

from alliance.tables.layout import Records, Row, Table, cell, heading

COLUMNS = ("model", "estimate", "se")


def mean_score(results):
    """Return a row for each mean."""
    head = [heading("Score", numeric=False), heading("Mean"), heading("SE")]
    table = Table("mean_score", "Means of scores", head, empty="No mean was asked for.")
    table.rows = [
        Row((cell(fit["outcome"]["label"]), cell(entry["estimate"], "decimals:1"),
             cell(entry["se"], "decimals:2")))
        for fit in results.fits if fit["family"].raw == "mean_score"
        for entry in fit["estimates"]
    ]  # fmt: skip
    return table


def mean_score_records(results):
    """Return the same in full precision."""
    rows = [
        {"model": fit["model"].raw} | {key: entry[key].raw for key in ("estimate", "se")}
        for fit in results.fits
        if fit["family"].raw == "mean_score"
        for entry in fit["estimates"]
    ]
    return Records(COLUMNS, rows)
