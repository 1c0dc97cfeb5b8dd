"""What a test of measurement invariance answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """A step against the one before it.

    Attributes
    ----------
    chi2, df, p : float, int, float
        Likelihood ratio test.
    chi2_scaled, p_scaled : float or None
        Satorra & Bentler's (2001) scaled difference; None where its factor is not positive.
    cfi, rmsea, srmr : float
        New minus old.
    """

    chi2: float
    df: int
    p: float | None
    chi2_scaled: float | None
    p_scaled: float | None
    cfi: float
    rmsea: float
    srmr: float


@dataclass(frozen=True, slots=True)
class Step:
    """One model of the chain.

    Attributes
    ----------
    name : str
        configural, metric, scalar or strict.
    chi2, df, p, chi2_scaled, scaling : float
        Test against the saturated model.
    cfi, tli, rmsea, rmsea_low, rmsea_high, srmr, aic, bic : float
        RMSEA with its 90 % interval.
    robust : bool
        CFI, TLI and RMSEA are the robust ones, which several forms of one client do not distort.
    n_parameters : int
    converged : bool
    heywood : tuple of str
        Estimates that no population can have.
    change : Change or None
        Against the step before; None for the first.
    holds : bool or None
        By the bounds on CFI and RMSEA; None for the first, and where a fit did not converge.
    """

    name: str
    chi2: float
    df: int
    p: float | None
    chi2_scaled: float | None
    scaling: float | None
    cfi: float
    tli: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    srmr: float
    aic: float
    bic: float
    robust: bool
    n_parameters: int
    converged: bool
    heywood: tuple[str, ...]
    change: Change | None
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Release:
    """An equality given up on the way to partial invariance.

    Attributes
    ----------
    what, item : str
        e.g. 'intercept', 'wai_3'.
    chi2, df, p : float, int, float
        Score test of this equality in the model before.
    """

    what: str
    item: str
    chi2: float
    df: int
    p: float | None


@dataclass(frozen=True, slots=True)
class Partial:
    """Partial invariance at the first step that does not hold.

    Attributes
    ----------
    name : str
        The step.
    releases : tuple of Release
        In order, each the largest score test of its model.
    step : Step
        The fit with these released, compared with the last step that holds.
    reached : bool
        Whether it holds now, with at least two items of every factor still equal.
    """

    name: str
    releases: tuple[Release, ...]
    step: Step
    reached: bool


@dataclass(frozen=True, slots=True)
class Invariance:
    """Measurement invariance over groups or sessions.

    Attributes
    ----------
    over : str
        'groups' or 'sessions'.
    factors : dict
        Factor to its items.
    n : dict
        Group or session to the number of forms used (with at least one answer).
    left_out : dict
        Group, session or item to the reason why it is not compared.
    why_not : str or None
        Why nothing could be fitted.
    steps : tuple of Step
    level : str or None
        The last step that holds with all steps before it; None if the first model failed.
    partial : Partial or None
        Where a step does not hold.
    """

    over: str
    factors: dict[str, tuple[str, ...]]
    n: dict[str, int]
    left_out: dict[str, str]
    why_not: str | None
    steps: tuple[Step, ...] = ()
    level: str | None = None
    partial: Partial | None = None

    def as_record(self) -> dict[str, Any]:
        """Return plain lists and dicts; what is not defined is None."""
        return asdict(self)
