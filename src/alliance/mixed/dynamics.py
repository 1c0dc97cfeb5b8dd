"""Residual dynamics on the user's scale, at the estimates or at any parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alliance.errors import FitError
from alliance.mixed.course_parameters import CourseParameters
from alliance.mixed.residual_course import CourseCovariance

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit


@dataclass(frozen=True, slots=True)
class Dynamics:
    """What is carried over from session to session within clients; keys are groups.

    With one group the only key is ``"all"``. Rows are the outcomes that are acted on, columns those
    that act.

    Attributes
    ----------
    coefficients : dict of pandas.DataFrame
        Phi over one session, or over one unit of time.
    drift : dict of pandas.DataFrame
        Drift matrix per unit of time (continuous time; else empty).
    covariance : dict of pandas.DataFrame
        V, stationary covariance within clients.
    innovations : dict of pandas.DataFrame
        Q = V - Phi V Phi'.
    errors : dict of pandas.Series
        Variances of the error of measurement.
    largest_eigenvalue : dict of float
        Largest modulus of Phi's eigenvalues: stable below 1.
    """

    coefficients: dict[Any, pd.DataFrame]
    drift: dict[Any, pd.DataFrame]
    covariance: dict[Any, pd.DataFrame]
    innovations: dict[Any, pd.DataFrame]
    errors: dict[Any, pd.Series]
    largest_eigenvalue: dict[Any, float]


@dataclass(frozen=True, slots=True)
class Point:
    """Covariances and coefficients on the user's scale at any parameters of a fit.

    Attributes
    ----------
    fit : MixedFit
    theta : numpy.ndarray
        Parameters of the engine.
    tau : float
        Log of the scale sigma^2 (of the first outcome's V) on the engine's scale.
    """

    fit: MixedFit
    theta: np.ndarray
    tau: float
    _known: dict[Any, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, fit: MixedFit) -> Point:
        """At the estimates."""
        sigma2 = fit.optimum.expansion.profile.sigma2
        return cls(fit, fit.optimum.theta, float(np.log(sigma2)))

    @property
    def _parameters(self) -> CourseParameters:
        return course_structure(self.fit).parameters

    @property
    def _rho(self) -> np.ndarray:
        return self.theta[: self._parameters.n_parameters]

    @property
    def _scales(self) -> np.ndarray:
        return self.fit.prepared.outcomes.scales

    def phi(self, group: int = 0, distance: float = 1.0) -> np.ndarray:
        """Coefficients over a distance, shape (outcomes, outcomes)."""

        def compute() -> np.ndarray:
            unit = self._scales[:, None] / self._scales
            return np.asarray(self._parameters.coefficients(self._rho, group, distance) * unit)

        return self._once(("phi", group, distance), compute)

    def drift(self, group: int = 0) -> np.ndarray:
        """Drift matrix per unit of time (continuous time)."""
        return np.asarray(
            self._parameters.drift(self._rho, group) * self._scales[:, None] / self._scales
        )

    def within(self, group: int = 0) -> np.ndarray:
        """Stationary covariance V."""

        def compute() -> np.ndarray:
            size = np.outer(self._scales, self._scales) * np.exp(self.tau)
            return np.asarray(self._parameters.relative(self._rho, self._own_within(group)) * size)

        return self._once(("within", group), compute)

    def errors(self, group: int = 0) -> np.ndarray:
        """Variances of the error of measurement."""
        relative = self._parameters.errors(self._rho, self._own_within(group))
        return np.asarray(relative * self._scales**2 * np.exp(self.tau))

    def level(self, depth: int) -> np.ndarray:
        """Covariance of the random effects of a level."""
        from alliance.mixed.inference.natural import user_covariance

        return self._once(
            ("level", depth), lambda: user_covariance(self.fit, self.theta, self.tau, depth)
        )

    def _once(self, key: Any, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """Give a matrix that several quantities ask for; computed at the first call."""
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]

    def _own_within(self, group: int) -> int:
        return group if self._parameters.by_client else 0


def course_structure(fit: MixedFit) -> CourseCovariance:
    """Residual structure of a fit with residual dynamics.

    Raises
    ------
    FitError
        The fit has none.
    """
    structure = fit.prepared.residual
    if not isinstance(structure, CourseCovariance):
        raise FitError("The fit has no residual dynamics: fit it with residual='var1' or 'cvar1'.")
    return structure


def dynamics(fit: MixedFit) -> Dynamics:
    """Give the residual dynamics of a fit with ``residual="var1"`` or ``"cvar1"``.

    Raises
    ------
    FitError
        The fit has none.
    """
    own, point = course_structure(fit).parameters, Point.of(fit)
    names = list(own.outcomes)
    groups = list(enumerate(own.groups or ["all"]))

    def square(matrix: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(matrix, index=names, columns=names)

    phi = {key: point.phi(group) for group, key in groups}
    within = {key: point.within(group) for group, key in groups}
    return Dynamics(
        {key: square(matrix) for key, matrix in phi.items()},
        {key: square(point.drift(group)) for group, key in groups if own.continuous},
        {key: square(matrix) for key, matrix in within.items()},
        {key: square(v - phi[key] @ v @ phi[key].T) for key, v in within.items()},
        {key: pd.Series(point.errors(group), index=names) for group, key in groups},
        {key: float(np.abs(np.linalg.eigvals(matrix)).max()) for key, matrix in phi.items()},
    )
