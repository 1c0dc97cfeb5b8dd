"""What the results text says of joint courses."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.joint_courses.terms import ends_of
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import interval, joined, say, text
from alliance.manuscript.sections.of_families import Groups
from alliance.manuscript.statistics import (
    direction,
    label_of,
    main_effects,
    rounding,
    standardised,
    statistics,
    told,
)

BETWEEN = {
    "between sites": "Between sites",
    "between therapists": "Between therapists",
    "between clients": "Between clients",
}


def found(material: Material, fits: Sequence[Field]) -> Groups:
    """Return what the models found, model by model."""
    return [(_joint(material, fit), [fit]) for fit in fits]


def _joint(material: Material, fit: Field) -> Words:
    return joined([_effect(material, fit, entry) for entry in main_effects(fit)], " ")


def _effect(material: Material, fit: Field, entry: Field) -> Words:
    of, on, _ = ends_of(str(entry["term"].raw))
    acts, outcome = label_of(material, of), label_of(material, on)
    if not acts or not outcome:
        return say(told(material, entry), standardised(entry), ".")
    numbers = say(statistics(material, entry), standardised(entry), ".")
    between = BETWEEN.get(str(entry["level"].raw))
    if between:
        return say(f"{between}, the levels of ", acts, " and ", outcome, " at intake were ",
                   direction(entry, "positively related", "negatively related",
                             "not clearly related"), ", ", numbers)  # fmt: skip
    return say("After sessions with higher scores of ", acts, " than the client’s own course, "
               "scores of ", outcome, " were ", direction(entry, "higher", "lower"), " (",
               text(entry["label"], "tail"), "), ", numbers, _per_sd(fit, entry))  # fmt: skip


def _per_sd(fit: Field, entry: Field) -> Words:
    """Return the same for one standard deviation, beside the smallest difference that matters."""
    for one in fit["estimates"].where(term=f"{entry['term'].raw} per SD"):
        if one["estimate"].raw is None:
            continue
        words = say(" One standard deviation more went with ", text(one["estimate"], rounding(one)),
                    " points", interval(one["ci_low"], one["ci_high"], rounding(one)))  # fmt: skip
        smallest = one["minimal_important_difference"]
        if smallest.raw is not None:
            words = say(words, "; the smallest difference that matters to clients is ",
                        text(smallest, "general"), " points")  # fmt: skip
        return say(words, ".")
    return ()
