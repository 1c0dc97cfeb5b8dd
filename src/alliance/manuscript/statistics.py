"""An estimate in running text, in the order of APA 7: value, interval, test."""

from __future__ import annotations

from alliance.families.facts import Estimator
from alliance.findings.adjusted import PRIMARY, adjusted_of
from alliance.findings.fields import Field
from alliance.findings.formats import decimals_for
from alliance.manuscript.blocks import Italic, Words
from alliance.manuscript.material import Material, is_there
from alliance.manuscript.prose import interval, say, symbol, text

NOT_CLEAR = "not clearly different"
HAZARD_RATIOS = (Estimator.COX, Estimator.GAMMA_FRAILTY, Estimator.GAUSSIAN_FRAILTY,
                 Estimator.FINE_GRAY)  # fmt: skip


def statistics(material: Material, entry: Field, letters: str = "b", unit: bool = False) -> Words:
    """Return e.g. `b = -0.11, 95% CI [-0.14, -0.09], z = -8.60, p < .001`.

    `letters` are what stands for the value, with its `unit` where that is asked for; an estimate
    with a ratio is printed as that.
    """
    names = ("ratio", "ratio_low", "ratio_high") if entry["ratio"].raw is not None else (
        "estimate", "ci_low", "ci_high")  # fmt: skip
    value, low, high = (entry[name] for name in names)
    rounded = "ratio" if names[0] == "ratio" else rounding(entry)
    counted_in = say(" ", text(entry["unit"])) if unit else ()
    words = say(symbol(letters, value, rounded), counted_in, interval(low, high, rounded))
    return say(words, tested(entry), _adjusted(material, entry))


def rounding(entry: Field) -> str:
    """Return the format in which an estimate is printed as fine as it is known."""
    return decimals_for(entry["se"].raw, entry["estimate"].raw)


def tested(entry: Field) -> Words:
    """Return `, t(36.0) = 2.10, p = .043`, as far as it is there."""
    if entry["p"].raw is None:
        return ()
    p = say(", ", Italic("p"), " ", text(entry["p"], "p"))
    if entry["statistic"].raw is None:
        return p
    df = say("(", text(entry["df"], "df"), ")") if entry["df"].raw is not None else ()
    letter = Italic("t" if entry["df"].raw is not None else "z")
    return say(", ", letter, df, " = ", text(entry["statistic"], "decimals:2"), p)


def _adjusted(material: Material, entry: Field) -> Words:
    """Return the adjusted p of a primary effect."""
    test = adjusted_of(material.results).get(entry.address)
    if test is None or test["group"].raw != PRIMARY:
        return ()
    return say(" (primary; adjusted ", Italic("p"), " ", text(test["p_adjusted"], "p"), ")")


def standardised(entry: Field) -> Words:
    """Return `; β = -0.15, 95% CI [-0.18, -0.11]`, where an estimate has it."""
    if not is_there(entry, "standardised"):
        return ()
    words = say("; β = ", text(entry["standardised"], "decimals:2"))
    if not is_there(entry, "standardised_low", "standardised_high"):
        return words
    ends = (entry["standardised_low"], entry["standardised_high"])
    return say(words, interval(*ends, "decimals:2"))


def direction(entry: Field, above: str, below: str, unclear: str = NOT_CLEAR) -> Words:
    """Return one of the words by where the interval of an estimate lies against none."""
    return text(entry["ci_low"], f"change:{above}|{below}|{unclear}", entry["ci_high"])


def told(material: Material, entry: Field, letters: str = "b") -> Words:
    """Return an effect by its label and its numbers, e.g. `Temporal congruence, b = 0.37`."""
    return say(text(entry["label"], "spoken"), ", ", statistics(material, entry, letters))


def with_level(fit: Field, entry: Field) -> Words:
    """Return the label of an effect, with its level where the model has another of that label."""
    label = text(entry["label"], "spoken")
    if len(fit["estimates"].where(role="main", label=entry["label"].raw)) < 2:
        return label
    return say(label, " (", text(entry["level"]), ")")


def main_effects(fit: Field) -> list[Field]:
    """Return the effects that a model was made for, as far as they have an interval."""
    return [entry for entry in fit["estimates"].where(role="main")
            if entry["ci_low"].raw is not None and entry["ci_high"].raw is not None]  # fmt: skip


def letters_of(material: Material, fit: Field) -> str:
    """Return what a ratio of a model, or of the one that it is about, is called."""
    asked = [fit, *(one for one in material.fits() if one["model"].raw == fit["about"].raw)]
    codes = {one["engine"]["estimator"]["code"].raw for one in asked}
    return "HR" if codes & set(HAZARD_RATIOS) else "OR"


def label_of(material: Material, column: str) -> Words:
    """Return how a measure is called; nothing where the column is a part of one."""
    for measure in material.results.about["measures"].where(name=column):
        return text(measure["label"])
    return ()
