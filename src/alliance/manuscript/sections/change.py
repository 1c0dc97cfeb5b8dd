"""Rules by which change, sudden gains and ruptures were told from chance."""

from __future__ import annotations

from alliance.findings.fields import Field
from alliance.manuscript.blocks import Block, Words
from alliance.manuscript.material import Material, is_there
from alliance.manuscript.prose import (
    counted,
    heading,
    joined,
    paragraphs,
    say,
    sentence,
    symbol,
    text,
)

CUTOFFS = {
    "a": "two standard deviations beyond the mean of the first scores",
    "b": "within two standard deviations of the functional mean",
    "c": "where the distributions of the first scores and of the functional norms meet",
}

KNOWN = {
    "at_session": "Rules that need no later session count as a rupture a score",
    "after_treatment": "Rules that need the whole course count as a rupture a score",
}


def change(material: Material) -> list[Block]:
    """Return the section on reliable change and sudden gains."""
    described = material.about("change")
    rows = list(described["measures"]) if described else []
    judged = [row for row in rows if is_there(row, "reliable_points")]
    texts = [
        say(_indices(material, judged), " ", joined([_of_measure(row) for row in judged], " ")),
        _sudden(material, rows),
        _not_judged(rows),
    ]
    blocks = paragraphs(*texts)
    return [heading("Reliable change and sudden gains"), *blocks] if blocks else []


def _indices(material: Material, judged: list[Field]) -> Words:
    chosen = [
        m for row in judged for m in row["methods"].where(chosen=True) if not m["message"].raw
    ]
    if not chosen:
        return ()
    index = chosen[0]
    words: Words = (
        "A client's change from the first to the last score was called reliable if it exceeded "
        "what measurement error is likely to produce, by the index of ",
    )
    if index["method"].raw == "jacobson-truax":
        words = say(words, material.references.name("jacobson1991"))
    else:
        words = say(words, text(index["label"]))
    words = say(words, " with the critical value ", text(index["critical"], "general"))
    others: dict[str, Words] = {
        str(m["label"].raw): text(m["label"])
        for row in judged
        for m in row["methods"]
        if not m["chosen"].raw and not m["message"].raw
    }
    if others:
        words = say(words, ". Classifications by other indices are reported for comparison (",
                    joined([*others.values()]), ")")  # fmt: skip
    return say(words, ".")


def _of_measure(row: Field) -> Words:
    words = say(
        text(row["label"]),
        ": ",
        counted(row["clients_used"], "client", "clients"),
        " with two scores or more",
        say(", an assumed reliability of ", text(row["reliability"], "correlation"))
        if is_there(row, "reliability")
        else (),
        ", and a least reliable change of ",
        text(row["reliable_points"], "decimals:2"),
        " points",
    )
    if is_there(row, "cutoff") and is_there(row["cutoff"], "value"):
        kind = CUTOFFS.get(row["cutoff"]["kind"].raw, "")
        words = say(words, "; recovery also asks for a last score beyond the cut-off ",
                    text(row["cutoff"]["value"], "decimals:2"), f" ({kind})")  # fmt: skip
    if is_there(row, "functional"):
        norms = row["functional"]
        words = say(words, "; norms of a population without the problem: ",
                    symbol("M", norms["mean"], "decimals:2"), ", ",
                    symbol("SD", norms["sd"], "decimals:2"))  # fmt: skip
    if is_there(row, "anchor"):
        words = say(words, "; a change of ", text(row["anchor"]["points"], "general"),
                    " points was taken as the smallest that matters to clients")  # fmt: skip
    return say(words, ".")


def _sudden(material: Material, rows: list[Field]) -> Words:
    judged = [
        row for row in rows
        if is_there(row, "sudden") and is_there(row["sudden"], "least_points", "steps_judged")
        and not row["sudden"]["message"].raw
    ]  # fmt: skip
    if not judged:
        return ()
    each = [
        say(
            text(row["label"]),
            ", at least ",
            text(row["sudden"]["least_points"], "decimals:2"),
            " points, judged at ",
            counted(row["sudden"]["steps_judged"], "step", "steps"),
            " of ",
            counted(row["sudden"]["clients_judged"], "client", "clients"),
        )
        for row in judged
    ]
    return say("Sudden gains and losses from one session to the next were identified by the three "
               "criteria of ", material.references.name("tang1999"), ": a change must be large in "
               "itself, relative to the score before, and relative to the variability of the "
               "neighbouring sessions. Thresholds and numbers judged were: ", joined(each),
               ".")  # fmt: skip


def _not_judged(rows: list[Field]) -> Words:
    told = [
        say("For ", text(row["label"]), ", change could not be judged: ", sentence(row["message"]))
        for row in rows
        if row["message"].raw
    ]
    return joined(told, " ")


def ruptures(material: Material) -> list[Block]:
    """Return the section on ruptures and their repair."""
    described = material.about("change")
    if described is None:
        return []
    texts = [_of_courses(row) for row in described["ruptures"]]
    blocks = paragraphs(*texts, _coders(described["observers"]))
    return [heading("Ruptures and repairs"), *blocks] if blocks else []


def _of_courses(row: Field) -> Words:
    if row["message"].raw:
        return say("Ruptures in ", text(row["label"]), " could not be identified: ",
                   sentence(row["message"]))  # fmt: skip
    rules = [rule for rule in row["rules"] if not rule["message"].raw]
    refused = [rule for rule in row["rules"] if rule["message"].raw]
    tried = joined(
        [say("The rule “", text(r["title"]), "” could not be applied: ", sentence(r["message"]))
         for r in refused],
        " ",
    )  # fmt: skip
    if not rules:
        return tried
    kinds: dict[tuple[str, str], list[Field]] = {}
    for rule in rules:
        kinds.setdefault((str(rule["known"].raw), str(rule["repair"].raw)), []).append(rule)
    words = say(
        "Ruptures were identified in the courses of ",
        text(row["label"]),
        " of ",
        counted(row["clients_used"], "client", "clients"),
        " with at least ",
        text(row["fewest_scores"], "count"),
        " scores. ",
        joined([_alike(alike) for alike in kinds.values()], " "),
        " ",
    )
    return say(words, _for_models(row, rules), _chance(row), tried)


def _alike(rules: list[Field]) -> Words:
    """Return rules that are known at the same time and repaired in the same way."""
    titles = joined([text(rule["title"]) for rule in rules], "; or ")
    known = KNOWN[rules[0]["known"].raw]
    return say(f"{known} ", titles, ". It counts as repaired once the score is ",
               text(rules[0]["repair"]), ".")  # fmt: skip


def _for_models(row: Field, rules: list[Field]) -> Words:
    known = [rule for rule in rules if rule["rule"].raw == row["known_rule"].raw]
    if not known or len(rules) < 2:
        return ()
    return say("Analyses of what follows a rupture use the rule “", text(known[0]["title"]),
               "”, which needs no later session. ")  # fmt: skip


def _chance(row: Field) -> Words:
    if not is_there(row, "chance_model"):
        return ()
    model = row["chance_model"]
    return say(
        "How many ruptures each rule finds by chance was estimated from ",
        text(model["replicates"], "count"),
        " simulated cohorts without ruptures, with the same spread and the same autocorrelation "
        "of neighbouring sessions (",
        text(model["autocorrelation"], "correlation"),
        "). ",
    )


def _coders(observers: Field) -> Words:
    if not observers["coders"].raw:
        return ()
    coded = counted(observers["sessions_coded"], "session", "sessions")
    return say(counted(observers["coders"], "coder", "coders"), " judged ruptures in ", coded,
               "; their agreement with one another and with the rules is reported.")  # fmt: skip
