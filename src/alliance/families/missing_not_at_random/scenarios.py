"""What may be assumed of the scores after leaving: shifts of the mean that chance alone would give.

With x_t the design of a client's own course and b the coefficients, the mean after leaving (last
session at d) is, in place of x_t b (Carpenter, Roger & Kenward 2013; the names of rbmi):

    jump to reference          r_t b, the course of the reference group
    copy increments            x_d b + (r_t - r_d) b
    last mean carried forward  x_d b
    baseline mean              x_1 b, that of the client's first session
    delta                      x_t b + delta (t - d), t counted in sessions

What the scores before leaving tell of the client stays as it is: all groups have one covariance.
A share of the way moves the mean that far from missing at random to the assumption.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alliance.families.facts import Estimator
from alliance.families.missing_not_at_random.courses import Courses
from alliance.families.missing_not_at_random.imputation import Parameters
from alliance.mixed import MixedFit

SHARES = (0.5, 1.0)
STEPS = (0.1, 0.25, 0.5, 1.0)
"""Of the default grid, in residual standard deviations a session."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """An assumption.

    Attributes
    ----------
    code
        Which kind.
    x
        How far: points per session after leaving, or share of the way.
    constant
        Shift in points at every row, shape (n,).
    design
        Shift by the coefficients, shape (n, p); None where there is none.
    """

    code: Estimator
    x: float
    constant: np.ndarray
    design: np.ndarray | None = None

    def shift(self, at: Parameters) -> np.ndarray:
        """Return how far scores are shifted from missing at random, shape (n,)."""
        return self.constant if self.design is None else self.design @ at.coefficients


def default_deltas(sigma: float) -> list[float]:
    """Return the grid where the config names none, zero left out."""
    return [sign * step * sigma for step in STEPS for sign in (-1.0, 1.0)]


def scenarios(
    courses: Courses, fit: MixedFit, x: np.ndarray, column: str, groups: Sequence[str],
    deltas: Sequence[float],
) -> list[Scenario]:  # fmt: skip
    """Return missing at random, the grid of delta, and the strategies that these courses allow.

    Parameters
    ----------
    courses, fit, x
        Rows, the growth model, and its design at the rows.
    column, groups
        The groups compared, reference first; none where the model compares none.
    deltas
        Points per session after leaving.
    """
    rows, nothing = courses.rows, np.zeros(len(courses.rows))
    # ASSUME where groups are compared, the reference group's leavers are missing at random: that
    # takes most from a difference between groups.
    moved = courses.after & ((rows[column] != groups[0]).to_numpy() if groups else True)
    since = rows["since"].to_numpy(float) * moved
    found = [Scenario(Estimator.MULTIPLE_IMPUTATION, 0.0, nothing)]
    found += [Scenario(Estimator.DELTA_ADJUSTED, d, d * since) for d in sorted({*deltas} - {0.0})]
    last, first = x[rows["last"]], x[rows["first"]]
    if groups:
        of_reference = fit.prepared.user_matrix(
            fit.prepared.fixed, rows.assign(**{column: groups[0]})
        )
        targets = {
            Estimator.JUMP_TO_REFERENCE: of_reference,
            Estimator.COPY_INCREMENTS: last + of_reference - of_reference[rows["last"]],
        }
    else:
        targets = {Estimator.LAST_MEAN: last, Estimator.BASELINE_MEAN: first}
    for code, target in targets.items():
        way = (target - x) * moved[:, None]
        found += [Scenario(code, share, nothing, share * way) for share in SHARES]
    return found
