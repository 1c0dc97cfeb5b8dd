"""The recursion: eliminate the random effects group by group, from the clients upwards.

A group at level l holds S = C' W C, the cross-product of all columns C in the metric W of
everything below it. Its random effects, with relative covariance Sigma = L L' and columns Z of C,
are integrated out by the Woodbury identity:

    M = I + L' S_ZZ L,   G = L M^-1 L' = (Sigma^-1 + S_ZZ)^-1,
    S <- S - S_Z' G S_Z,   log|V| <- log|V| + log|M|,

and the result is added to the group above. At the root stands T = C' V^-1 C. Only the rows of S
that belong to columns of some random part are passed upwards; the update of T is summed directly.

First and second derivatives in the covariance parameters follow the same path. With N = I - G S_ZZ,
for a parameter o of this level (d Sigma = E_o) and parameters b, c of what lies below (d S = S_b):

    G_o = N E_o N',             G_b = -G S_b G,
    G_oo' = -(G_o' S E_o N' + transpose),
    G_ob  = -(G_o S_b G + transpose),
    G_bc  = -(G_c S_b G + G S_bc G + G S_b G_c),
    d log|M| = tr(E_o (S - S G S))   or   tr(G S_b).

The formulas hold for singular Sigma. Parameters below come first, so pairs of them keep their
packed place (`alliance.mixed.covariance.pair_index`) on the way up.

The levels are worked through one after the other, and within a level `LANES` groups at a time:
matrices live in stacks (slot, row, column, lane) and are named by their slot, so that the innermost
loop runs over groups and the processor's vector units do the same step for all of them.
"""

from __future__ import annotations

import numpy as np

from alliance.mixed.compiling import compiled

LANES = 8
"""Groups worked on at a time: one or two vector registers."""

# Slots of the small (q, q) matrices; those per parameter follow from Q_FREE on.
Q_S, Q_G, Q_N, Q_TMP, Q_TMP2, Q_PAIR, Q_SHRUNK, Q_LOWER, Q_HALF, Q_FREE = range(10)
# Slots of the (q, K) matrices.
F_F, F_A, F_PAIR_A, F_A_OMEGA, F_OMEGA, F_PAIR, F_HALF, F_FREE = range(8)


@compiled
def _multiply(a, i, b, j, out, k, rows, inner, cols, fresh):
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
def _times_omega(a, i, omega, out, k, rows, n_columns):
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
def _outer_add(a, i, b, j, out, k, sign, q, rows, cols):
    """Add sign a[i]' b[j] to the first rows of out[k]."""
    for x in range(rows):
        for y in range(cols):
            for z in range(q):
                for lane in range(LANES):
                    out[k, x, y, lane] += sign * a[i, z, x, lane] * b[j, z, y, lane]


@compiled
def _inner_add(a, i, b, j, rows, cols, out, k):
    """Add the sum of a[i] times b[j], element by element, to out[k]."""
    for x in range(rows):
        for y in range(cols):
            for lane in range(LANES):
                out[k, lane] += a[i, x, y, lane] * b[j, x, y, lane]


@compiled
def _trace_add(a, i, q, out, k):
    for x in range(q):
        for lane in range(LANES):
            out[k, lane] += a[i, x, x, lane]


@compiled
def _minus_symmetric(a, i, out, k, q):
    """Set out[k] to minus (a[i] plus its transpose)."""
    for x in range(q):
        for y in range(q):
            for lane in range(LANES):
                out[k, x, y, lane] = -a[i, x, y, lane] - a[i, y, x, lane]


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
def own_derivatives(qw, q, n_below, own_rows, own_cols, ld):
    """Differentiate G and log|M| in the level's own covariances.

    Fills G_o and E_o N' per parameter, and N and S - S G S.
    """
    n_own = len(own_rows)
    e_n = Q_FREE + n_own + 2 * n_below
    _multiply(qw, Q_G, qw, Q_S, qw, Q_N, q, q, q, True)
    for i in range(q):
        for j in range(q):
            unit = 1.0 if i == j else 0.0
            for lane in range(LANES):
                qw[Q_N, i, j, lane] = unit - qw[Q_N, i, j, lane]
    _multiply(qw, Q_S, qw, Q_N, qw, Q_SHRUNK, q, q, q, True)
    for o in range(n_own):
        p = n_below + o
        row = own_rows[o]
        col = own_cols[o]
        for i in range(q):
            for j in range(q):
                for lane in range(LANES):
                    qw[e_n + p, i, j, lane] = 0.0
        for j in range(q):
            for lane in range(LANES):
                qw[e_n + p, row, j, lane] += qw[Q_N, j, col, lane]
            if row != col:
                for lane in range(LANES):
                    qw[e_n + p, col, j, lane] += qw[Q_N, j, row, lane]
        _multiply(qw, Q_N, qw, e_n + p, qw, Q_FREE + p, q, q, q, True)
        twice = 1.0 if row == col else 2.0
        for lane in range(LANES):
            ld[1 + p, lane] += twice * qw[Q_SHRUNK, row, col, lane]


@compiled
def own_pair(qw, q, p, c, n_below, own_rows, own_cols, ld, slot):
    """G_oo' of two own parameters into its slot; adds the derivative of log|M|."""
    e_n = Q_FREE + len(own_rows) + 2 * n_below
    row = own_rows[p - n_below]
    col = own_cols[p - n_below]
    _multiply(qw, Q_FREE + c, qw, Q_S, qw, Q_TMP, q, q, q, True)
    _multiply(qw, Q_TMP, qw, e_n + p, qw, Q_TMP2, q, q, q, True)
    _minus_symmetric(qw, Q_TMP2, qw, Q_PAIR, q)
    twice = 1.0 if row == col else 2.0
    for k in range(q):
        for lane in range(LANES):
            ld[slot, lane] -= twice * qw[Q_S, row, k, lane] * qw[Q_TMP, k, col, lane]


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
    _multiply(qw, Q_G, fw, F_F, fw, F_A, q, q, n_columns, True)
    _outer_add(fw, F_F, fw, F_A, t, 0, 1.0, q, n_columns, n_columns)
    if has_parent:
        _pass(s, 0, up, 0, r)
        _outer_add(fw, F_F, fw, F_A, up, 0, -1.0, q, r, n_columns)
    if order == 0:
        return
    own_derivatives(qw, q, n_below, own_rows, own_cols, ld)
    if not full:
        _times_omega(fw, F_F, omega, fw, F_OMEGA, q, n_columns)
        if n_below > 0:
            _times_omega(fw, F_A, omega, fw, F_A_OMEGA, q, n_columns)
    g_first = Q_FREE
    s_first = Q_FREE + n_all
    f_first = F_FREE
    a_first = F_FREE + n_below
    a_first_omega = F_FREE + n_below + n_all
    # ------------------------------------------------------------------ first derivatives
    for p in range(n_below):
        _load(z, s, 1 + p, qw, s_first + p, fw, f_first + p)
        _multiply(qw, Q_G, qw, s_first + p, qw, Q_TMP, q, q, q, True)
        _multiply(qw, Q_TMP, qw, Q_G, qw, g_first + p, q, q, q, True)
        _trace_add(qw, Q_TMP, q, ld, 1 + p)
        for i in range(q):
            for j in range(q):
                for lane in range(LANES):
                    qw[g_first + p, i, j, lane] = -qw[g_first + p, i, j, lane]
        # A_p = G_p F + G F_p; half the derivative of F'GF is F'(G F_p + G_p F / 2)
        _multiply(qw, g_first + p, fw, F_F, fw, a_first + p, q, q, n_columns, True)
        _multiply(qw, Q_G, fw, f_first + p, fw, F_HALF, q, q, n_columns, True)
        for i in range(q):
            for k in range(n_columns):
                for lane in range(LANES):
                    both = fw[a_first + p, i, k, lane]
                    fw[a_first + p, i, k, lane] += fw[F_HALF, i, k, lane]
                    fw[F_HALF, i, k, lane] += 0.5 * both
        _outer_add(fw, F_F, fw, F_HALF, t, 1 + p, 1.0, q, n_columns, n_columns)
        if has_parent:
            _pass(s, 1 + p, up, 1 + p, r)
            _outer_add(fw, f_first + p, fw, F_A, up, 1 + p, -1.0, q, r, n_columns)
    for p in range(n_below, n_all):
        _multiply(qw, g_first + p, fw, F_F, fw, a_first + p, q, q, n_columns, True)
        _outer_add(fw, F_F, fw, a_first + p, t, 1 + p, 0.5, q, n_columns, n_columns)
    for p in range(n_all):
        if has_parent:
            _outer_add(fw, F_F, fw, a_first + p, up, 1 + p, -1.0, q, r, n_columns)
        if not full and n_below > 0:
            _times_omega(fw, a_first + p, omega, fw, a_first_omega + p, q, n_columns)
    # ------------------------------------------------------------------ second derivatives
    for p in range(n_all):
        for c in range(p + 1):
            pair = p * (p + 1) // 2 + c
            slot = 1 + m + pair
            above = 1 + n_all + pair
            if p < n_below:
                # G_pc = -(G_c S_p G + G S_p G_c + G S_pc G)
                _load(z, s, 1 + n_below + pair, qw, Q_TMP2, fw, F_PAIR)
                _multiply(qw, g_first + c, qw, s_first + p, qw, Q_TMP, q, q, q, True)
                _trace_add(qw, Q_TMP, q, ld, slot)
                _multiply(qw, Q_TMP, qw, Q_G, qw, Q_HALF, q, q, q, True)
                _minus_symmetric(qw, Q_HALF, qw, Q_PAIR, q)
                _multiply(qw, Q_G, qw, Q_TMP2, qw, Q_TMP, q, q, q, True)
                _trace_add(qw, Q_TMP, q, ld, slot)
                _multiply(qw, Q_TMP, qw, Q_G, qw, Q_HALF, q, q, q, True)
                for i in range(q):
                    for j in range(q):
                        for lane in range(LANES):
                            qw[Q_PAIR, i, j, lane] -= qw[Q_HALF, i, j, lane]
                _multiply(qw, g_first + p, fw, f_first + c, fw, F_PAIR_A, q, q, n_columns, True)
                _multiply(qw, g_first + c, fw, f_first + p, fw, F_PAIR_A, q, q, n_columns, False)
                _multiply(qw, Q_G, fw, F_PAIR, fw, F_PAIR_A, q, q, n_columns, False)
                _multiply(qw, Q_PAIR, fw, F_F, fw, F_PAIR_A, q, q, n_columns, False)
            elif c < n_below:
                # G_oc = -(G_o S_c G + transpose)
                _multiply(qw, g_first + p, qw, s_first + c, qw, Q_TMP, q, q, q, True)
                _trace_add(qw, Q_TMP, q, ld, slot)
                _multiply(qw, Q_TMP, qw, Q_G, qw, Q_TMP2, q, q, q, True)
                _minus_symmetric(qw, Q_TMP2, qw, Q_PAIR, q)
                _multiply(qw, g_first + p, fw, f_first + c, fw, F_PAIR_A, q, q, n_columns, True)
                _multiply(qw, Q_PAIR, fw, F_F, fw, F_PAIR_A, q, q, n_columns, False)
            else:
                own_pair(qw, q, p, c, n_below, own_rows, own_cols, ld, slot)
                _multiply(qw, Q_PAIR, fw, F_F, fw, F_PAIR_A, q, q, n_columns, True)
            # d2(F'GF) = F_pc'A + F_p'A_c + F_c'A_p + F'A_pc
            if full:
                _outer_add(fw, F_F, fw, F_PAIR_A, t, slot, 1.0, q, n_columns, n_columns)
            else:
                _inner_add(fw, F_PAIR_A, fw, F_OMEGA, q, n_columns, contraction, pair)
            if has_parent:
                if p < n_below:
                    _pass(s, 1 + n_below + pair, up, above, r)
                _outer_add(fw, F_F, fw, F_PAIR_A, up, above, -1.0, q, r, n_columns)
            if c < n_below:
                f_c = f_first + c
                if full:
                    _outer_add(fw, f_c, fw, a_first + p, t, slot, 1.0, q, n_columns, n_columns)
                else:
                    _inner_add(fw, f_c, fw, a_first_omega + p, q, n_columns, contraction, pair)
                if has_parent:
                    _outer_add(fw, f_c, fw, a_first + p, up, above, -1.0, q, r, n_columns)
            if p < n_below:
                f_p = f_first + p
                if full:
                    _outer_add(fw, f_p, fw, a_first + c, t, slot, 1.0, q, n_columns, n_columns)
                    _outer_add(fw, F_PAIR, fw, F_A, t, slot, 1.0, q, n_columns, n_columns)
                else:
                    _inner_add(fw, f_p, fw, a_first_omega + c, q, n_columns, contraction, pair)
                    _inner_add(fw, F_PAIR, fw, F_A_OMEGA, q, n_columns, contraction, pair)
                if has_parent:
                    _outer_add(fw, f_p, fw, a_first + c, up, above, -1.0, q, r, n_columns)
                    _outer_add(fw, F_PAIR, fw, F_A, up, above, -1.0, q, r, n_columns)


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
    qw = np.zeros((Q_FREE + 3 * n_all, q, q, LANES))
    fw = np.zeros((F_FREE + 3 * n_all, q, n_columns, LANES))
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
