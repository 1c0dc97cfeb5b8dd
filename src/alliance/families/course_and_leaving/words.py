"""What the methods text says of a course and leaving in one model."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.findings.fields import Field
from alliance.manuscript.material import Material
from alliance.manuscript.prose import say
from alliance.manuscript.sections.of_families import Groups


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made."""
    words = say("Because leaving may depend on the course itself, course and hazard of leaving "
                "were also modelled jointly: levels and lines of clients and the levels of "
                "therapists are shared by a linear mixed model of the scores and a discrete-time "
                "hazard, in which therapists have a random intercept of their own. The likelihood "
                "was integrated by adaptive Gauss-Hermite quadrature; standard errors come from "
                "the observed information.")  # fmt: skip
    if any(fit["curves"] for fit in fits):
        words = say(words, " How far the mean change depends on the assumption about leaving was "
                    "assessed by fixing the association at a range of values.")  # fmt: skip
    return [(words, fits)]
