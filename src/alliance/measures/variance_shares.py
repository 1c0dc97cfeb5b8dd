"""Where a score varies: between sites, therapists, clients, or sessions of one client.

The null model y = m + site + therapist + client + session, REML by `alliance.mixed`; intervals by
parametric bootstrap, since a share near zero has no symmetric error.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.measures.resampling import percentile_interval
from alliance.mixed import fit_mixed, parametric_bootstrap

FEWEST_SITES = 3
FEWEST_SITES_TO_TRUST = 10
DRAWS = 200


@dataclass(frozen=True, slots=True)
class LevelShare:
    """The part of one level.

    Attributes
    ----------
    level
        `site`, `therapist`, `client` or `session` (what is left).
    groups
        How many there are.
    variance, share, share_low, share_high
        Variance component and its share of all.
    icc, icc_low, icc_high
        Intraclass correlation: this share and those of the levels above it, the correlation of two
        sessions that have this group in common (Raudenbush & Bryk 2002, ch. 8). None for `session`.
    """

    level: str
    groups: int
    variance: float
    share: float
    share_low: float | None
    share_high: float | None
    icc: float | None
    icc_low: float | None
    icc_high: float | None


@dataclass(frozen=True, slots=True)
class VarianceShares:
    """Shares by level, outermost first, and what could not be told apart and why."""

    levels: list[LevelShare] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


def variance_shares(scores: pd.DataFrame, seed: int, draws: int = DRAWS) -> VarianceShares:
    """Return how the variance of a score is divided.

    Parameters
    ----------
    scores
        One row per form: `score` (none missing), `site`, `client`, and `therapist` if known.
    seed
        Of the parametric bootstrap.
    """
    if scores["score"].nunique() < 2:
        return VarianceShares(messages=["The score never varies, or nobody has one."])
    if scores["client"].nunique() < 2 or scores.groupby("client").size().max() < 2:
        told = "Clients and sessions cannot be told apart: nobody has two forms, or one client all."
        return VarianceShares(messages=[told])
    levels, rows, messages = _levels(scores)
    try:
        fit = fit_mixed(
            rows[["score", *levels]],
            outcome="score",
            fixed=["1"],
            random={level: ["1"] for level in levels},
            df="none",
        )
        if not fit.convergence.converged:
            msg = "the optimiser did not reach a maximum"
            raise FitError(msg)
        # ASSUME normal effects at every level: the bootstrap draws its outcomes from them.
        drawn = parametric_bootstrap(fit, draws, seed)
    except FitError as error:
        return VarianceShares(messages=[*messages, f"The null model could not be fitted: {error}"])
    variances = np.append(fit.icc()["variance"].to_numpy(), fit.residual.sigma**2)
    names = [*(f"{level}: 1" for level in levels), "sigma"]
    resampled = drawn.components[names].to_numpy() ** 2
    shares = variances / variances.sum()
    resampled = resampled / resampled.sum(axis=1, keepdims=True)
    groups = [*(int(rows[level].nunique()) for level in levels), len(rows)]
    found = []
    for at, level in enumerate([*levels, "session"]):
        inner = level == "session"
        low, high = percentile_interval(resampled[:, at])
        icc_low, icc_high = percentile_interval(resampled[:, : at + 1].sum(axis=1))
        found.append(
            LevelShare(
                level=level,
                groups=groups[at],
                variance=float(variances[at]),
                share=float(shares[at]),
                share_low=low,
                share_high=high,
                icc=None if inner else float(shares[: at + 1].sum()),
                icc_low=None if inner else icc_low,
                icc_high=None if inner else icc_high,
            )
        )
    return VarianceShares(found, messages)


def _levels(scores: pd.DataFrame) -> tuple[list[str], pd.DataFrame, list[str]]:
    """Return the levels that can be told apart, the rows for them, and what is to be said."""
    levels, messages = [], []
    sites = scores["site"].nunique()
    if sites >= FEWEST_SITES:
        levels.append("site")
        if sites < FEWEST_SITES_TO_TRUST:
            messages.append(
                f"{sites} sites say little about how sites differ: see the interval. They are a "
                "random level here, as no share can be told otherwise; models of so few sites "
                "compare them as they are."
            )
    else:
        one = "one site" if sites == 1 else f"{sites} sites"
        messages.append(f"No share of sites: there {'is' if sites == 1 else 'are'} {one}.")
    rows = scores
    known = scores[scores["therapist"].notna()] if "therapist" in scores else scores[:0]
    therapists = known["therapist"].nunique()
    if therapists < 2 or therapists <= known["site"].nunique():
        messages.append("No share of therapists: the cohort does not tell two in one site apart.")
    elif therapists >= known["client"].nunique():
        messages.append("No share of therapists: every therapist has one client.")
    else:
        levels.append("therapist")
        rows = known
        if len(known) < len(scores):
            lost = len(scores) - len(known)
            messages.append(f"{lost} forms are left out because their therapist is not known.")
    if rows.groupby("client").size().max() < 2:
        return ["client"], scores, ["No share of therapists: too few of their clients are known."]
    return [*levels, "client"], rows, messages
