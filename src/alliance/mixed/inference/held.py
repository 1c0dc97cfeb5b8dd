"""-2 log L with one standard deviation, correlation or residual parameter held at a value.

A standard deviation or correlation is held fixed by writing the covariance matrix that it belongs
to, in units of the outcomes' scales, through a Cholesky factor F in which its effects come first:
the first diagonal element is the standard deviation, and the second row is
sd_b (rho, sqrt(1 - rho^2)). What is left free enters F linearly, so the engine's covariances are
quadratic in it and all derivatives of the map are exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from alliance.mixed.criterion import FullExpansion
from alliance.mixed.inference.natural import RESIDUAL, Natural
from alliance.mixed.optimise import minimise
from alliance.mixed.residual import ResidualStructure
from alliance.mixed.residual_session import SessionCovariance

if TYPE_CHECKING:
    from alliance.mixed.result import MixedFit

TOLERANCE = 1e-14


@dataclass(frozen=True, slots=True)
class Block:
    """One covariance matrix, Sigma = G G' with G = base + sum over k of eta_k steps[k].

    Attributes
    ----------
    rows : slice
        Where its elements stand among the engine's parameters.
    place : slice
        Where its free elements stand in eta.
    skipped : int
        Elements of the lower triangle that are no parameter: the first of a residual covariance.
    base, steps : numpy.ndarray
        On the engine's columns, shapes (q, q) and (free elements, q, q).
    """

    rows: slice
    place: slice
    skipped: int
    base: np.ndarray
    steps: np.ndarray

    def root(self, eta: np.ndarray) -> np.ndarray:
        """Give G at eta."""
        return self.base + np.tensordot(eta[self.place], self.steps, axes=1)

    def lower(self, matrices: np.ndarray) -> np.ndarray:
        """Elements of the lower triangle that are parameters."""
        rows, cols = np.tril_indices(self.base.shape[0])
        return matrices[..., rows[self.skipped :], cols[self.skipped :]]

    def slopes(self, eta: np.ndarray) -> np.ndarray:
        """First derivatives of Sigma in the free elements, shape (free elements, q, q)."""
        half = self.steps @ self.root(eta).T
        return np.asarray(half + half.swapaxes(1, 2))

    def bends(self, weights: np.ndarray) -> np.ndarray:
        """Second derivatives of the sum of weights times `lower` in the free elements."""
        matrix = np.zeros(self.base.shape)
        rows, cols = np.tril_indices(self.base.shape[0])
        matrix[rows[self.skipped :], cols[self.skipped :]] = weights
        return np.asarray(np.einsum("iac,ab,jbc->ij", self.steps, matrix + matrix.T, self.steps))


@dataclass
class Held:
    """-2 log L with one natural parameter held, over free parameters eta.

    eta holds: the other residual parameters, per covariance matrix the free elements of its factor
    F, and tau = log sigma^2 (with several outcomes sigma^2 is part of the residual covariance
    matrix).
    """

    fit: MixedFit
    natural: Natural
    held: float
    eta: np.ndarray
    blocks: dict[int, Block] = field(default_factory=dict)

    @classmethod
    def start(cls, fit: MixedFit, natural: Natural) -> Held:
        """Begin at the estimates."""
        held = cls(fit, natural, natural.estimate, np.empty(0))
        held.eta = held.free_from_estimates()
        return held

    @property
    def degrees(self) -> int:
        """Rows behind the criterion."""
        return self.fit.criterion.degrees

    def at(self, value: float) -> float:
        """Profile deviance at a value of the held parameter; goes on from the last end."""
        self.held = value
        self.blocks = self._build()
        end = minimise(self, self.eta, tolerance=TOLERANCE)
        if end is None:
            return np.inf
        self.eta = end.theta
        return end.expansion.deviance

    # -------------------------------------------------------------- what is free and what is held

    @property
    def _within(self) -> SessionCovariance | None:
        """Residual covariance of several outcomes."""
        residual = self.fit.prepared.residual
        return residual if isinstance(residual, SessionCovariance) else None

    @property
    def _free_residual(self) -> list[int]:
        """Residual parameters that stand in eta as they are."""
        if self._within is not None:
            return []
        is_held = self.natural.kind in ("phi", "sd_ratio")
        count = self.fit.criterion.problem.layout.n_residual
        return [k for k in range(count) if not (is_held and k == self.natural.first)]

    @property
    def _depths(self) -> list[int]:
        """Covariance matrices in the order of eta."""
        levels = list(range(len(self.fit.criterion.problem.layout.sizes)))
        return levels if self._within is None else [RESIDUAL, *levels]

    def _estimated(self, depth: int) -> tuple[np.ndarray, np.ndarray]:
        """Covariance matrix at the estimates, and the scale of the outcome of each effect."""
        prepared, estimate = self.fit.prepared, self.fit.estimate
        if depth == RESIDUAL:
            assert estimate.residual_covariance is not None
            return estimate.residual_covariance, prepared.outcomes.scales
        scales = prepared.outcomes.scales_of(prepared.random[depth])
        return estimate.level_covariances[depth], scales

    def _holds(self, depth: int, kind: str) -> bool:
        """Whether a parameter of this kind is held in this covariance matrix."""
        return self.natural.kind == kind and depth == self.natural.depth

    def _order(self, depth: int, q: int) -> list[int]:
        """Effects in the order of F: those of the held parameter first."""
        if not (self._holds(depth, "sd") or self._holds(depth, "correlation")):
            return list(range(q))
        first = list(dict.fromkeys([self.natural.first, self.natural.second]))
        return first + [effect for effect in range(q) if effect not in first]

    def _free_elements(self, depth: int, q: int) -> list[tuple[int, int]]:
        """Elements of F that are free; (1, 0) stands for the length of a held correlation's row."""
        elements = [(a, b) for a in range(q) for b in range(a + 1)]
        if self._holds(depth, "sd"):
            elements.remove((0, 0))
        if self._holds(depth, "correlation"):
            elements.remove((1, 1))
        return elements

    def free_from_estimates(self) -> np.ndarray:
        """Eta at the estimates of the fit."""
        theta = self.fit.optimum.theta
        eta = [float(theta[place]) for place in self._free_residual]
        for depth in self._depths:
            covariance, scales = self._estimated(depth)
            order = self._order(depth, len(scales))
            sigma = (covariance / np.outer(scales, scales))[np.ix_(order, order)]
            factor = psd_factor(sigma)
            if self._holds(depth, "correlation"):
                factor[1, 0] = np.hypot(factor[1, 0], factor[1, 1])
            eta += [float(factor[a, b]) for a, b in self._free_elements(depth, len(scales))]
        if self._within is None and self.natural.kind != "sigma":
            eta.append(float(np.log(self.fit.optimum.expansion.profile.sigma2)))
        return np.array(eta)

    def _build(self) -> dict[int, Block]:
        """Covariance matrices as functions of eta, at the value held."""
        prepared, layout = self.fit.prepared, self.fit.criterion.problem.layout
        blocks: dict[int, Block] = {}
        at = len(self._free_residual)
        for depth in self._depths:
            scales = self._estimated(depth)[1]
            q = len(scales)
            elements, order = self._free_elements(depth, q), self._order(depth, q)
            base, steps = np.zeros((q, q)), np.zeros((len(elements), q, q))
            for step, (a, b) in zip(steps, elements, strict=True):
                step[order[a], b] = 1.0
            if self._holds(depth, "sd"):
                base[order[0], 0] = self.held / scales[self.natural.first]
            if self._holds(depth, "correlation"):
                length = steps[elements.index((1, 0))]
                length[order[1], 0] = self.held
                length[order[1], 1] = np.sqrt(max(1.0 - self.held**2, 0.0))
            place = slice(at, at + len(elements))
            at += len(elements)
            if depth == RESIDUAL:
                blocks[depth] = Block(slice(0, layout.n_residual), place, 1, base, steps)
                continue
            transform = prepared.columns.level_transform[depth]
            rows = layout.block(depth)
            blocks[depth] = Block(rows, place, 0, transform @ base, transform @ steps)
        return blocks

    # -------------------------------------------------------------- the map from eta

    def _tau(self, eta: np.ndarray) -> float:
        """Log sigma^2 on the engine's scale."""
        if self._within is not None:
            root = self.blocks[RESIDUAL].root(eta)
            return float(np.log(root[0] @ root[0]))
        if self.natural.kind == "sigma":
            return float(2.0 * np.log(self.held / self.fit.prepared.outcomes.scales[0]))
        return float(eta[-1])

    def theta(self, eta: np.ndarray) -> tuple[np.ndarray, float]:
        """Give the engine's parameters and tau."""
        tau = self._tau(eta)
        roots = {depth: block.root(eta) / np.exp(0.5 * tau) for depth, block in self.blocks.items()}
        structure = self.fit.prepared.residual
        if isinstance(structure, SessionCovariance):
            within = roots.pop(RESIDUAL)
            rho = structure.working(within @ within.T)
        else:
            rho = np.empty(structure.n_parameters)
            free = self._free_residual
            rho[free] = eta[: len(free)]
            if len(free) < len(rho):
                assert isinstance(structure, ResidualStructure)
                rho[self.natural.first] = self._held_residual(structure)
        factors = [lower_factor(roots[depth]) for depth in sorted(roots)]
        return self.fit.criterion.problem.layout.from_factors(factors, rho), tau

    def _held_residual(self, structure: ResidualStructure) -> float:
        if self.natural.kind == "sd_ratio":
            return 2.0 * float(np.log(self.held))
        return structure.working(self.held)

    def _tau_derivatives(self, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First and second derivatives of tau in eta."""
        n = len(eta)
        first, second = np.zeros(n), np.zeros((n, n))
        if self._within is None:
            if self.natural.kind != "sigma":
                first[-1] = 1.0
            return first, second
        block = self.blocks[RESIDUAL]
        variance = np.exp(self._tau(eta))
        first[block.place] = block.slopes(eta)[:, 0, 0] / variance
        ends = block.steps[:, 0, :]
        second[block.place, block.place] = 2.0 * ends @ ends.T / variance
        return first, second - np.outer(first, first)

    # -------------------------------------------------------------- the objective

    def value(self, theta: np.ndarray) -> float:
        """-2 log L at eta."""
        if not self._in_range(theta):
            return np.inf
        point, tau = self.theta(theta)
        profile = self.fit.criterion.profile_at(point)
        return np.inf if profile is None else self.fit.criterion.full_value(profile, tau)

    def _in_range(self, eta: np.ndarray) -> bool:
        """Whether the residual covariance of several outcomes is one."""
        if self._within is None:
            return True
        root = self.blocks[RESIDUAL].root(eta)
        values = np.linalg.eigvalsh(root @ root.T)
        return bool(values[0] > 1e-14 * values[-1])

    def expand(self, theta: np.ndarray) -> FullExpansion | None:
        """Value, gradient and Hessian in eta, by the chain rule.

        With gamma the elements of Sigma and s = gamma exp(-tau):
        s_i = (gamma_i - gamma tau_i) exp(-tau),
        s_ij = (gamma_ij - gamma_i tau_j - gamma_j tau_i + gamma (tau_i tau_j - tau_ij)) exp(-tau).
        """
        if not self._in_range(theta):
            return None
        point, tau = self.theta(theta)
        full = self.fit.criterion.expand_full(point, tau, linear=self._within is not None)
        if full is None:
            return None
        n, shrink = len(theta), float(np.exp(-tau))
        slope, curve = self._tau_derivatives(theta)
        jacobian = np.zeros((len(full.gradient), n))
        jacobian[-1] = slope
        bend = full.gradient[-1] * curve
        for place, own in enumerate(self._free_residual):
            jacobian[own, place] = 1.0
        for block in self.blocks.values():
            weights = full.gradient[block.rows] * shrink
            root = block.root(theta)
            gamma, gamma_1 = block.lower(root @ root.T), block.lower(block.slopes(theta))
            jacobian[block.rows, block.place] += gamma_1.T * shrink
            jacobian[block.rows] -= np.outer(gamma * shrink, slope)
            bend[block.place, block.place] += block.bends(weights)
            along = np.outer(gamma_1 @ weights, slope)
            bend[block.place] -= along
            bend[:, block.place] -= along.T
            bend += float(weights @ gamma) * (np.outer(slope, slope) - curve)
        return FullExpansion(
            full.deviance,
            jacobian.T @ full.gradient,
            jacobian.T @ full.hessian @ jacobian + bend,
        )


def psd_factor(sigma: np.ndarray) -> np.ndarray:
    """Lower triangular factor of a positive semi-definite matrix."""
    values, vectors = np.linalg.eigh(sigma)
    return lower_factor(vectors * np.sqrt(np.maximum(values, 0.0)))


def lower_factor(root: np.ndarray) -> np.ndarray:
    """Lower triangular L with L L' = root root'."""
    upper = np.linalg.qr(root.T, mode="r")
    return np.asarray(upper).T * np.where(np.diag(upper) < 0, -1.0, 1.0)
