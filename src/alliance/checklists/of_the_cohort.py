"""Conditions on what the report says of people, data, measures and the run itself.

Each looks at the content and returns the places of the report that show it: none where the content
is not there, so that no item is called reported on the strength of an empty table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alliance.checklists.evidence import Evidence
from alliance.checklists.filled import Place
from alliance.checklists.places import PLACES
from alliance.config.score_columns import FIRST_SCORE
from alliance.findings.small_cells import FEWEST_CLIENTS

ENDS = ("completed", "dropout", "transferred", "ongoing")
FOLLOW_UP = "Sessions attended"
# Characteristics that come from sessions and scores, whatever a site tells of its clients.
NO_FACT_OF_CLIENTS = (FOLLOW_UP, "Sessions planned")


def at(holds: object, *anchors: str) -> list[Place]:
    """Return these places of the report if a condition holds."""
    return [Place(anchor, PLACES[anchor]) for anchor in anchors] if holds else []


# ------------------------------------------------------------------------------ people and data


def has_flow(seen: Evidence) -> list[Place]:
    """Clients and sessions were counted."""
    return at(_has_people(seen), "table-flow", "figure-flow")


def has_flow_diagram(seen: Evidence) -> list[Place]:
    """The flow of participants is drawn: there are clients and sessions to draw."""
    return at(_has_people(seen), "figure-flow")


def _has_people(seen: Evidence) -> bool:
    return bool(seen.total.get("clients") and seen.total.get("sessions"))


def has_several_sites(seen: Evidence) -> list[Place]:
    """There is more than one site."""
    return at(seen.total.get("sites", 0) > 1, "table-flow")


def has_ends(seen: Evidence) -> list[Place]:
    """It is known of some clients how treatment ended."""
    return at(any(seen.total.get(end) for end in ENDS), "table-flow")


def has_sample(seen: Evidence) -> list[Place]:
    """At least one characteristic of the clients is printed."""
    return at(any(map(_is_printed, seen.about("sample"))), "table-sample")


def has_client_facts(seen: Evidence) -> list[Place]:
    """A characteristic is printed that sites tell of their clients, such as age."""
    facts = (
        row
        for row in seen.about("sample")
        if row["characteristic"] not in NO_FACT_OF_CLIENTS
        and not row["characteristic"].endswith(FIRST_SCORE)
    )
    return at(any(map(_is_printed, facts)), "table-sample")


def has_first_scores(seen: Evidence) -> list[Place]:
    """Means and standard deviations of first scores are printed."""
    rows = (row for row in seen.about("sample") if row["characteristic"].endswith(FIRST_SCORE))
    return at(any(map(_is_printed, rows)), "table-sample")


def has_follow_up(seen: Evidence) -> list[Place]:
    """The mean number of sessions attended is printed."""
    rows = (row for row in seen.about("sample") if row["characteristic"] == FOLLOW_UP)
    return at(any(map(_is_printed, rows)), "table-sample")


def _is_printed(row: Mapping[str, Any]) -> bool:
    """Say whether the table of the sample prints a number of this row."""
    if row["category"] is not None:
        return bool(row["count"])
    return row["n"] >= FEWEST_CLIENTS and row["mean"] is not None


def has_row_ledger(seen: Evidence) -> list[Place]:
    """Every row that was read is accounted for: kept, blank, or set aside."""
    rows = seen.about("rows")
    adds_up = all(row["read"] == row["kept"] + row["blank"] + row["set_aside"] for row in rows)
    return at(rows and adds_up, "table-rows", "table-problems")


def has_forms_missing(seen: Evidence) -> list[Place]:
    """Missing forms and items are counted by measure."""
    rows = seen.about("missing")
    return at(any(row["forms_percent"] is not None for row in rows), "table-missing")


def has_missing_by_session(seen: Evidence) -> list[Place]:
    """Missing forms are counted session by session."""
    rows = seen.described("measurement", "prorating")
    return at(any(row["session"] != "all" for row in rows), "figure-forms")


# ------------------------------------------------------------------------------ measures


def has_measures(seen: Evidence) -> list[Place]:
    """Every measure has an instrument and a rater."""
    rows = seen.described("measurement", "measures")
    named = all(row["name"] and row["rater"] and row["items"] for row in rows)
    return at(rows and named, "table-instruments")


def has_key_evidence(seen: Evidence) -> list[Place]:
    """It is said where each part of a scoring key was read, or that it was not."""
    return at(seen.described("measurement", "evidence"), "table-evidence")


def has_scoring(seen: Evidence) -> list[Place]:
    """It is said how scores are put together."""
    rows = seen.described("measurement", "scores")
    return at(rows and all(row["rule"] and row["items"] for row in rows), "table-scores")


def has_missing_item_rule(seen: Evidence) -> list[Place]:
    """Every measure has a rule for unanswered items."""
    rows = seen.described("measurement", "measures")
    return at(rows and all(row["unanswered"] for row in rows), "table-instruments")


def has_reliability(seen: Evidence) -> list[Place]:
    """Internal consistency was found for some score."""
    rows = seen.described("measurement", "reliability")
    found = any(row["alpha"] is not None or row["omega"] is not None for row in rows)
    return at(found, "table-reliability")


def has_generalizability(seen: Evidence) -> list[Place]:
    """Reliability of clients' means, or of changes within clients, was found."""
    rows = seen.described("measurement", "coefficients")
    return at(any(row["value"] is not None for row in rows), "table-generalizability")


def has_invariance_over_sites(seen: Evidence) -> list[Place]:
    """Whether the sites measure the same was tested, with an answer."""
    rows = seen.described("measurement", "invariance_steps")
    tested = any(row["over"] == "sites" and row["converged"] for row in rows)
    return at(tested, "table-invariance")


def has_variance_shares(seen: Evidence) -> list[Place]:
    """Intraclass correlations were found."""
    rows = seen.described("measurement", "variance_shares")
    return at(any(row["icc"] is not None for row in rows), "table-variance_shares")


def has_observers(seen: Evidence) -> list[Place]:
    """Observers coded sessions."""
    return at(_observers(seen).get("coders"), "table-coder_agreement")


def has_coder_agreement(seen: Evidence) -> list[Place]:
    """How far observers agree was computed."""
    return at(_observers(seen).get("agreement"), "table-coder_agreement")


def _observers(seen: Evidence) -> Mapping[str, Any]:
    change = seen.results.further.get("change")
    return {} if change is None else change["observers"] or {}


# ------------------------------------------------------------------------------ dropout


def has_definition_of_dropout(seen: Evidence) -> list[Place]:
    """The definition of dropout in use is said in words."""
    rows = seen.described("dropout", "definitions")
    return at(any(row["in_use"] and row["words"] for row in rows), "table-dropout_definitions")


def has_dropout_events(seen: Evidence) -> list[Place]:
    """Dropouts were counted, in all and session by session."""
    rows = seen.described("dropout", "definitions")
    counted = any(row["in_use"] and row["dropouts"] for row in rows)
    by_session = seen.described("dropout", "by_session")
    return at(counted and by_session, "table-dropout_definitions", "table-dropout_by_session")


def has_thirds(seen: Evidence) -> list[Place]:
    """Clients are shown in thirds of early alliance."""
    curves = seen.described("dropout", "incidence")
    return at(any(curve["by"] == "early_alliance" for curve in curves), "figure-leaving")


# ------------------------------------------------------------------------------ the run itself


def has_software(seen: Evidence) -> list[Place]:
    """The program and the packages that computed are named with their versions."""
    return at(seen.run.get("version") and seen.run.get("packages"), "making")


CONDITIONS = (
    has_flow, has_flow_diagram, has_several_sites, has_ends, has_sample, has_client_facts,
    has_first_scores, has_follow_up, has_row_ledger, has_forms_missing, has_missing_by_session,
    has_measures, has_key_evidence, has_scoring, has_missing_item_rule, has_reliability,
    has_generalizability, has_invariance_over_sites, has_variance_shares, has_observers,
    has_coder_agreement, has_definition_of_dropout, has_dropout_events, has_thirds, has_software,
)  # fmt: skip
