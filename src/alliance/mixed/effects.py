"""Random effects after the fit: empirical Bayes modes and their conditional covariance.

Downwards through the tree, given the effects a of all groups above (as coefficients of the columns
C): u | a, y ~ N(G (f - S_ZC a), sigma^2 G), with f = Z' W (y - X b) in the metric of the levels
below. Fixed effects and covariances are taken at their estimates, as in lme4's ``condVar``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alliance.mixed.problem import Problem
from alliance.mixed.rows import Nesting


@dataclass(frozen=True, slots=True)
class LevelEffects:
    """Modes and covariances of one level on the engine's scale.

    Attributes
    ----------
    modes : numpy.ndarray
        Shape (groups, q).
    covariances : numpy.ndarray
        Conditional covariance relative to sigma^2, shape (groups, q, q).
    """

    modes: np.ndarray
    covariances: np.ndarray


def random_effects(
    problem: Problem, nesting: Nesting, theta: np.ndarray, fixed: np.ndarray, b: np.ndarray
) -> list[LevelEffects]:
    """Modes and conditional covariances of every level, outermost first."""
    factors = problem.layout.factors(theta)
    weights = problem.residual.weights(theta[: problem.layout.n_residual]).value
    n_levels, r = len(factors), problem.n_random
    entries = problem.cross * weights[problem.entry_class][:, None, None]
    held = np.add.reduceat(entries, problem.entry_pointer[:-1], axis=0)
    kept: list[tuple[np.ndarray, np.ndarray]] = []
    for depth in reversed(range(n_levels)):
        z = problem.level_columns[depth]
        f = held[:, z, :]
        g = _posterior(f[:, :, z], factors[depth])
        kept.insert(0, (f, g))
        if depth:
            passed = held - np.einsum("gak,gab,gbm->gkm", f[:, :, :r], g, f)
            first = np.flatnonzero(np.diff(nesting.parents(depth), prepend=-1))
            held = np.add.reduceat(passed, first, axis=0)
    effects: list[LevelEffects] = []
    above = np.zeros((1, r))
    spread = np.zeros((1, r, r))
    for depth, (f, g) in enumerate(kept):
        z = problem.level_columns[depth]
        parent = nesting.parents(depth) if depth else np.zeros(len(f), dtype=np.int64)
        residual = f[:, :, -1] - f[:, :, fixed] @ b
        a, cov = above[parent], spread[parent]
        residual = residual - np.einsum("gak,gk->ga", f[:, :, :r], a)
        modes = np.einsum("gab,gb->ga", g, residual)
        carry = -np.einsum("gab,gbk->gak", g, f[:, :, :r])
        effects.append(LevelEffects(modes, g + carry @ cov @ carry.transpose(0, 2, 1)))
        above = a.copy()
        above[:, z] += modes
        shift = np.broadcast_to(np.eye(r), (len(f), r, r)).copy()
        shift[:, z, :] += carry
        spread = shift @ cov @ shift.transpose(0, 2, 1)
        spread[:, z[:, None], z[None, :]] += g
    return effects


def _posterior(s: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """G = L (I + L' S L)^-1 L' for many groups at once, shape (groups, q, q)."""
    inner = np.eye(len(factor)) + factor.T @ s @ factor
    right = np.broadcast_to(factor.T, s.shape)
    return factor @ np.linalg.solve(inner, right)
