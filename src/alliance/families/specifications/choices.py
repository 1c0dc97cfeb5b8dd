"""The choices under which a coupling model is asked again, one departure at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace

from alliance.families.facts import Estimator


@dataclass(frozen=True, slots=True)
class Specification:
    """One way to ask; the defaults are the reported model.

    Attributes
    ----------
    code, name
        For programs, and in words as printed.
    mean
        `all` sessions, the `running` mean, or the `latent` mean.
    trend
        `none`, `covariate`, or `line` (residuals from the client's own line).
    lag
        Sessions between predictor and outcome: 0, 1 or 2.
    centred
        Whether the outcome now is centred at the client's own mean.
    differs
        Whether the within effect has a random slope over clients.
    four_way
        Whether therapists (and sites, where they are a random level) have parts of their own.
    over_time
        Whether the within effect may change with the log of the session's number.
    """

    code: Estimator
    name: str
    mean: str = "all"
    trend: str = "covariate"
    lag: int = 1
    centred: bool = True
    differs: bool = False
    four_way: bool = False
    over_time: bool = False


SPECIFICATIONS = (
    Specification(Estimator.REPORTED, "reported model"),
    Specification(Estimator.NO_DETRENDING, "no detrending", trend="none"),
    Specification(Estimator.OWN_LINE, "client's own line taken out", trend="line"),
    Specification(Estimator.RUNNING_MEAN, "mean so far", mean="running"),
    Specification(
        Estimator.RUNNING_MEAN_NO_DETRENDING,
        "mean so far, no detrending",
        mean="running",
        trend="none",
    ),
    Specification(Estimator.LATENT_MEAN, "latent mean", mean="latent"),
    Specification(Estimator.SAME_SESSION, "same session", lag=0),
    Specification(Estimator.TWO_SESSIONS_LATER, "two sessions later", lag=2),
    Specification(Estimator.LAG_NOT_CENTRED, "outcome now not centred", centred=False),
    Specification(
        Estimator.DIFFERS_BETWEEN_CLIENTS, "effect differs between clients", differs=True
    ),
    Specification(Estimator.THERAPISTS_APART, "therapists apart", four_way=True),
    Specification(
        Estimator.CHANGES_OVER_TREATMENT, "effect changes over treatment", over_time=True
    ),
)

# The predictor is asked before the session that the outcome is asked after: one session less lies
# between them, and the reported model is the one of the same session.
IN_THE_SESSION = [
    replace(spec, code=Estimator.NEXT_SESSION, name="next session") if spec.lag == 2 else spec
    for spec in SPECIFICATIONS
    if spec.lag
]
