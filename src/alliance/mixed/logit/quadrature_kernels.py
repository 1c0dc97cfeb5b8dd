"""The loops over rows of adaptive quadrature: sums per leaf and node, compiled."""

from __future__ import annotations

import math

import numpy as np

from alliance.mixed.compiling import part_of_kernels, vectorised
from alliance.mixed.logit.kernels import STRETCH, Leaves, exponentials, first_terms, logit_value
from alliance.mixed.logit.links import LOGIT, cloglog_value


@part_of_kernels
def node_sums(
    leaves: Leaves,
    fixed: np.ndarray,
    c: int,
    path: float,
    first: np.ndarray,
    eta: np.ndarray,
    e: np.ndarray,
    bits: np.ndarray,
    w: np.ndarray,
) -> tuple[float, float]:
    """Log-likelihood of a leaf at one path, and its derivative; `first` is filled row by row."""
    start, stop = leaves.pointer[c], leaves.pointer[c + 1]
    likelihood, score = 0.0, 0.0
    for begin in range(start, stop, STRETCH):
        end = min(begin + STRETCH, stop)
        s, t = leaves.successes[begin:end], leaves.trials[begin:end]
        one = first[begin - start : end - start]
        for i in range(end - begin):
            eta[i] = fixed[begin + i] + path
        if leaves.link == LOGIT:
            exponentials(eta, end - begin, e, bits)
            likelihood += logit_value(eta, e, s, t, leaves.single)
        else:
            for i in range(end - begin):
                likelihood += cloglog_value(eta[i], s[i], t[i])
        first_terms(leaves.link, eta, e, s, t, one, w)
        for i in range(end - begin):
            score += one[i]
    return likelihood, score


@part_of_kernels
def shares(share: np.ndarray, eta: np.ndarray, e: np.ndarray, bits: np.ndarray) -> float:
    """Turn logarithms into shares of their sum; returns the logarithm of the sum."""
    highest = share[0]
    for q in range(1, len(share)):
        highest = max(highest, share[q])
    for q in range(len(share)):
        eta[q] = share[q] - highest
    exponentials(eta, len(share), e, bits)
    summed = 0.0
    for q in range(len(share)):
        summed += e[q]
    for q in range(len(share)):
        share[q] = e[q] / summed
    return float(highest + math.log(summed))


@vectorised
def quadrature_sums(
    leaves: Leaves,
    fixed: np.ndarray,
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
    x, pointer, n_nodes = leaves.x, leaves.pointer, paths.shape[1]
    longest = 0
    for c in range(len(pointer) - 1):
        longest = max(longest, pointer[c + 1] - pointer[c])
    eta, e, bits = np.empty(STRETCH), np.empty(STRETCH), np.empty(STRETCH, np.int64)
    w = np.empty(STRETCH)
    first = np.empty((n_nodes, longest))
    mean = np.empty(longest)
    for c in range(len(pointer) - 1):
        start, length = pointer[c], pointer[c + 1] - pointer[c]
        for q in range(n_nodes):
            likelihood, score[c, q] = node_sums(
                leaves, fixed, c, paths[c, q], first[q], eta, e, bits, w
            )
            share[c, q] = prior[c, q] + likelihood
        value[c] = shares(share[c], eta, e, bits)
        for i in range(length):
            mean[i] = 0.0
        for q in range(n_nodes):
            for i in range(length):
                mean[i] += share[c, q] * first[q, i]
        for k in range(x.shape[0]):
            column = x[k, start : start + length]
            total = 0.0
            for i in range(length):
                total += mean[i] * column[i]
            slope[k] += total
