"""The Laplace approximation of -log L with its exact gradient and Hessian.

With eta_i = x_i' b + s_c for the rows i of leaf c, s = Z_sd u the paths, u standard normal:

    F(b, sd) = P + G,   P = min over u of [ -sum_i l_i(eta_i) + u'u / 2 ],   G = log|H| / 2,

H the second derivative of the bracket in u at its minimum (Tierney & Kadane 1986; for mixed models
Pinheiro & Bates 1995). Rows enter through sums per leaf, and H is worked
through as a tree (`alliance.mixed.logit.tree`).

Derivatives. Let r(u, psi) = 0 be the condition of the minimum, psi = (b, sd), so r_u = H and
u' = -H^-1 r_psi. As P_u = 0,

    dF  = P_psi + dG,      d2F = D2 [P + G - lambda' r],   lambda = H^-1 G_u held fixed,

D2 the second derivative along the directions (psi_k, u'_k): implicit differentiation with one
adjoint, no derivative of u beyond the first. Collected over the rows it is

    sum_i omega_i (x_i + s'_c)(x_i + s'_c)',   omega = w - mu_c w' + v_c w'' / 2,

mu_c = z_c' lambda, v_c = z_c' H^-1 z_c, and terms per node.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from alliance.mixed.logit.kernels import (
    Leaves,
    fixed_part,
    leaf_matrices,
    leaf_sums,
    leaf_vectors,
)
from alliance.mixed.logit.links import LINKS, Link
from alliance.mixed.logit.products import row_sums
from alliance.mixed.logit.tree import (
    Elimination,
    Tree,
    eliminate,
    log_det_derivatives,
)

MODE_STEPS = 100
MODE_TOLERANCE = 1e-6
"""A last Newton step of the paths below this leaves an error of its square."""

BEYOND = 1e150
"""A log-likelihood beyond this is not a number worth having."""

RAN_OFF = (
    "The likelihood of this model has no maximum that a computer can represent for these data. "
    "Check for extreme values among the predictors, and use fewer terms."
)


@dataclass(frozen=True, slots=True)
class BinaryRows:
    """Merged rows, sorted by leaf.

    Attributes
    ----------
    x : numpy.ndarray
        Internal fixed columns, one after the other, shape (p, n).
    successes, trials : numpy.ndarray
        Observations with outcome 1, and all observations, of each merged row, shape (n,).
    pointer : numpy.ndarray
        First row of each leaf plus the end, shape (leaves + 1,).
    """

    x: np.ndarray
    successes: np.ndarray
    trials: np.ndarray
    pointer: np.ndarray

    @property
    def single(self) -> bool:
        """Whether every merged row is one observation."""
        return bool((self.trials == 1.0).all())


@dataclass(frozen=True, slots=True)
class Mode:
    """The criterion at one point, the effects at their conditional mode.

    Attributes
    ----------
    b : numpy.ndarray
        Internal fixed effects, shape (p,).
    sd : numpy.ndarray
        Standard deviations, outermost level first, shape (levels,). Their sign has no meaning.
    effects : numpy.ndarray
        Modes of the standard normal effects, shape (nodes,).
    fixed, path : numpy.ndarray
        X b, shape (n,), and the paths, shape (leaves,).
    score, weight : numpy.ndarray
        First and minus second derivative of the leaves' log-likelihoods in their paths.
    elimination : Elimination
    value : float
        F, the negative log-likelihood.
    """

    b: np.ndarray
    sd: np.ndarray
    effects: np.ndarray = field(repr=False)
    fixed: np.ndarray = field(repr=False)
    path: np.ndarray = field(repr=False)
    score: np.ndarray = field(repr=False)
    weight: np.ndarray = field(repr=False)
    elimination: Elimination = field(repr=False)
    value: float = np.inf

    @property
    def psi(self) -> np.ndarray:
        """All parameters, shape (p + levels,)."""
        return np.concatenate([self.b, self.sd])


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """First derivatives of everything at a mode along the m = p + levels parameters.

    Attributes
    ----------
    slope : numpy.ndarray
        Sum of l' x over all rows, shape (p,).
    weight_slope : numpy.ndarray
        Sum of w' per leaf.
    effects : numpy.ndarray
        u', shape (nodes, m).
    path : numpy.ndarray
        s', shape (leaves, m).
    score, weight : numpy.ndarray
        Derivatives of the leaves' scores and weights, the paths moving along, shape (leaves, m).
    own_effect : numpy.ndarray
        Effect of each level on each leaf's path, shape (leaves, levels).
    """

    slope: np.ndarray
    weight_slope: np.ndarray
    effects: np.ndarray
    path: np.ndarray
    score: np.ndarray
    weight: np.ndarray
    own_effect: np.ndarray


@dataclass(frozen=True, slots=True)
class Expansion:
    """Criterion with its first two derivatives in psi = (b, sd).

    Attributes
    ----------
    mode : Mode
    value : float
    gradient : numpy.ndarray
        Shape (m,).
    hessian : numpy.ndarray
        Shape (m, m).
    effects : numpy.ndarray
        u', shape (nodes, m); predicts the modes of the next point.
    """

    mode: Mode
    value: float
    gradient: np.ndarray
    hessian: np.ndarray
    effects: np.ndarray = field(repr=False)


@dataclass(slots=True)
class Laplace:
    """The Laplace criterion of one data set.

    Attributes
    ----------
    rows : BinaryRows
    tree : Tree
    link : {"logit", "cloglog"}
    evaluations : int
        Evaluations so far.
    leaves : Leaves
        The rows as the kernels take them.
    """

    rows: BinaryRows
    tree: Tree
    link: Link
    evaluations: int = 0
    leaves: Leaves = field(init=False)

    def __post_init__(self) -> None:
        rows, link = self.rows, LINKS.index(self.link)
        self.leaves = Leaves(link, rows.single, rows.x, rows.successes, rows.trials, rows.pointer)

    @property
    def n_fixed(self) -> int:
        """Number of fixed coefficients p."""
        return int(self.rows.x.shape[0])

    @property
    def n_parameters(self) -> int:
        """Fixed coefficients and standard deviations."""
        return self.n_fixed + self.tree.n_levels

    def at(self, psi: np.ndarray, effects: np.ndarray | None = None) -> Mode | None:
        """Evaluate the criterion; None where it overflows.

        Parameters
        ----------
        psi : array (m,)
        effects : array (nodes,), optional
            Where to start looking for the modes.
        """
        self.evaluations += 1
        b, sd = psi[: self.n_fixed].copy(), psi[self.n_fixed :].copy()
        fixed = np.empty(len(self.rows.trials))
        fixed_part(self.rows.x, b, fixed)
        if not np.isfinite(fixed).all():
            return None
        u = np.zeros(self.tree.n_nodes) if effects is None else effects.copy()
        return self._find_mode(b, sd, fixed, u)

    def value(self, mode: Mode) -> float:
        """Value of the criterion at a mode."""
        return mode.value

    def _sums(
        self, fixed: np.ndarray, path: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        n = self.tree.n_leaves
        value, score, weight = np.empty(n), np.empty(n), np.empty(n)
        leaf_sums(self.leaves, fixed, path, value, score, weight)
        return value, score, weight

    def _find_mode(
        self, b: np.ndarray, sd: np.ndarray, fixed: np.ndarray, u: np.ndarray
    ) -> Mode | None:
        """Newton's method for the effects; every tree halves its step on its own if it must.

        The bracket of P is strictly convex in u for both links, so the minimum is unique.
        """
        tree = self.tree
        step = np.zeros_like(u)
        best = np.full(int(tree.counts[0]), np.inf)
        done = False
        for _ in range(MODE_STEPS):
            path = tree.paths(u, sd)
            value, score, weight = self._sums(fixed, path)
            penalised = 0.5 * u * u
            penalised[: tree.n_leaves] -= value
            total = tree.root_sums(penalised)
            if not (np.abs(total) < BEYOND).all():
                return None
            if done:
                elimination = eliminate(tree, sd, weight)
                f = float(np.sum(total)) + 0.5 * elimination.log_det
                return Mode(b, sd, u, fixed, path, score, weight, elimination, f)
            worse = total > best + 1e-10 * (1.0 + np.abs(best))
            if worse.any():
                halve = tree.of_root(worse)
                step = np.where(halve, 0.5 * step, 0.0)
                u = u - step
                continue
            best = total
            elimination = eliminate(tree, sd, weight)
            full, moved = elimination.solve(score[:, None], -u[:, None])
            step = full[:, 0]
            u = u + step
            done = bool(np.abs(moved).max() < MODE_TOLERANCE)
        return None

    def sensitivity(self, mode: Mode) -> Sensitivity:
        """First derivatives along all parameters."""
        tree, p = self.tree, self.n_fixed
        n, m = tree.n_leaves, self.n_parameters
        slope, weight_slope = np.zeros(p), np.empty(n)
        weight_x, weight_slope_x = np.empty((n, p)), np.empty((n, p))
        leaf_vectors(
            self.leaves, mode.fixed, mode.path, slope, weight_slope, weight_x, weight_slope_x
        )
        own_effect = mode.effects[tree.ancestor].T
        force, own = np.empty((n, m)), np.zeros((tree.n_nodes, m))
        force[:, :p] = -weight_x
        force[:, p:] = -mode.weight[:, None] * own_effect
        arrived = tree.sums(mode.score[:, None])[:, 0]
        for depth in range(tree.n_levels):
            nodes = tree.level(depth)
            own[nodes, p + depth] = arrived[nodes]
        effects, path = mode.elimination.solve(force, own)
        path[:, p:] += own_effect
        score = -mode.weight[:, None] * path
        score[:, :p] -= weight_x
        weight = weight_slope[:, None] * path
        weight[:, :p] += weight_slope_x
        return Sensitivity(slope, weight_slope, effects, path, score, weight, own_effect)

    def expand(self, mode: Mode) -> Expansion:
        """Exact gradient and Hessian."""
        tree, p = self.tree, self.n_fixed
        n = tree.n_leaves
        first = self.sensitivity(mode)
        half_v = 0.5 * mode.elimination.path_variances()[:n]
        adjoint, adjoint_path = mode.elimination.solve(
            (half_v * first.weight_slope)[:, None], np.zeros((tree.n_nodes, 1))
        )
        shift = adjoint_path[:, 0].copy()
        det_first, det_second = self._log_det(mode, first)

        gradient = 0.5 * det_first
        gradient[:p] -= first.slope
        gradient[p:] -= row_sums(mode.score, first.own_effect)

        cross = np.zeros((p, p))
        omega_x, omega = np.empty((n, p)), np.empty(n)
        leaf_matrices(self.leaves, mode.fixed, mode.path, shift, half_v, cross, omega_x, omega)
        hessian = 0.5 * det_second + row_sums(first.effects, first.effects)
        hessian[:p, :p] += np.triu(cross) + np.triu(cross, 1).T
        mixed = row_sums(omega_x, first.path)
        hessian[:p, :] += mixed
        hessian[:, :p] += mixed.T
        hessian += row_sums(first.path * omega[:, None], first.path)

        # sd_k enters the paths as sd_k u: the second derivative of a path is u' of its own node
        push = -mode.score - shift * mode.weight + half_v * first.weight_slope
        gathered = tree.sums(np.column_stack([push, first.score]))
        for depth in range(tree.n_levels):
            nodes = tree.level(depth)
            row = row_sums(gathered[nodes, 0], first.effects[nodes])
            row += row_sums(adjoint[nodes, 0], gathered[nodes, 1:])
            hessian[p + depth, :] += row
            hessian[:, p + depth] += row
        return Expansion(mode, mode.value, gradient, 0.5 * (hessian + hessian.T), first.effects)

    def _log_det(self, mode: Mode, first: Sensitivity) -> tuple[np.ndarray, np.ndarray]:
        """Differentiate log|H| but for the second derivatives of the leaves' weights."""
        tree, m = self.tree, self.n_parameters
        slope = np.zeros((tree.n_nodes, m))
        slope[: tree.n_leaves] = first.weight
        inner = np.zeros((tree.n_nodes - tree.n_leaves, m, m))
        det_first, det_second = np.zeros(m), np.zeros((m, m))
        nodes = mode.elimination.nodes
        log_det_derivatives(nodes, mode.sd, slope, inner, det_first, det_second)
        return det_first, np.tril(det_second) + np.tril(det_second, -1).T
