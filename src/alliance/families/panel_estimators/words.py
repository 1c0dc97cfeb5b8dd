"""What the methods text says of the panel estimators."""

from __future__ import annotations

from collections.abc import Sequence

from alliance.families.facts import Assumption, Estimator, Tested, has
from alliance.findings.fields import Field
from alliance.manuscript.blocks import Words
from alliance.manuscript.material import Material
from alliance.manuscript.prose import joined, say
from alliance.manuscript.sections.of_families import Groups, estimators

WORKS = {
    Estimator.HALF_PANEL_JACKKNIFE: ("half-panel jackknife", ("dhaene2015",)),
    Estimator.DIFFERENCE_GMM: ("difference GMM", ("arellano1991",)),
    Estimator.SYSTEM_GMM: ("system GMM", ("blundell1998",)),
    Estimator.DYNAMIC_PANEL_MODEL: ("dynamic panel model", ("allison2017",)),
    Estimator.RANDOM_INTERCEPTS_MODEL: (
        "random-intercept cross-lagged model",
        ("hamaker2015critique",),
    ),
}


def methods(material: Material, fits: Sequence[Field]) -> Groups:
    """Return how the models were made."""
    return [(_panel(material, fits), fits)]


def _panel(material: Material, fits: Sequence[Field]) -> Words:
    names = estimators(fits)
    words = say("The same effect was estimated by methods that assume no distribution of clients",
                say(": ", joined([*names.values()])) if names else (), ".")  # fmt: skip
    cited = [
        say(name, " ", material.references.cite(*works))
        for code, (name, works) in WORKS.items()
        if code in names
    ]
    if cited:
        words = say(words, " Some are designed for a lagged outcome in short courses: ",
                    joined(cited), ".")  # fmt: skip
    if {Estimator.DIFFERENCE_GMM, Estimator.SYSTEM_GMM} & set(names):
        words = say(words, " GMM was in two steps with collapsed instruments and corrected "
                    "standard errors ", material.references.cite("windmeijer2005"), "; Hansen's "
                    "test and that of second-order autocorrelation are reported.")  # fmt: skip
    if {Estimator.DYNAMIC_PANEL_MODEL, Estimator.RANDOM_INTERCEPTS_MODEL} & set(names):
        words = say(words, " The structural models were fitted by full information maximum "
                    "likelihood with robust standard errors.")  # fmt: skip
    tests = {
        "hausman1978": (Tested.HAUSMAN, "the fixed and the random effects"),
        "mundlak1978": (Tested.MUNDLAK, "the within- and the between-client coefficients"),
    }
    for work, (code, what) in tests.items():
        if any(
            test["statistic"].raw is not None
            for fit in fits
            for test in fit["tests"].where(code=code)
        ):
            words = say(words, f" Whether {what} agree was tested after ",
                        material.references.name(work), ".")  # fmt: skip
    if any(has(fit["assumptions"].raw, Assumption.SHORT_COURSE_BIAS) for fit in fits):
        words = say(words, " With few sessions a client, the coefficient of the lagged outcome is "
                    "biased in a known direction ",
                    material.references.cite("nickell1981"), ".")  # fmt: skip
    return words
