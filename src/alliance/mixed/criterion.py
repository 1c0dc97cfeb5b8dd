"""The profiled ML and REML criteria, their gradient and exact Hessian.

With T = C' V^-1 C split into fixed columns X and outcome y (Bates et al. 2015, eq. 41 and 42):

    b = T_XX^-1 T_Xy,   rss = T_yy - T_yX b,
    ML:    -2 log L = log|V| + n [1 + log(2 pi rss / n)],
    REML:  -2 log L = log|V| + log|T_XX| + (n - p) [1 + log(2 pi rss / (n - p))].

Derivatives in the covariances s_i, with w = (-b, 1), Phi = T_XX^-1:

    d rss_i   = w' T_i w,
    d2 rss_ij = w' T_ij w - 2 (T_i w)_X' Phi (T_j w)_X,
    d log|T_XX|_i   = tr(Phi T_i),
    d2 log|T_XX|_ij = tr(Phi T_ij) - tr(Phi T_i Phi T_j).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from alliance.mixed.problem import Problem, QuadraticForm
from alliance.mixed.residual_course import CourseCovariance


@dataclass(frozen=True, slots=True)
class Profile:
    """Fixed effects and residual variance at given covariance parameters.

    Attributes
    ----------
    deviance : float
        -2 log-likelihood (REML or ML) on the internal scale.
    coefficients : numpy.ndarray
        Internal b, shape (p,).
    unscaled : numpy.ndarray
        Phi = (X' V^-1 X)^-1 relative to the residual variance, shape (p, p).
    sigma2 : float
        Residual variance.
    """

    deviance: float
    coefficients: np.ndarray
    unscaled: np.ndarray
    sigma2: float
    rss: float
    log_det_x: float


@dataclass(frozen=True, slots=True)
class Expansion:
    """Criterion with gradient and Hessian in the covariances and in the optimiser's parameters.

    Attributes
    ----------
    profile : Profile
    form : QuadraticForm
    covariance_gradient, covariance_hessian : numpy.ndarray
        In the relative covariances, shapes (m,) and (m, m).
    gradient, hessian : numpy.ndarray
        In the Cholesky factors, same shapes.
    """

    profile: Profile
    form: QuadraticForm
    covariance_gradient: np.ndarray
    covariance_hessian: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray

    @property
    def deviance(self) -> float:
        """-2 log-likelihood on the internal scale."""
        return self.profile.deviance


@dataclass(frozen=True, slots=True)
class FullExpansion:
    """-2 log L with the residual variance as a parameter: value, gradient and Hessian.

    The parameters are the relative covariances s and tau = log sigma^2, shapes (m + 1,) and
    (m + 1, m + 1).
    """

    deviance: float
    gradient: np.ndarray
    hessian: np.ndarray


@dataclass(slots=True)
class Criterion:
    """ML or REML criterion of a problem.

    Attributes
    ----------
    problem : Problem
    fixed : numpy.ndarray
        Columns of the fixed part, shape (p,).
    reml : bool
    evaluations : int
        Number of evaluations so far; one with derivatives counts once.
    """

    problem: Problem
    fixed: np.ndarray
    reml: bool
    evaluations: int = 0
    _last: tuple[np.ndarray, Profile | None] | None = None

    @property
    def degrees(self) -> int:
        """Degrees of freedom of rss: n - p for REML, n for ML."""
        return self.problem.n_rows - (len(self.fixed) if self.reml else 0)

    def profile(self, form: QuadraticForm) -> Profile | None:
        """Profile out b and the residual variance; None where T is not positive definite."""
        x = self.fixed
        t_xx = form.t[x[:, None], x]
        t_xy = form.t[x, -1]
        if not np.isfinite(form.log_det + form.t.sum()):
            return None
        if len(x):
            chol, failed = dpotrf(t_xx, lower=1)
            if failed:
                return None
            b = dpotrs(chol, t_xy, lower=1)[0].ravel()
            unscaled, _ = dpotrs(chol, np.eye(len(x)), lower=1)
            log_det_x = 2.0 * float(np.log(chol.diagonal()).sum())
        else:  # the only coefficient is held at a value
            b, unscaled, log_det_x = np.empty(0), np.empty((0, 0)), 0.0
        rss = float(form.t[-1, -1] - t_xy @ b)
        if not rss > 0:
            return None
        degrees = self.degrees
        deviance = form.log_det + degrees * (1.0 + np.log(2.0 * np.pi * rss / degrees))
        if self.reml:
            deviance += log_det_x
        unscaled = 0.5 * (unscaled + unscaled.T)
        return Profile(float(deviance), b, unscaled, rss / degrees, rss, log_det_x)

    def value(self, theta: np.ndarray) -> float:
        """Deviance at theta; infinite where it is not defined."""
        profile = self.profile_at(theta)
        return np.inf if profile is None else profile.deviance

    def profile_at(self, theta: np.ndarray) -> Profile | None:
        """Profile at theta; the last point is remembered."""
        if self._last is None or not np.array_equal(self._last[0], theta):
            self.evaluations += 1
            rho = theta[: self.problem.layout.n_residual]
            profile = None
            if self.problem.residual.in_range(rho):
                profile = self.profile(self.problem.quadratic_form(theta))
            self._last = theta.copy(), profile
        return self._last[1]

    def expand(self, theta: np.ndarray) -> Expansion | None:
        """Deviance, gradient and exact Hessian at theta."""
        base = self.profile_at(theta)
        if base is None:
            return None
        self.evaluations += 1
        form = self.problem.quadratic_form(theta, 2, self._omega(base, base.sigma2))
        gradient, rss_first, hessian = self._derivatives(form, base, base.sigma2)
        # Profiling out the residual variance takes its own curvature away.
        hessian -= np.outer(rss_first, rss_first) / (base.sigma2**2 * self.degrees)
        layout = self.problem.layout
        jacobian = layout.jacobian(theta)
        return Expansion(
            base,
            form,
            gradient,
            hessian,
            jacobian.T @ gradient,
            jacobian.T @ hessian @ jacobian + layout.curvature(gradient),
        )

    def expand_full(
        self, theta: np.ndarray, tau: float, *, linear: bool = False
    ) -> FullExpansion | None:
        """-2 log L in the relative covariances and tau = log sigma^2, fixed effects profiled out.

        -2 log L = log|V| [+ log|T_XX|] + degrees (log(2 pi) + tau) + rss exp(-tau). With `linear`
        the residual parameters are the relative (co)variances in which V is linear.
        """
        base = self.profile_at(theta)
        if base is None:
            return None
        self.evaluations += 1
        sigma2 = float(np.exp(tau))
        residual, rho = self.problem.residual, theta[: self.problem.layout.n_residual]
        weights = None
        if linear and not isinstance(residual, CourseCovariance):
            weights = residual.linear_weights(rho)
        form = self.problem.quadratic_form(theta, 2, self._omega(base, sigma2), weights=weights)
        slope, rss_first, bend = self._derivatives(form, base, sigma2)
        share = base.rss / sigma2
        m = len(slope)
        gradient = np.append(slope, self.degrees - share)
        hessian = np.empty((m + 1, m + 1))
        hessian[:m, :m] = bend
        hessian[:m, m] = hessian[m, :m] = -rss_first / sigma2
        hessian[m, m] = share
        return FullExpansion(self.full_value(base, tau), gradient, hessian)

    def full_value(self, profile: Profile, tau: float) -> float:
        """-2 log L at a residual variance of exp(tau) instead of the best one."""
        ratio = profile.sigma2 / np.exp(tau)
        return float(profile.deviance + self.degrees * (ratio - 1.0 - np.log(ratio)))

    def _omega(self, profile: Profile, sigma2: float) -> np.ndarray:
        """Matrix whose inner product with T_ij enters the Hessian."""
        x = self.fixed
        w = self._contrast(profile)
        omega = np.outer(w, w) / sigma2
        if self.reml:
            omega[x[:, None], x] += profile.unscaled
        return omega

    def _contrast(self, profile: Profile) -> np.ndarray:
        w = np.zeros(self.problem.n_columns)
        w[self.fixed] = -profile.coefficients
        w[-1] = 1.0
        return w

    def _derivatives(
        self, form: QuadraticForm, profile: Profile, sigma2: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Gradient, derivative of rss and Hessian in the covariances at a given sigma^2."""
        x = self.fixed
        w = self._contrast(profile)
        assert form.t_first is not None and form.contraction is not None
        assert form.log_det_first is not None and form.log_det_second is not None
        t_w = form.t_first @ w
        rss_first = t_w @ w
        t_xw = t_w[:, x]
        gradient = form.log_det_first + rss_first / sigma2
        hessian = (
            form.log_det_second
            + form.contraction
            - 2.0 * (t_xw @ profile.unscaled @ t_xw.T) / sigma2
        )
        if self.reml:
            t_xx = form.t_first[:, x[:, None], x[None, :]]
            phi_t = profile.unscaled @ t_xx
            gradient = gradient + np.trace(phi_t, axis1=1, axis2=2)
            hessian = hessian - np.einsum("iab,jba->ij", phi_t, phi_t)
        return gradient, rss_first, 0.5 * (hessian + hessian.T)
