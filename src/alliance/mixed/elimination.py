"""The recursion: eliminate the random effects group by group, from the clients upwards.

A group at level l holds S = C' W C, the cross-product of all columns C in the metric W of
everything below it. Its random effects, with relative covariance Sigma = L L' and columns Z of C,
are integrated out by the Woodbury identity:

    M = I + L' S_ZZ L,   G = L M^-1 L' = (Sigma^-1 + S_ZZ)^-1,
    S <- S - S_Z' G S_Z,   log|V| <- log|V| + log|M|,

and the result is added to the group above. At the root stands T = C' V^-1 C. Only the rows of S
that belong to columns of some random part are passed upwards; the update of T is summed directly.

First and second derivatives in the covariance parameters follow the same path. With the own rows
F = S_Z, A = G F, N = I - G S_ZZ, P = N'F = F - S_ZZ A, R = S_ZZ - S_ZZ G S_ZZ, the update is
D = F' G F. For parameters o, p of this level (d Sigma = E_o) and b, c of what lies below
(d S = S_b, with own rows F_b), and H_b = F_b - S_b A, A_b = G H_b, P_b = N' H_b:

    D_o  = P' E_o P,                      d log|M|_o  = tr(E_o R),
    D_b  = F_b' A + A' H_b,               d log|M|_b  = tr(G S_b),
    D_op = -P' (E_o R E_p + E_p R E_o) P,         d2 log|M|_op = -tr(E_o R E_p R),
    D_ob = P_b' E_o P + P' E_o P_b,               d2 log|M|_ob = tr(E_o N' S_b N),
    D_bc = F_bc' A + A' (F_bc - S_bc A) + H_b' A_c + A_c' H_b,
                                  d2 log|M|_bc = tr(G S_bc) - tr(G S_b G S_c).

E_o has one or two elements, so a pair of own parameters costs a few products of rows of P. The
formulas hold for singular Sigma. Parameters below come first, so pairs of them keep their packed
place (`alliance.mixed.covariance.pair_index`) on the way up.

Several groups are eliminated at a time (`alliance.mixed.lanes`); `alliance.mixed.levels` works
through the groups of a level.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from alliance.mixed.compiling import compiled
from alliance.mixed.lanes import (
    LANES,
    across_rows,
    inner_add,
    minus,
    multiply,
    outer_add,
    rows_add,
    times_omega,
    top_add,
    trace_add,
    weighted_rows_add,
)

# Slots of the small (q, q) matrices; those per parameter below follow from Q_FREE on.
Q_S, Q_G, Q_N, Q_R, Q_TMP, Q_TMP2, Q_LOWER, Q_HALF, Q_P_OMEGA_P, Q_A_OMEGA_A, Q_FREE = range(11)
# Slots of the (q, K) matrices.
F_F, F_A, F_P, F_A_OMEGA, F_P_OMEGA, F_TMP, F_TMP2, F_FREE = range(8)


class Asked(NamedTuple):
    """What is wanted of T.

    Attributes
    ----------
    order : {0, 2}
        Order of the derivatives.
    full : bool
        Whether second derivatives are wanted in full or as the inner product with `omega`.
    omega : numpy.ndarray
        Symmetric, shape (K, K).
    """

    order: int
    full: bool
    omega: np.ndarray


class Level(NamedTuple):
    """The random effects of one level, and where their parameters stand.

    Attributes
    ----------
    columns : numpy.ndarray
        Columns Z of the random effects, shape (q,).
    rows, cols : numpy.ndarray
        Row and column of each own parameter in Sigma, shape (q(q+1)/2,).
    factor : numpy.ndarray
        L, shape (q, q).
    n_below, n_parameters : int
        Number of parameters of the residual and the levels below, and of all there are.
    """

    columns: np.ndarray
    rows: np.ndarray
    cols: np.ndarray
    factor: np.ndarray
    n_below: int
    n_parameters: int


class Sums(NamedTuple):
    """What arrives at the root, summed over all groups; every lane has a sum of its own.

    Attributes
    ----------
    t : numpy.ndarray
        Sum of S_Z' G S_Z (slot 0), half of each first derivative of that sum (the other half is its
        transpose), and, if asked for in full, the second ones; shape (slots, K, K, LANES).
    contraction : numpy.ndarray
        Inner products of the second derivatives with omega, else; shape (pairs, LANES).
    log_det : numpy.ndarray
        log|V| and its derivatives, shape (slots, LANES).
    """

    t: np.ndarray
    contraction: np.ndarray
    log_det: np.ndarray


class Scratch(NamedTuple):
    """Stacks of the matrices that a step leaves for the next ones.

    Attributes
    ----------
    small, wide : numpy.ndarray
        Shapes (slots, q, q, LANES) and (slots, q, K, LANES).
    """

    small: np.ndarray
    wide: np.ndarray


@compiled
def n_slots(n, order):
    """Count a quantity's value, first and second derivatives in n parameters."""
    return 1 + n + n * (n + 1) // 2 if order == 2 else 1


@compiled
def posterior(small, factor, log_det):
    """G = L M^-1 L' from S, both in the stack; adds log|M|, with M = I + L' S L."""
    s, g, half, lower = small[Q_S], small[Q_G], small[Q_HALF], small[Q_LOWER]
    _times_factor(s, factor, half)
    _root(factor, half, lower, log_det)
    # half = lower^-1 L', then G = half' half
    for j in range(len(factor)):
        for i in range(len(factor)):
            for lane in range(LANES):
                total = factor[j, i]
                for k in range(i):
                    total -= lower[i, k, lane] * half[k, j, lane]
                half[i, j, lane] = total / lower[i, i, lane]
    g[:] = 0.0
    outer_add(half, half, g, 1.0)


@compiled
def _times_factor(s, factor, out):
    """Set out to S L."""
    q = len(factor)
    for i in range(q):
        for j in range(q):
            for lane in range(LANES):
                total = 0.0
                for k in range(j, q):
                    total += s[i, k, lane] * factor[k, j]
                out[i, j, lane] = total


@compiled
def _root(factor, half, lower, log_det):
    """Cholesky factor of M = I + L' half; adds log|M|."""
    q = len(factor)
    for lane in range(LANES):
        determinant = 1.0
        for j in range(q):
            for i in range(j, q):
                total = 1.0 if i == j else 0.0
                for k in range(i, q):
                    total += factor[k, i] * half[k, j, lane]
                for k in range(j):
                    total -= lower[i, k, lane] * lower[j, k, lane]
                if i == j:
                    lower[j, j, lane] = np.sqrt(total)
                    determinant *= total
                else:
                    lower[i, j, lane] = total / lower[j, j, lane]
        log_det[lane] += np.log(determinant)


@compiled
def shrinkage(small):
    """N = I - G S and R = S - S G S from S and G."""
    s, n = small[Q_S], small[Q_N]
    multiply(small[Q_G], s, n)
    for i in range(len(n)):
        for j in range(len(n)):
            unit = 1.0 if i == j else 0.0
            for lane in range(LANES):
                n[i, j, lane] = unit - n[i, j, lane]
    multiply(s, n, small[Q_R])


@compiled
def _load(z, s, small, wide):
    """Copy the rows Z of S, and their columns Z."""
    for i in range(len(z)):
        for k in range(s.shape[1]):
            for lane in range(LANES):
                wide[i, k, lane] = s[z[i], k, lane]
        for j in range(len(z)):
            for lane in range(LANES):
                small[i, j, lane] = s[z[i], z[j], lane]


@compiled
def eliminate(asked, level, s, up, sums, scratch):
    """Eliminate `LANES` groups of one level, with derivatives.

    Parameters
    ----------
    asked : Asked
    level : Level
    s : array (slots, r, K, LANES)
        S and its derivatives in the parameters below: value, first, second.
    up : array (slots, r, K, LANES)
        Receives what is passed to the parents, with derivatives in the own parameters too; no rows
        at the outermost level.
    sums : Sums
    scratch : Scratch
    """
    small, wide = scratch.small, scratch.wide
    _load(level.columns, s[0], small[Q_S], wide[F_F])
    posterior(small, level.factor, sums.log_det[0])
    multiply(small[Q_G], wide[F_F], wide[F_A])
    outer_add(wide[F_F], wide[F_A], sums.t[0], 1.0)
    top_add(s[0], up[0])
    outer_add(wide[F_F], wide[F_A], up[0], -1.0)
    if asked.order == 0:
        return
    n_below = level.n_below
    shrinkage(small)
    multiply(small[Q_S], wide[F_A], wide[F_TMP])
    minus(wide[F_F], wide[F_TMP], wide[F_P])
    if not asked.full:
        times_omega(wide[F_P], asked.omega, wide[F_P_OMEGA])
        across_rows(wide[F_P_OMEGA], wide[F_P], small[Q_P_OMEGA_P])
        if n_below > 0:
            times_omega(wide[F_A], asked.omega, wide[F_A_OMEGA])
            across_rows(wide[F_A_OMEGA], wide[F_A], small[Q_A_OMEGA_A])
    for b in range(n_below):
        _below(asked, level, b, s, up, sums, scratch)
        for c in range(b + 1):
            _pair_below(asked, level, b, c, s, up, sums, scratch)
    for o in range(len(level.rows)):
        _own(level, o, up, sums, scratch)
        for c in range(n_below):
            _pair_mixed(asked, level, o, c, up, sums, scratch)
        for p in range(o + 1):
            _pair_own(asked, level, o, p, up, sums, scratch)


@compiled
def _pair_places(level, first, second):
    """Place of a pair of parameters among all pairs, in T and log|V|, and in what goes up."""
    pair = first * (first + 1) // 2 + second
    return pair, 1 + level.n_parameters + pair, 1 + level.n_below + len(level.rows) + pair


@compiled
def _below(asked, level, b, s, up, sums, scratch):
    """First derivatives in a parameter below, and H_b, A_b, P_b and what pairs need of them."""
    small, wide, n_below = scratch.small, scratch.wide, level.n_below
    h, a, p = wide[F_FREE + b], wide[F_FREE + n_below + b], wide[F_FREE + 2 * n_below + b]
    g_s, n_s_n = small[Q_FREE + b], small[Q_FREE + 2 * n_below + b]
    s_b, f_b, all_a = small[Q_TMP], wide[F_TMP], wide[F_A]
    _load(level.columns, s[1 + b], s_b, f_b)
    multiply(small[Q_G], s_b, g_s)
    trace_add(g_s, sums.log_det[1 + b])
    multiply(s_b, all_a, wide[F_TMP2])
    minus(f_b, wide[F_TMP2], h)
    multiply(small[Q_G], h, a)
    multiply(small[Q_S], a, wide[F_TMP2])
    minus(h, wide[F_TMP2], p)
    # Half of D_b is, up to its symmetric part, A' (F_b + H_b) / 2.
    outer_add(all_a, f_b, sums.t[1 + b], 0.5)
    outer_add(all_a, h, sums.t[1 + b], 0.5)
    top_add(s[1 + b], up[1 + b])
    outer_add(f_b, all_a, up[1 + b], -1.0)
    outer_add(all_a, h, up[1 + b], -1.0)
    multiply(s_b, small[Q_N], small[Q_TMP2])
    n_s_n[:] = 0.0
    outer_add(small[Q_N], small[Q_TMP2], n_s_n, 1.0)
    if not asked.full:
        times_omega(a, asked.omega, wide[F_FREE + 3 * n_below + b])
        across_rows(p, wide[F_P_OMEGA], small[Q_FREE + n_below + b])


@compiled
def _own(level, o, up, sums, scratch):
    """First derivatives in an own parameter."""
    row, col, p = level.rows[o], level.cols[o], 1 + level.n_below + o
    row_p, col_p = scratch.wide[F_P, row], scratch.wide[F_P, col]
    twice = 1.0 if row == col else 2.0
    for lane in range(LANES):
        sums.log_det[p, lane] += twice * scratch.small[Q_R, row, col, lane]
    rows_add(row_p, col_p, sums.t[p], 0.5 * twice)
    rows_add(row_p, col_p, up[p], -1.0)
    if row != col:
        rows_add(col_p, row_p, up[p], -1.0)


@compiled
def _pair_below(asked, level, b, c, s, up, sums, scratch):
    """Second derivatives in two parameters below; their pair has the same place above and below."""
    small, wide, n_below = scratch.small, scratch.wide, level.n_below
    pair, slot, above = _pair_places(level, b, c)
    h, a, all_a = wide[F_FREE + b], wide[F_FREE + n_below + c], wide[F_A]
    s_bc, f_bc, h_bc = small[Q_TMP], wide[F_TMP], wide[F_TMP2]
    _load(level.columns, s[1 + n_below + pair], s_bc, f_bc)
    for i in range(len(s_bc)):
        for j in range(len(s_bc)):
            for lane in range(LANES):
                sums.log_det[slot, lane] += (
                    small[Q_G, i, j, lane] * s_bc[i, j, lane]
                    - small[Q_FREE + b, i, j, lane] * small[Q_FREE + c, j, i, lane]
                )
    if not asked.full:
        inner_add(wide[F_A_OMEGA], f_bc, sums.contraction[pair], 2.0)
        inner_add(wide[F_FREE + 3 * n_below + c], h, sums.contraction[pair], 2.0)
        inner_add(s_bc, small[Q_A_OMEGA_A], sums.contraction[pair], -1.0)
        if up.shape[1] == 0:
            return
    multiply(s_bc, all_a, h_bc)
    minus(f_bc, h_bc, h_bc)
    if asked.full:
        outer_add(all_a, f_bc, sums.t[slot], 1.0)
        outer_add(all_a, h_bc, sums.t[slot], 1.0)
        outer_add(h, a, sums.t[slot], 2.0)
    top_add(s[1 + n_below + pair], up[above])
    outer_add(f_bc, all_a, up[above], -1.0)
    outer_add(all_a, h_bc, up[above], -1.0)
    outer_add(h, a, up[above], -1.0)
    outer_add(a, h, up[above], -1.0)


@compiled
def _pair_mixed(asked, level, o, c, up, sums, scratch):
    """Second derivatives in an own parameter and one below."""
    small, wide, n_below = scratch.small, scratch.wide, level.n_below
    pair, slot, above = _pair_places(level, n_below + o, c)
    row, col, p_c = level.rows[o], level.cols[o], wide[F_FREE + 2 * n_below + c]
    twice = 1.0 if row == col else 2.0
    for lane in range(LANES):
        sums.log_det[slot, lane] += twice * small[Q_FREE + 2 * n_below + c, row, col, lane]
    for side in range(1 if row == col else 2):
        one, other = (row, col) if side == 0 else (col, row)
        if asked.full:
            rows_add(p_c[one], wide[F_P, other], sums.t[slot], 2.0)
        else:
            for lane in range(LANES):
                sums.contraction[pair, lane] += 2.0 * small[Q_FREE + n_below + c, one, other, lane]
        if up.shape[1] > 0:
            rows_add(p_c[one], wide[F_P, other], up[above], -1.0)
            rows_add(wide[F_P, one], p_c[other], up[above], -1.0)


@compiled
def _pair_own(asked, level, o, p, up, sums, scratch):
    """Second derivatives in two own parameters."""
    small, all_p = scratch.small, scratch.wide[F_P]
    pair, slot, above = _pair_places(level, level.n_below + o, level.n_below + p)
    row, col, row_p, col_p = level.rows[o], level.cols[o], level.rows[p], level.cols[p]
    for side in range(1 if row == col else 2):
        x, y = (row, col) if side == 0 else (col, row)
        for side_p in range(1 if row_p == col_p else 2):
            x_p, y_p = (row_p, col_p) if side_p == 0 else (col_p, row_p)
            weight = small[Q_R, y_p, x]
            for lane in range(LANES):
                sums.log_det[slot, lane] -= small[Q_R, y, x_p, lane] * weight[lane]
            if asked.full:
                weighted_rows_add(weight, all_p[x_p], all_p[y], sums.t[slot], -2.0)
            else:
                for lane in range(LANES):
                    sums.contraction[pair, lane] -= (
                        2.0 * weight[lane] * small[Q_P_OMEGA_P, y, x_p, lane]
                    )
            if up.shape[1] > 0:
                weighted_rows_add(weight, all_p[x_p], all_p[y], up[above], 1.0)
                weighted_rows_add(weight, all_p[y], all_p[x_p], up[above], 1.0)
