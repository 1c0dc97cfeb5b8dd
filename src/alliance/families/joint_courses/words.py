"""What the methods text says of joint courses."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.facts import Assumption, Tested, Warned
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import say, text
from alliance.manuscript.sections.of_families import Groups

TESTED = Tested.ONE_DYNAMICS_FOR_ALL_GROUPS


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made."""
    return [(_joint_courses(material, fits), fits)]


def _joint_courses(material: Material, fits: Sequence[Field]) -> Words:
    words = say("Both measures were also modelled jointly: levels and lines of clients as random "
                "effects, and residuals that follow a stationary vector autoregression of the "
                "first order ",
                material.references.cite("curran2014"),
                ". As no client mean is taken, carry-over from session to session does not bias "
                "the effects within clients. Their intervals were obtained by the delta method "
                "from the observed information.")  # fmt: skip
    codes = {warning["code"].raw for fit in fits for warning in fit["warnings"]}
    if Warned.LINES_LEFT_OUT in codes:
        words = say(words, " Where courses were too short to separate them from carry-over, "
                    "clients had no lines of their own.")  # fmt: skip
    stated = {
        one["text"].raw: text(one["text"])
        for fit in fits
        for one in fit["assumptions"]
        if one["code"].raw == Assumption.FORMS_IN_ORDER
    }
    for order in stated.values():
        words = say(words, " ", order, " Effects are given in that order.")
    if any(test["code"].raw == TESTED for fit in fits for test in fit["tests"]):
        words = say(words, " Whether groups have effects, carry-over and spread of their own was "
                    "tested by likelihood ratio.")  # fmt: skip
    return words
