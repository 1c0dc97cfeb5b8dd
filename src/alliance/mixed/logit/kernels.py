"""The loops over rows: sums per innermost group ("leaf"), all compiled.

Rows are sorted by leaf; leaf c holds rows ``pointer[c]`` to ``pointer[c + 1]``. The linear
predictor of a row is its fixed part plus the path of its leaf, the sum of the random intercepts
from the root down to it.

A leaf is worked through in stretches of up to `STRETCH` rows, whose terms are kept in scratch
arrays: simple loops over neighbouring numbers, which the compiler turns into vector instructions.
It may add up in another order than written (the same for the same machine).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from alliance.mixed.compiling import part_of_kernels, vectorised
from alliance.mixed.logit.links import LOGIT, cloglog_two, cloglog_value, cloglog_weights

STRETCH = 512
"""Rows at a time; a product of as many numbers in [1, 2] does not overflow."""


class Leaves(NamedTuple):
    """The rows of every leaf.

    Attributes
    ----------
    link : int
        Place of the link in `alliance.mixed.logit.links.LINKS`.
    single : bool
        Whether every row is one trial.
    x : numpy.ndarray
        Shape (p, n).
    successes, trials : numpy.ndarray
        Shape (n,).
    pointer : numpy.ndarray
        First row of each leaf, and the end, shape (leaves + 1,).
    """

    link: int
    single: bool
    x: np.ndarray
    successes: np.ndarray
    trials: np.ndarray
    pointer: np.ndarray


@part_of_kernels
def exponentials(eta: np.ndarray, m: int, e: np.ndarray, bits: np.ndarray) -> None:
    """Fill e with exp(-|eta|), to the last bit or two, without a call per number.

    exp(z) = 2^k exp(r) with |r| <= log(2) / 2 and the Taylor series of exp(r) to r^13 (Cody & Waite
    1980, ch. 6); 2^k is put together from its bits.
    """
    for i in range(m):
        z = max(-abs(eta[i]), -700.0)
        k = np.floor(z * 1.4426950408889634 + 0.5)
        r = (z - k * 0.693147180369123816490) - k * 1.90821492927058770002e-10
        q = 1.0 / 6227020800.0
        q = q * r + 1.0 / 479001600.0
        q = q * r + 1.0 / 39916800.0
        q = q * r + 1.0 / 3628800.0
        q = q * r + 1.0 / 362880.0
        q = q * r + 1.0 / 40320.0
        q = q * r + 1.0 / 5040.0
        q = q * r + 1.0 / 720.0
        q = q * r + 1.0 / 120.0
        q = q * r + 1.0 / 24.0
        q = q * r + 1.0 / 6.0
        q = q * r + 0.5
        q = q * r + 1.0
        e[i] = q * r + 1.0
        bits[i] = (np.int64(k) + 1023) << 52
    power = bits.view(np.float64)
    for i in range(m):
        e[i] *= power[i]


@vectorised
def fixed_part(x: np.ndarray, b: np.ndarray, fixed: np.ndarray) -> None:
    """Fill `fixed` with b' x; x has shape (p, n)."""
    for begin in range(0, len(fixed), STRETCH):
        end = min(begin + STRETCH, len(fixed))
        out = fixed[begin:end]
        for i in range(end - begin):
            out[i] = 0.0
        for k in range(len(b)):
            column = x[k, begin:end]
            for i in range(end - begin):
                out[i] += b[k] * column[i]


@part_of_kernels
def logit_value(
    eta: np.ndarray, e: np.ndarray, successes: np.ndarray, trials: np.ndarray, single: bool
) -> float:
    """Log-likelihood of a stretch of rows; the logarithms of single trials are one logarithm."""
    total = 0.0
    for i in range(len(trials)):
        total += successes[i] * eta[i] - trials[i] * max(eta[i], 0.0)
    if single:
        product = 1.0
        for i in range(len(trials)):
            product *= 1.0 + e[i]
        total -= math.log(product)
    else:
        for i in range(len(trials)):
            total -= trials[i] * math.log1p(e[i])
    return total


@part_of_kernels
def first_terms(
    link: int,
    eta: np.ndarray,
    e: np.ndarray,
    successes: np.ndarray,
    trials: np.ndarray,
    first: np.ndarray,
    w: np.ndarray,
) -> None:
    """Score l' and weight w of a stretch of rows."""
    if link == LOGIT:
        for i in range(len(trials)):
            inverse = 1.0 / (1.0 + e[i])
            pi = inverse if eta[i] >= 0.0 else e[i] * inverse
            first[i] = successes[i] - trials[i] * pi
            w[i] = trials[i] * e[i] * inverse * inverse
    else:
        for i in range(len(trials)):
            first[i], w[i] = cloglog_two(eta[i], successes[i], trials[i])


@vectorised
def leaf_sums(
    leaves: Leaves,
    fixed: np.ndarray,
    path: np.ndarray,
    value: np.ndarray,
    score: np.ndarray,
    weight: np.ndarray,
) -> None:
    """Log-likelihood, its derivative in the path, and minus the second one, per leaf."""
    link, single, pointer = leaves.link, leaves.single, leaves.pointer
    successes, trials = leaves.successes, leaves.trials
    eta, e, bits = np.empty(STRETCH), np.empty(STRETCH), np.empty(STRETCH, np.int64)
    first, w = np.empty(STRETCH), np.empty(STRETCH)
    for c in range(len(pointer) - 1):
        value[c], score[c], weight[c] = 0.0, 0.0, 0.0
        for begin in range(pointer[c], pointer[c + 1], STRETCH):
            end = min(begin + STRETCH, pointer[c + 1])
            s, t = successes[begin:end], trials[begin:end]
            for i in range(end - begin):
                eta[i] = fixed[begin + i] + path[c]
            if link == LOGIT:
                exponentials(eta, end - begin, e, bits)
                value[c] += logit_value(eta, e, s, t, single)
            else:
                for i in range(end - begin):
                    value[c] += cloglog_value(eta[i], s[i], t[i])
            first_terms(link, eta, e, s, t, first, w)
            slope, curvature = 0.0, 0.0
            for i in range(end - begin):
                slope += first[i]
                curvature += w[i]
            score[c] += slope
            weight[c] += curvature


@part_of_kernels
def weight_terms(
    link: int,
    eta: np.ndarray,
    e: np.ndarray,
    successes: np.ndarray,
    trials: np.ndarray,
    w: np.ndarray,
    w1: np.ndarray,
    w2: np.ndarray,
) -> None:
    """Weight w and its first two derivatives of a stretch of rows."""
    if link == LOGIT:
        for i in range(len(trials)):
            inverse = 1.0 / (1.0 + e[i])
            unit = e[i] * inverse * inverse
            tilt = (1.0 - e[i]) * inverse
            w[i] = trials[i] * unit
            w1[i] = w[i] * (-tilt if eta[i] >= 0.0 else tilt)
            w2[i] = w[i] * (1.0 - 6.0 * unit)
    else:
        for i in range(len(trials)):
            w[i], w1[i], w2[i] = cloglog_weights(eta[i], successes[i], trials[i])


@vectorised
def leaf_vectors(
    leaves: Leaves,
    fixed: np.ndarray,
    path: np.ndarray,
    slope: np.ndarray,
    weight_slope: np.ndarray,
    weight_x: np.ndarray,
    weight_slope_x: np.ndarray,
) -> None:
    """Sum over rows l' x (in all), and per leaf w', w x and w' x."""
    link, x, pointer = leaves.link, leaves.x, leaves.pointer
    successes, trials = leaves.successes, leaves.trials
    eta, e, bits = np.empty(STRETCH), np.empty(STRETCH), np.empty(STRETCH, np.int64)
    first, w = np.empty(STRETCH), np.empty(STRETCH)
    w1, w2 = np.empty(STRETCH), np.empty(STRETCH)
    for c in range(len(pointer) - 1):
        weight_slope[c] = 0.0
        weight_x[c, :] = 0.0
        weight_slope_x[c, :] = 0.0
        for begin in range(pointer[c], pointer[c + 1], STRETCH):
            end = min(begin + STRETCH, pointer[c + 1])
            s, t = successes[begin:end], trials[begin:end]
            for i in range(end - begin):
                eta[i] = fixed[begin + i] + path[c]
            if link == LOGIT:
                exponentials(eta, end - begin, e, bits)
            first_terms(link, eta, e, s, t, first, w)
            weight_terms(link, eta, e, s, t, w, w1, w2)
            total = 0.0
            for i in range(end - begin):
                total += w1[i]
            weight_slope[c] += total
            for k in range(x.shape[0]):
                column = x[k, begin:end]
                a, b, d = 0.0, 0.0, 0.0
                for i in range(end - begin):
                    a += first[i] * column[i]
                    b += w[i] * column[i]
                    d += w1[i] * column[i]
                slope[k] += a
                weight_x[c, k] += b
                weight_slope_x[c, k] += d


@vectorised
def leaf_matrices(
    leaves: Leaves,
    fixed: np.ndarray,
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
    link, x, pointer = leaves.link, leaves.x, leaves.pointer
    successes, trials = leaves.successes, leaves.trials
    eta, e, bits = np.empty(STRETCH), np.empty(STRETCH), np.empty(STRETCH, np.int64)
    w, w1, w2 = np.empty(STRETCH), np.empty(STRETCH), np.empty(STRETCH)
    for c in range(len(pointer) - 1):
        omega[c] = 0.0
        omega_x[c, :] = 0.0
        for begin in range(pointer[c], pointer[c + 1], STRETCH):
            end = min(begin + STRETCH, pointer[c + 1])
            for i in range(end - begin):
                eta[i] = fixed[begin + i] + path[c]
            if link == LOGIT:
                exponentials(eta, end - begin, e, bits)
            weight_terms(link, eta, e, successes[begin:end], trials[begin:end], w, w1, w2)
            total = 0.0
            for i in range(end - begin):
                w[i] += half_variance[c] * w2[i] - shift[c] * w1[i]
                total += w[i]
            omega[c] += total
            for k in range(x.shape[0]):
                column = x[k, begin:end]
                total = 0.0
                for i in range(end - begin):
                    w1[i] = w[i] * column[i]
                    total += w1[i]
                omega_x[c, k] += total
                for j in range(k, x.shape[0]):
                    other = x[j, begin:end]
                    total = 0.0
                    for i in range(end - begin):
                        total += w1[i] * other[i]
                    cross[k, j] += total
