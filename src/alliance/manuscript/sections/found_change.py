"""What was found of change: from first to last score, sudden gains, ruptures and their repair."""

from __future__ import annotations

from alliance.findings.fields import Field
from alliance.findings.small_cells import FEWEST_CLIENTS
from alliance.manuscript.blocks import Block, Words
from alliance.manuscript.material import Material, is_there
from alliance.manuscript.prose import (
    counted,
    heading,
    interval,
    joined,
    paragraphs,
    say,
    symbol,
    text,
)


def found_change(material: Material) -> list[Block]:
    """Return the section on reliable change and sudden gains."""
    described = material.about("change")
    rows = [] if described is None else [
        row for row in described["measures"]
        if is_there(row, "reliable_points") and row["clients_used"].raw >= FEWEST_CLIENTS
    ]  # fmt: skip
    texts = [say(_first_and_last(row), _classes(row), _sudden(row)) for row in rows]
    blocks = paragraphs(*texts)
    return [heading("Change over treatment"), *blocks] if blocks else []


def _first_and_last(row: Field) -> Words:
    first, last = row["first"], row["last"]
    return say("The first score of ", text(row["label"]), " was ",
               symbol("M", first["mean"], "decimals:2"), " (",
               symbol("SD", first["sd"], "decimals:2"), "), the last ",
               symbol("M", last["mean"], "decimals:2"), " (",
               symbol("SD", last["sd"], "decimals:2"), "), of ",
               counted(row["clients_used"], "client", "clients"), " with both.")  # fmt: skip


def _classes(row: Field) -> Words:
    """Return how many changed reliably, class by class; small classes are not told."""
    chosen = [m for m in row["methods"].where(chosen=True) if not m["message"].raw]
    if not chosen:
        return ()
    classes = list(chosen[0]["classes"])
    told = [one for one in classes if one["clients"].raw >= FEWEST_CLIENTS]
    each = [say(text(one["class"], "words"), ", ", symbol("n", one["clients"]), " (",
                text(one["percent"], "percent:1"), ")") for one in told]  # fmt: skip
    if not each:
        return ()
    rest = "" if len(told) == len(classes) else "; classes of fewer than eight clients are not told"
    return say(" By the index of reliable change: ", joined(each), rest, ".")


def _sudden(row: Field) -> Words:
    if not is_there(row, "sudden") or row["sudden"]["message"].raw:
        return ()
    judged = row["sudden"]["clients_judged"]
    each = [
        say(counted(found["clients"], f"client had a sudden {one}", f"clients had a sudden {one}"),
            " (", text(found["percent"], "percent:1"), ")")
        for one, found in (("gain", row["sudden"]["gains"]), ("loss", row["sudden"]["losses"]))
        if (found["clients"].raw or 0) >= FEWEST_CLIENTS
    ]  # fmt: skip
    if not each:
        return ()
    return say(" Of ", counted(judged, "client", "clients"), " who could be judged, ",
               joined(each, " and "), ".")  # fmt: skip


def found_ruptures(material: Material) -> list[Block]:
    """Return the section on ruptures and their repair, by the rule that the models use."""
    described = material.about("change")
    rows = [] if described is None else [r for r in described["ruptures"] if not r["message"].raw]
    texts = [
        _by_rule(row, rule)
        for row in rows
        for rule in row["rules"].where(rule=row["known_rule"].raw)
        if not rule["message"].raw and (rule["clients"].raw or 0) >= FEWEST_CLIENTS
    ]
    blocks = paragraphs(*texts)
    return [heading("Ruptures and repairs"), *blocks] if blocks else []


def _by_rule(row: Field, rule: Field) -> Words:
    words = say("By the rule that needs no later session, ",
                counted(rule["clients"], "client", "clients"), " of ",
                text(rule["clients_judged"], "count"), " (", text(rule["percent"], "percent:1"),
                ") had a rupture in ", text(row["label"]), ", ",
                counted(rule["ruptures"], "rupture", "ruptures"), " in ",
                counted(rule["sessions_judged"], "session", "sessions"), ".")  # fmt: skip
    if is_there(rule, "percent_repaired"):
        words = say(words, " Of those that could be followed, ",
                    text(rule["percent_repaired"], "percent:1"), " were repaired.")  # fmt: skip
    chance = rule["chance"]
    if not is_there(rule, "chance") or not is_there(chance, "percent"):
        return words
    return say(words, " By chance alone, ", text(chance["percent"], "percent:1"),
               " of clients would be expected to have one",
               interval(chance["low"], chance["high"], "percent:1"), ".")  # fmt: skip
