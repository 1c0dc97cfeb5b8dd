"""Influence: what the main effects would be without one therapist, one site, one client.

The model is fitted again without the group, its variances too (Snijders & Bosker, 2012, sect.
10.7), from the optimum of the whole fit. Of an effect b with b(-j) and se(-j) without group j:

    DFBETAS_j = (b - b(-j)) / se(-j),    conspicuous beyond 2 / sqrt(number of groups)

(Belsley, Kuh & Welsch, 1980, ch. 2; for groups Nieuwenhuis, te Grotenhuis & Pelzer, 2012), and of
all p fixed effects together, with their covariance V in the whole fit,

    D_j = (b - b(-j))' V^-1 (b - b(-j)) / p,    conspicuous beyond 4 / number of groups

(Cook, 1977). Only the extremes, counts and shares are kept: no group is named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.families.diagnostics.reading import Effect, Reader
from alliance.families.diagnostics.screening import Screen
from alliance.families.fit import Estimate

LEVELS = ("therapist", "site", "client")


@dataclass(slots=True)
class Refits:
    """What was found without each group of one level.

    Attributes
    ----------
    left_out
        The level.
    groups
        How many it has.
    effects
        Of each refit, by term; a term that it lacks is not there.
    cooks
        Cook's distance of each refit that has all coefficients.
    failed
        Without how many groups there is no fit.
    in_full
        For how many groups the model was fitted again from the rows.
    message
        Why there are none.
    """

    left_out: str
    groups: int
    effects: list[dict[str, Effect]] = field(default_factory=list)
    cooks: list[float] = field(default_factory=list)
    failed: int = 0
    in_full: int = 0
    message: str = ""

    def add(self, effects: dict[str, Effect] | None, cook: float | None) -> None:
        """Add what was found without one group; None where there is no fit."""
        if effects is None:
            self.failed += 1
        else:
            self.effects.append(effects)
        if cook is not None:
            self.cooks.append(cook)


def leave_out(
    rows: pd.DataFrame,
    level: str,
    refit: Callable[[np.ndarray], Any],
    reader: Reader,
    whole: Any,
    screen: Callable[[Sequence[np.ndarray]], Screen] | None = None,
    mains: Sequence[Estimate] = (),
) -> Refits:
    """Fit without each group of a level.

    Parameters
    ----------
    rows
        What the model was fitted to, with `client` and the level.
    level
        Column of the groups.
    refit
        From the ids of clients to the fit without them; raises `FitError`.
    reader
        Reads the main effects.
    whole
        The fit to all rows.
    screen
        From the clients of each group to what is known without refits; by default nothing is.
    mains
        The main effects in the whole fit, whose numbers are printed.
    """
    groups, found = groups_of(rows, level)
    if found.message:
        return found
    known = screen(groups) if screen else None
    names, b = coefficients_of(whole)
    inverse = np.linalg.inv(whole.covariance.to_numpy())
    full: dict[int, tuple[dict[str, Effect] | None, float | None]] = {}
    ask = known.doubtful(mains) if known else set(range(len(groups)))
    while ask:
        for place in sorted(ask):
            full[place] = None, None
            with suppress(FitError):
                fit = refit(groups[place])
                if fit.convergence.converged:
                    own, values = coefficients_of(fit)
                    cook = cooks_distance(b - values, inverse) if own == names else None
                    full[place] = reader.of(fit), cook
            if known:
                known.put(place, *full[place])
        ask = known.doubtful(mains) if known else set()
    for place in range(len(groups)):
        if known and place not in full:
            found.add(*known.of_group(place))
        else:
            found.add(*full[place])
    found.in_full = len(full)
    return found


def coefficients_of(fit: Any) -> tuple[list[str], np.ndarray]:
    """Return names and estimates of the fixed effects, of either engine."""
    table = fit.coefficients
    return list(table["term"]), table["estimate"].to_numpy()


def cooks_distance(change: np.ndarray, inverse: np.ndarray) -> float:
    """Return Cook's distance from the change of the fixed effects and their inverse covariance."""
    return float(change @ inverse @ change) / len(change)


def groups_of(rows: pd.DataFrame, level: str) -> tuple[list[np.ndarray], Refits]:
    """Return the clients of each group, in the order of the groups' names."""
    if level not in rows or rows[level].isna().all():
        return [], Refits(level, 0, message=f"No {level} is known.")
    by_group = rows.groupby(level, sort=True)["client"].unique()
    found = Refits(level, len(by_group))
    if len(by_group) < 2:
        found.message = f"There is one {level} only: nothing is left without it."
    return list(by_group), found


def summary(found: Refits) -> dict[str, Any]:
    """Return the level's block: refits, failures, Cook's distances."""
    n = found.groups
    limit = 4.0 / n if found.cooks else None
    return {
        "left_out": found.left_out,
        "groups": n,
        "refits": len(found.effects),
        "failed": found.failed,
        "in_full": found.in_full,
        "largest_cooks_distance": max(found.cooks, default=None),
        "cooks_limit": limit,
        "cooks_flagged": sum(d > limit for d in found.cooks) if limit else None,
        "message": found.message
        or ("" if found.effects else f"Without any one {found.left_out} the model has no fit."),
    }


def effect_rows(found: Refits, mains: Sequence[Estimate]) -> list[dict[str, Any]]:
    """Return what became of each main effect without one group of the level."""
    rows = []
    for main in mains:
        without = [effects[main.term] for effects in found.effects if main.term in effects]
        if without and main.estimate is not None:
            rows.append(_row(found, main, without))
    return rows


def _row(found: Refits, main: Estimate, without: Sequence[Effect]) -> dict[str, Any]:
    b, limit = float(main.estimate or 0.0), 2.0 / np.sqrt(found.groups)
    estimate = np.array([effect.estimate for effect in without])
    change = (b - estimate) / np.array([effect.se for effect in without])
    return {
        "term": main.term,
        "label": main.label,
        "unit": main.unit,
        "left_out": found.left_out,
        "groups": found.groups,
        "refits": len(without),
        "failed": found.groups - len(without),
        "lowest": float(estimate.min()),
        "highest": float(estimate.max()),
        "largest_dfbetas": float(change[np.argmax(np.abs(change))]),
        "limit": float(limit),
        "flagged": int((np.abs(change) > limit).sum()),
        "sign_changes": int((np.sign(estimate) != np.sign(b)).sum()),
        "conclusion_changes": _conclusion_changes(main, without),
    }


def _conclusion_changes(main: Estimate, without: Sequence[Effect]) -> int | None:
    if main.ci_low is None or main.ci_high is None:
        return None
    side = _side(main.ci_low, main.ci_high)
    return sum(_side(effect.low, effect.high) != side for effect in without)


def _side(low: float, high: float) -> int:
    """Return on which side of zero an interval lies: 1, -1, or 0 where it holds zero."""
    return 1 if low > 0 else -1 if high < 0 else 0
