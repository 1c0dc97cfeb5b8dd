"""What the methods text says of skipped forms and dropout."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.findings.fields import Field
from alliance.manuscript.material import Material
from alliance.manuscript.prose import say
from alliance.manuscript.sections.of_families import Groups


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made."""
    words = say("Whether a skipped form foretells dropout was asked by a discrete-time hazard with "
                "the form of the session skipped and an earlier form skipped as predictors beside "
                "the last score known, and compared with the hazard without the two by a "
                "likelihood-ratio test.")  # fmt: skip
    return [(words, fits)]
