"""What the methods text says of leaving in continuous time."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.facts import Estimator, Tested
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import joined, say, text
from alliance.manuscript.sections.of_families import Groups, is_by

KINDS = (
    (Estimator.COX,),
    (Estimator.GAMMA_FRAILTY, Estimator.GAUSSIAN_FRAILTY),
    (Estimator.FINE_GRAY,),
)


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made, kind by kind."""
    groups: Groups = []
    for kind, introduce in zip(KINDS, (_cox, _frailty, _fine_gray), strict=True):
        of_kind = [fit for fit in fits if is_by(fit, *kind)]
        groups.append((introduce(material, of_kind) if of_kind else (), of_kind))
    rest = [fit for fit in fits if not any(is_by(fit, *kind) for kind in KINDS)]
    return [*groups, ((), rest)]


def _cox(material: Material, fits: Sequence[Field]) -> Words:
    cite = material.references.cite
    words = say("In continuous time, leaving was modelled by Cox regression ", cite("cox1972"),
                " with ties handled after ", material.references.name("efron1977"))  # fmt: skip
    return say(words, ".", _proportional(material, fits))


def _proportional(material: Material, fits: Sequence[Field]) -> Words:
    if not any(fit["tests"].where(code=Tested.PROPORTIONAL_HAZARDS) for fit in fits):
        return ()
    return say(" The assumption of proportional hazards was tested ",
               material.references.cite("grambsch1994"), ".")  # fmt: skip


def _frailty(material: Material, fits: Sequence[Field]) -> Words:
    kinds = {e.raw: text(e) for e in (fit["engine"]["estimator"]["text"] for fit in fits)}
    return say("That clients of one therapist may resemble each other in leaving was allowed for "
               "by a frailty of the therapist: ", joined([*kinds.values()]), ".")  # fmt: skip


def _fine_gray(material: Material, fits: Sequence[Field]) -> Words:
    return say("The share of clients who ever drop out, with other ways of leaving as competing "
               "risks, was modelled by the hazard of the subdistribution ",
               material.references.cite("fine1999"), ".",
               _proportional(material, fits))  # fmt: skip
