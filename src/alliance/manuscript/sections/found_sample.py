"""What was found of the sample: how many were analysed, their first scores, what is missing."""

from __future__ import annotations

from alliance.config.score_columns import FIRST_SCORE
from alliance.findings.fields import Field
from alliance.findings.small_cells import FEWEST_CLIENTS
from alliance.manuscript.blocks import Block, Words
from alliance.manuscript.material import Material, is_there
from alliance.manuscript.prose import (
    counted,
    heading,
    interval,
    joined,
    listed,
    paragraphs,
    say,
    symbol,
    text,
)

SIMULATED = "The data are simulated: none of this is about real clients. "


def found_sample(material: Material) -> list[Block]:
    """Return the section on the sample; it says so where the cohort has nobody."""
    total = material.total()
    if total is None or not total["clients"].raw:
        return [*paragraphs(("The cohort has no client.",))]
    drawn = SIMULATED if material.results.about["simulated"].raw else ""
    texts = (
        say(drawn, _analysed(total), _left(total)),
        say(_first_scores(material), _missing(material)),
    )
    return [heading("Sample"), *paragraphs(*texts)]


def _analysed(total: Field) -> Words:
    groups = [counted(total["clients"], "client", "clients")]
    if total["therapists"].raw:
        groups.append(counted(total["therapists"], "therapist", "therapists"))
    groups.append(counted(total["sites"], "site", "sites"))
    sessions = counted(total["sessions"], "attended session", "attended sessions")
    return say("Data of ", listed(groups), " were analysed, ", sessions, " in all.")


def _left(total: Field) -> Words:
    if not is_there(total, "dropout_share") or not total["dropout"].raw:
        return ()
    ends = (total["dropout_share_low"], total["dropout_share_high"])
    return say(" Of the clients whose treatment has ended, ", text(total["dropout"], "count"),
               " dropped out (", text(total["dropout_share"], "percent:1"),
               interval(*ends, "percent:1"), ").")  # fmt: skip


def _first_scores(material: Material) -> Words:
    """Return mean and SD of the first scores of each measure."""
    rows = [
        row
        for row in material.results.about["sample"].where(site="all")
        if str(row["characteristic"].raw).endswith(FIRST_SCORE)
        and is_there(row, "mean", "sd")
        and row["n"].raw >= FEWEST_CLIENTS
    ]
    each = [
        say(text(row["characteristic"], "head"), ", ", symbol("M", row["mean"], "decimals:2"),
            " (", symbol("SD", row["sd"], "decimals:2"), ", ", symbol("n", row["n"]), ")")
        for row in rows
    ]  # fmt: skip
    return say("First scores: ", joined(each), ". ") if each else ()


def _missing(material: Material) -> Words:
    about = material.results.about
    labels = {measure["name"].raw: measure["label"] for measure in about["measures"]}
    each = [
        say(text(labels[row["measure"].raw]), " after ", text(row["forms_percent"], "percent:1"))
        for row in about["missing"].where(site="all")
        if is_there(row, "forms_percent") and row["measure"].raw in labels
    ]
    return say("Forms are on record of ", listed(each), " of the sessions.") if each else ()
