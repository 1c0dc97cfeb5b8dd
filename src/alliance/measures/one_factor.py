"""Maximum likelihood of a one-factor model, for many covariance matrices at once.

    C = l l' + diag(psi)

Jöreskog (1967): given psi, the loadings follow from the largest root of psi^-1/2 C psi^-1/2, so
that only log psi has to be searched. Bootstrap intervals need thousands of such fits; here they are
one batch of small matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LOWEST_UNIQUENESS = 0.005
"""As in R's factanal: a uniqueness is held at this share of the item's variance or above."""
STEPS = 60
TOLERANCE = 1e-7
LONGEST_STEP = 1.0  # in log psi


@dataclass(frozen=True, slots=True)
class OneFactor:
    """A batch of fits.

    Attributes
    ----------
    loadings, uniquenesses
        On the scale of the items, shape (n, p); NaN where a fit has not converged. The loadings'
        sum is positive.
    converged
        Shape (n,).
    at_bound
        True where an item has (nearly) no uniqueness of its own (Heywood case); shape (n,).
    """

    loadings: np.ndarray
    uniquenesses: np.ndarray
    converged: np.ndarray
    at_bound: np.ndarray

    @property
    def omega(self) -> np.ndarray:
        """Omega total, (sum l)^2 / ((sum l)^2 + sum psi) (McDonald 1999); shape (n,)."""
        common = self.loadings.sum(axis=1) ** 2
        return np.asarray(common / (common + self.uniquenesses.sum(axis=1)))


def fit_one_factor(covariances: np.ndarray, start: np.ndarray | None = None) -> OneFactor:
    """Fit one factor to each matrix.

    Parameters
    ----------
    covariances
        Shape (n, p, p), p at least 3, every variance positive.
    start
        Uniquenesses as shares of the variances to start from, shape (p,); half of them by default.

    Returns
    -------
    OneFactor
    """
    n, p = covariances.shape[:2]
    scale = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
    # The likelihood does not depend on the items' scales: correlations are searched.
    correlations = covariances / (scale[:, :, None] * scale[:, None, :])
    log_psi = np.log(np.full((n, p), 0.5) if start is None else np.tile(start, (n, 1)))
    lowest = np.log(LOWEST_UNIQUENESS)
    # A resampled item that hardly varies can leave no correlations: such a matrix has no fit.
    active = np.flatnonzero(np.isfinite(correlations).all(axis=(1, 2)))
    loadings = np.zeros((n, p))
    converged = np.zeros(n, dtype=bool)
    for _ in range(STEPS):
        psi = np.exp(log_psi[active])
        root, vector = _largest_root(correlations[active], psi)
        loadings[active] = np.sqrt(psi) * vector * np.sqrt(np.maximum(root - 1.0, 0.0))[:, None]
        gradient = (loadings[active] ** 2 + psi - 1.0) / psi
        held = (log_psi[active] <= lowest + 1e-12) & (gradient > 0)
        gradient[held] = 0.0
        done = np.abs(gradient).max(axis=1) < TOLERANCE
        converged[active[done]] = True
        active, gradient, vector, held = (part[~done] for part in (active, gradient, vector, held))
        if not len(active):
            break
        step = _newton_step(gradient, vector, held)
        active, step = (part[np.isfinite(step).all(axis=1)] for part in (active, step))
        log_psi[active] = np.clip(log_psi[active] - step, lowest, 0.0)
    signs = np.where(loadings.sum(axis=1) < 0, -1.0, 1.0)
    loadings *= signs[:, None] * scale
    uniquenesses = np.exp(log_psi) * scale**2
    loadings[~converged], uniquenesses[~converged] = np.nan, np.nan
    at_bound = converged & (log_psi <= lowest + 1e-9).any(axis=1)
    return OneFactor(loadings, uniquenesses, converged, at_bound)


def _largest_root(correlations: np.ndarray, psi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest root and its vector of psi^-1/2 R psi^-1/2, shapes (n,), (n, p)."""
    weight = 1.0 / np.sqrt(psi)
    roots, vectors = np.linalg.eigh(correlations * weight[:, :, None] * weight[:, None, :])
    return roots[:, -1], vectors[:, :, -1]


def _newton_step(gradient: np.ndarray, vector: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Return the step in log psi; the Hessian is that of Lawley & Maxwell (1971, ch. 4).

    Up to terms that vanish at the optimum it is the element-wise square of I - w w'.
    """
    p = vector.shape[1]
    hessian = (np.eye(p) - vector[:, :, None] * vector[:, None, :]) ** 2
    # A tiny ridge keeps the step finite where one item carries the whole factor.
    hessian += 1e-6 * np.eye(p)
    hessian[held] = 0.0
    hessian = np.where(held[:, None, :], 0.0, hessian) + held[:, :, None] * np.eye(p)
    step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
    return np.asarray(np.clip(step, -LONGEST_STEP, LONGEST_STEP))
