"""Which counts are hidden so that no small one can be reckoned from the others.

The least hiding is found over all tables together. A master problem (mixed-integer, HiGHS) chooses
what is hidden. For each hidden count the attacker's own linear programme then asks between which
values it can lie; where these are too close, the dual prices of that programme are a cut that every
safe choice satisfies (Fischetti & Salazar, 2001, Management Science 47(7), 1008-1027, with shown
counts known up to their rounding), and the master chooses again. It ends when the attacker fails.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from alliance.sharing.bounds import bound, matrix_of
from alliance.sharing.counts import Counts, Rule

MOST_ROUNDS = 60
TOTAL_WEIGHT = 4.0  # a total is worth more to a reader than a part
ROUND_OFF = 1e-6


@dataclass(frozen=True, slots=True)
class _Problem:
    """All counts as arrays; `free` may be hidden or shown, `fixed` are hidden in any case."""

    equations: csr_array
    shown: np.ndarray  # (2, counts): limits where shown
    hidden: np.ndarray  # (2, counts): limits where hidden
    fixed: np.ndarray
    free: np.ndarray
    weights: np.ndarray
    asked: np.ndarray  # counts that need their width wherever they are hidden

    def limits(self, choice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return lower and upper limits of all counts under a choice of what is hidden."""
        low, high = self.shown + choice * (self.hidden - self.shown)
        return low, high


def hidden_counts(counts: Counts, rule: Rule) -> set[str]:
    """Return the keys of printed counts that must be hidden, small ones and their neighbours."""
    if not counts.values:
        return set()
    problem = _problem(counts, rule)
    cuts: list[tuple[np.ndarray, float]] = []
    choice = problem.fixed.astype(float)
    for _ in range(MOST_ROUNDS):
        fresh = _cuts(problem, choice, rule.width)
        if not fresh:
            break
        cuts += fresh
        choice = _cheapest(problem, cuts)
    else:  # safe whatever it was: nothing of these tables is shown
        choice = np.ones_like(choice)
    unprinted = counts.unprinted()
    return {
        key
        for key, is_hidden in zip(counts.values, choice > 0.5, strict=True)
        if is_hidden and key not in unprinted
    }


def _problem(counts: Counts, rule: Rule) -> _Problem:
    order = {key: place for place, key in enumerate(counts.values)}
    values = np.array(list(counts.values.values()), float)
    small, unprinted = counts.small(rule), counts.unprinted()
    fixed = np.array([key in small or key in unprinted for key in order])
    asked = np.array([key not in unprinted or key in small for key in order])
    # A limit for what is hidden makes the attacker stronger than he is: more than everybody.
    most = values.max() + 4 * rule.width
    least = np.array([counts.least.get(key, 0) for key in order], float)
    hidden = np.vstack([least, np.full(len(values), most)])
    shown = np.array([rule.reach(rule.shown(int(value))) for value in values], float).T
    shown[:, fixed] = hidden[:, fixed]
    weights = 1.0 + np.log1p(values)
    weights[[key in counts.totals for key in order]] *= TOTAL_WEIGHT
    equations = matrix_of(counts.equations, order)
    return _Problem(equations, shown, hidden, fixed, ~fixed, weights, asked)


def _cuts(problem: _Problem, choice: np.ndarray, width: int) -> list[tuple[np.ndarray, float]]:
    """Return a cut for each hidden count that the attacker bounds too closely."""
    lower, upper = problem.limits(choice)
    cuts = []
    least, most = np.full(len(choice), np.inf), np.full(len(choice), -np.inf)
    for target in np.flatnonzero((choice > 0.5) & problem.asked):
        if most[target] - least[target] >= width:
            continue  # counts that were found for another one show it already
        found = bound(int(target), problem.equations, lower, upper)
        least, most = np.minimum(least, found.at.min(0)), np.maximum(most, found.at.max(0))
        if found.width >= width - ROUND_OFF:
            continue
        # width(choice) <= start + gains @ choice, for any choice: the prices stay dual feasible
        gains = found.lower * (problem.shown[0] - problem.hidden[0]) + found.upper * (
            problem.hidden[1] - problem.shown[1]
        )
        gains = np.where(problem.free, np.maximum(gains, 0.0), 0.0)
        missing = width - (found.width - gains @ choice)
        row = np.minimum(gains, missing)
        if problem.free[target]:
            row[target] -= missing
            cuts.append((row, 0.0))
        else:
            cuts.append((row, missing))
    return cuts


def _cheapest(problem: _Problem, cuts: list[tuple[np.ndarray, float]]) -> np.ndarray:
    rows = np.vstack([row for row, _ in cuts])
    least = np.array([right for _, right in cuts])
    found = milp(
        np.where(problem.free, problem.weights, 0.0),
        constraints=LinearConstraint(csr_array(rows), least - ROUND_OFF, np.inf),
        bounds=Bounds(problem.fixed.astype(float), 1.0),
        integrality=np.ones(rows.shape[1]),
        options={"time_limit": 20.0, "mip_rel_gap": 0.02},
    )
    if found.x is None:
        return np.ones(rows.shape[1])
    chosen: np.ndarray = np.round(found.x)
    return chosen
