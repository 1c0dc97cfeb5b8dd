"""Dropout: what counts as it, how it is described, and by which models it is foretold."""

from __future__ import annotations

from alliance.findings.fields import Field
from alliance.manuscript.blocks import Block, Words
from alliance.manuscript.material import Material, is_there
from alliance.manuscript.prose import counted, heading, joined, paragraphs, say, text
from alliance.manuscript.sections.of_families import told_in


def dropout(material: Material) -> list[Block]:
    """Return the section on dropout; nothing where nobody left and nothing was asked."""
    blocks: list[Block] = [*paragraphs(_definition(material), _curves(material))]
    blocks += told_in("Dropout", material)
    return [heading("Dropout"), *blocks] if blocks else []


def _definition(material: Material) -> Words:
    """Return the definition in use, and what the others laid beside it would count."""
    described = material.about("dropout")
    rows = described["definitions"].where(in_use=True) if described else []
    if described is None or not rows or not rows[0]["dropouts"].raw:
        return ()
    used = rows[0]
    words = say("A client was counted as having dropped out if ", text(used["words"]), ": ",
                counted(used["dropouts"], "client", "clients"), " did so and ",
                text(used["others"], "count"), " did not")  # fmt: skip
    if used["unknown"].raw:
        words = say(words, "; for ", text(used["unknown"], "count"), " this is not known")
    words = say(words, ".")
    others = [row for row in described["definitions"] if not row["in_use"].raw]
    if not others:
        return words
    each = [_other(described, row) for row in others]
    return say(words, " Because rates of dropout depend on the definition ",
               material.references.cite("swift2012"), ", it was compared with others: ",
               joined(each), ".")  # fmt: skip


def _other(described: Field, row: Field) -> Words:
    words = say(text(row["words"]), " (", counted(row["dropouts"], "client", "clients"))
    for move in described["moves"].where(name=row["name"].raw):
        if is_there(move, "kappa"):
            words = say(words, ", kappa with the one in use ", text(move["kappa"], "correlation"))
    return say(words, ")")


def _curves(material: Material) -> Words:
    described = material.about("dropout")
    if described is None or not described["staying"]:
        return ()
    name = material.references.name
    words = say("How long clients stayed was estimated by the method of ", name("kaplan1958"))
    if described["incidence"]:
        words = say(
            words,
            ", and the share who had left in each way by that of ",
            name("aalen1978"),
            ", in which the ways of leaving compete",
        )
    return say(words, ".")
