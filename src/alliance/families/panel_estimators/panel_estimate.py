"""What a panel estimator gives, how it is called, and what it takes for granted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from alliance.families.facts import Assumption, Estimator, Fact

WITHIN, BETWEEN, BOTH = "within-client", "between-client", "both"

NAMES: Mapping[Estimator, str] = {
    Estimator.FIXED_EFFECTS: "client fixed effects",
    Estimator.HALF_PANEL_JACKKNIFE: "client fixed effects, half-panel jackknife",
    Estimator.ANDERSON_HSIAO: "Anderson-Hsiao",
    Estimator.DIFFERENCE_GMM: "difference GMM",
    Estimator.SYSTEM_GMM: "system GMM",
    Estimator.DYNAMIC_PANEL_MODEL: "dynamic panel model",
    Estimator.RANDOM_INTERCEPTS_MODEL: "random-intercept cross-lagged panel model",
    Estimator.BETWEEN: "between, client means",
    Estimator.RANDOM_EFFECTS: "random effects, Swamy-Arora",
}
"""In the order of print."""

ASSUMED: Mapping[Estimator, Fact] = {
    Estimator.FIXED_EFFECTS: Fact(
        Assumption.STRICT_EXOGENEITY,
        "The predictor does not answer to earlier outcomes, and courses are long: else off by "
        "about one part in the number of sessions.",
    ),
    Estimator.HALF_PANEL_JACKKNIFE: Fact(
        Assumption.SAME_DYNAMICS_IN_BOTH_HALVES,
        "Dynamics are the same in both halves of treatment; takes out the first-order bias of "
        "short courses, not all of it.",
    ),
    Estimator.ANDERSON_HSIAO: Fact(
        Assumption.SHOCKS_NOT_CORRELATED,
        "Shocks of different sessions are not correlated; clients differ by a constant.",
    ),
    Estimator.DIFFERENCE_GMM: Fact(
        Assumption.SHOCKS_NOT_CORRELATED,
        "Shocks of different sessions are not correlated; clients differ by a constant; earlier "
        "sessions foretell changes well enough to be instruments.",
    ),
    Estimator.SYSTEM_GMM: Fact(
        Assumption.CHANGES_UNRELATED_TO_CONSTANT,
        "As difference GMM, and changes of both measures are unrelated to the client's constant: "
        "no trend that goes with the level.",
    ),
    Estimator.DYNAMIC_PANEL_MODEL: Fact(
        Assumption.EFFECTS_SAME_AT_EVERY_SESSION,
        "Clients differ by a constant that may go with everything; shocks are not correlated and "
        "of one variance; no lines of their own.",
    ),
    Estimator.RANDOM_INTERCEPTS_MODEL: Fact(
        Assumption.STABLE_LEVELS,
        "Clients differ by a stable level in each measure; everything else is deviation: no lines "
        "of their own.",
    ),
    Estimator.BETWEEN: Fact(
        Assumption.LEVELS_COMPARED,
        "Compares clients, not sessions: whatever makes clients differ is in it.",
    ),
    Estimator.RANDOM_EFFECTS: Fact(
        Assumption.CONSTANT_UNRELATED,
        "The client's constant is unrelated to predictor and outcome now; the latter cannot hold.",
    ),
}


@dataclass(frozen=True, slots=True)
class PanelEstimate:
    """One estimator's coefficients.

    Attributes
    ----------
    estimator
        Which one, and how its standard errors were computed.
    level
        Which differences it uses: `within-client`, `between-client`, or `both`.
    coefficients, se
        By regressor.
    df
        Degrees of freedom of t by regressor; None for the normal distribution.
    n_rows
        Rows, differences or clients that it rests on.
    """

    estimator: Fact
    level: str
    coefficients: pd.Series
    se: pd.Series
    df: pd.Series | None
    n_rows: int


def sentence(words: str) -> str:
    """Return words as a sentence begins."""
    return words[:1].upper() + words[1:]
