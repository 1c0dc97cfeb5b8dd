"""What the methods text says of cluster-robust standard errors."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.facts import Assumption, has
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import say


def by_cr2(material: Material, fits: Sequence[Field]) -> Words:
    """Return that they are CR2, where those of a fit are; in words without a digit."""
    if not any(has(fit["assumptions"].raw, Assumption.FEW_CLUSTERS_BY_CR2) for fit in fits):
        return ()
    return say(" (a bias-reduced sandwich with Satterthwaite's degrees of freedom, since clusters "
               "are few; ", material.references.cite("pustejovsky2018")[1:])  # fmt: skip
