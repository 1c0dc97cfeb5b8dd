"""What the results text says of the hazard of leaving."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.facts import Estimator
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import counted, interval, joined, say, symbol, text
from alliance.manuscript.sections.of_families import Groups, is_by
from alliance.manuscript.statistics import direction, main_effects, statistics, told


def found(material: Material, fits: Sequence[Field]) -> Groups:
    """Return what the models found, model by model."""
    return [(_hazard(material, fit), [fit]) for fit in fits]


def _hazard(material: Material, fit: Field) -> Words:
    if is_by(fit, Estimator.MULTINOMIAL_LOGIT):
        each = [told(material, entry, "OR") for entry in main_effects(fit)]
        return say("With several ends at once: ", joined(each), ".") if each else ()
    odds = [
        say("The odds of leaving after a session were ", direction(entry, "higher", "lower"), " ",
            text(entry["unit"], "per"), " of ", text(entry["label"]), ", ",
            statistics(material, entry, "OR"), _points(fit, entry), ".")
        for entry in main_effects(fit)
    ]  # fmt: skip
    return say(_events(fit), joined(odds, " "), _foretold(fit))


def _events(fit: Field) -> Words:
    counts = fit["fit_statistics"]
    if "events" not in counts or counts["events"].raw is None:
        return ()
    return say("After ", counted(fit["data"]["rows_used"], "session", "sessions"), " at risk, ",
               text(fit["outcome"]["label"]), " occurred ",
               counted(counts["events"], "time", "times"), ". ")  # fmt: skip


def _points(fit: Field, entry: Field) -> Words:
    """Return the average marginal effect in percentage points."""
    for one in fit["marginal_effects"].where(term=entry["term"].raw):
        if one["estimate"].raw is not None:
            return say(", on average ", text(one["estimate"], "percentage-points:2"),
                       " percentage points",
                       interval(one["ci_low"], one["ci_high"], "percentage-points:2"))  # fmt: skip
    return ()


def _foretold(fit: Field) -> Words:
    known = fit["fit_statistics"]
    if "cross_validated_auc" not in known or known["cross_validated_auc"].raw is None:
        return ()
    return say(" Among clients whom the model had not seen, the area under the curve was ",
               symbol("AUC", known["cross_validated_auc"], "correlation"), ".")  # fmt: skip
