"""How the mean course changes as leaving is taken to go with it the more.

The scores that nobody gave after leaving tell nothing of the association: it rests on the model's
form. So the association is fixed on a grid, from none (missing at random) to twice as strong as the
data could bear, either way, and everything else fitted again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from alliance.confidence import NORMAL_975
from alliance.errors import FitError
from alliance.families.common.tipping import Lost, tipping_point
from alliance.families.course_and_leaving.design import Design
from alliance.mixed.joint import JointFit, Parameters, fit_joint

GRID = np.array([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0])
PLACE_OF_CHANGE = 1
"""Of the mean change per unit of time among the course's coefficients."""
FEWEST = 3
"""Points that make a curve."""


@dataclass(frozen=True, slots=True)
class Worsening:
    """The mean change at each association.

    Attributes
    ----------
    per_sd
        Association: change of the log odds of leaving with one standard deviation of the course.
    estimate, low, high
        Mean change per unit of time, and its interval.
    """

    per_sd: np.ndarray
    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def loses(self, which: Lost) -> float | None:
        """Return the nearest association at which the change loses its `sign` or `interval`.

        None where it keeps it over the whole grid, or does not have it with no association.
        """
        return tipping_point(self.per_sd, self.estimate, self.low, self.high, which)


def spread_of_course(design: Design, fit: JointFit) -> float:
    """Return the standard deviation of the course between clients, over the rows at risk."""
    z, at = design.risk.features_z[0][:, :-1], fit.parameters
    own = np.mean(np.sum((z @ at.factor) ** 2, axis=1))
    return float(np.sqrt(own + at.sd_course**2))


def worsening(design: Design, fit: JointFit) -> Worsening | None:
    """Return the mean change over the grid, either way as far as fits end; None without any."""
    sd = spread_of_course(design, fit)
    found, error = fit.parameters.alpha[0], fit.errors[fit.shape.alpha][0]
    far = abs(found) + NORMAL_975 * error
    at: dict[float, tuple[float, float]] = {}
    for side in (GRID[GRID >= 0], GRID[GRID < 0][::-1]):
        start = fit.parameters
        for share in side:
            alpha = share * far
            one = _with_association(design, fit, replace(start, alpha=np.array([alpha])))
            if one is None:
                break
            start = one.parameters
            at[alpha * sd] = (one.parameters.b[PLACE_OF_CHANGE], one.errors[PLACE_OF_CHANGE])
    if 0.0 not in at or len(at) < FEWEST:
        return None
    per_sd = np.array(sorted(at))
    estimate, se = np.array([at[x] for x in per_sd]).T
    return Worsening(per_sd, estimate, estimate - NORMAL_975 * se, estimate + NORMAL_975 * se)


def _with_association(design: Design, fit: JointFit, start: Parameters) -> JointFit | None:
    """Return the fit with the association as it stands in `start`; None where it does not end."""
    try:
        found = fit_joint(design.courses, design.risk, start, therapist=design.therapist,
                          fixed_alpha=True, known=fit)  # fmt: skip
    except FitError:
        return None
    return found if found.convergence.converged else None
