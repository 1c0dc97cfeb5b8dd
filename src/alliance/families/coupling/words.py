"""What the methods text says of coupling models."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.common.clustered_words import by_cr2
from alliance.families.facts import Estimator
from alliance.families.terms import is_product
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import joined, say
from alliance.manuscript.sections.of_families import Groups


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made."""
    return [(_coupling(material, fits), fits)]


def _coupling(material: Material, fits: Sequence[Field]) -> Words:
    cite = material.references.cite
    words = say("Whether one measure predicts the other at the next session was examined by models "
                "that separate two parts of the predictor: the deviation of a session from the "
                "client's own mean (within clients), and the client's mean against that of all "
                "clients (between clients) ", cite("curran2011", "enders2007"), ".")  # fmt: skip
    if any(e["level"].raw == "autoregression" for fit in fits for e in fit["estimates"]):
        words = say(words, " The outcome at the present session was controlled for, as a deviation "
                    "from the client's own mean ", cite("hamaker2015"), ".")  # fmt: skip
    words = say(words, _companions(material, fits))
    if any(is_product(str(e["term"].raw)) for fit in fits for e in fit["estimates"]):
        words = say(words, " The within-client effect may depend on a moderator, by their product.")
    return words


def _companions(material: Material, fits: Sequence[Field]) -> Words:
    """Return the checks beside a coupling model, as far as they could be computed."""
    beside = {c["estimator"]["code"].raw for fit in fits for c in fit["companions"]}
    checks: list[Words] = []
    if Estimator.FIXED_EFFECTS in beside:
        checks.append(say("a regression with client fixed effects and cluster-robust standard "
                          "errors", by_cr2(material, fits)))  # fmt: skip
    if Estimator.MIXED_LAG_NOT_CENTRED in beside:
        checks.append(say("the same model with the present outcome not centred ",
                          material.references.cite("falkenstrom2013")))  # fmt: skip
    if not checks:
        return ()
    return say(" The within-client effect was checked by ", joined(checks, " and by "), ".")
