"""Which sessions of the panel each model could not use, by reason."""

from __future__ import annotations

from alliance.families.facts import Reason
from alliance.findings.fields import Field
from alliance.findings.results import Results
from alliance.tables.layout import Cell, Part, Records, Row, Table, cell, heading

# A reason as the head of a column; the model's own words for it stand in its article.
HEADINGS = {
    Reason.NO_SCORE: "No score",
    Reason.NO_NEXT_SCORE: "No score at the next session",
    Reason.TIME_NOT_KNOWN: "Time not known",
    Reason.COLUMN_NOT_KNOWN: "Covariate not known",
    Reason.THERAPIST_NOT_KNOWN: "Therapist not known",
    Reason.NOT_RATED_BY_BOTH: "Not rated by both",
    Reason.NO_LATER_JOINT_RATING: "No later rating by both",
    Reason.STILL_IN_TREATMENT: "Still in treatment",
    Reason.END_NOT_KNOWN: "End not known",
    Reason.NOT_THE_FIRST_SCORE: "Not the first score",
    Reason.SITE_NOT_FITTED: "Site not fitted",
    Reason.MODEL_NOT_FITTED: "Model not fitted",
}


def unused(results: Results) -> Table:
    """Return a line a model: the sessions used, and a column for each reason that occurs."""
    given = {entry["reason"]["code"].raw for fit in results.fits for entry in _left_out(fit)}
    reasons = [reason for reason in HEADINGS if reason in given]
    table = Table(
        "unused",
        "Sessions that each model used, and could not use, by reason",
        [
            heading("Model", numeric=False),
            heading("Used"),
            heading("Of"),
            *(heading(HEADINGS[reason]) for reason in reasons),
        ],
        notes=[
            "Where a cell has a sum, its parts are of different measures, in the model’s order."
        ],
        empty="No model was asked for.",
        wide=True,
    )
    for fit in results.fits:
        title = Part(fit["title"], href=f"model-{fit['model'].raw}")
        used = (cell(fit["data"][key], "count") for key in ("rows_used", "rows_in_panel"))
        counts = (_counts(fit, reason) for reason in reasons)
        table.rows.append(Row((Cell((title,)), *used, *counts)))
    return table


def _left_out(fit: Field) -> Field:
    return fit["data"]["left_out"]


def _counts(fit: Field, reason: Reason) -> Cell:
    """Return the rows left out for a reason, one summand an entry."""
    entries = [entry for entry in _left_out(fit) if entry["reason"]["code"].raw == reason]
    return Cell(
        tuple(Part(e["rows"], "count", before=" + " if k else "") for k, e in enumerate(entries))
    )


def unused_records(results: Results) -> Records:
    """Return a row for each model and reason, in the model's own words."""
    columns = ("model", "rows_in_panel", "rows_used", "reason", "words", "rows")
    rows = [
        {
            "model": fit["model"].raw,
            "rows_in_panel": fit["data"]["rows_in_panel"].raw,
            "rows_used": fit["data"]["rows_used"].raw,
            "reason": entry["reason"]["code"].raw,
            "words": entry["reason"]["text"].raw,
            "rows": entry["rows"].raw,
        }
        for fit in results.fits
        for entry in _left_out(fit)
    ]
    return Records(columns, rows)
