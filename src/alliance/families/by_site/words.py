"""What the methods text says of sites put together."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.facts import DfMethod, Estimator, Tested
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import say
from alliance.manuscript.sections.of_families import Groups


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made."""
    return [(_synthesis(material, fits), fits)]


def _synthesis(material: Material, fits: Sequence[Field]) -> Words:
    cite = material.references.cite
    words = say("Models were fitted at each site separately and their estimates combined by a "
                "random-effects synthesis, with the variance between sites estimated by REML ",
                cite("viechtbauer2005"))  # fmt: skip
    if any(fit["engine"]["df_method"]["code"].raw == DfMethod.HARTUNG_KNAPP for fit in fits):
        words = say(words, " and the interval of the mean after ",
                    material.references.name("hartung2001"))  # fmt: skip
    if any(Estimator.SYNTHESIS_WITH_FLOOR in _codes_beside(fit) for fit in fits):
        words = say(words, "; where its standard error is below that of the weights, the mean with "
                    "the larger one is reported as well")  # fmt: skip
    words = say(words, ".")
    if any(Estimator.FURTHER_SITE in _codes_beside(fit) for fit in fits):
        words = say(words, " A prediction interval gives where the effect of a further site is "
                    "expected, by t with two degrees of freedom fewer than there are sites ",
                    cite("higgins2009", "partlett2017"), ".")  # fmt: skip
    if any(fit["tests"].where(code=Tested.ONE_EFFECT_AT_ALL_SITES) for fit in fits):
        words = say(words, " Homogeneity of the effect over sites was tested by the Q statistic.")
    return words


def _codes_beside(fit: Field) -> set[str]:
    """Return the estimators of what stands beside the estimates of a fit."""
    return {companion["estimator"]["code"].raw for companion in fit["companions"]}
