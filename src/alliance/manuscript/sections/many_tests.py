"""Which effects were named beforehand, and how p values are adjusted for the number of tests."""

from __future__ import annotations

from alliance.families.multiplicity import Adjusted, Group
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Italic, Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import joined, say, text

WORKS = {Adjusted.HOLM: "holm1979", Adjusted.BENJAMINI_HOCHBERG: "benjamini1995"}
NAMED_AS = {
    Group.PRIMARY: "primary effects",
    Group.EFFECTS: "exploratory effects of models",
    Group.CORRELATIONS: "exploratory correlations between scores",
}


def many_tests(material: Material) -> Words:
    """Return what was primary, and how families of tests were adjusted."""
    many = material.about("multiplicity")
    groups = [] if many is None else [group for group in many["groups"] if group["tests"].raw]
    if many is None or not groups:
        return say("No ", Italic("p"), " value was adjusted for the number of tests.")
    adjusted = joined([_group(material, group) for group in groups])
    return say(*_primary(material, many), Italic("p"), " values were adjusted within each family "
               "of tests, ", adjusted, ". Adjusted values stand beside the plain ones; what was "
               "adjusted for in a model, the same effect by another choice or estimator, and tests "
               "of assumptions were not counted as tests.")  # fmt: skip


def _group(material: Material, group: Field) -> Words:
    works = WORKS[Adjusted(group["adjustment"]["code"].raw)]
    return say(text(group["tests"], "count"), f" {NAMED_AS[Group(group['code'].raw)]} by ",
               text(group["adjustment"]["text"]), " ", material.references.cite(works))  # fmt: skip


def _primary(material: Material, many: Field) -> Words:
    """Return the primary effects by name, or that none was named."""
    if not many["primary_named"].raw:
        return ("No effect was named as primary beforehand, so that all are exploratory. ",)
    by_address = {test["at"].raw for test in many["tests"] if test["group"].raw == Group.PRIMARY}
    named = [
        say("“", text(entry["label"]), "” (", text(fit["title"]), ")")
        for fit in material.fits()
        for entry in fit["estimates"]
        if entry.address in by_address
    ]
    missing = [say("“", text(one["effect"]), "” (", text(one["title"]), ")")
               for one in many["not_estimated"]]  # fmt: skip
    words = say("Named as primary in the configuration: ", joined(named), ". ") if named else ()
    if missing:
        words = say(words, "Named, but not tested in this run: ", joined(missing), ". ")
    return say(words, "All other effects are exploratory. ")
