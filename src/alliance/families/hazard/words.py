"""What the methods text says of the hazard of leaving."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.common.clustered_words import by_cr2
from alliance.families.facts import Assumption, Estimator, has
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import joined, say, text
from alliance.manuscript.sections.of_families import Groups, is_by


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made: of one end, then of several at once."""
    single = [fit for fit in fits if not is_by(fit, Estimator.MULTINOMIAL_LOGIT)]
    several = [fit for fit in fits if is_by(fit, Estimator.MULTINOMIAL_LOGIT)]
    return [
        (_hazard(material, single) if single else (), single),
        (_multinomial(several) if several else (), several),
    ]


def _hazard(material: Material, fits: Sequence[Field]) -> Words:
    how = {e.raw: text(e) for e in (fit["engine"]["estimator"]["text"] for fit in fits)}
    words = say("The risk of leaving after a session was modelled session by session, as a hazard "
                "in discrete time ", material.references.cite("singer1993"),
                ", estimated by ", joined([*how.values()]),
                ".")  # fmt: skip
    if any(has(fit["assumptions"].raw, Assumption.NO_LOOK_AHEAD) for fit in fits):
        words = say(words, " Predictors were limited to what was known at the session: the last "
                    "known score, as its deviation from the mean of the client's scores before "
                    "it, and that mean.")  # fmt: skip
    words = say(
        words,
        " All clients who attended a session and whose further course is known were at risk "
        "after it, including those whose treatment ended otherwise there (cause-specific hazard).",
    )
    beside = {c["estimator"]["code"].raw for fit in fits for c in fit["companions"]}
    if Estimator.AVERAGED_OVER_THERAPISTS in beside:
        words = say(words, " Effects averaged over therapists, with cluster-robust standard errors",
                    by_cr2(material, fits), ", are reported beside them.")  # fmt: skip
    if any(fit["marginal_effects"] for fit in fits):
        words = say(words, " Average marginal effects give the difference in probability, in "
                    "percentage points, for one unit more of a predictor.")  # fmt: skip
    if any("cross_validated_auc" in fit["fit_statistics"] for fit in fits):
        words = say(words, " How well the model predicts clients that it has not seen was assessed "
                    "by cross-validation.")  # fmt: skip
    return words


def _multinomial(fits: Sequence[Field]) -> Words:
    return ("Several ways of leaving were modelled at once, each against none of them, by a "
            "multinomial logit model with cluster-robust standard errors.",)  # fmt: skip
