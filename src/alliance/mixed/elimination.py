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

The levels are worked through one after the other, and within a level several groups at a time
(`alliance.mixed.lanes`).
"""

from __future__ import annotations

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
    trace_add,
    weighted_rows_add,
)

# Slots of the small (q, q) matrices; those per parameter below follow from Q_FREE on.
Q_S, Q_G, Q_N, Q_R, Q_TMP, Q_TMP2, Q_LOWER, Q_HALF, Q_P_OMEGA_P, Q_A_OMEGA_A, Q_FREE = range(11)
# Slots of the (q, K) matrices.
F_F, F_A, F_P, F_A_OMEGA, F_P_OMEGA, F_TMP, F_TMP2, F_FREE = range(8)


@compiled
def posterior(qw, factor, q, ld):
    """G = L M^-1 L' from S, both in the stack; adds log|M|, with M = I + L' S L, to ``ld[0]``."""
    for lane in range(LANES):
        for i in range(q):
            for j in range(q):
                total = 0.0
                for k in range(j, q):
                    total += qw[Q_S, i, k, lane] * factor[k, j]
                qw[Q_HALF, i, j, lane] = total
        determinant = 1.0
        for j in range(q):
            for i in range(j, q):
                total = 1.0 if i == j else 0.0
                for k in range(i, q):
                    total += factor[k, i] * qw[Q_HALF, k, j, lane]
                for k in range(j):
                    total -= qw[Q_LOWER, i, k, lane] * qw[Q_LOWER, j, k, lane]
                if i == j:
                    qw[Q_LOWER, j, j, lane] = np.sqrt(total)
                    determinant *= total
                else:
                    qw[Q_LOWER, i, j, lane] = total / qw[Q_LOWER, j, j, lane]
        ld[0, lane] += np.log(determinant)
        # half = lower^-1 L', then G = half' half
        for j in range(q):
            for i in range(q):
                total = factor[j, i]
                for k in range(i):
                    total -= qw[Q_LOWER, i, k, lane] * qw[Q_HALF, k, j, lane]
                qw[Q_HALF, i, j, lane] = total / qw[Q_LOWER, i, i, lane]
    for i in range(q):
        for j in range(q):
            for lane in range(LANES):
                qw[Q_G, i, j, lane] = 0.0
            for k in range(q):
                for lane in range(LANES):
                    qw[Q_G, i, j, lane] += qw[Q_HALF, k, i, lane] * qw[Q_HALF, k, j, lane]


@compiled
def shrinkage(qw, q):
    """N = I - G S and R = S - S G S from S and G."""
    multiply(qw, Q_G, qw, Q_S, qw, Q_N, q, q, q, True)
    for i in range(q):
        for j in range(q):
            unit = 1.0 if i == j else 0.0
            for lane in range(LANES):
                qw[Q_N, i, j, lane] = unit - qw[Q_N, i, j, lane]
    multiply(qw, Q_S, qw, Q_N, qw, Q_R, q, q, q, True)


@compiled
def _load(z, s, slot, qw, q_slot, fw, f_slot):
    """Copy the rows Z of S, and their columns Z, into the scratch stacks."""
    q = len(z)
    for i in range(q):
        for k in range(s.shape[2]):
            for lane in range(LANES):
                fw[f_slot, i, k, lane] = s[slot, z[i], k, lane]
        for j in range(q):
            for lane in range(LANES):
                qw[q_slot, i, j, lane] = s[slot, z[i], z[j], lane]


@compiled
def eliminate(
    order, full, r, m, n_below, z, own_rows, own_cols, factor,
    s, up, has_parent, t, contraction, omega, ld, qw, fw,
):  # fmt: skip
    """Eliminate `LANES` groups of one level, with derivatives.

    Parameters
    ----------
    order : {0, 2}
        Order of the derivatives.
    full : bool
        Whether second derivatives of T are wanted in full or as the inner product with `omega`.
    r, m, n_below : int
        Number of columns that the levels above use, of all parameters, and of those of the residual
        and the levels below.
    z : array (q,)
        Columns of this level's random effects.
    own_rows, own_cols : array (q(q+1)/2,)
        Row and column of each own parameter in Sigma.
    factor : array (q, q)
        L.
    s : array (slots, r, K, LANES)
        S and its derivatives in the parameters below: value, first, second.
    up : array (slots, r, K, LANES)
        Receives what is passed to the parents, with derivatives in the own parameters too.
    t : array (slots, K, K, LANES)
        Receives the sum of S_Z' G S_Z (slot 0), half of each first derivative of that sum (the
        other half is its transpose), and, if `full`, the second derivatives.
    contraction : array (pairs, LANES)
        Receives the inner products, unless `full`.
    ld : array (1 + m + pairs, LANES)
        Receives log|M| and derivatives.
    qw, fw : arrays
        Scratch stacks.
    """
    n_columns = s.shape[2]
    q = len(z)
    n_all = n_below + len(own_rows)
    _load(z, s, 0, qw, Q_S, fw, F_F)
    posterior(qw, factor, q, ld)
    multiply(qw, Q_G, fw, F_F, fw, F_A, q, q, n_columns, True)
    outer_add(fw, F_F, fw, F_A, t, 0, 1.0, q, n_columns, n_columns)
    if has_parent:
        _pass(s, 0, up, 0, r)
        outer_add(fw, F_F, fw, F_A, up, 0, -1.0, q, r, n_columns)
    if order == 0:
        return
    shrinkage(qw, q)
    multiply(qw, Q_S, fw, F_A, fw, F_TMP, q, q, n_columns, True)
    minus(fw, F_F, fw, F_TMP, fw, F_P, q, n_columns)
    if not full:
        times_omega(fw, F_P, omega, fw, F_P_OMEGA, q, n_columns)
        across_rows(fw, F_P_OMEGA, fw, F_P, qw, Q_P_OMEGA_P, q, n_columns)
        if n_below > 0:
            times_omega(fw, F_A, omega, fw, F_A_OMEGA, q, n_columns)
            across_rows(fw, F_A_OMEGA, fw, F_A, qw, Q_A_OMEGA_A, q, n_columns)
    for b in range(n_below):
        _below(full, r, n_below, b, z, s, up, has_parent, t, omega, ld, qw, fw)
    for o in range(n_all - n_below):
        row, col = own_rows[o], own_cols[o]
        p = 1 + n_below + o
        twice = 1.0 if row == col else 2.0
        for lane in range(LANES):
            ld[p, lane] += twice * qw[Q_R, row, col, lane]
        rows_add(fw, F_P, row, fw, F_P, col, t, p, 0.5 * twice, n_columns, n_columns)
        if has_parent:
            rows_add(fw, F_P, row, fw, F_P, col, up, p, -1.0, r, n_columns)
            if row != col:
                rows_add(fw, F_P, col, fw, F_P, row, up, p, -1.0, r, n_columns)
    for p in range(n_all):
        for c in range(p + 1):
            pair = p * (p + 1) // 2 + c
            slot = 1 + m + pair
            above = 1 + n_all + pair
            if p < n_below:
                _pair_below(
                    full, r, n_below, p, c, z, s, up, has_parent, t, contraction, ld, qw, fw,
                    slot, above,
                )  # fmt: skip
            elif c < n_below:
                _pair_mixed(
                    full, r, n_below, own_rows[p - n_below], own_cols[p - n_below], c, up,
                    has_parent, t, contraction, ld, qw, fw, pair, slot, above,
                )  # fmt: skip
            else:
                _pair_own(
                    full, r, own_rows[p - n_below], own_cols[p - n_below], own_rows[c - n_below],
                    own_cols[c - n_below], up, has_parent, t, contraction, ld, qw, fw,
                    pair, slot, above,
                )  # fmt: skip


@compiled
def _below(full, r, n_below, b, z, s, up, has_parent, t, omega, ld, qw, fw):
    """First derivatives in a parameter below, and H_b, A_b, P_b and what pairs need of them."""
    q = len(z)
    n_columns = s.shape[2]
    h, a, p = F_FREE + b, F_FREE + n_below + b, F_FREE + 2 * n_below + b
    a_omega = F_FREE + 3 * n_below + b
    g_s, p_omega_p, n_s_n = Q_FREE + b, Q_FREE + n_below + b, Q_FREE + 2 * n_below + b
    _load(z, s, 1 + b, qw, Q_TMP, fw, F_TMP)
    multiply(qw, Q_G, qw, Q_TMP, qw, g_s, q, q, q, True)
    trace_add(qw, g_s, q, ld, 1 + b)
    multiply(qw, Q_TMP, fw, F_A, fw, F_TMP2, q, q, n_columns, True)
    minus(fw, F_TMP, fw, F_TMP2, fw, h, q, n_columns)
    multiply(qw, Q_G, fw, h, fw, a, q, q, n_columns, True)
    multiply(qw, Q_S, fw, a, fw, F_TMP2, q, q, n_columns, True)
    minus(fw, h, fw, F_TMP2, fw, p, q, n_columns)
    # Half of D_b is, up to its symmetric part, A' (F_b + H_b) / 2.
    outer_add(fw, F_A, fw, F_TMP, t, 1 + b, 0.5, q, n_columns, n_columns)
    outer_add(fw, F_A, fw, h, t, 1 + b, 0.5, q, n_columns, n_columns)
    if has_parent:
        _pass(s, 1 + b, up, 1 + b, r)
        outer_add(fw, F_TMP, fw, F_A, up, 1 + b, -1.0, q, r, n_columns)
        outer_add(fw, F_A, fw, h, up, 1 + b, -1.0, q, r, n_columns)
    multiply(qw, Q_TMP, qw, Q_N, qw, Q_TMP2, q, q, q, True)
    qw[n_s_n] = 0.0
    outer_add(qw, Q_N, qw, Q_TMP2, qw, n_s_n, 1.0, q, q, q)
    if not full:
        times_omega(fw, a, omega, fw, a_omega, q, n_columns)
        across_rows(fw, p, fw, F_P_OMEGA, qw, p_omega_p, q, n_columns)


@compiled
def _pair_below(
    full, r, n_below, b, c, z, s, up, has_parent, t, contraction, ld, qw, fw, slot, above
):
    """Second derivatives in two parameters below; their pair has the same place above and below."""
    q = len(z)
    n_columns = s.shape[2]
    pair = b * (b + 1) // 2 + c
    h, a = F_FREE + b, F_FREE + n_below + c
    _load(z, s, 1 + n_below + pair, qw, Q_TMP, fw, F_TMP)
    for i in range(q):
        for j in range(q):
            for lane in range(LANES):
                ld[slot, lane] += (
                    qw[Q_G, i, j, lane] * qw[Q_TMP, i, j, lane]
                    - qw[Q_FREE + b, i, j, lane] * qw[Q_FREE + c, j, i, lane]
                )
    if not full:
        a_omega = F_FREE + 3 * n_below + c
        inner_add(fw, F_A_OMEGA, fw, F_TMP, q, n_columns, contraction, pair, 2.0)
        inner_add(fw, a_omega, fw, h, q, n_columns, contraction, pair, 2.0)
        inner_add(qw, Q_TMP, qw, Q_A_OMEGA_A, q, q, contraction, pair, -1.0)
    if full or has_parent:
        multiply(qw, Q_TMP, fw, F_A, fw, F_TMP2, q, q, n_columns, True)
        minus(fw, F_TMP, fw, F_TMP2, fw, F_TMP2, q, n_columns)
    if full:
        outer_add(fw, F_A, fw, F_TMP, t, slot, 1.0, q, n_columns, n_columns)
        outer_add(fw, F_A, fw, F_TMP2, t, slot, 1.0, q, n_columns, n_columns)
        outer_add(fw, h, fw, a, t, slot, 2.0, q, n_columns, n_columns)
    if has_parent:
        _pass(s, 1 + n_below + pair, up, above, r)
        outer_add(fw, F_TMP, fw, F_A, up, above, -1.0, q, r, n_columns)
        outer_add(fw, F_A, fw, F_TMP2, up, above, -1.0, q, r, n_columns)
        outer_add(fw, h, fw, a, up, above, -1.0, q, r, n_columns)
        outer_add(fw, a, fw, h, up, above, -1.0, q, r, n_columns)


@compiled
def _pair_mixed(
    full, r, n_below, row, col, c, up, has_parent, t, contraction, ld, qw, fw, pair, slot, above
):
    """Second derivatives in an own parameter (row, col) and one below."""
    n_columns = fw.shape[2]
    p_c = F_FREE + 2 * n_below + c
    twice = 1.0 if row == col else 2.0
    for lane in range(LANES):
        ld[slot, lane] += twice * qw[Q_FREE + 2 * n_below + c, row, col, lane]
    for side in range(1 if row == col else 2):
        one, other = (row, col) if side == 0 else (col, row)
        if full:
            rows_add(fw, p_c, one, fw, F_P, other, t, slot, 2.0, n_columns, n_columns)
        else:
            for lane in range(LANES):
                contraction[pair, lane] += 2.0 * qw[Q_FREE + n_below + c, one, other, lane]
        if has_parent:
            rows_add(fw, p_c, one, fw, F_P, other, up, above, -1.0, r, n_columns)
            rows_add(fw, F_P, one, fw, p_c, other, up, above, -1.0, r, n_columns)


@compiled
def _pair_own(
    full, r, row, col, row_c, col_c, up, has_parent, t, contraction, ld, qw, fw, pair, slot, above
):
    """Second derivatives in two own parameters, (row, col) and (row_c, col_c)."""
    n_columns = fw.shape[2]
    for side in range(1 if row == col else 2):
        x, y = (row, col) if side == 0 else (col, row)
        for side_c in range(1 if row_c == col_c else 2):
            x_c, y_c = (row_c, col_c) if side_c == 0 else (col_c, row_c)
            for lane in range(LANES):
                ld[slot, lane] -= qw[Q_R, y, x_c, lane] * qw[Q_R, y_c, x, lane]
            if full:
                weighted_rows_add(
                    qw, Q_R, y_c, x, fw[F_P], x_c, y, t, slot, -2.0, n_columns, n_columns
                )
            else:
                for lane in range(LANES):
                    contraction[pair, lane] -= (
                        2.0 * qw[Q_R, y_c, x, lane] * qw[Q_P_OMEGA_P, y, x_c, lane]
                    )
            if has_parent:
                weighted_rows_add(qw, Q_R, y_c, x, fw[F_P], x_c, y, up, above, 1.0, r, n_columns)
                weighted_rows_add(qw, Q_R, y_c, x, fw[F_P], y, x_c, up, above, 1.0, r, n_columns)


@compiled
def _pass(s, slot, up, above, r):
    """Add S to what is passed to the parents."""
    for k in range(r):
        for y in range(s.shape[2]):
            for lane in range(LANES):
                up[above, k, y, lane] += s[slot, k, y, lane]


@compiled
def eliminate_level(
    order, full, is_leaf, m, n_below, z, own_rows, own_cols, factor,
    w, entry_pointer, entry_class, cross, held, parents, held_above,
    t, contraction, omega, ld,
):  # fmt: skip
    """Eliminate every group of one level and add what is left of each to its parent.

    Parameters
    ----------
    is_leaf : bool
        Whether S comes from the clients' cross-products or from `held`.
    w : array (1 + n_residual + pairs, H)
        Class weights, then their first and second derivatives in the residual parameters.
    entry_pointer, entry_class, cross : arrays
        Cross-products per client and class, see `alliance.mixed.crossproducts`.
    held : array (groups, slots, r, K)
        S per group, above the clients.
    parents : array (groups,)
        Parent of each group; empty at the outermost level.
    held_above : array (parents, slots, r_above, K)
        Receives the rows of the columns that the levels above use.
    t, contraction, omega, ld : arrays
        As in `eliminate`.
    """
    n_columns = cross.shape[2]
    q = len(z)
    r = cross.shape[1] if is_leaf else held.shape[2]
    r_above = held_above.shape[2]
    n_groups = len(entry_pointer) - 1 if is_leaf else len(held)
    n_all = n_below + len(own_rows)
    has_parent = len(parents) > 0
    n_slots = 1
    n_up = 1
    if order == 2:
        n_slots = 1 + n_below + n_below * (n_below + 1) // 2
        n_up = 1 + n_all + n_all * (n_all + 1) // 2
    s = np.zeros((n_slots, r, n_columns, LANES))
    up = np.zeros((n_up, r_above, n_columns, LANES))
    qw = np.zeros((Q_FREE + 3 * n_below, q, q, LANES))
    fw = np.zeros((F_FREE + 4 * n_below, q, n_columns, LANES))
    for first in range(0, n_groups, LANES):
        count = min(LANES, n_groups - first)
        if is_leaf or count < LANES:
            s[:] = 0.0
        if is_leaf:
            for lane in range(count):
                for entry in range(entry_pointer[first + lane], entry_pointer[first + lane + 1]):
                    which = entry_class[entry]
                    for slot in range(n_slots):
                        weight = w[slot, which]
                        for a in range(r):
                            for b in range(n_columns):
                                s[slot, a, b, lane] += weight * cross[entry, a, b]
        else:
            for lane in range(count):
                for slot in range(n_slots):
                    for a in range(r):
                        for b in range(n_columns):
                            s[slot, a, b, lane] = held[first + lane, slot, a, b]
        if has_parent:
            up[:] = 0.0
        eliminate(
            order, full, r_above, m, n_below, z, own_rows, own_cols, factor,
            s, up, has_parent, t, contraction, omega, ld, qw, fw,
        )  # fmt: skip
        if has_parent:
            for lane in range(count):
                parent = parents[first + lane]
                for slot in range(n_up):
                    for a in range(r_above):
                        for b in range(n_columns):
                            held_above[parent, slot, a, b] += up[slot, a, b, lane]
