"""Small matrices of several groups at a time.

Matrices live in stacks (slot, row, column, lane) and are named by their slot, so that the innermost
loop runs over groups and the processor's vector units do the same step for all of them.
"""

from __future__ import annotations

from alliance.mixed.compiling import compiled

LANES = 8
"""Groups worked on at a time: one or two vector registers."""


@compiled
def multiply(a, i, b, j, out, k, rows, inner, cols, fresh):
    """Set out[k] to a[i] b[j], or add to it unless `fresh`."""
    for x in range(rows):
        if fresh:
            for y in range(cols):
                for lane in range(LANES):
                    out[k, x, y, lane] = 0.0
        for z in range(inner):
            for y in range(cols):
                for lane in range(LANES):
                    out[k, x, y, lane] += a[i, x, z, lane] * b[j, z, y, lane]


@compiled
def times_omega(a, i, omega, out, k, rows, n_columns):
    """Set out[k] to a[i] omega, the same omega for every lane."""
    for x in range(rows):
        for y in range(n_columns):
            for lane in range(LANES):
                out[k, x, y, lane] = 0.0
        for z in range(n_columns):
            for y in range(n_columns):
                right = omega[z, y]
                if right != 0.0:
                    for lane in range(LANES):
                        out[k, x, y, lane] += a[i, x, z, lane] * right


@compiled
def outer_add(a, i, b, j, out, k, sign, q, rows, cols):
    """Add sign a[i]' b[j] to the first rows of out[k]."""
    for x in range(rows):
        for y in range(cols):
            for z in range(q):
                for lane in range(LANES):
                    out[k, x, y, lane] += sign * a[i, z, x, lane] * b[j, z, y, lane]


@compiled
def inner_add(a, i, b, j, rows, cols, out, k, scale):
    """Add scale times the sum of a[i] times b[j], element by element, to out[k]."""
    for x in range(rows):
        for y in range(cols):
            for lane in range(LANES):
                out[k, lane] += scale * a[i, x, y, lane] * b[j, x, y, lane]


@compiled
def trace_add(a, i, q, out, k):
    """Add the trace of a[i] to out[k]."""
    for x in range(q):
        for lane in range(LANES):
            out[k, lane] += a[i, x, x, lane]


@compiled
def across_rows(a, i, b, j, out, k, q, n_columns):
    """Set out[k] to a[i] b[j]'."""
    for x in range(q):
        for y in range(q):
            for lane in range(LANES):
                out[k, x, y, lane] = 0.0
            for z in range(n_columns):
                for lane in range(LANES):
                    out[k, x, y, lane] += a[i, x, z, lane] * b[j, y, z, lane]


@compiled
def rows_add(a, i, x, b, j, y, out, k, scale, rows, cols):
    """Add scale times (row x of a[i])' (row y of b[j]) to the first rows of out[k]."""
    for left in range(rows):
        for right in range(cols):
            for lane in range(LANES):
                out[k, left, right, lane] += scale * a[i, x, left, lane] * b[j, y, right, lane]


@compiled
def weighted_rows_add(qw, weight, w_x, w_y, a, x, y, out, k, scale, rows, cols):
    """Add to out[k] scale times (row x of a)' (row y of a), weighted by qw[weight, w_x, w_y]."""
    for left in range(rows):
        for right in range(cols):
            for lane in range(LANES):
                out[k, left, right, lane] += (
                    scale * qw[weight, w_x, w_y, lane] * a[x, left, lane] * a[y, right, lane]
                )


@compiled
def minus(a, i, b, j, out, k, rows, cols):
    """Set out[k] to a[i] - b[j]."""
    for x in range(rows):
        for y in range(cols):
            for lane in range(LANES):
                out[k, x, y, lane] = a[i, x, y, lane] - b[j, x, y, lane]
