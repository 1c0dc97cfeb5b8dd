"""What the results text says of sites put together."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.facts import Estimator, Tested
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Italic, Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import joined, say, text
from alliance.manuscript.sections.of_families import Groups
from alliance.manuscript.statistics import (
    letters_of,
    main_effects,
    rounding,
    statistics,
    with_level,
)


def found(material: Material, fits: Sequence[Field]) -> Groups:
    """Return what the models found, model by model."""
    return [(_synthesis(material, fit), [fit]) for fit in fits]


def _synthesis(material: Material, fit: Field) -> Words:
    each = [
        say(with_level(fit, entry), ", ", _mean(material, fit, entry), _further(fit, entry),
            _differences(fit, entry))
        for entry in main_effects(fit)
    ]  # fmt: skip
    return say("Over the sites: ", joined(each), ".") if each else ()


def _mean(material: Material, fit: Field, entry: Field) -> Words:
    letters = "b" if entry["ratio"].raw is None else letters_of(material, fit)
    return statistics(material, entry, letters)


def _further(fit: Field, entry: Field) -> Words:
    """Return where the effect of a further site is expected."""
    is_ratio = entry["ratio"].raw is not None
    ends = ("ratio_low", "ratio_high") if is_ratio else ("ci_low", "ci_high")
    for one in fit["companions"].where(term=entry["term"].raw):
        low, high = (one[end] for end in ends)
        if one["estimator"]["code"].raw == Estimator.FURTHER_SITE and low.raw is not None:
            format = "ratio" if is_ratio else rounding(entry)
            return say(", prediction interval [", text(low, format), ", ", text(high, format),
                       "]")  # fmt: skip
    return ()


def _differences(fit: Field, entry: Field) -> Words:
    for test in fit["tests"].where(code=Tested.ONE_EFFECT_AT_ALL_SITES, term=entry["term"].raw):
        if test["statistic"].raw is not None:
            return say(", ", Italic("Q"), "(", text(test["df"], "df"), ") = ",
                       text(test["statistic"], "decimals:2"), ", ", Italic("p"), " ",
                       text(test["p"], "p"))  # fmt: skip
    return ()
