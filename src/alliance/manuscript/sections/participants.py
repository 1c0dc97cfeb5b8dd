"""Who took part, and what was set aside before anything was computed."""

from __future__ import annotations

from itertools import pairwise

from alliance.config.score_columns import FIRST_SCORE
from alliance.findings.fields import Field
from alliance.findings.small_cells import FEWEST_CLIENTS
from alliance.manuscript.blocks import Block, Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import (
    counted,
    heading,
    joined,
    listed,
    paragraphs,
    say,
    symbol,
    text,
)
from alliance.manuscript.sections.authors import of_the_study

MOST_SITES = 12  # more are not listed one by one
UNITS = {"clients": "rows of clients", "sessions": "rows of sessions", "responses": "answers"}


def participants(material: Material) -> list[Block]:
    """Return the section on participants and sites."""
    blocks: list[Block] = [heading("Participants and sites")]
    if material.results.about["simulated"].raw:
        blocks += paragraphs(
            say("The data are simulated: no person took part, and the results say nothing about "
                "psychotherapy.")
        )  # fmt: skip
    total = material.total()
    if total is None or not total["clients"].raw:
        return blocks + paragraphs(("The cohort has no client.",))
    return (
        blocks
        + paragraphs(
            say(_sample(total), " ", _levels(total), " ", _by_site(material)),
            say(_characteristics(material), " ", _ends(total)),
        )
        + of_the_study(total)
    )


def _sample(total: Field) -> Words:
    therapists = (
        say(" of ", counted(total["therapists"], "therapist", "therapists"))
        if total["therapists"].raw
        else ()
    )
    words = say(
        "The sample comprised ",
        counted(total["clients"], "client", "clients"),
        therapists,
        " at ",
        counted(total["sites"], "site", "sites"),
        ", with ",
        counted(total["sessions"], "attended session", "attended sessions"),
        " and ",
        counted(total["forms"], "completed form", "completed forms"),
        ".",
    )
    if not total["clients_with_one_session"].raw:
        return words
    single = counted(total["clients_with_one_session"], "client", "clients")
    return say(words, " For ", single, ", only one session is on record.")


def _levels(total: Field) -> Words:
    levels = ["clients"]
    levels += ["therapists"] if total["therapists"].raw else []
    levels += ["sites"] if total["sites"].raw > 1 else []
    pairs = [f"{inner} in {outer}" for inner, outer in pairwise(levels)]
    return (f"Sessions are nested in clients{''.join(f', {pair}' for pair in pairs)}.",)


def _by_site(material: Material) -> Words:
    sites = [row for row in material.results.about["flow"] if row["site"].raw != "all"]
    if not 1 < len(sites) <= MOST_SITES:
        return ()
    described = []
    for row in sites:
        parts = [counted(row["clients"], "client", "clients")]
        if row["therapists"].raw:
            parts.append(counted(row["therapists"], "therapist", "therapists"))
        parts.append(counted(row["sessions"], "session", "sessions"))
        described.append(say(text(row["site"]), " (", joined(parts, ", "), ")"))
    return say("The sites are ", listed(described), ".")


def _characteristics(material: Material) -> Words:
    """Return means and shares of what is known of clients, one sentence a characteristic."""
    rows = [
        row
        for row in material.results.about["sample"].where(site="all")
        if not str(row["characteristic"].raw).endswith(FIRST_SCORE)
    ]
    found: list[Words] = []
    for name in dict.fromkeys(row["characteristic"].raw for row in rows):
        own = [row for row in rows if row["characteristic"].raw == name]
        found.append(_mean(own[0]) if own[0]["category"].raw is None else _shares(own))
    return joined([words for words in found if words], " ")


def _mean(row: Field) -> Words:
    if row["mean"].raw is None or row["sd"].raw is None:
        return ()
    unit, name = str(row["unit"].raw), str(row["characteristic"].raw)
    words = say(text(row["characteristic"]), " averaged ", text(row["mean"], "decimals:1"))
    if unit and unit not in name.casefold():
        words = say(words, " ", text(row["unit"]))
    return say(
        words, " (", symbol("SD", row["sd"], "decimals:1"), ", ", symbol("n", row["n"]), ")."
    )


def _shares(rows: list[Field]) -> Words:
    told = [row for row in rows if (row["count"].raw or 0) >= FEWEST_CLIENTS]
    if not told:
        return ()
    shares = [say(text(row["category"]), " (", text(row["percent"], "percent:1"), ")")
              for row in told]  # fmt: skip
    rest = (
        ""
        if len(told) == len(rows)
        else "; categories of fewer than eight clients are not reported"
    )
    first = rows[0]
    known = counted(first["n"], "client", "clients")
    words = say(text(first["characteristic"]), " was known for ", known, ": ")
    return say(words, joined(shares, ", "), rest, ".")


def _ends(total: Field) -> Words:
    """Return how treatment ended; ends that nobody had are not mentioned."""
    words = {
        "completed": "by agreement for",
        "dropout": "by dropout (as recorded by the sites) for",
        "transferred": "by transfer for",
    }
    ends = [
        say(f"{how} ", counted(total[end], "client", "clients"))
        for end, how in words.items()
        if total[end].raw
    ]
    if total["ongoing"].raw:
        still = say(counted(total["ongoing"], "client was", "clients were"), " still in treatment")
        return say("Treatment ended ", listed(ends), "; ", still, ".") if ends else say(still, ".")
    return say("Treatment ended ", listed(ends), ".") if ends else ()


def exclusions(material: Material) -> list[Block]:
    """Return the section on data that were read and set aside."""
    about = material.results.about
    if "rows_of_all_sites" not in about or not about["rows_of_all_sites"]:
        return []
    rows = [row for table in UNITS for row in about["rows_of_all_sites"].where(table=table)]
    accounts = [_account(row) for row in rows]
    rule = (
        "Every value was checked against what its column may hold. Rows and values that could not "
        "be read with certainty were set aside, not corrected. "
    )
    return [heading("Data checks and exclusions"), *paragraphs(say(rule, joined(accounts, " ")))]


def _account(row: Field) -> Words:
    opening = say("Of ", text(row["read"], "count"), f" {UNITS[row['table'].raw]} read, ")
    blank = say(text(row["blank"], "count"), " were blank and ") if row["blank"].raw else ()
    if not row["set_aside"].raw:
        return say(opening, blank, "none had to be set aside.")
    reasons = [
        say(text(reason["reason"], "words"), " (", symbol("n", reason["count"]), ")")
        for reason in row["reasons"]
    ]
    why = say(": ", joined(reasons, ", ")) if reasons else ()
    return say(opening, blank, text(row["set_aside"], "count"), " were set aside", why, ".")
