"""Small matrices of several groups at a time.

A matrix has the shape (row, column, lane), so that the innermost loop runs over groups and the
processor's vector units do the same step for all of them.
"""

from __future__ import annotations

from alliance.mixed.compiling import compiled

LANES = 8
"""Groups worked on at a time: one or two vector registers."""


@compiled
def multiply(a, b, out):
    """Set out to a b."""
    for x in range(out.shape[0]):
        for y in range(out.shape[1]):
            for lane in range(LANES):
                out[x, y, lane] = 0.0
        for z in range(a.shape[1]):
            for y in range(out.shape[1]):
                for lane in range(LANES):
                    out[x, y, lane] += a[x, z, lane] * b[z, y, lane]


@compiled
def times_omega(a, omega, out):
    """Set out to a omega, the same omega for every lane."""
    for x in range(out.shape[0]):
        for y in range(out.shape[1]):
            for lane in range(LANES):
                out[x, y, lane] = 0.0
        for z in range(a.shape[1]):
            for y in range(out.shape[1]):
                right = omega[z, y]
                if right != 0.0:
                    for lane in range(LANES):
                        out[x, y, lane] += a[x, z, lane] * right


@compiled
def across_rows(a, b, out):
    """Set out to a b'."""
    for x in range(out.shape[0]):
        for y in range(out.shape[1]):
            for lane in range(LANES):
                out[x, y, lane] = 0.0
            for z in range(a.shape[1]):
                for lane in range(LANES):
                    out[x, y, lane] += a[x, z, lane] * b[y, z, lane]


@compiled
def minus(a, b, out):
    """Set out to a - b."""
    for x in range(out.shape[0]):
        for y in range(out.shape[1]):
            for lane in range(LANES):
                out[x, y, lane] = a[x, y, lane] - b[x, y, lane]


@compiled
def outer_add(a, b, out, scale):
    """Add to out the first rows of scale a' b, as many as it has."""
    for x in range(out.shape[0]):
        for y in range(out.shape[1]):
            for z in range(a.shape[0]):
                for lane in range(LANES):
                    out[x, y, lane] += scale * a[z, x, lane] * b[z, y, lane]


@compiled
def rows_add(a, b, out, scale):
    """Add to out the first rows of scale a' b, where a and b are single rows (column, lane)."""
    for x in range(out.shape[0]):
        for y in range(out.shape[1]):
            for lane in range(LANES):
                out[x, y, lane] += scale * a[x, lane] * b[y, lane]


@compiled
def weighted_rows_add(weight, a, b, out, scale):
    """Do the same with a weight for each lane."""
    for x in range(out.shape[0]):
        for y in range(out.shape[1]):
            for lane in range(LANES):
                out[x, y, lane] += scale * weight[lane] * a[x, lane] * b[y, lane]


@compiled
def inner_add(a, b, out, scale):
    """Add to out scale times the sum of a times b, element by element."""
    for x in range(a.shape[0]):
        for y in range(a.shape[1]):
            for lane in range(LANES):
                out[lane] += scale * a[x, y, lane] * b[x, y, lane]


@compiled
def trace_add(a, out):
    """Add the trace of a to out."""
    for x in range(a.shape[0]):
        for lane in range(LANES):
            out[lane] += a[x, x, lane]


@compiled
def top_add(a, out):
    """Add to out the first rows of a, as many as it has."""
    for x in range(out.shape[0]):
        for y in range(out.shape[1]):
            for lane in range(LANES):
                out[x, y, lane] += a[x, y, lane]
