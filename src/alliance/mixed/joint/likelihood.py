"""The likelihood of a joint model, its gradient, and where the nodes of its integrals lie.

    y_ti = x_ti'b + z_ti'u_i + v_j + e_ti,    g(h_ti) = w_ti'gamma + sum_f alpha_f m_f,ti + w_j

m_f is a feature of the course without its error: its value, its slope, or the client's effects.
Given the effects of client and therapist, scores and leaving are independent (shared parameters:
Wulfsohn & Tsiatis 1997; Rizopoulos 2012). The likelihood of a therapist is

    integral over (v, w) of prod_i integral over u_i of p(y_i | u_i, v) p(leaving_i | u_i, v, w),

by adaptive Gauss-Hermite rules, one within the other. Nodes are placed at the most likely effects
with the curvature there (Laplace's; one node is Laplace's approximation) and stay while the
parameters move, until they are placed anew: the gradient of what is maximised is then exact, being
the posterior mean of the gradient given the effects (Fisher's identity holds node by node).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss

from alliance.mixed.joint.data import Compressed
from alliance.mixed.joint.kernels import Problem, integrals, modes
from alliance.mixed.joint.parameters import Parameters, Shape, unpacked

PLACING_STEPS = 20
PLACED = 1e-5


@dataclass(frozen=True, slots=True)
class Nodes:
    """Where a rule's points lie.

    Attributes
    ----------
    given
        Therapist's effects at each outer node, shape (J, K, 2).
    log_outer
        Log weight of each, with the density of the effects and the volume, shape (J, K).
    centre, root, log_volume
        Of the clients' nodes, shapes (N, K, q), (N, K, q, q) and (N, K).
    """

    given: np.ndarray
    log_outer: np.ndarray
    centre: np.ndarray
    root: np.ndarray
    log_volume: np.ndarray


def rule(points: int, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes (M, dimensions) and log weights (M,) for a standard normal density."""
    t, weights = hermegauss(points)
    grid = np.stack(np.meshgrid(*[t] * dimensions, indexing="ij"), axis=-1)
    logs = np.log(weights / weights.sum())
    added = sum(np.meshgrid(*[logs] * dimensions, indexing="ij"))
    return grid.reshape(-1, dimensions), np.asarray(added).ravel()


@dataclass(slots=True)
class Likelihood:
    """The likelihood of compressed data.

    Attributes
    ----------
    data, shape
        What it is of.
    points, outer_points
        Nodes per dimension over clients' and over therapists' effects.
    evaluations
        So far.
    """

    data: Compressed
    shape: Shape
    points: int
    outer_points: int
    evaluations: int = 0

    def placed(self, theta: np.ndarray) -> Nodes:
        """Return nodes at the most likely effects at a point."""
        found = unpacked(theta, self.shape)
        problem, _ = self._problem(found)
        groups, q = int(self.data.therapist[-1]) + 1, self.shape.q
        centre = np.zeros((groups, 2))
        root = np.broadcast_to(np.eye(2), (groups, 2, 2))
        t, logs = np.zeros((1, 2)), np.zeros(1)
        u = np.zeros((len(self.data.n), 1, q))
        if self.shape.therapists:
            t, logs = rule(self.outer_points, 2)
            centre, root = self._therapists(problem, u)
            logs = logs + 0.5 * np.sum(t**2, axis=1)
        given = centre[:, None, :] + np.einsum("jab,kb->jka", root, t)
        volume = np.log(np.abs(np.linalg.det(root)))[:, None]
        prior = 0.5 * np.sum(given**2, axis=2) if self.shape.therapists else 0.0
        start = np.repeat(u, len(t), axis=1)
        curvature = self._modes(problem, given[self.data.therapist], start)[0]
        inner = np.swapaxes(np.linalg.inv(np.linalg.cholesky(curvature)), -1, -2)
        size = np.log(np.abs(np.linalg.det(inner)))
        return Nodes(given, logs + volume - prior, start, np.ascontiguousarray(inner), size)

    def at(self, theta: np.ndarray, nodes: Nodes) -> tuple[float, np.ndarray]:
        """Return the log-likelihood and its gradient."""
        self.evaluations += 1
        data, q = self.data, self.shape.q
        found = unpacked(theta, self.shape)
        problem, constant = self._problem(found)
        given = np.ascontiguousarray(nodes.given[data.therapist])
        outer = nodes.given.shape[1]
        t, logs = rule(self.points, q)
        out = np.empty((len(data.n), outer, 1 + q + q * q))
        residual = np.empty((len(data.event), outer))
        with_effects = np.empty((len(data.event), outer, q))
        integrals(problem, given, nodes.centre, nodes.root, np.ascontiguousarray(t.T),
                  logs + 0.5 * np.sum(t**2, axis=1), out, residual, with_effects)  # fmt: skip
        starts = np.flatnonzero(np.diff(data.therapist, prepend=-1))
        out[:, :, 0] += nodes.log_volume
        by_node = np.add.reduceat(out[:, :, 0], starts) + nodes.log_outer
        highest = by_node.max(axis=1, keepdims=True)
        weights = np.exp(by_node - highest)
        total = weights.sum(axis=1, keepdims=True)
        value = float(constant.sum() + np.sum(highest + np.log(total)))
        share = (weights / total)[data.therapist]
        moments = _moments(out, given, share, q)
        of_rows = share[data.client_of_row]
        left = np.sum(of_rows * residual, axis=1)
        left_effects = np.concatenate(
            [
                np.einsum("rk,rka->ra", of_rows, with_effects),
                np.einsum("rk,rk,rka->ra", of_rows, residual, given[data.client_of_row]),
            ],
            axis=1,
        )
        return value, self._gradient(found, *moments, left, left_effects)

    def _problem(self, at: Parameters) -> tuple[Problem, np.ndarray]:
        """Return the quadratics of the scores and the lines of the hazard, and constants (N,)."""
        data, scale, variance = self.data, at.scale, at.sigma**2
        rr = data.yy - 2.0 * data.xy @ at.b + np.einsum("nij,i,j->n", data.xx, at.b, at.b)
        constant = -0.5 * (data.n * np.log(2.0 * np.pi * variance) + rr / variance)
        linear = (data.zy - data.zx @ at.b) @ scale / variance
        quadratic = np.einsum("ka,nkl,lb->nab", scale, data.zz, scale) / variance
        base = data.w @ at.gamma + np.einsum("f,frp,p->r", at.alpha, data.fx, at.b)
        slope = self._acting(at) @ scale
        return Problem(
            linear, quadratic, base, slope, data.event, data.exposure, data.pointer, data.link
        ), constant  # fmt: skip

    def _acting(self, at: Parameters) -> np.ndarray:
        """Return what multiplies the effects (u, v, w) in each row's linear predictor."""
        found = np.einsum("f,fra->ra", at.alpha, self.data.fz)
        found[:, -1] = 1.0
        return np.asarray(found)

    def _modes(
        self, problem: Problem, given: np.ndarray, u: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Move u to the modes; return curvature, score and information."""
        n, outer, q = u.shape
        curvature, score = np.empty((n, outer, q, q)), np.empty((n, outer, 2))
        information = np.empty((n, outer, 2, 2))
        modes(problem, np.ascontiguousarray(given), u, curvature, score, information)
        return curvature, score, information

    def _therapists(self, problem: Problem, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the most likely effects of therapists (J, 2), and a root of their covariance."""
        which = self.data.therapist
        starts = np.flatnonzero(np.diff(which, prepend=-1))
        effects = np.zeros((len(starts), 2))
        for _ in range(PLACING_STEPS):
            _, score, information = self._modes(problem, effects[which][:, None], u)
            first = np.add.reduceat(score[:, 0], starts) - effects
            second = np.add.reduceat(information[:, 0], starts) + np.eye(2)
            step = np.linalg.solve(second, first[:, :, None])[:, :, 0]
            effects = effects + step
            if np.abs(step).max() < PLACED:
                break
        return effects, np.swapaxes(np.linalg.inv(np.linalg.cholesky(second)), -1, -2)

    def _gradient(
        self, at: Parameters, mean: np.ndarray, square: np.ndarray, left: np.ndarray,
        left_effects: np.ndarray,
    ) -> np.ndarray:  # fmt: skip
        """Return the posterior mean of the gradient given the effects."""
        data, scale, variance, q = self.data, at.scale, at.sigma**2, self.shape.q
        effects = mean @ scale.T
        squares = np.einsum("ka,nab,lb->nkl", scale, square, scale)
        zr = data.zy - data.zx @ at.b
        xr = data.xy - np.einsum("nij,j->ni", data.xx, at.b)
        rr = data.yy - 2.0 * data.xy @ at.b + np.einsum("nij,i,j->n", data.xx, at.b, at.b)
        about_b = np.sum(xr - np.einsum("nki,nk->ni", data.zx, effects), axis=0) / variance
        about_b += np.einsum("r,f,frp->p", left, at.alpha, data.fx)
        errors = np.sum(rr - 2.0 * np.sum(zr * effects, axis=1)) + np.sum(data.zz * squares)
        about_sigma = errors / variance - data.n.sum()
        about_scale = zr.T @ mean - np.einsum("nkl,lb,nba->ka", data.zz, scale, square)
        about_scale = about_scale / variance + self._acting(at).T @ left_effects
        along = left_effects @ scale.T
        about_alpha = np.einsum("r,frp,p->f", left, data.fx, at.b)
        about_alpha += np.einsum("fra,ra->f", data.fz, along)
        sds = [about_scale[q, q], about_scale[q + 1, q + 1]] if self.shape.therapists else []
        lower = about_scale[:q, :q][np.tril_indices(q)]
        return np.concatenate(
            [about_b, [about_sigma], lower, data.w.T @ left, about_alpha, sds]
        )  # fmt: skip


def _moments(
    out: np.ndarray, given: np.ndarray, share: np.ndarray, q: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return posterior means (N, q + 2) and second moments of all effects (N, q + 2, q + 2)."""
    n = len(out)
    own = np.concatenate([out[:, :, 1 : q + 1], given], axis=2)
    square = np.einsum("nk,nka,nkb->nab", share, own, own)
    within = np.einsum("nk,nka->na", share, out[:, :, 1 + q :]).reshape(n, q, q)
    square[:, :q, :q] = within
    return np.einsum("nk,nka->na", share, own), square
