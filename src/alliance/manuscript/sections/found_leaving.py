"""What was found of leaving: how many had dropped out by when, and what it goes with."""

from __future__ import annotations

from alliance.findings.small_cells import FEWEST_CLIENTS
from alliance.manuscript.blocks import Block, Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import heading, interval, paragraphs, say, text
from alliance.manuscript.sections.of_families import found_in

BY_SESSION = 8  # or the last session before it with enough clients at risk


def found_leaving(material: Material) -> list[Block]:
    """Return the section on dropout; nothing where nobody left and nothing was asked."""
    blocks: list[Block] = [*paragraphs(_by_session(material)), *found_in("Dropout", material)]
    return [heading("Dropout"), *blocks] if blocks else []


def _by_session(material: Material) -> Words:
    """Return the share of clients who had dropped out by a session, other ends competing."""
    described = material.about("dropout")
    curves = [] if described is None else described["incidence"].where(by="all", cause="dropout")
    if not curves or not curves[0]["events"].raw:
        return ()
    curve = curves[0]
    enough = [
        k for k, (session, at_risk) in enumerate(
            zip(curve["session"].raw, curve["at_risk"].raw, strict=True))
        if 0 < session <= BY_SESSION and at_risk >= FEWEST_CLIENTS
    ]  # fmt: skip
    if not enough:
        return ()
    k = enough[-1]
    ends = (curve["ci_low"][k], curve["ci_high"][k])
    return say("By session ", text(curve["session"][k], "count"), ", ",
               text(curve["value"][k], "share:1"), " of clients had dropped out",
               interval(*ends, "share:1"), ", other ways of leaving competing.")  # fmt: skip
