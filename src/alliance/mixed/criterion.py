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
from scipy.linalg import cho_factor, cho_solve

from alliance.mixed.problem import Problem, QuadraticForm


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

    @property
    def degrees(self) -> int:
        """n - p for REML, n for ML."""
        return self.problem.n_rows - (len(self.fixed) if self.reml else 0)

    def profile(self, form: QuadraticForm) -> Profile | None:
        """Profile out b and the residual variance; None where T is not positive definite."""
        x = self.fixed
        n_columns = self.problem.n_columns
        t_xx = form.t[np.ix_(x, x)]
        t_xy = form.t[x, n_columns - 1]
        if not (np.isfinite(form.t).all() and np.isfinite(form.log_det)):
            return None
        try:
            chol = cho_factor(t_xx, lower=True)
        except np.linalg.LinAlgError:
            return None
        b = cho_solve(chol, t_xy)
        rss = float(form.t[-1, -1] - t_xy @ b)
        if not rss > 0:
            return None
        log_det_x = 2.0 * float(np.log(np.diag(chol[0])).sum())
        degrees = self.degrees
        deviance = form.log_det + degrees * (1.0 + np.log(2.0 * np.pi * rss / degrees))
        if self.reml:
            deviance += log_det_x
        unscaled = cho_solve(chol, np.eye(len(x)))
        unscaled = 0.5 * (unscaled + unscaled.T)
        return Profile(float(deviance), b, unscaled, rss / degrees, rss, log_det_x)

    def value(self, theta: np.ndarray) -> float:
        """Deviance at theta; infinite where it is not defined."""
        self.evaluations += 1
        profile = self.profile(self.problem.quadratic_form(theta))
        return np.inf if profile is None else profile.deviance

    def expand(self, theta: np.ndarray, base: Profile | None = None) -> Expansion | None:
        """Deviance, gradient and exact Hessian at theta."""
        self.evaluations += 1
        if base is None:
            base = self.profile(self.problem.quadratic_form(theta))
        if base is None:
            return None
        form = self.problem.quadratic_form(theta, 2, self._omega(base))
        profile = self.profile(form)
        if profile is None:
            return None
        gradient, hessian = self._derivatives(form, profile)
        layout = self.problem.layout
        jacobian = layout.jacobian(theta)
        return Expansion(
            profile,
            form,
            gradient,
            hessian,
            jacobian.T @ gradient,
            jacobian.T @ hessian @ jacobian + layout.curvature(gradient),
        )

    def _omega(self, profile: Profile) -> np.ndarray:
        """Matrix whose inner product with T_ij enters the Hessian."""
        x = self.fixed
        w = self._contrast(profile)
        omega = np.outer(w, w) / profile.sigma2
        if self.reml:
            omega[np.ix_(x, x)] += profile.unscaled
        return omega

    def _contrast(self, profile: Profile) -> np.ndarray:
        w = np.zeros(self.problem.n_columns)
        w[self.fixed] = -profile.coefficients
        w[-1] = 1.0
        return w

    def _derivatives(self, form: QuadraticForm, profile: Profile) -> tuple[np.ndarray, np.ndarray]:
        x = self.fixed
        w = self._contrast(profile)
        assert form.t_first is not None and form.contraction is not None
        assert form.log_det_first is not None and form.log_det_second is not None
        t_w = form.t_first @ w
        rss_first = t_w @ w
        t_xw = t_w[:, x]
        s2 = profile.sigma2
        gradient = form.log_det_first + rss_first / s2
        hessian = (
            form.log_det_second
            + form.contraction
            - 2.0 * (t_xw @ profile.unscaled @ t_xw.T) / s2
            - np.outer(rss_first, rss_first) / (s2**2 * self.degrees)
        )
        if self.reml:
            t_xx = form.t_first[:, x[:, None], x[None, :]]
            phi_t = profile.unscaled @ t_xx
            gradient = gradient + np.trace(phi_t, axis1=1, axis2=2)
            hessian = hessian - np.einsum("iab,jba->ij", phi_t, phi_t)
        return gradient, 0.5 * (hessian + hessian.T)
