"""What the methods text says of two measures at once."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.facts import Estimator
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.sections.of_families import Groups, estimators


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made."""
    return [(_parallel(material, fits), fits)]


def _parallel(material: Material, fits: Sequence[Field]) -> Words:
    words = ("Whether two measures develop together was examined by growth models of both outcomes "
             "at once, with a joint distribution of a client's random effects; its correlations "
             "answer the question.")  # fmt: skip
    if Estimator.CORRELATION_DELTA in estimators(fits):
        words += " Intervals of correlations are by the delta method on Fisher's scale."
    return (words,)
