"""The likelihood of two-level models when answers are missing.

A cluster is one long vector with covariance V = blockdiag(Sigma_w) + Z Sigma_b Z', cut to what was
answered. With P_i the inverse of row i's part of Sigma_w (zeros where nothing was answered), r_i
its residual and, per cluster, M = sum P_i, b = sum P_i r_i, G = (I + Sigma_b M)^-1 Sigma_b,

    log|V| = sum log|Sigma_w,i| + log|I + Sigma_b M|,    r'V^-1 r = sum r_i'P_i r_i - b'G b

(Woodbury identity and matrix determinant lemma). G is the conditional covariance of the cluster's
own vector, u = G b its conditional mean, alpha_i = P_i (r_i - u) the row's part of V^-1 r. All sums
run over cells (cluster x pattern of missing answers), never over single rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alliance.sem.incomplete_clusters import IncompleteClusters
from alliance.sem.likelihood import (
    EXPECTED,
    GRADIENT,
    OBSERVED,
    Curvature,
    MomentExpansion,
    Moments,
)


class IncompleteLikelihood:
    """-log L of incomplete clusters in the moments within (block 0) and between (block 1)."""

    def __init__(self, data: IncompleteClusters) -> None:
        self.data = data
        _, self.representative = np.unique(data.composition, return_index=True)
        self.multiplicity = np.bincount(data.composition)

    @property
    def n(self) -> int:
        """Clusters: the independent units."""
        return self.data.n_clusters

    @property
    def constant(self) -> float:
        """Values / 2 log 2 pi."""
        return 0.5 * self.data.n_values * float(np.log(2.0 * np.pi))

    def expand(self, moments: Sequence[Moments], order: int) -> MomentExpansion:
        """Expand -log L (without the constant) at the moments."""
        (_, sigma_w), (mu, sigma_b) = moments
        at = _State.at(self, sigma_w, mu, sigma_b)
        zero = np.zeros(len(mu))
        if at is None:
            flat = np.zeros_like(sigma_w)
            return MomentExpansion(np.inf, [(zero, flat), (zero, flat)], [])
        if order < GRADIENT:
            flat = np.zeros_like(sigma_w)
            return MomentExpansion(at.value, [(zero, flat), (zero, flat)], [])
        by_w = 0.5 * (at.spent - at.alpha_products).sum(axis=0)
        by_b = 0.5 * (at.q.sum(axis=0) - at.s.T @ at.s)
        gradients = [(zero, by_w), (-at.s.sum(axis=0), by_b)]
        second: list[tuple[tuple[int, ...], Curvature]] = []
        if order >= OBSERVED:
            second.append(((0, 1), _Directional(self, at, expected=order == EXPECTED)))
        return MomentExpansion(at.value, gradients, second)

    def scores(self, moments: Sequence[Moments]) -> list[tuple[tuple[int, ...], np.ndarray]]:
        """Score of every cluster by (mu_w, vech Sigma_w, mu, vech Sigma_b)."""
        (_, sigma_w), (mu, sigma_b) = moments
        data, at = self.data, _State.at(self, sigma_w, mu, sigma_b)
        assert at is not None
        own = at.p[data.cell_pattern]
        spent = data.cell_count[:, None, None] * (own - own @ at.g[data.cell_cluster] @ own)
        within = np.zeros_like(at.q)
        np.add.at(within, data.cell_cluster, at.cell_alpha_products - spent)
        between = np.einsum("ji,jk->jik", at.s, at.s) - at.q
        low = np.tril_indices(len(mu))
        share = np.where(low[0] == low[1], 0.5, 1.0)
        nothing = np.zeros((data.n_clusters, len(mu)))
        parts = [nothing, share * within[:, *low], at.s, share * between[:, *low]]
        return [((0, 1), np.hstack(parts))]


@dataclass(frozen=True, slots=True)
class _State:
    """Everything that the derivatives share; K patterns, J clusters, C cells."""

    value: float
    p: np.ndarray  # (K, p, p) inverses of Sigma_w, zero-padded
    m: np.ndarray  # (J, p, p)
    g: np.ndarray  # (J, p, p)
    q: np.ndarray  # (J, p, p) M - M G M
    s: np.ndarray  # (J, p) sum of alpha
    cell_alpha: np.ndarray  # (C, p) sum of alpha over the cell
    cell_alpha_products: np.ndarray  # (C, p, p) sum of alpha alpha' over the cell
    alpha_products: np.ndarray  # (K, p, p) sum of alpha alpha'
    spent: np.ndarray  # (K, p, p) sum of P - P G P
    g_sum: np.ndarray  # (K, p, p) sum of G over the rows of a pattern

    @staticmethod
    def at(
        likelihood: IncompleteLikelihood, sigma_w: np.ndarray, mu: np.ndarray, sigma_b: np.ndarray
    ) -> _State | None:
        data = likelihood.data
        n_patterns, size = data.seen.shape
        p = np.zeros((n_patterns, size, size))
        log_determinants = np.zeros(n_patterns)
        for k, seen in enumerate(data.seen):
            at = np.ix_(seen, seen)
            try:
                root = np.linalg.cholesky(sigma_w[at])
            except np.linalg.LinAlgError:
                return None
            half = np.linalg.inv(root)
            p[k][at] = half.T @ half
            log_determinants[k] = 2.0 * np.log(np.diag(root)).sum()
        shift = (mu - data.centre) * data.seen  # per pattern, zero where unanswered
        cell_r = data.cell_total - data.cell_count[:, None] * shift[data.cell_pattern]
        own = p[data.cell_pattern]
        m = np.zeros((data.n_clusters, size, size))
        np.add.at(m, data.cell_cluster, data.cell_count[:, None, None] * own)
        b = np.zeros((data.n_clusters, size))
        np.add.at(b, data.cell_cluster, np.einsum("cij,cj->ci", own, cell_r))
        middle = np.eye(size) + sigma_b @ m
        sign, log_middle = np.linalg.slogdet(middle)
        if (sign <= 0).any() or not _positive(sigma_b, m):
            return None
        g = np.linalg.solve(middle, np.broadcast_to(sigma_b, m.shape))
        g = 0.5 * (g + g.transpose(0, 2, 1))
        u = np.einsum("jxy,jy->jx", g, b)
        shift_c = shift[data.cell_pattern]
        outer = np.einsum("ci,cj->cij", data.cell_total, shift_c)
        scatter = data.cell_products - outer - outer.transpose(0, 2, 1)
        scatter += data.cell_count[:, None, None] * np.einsum("ci,cj->cij", shift_c, shift_c)
        value = data.count @ log_determinants + np.sum(own * scatter)
        value += log_middle.sum() - np.sum(b * u)
        # Sums of (r - u)(r - u)' over the cells, which are sorted by pattern.
        starts = np.searchsorted(data.cell_pattern, np.arange(n_patterns))
        u_all = u[data.cell_cluster]
        mixed = np.einsum("ci,cj->cij", cell_r, u_all)
        twice = np.einsum("ci,cj->cij", u_all * data.cell_count[:, None], u_all)
        cell_products = own @ (scatter + twice - mixed - mixed.transpose(0, 2, 1)) @ own
        weighted = data.cell_count[:, None, None] * g[data.cell_cluster]
        g_sum = np.add.reduceat(weighted, starts, axis=0)
        return _State(
            value=0.5 * float(value),
            p=p,
            m=m,
            g=g,
            q=m - m @ g @ m,
            s=b - np.einsum("jxy,jy->jx", m, u),
            cell_alpha=np.einsum("cij,cj->ci", own, cell_r - data.cell_count[:, None] * u_all),
            cell_alpha_products=cell_products,
            alpha_products=np.add.reduceat(cell_products, starts, axis=0),
            spent=data.count[:, None, None] * p - p @ g_sum @ p,
            g_sum=g_sum,
        )


def _positive(sigma_b: np.ndarray, m: np.ndarray) -> bool:
    """Whether every cluster's covariance is positive definite, Sigma_b itself may not be."""
    if np.linalg.eigvalsh(sigma_b)[0] >= 0:
        return True
    values, vectors = np.linalg.eigh(m)
    half = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    return bool((np.linalg.eigvalsh(half.transpose(0, 2, 1) @ sigma_b @ half) > -1.0).all())


class _Directional:
    """Second derivatives along directions (dSigma_w, dmu, dSigma_b), never as a whole matrix.

    With y = V_a V^-1 r + mu_a:  H[a, b] = y_a'V^-1 y_b - tr(V^-1 V_a V^-1 V_b) / 2, and its
    expectation mu_a'V^-1 mu_b + tr(V^-1 V_a V^-1 V_b) / 2.
    """

    def __init__(self, likelihood: IncompleteLikelihood, at: _State, *, expected: bool) -> None:
        self.likelihood, self.at, self.expected = likelihood, at, expected

    def matrix(self) -> np.ndarray:
        """Return the whole matrix by (mu_w, vech Sigma_w, mu, vech Sigma_b)."""
        p = self.at.s.shape[1]
        return self.quadratic(np.eye(2 * (p + p * (p + 1) // 2)))

    def quadratic(self, jacobian: np.ndarray) -> np.ndarray:
        """Return J'HJ for directions J, shape (2 (p + p(p+1)/2), q)."""
        at, p = self.at, self.at.s.shape[1]
        m = p + p * (p + 1) // 2
        w, b = _symmetric(jacobian[p:m], p), _symmetric(jacobian[m + p :], p)
        mu = jacobian[m : m + p].T
        trace = self._trace(w, b)
        if self.expected:
            return np.asarray(0.5 * trace + mu @ at.q.sum(axis=0) @ mu.T)
        return self._squares(w, mu, b) - 0.5 * trace

    def _squares(self, w: np.ndarray, mu: np.ndarray, b: np.ndarray) -> np.ndarray:
        """y_a'V^-1 y_b summed over clusters; y of a row is W_a alpha + B_a s + mu_a."""
        at, data = self.at, self.likelihood.data
        q = len(w)
        constant = np.einsum("axy,jy->jax", b, at.s, optimize=True) + mu
        out = np.zeros((q, q))
        pulled = np.einsum("jxy,jay->jax", at.m, constant, optimize=True)
        out += _gram(constant, pulled)
        starts = np.append(
            np.searchsorted(data.cell_pattern, np.arange(len(at.p))), len(data.cell_pattern)
        )
        for k, inverse in enumerate(at.p):
            cells = slice(starts[k], starts[k + 1])
            clusters, alpha = data.cell_cluster[cells], at.cell_alpha[cells]
            left = inverse @ w  # (q, p, p): P W_a
            # alpha'W_a P W_b alpha, and alpha'W_a P (B_b s + mu_b) with its mirror.
            both = (left @ at.alpha_products[k]).transpose(0, 2, 1)
            out += w.reshape(q, -1) @ both.reshape(q, -1).T
            own = np.einsum("axy,cy->cax", left, alpha, optimize=True)
            cross = _gram(own, constant[clusters])
            out += cross + cross.T
            np.add.at(pulled, clusters, own)
        return np.asarray(
            out - _gram(pulled, np.einsum("jxy,jay->jax", at.g, pulled, optimize=True))
        )

    def _trace(self, w: np.ndarray, b: np.ndarray) -> np.ndarray:
        """tr(V^-1 V_a V^-1 V_b) summed over clusters."""
        at, data, like = self.at, self.likelihood.data, self.likelihood
        q, p = len(w), at.s.shape[1]
        out = np.zeros((q, q))
        inside = np.empty((len(at.p), q, p, p))
        flat = w.reshape(q, -1)
        for k, inverse in enumerate(at.p):
            inside[k] = inverse @ w @ inverse  # P W_a P
            once = data.count[k] * inside[k].reshape(q, -1) @ flat.T
            lost = (inverse @ at.g_sum[k] @ inside[k]).reshape(q, -1) @ flat.T
            out += once - lost - lost.T
        # Most parameters stand at one level only: the others' directions are zero there.
        (at_w,), (at_b,) = (np.nonzero(x.any(axis=(1, 2))) for x in (w, b))
        inside, own_b = inside[:, at_w], b[at_b]
        flat_b = own_b.reshape(len(at_b), -1)
        order = np.argsort(data.cell_cluster, kind="stable")
        bounds = np.searchsorted(data.cell_cluster[order], np.arange(data.n_clusters + 1))
        for j, times in zip(like.representative, like.multiplicity, strict=True):
            cells = order[bounds[j] : bounds[j + 1]]
            d = np.tensordot(data.cell_count[cells], inside[data.cell_pattern[cells]], 1)
            g, keep = at.g[j], np.eye(p) - at.g[j] @ at.m[j]
            flat_d = d.reshape(len(at_w), -1)
            out[np.ix_(at_w, at_w)] += times * ((g @ d @ g).reshape(flat_d.shape) @ flat_d.T)
            cross = times * ((keep.T @ d @ keep).reshape(flat_d.shape) @ flat_b.T)
            out[np.ix_(at_w, at_b)] += cross
            out[np.ix_(at_b, at_w)] += cross.T
            both = (at.q[j] @ own_b @ at.q[j]).reshape(flat_b.shape)
            out[np.ix_(at_b, at_b)] += times * (both @ flat_b.T)
        return 0.5 * (out + out.T)


def _symmetric(vech: np.ndarray, p: int) -> np.ndarray:
    """Return one symmetric matrix per column of vech directions, shape (q, p, p)."""
    low_i, low_j = np.tril_indices(p)
    out = np.zeros((vech.shape[1], p, p))
    out[:, low_i, low_j] = vech.T
    out[:, low_j, low_i] = vech.T
    return out


def _gram(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Sum over the first and last axis: (n, q, p) and (n, q, p) to (q, q)."""
    q = left.shape[1]
    a = left.transpose(1, 0, 2).reshape(q, -1)
    return np.asarray(a @ right.transpose(1, 0, 2).reshape(q, -1).T)
