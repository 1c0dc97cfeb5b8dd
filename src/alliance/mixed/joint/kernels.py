"""The loops over clients, their nodes and their rows at risk, compiled.

The effects of a client stand in one vector: its own q, then the therapist's level of the course and
of the hazard, all standard normal a priori. The log density of the scores is a quadratic in them
(`linear`, `quadratic`), the linear predictor of a row at risk a line (`base`, `slope`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from alliance.mixed.compiling import compiled, part_of_kernels, vectorised
from alliance.mixed.logit.kernels import STRETCH, exponentials

RATE, LOGIT = 0, 1
MODE_STEPS = 30
CLOSE = 1e-8


class Problem(NamedTuple):
    """One evaluation's problem: shapes (N, d), (N, d, d), (r,), (r, d), (r,), (r,), (N + 1,)."""

    linear: np.ndarray
    quadratic: np.ndarray
    base: np.ndarray
    slope: np.ndarray
    event: np.ndarray
    exposure: np.ndarray
    pointer: np.ndarray
    link: int


@part_of_kernels
def row_terms(link: int, eta: float, event: float, exposure: float) -> tuple[float, float, float]:
    """Log-likelihood of a row at risk, its derivative, and minus the second one."""
    eta = min(max(eta, -200.0), 200.0)
    if link == RATE:
        rate = exposure * math.exp(eta)
        value, first, second = event * eta - rate, event - rate, rate
    elif link == LOGIT:
        e = math.exp(-abs(eta))
        p = 1.0 / (1.0 + e) if eta >= 0.0 else e / (1.0 + e)
        value = event * eta - max(eta, 0.0) - math.log1p(e)
        first, second = event - p, p * (1.0 - p)
    else:
        rate = math.exp(eta)
        if event > 0.0 and rate < 700.0:
            odds = rate / math.expm1(rate) if rate > 1e-12 else 1.0
            value = math.log(-math.expm1(-rate)) if rate > 1e-12 else eta
            first, second = odds, odds * (rate + odds - 1.0)
        elif event > 0.0:
            value, first, second = 0.0, 0.0, 0.0
        else:
            value, first, second = -rate, -rate, rate
    return value, first, second


@compiled
def derivatives(problem, i, q, effects, first, second):
    """Return a client's log density; fill its first and minus second derivatives in the effects."""
    d = len(effects)
    first[:] = problem.linear[i] - problem.quadratic[i] @ effects
    second[:] = problem.quadratic[i]
    value = 0.5 * np.sum((problem.linear[i] + first) * effects)
    for a in range(q):
        first[a] -= effects[a]
        second[a, a] += 1.0
        value -= 0.5 * effects[a] ** 2
    for r in range(problem.pointer[i], problem.pointer[i + 1]):
        line = problem.slope[r]
        eta = problem.base[r] + np.sum(line * effects)
        one, slope, bend = row_terms(problem.link, eta, problem.event[r], problem.exposure[r])
        value += one
        for a in range(d):
            first[a] += slope * line[a]
            for c in range(d):
                second[a, c] += bend * line[a] * line[c]
    return value


@compiled
def modes(problem, given, u, curvature, score, information):
    """Find each client's most likely effects at given therapist's effects.

    `given` (N, K, 2); `u` (N, K, q): start in, mode out; `curvature` (N, K, q, q): minus the second
    derivatives there. `score` (N, K, 2) and `information` (N, K, 2, 2): first and minus second
    derivatives of the maximum in the therapist's effects.
    """
    q, d = u.shape[2], problem.linear.shape[1]
    effects, first, second = np.empty(d), np.empty(d), np.empty((d, d))
    for i in range(u.shape[0]):
        for k in range(u.shape[1]):
            before, step = -np.inf, np.zeros(q)
            effects[q:] = given[i, k]
            for _ in range(MODE_STEPS):
                effects[:q] = u[i, k]
                value = derivatives(problem, i, q, effects, first, second)
                if value < before - 1e-9 * (1.0 + abs(before)):
                    step *= 0.5
                    u[i, k] -= step
                    continue
                before = value
                step = np.linalg.solve(second[:q, :q].copy(), first[:q].copy())
                if np.max(np.abs(step)) < CLOSE:
                    break
                u[i, k] += step
            curvature[i, k] = second[:q, :q]
            inner = np.linalg.solve(second[:q, :q].copy(), second[:q, q:].copy())
            score[i, k] = first[q:]
            information[i, k] = second[q:, q:] - second[q:, :q].copy() @ inner


@part_of_kernels
def rows_at_nodes(
    problem: Problem, begin: int, end: int, m: int, eta: np.ndarray, e: np.ndarray,
    bits: np.ndarray, values: np.ndarray, product: np.ndarray,
) -> None:  # fmt: skip
    """Add the log-likelihood of rows to `values` of each node; leave derivatives in `eta`.

    Row r at node g stands at (r - begin) m + g. The logarithms of a node's rows are one logarithm.
    """
    if problem.link == LOGIT:
        exponentials(eta, (end - begin) * m, e, bits)
        product[:m] = 1.0
        for r in range(begin, end):
            for g in range(m):
                at = (r - begin) * m + g
                inverse = 1.0 / (1.0 + e[at])
                values[g] += problem.event[r] * eta[at] - max(eta[at], 0.0)
                product[g] *= 1.0 + e[at]
                eta[at] = problem.event[r] - (inverse if eta[at] >= 0.0 else e[at] * inverse)
            if (r - begin) % STRETCH == STRETCH - 1 or r == end - 1:
                for g in range(m):
                    values[g] -= math.log(product[g])
                    product[g] = 1.0
    else:
        for r in range(begin, end):
            for g in range(m):
                at = (r - begin) * m + g
                value, eta[at], _ = row_terms(
                    problem.link, eta[at], problem.event[r], problem.exposure[r]
                )
                values[g] += value


@part_of_kernels
def place(centre: np.ndarray, root: np.ndarray, nodes: np.ndarray, points: np.ndarray) -> None:
    """Fill the places of a client's nodes (q, M)."""
    q, m = nodes.shape
    for a in range(q):
        for g in range(m):
            points[a, g] = centre[a]
        for c in range(q):
            for g in range(m):
                points[a, g] += root[a, c] * nodes[c, g]


@part_of_kernels
def density_of_scores(
    problem: Problem, i: int, given: np.ndarray, points: np.ndarray, values: np.ndarray
) -> None:
    """Fill the log density of a client's scores and effects at its nodes."""
    q, m = points.shape
    d = problem.linear.shape[1]
    line = problem.linear[i] - problem.quadratic[i, :, q:].copy() @ given
    inner = problem.quadratic[i] + np.eye(d)
    constant = 0.5 * np.sum((line[q:] + problem.linear[i, q:]) * given)
    for g in range(m):
        values[g] = constant
    for a in range(q):
        for g in range(m):
            values[g] += line[a] * points[a, g]
        for c in range(q):
            for g in range(m):
                values[g] -= 0.5 * inner[a, c] * points[a, g] * points[c, g]


@part_of_kernels
def lines_of_rows(
    problem: Problem, i: int, given: np.ndarray, points: np.ndarray, eta: np.ndarray
) -> None:
    """Fill the linear predictors of a client's rows at its nodes."""
    q, m = points.shape
    begin = problem.pointer[i]
    for r in range(begin, problem.pointer[i + 1]):
        base, first = problem.base[r], (r - begin) * m
        for a in range(2):
            base += problem.slope[r, q + a] * given[a]
        for g in range(m):
            eta[first + g] = base
        for a in range(q):
            for g in range(m):
                eta[first + g] += problem.slope[r, a] * points[a, g]


@part_of_kernels
def shares(values: np.ndarray, log_weights: np.ndarray) -> float:
    """Turn log densities at nodes into posterior shares; return the log integral."""
    highest, total = -1e300, 0.0
    for g in range(len(values)):
        values[g] += log_weights[g]
        highest = max(highest, values[g])
    for g in range(len(values)):
        values[g] = math.exp(values[g] - highest)
        total += values[g]
    for g in range(len(values)):
        values[g] /= total
    return highest + math.log(total)


@part_of_kernels
def moments(share: np.ndarray, points: np.ndarray, out: np.ndarray) -> None:
    """Fill posterior mean and second moments of the effects behind the log integral."""
    q, m = points.shape
    for a in range(q):
        mean = 0.0
        for g in range(m):
            mean += share[g] * points[a, g]
        out[1 + a] = mean
        for c in range(q):
            square = 0.0
            for g in range(m):
                square += share[g] * points[a, g] * points[c, g]
            out[1 + q + a * q + c] = square


@vectorised
def integrals(problem, given, centre, root, nodes, log_weights, out, residual, with_effects):
    """Integrate over each client's effects at given therapist's effects.

    `given` (N, K, 2); nodes lie at centre + root t, (N, K, q) and (N, K, q, q); `nodes` (q, M);
    `log_weights` (M,) with the nodes' own density taken out. Filled: `out` (N, K, 1 + q + q q): log
    integral, posterior mean and second moments of the effects; `residual` (r, K) and `with_effects`
    (r, K, q): posterior means of the derivative of each row, alone and times the effects.
    """
    q, m = nodes.shape
    most = np.max(np.diff(problem.pointer)) * m
    eta, e, bits = np.empty(most), np.empty(most), np.empty(most, np.int64)
    points, values, product = np.empty((q, m)), np.empty(m), np.empty(m)
    for i in range(centre.shape[0]):
        begin, end = problem.pointer[i], problem.pointer[i + 1]
        for k in range(centre.shape[1]):
            place(centre[i, k], root[i, k], nodes, points)
            density_of_scores(problem, i, given[i, k], points, values)
            lines_of_rows(problem, i, given[i, k], points, eta)
            rows_at_nodes(problem, begin, end, m, eta, e, bits, values, product)
            out[i, k, 0] = shares(values, log_weights)
            moments(values, points, out[i, k])
            for r in range(begin, end):
                first, alone = (r - begin) * m, 0.0
                for g in range(m):
                    eta[first + g] *= values[g]
                    alone += eta[first + g]
                residual[r, k] = alone
                for a in range(q):
                    times = 0.0
                    for g in range(m):
                        times += eta[first + g] * points[a, g]
                    with_effects[r, k, a] = times
