"""The loops over rows: sums per innermost group ("leaf"), all compiled.

Rows are sorted by leaf; leaf c holds rows ``pointer[c]`` to ``pointer[c + 1]``. The linear
predictor of a row is its fixed part plus the path of its leaf, the sum of the random intercepts
from the root down to it.
"""

from __future__ import annotations

import math

import numpy as np

from alliance.mixed.compiling import compiled
from alliance.mixed.logit.links import (
    LOGIT,
    cloglog_two,
    cloglog_value,
    cloglog_weights,
    logit_probability,
)

LARGE = 1e280  # a running product of terms in [1, 2] is turned into a logarithm beyond this


@compiled
def leaf_sums(
    link: int,
    fixed: np.ndarray,
    successes: np.ndarray,
    trials: np.ndarray,
    pointer: np.ndarray,
    path: np.ndarray,
    value: np.ndarray,
    score: np.ndarray,
    weight: np.ndarray,
) -> None:
    """Log-likelihood, its derivative in the path, and minus the second one, per leaf."""
    for c in range(len(pointer) - 1):
        total, slope, curvature = 0.0, 0.0, 0.0
        product = 1.0
        for i in range(pointer[c], pointer[c + 1]):
            eta = fixed[i] + path[c]
            t, s = trials[i], successes[i]
            if link == LOGIT:
                # log(1 + e) of many rows is the logarithm of one product
                e = math.exp(-abs(eta))
                inverse = 1.0 / (1.0 + e)
                pi = inverse if eta >= 0.0 else e * inverse
                total += s * eta - (t * eta if eta > 0.0 else 0.0)
                if t == 1.0:
                    product *= 1.0 + e
                    if product > LARGE:
                        total -= math.log(product)
                        product = 1.0
                else:
                    total -= t * math.log1p(e)
                slope += s - t * pi
                curvature += t * e * inverse * inverse
            else:
                total += cloglog_value(eta, s, t)
                first, second = cloglog_two(eta, s, t)
                slope += first
                curvature += second
        value[c] = total - math.log(product)
        score[c] = slope
        weight[c] = curvature


@compiled
def leaf_vectors(
    link: int,
    x: np.ndarray,
    fixed: np.ndarray,
    successes: np.ndarray,
    trials: np.ndarray,
    pointer: np.ndarray,
    path: np.ndarray,
    slope: np.ndarray,
    weight_slope: np.ndarray,
    weight_x: np.ndarray,
    weight_slope_x: np.ndarray,
) -> None:
    """Sum over rows l' x (in all), and per leaf of w', w x and w' x."""
    p = x.shape[1]
    for c in range(len(pointer) - 1):
        weight_slope[c] = 0.0
        weight_x[c, :] = 0.0
        weight_slope_x[c, :] = 0.0
        for i in range(pointer[c], pointer[c + 1]):
            eta = fixed[i] + path[c]
            if link == LOGIT:
                pi = logit_probability(eta)
                first = successes[i] - trials[i] * pi
                w = trials[i] * pi * (1.0 - pi)
                w1 = w * (1.0 - 2.0 * pi)
            else:
                first, w = cloglog_two(eta, successes[i], trials[i])
                w, w1, _ = cloglog_weights(eta, successes[i], trials[i])
            weight_slope[c] += w1
            for k in range(p):
                slope[k] += first * x[i, k]
                weight_x[c, k] += w * x[i, k]
                weight_slope_x[c, k] += w1 * x[i, k]


@compiled
def leaf_matrices(
    link: int,
    x: np.ndarray,
    fixed: np.ndarray,
    successes: np.ndarray,
    trials: np.ndarray,
    pointer: np.ndarray,
    path: np.ndarray,
    shift: np.ndarray,
    half_variance: np.ndarray,
    cross: np.ndarray,
    omega_x: np.ndarray,
    omega: np.ndarray,
) -> None:
    """Sum omega x x' (in all), omega x and omega (per leaf).

    omega = w - shift_c w' + half_variance_c w'' is a row's weight in the second derivative of the
    Laplace criterion (`alliance.mixed.logit.laplace`). Fills the upper triangle of `cross`.
    """
    p = x.shape[1]
    for c in range(len(pointer) - 1):
        omega[c] = 0.0
        omega_x[c, :] = 0.0
        for i in range(pointer[c], pointer[c + 1]):
            eta = fixed[i] + path[c]
            if link == LOGIT:
                pi = logit_probability(eta)
                unit = pi * (1.0 - pi)
                w = trials[i] * unit
                w1 = w * (1.0 - 2.0 * pi)
                w2 = w * (1.0 - 6.0 * unit)
            else:
                w, w1, w2 = cloglog_weights(eta, successes[i], trials[i])
            o = w - shift[c] * w1 + half_variance[c] * w2
            omega[c] += o
            for k in range(p):
                ox = o * x[i, k]
                omega_x[c, k] += ox
                for j in range(k, p):
                    cross[k, j] += ox * x[i, j]


@compiled
def quadrature_sums(
    link: int,
    x: np.ndarray,
    fixed: np.ndarray,
    successes: np.ndarray,
    trials: np.ndarray,
    pointer: np.ndarray,
    paths: np.ndarray,
    prior: np.ndarray,
    value: np.ndarray,
    share: np.ndarray,
    score: np.ndarray,
    slope: np.ndarray,
) -> None:
    """Sum over rows for adaptive quadrature with Q nodes per leaf.

    Parameters
    ----------
    paths : array (leaves, Q)
        Path at each node.
    prior : array (leaves, Q)
        Logarithm of the node's weight and prior density, up to a constant.
    value : array (leaves,)
        Filled with log sum_q exp(prior + log-likelihood).
    share : array (leaves, Q)
        Filled with each node's share of that sum.
    score : array (leaves, Q)
        Filled with the derivative of the log-likelihood in the path.
    slope : array (p,)
        Sum over rows and nodes of share * l' * x is added.
    """
    p = x.shape[1]
    n_nodes = paths.shape[1]
    longest = 0
    for c in range(len(pointer) - 1):
        longest = max(longest, pointer[c + 1] - pointer[c])
    first = np.empty((longest, n_nodes))
    terms = np.empty(n_nodes)
    for c in range(len(pointer) - 1):
        begin, end = pointer[c], pointer[c + 1]
        for q in range(n_nodes):
            total, derivative = 0.0, 0.0
            for i in range(begin, end):
                eta = fixed[i] + paths[c, q]
                t, s = trials[i], successes[i]
                if link == LOGIT:
                    e = math.exp(-abs(eta))
                    pi = 1.0 / (1.0 + e) if eta >= 0.0 else e / (1.0 + e)
                    total += s * eta - (t * eta if eta > 0.0 else 0.0) - t * math.log1p(e)
                    one = s - t * pi
                else:
                    total += cloglog_value(eta, s, t)
                    one, _ = cloglog_two(eta, s, t)
                derivative += one
                first[i - begin, q] = one
            terms[q] = total + prior[c, q]
            score[c, q] = derivative
        highest = terms.max()
        summed = 0.0
        for q in range(n_nodes):
            terms[q] = math.exp(terms[q] - highest)
            summed += terms[q]
        value[c] = highest + math.log(summed)
        for q in range(n_nodes):
            share[c, q] = terms[q] / summed
        for i in range(begin, end):
            mean = 0.0
            for q in range(n_nodes):
                mean += share[c, q] * first[i - begin, q]
            for k in range(p):
                slope[k] += mean * x[i, k]
