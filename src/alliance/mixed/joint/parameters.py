"""The parameters of a joint model, and their place in one vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Shape:
    """How many parameters of each kind there are, and whether therapists have effects."""

    p: int
    q: int
    h: int
    features: int
    therapists: bool

    @property
    def ends(self) -> np.ndarray:
        """Where b, log sigma, the factor, gamma, alpha and the therapists' SDs end."""
        sizes = [self.p, 1, self.q * (self.q + 1) // 2, self.h, self.features]
        return np.cumsum([*sizes, 2 if self.therapists else 0])

    @property
    def alpha(self) -> slice:
        """Where the associations stand."""
        return slice(int(self.ends[3]), int(self.ends[4]))

    @property
    def sds(self) -> list[int]:
        """Where what may be zero stands: the factor's diagonal and the therapists' SDs."""
        first = int(self.ends[1])
        diagonal = [first + k * (k + 3) // 2 for k in range(self.q)]
        return diagonal + list(range(int(self.ends[4]), int(self.ends[5])))


@dataclass(frozen=True, slots=True)
class Parameters:
    """One point.

    Attributes
    ----------
    b
        Mean course, shape (p,).
    sigma
        Residual standard deviation of the course.
    factor
        Lower triangular, of the clients' effects: their covariance is factor factor', shape (q, q).
    gamma
        Hazard without the course, shape (h,).
    alpha
        Association of each feature of the course with the hazard, shape (F,).
    sd_course, sd_hazard
        Standard deviations of therapists' levels of the course and of the hazard.
    """

    b: np.ndarray
    sigma: float
    factor: np.ndarray
    gamma: np.ndarray
    alpha: np.ndarray
    sd_course: float = 0.0
    sd_hazard: float = 0.0

    @property
    def scale(self) -> np.ndarray:
        """Matrix from standard normal effects to (u, v, w), shape (q + 2, q + 2)."""
        q = len(self.factor)
        found = np.zeros((q + 2, q + 2))
        found[:q, :q] = self.factor
        found[q, q], found[q + 1, q + 1] = self.sd_course, self.sd_hazard
        return found

    def packed(self, shape: Shape) -> np.ndarray:
        """Return the vector of the parameters."""
        sds = [self.sd_course, self.sd_hazard] if shape.therapists else []
        own = self.factor[np.tril_indices(shape.q)]
        return np.concatenate([self.b, [np.log(self.sigma)], own, self.gamma, self.alpha, sds])


def unpacked(theta: np.ndarray, shape: Shape) -> Parameters:
    """Return the parameters at a vector."""
    b, log_sigma, lower, gamma, alpha, sds, _ = np.split(theta, shape.ends)
    factor = np.zeros((shape.q, shape.q))
    factor[np.tril_indices(shape.q)] = lower
    more = (float(sds[0]), float(sds[1])) if shape.therapists else ()
    return Parameters(b, float(np.exp(log_sigma[0])), factor, gamma, alpha, *more)
