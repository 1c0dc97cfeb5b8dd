"""Denominator degrees of freedom: Satterthwaite and Kenward-Roger."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alliance.mixed.covariance import triangle
from alliance.mixed.criterion import Criterion, Expansion
from alliance.mixed.residual_course import CourseCovariance


@dataclass(frozen=True, slots=True)
class Satterthwaite:
    """What the Satterthwaite approximation needs.

    Attributes
    ----------
    unscaled : numpy.ndarray
        Internal covariance of the fixed effects, Phi sigma^2, shape (p, p).
    slopes : numpy.ndarray
        Its derivatives in the parameters (Cholesky factors, residual, log sigma^2),
        shape (m + 1, p, p).
    parameter_covariance : numpy.ndarray
        Asymptotic covariance of these parameters, 2 H^-1, shape (m + 1, m + 1).
    """

    covariance: np.ndarray
    slopes: np.ndarray
    parameter_covariance: np.ndarray

    def df(self, contrast: np.ndarray) -> float:
        """Degrees of freedom of l'b: 2 (l'Vl)^2 / (g' A g) (Giesbrecht & Burns 1985)."""
        variance = float(contrast @ self.covariance @ contrast)
        slope = np.einsum("a,iab,b->i", contrast, self.slopes, contrast)
        spread = float(slope @ self.parameter_covariance @ slope)
        return 2.0 * variance**2 / spread if spread > 0 else np.inf


def satterthwaite(criterion: Criterion, theta: np.ndarray, expansion: Expansion) -> Satterthwaite:
    """Prepare Satterthwaite's approximation from the exact Hessian.

    As lmerTest (Kuznetsova, Brockhoff & Christensen 2017), in the Cholesky factors and sigma: at a
    boundary a factor of zero has no slope and drops out, which is the fit without that component.
    """
    profile, form = expansion.profile, expansion.form
    m = criterion.problem.layout.n_parameters
    jacobian = criterion.problem.layout.jacobian(theta)
    hessian = full_hessian(criterion, expansion, theta)
    values, vectors = np.linalg.eigh(hessian)
    keep = values > 1e-10 * values.max()
    inverse = (vectors[:, keep] / values[keep]) @ vectors[:, keep].T
    x = criterion.fixed
    assert form.t_first is not None
    t_xx = form.t_first[:, x[:, None], x[None, :]]
    phi, s2 = profile.unscaled, profile.sigma2
    slopes = np.empty((m + 1, len(x), len(x)))
    slopes[:m] = np.einsum("ij,iab->jab", jacobian, -s2 * (phi @ t_xx @ phi))
    slopes[m] = s2 * phi
    return Satterthwaite(s2 * phi, slopes, 2.0 * inverse)


def full_hessian(criterion: Criterion, expansion: Expansion, theta: np.ndarray) -> np.ndarray:
    """Hessian of -2 log L in (Cholesky factors and residual parameters, log sigma^2)."""
    profile, form = expansion.profile, expansion.form
    assert form.t_first is not None
    m = len(expansion.gradient)
    w = np.zeros(criterion.problem.n_columns)
    w[criterion.fixed] = -profile.coefficients
    w[-1] = 1.0
    slope = -((form.t_first @ w) @ w) / profile.sigma2
    slope = criterion.problem.layout.jacobian(theta).T @ slope
    hessian = np.empty((m + 1, m + 1))
    # The profiled Hessian is the Schur complement of log sigma^2 in the full one.
    hessian[:m, :m] = expansion.hessian + np.outer(slope, slope) / criterion.degrees
    hessian[:m, m] = hessian[m, :m] = slope
    hessian[m, m] = criterion.degrees
    return hessian


@dataclass(frozen=True, slots=True)
class LinearForm:
    """X' V^-1 X and log|V| in the absolute (co)variances, in which V is linear.

    The parameters are the covariances of every level, the residual (co)variances beyond the
    reference, and the residual variance, in the order of the layout with sigma^2 last.

    Attributes
    ----------
    information : numpy.ndarray
        X' V^-1 X, shape (p, p).
    first, second : numpy.ndarray
        Derivatives, shapes (k, p, p) and (k, k, p, p).
    log_det_second : numpy.ndarray
        Second derivatives of log|V|: minus tr(V^-1 V_r V^-1 V_s), shape (k, k).
    """

    information: np.ndarray
    first: np.ndarray
    second: np.ndarray
    log_det_second: np.ndarray


def linear_form(criterion: Criterion, theta: np.ndarray, sigma2: float) -> LinearForm:
    """Change variables from relative covariances to absolute ones (V is homogeneous in them).

    With s = gamma / tau and tau = sigma^2, T_abs(gamma, tau) = T(s) / tau and
    log|V_abs| = n log tau + log|V(s)|.
    """
    problem = criterion.problem
    residual = problem.residual
    # V is not linear in residual dynamics: there are no such derivatives (`checks`, `several`).
    assert not isinstance(residual, CourseCovariance)
    weights = residual.linear_weights(theta[: problem.layout.n_residual])
    form = problem.quadratic_form(theta, 2, full=True, weights=weights)
    relative = relative_covariances(criterion, theta)
    x = criterion.fixed
    assert form.t_first is not None and form.t_second is not None
    assert form.log_det_first is not None and form.log_det_second is not None
    t_first = form.t_first[:, x[:, None], x[None, :]]
    t_second = form.t_second[:, :, x[:, None], x[None, :]]
    ld_first, ld_second = form.log_det_first, form.log_det_second
    t = form.t[np.ix_(x, x)]
    m = len(relative)
    tau = sigma2
    first = np.empty((m + 1, *t.shape))
    second = np.empty((m + 1, m + 1, *t.shape))
    along = np.einsum("i,iab->ab", relative, t_first)
    along_second = np.einsum("j,ijab->iab", relative, t_second)
    first[:m] = t_first / tau**2
    first[m] = -(t + along) / tau**2
    second[:m, :m] = t_second / tau**3
    second[:m, m] = second[m, :m] = -(2 * t_first + along_second) / tau**3
    second[m, m] = (2 * t + 4 * along + np.einsum("i,iab->ab", relative, along_second)) / tau**3
    log_det = np.empty((m + 1, m + 1))
    log_det[:m, :m] = ld_second / tau**2
    log_det[:m, m] = log_det[m, :m] = -(ld_first + ld_second @ relative) / tau**2
    log_det[m, m] = (
        -problem.n_rows + 2 * relative @ ld_first + relative @ ld_second @ relative
    ) / tau**2
    return LinearForm(t / tau, first, second, log_det)


def relative_covariances(criterion: Criterion, theta: np.ndarray) -> np.ndarray:
    """Covariances relative to sigma^2 in the order of the layout."""
    layout, residual = criterion.problem.layout, criterion.problem.residual
    assert not isinstance(residual, CourseCovariance)
    values = np.empty(layout.n_parameters)
    values[: layout.n_residual] = residual.linear(theta[: layout.n_residual])
    for depth, factor in enumerate(layout.factors(theta)):
        sigma = factor @ factor.T
        values[layout.block(depth)] = sigma[triangle(len(factor))]
    return values


@dataclass(frozen=True, slots=True)
class KenwardRoger:
    """Kenward & Roger (1997): adjusted covariance of b and degrees of freedom.

    Attributes
    ----------
    unadjusted, adjusted : numpy.ndarray
        Internal covariance of the fixed effects, shape (p, p).
    slopes : numpy.ndarray
        P_r = -X' V^-1 G_r V^-1 X, shape (k, p, p).
    weights : numpy.ndarray
        W, asymptotic covariance of the (co)variances, shape (k, k).
    """

    unadjusted: np.ndarray
    adjusted: np.ndarray
    slopes: np.ndarray
    weights: np.ndarray

    def df(self, contrasts: np.ndarray) -> tuple[float, float]:
        """Denominator df and scale of the F statistic for L b = 0, L of shape (q, p).

        Kenward & Roger (1997), section 2, in the order of pbkrtest (Halekoh & Hojsgaard 2014).
        """
        phi = self.unadjusted
        contrasts = np.atleast_2d(contrasts)
        q = len(contrasts)
        theta = contrasts.T @ np.linalg.solve(contrasts @ phi @ contrasts.T, contrasts)
        inner = theta @ (phi @ self.slopes @ phi)
        traces = np.trace(inner, axis1=1, axis2=2)
        a1 = float(traces @ self.weights @ traces)
        a2 = float(np.einsum("rs,rab,sba->", self.weights, inner, inner))
        b = (a1 + 6 * a2) / (2 * q)
        if not a2 > 0:
            return np.inf, 1.0
        g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
        base = 3 * q + 2 * (1 - g)
        c1, c2, c3 = g / base, (q - g) / base, (q + 2 - g) / base
        expectation = 1.0 / (1.0 - a2 / q)
        # In the smallest designs a factor can vanish: the variance is infinite there.
        shrink = (1 - c2 * b) ** 2 * (1 - c3 * b)
        variance = (2 / q) * (1 + c1 * b) / shrink if shrink != 0 else np.inf
        rho = variance / (2 * expectation**2)
        df = 4 + (q + 2) / (q * rho - 1)
        return float(df), float(df / (expectation * (df - 2)))


def kenward_roger(criterion: Criterion, theta: np.ndarray, sigma2: float) -> KenwardRoger:
    """Adjust the covariance by the derivatives of X' V^-1 X and log|V|.

    With G_r = dV/dgamma_r: P_r = d(X'V^-1X)/dgamma_r, Q_rs + Q_sr = its second derivative, and
    tr(V^-1 G_r V^-1 G_s) = -d2 log|V|. V is linear in the (co)variances, so no further term.
    """
    form = linear_form(criterion, theta, sigma2)
    phi = np.linalg.inv(form.information)
    phi = 0.5 * (phi + phi.T)
    slopes = form.first
    half_second = 0.5 * form.second
    phi_p = phi @ slopes
    information = (
        -form.log_det_second
        - 2.0 * np.einsum("ab,rsba->rs", phi, half_second)
        + np.einsum("rab,sba->rs", phi_p, phi_p)
    )
    weights = 2.0 * _symmetric_inverse(information)
    middle = np.einsum("rs,rsab->ab", weights, half_second) - np.einsum(
        "rs,rab,sbc->ac", weights, slopes, phi_p
    )
    adjusted = phi + 2.0 * phi @ middle @ phi
    return KenwardRoger(phi, 0.5 * (adjusted + adjusted.T), slopes, weights)


def _symmetric_inverse(matrix: np.ndarray) -> np.ndarray:
    """Inverse of a symmetric matrix after scaling its diagonal to one; generalised if singular."""
    size = np.sqrt(np.maximum(np.abs(np.diag(matrix)), 1e-300))
    values, vectors = np.linalg.eigh(matrix / np.outer(size, size))
    keep = np.abs(values) > 1e-12 * np.abs(values).max()
    inverse = (vectors[:, keep] / values[keep]) @ vectors[:, keep].T
    return np.asarray(inverse / np.outer(size, size))
