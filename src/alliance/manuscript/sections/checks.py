"""Sites put together, diagnostics, second engines: what stands behind the estimates."""

from __future__ import annotations

from alliance.findings.fields import Field
from alliance.manuscript.blocks import Block, Words
from alliance.manuscript.material import Material, is_there
from alliance.manuscript.prose import heading, joined, listed, paragraphs, quoted, say, text
from alliance.manuscript.sections.of_families import told_in

DIAGNOSTICS = {
    "residuals": "the distribution of residuals against the normal, and against fitted values",
    "random_effects": "the distribution of predicted random effects against the normal",
    "influence": "how far the estimates move when one group is left out and the model refitted",
}


def sites(material: Material) -> list[Block]:
    """Return the section on sites put together."""
    blocks = told_in("Sites put together", material)
    return [heading("Sites put together"), *blocks] if blocks else []


def robustness(material: Material) -> list[Block]:
    """Return the section on diagnostics and second engines."""
    blocks = paragraphs(_diagnostics(material), _second_engines(material))
    return [heading("Diagnostics and second engines"), *blocks] if blocks else []


def _diagnostics(material: Material) -> Words:
    with_any = [fit["diagnostics"] for fit in material.usable() if is_there(fit, "diagnostics")]
    kinds = [
        (words,)
        for kind, words in DIAGNOSTICS.items()
        if any(is_there(block, kind) for block in with_any)
    ]
    return (
        say("For each model that has them, the following were examined: ", joined(kinds), ".")
        if kinds
        else ()
    )


def _second_engines(material: Material) -> Words:
    """Return which models were fitted again in other software, and which of them disagree."""
    fits = [f for f in material.usable() if f["second_engine"].raw is not None]
    done = [f for f in fits if f["second_engine"]["converged"].raw]
    if not done:
        return ()
    engines: dict[str, list[Field]] = {}
    for fit in done:
        engines.setdefault(str(fit["second_engine"]["name"].raw), []).append(fit)
    each = []
    for group in engines.values():
        second = group[0]["second_engine"]
        titles = listed([quoted(fit["title"]) for fit in group])
        each.append(say(text(second["name"]), " ", text(second["version"]), " (", titles, ")"))
    words = say("Models that other software can express were also fitted there: ",
                joined(each), ". ")  # fmt: skip
    disputed = [quoted(f["title"]) for f in done if not f["second_engine"]["agrees"].raw]
    if disputed:
        return say(
            words,
            "The estimates of ",
            listed(disputed),
            " differ between engines; those of the others agree."
            if len(disputed) < len(done)
            else " differ between engines.",
        )
    return say(words, "The estimates agree.")
