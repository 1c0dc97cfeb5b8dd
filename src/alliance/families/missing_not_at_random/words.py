"""What the methods text says of growth models under other assumptions about what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.facts import Estimator
from alliance.findings.fields import Field
from alliance.manuscript.material import Material
from alliance.manuscript.prose import say
from alliance.manuscript.sections.of_families import Groups, estimators


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made."""
    names = estimators(fits)
    words = say(
        "How much a mean change rests on the assumption that scores after leaving are missing at "
        "random was judged by other assumptions. Scores after dropout and on skipped forms were "
        "imputed from the mixed model, clients within therapists, with parameters drawn by "
        "parametric bootstrap, and pooled by Rubin's rules with Barnard and Rubin's degrees of "
        "freedom; imputed scores were then taken to fall short of that by a fixed number of points "
        "more at each session after leaving",
    )
    if Estimator.JUMP_TO_REFERENCE in names:
        words = say(words, ", or to have the mean of the reference group, or its change")
    else:
        words = say(words, ", or to change no further on average, or to return to the beginning")
    words = say(words, ". Courses were imputed as if nobody had dropped out before the session by "
                "which the half of the others had ended.")  # fmt: skip
    if Estimator.PATTERN_MIXTURE in names:
        words = say(words, " In a pattern mixture those who dropped out had levels and slopes of "
                    "their own by time of leaving, averaged over who left when; the variance of "
                    "their shares, clustered, was added by the delta method.")  # fmt: skip
    if Estimator.WEIGHTED_FOR_STAYING in names:
        words = say(words, " With weights, the course was fitted by least squares with standard "
                    "errors robust to clustering, scores weighted by the inverse of the "
                    "probability of staying by a discrete-time hazard given the last known score "
                    "(stabilised, cut off at the lowest and highest percentile).")  # fmt: skip
    return [(words, fits)]
