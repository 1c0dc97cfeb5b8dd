"""What the methods text says of the choice of a shape."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.facts import MIXTURE, Assumption
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import USABLE, Material
from alliance.manuscript.prose import joined, say, sentence, text
from alliance.manuscript.sections.of_families import Groups, is_reml


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made."""
    return [(_ladder(material, fits), fits)]


def _ladder(material: Material, fits: Sequence[Field]) -> Words:
    cite = material.references.cite
    steps = [step for fit in fits for step in fit["steps"]]
    labels, without = ({s["label"].raw: text(s["label"]) for s in steps if (
        s["status"].raw in USABLE) is good} for good in (True, False))  # fmt: skip
    rules = {
        a["text"].raw: a["text"]
        for fit in fits
        for a in fit["assumptions"].where(code=Assumption.STEP_CHOSEN_BY_RULE)
    }
    words = say(
        "The shape of the course was chosen from a ladder of models fixed in advance, each "
        "fitted by maximum likelihood to the same rows: ",
        joined([*labels.values()]),
        ".",
    )
    words = say(words, *(say(" ", sentence(rule)) for rule in rules.values()))
    if without:
        words = say(words, " Steps without a result: ", joined([*without.values()]), ".")
    if any(step["p_kind"].raw == MIXTURE for step in steps):
        words = say(
            words,
            " Variances at the boundary of zero were tested against the mixture of "
            "chi-squared distributions that holds there ",
            cite("self1987", "stram1994"),
            ".",
        )
    if any(step["r2_marginal"].raw is not None for step in steps):
        words = say(words, " Explained variance is given as marginal and conditional R squared ",
                    cite("nakagawa2013", "johnson2014"), ".")  # fmt: skip
    if any(fit["residual"]["phi"].raw is not None for fit in fits):
        words = say(words, " Residuals of a client may be correlated, the more the closer they are "
                    "in time.")  # fmt: skip
    return say(words, " The chosen step was fitted again by REML.") if _by_reml(fits) else words


def _by_reml(fits: Sequence[Field]) -> bool:
    return all(map(is_reml, fits))
