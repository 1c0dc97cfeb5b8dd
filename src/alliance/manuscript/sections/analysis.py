"""The statistical models: what was asked, by which model, from which rows."""

from __future__ import annotations

from alliance.families.facts import DfMethod, Estimator
from alliance.families.terms import is_of_sites
from alliance.manuscript.blocks import Block, Italic, Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import CONFIDENCE, heading, joined, listed, paragraphs, quoted, say
from alliance.manuscript.sections.many_tests import many_tests
from alliance.manuscript.sections.of_families import estimators, is_reml, parts, told_in

DEGREES_OF_FREEDOM = (
    (DfMethod.SATTERTHWAITE, "Satterthwaite", ("satterthwaite1946", "kuznetsova2017")),
    (DfMethod.KENWARD_ROGER, "Kenward and Roger", ("kenward1997",)),
)
OWN_SECTIONS = ("Dropout", "Sites put together")  # parts that are no part of this section


def analysis(material: Material) -> list[Block]:
    """Return the section on models other than those of dropout and of the sites put together."""
    told: list[Block] = []
    for part in parts():
        blocks = told_in(part, material) if part not in OWN_SECTIONS else []
        told += [heading(part, 3), *blocks] if blocks else []
    general = paragraphs(_estimation(material), _inference(material))
    return [heading("Statistical analysis"), *general, *told] if told or general else []


def _estimation(material: Material) -> Words:
    by_reml = [fit for fit in material.usable() if is_reml(fit)]
    by_ml = [fit for fit in material.usable() if Estimator.MIXED_ML in estimators([fit])]
    fits = [*by_reml, *by_ml]
    if not fits:
        return ()
    cite = material.references.cite
    ways = [say("restricted maximum likelihood ", cite("patterson1971"))] if by_reml else []
    ways += [("maximum likelihood",)] if by_ml else []
    words = say("Multilevel models with a continuous outcome were estimated by ",
                joined(ways, " or "))  # fmt: skip
    if by_reml and by_ml:
        words = say(words, " (the latter: ", listed([quoted(fit["title"]) for fit in by_ml]), ")")
    methods = {fit["engine"]["df_method"]["code"].raw for fit in fits}
    used = [(name, works) for code, name, works in DEGREES_OF_FREEDOM if code in methods]
    if used:
        each = [say(f"{name} ", cite(*works)) for name, works in used]
        words = say(words, ", and fixed effects tested by ", Italic("t"), " with the degrees of "
                    "freedom of ", joined(each, " or "))  # fmt: skip
    if any(fit["convergence"]["second_start_difference"].raw is not None for fit in fits):
        words = say(words, ". The likelihood was maximised from several starting values")
    if any(is_of_sites(str(e["term"].raw)) for fit in fits for e in fit["estimates"]):
        words = say(words, ". Sites entered as fixed effects")
    return say(words, ".")


def _inference(material: Material) -> Words:
    entries = [e for fit in material.usable() for e in fit["estimates"]]
    if not any(entry["ci_low"].raw is not None for entry in entries):
        return ()
    words: Words = ("Intervals are ", CONFIDENCE, " confidence intervals")
    if any(entry["p"].raw is not None for entry in entries):
        return say(words, " and tests two-sided. ", many_tests(material))
    return say(words, ".")
