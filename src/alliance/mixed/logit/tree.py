"""The tree of random intercepts and the linear algebra on it.

Every group is a node; the innermost groups are the leaves. Node g at level l carries a standard
normal effect u_g and adds sd_l u_g to the path of every leaf below it. Newton's matrix for the
effects is

    H = I + sum over leaves c of A_c z_c z_c',

with z_c = sd_l at the nodes from the root to c and 0 elsewhere, and A_c the curvature of the leaf's
log-likelihood in its path. H has the pattern of the tree, so that eliminating a node changes its
parent alone: with A_g the curvature that has arrived at node g and N_g = 1 + sd^2 A_g,

    A_parent += A_g / N_g,      log|H| = sum over nodes of log N_g.

This is the Cholesky factorisation of H in an order without fill-in. It is written in sd (not in
1 / sd), so that sd = 0 is an ordinary point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from alliance.mixed.compiling import compiled
from alliance.mixed.rows import Nesting


@dataclass(frozen=True, slots=True)
class Tree:
    """Groups of all levels as one list of nodes, leaves first, every node before its parent.

    Attributes
    ----------
    parent : numpy.ndarray
        Node above each node, -1 at the top, shape (nodes,).
    depth : numpy.ndarray
        Level of each node, 0 the outermost, shape (nodes,).
    offset : numpy.ndarray
        First node of each level, outermost first, shape (levels,).
    counts : numpy.ndarray
        Number of groups per level, shape (levels,).
    ancestor : numpy.ndarray
        Node of each level above (or at) each leaf, shape (levels, leaves).
    """

    parent: np.ndarray
    depth: np.ndarray
    offset: np.ndarray
    counts: np.ndarray
    ancestor: np.ndarray

    @property
    def n_nodes(self) -> int:
        """Number of groups of all levels together."""
        return len(self.parent)

    @property
    def n_levels(self) -> int:
        """Number of levels."""
        return len(self.counts)

    @property
    def n_leaves(self) -> int:
        """Number of innermost groups."""
        return int(self.counts[-1])

    def level(self, depth: int) -> slice:
        """Nodes of one level."""
        return slice(int(self.offset[depth]), int(self.offset[depth] + self.counts[depth]))

    def paths(self, effects: np.ndarray, sd: np.ndarray) -> np.ndarray:
        """Sum of sd_l u_l from the root to each leaf, shape (leaves,)."""
        path = np.zeros(self.n_leaves)
        for depth in range(self.n_levels):
            path += sd[depth] * effects[self.ancestor[depth]]
        return path

    def sums(self, leaves: np.ndarray) -> np.ndarray:
        """Sum of a quantity of the leaves, shape (leaves, k), under every node, (nodes, k)."""
        total = np.zeros((self.n_nodes, leaves.shape[1]))
        total[: self.n_leaves] = leaves
        if self.n_levels > 1:
            add_upwards(self.parent, total)
        return total

    def root_sums(self, values: np.ndarray) -> np.ndarray:
        """Sum of a quantity of the nodes, shape (nodes,), over each tree, shape (roots,)."""
        total = values[:, None].copy()
        if self.n_levels > 1:
            add_upwards(self.parent, total)
        return total[self.level(0), 0]

    def of_root(self, values: np.ndarray) -> np.ndarray:
        """Spread a quantity of the roots, shape (roots,), to all nodes, shape (nodes,)."""
        spread = np.zeros(self.n_nodes, dtype=values.dtype)
        spread[self.level(0)] = values
        for depth in range(1, self.n_levels):
            nodes = self.level(depth)
            spread[nodes] = spread[self.parent[nodes]]
        return spread


def build_tree(nesting: Nesting) -> Tree:
    """Make the tree of a nesting."""
    above = [nesting.parents(depth) for depth in range(1, len(nesting.starts))]
    return number_nodes([len(starts) - 1 for starts in nesting.starts], above)


def number_nodes(counts: Sequence[int], above: Sequence[np.ndarray]) -> Tree:
    """Make a tree from the groups per level and each group's index in the level above.

    Parameters
    ----------
    counts : sequence of int
        Groups per level, outermost first.
    above : sequence of array
        For every level but the outermost.
    """
    # leaves first: the offset of a level is the number of groups further in
    offset = np.append(np.cumsum(counts[::-1])[::-1], 0)[1:].astype(np.int64)
    parent = np.full(sum(counts), -1, dtype=np.int64)
    depth_of = np.empty(len(parent), dtype=np.int64)
    for depth, count in enumerate(counts):
        here = slice(int(offset[depth]), int(offset[depth]) + count)
        depth_of[here] = depth
        if depth:
            parent[here] = offset[depth - 1] + above[depth - 1]
    ancestor = np.empty((len(counts), counts[-1]), dtype=np.int64)
    ancestor[-1] = np.arange(counts[-1])
    for depth in range(len(counts) - 2, -1, -1):
        ancestor[depth] = parent[ancestor[depth + 1]]
    return Tree(parent, depth_of, offset, np.array(counts, dtype=np.int64), ancestor)


def prune(tree: Tree, roots: np.ndarray) -> tuple[Tree, np.ndarray]:
    """Keep the trees of some roots, given as a mask; returns which nodes stay, too."""
    kept = tree.of_root(roots)
    counts, above = [], []
    for depth in range(tree.n_levels):
        nodes = tree.level(depth)
        counts.append(int(kept[nodes].sum()))
        if depth:
            place = np.cumsum(kept[tree.level(depth - 1)]) - 1
            above.append(place[tree.parent[nodes][kept[nodes]] - tree.offset[depth - 1]])
    return number_nodes(counts, above), kept


@dataclass(frozen=True, slots=True)
class Elimination:
    """H = I + sum A_c z_c z_c' eliminated from the leaves to the roots.

    Attributes
    ----------
    tree : Tree
    sd : numpy.ndarray
        Standard deviation of each node's level, shape (nodes,).
    curvature : numpy.ndarray
        A_g, shape (nodes,).
    pivot : numpy.ndarray
        N_g = 1 + sd^2 A_g, shape (nodes,).
    """

    tree: Tree
    sd: np.ndarray
    curvature: np.ndarray
    pivot: np.ndarray

    @property
    def log_det(self) -> float:
        """log|H|."""
        return float(np.sum(np.log(self.pivot)))

    def solve(self, force: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Solve H y = sum_c z_c force_c + own.

        Parameters
        ----------
        force : array (leaves, k)
        own : array (nodes, k)

        Returns
        -------
        y : array (nodes, k)
        path : array (leaves, k)
            z_c' y.
        """
        arrived = np.zeros_like(own)
        arrived[: self.tree.n_leaves] = force
        y, path = np.empty_like(own), np.empty_like(own)
        substitute(self.nodes, self.sd, arrived, own, y, path)
        return y, path[: self.tree.n_leaves]

    @property
    def nodes(self) -> Nodes:
        """What the compiled passes need of every node."""
        return Nodes(self.tree.parent, self.tree.depth, self.curvature, self.pivot)

    def path_variances(self) -> np.ndarray:
        """Compute z' H^-1 z of the path down to each node, shape (nodes,)."""
        variance = np.empty(self.tree.n_nodes)
        spread_variances(self.tree.parent, self.sd, self.pivot, variance)
        return variance

    def effect_variances(self) -> np.ndarray:
        """Conditional variance sd^2 (H^-1)_gg of each node's effect sd u_g, shape (nodes,)."""
        above = np.zeros(self.tree.n_nodes)
        has_parent = self.tree.parent >= 0
        above[has_parent] = self.path_variances()[self.tree.parent[has_parent]]
        carried = self.sd**2 * self.curvature / self.pivot
        return np.asarray(self.sd**2 / self.pivot + carried**2 * above)


def eliminate(tree: Tree, sd: np.ndarray, weight: np.ndarray) -> Elimination:
    """Eliminate the tree for leaf curvatures `weight`, shape (leaves,)."""
    node_sd = sd[tree.depth]
    curvature = np.zeros(tree.n_nodes)
    curvature[: tree.n_leaves] = weight
    pivot = np.empty(tree.n_nodes)
    pivots(tree.parent, node_sd, curvature, pivot)
    return Elimination(tree, node_sd, curvature, pivot)


# ----------------------------------------------------------------------------------------------
# Compiled passes; nodes come before their parents
# ----------------------------------------------------------------------------------------------


class Nodes(NamedTuple):
    """Every node's parent and level, A_g and N_g, shapes (nodes,)."""

    parent: np.ndarray
    depth: np.ndarray
    curvature: np.ndarray
    pivot: np.ndarray


@compiled
def add_upwards(parent: np.ndarray, total: np.ndarray) -> None:
    """Add every node's values to its parent's."""
    for g in range(len(parent)):
        if parent[g] >= 0:
            for k in range(total.shape[1]):
                total[parent[g], k] += total[g, k]


@compiled
def pivots(parent: np.ndarray, sd: np.ndarray, curvature: np.ndarray, pivot: np.ndarray) -> None:
    """A_g and N_g of every node."""
    for g in range(len(parent)):
        pivot[g] = 1.0 + sd[g] * sd[g] * curvature[g]
        if parent[g] >= 0:
            curvature[parent[g]] += curvature[g] / pivot[g]


@compiled
def substitute(
    nodes: Nodes,
    sd: np.ndarray,
    arrived: np.ndarray,
    own: np.ndarray,
    y: np.ndarray,
    path: np.ndarray,
) -> None:
    """Forward substitution to the roots and back substitution to the leaves."""
    parent, curvature, pivot = nodes.parent, nodes.curvature, nodes.pivot
    k_all = own.shape[1]
    for g in range(len(parent)):
        if parent[g] >= 0:
            for k in range(k_all):
                arrived[parent[g], k] += (arrived[g, k] - sd[g] * curvature[g] * own[g, k]) / pivot[
                    g
                ]
    for g in range(len(parent) - 1, -1, -1):
        for k in range(k_all):
            above = path[parent[g], k] if parent[g] >= 0 else 0.0
            y[g, k] = (sd[g] * arrived[g, k] + own[g, k] - sd[g] * curvature[g] * above) / pivot[g]
            path[g, k] = above + sd[g] * y[g, k]


@compiled
def spread_variances(
    parent: np.ndarray, sd: np.ndarray, pivot: np.ndarray, variance: np.ndarray
) -> None:
    """Variance of the path down to each node: V_g = V_parent / N_g^2 + sd^2 / N_g."""
    for g in range(len(parent) - 1, -1, -1):
        above = variance[parent[g]] if parent[g] >= 0 else 0.0
        variance[g] = above / (pivot[g] * pivot[g]) + sd[g] * sd[g] / pivot[g]


@compiled
def log_det_derivatives(
    nodes: Nodes,
    level_sd: np.ndarray,
    slope: np.ndarray,
    inner: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
) -> None:
    """First and second derivatives of log|H| along m directions, carried up the tree.

    Parameters
    ----------
    slope : array (nodes, m)
        First derivatives of the leaves' curvatures on entry; of all nodes' on return.
    inner : array (nodes - leaves, m, m)
        Zeros; work space for the second derivatives that arrive at the inner nodes. Those of the
        leaves' curvatures are taken to be zero (the caller adds what they contribute).
    first, second : arrays (m,) and (m, m)
        The last directions are the standard deviations of the levels. Filled.
    """
    m = slope.shape[1]
    n_fixed, n_leaves = m - len(level_sd), len(slope) - len(inner)
    n_dot, n_two, nothing = np.empty(m), np.empty((m, m)), np.zeros((m, m))
    for g in range(len(slope)):
        n, own, sd = nodes.pivot[g], n_fixed + nodes.depth[g], level_sd[nodes.depth[g]]
        mine = inner[g - n_leaves] if g >= n_leaves else nothing
        pivot_derivatives(sd, nodes.curvature[g], slope[g], mine, own, n_dot, n_two)
        for k in range(m):
            first[k] += n_dot[k] / n
            for j in range(k + 1):
                second[k, j] += n_two[k, j] / n - n_dot[k] * n_dot[j] / (n * n)
        up = nodes.parent[g]
        if up < 0:
            continue
        passed = nodes.curvature[g] / n
        above = inner[up - n_leaves]
        for k in range(m):
            for j in range(k + 1):
                slope_k = (slope[g, k] - passed * n_dot[k]) / n
                slope_j = (slope[g, j] - passed * n_dot[j]) / n
                above[k, j] += (
                    mine[k, j] - slope_k * n_dot[j] - slope_j * n_dot[k] - passed * n_two[k, j]
                ) / n
        for k in range(m):
            slope[up, k] += (slope[g, k] - passed * n_dot[k]) / n


@compiled
def pivot_derivatives(
    sd: float,
    curvature: float,
    slope: np.ndarray,
    bend: np.ndarray,
    own: int,
    first: np.ndarray,
    second: np.ndarray,
) -> None:
    """Derivatives of N = 1 + sd^2 A from those of A; `own` is the direction of sd. Fills both."""
    for k in range(len(slope)):
        first[k] = sd * sd * slope[k]
        for j in range(k + 1):
            second[k, j] = sd * sd * bend[k, j]
    first[own] += 2.0 * sd * curvature
    for k in range(len(slope)):
        # theta' A' on both sides; the entry (own, own) gets it twice, and theta'' A
        if k <= own:
            second[own, k] += 2.0 * sd * slope[k]
        if k >= own:
            second[k, own] += 2.0 * sd * slope[k]
    second[own, own] += 2.0 * curvature
