"""Fits of a binary outcome without single groups, a few Newton steps from the whole's optimum.

-log L is a sum over the trees of random intercepts, so without some of them its gradient and
Hessian at the optimum are those of the whole less theirs. With the third derivatives of the whole
it is a cubic near by, which Newton's method minimises without another look at the data
(`alliance.mixed.nearby` does the same for linear models).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from alliance.errors import FitError
from alliance.mixed.logit.laplace import RAN_OFF, BinaryRows, Laplace, Mode
from alliance.mixed.logit.quadrature import Quadrature
from alliance.mixed.logit.result import LogitFit
from alliance.mixed.logit.tree import number_nodes
from alliance.mixed.nearby import ENDED, STEPS, Ends
from alliance.mixed.points import DIFFERENCE, FARTHEST

MOST = 512
"""Groups worked on at a time."""

LEAST = 1e-8
"""Least share of the largest eigenvalue of a Hessian that tells its parameters apart."""


@dataclass(frozen=True, slots=True)
class BinaryPoints:
    """Fixed effects of several data sets, on the user's scale.

    Attributes
    ----------
    coefficients, covariance : numpy.ndarray
        Shapes (n, p) and (n, p, p).
    """

    coefficients: np.ndarray
    covariance: np.ndarray

    def contrasts(self, fit: Any, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Linear combinations (c, p): estimates, standard errors and infinite df, (n, c) each."""
        del fit
        variance = np.einsum("cp,npq,cq->nc", matrix, self.covariance, matrix)
        se = np.sqrt(np.maximum(variance, 0.0))
        return self.coefficients @ matrix.T, se, np.full(se.shape, np.inf)


def leaves_of(fit: LogitFit, codes: np.ndarray) -> list[np.ndarray] | None:
    """Leaves of each group; None where a tree of random intercepts lies in several groups.

    Parameters
    ----------
    fit : LogitFit
    codes : array (used,)
        Group of each used row in the order given, numbered from 0.
    """
    prepared = fit.prepared
    starts, tree = prepared.nesting.starts[-1], prepared.tree
    in_order = codes[prepared.order]
    of_leaf = in_order[starts[:-1]]
    root = tree.ancestor[0]
    of_root = np.full(tree.n_nodes, -1)
    of_root[root] = of_leaf
    if (np.repeat(of_leaf, np.diff(starts)) != in_order).any() or (of_root[root] != of_leaf).any():
        return None
    return [np.flatnonzero(of_leaf == group) for group in range(int(codes.max()) + 1)]


def nearby_binary(fit: LogitFit, groups: Sequence[np.ndarray]) -> Iterator[Ends[BinaryPoints]]:
    """Fit without each group of leaves, some groups at a time.

    Parameters
    ----------
    fit : LogitFit
        With random intercepts.
    groups : sequence of array of int
        Leaves of each, whole trees of random intercepts.
    """
    psi = fit.expansion.mode.psi
    whole = _criterion(fit, np.arange(fit.prepared.tree.n_leaves))
    curvature = whole.expand(_mode(whole, psi)).hessian
    third = _third(whole, psi)
    for first in range(0, len(groups), MOST):
        parts = []
        for leaves in groups[first : first + MOST]:
            own = _criterion(fit, leaves)
            parts.append(own.expand(_mode(own, psi)))
        gradient = -np.array([part.gradient for part in parts])
        lost = np.array([part.hessian for part in parts])
        rough, ended = _minimise(gradient, fit.expansion.hessian - lost, 0.0 * third)
        fine, arrived = _minimise(gradient, fit.expansion.hessian - lost, third)
        start = np.zeros_like(fine)
        yield Ends(
            _points(fit, start, curvature - lost),
            _points(fit, rough, curvature - lost),
            _points(fit, fine, curvature - lost + np.tensordot(fine, third, axes=1)),
            ended & arrived,
        )


def _criterion(fit: LogitFit, leaves: np.ndarray) -> Laplace | Quadrature:
    """Give -log L of some leaves alone; its Hessian is that of the Laplace approximation."""
    tree, whole = fit.prepared.tree, fit.prepared.binary_rows(fit.outcome)
    nodes, counts = leaves, [len(leaves)]
    above: list[np.ndarray] = []
    for _ in range(tree.n_levels - 1):
        parents, inside = np.unique(tree.parent[nodes], return_inverse=True)
        above.insert(0, inside)
        counts.insert(0, len(parents))
        nodes = parents
    sizes = np.diff(whole.pointer)[leaves]
    ranges = [np.arange(whole.pointer[leaf], whole.pointer[leaf + 1]) for leaf in leaves]
    rows = np.concatenate(ranges)
    laplace = Laplace(
        BinaryRows(
            np.ascontiguousarray(whole.x[:, rows]),
            whole.successes[rows],
            whole.trials[rows],
            np.concatenate(([0], np.cumsum(sizes))),
        ),
        number_nodes(counts, above),
        fit.link,
    )
    return Quadrature(laplace, fit.quadrature) if fit.quadrature > 1 else laplace


def _mode(criterion: Laplace | Quadrature, psi: np.ndarray) -> Mode:
    mode = criterion.at(psi)
    if mode is None:
        raise FitError(RAN_OFF)
    return mode


def _third(whole: Laplace | Quadrature, psi: np.ndarray) -> np.ndarray:
    """Third derivatives of the whole, shape (m, m, m), as differences of the second."""
    ends = [
        [whole.expand(_mode(whole, psi + sign * step)).hessian for sign in (1.0, -1.0)]
        for step in DIFFERENCE * np.eye(len(psi))
    ]
    return np.array([(high - low) / (2.0 * DIFFERENCE) for high, low in ends])


def _minimise(
    gradient: np.ndarray, hessian: np.ndarray, third: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise cubics: where from the start, shape (n, m), and whether there is a minimum."""
    d, good = np.zeros_like(gradient), np.ones(len(gradient), dtype=bool)
    for _ in range(STEPS):
        bend = np.tensordot(d, third, axes=1)
        slope = gradient + np.einsum("nij,nj->ni", hessian + 0.5 * bend, d)
        values, vectors = np.linalg.eigh(hessian + bend)
        good &= values[:, 0] > LEAST * values[:, -1]
        along = np.einsum("nij,ni->nj", vectors, slope)
        step = -np.einsum("nij,nj->ni", vectors, along / np.where(values > 0, values, 1.0))
        good &= np.linalg.norm(d + step, axis=1) <= FARTHEST
        gain = -0.5 * np.einsum("ni,ni->n", slope, step)
        d = np.where(good[:, None], d + step, d)
        if (gain[good] < ENDED).all():
            break
    return d, good & (gain < ENDED)


def _points(fit: LogitFit, d: np.ndarray, hessian: np.ndarray) -> BinaryPoints:
    """Carry changes of the parameters to the user's scale."""
    p = len(fit.prepared.fixed)
    inner = np.append(np.ones(p, dtype=bool), fit.standard_deviations > 0)
    to_user = np.linalg.inv(fit.prepared.columns.fixed_transform)
    own = hessian[:, inner][:, :, inner]
    known = np.linalg.eigvalsh(own)[:, 0] > 0
    inverse = np.linalg.inv(np.where(known[:, None, None], own, np.eye(len(own[0]))))
    covariance = to_user @ inverse[:, :p, :p] @ to_user.T
    covariance[~known] = np.nan
    return BinaryPoints(fit.estimates + d[:, :p] @ to_user.T, covariance)
