"""An independent evaluation of the mixed-model likelihood with dense matrices, for small sets.

It shares no code and no algorithm with the engine: V is built whole, row by row, and factored.
Slow (cubic in the rows) and meant to be: it only has to be obviously right.

    y = X b + sum over levels of Z_l u_l + e,  u_l ~ N(0, S_l),  e ~ N(0, D R(phi) D)

R is block-diagonal over the innermost groups, with correlation phi ** |time difference|.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg, optimize


def design(frame: pd.DataFrame, terms: Sequence[str]) -> np.ndarray:
    """Columns of `terms` (names, "1", ":" products; words get treatment contrasts, sorted)."""
    columns: list[np.ndarray] = []
    for term in terms:
        block = np.ones((len(frame), 1))
        for name in [] if term == "1" else term.split(":"):
            block = np.einsum("ni,nj->nij", block, _columns_of(frame[name])).reshape(len(frame), -1)
        columns.append(block)
    return np.hstack(columns)


def _columns_of(values: pd.Series) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy(float)[:, None]
    levels = sorted(values.unique())
    return np.column_stack([(values == level).to_numpy(float) for level in levels[1:]])


@dataclass
class DenseModel:
    """One model on one small set, ready to evaluate."""

    y: np.ndarray
    x: np.ndarray
    z: list[np.ndarray]  # per level, outermost first: (rows, effects)
    same_group: list[np.ndarray]  # per level: (rows, rows) of 0 and 1
    lag: np.ndarray | None  # (rows, rows), nan between different innermost groups
    by: np.ndarray | None  # residual group of each row, 0-based
    reml: bool
    names: list[str]
    by_values: list

    @classmethod
    def build(
        cls,
        frame: pd.DataFrame,
        *,
        outcome: str,
        fixed: Sequence[str],
        random: Mapping[str, Sequence[str]],
        residual: str = "iid",
        residual_time: str | None = None,
        residual_by: str | None = None,
        method: str = "REML",
    ) -> DenseModel:
        ids = [level.split(":") for level in random]
        used = {outcome, residual_time, residual_by, *itertools.chain(*ids)} - {None}
        terms = [*fixed, *(term for effects in random.values() for term in effects)]
        used |= {name for term in terms for name in term.split(":")}
        rows = frame.dropna(subset=[c for c in frame.columns if c in used]).reset_index(drop=True)
        same = []
        for own in ids:
            code = rows.groupby(own).ngroup().to_numpy()
            same.append((code[:, None] == code[None, :]).astype(float))
        lag = None
        if residual != "iid":
            time = rows[residual_time].to_numpy(float)
            lag = np.where(same[-1] > 0, np.abs(time[:, None] - time[None, :]), np.nan)
        by, by_values = (None, []) if residual_by is None else pd.factorize(rows[residual_by])
        return cls(
            y=rows[outcome].to_numpy(float),
            x=design(rows, fixed),
            z=[design(rows, terms) for terms in random.values()],
            same_group=same,
            lag=lag,
            by=by,
            reml=method == "REML",
            names=list(random),
            by_values=list(by_values),
        )

    def correlation(self, phi: float) -> np.ndarray:
        """Residual correlation, identity where the residuals are independent."""
        if self.lag is None:
            return np.eye(len(self.y))
        power = np.where(np.isnan(self.lag), 0.0, self.lag)
        sign = np.where(phi < 0, -1.0, 1.0) ** np.round(power)  # a negative phi: integer lags only
        value = sign * np.abs(phi) ** power
        return np.where(np.isnan(self.lag), 0.0, value)

    def covariance(
        self, factors: Sequence[np.ndarray], residual_sd: np.ndarray, phi: float = 0.0
    ) -> np.ndarray:
        """V from the square-root factors L_l (S_l = L_l L_l') and one residual sd per row."""
        v = residual_sd[:, None] * self.correlation(phi) * residual_sd[None, :]
        for z, same, factor in zip(self.z, self.same_group, factors, strict=True):
            zl = z @ factor
            v = v + same * (zl @ zl.T)
        return v

    def log_likelihood_of(self, v: np.ndarray, scale: float | None = 1.0) -> float:
        """Log-likelihood at V = scale * v; `scale=None` puts in the best scale."""
        return self.solve(v, scale)["log_likelihood"]

    def solve(self, v: np.ndarray, scale: float | None = 1.0) -> dict:
        """Generalised least squares at V, and the (restricted) log-likelihood."""
        n, p = self.x.shape
        # X = Q R first: an offset of 1e6 in a column then costs no digits in log|X' V^-1 X|
        q, r = np.linalg.qr(self.x)
        root = np.linalg.cholesky(v)
        wq = linalg.solve_triangular(root, q, lower=True)
        wy = linalg.solve_triangular(root, self.y, lower=True)
        qb, rb = np.linalg.qr(wq)
        coordinates = linalg.solve_triangular(rb, qb.T @ wy)
        residual = wy - wq @ coordinates
        rss = float(residual @ residual)
        count = n - p if self.reml else n
        s2 = rss / count if scale is None else scale
        log_det_v = 2 * np.log(np.diag(root)).sum()
        deviance = count * np.log(2 * np.pi * s2) + log_det_v + rss / s2
        if self.reml:
            log_det_x = np.log(np.abs(np.diag(rb))).sum() + np.log(np.abs(np.diag(r))).sum()
            deviance += 2 * log_det_x
        inverse = linalg.solve_triangular(rb @ r, np.eye(p))
        return {
            "log_likelihood": -0.5 * deviance,
            "estimates": linalg.solve_triangular(r, coordinates),
            "covariance": s2 * inverse @ inverse.T,
            "scale": s2,
        }

    # ------------------------------------------------------------------ optimisation
    def unpack(self, theta: np.ndarray) -> tuple[list[np.ndarray], np.ndarray, float]:
        """Relative factors, relative residual sd per row and phi from the free parameters."""
        factors, at = [], 0
        for z in self.z:
            q = z.shape[1]
            factor = np.zeros((q, q))
            size = q * (q + 1) // 2
            factor[np.tril_indices(q)] = theta[at : at + size]
            factors.append(factor)
            at += size
        residual_sd = np.ones(len(self.y))
        if self.by is not None:
            groups = self.by.max() + 1
            residual_sd = np.exp(np.concatenate([[0.0], theta[at : at + groups - 1]]))[self.by]
            at += groups - 1
        phi = 0.0 if self.lag is None else float(np.tanh(theta[at]))
        return factors, residual_sd, phi

    def objective(self, theta: np.ndarray) -> float:
        """Minus the profiled log-likelihood; a large number outside the domain."""
        factors, residual_sd, phi = self.unpack(theta)
        try:
            value = -self.log_likelihood_of(self.covariance(factors, residual_sd, phi), None)
        except np.linalg.LinAlgError:
            return 1e10
        return value if np.isfinite(value) else 1e10

    def best_log_likelihood(self, seed: int = 0, starts: int = 3) -> float:
        """The highest profiled log-likelihood found from several starts.

        Predictors of random effects should be centred and scaled before: this is a plain search.
        """
        rng = np.random.default_rng(seed)
        base = []
        for z in self.z:
            q = z.shape[1]
            scale = 1 / np.maximum(np.sqrt((z**2).mean(axis=0)), 1e-12)
            base.extend((np.eye(q) * scale[:, None])[np.tril_indices(q)])
        extra = (0 if self.by is None else self.by.max()) + (self.lag is not None)
        base = np.concatenate([base, np.zeros(extra)])
        best = np.inf
        for k in range(starts):
            start = base * (1.0 if k == 0 else rng.uniform(0.1, 1.5, len(base)))
            if k:
                start = start + 0.2 * rng.standard_normal(len(base)) * np.abs(base).max()
            quick = optimize.minimize(self.objective, start, method="L-BFGS-B")
            fine = optimize.minimize(
                self.objective,
                quick.x,
                method="Nelder-Mead",
                options={"xatol": 1e-7, "fatol": 1e-8, "maxiter": 1000, "adaptive": True},
            )
            best = min(best, quick.fun, fine.fun)
        return -best


def square_root(covariance: np.ndarray) -> np.ndarray:
    """Lower factor L with L L' = covariance; also where it is singular (semi-definite).

    Scaled to correlations first so that effects of very different size lose no digits.
    """
    sd = np.sqrt(np.clip(np.diag(covariance), 0, None))
    safe = np.where(sd > 0, sd, 1.0)
    values, vectors = np.linalg.eigh(covariance / np.outer(safe, safe))
    return sd[:, None] * (vectors * np.sqrt(np.clip(values, 0, None)))
